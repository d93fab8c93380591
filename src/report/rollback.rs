//! Which older builds would start against which databases: what `rollback` has to say, as one value, and its JSON,
//! version 1, which changes only on purpose. Pure.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::tool::{ToolV1, schema_of};
use super::v1::{CountsV1, StartupV1, TenantsV1};
use super::{Counts, Verdict};
use crate::history::{DatabaseError, History};
use crate::source::{Build, Defined, SourceError};
use crate::startup::{self, Outcome};
use crate::target::{Target, TargetState};
use crate::tenants::Tenants;

/// The version of the format.
const VERSION: u32 = 1;

/// What is to be said of every target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// In order of the plan.
    pub targets: Vec<Answer>,
    /// What could not be looked at, and how it could be.
    pub notes: Vec<String>,
}

/// What is to be said of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its service.
    pub service: String,
    /// Its environment.
    pub environment: String,
    /// The tenants that this is said of, where it has some: those that agree.
    pub tenants: Option<Arc<Tenants>>,
    /// How many rows its history has.
    pub applied: Result<usize, DatabaseError>,
    /// The builds, the newest first.
    pub candidates: Vec<Candidate>,
}

/// A build, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub build: Build,
    /// What becomes of it: the same of all that have the same migrations.
    pub fate: Arc<Fate>,
}

/// What becomes of migrations that start against a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// How many there are of each kind.
    pub counts: Counts,
    /// What happens.
    pub startup: Outcome,
    /// Why the code side could not be read.
    pub problem: Option<String>,
}

impl Answer {
    /// An answer without a candidate yet.
    pub fn new(TargetState { target, applied, tenants, .. }: &TargetState) -> Self {
        Self {
            service: target.service.clone(),
            environment: target.environment.clone(),
            tenants: tenants.clone(),
            applied: applied.as_ref().map(|history| history.rows().len()).map_err(Clone::clone),
            candidates: Vec::new(),
        }
    }

    /// Whether the two are of one target, and said of other tenants.
    pub fn is_of_target(&self, other: &Self) -> bool {
        (&self.service, &self.environment) == (&other.service, &other.environment)
    }

    /// The oldest build that would start.
    pub fn oldest(&self) -> Option<&Candidate> {
        self.candidates.iter().rfind(|candidate| candidate.fate.starts())
    }
}

/// Whether a target has a build that would start, for every tenant if it has some.
fn verdict(answers: &[Answer]) -> Verdict {
    let is_unknown = |candidate: &Candidate| candidate.fate.startup == Outcome::Unknown;
    let is_open = |answer: &Answer| answer.applied.is_err() || answer.candidates.iter().any(is_unknown);
    match common(answers) {
        Some(_) => Verdict::Pass,
        None if answers.iter().any(is_open) => Verdict::Incomplete,
        None => Verdict::Fail,
    }
}

/// The oldest build that would start for all tenants of a target, whose `answers` are about the same builds.
pub fn common(answers: &[Answer]) -> Option<&Candidate> {
    let (first, others) = answers.split_first()?;
    let starts = |index: usize| {
        let of = |answer: &Answer| answer.candidates.get(index).is_some_and(|candidate| candidate.fate.starts());
        others.iter().all(of)
    };
    let mut candidates = first.candidates.iter().enumerate();
    candidates.rfind(|(index, candidate)| candidate.fate.starts() && starts(*index)).map(|(_, candidate)| candidate)
}

