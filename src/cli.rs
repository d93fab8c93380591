//! The command line: flags as typed text, nothing resolved.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Rule;
use crate::github::ReportTo;
use crate::history::MaxAge;
use crate::migration::Version;
use crate::policy::{FailOn, Gate};
use crate::source::{SourceChoice, names_revision};

/// Will this build start against that database? Compares sqlx migrations in code with those applied.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do; `check` when nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `check`, which may be given without naming it.
    #[command(flatten)]
    pub check: CheckArgs,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing was found at or above --fail-on, and everything was read
  1  findings
  2  usage or configuration
  3  incomplete: something could not be read, and nothing worse was found";

const ROLLBACK_EXIT_CODES: &str = "\
Exit codes:
  0  every target has a build that would start
  1  none of the builds of a target would start
  2  usage or configuration
  3  incomplete: something could not be read, and nothing worse was found";

const SNAPSHOT_EXIT_CODES: &str = "\
Exit codes:
  0  every history was read and written
  2  usage or configuration, or the file cannot be written
  3  incomplete: some history could not be read; the others are written";

const RESTORE_EXIT_CODES: &str = "\
Exit codes:
  0  everything that was asked for is as it was applied
  1  something was refused, or its content is not to be found
  2  usage or configuration
  3  incomplete: something could not be read, and nothing worse was found";

const INIT_EXIT_CODES: &str = "\
Exit codes:
  0  both files are there: written now, or left as they were
  2  there is nothing to configure, or a file cannot be written";

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare the migrations in code with the applied ones, for every target
    #[command(after_help = EXIT_CODES)]
    Check(Box<CheckArgs>),
    /// Put the JSON reports of several runs together, and tell which targets none of them is about
    #[command(after_help = EXIT_CODES)]
    Merge(Box<MergeArgs>),
    /// Write migrations back as they were applied, from the history of the repository
    #[command(after_help = RESTORE_EXIT_CODES)]
    Restore(Box<RestoreArgs>),
    /// Tell which older commits, tags or images would still start against the databases
    #[command(after_help = ROLLBACK_EXIT_CODES)]
    Rollback(Box<RollbackArgs>),
    /// Write the histories of the databases down, for a check where none of them can be reached
    #[command(after_help = SNAPSHOT_EXIT_CODES)]
    Snapshot(Box<SnapshotArgs>),
    /// Read the Cargo workspace, and write a configuration and a workflow for it; overwrites nothing
    #[command(after_help = INIT_EXIT_CODES)]
    Init(InitArgs),
    /// Explain the rules: all of them, or one
    Rules {
        /// The id of a rule
        rule: Option<Rule>,
    },
    /// Run as the step of a workflow: the flags are the action's inputs
    #[command(hide = true)]
    Action {
        /// The step was cancelled: publish that, where a check would else be waited for
        #[arg(long)]
        abandoned: bool,
    },
    /// Print a JSON Schema
    Schema {
        /// Of which file
        #[arg(value_name = "FILE", default_value = "config")]
        of: Schema,
    },
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Which targets there are.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// What will run: dir:PATH (default), git:REV, binary:PATH, image:REF|ARCHIVE|LAYOUT, or image for the configured
    /// one; `{service}` is filled in
    #[arg(long, value_name = "KIND:PLACE", conflicts_with = "migrations")]
    pub source: Option<SourceChoice>,
    /// How it is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Take the histories from this snapshot, or folder with some, in place of the databases of the targets that it has;
    /// may be given several times
    #[arg(long, value_name = "FILE|FOLDER")]
    pub snapshot: Vec<PathBuf>,
    /// How old a snapshot may be, such as 12h or 7d [default: `max-age` of the configuration]
    #[arg(long, value_name = "AGE", requires = "snapshot")]
    pub max_age: Option<MaxAge>,
    /// What a pull request, or a change since --base, has to answer for
    #[arg(long, value_name = "WHAT", default_value = "all")]
    pub gate: Gate,
    /// What is made of the report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Flags of `rollback`.
