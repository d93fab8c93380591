//! GitHub's side of a run: where it runs, for which commit, and what is to be published there. Vocabulary: no I/O, and
//! no token in anything that can be printed.

use std::fmt;
use std::path::PathBuf;

/// A run of a workflow on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The root of the API, without a slash at its end: `https://api.github.com`, or an Enterprise server's.
    pub api_url: String,
    /// Whose repository it is.
    pub owner: String,
    /// The name of the repository.
    pub repository: String,
    /// The commit that a check belongs on.
    pub commit: String,
    /// The number of the pull request that the event is about.
    pub pull_request: Option<u64>,
    /// The id of the run and the attempt at it: `17-2`. One check is told from that of another attempt by it.
    pub attempt: String,
    /// Why the run is given no secrets, where that is so.
    pub without_secrets: Option<WithoutSecrets>,
    /// Whether the event is about a fork, though the run has the secrets of the repository.
    pub is_fork_with_secrets: bool,
    /// What is to be merged into what, where the event says so.
    pub proposal: Option<Proposal>,
    /// The file of the workflow that runs, relative to the root of the repository.
    pub workflow: Option<String>,
}

impl Run {
    /// The repository as GitHub writes it: `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.repository)
    }
}

/// What is to be merged into what: a pull request, or a group of them in a merge queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The commit in which GitHub has merged a pull request into its base, to try it out.
    pub merged: Option<String>,
    /// The last commit of a pull request.
    pub head: Option<String>,
    /// The branch that a pull request goes to.
    pub branch: Option<String>,
    /// The commit that it goes onto. That of a pull request may be older than what `merged` was made of.
    pub base: Option<String>,
    /// Whether it is a group of a merge queue.
    pub is_group: bool,
}

/// Whom GitHub gives no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithoutSecrets {
    /// A pull request from a fork.
    Fork,
    /// Dependabot, which has secrets of its own.
    Dependabot,
}

impl fmt::Display for WithoutSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fork => "a pull request from a fork",
            Self::Dependabot => "Dependabot",
        })
    }
}

/// A token for the API. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for the client of the API and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// How a check is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportTo {
    /// The first of the ways below that works
    Auto,
    /// The check run that GitHub made for the job
    JobCheck,
    /// A check run of its own
    CheckRun,
    /// Commands in the log, which annotate files
    Annotations,
    /// No check is published
    #[default]
    None,
}

impl ReportTo {
    /// What it is in a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::Auto => "the check",
            Self::JobCheck => "the check run of the job",
            Self::CheckRun => "a check run",
            Self::Annotations => "annotations",
            Self::None => "nothing",
        }
    }
}

/// What is to be published on GitHub, and where.
#[derive(Debug, Clone, Default)]
pub struct Destination {
    /// How the check is reported.
    pub report: ReportTo,
    /// The name of a check run of our own.
    pub check_name: String,
    /// Whether a comment is kept on the pull request.
    pub comment: bool,
    /// The run that GitHub started, where it did.
    pub run: Option<Run>,
    /// The token of the API.
    pub token: Option<Token>,
    /// The id of the check run that GitHub made for the job.
    pub job_check: Option<u64>,
    /// The file of the step's summary.
    pub summary: Option<PathBuf>,
    /// The file of the step's outputs.
    pub outputs: Option<PathBuf>,
    /// Where the JSON report is left for later steps.
    pub json: Option<PathBuf>,
}