impl Fate {
    /// Judges a code side against a target. `table` is the history table that was read, as `sqlx.toml` has it here.
    pub fn new(
        defined: Result<&Defined, &SourceError>,
        (target, history): (&Target, &Result<History, DatabaseError>),
        table: Option<&str>,
    ) -> Self {
        let elsewhere =
            |defined: &Defined| target.history_table(defined.table.as_deref()) != target.history_table(table);
        let problem = match defined {
            Ok(defined) if elsewhere(defined) => {
                let other = target.history_table(defined.table.as_deref());
                Some(format!("its sqlx.toml names the table `{other}`, which was not read"))
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        let startup = match (defined, history, &target.database) {
            (Ok(defined), Ok(history), Ok(url)) if problem.is_none() => {
                startup::predict(defined, history, url.engine(), target.ignore_missing)
            }
            _ => Outcome::Unknown,
        };
        let read = defined.ok().filter(|_| problem.is_none());
        Self { counts: Counts::new(read, history.as_ref().ok()), startup, problem }
    }

    /// Whether the service would start.
    pub fn starts(&self) -> bool {
        matches!(self.startup, Outcome::Starts | Outcome::StartsAndApplies(_))
    }
}

impl Rollback {
    /// The exit code: whether every target has a build that would start.
    pub fn exit_code(&self) -> u8 {
        let is = |verdict| self.targets.chunk_by(Answer::is_of_target).any(|answers| self::verdict(answers) == verdict);
        let verdicts = [Verdict::Fail, Verdict::Incomplete];
        verdicts.into_iter().find(|verdict| is(*verdict)).unwrap_or(Verdict::Pass).exit_code()
    }
}

/// The JSON Schema of the JSON. `docs/rollback-v1.schema.json` is a copy of it.
pub fn json_schema() -> Value {
    schema_of::<RollbackV1>()
}

/// What `migration-preflight rollback` prints, version 1. More keys may follow; these stay.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "migration-preflight rollback, version 1")]
pub struct RollbackV1<'a> {
    /// Always 1.
    schema: u32,
    /// What wrote it.
    tool: ToolV1<'a>,
    /// Every target, in order of the plan.
    targets: Vec<AnswerV1<'a>>,
    /// What could not be looked at, and how it could be.
    notes: &'a [String],
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct AnswerV1<'a> {
    /// The service.
    service: &'a str,
    /// The environment.
    environment: &'a str,
    /// The tenants that this is said of, those that agree; left out where the target has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<TenantsV1<'a>>,
    /// How many rows its history has; null where it could not be read.
    applied: Option<usize>,
    /// Why it could not be read.
    problem: Option<String>,
    /// The name of the oldest build that would start; null where none would.
    oldest: Option<&'a str>,
    /// The builds, the newest first.
    candidates: Vec<CandidateV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct CandidateV1<'a> {
    /// `commit`, `tag` or `image`.
    #[schemars(extend("enum" = ["commit", "tag", "image"]))]
    kind: &'a str,
    /// Its name: a commit's own, that of a tag, an image.
    name: &'a str,
    /// The commit.
    commit: Option<&'a str>,
    /// When it was made: ISO 8601.
    date: Option<&'a str>,
    /// The first line of the commit's message.
    subject: Option<&'a str>,
    /// The digest of an image.
    digest: Option<&'a str>,
    /// Numbers of migrations; null where a side could not be read.
    counts: CountsV1,
    /// What happens when it starts.
    startup: StartupV1<'a>,
    /// Why its code side could not be read.
    problem: Option<&'a str>,
}

impl<'a> From<&'a Rollback> for RollbackV1<'a> {
    fn from(rollback: &'a Rollback) -> Self {
        let targets = rollback.targets.iter().map(|answer| AnswerV1 {
            service: &answer.service,
            environment: &answer.environment,
            tenants: answer.tenants.as_deref().map(TenantsV1::of),
            applied: answer.applied.as_ref().ok().copied(),
            problem: answer.applied.as_ref().err().map(ToString::to_string),
            oldest: answer.oldest().map(|oldest| oldest.build.name.as_str()),
            candidates: answer.candidates.iter().map(candidate).collect(),
        });
        Self { schema: VERSION, tool: ToolV1::this(), targets: targets.collect(), notes: &rollback.notes }
    }
}

fn candidate(candidate: &Candidate) -> CandidateV1<'_> {
    let Build { kind, name, commit, date, subject, digest } = &candidate.build;
    let Fate { counts, startup, problem } = &*candidate.fate;
    CandidateV1 {
        kind,
        name,
        commit: commit.as_deref(),
        date: date.as_deref(),
        subject: subject.as_deref(),
        digest: digest.as_deref(),
        counts: CountsV1::of(*counts),
        startup: StartupV1::of(startup),
        problem: problem.as_deref(),
    }
}