#[derive(Debug, Clone, Args)]
pub struct RollbackArgs {
    /// Which targets there are.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// The newest commit that is looked at
    #[arg(long, value_name = "REV", default_value = "HEAD", value_parser = revision)]
    pub from: String,
    /// How many commits, first parents alone, or how many tags are looked at
    #[arg(long, value_name = "N", default_value = "100", value_parser = jobs)]
    pub last: NonZeroUsize,
    /// Look at tags in place of commits, the newest first; with a pattern only at those that match it
    #[arg(
        long,
        value_name = "PATTERN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "*",
        conflicts_with = "from"
    )]
    pub tags: Option<String>,
    /// Look at this image in place of commits; may be given several times, the newest first
    #[arg(long, value_name = "REF|ARCHIVE|LAYOUT", conflicts_with_all = ["from", "last", "tags"])]
    pub image: Vec<String>,
    /// Format of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: RollbackFormat,
    /// What reading the databases may take.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Flags of `snapshot`.
#[derive(Debug, Clone, Args)]
pub struct SnapshotArgs {
    /// Which targets there are.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Where to write it [default: to standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What reading the databases may take.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Flags of `restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// Only these versions [default: every applied migration that is missing or differs]
    #[arg(value_name = "VERSION", value_parser = version, allow_negative_numbers = true)]
    pub versions: Vec<Version>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Which targets there are.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// How they are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// How long it may take.
    #[command(flatten)]
    pub patience: PatienceArgs,
}

/// Flags of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Flags of `merge`.
#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// JSON reports, or folders with them at any depth; may be given several times
    #[arg(long, value_name = "PATH", required = true)]
    pub reports: Vec<PathBuf>,
    /// Take the reports for all that there is, where no configuration says which there ought to be
    #[arg(long, conflicts_with_all = ["config", "service", "environment"])]
    pub without_plan: bool,
    /// Which targets there ought to be.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// What is made of the report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Flags that say which targets there are.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Configuration file [default: .github/migration-preflight.yml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Workflow whose service matrix gives the targets, relative to the root of the repository
    #[arg(long, value_name = "FILE")]
    pub workflow: Option<String>,
    /// Job of the workflow that has the matrix
    #[arg(long, value_name = "ID")]
    pub job: Option<String>,
    /// The matrix itself: its entries, its definition, or one leg as `toJSON(matrix)` gives it
    #[arg(long, value_name = "JSON", conflicts_with_all = ["workflow", "job"])]
    pub matrix: Option<String>,
    /// As --matrix; but one leg of a matrix that has no services counts for no more than the environment that it names
    #[arg(long, value_name = "JSON", hide = true, conflicts_with_all = ["matrix", "workflow", "job"])]
    pub leg: Option<String>,
    /// Check only these services
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub service: Vec<String>,
    /// Check only these environments
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub environment: Vec<String>,
    /// Migrations directory, in place of the configured one; `{service}` is filled in
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<String>,
    /// Run the programs that the configuration names as `database-command` and `password-command`
    #[arg(long)]
    pub allow_commands: bool,
}

/// Flags that say how the targets are read.
#[derive(Debug, Clone, Args)]
pub struct ReadingArgs {
    /// How many databases are read at a time, at most 16 of them on one server
    #[arg(long, value_name = "N", default_value = "128", value_parser = jobs)]
    pub jobs: NonZeroUsize,
    /// The branch or commit that the change is held against [default: on GitHub, the base of the pull request]
    #[arg(long, value_name = "REV", value_parser = revision)]
    pub base: Option<String>,
}

/// Flags of what reads the databases, and asks nobody else.
#[derive(Debug, Clone, Args)]
pub struct LimitArgs {
    /// How many databases are read at a time, at most 16 of them on one server
    #[arg(long, value_name = "N", default_value = "128", value_parser = jobs)]
    pub jobs: NonZeroUsize,
    /// How long one database may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub timeout: Duration,
}

/// Flags that say how long something may take.
#[derive(Debug, Clone, Args)]
pub struct PatienceArgs {
    /// How long one database, or one request to GitHub, may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub timeout: Duration,
}

/// Flags that say what is made of a report.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// From which severity on findings fail the run
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: FailOn,
    /// Format of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    /// Write the report to a file too; may be given several times
    #[arg(long, value_name = "FORMAT=PATH")]
    pub output: Vec<Output>,
    /// How long it may take.
    #[command(flatten)]
    pub patience: PatienceArgs,
    /// What is published on GitHub.
    #[command(flatten)]
    pub publish: PublishArgs,
}

/// Flags for what is published on GitHub, from within a run of a workflow.
#[derive(Debug, Clone, Args)]
pub struct PublishArgs {
    /// Publish a check on GitHub in this way; the token is read from GITHUB_TOKEN
    #[arg(long, value_name = "WAY", default_value = "none")]
    pub report: ReportTo,
    /// Name of a check run of its own
    #[arg(long, value_name = "NAME", default_value = "migration-preflight")]
    pub check_name: String,
    /// Keep a comment on the pull request up to date, and remove it when all is well
    #[arg(long)]
    pub comment: bool,
    /// Leave with exit code 3 where nothing was found, but the check could not be published
    #[arg(long)]
    pub fail_on_publish_error: bool,
}

/// A file that has a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schema {
    /// The configuration
    Config,
    /// The JSON report, version 1
    Report,
    /// What `rollback --format json` prints, version 1
    Rollback,
    /// What `snapshot` writes, version 1
    Snapshot,
}

/// A format of what `rollback` prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum RollbackFormat {
    /// For people
    #[default]
    Human,
    /// For programs; version 1
    Json,
}

/// A format of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// For programs; version 1
    Json,
    /// A page for GitHub: a step summary, a comment
    Markdown,
    /// Commands for GitHub's runner, which annotate files
    Github,
    /// For code scanning: SARIF 2.1.0
    Sarif,
}

/// A file to write the report to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// In which format.
    pub format: Format,
    /// Where.
    pub path: PathBuf,
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((format, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err("write it as FORMAT=PATH, for example json=report.json".to_owned());
        };
        Ok(Self { format: Format::from_str(format, false)?, path: path.into() })
    }
}

fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "give a whole number, 1 or more")
}

fn version(text: &str) -> Result<Version, &'static str> {
    text.parse().map(Version).map_err(|_| "give the version of a migration, a whole number")
}

fn revision(text: &str) -> Result<String, &'static str> {
    names_revision(text).then(|| text.to_owned()).ok_or("give a branch, a tag or a commit")
}

/// A whole or broken number of seconds, more than none and at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_millis(1)..=Duration::from_secs(86_400);
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|d| bounds.contains(d)).ok_or_else(|| "give seconds, more than 0 and at most 86400".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_check_is_the_default() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["migration-preflight", "--service", "a,b", "--output", "json=x.json"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.check.plan.service, ["a", "b"]);
        assert_eq!(cli.check.report.output, [Output { format: Format::Json, path: "x.json".into() }]);
        assert_eq!(cli.check.report.patience.timeout, Duration::from_secs(20));
    }

    #[test]
    fn an_unusable_timeout_or_output_is_refused() {
        for flags in [
            ["--jobs", "0"],
            ["--timeout", "0"],
            ["--timeout", "NaN"],
            ["--timeout", "-1"],
            ["--base", ""],
            ["--base", "--all"],
            ["--gate", "some"],
            ["--output", "json"],
            ["--output", "xml=a"],
            ["--source", "git"],
            ["--source", "git:"],
            ["--source", "git:--all"],
            ["--source", "binary"],
            ["--source", "target/release/api"],
        ] {
            assert!(Cli::try_parse_from(["migration-preflight"].iter().chain(&flags)).is_err(), "{flags:?}");
        }
    }
}
