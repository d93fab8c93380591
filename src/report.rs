//! The result of a run as one value: every output and the exit code are made from it alone. Pure.

mod merge;
pub mod rollback;
pub mod snapshot;
mod tool;
pub mod v1;

pub use merge::{Part, merge};
pub use tool::TOOL;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Findings, Location, Scope, Severity};
use crate::history::{AsOf, Database, History};
use crate::migration::{AppliedMigration, Migration, Version};
use crate::policy::FailOn;
use crate::source::{Defined, Origin};
use crate::startup::{self, Outcome};
use crate::target::{Target, TargetState};
use crate::tenants::Tenants;

/// The exit code for usage and configuration, where there is no report: clap leaves with it on a bad flag, too.
pub const USAGE: u8 = 2;

/// So much of a commit's name tells it from others.
const SHORT: usize = 12;

/// The one word that a run comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was found that fails the run, and everything was read.
    Pass,
    /// Something was found at or above `--fail-on`.
    Fail,
    /// Something could not be read, and nothing worse was found.
    Incomplete,
}

impl Verdict {
    /// The word that reports use.
    pub fn id(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Incomplete => "incomplete",
        }
    }

    /// The exit code of a run with this verdict.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Incomplete => 3,
        }
    }
}

/// Everything that a run has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it comes down to.
    pub verdict: Verdict,
    /// Every target of the plan, in its order.
    pub targets: Vec<TargetReport>,
    /// The findings that belong to no single target, gravest first.
    pub findings: Vec<Finding>,
    /// Findings that configuration accepts, each with the reason. They count for nothing.
    pub accepted: Vec<(Finding, String)>,
    /// Findings that the base of the change has too, which answers only for what it introduces. They count for nothing.
    pub already_so: Vec<Finding>,
    /// What else there is to know of the run: what could not be looked up, and how it could be. Never of any weight.
    pub notes: Vec<String>,
    /// The repository that it is about, as `owner/name`, where a run on GitHub says so.
    pub repository: Option<String>,
}

/// Why a run ended without a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// More of it, for people; may be empty.
    pub detail: String,
}

/// The reasons for which a run ends without a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The flags or the configuration make no sense.
    Unusable,
    /// Somebody cancelled it.
    Cancelled,
}

impl Stop {
    /// What became of the run, in one line.
    pub fn title(&self) -> &'static str {
        match self.reason {
            StopReason::Unusable => "fail: nothing was checked, because the configuration or an input cannot be used",
            StopReason::Cancelled => "cancelled: nothing was checked",
        }
    }
}

/// What a run has to say of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReport {
    /// Its service.
    pub service: String,
    /// Its environment.
    pub environment: String,
    /// The tenants that this is said of, where the target has some: those that agree. They stand next to each other.
    pub tenants: Option<Arc<Tenants>>,
    /// Of which kind the code side is: `directory`, `revision`, `binary` or `image`.
    pub kind: String,
    /// Where the code side was read: the migrations directory, relative to the root of the repository; with a revision
    /// before it; a program; an image.
    pub location: String,
    /// What is known of it beside that.
    pub origin: Origin,
    /// Of when the history is, where it is that of a snapshot.
    pub as_of: Option<AsOf>,
    /// How many migrations there are of each kind.
    pub counts: Counts,
    /// Where the target is declared.
    pub declared: Option<Location>,
    /// What happens when the service starts.
    pub startup: Outcome,
    /// The findings of this target alone, gravest first.
    pub findings: Vec<Finding>,
}

/// Numbers of migrations; `None` where a side that the number needs could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Up migrations in the source.
    pub defined: Option<usize>,
    /// Rows of the history.
    pub applied: Option<usize>,
    /// Rows without a file, those left out that are other services' which write to the same table.
    pub missing: Option<usize>,
    /// Rows that are other services' alone; none where no other writes to the table.
    pub shared: Option<usize>,
    /// Rows whose file has another checksum.
    pub mismatched: Option<usize>,
    /// Versions with an up migration and no row.
    pub pending: Option<usize>,
}

impl Report {
    /// Puts states and findings together and reaches the verdict.
    pub fn new(states: &[TargetState], findings: Findings, fail_on: FailOn) -> Self {
        let Findings { open, accepted, already_so, excused } = findings;
        let is_excused = |target: &Target| {
            excused
                .iter()
                .any(|(service, environment)| *service == target.service && *environment == target.environment)
        };
        let is_unread = |state: &TargetState| is_unread(state) && !is_excused(&state.target);
        let verdict = if open.iter().any(|finding| fail_on.is_reached_by(finding.severity)) {
            Verdict::Fail
        } else if open.iter().any(|finding| finding.severity == Severity::Incomplete) || states.iter().any(is_unread) {
            Verdict::Incomplete
        } else {
            Verdict::Pass
        };
        let mut targets: Vec<TargetReport> = states.iter().map(TargetReport::new).collect();
        let scopes = states.iter().map(TargetState::scope);
        let index: HashMap<Scope, usize> = scopes.enumerate().map(|(index, scope)| (scope, index)).collect();
        let mut findings = Vec::new();
        for finding in open {
            let target = index.get(&finding.scope);
            target.map_or(&mut findings, |index| &mut targets[*index].findings).push(finding);
        }
        Self { verdict, targets, findings, accepted, already_so, notes: Vec::new(), repository: None }
    }

    /// The targets, each with what is to be said of it: of those of its tenants that agree, where it has some.
    pub fn by_target(&self) -> impl Iterator<Item = &[TargetReport]> {
        self.targets.chunk_by(TargetReport::is_of_target)
    }

    /// The verdict and what it rests on, in one line.
    pub fn title(&self) -> String {
        let total = self.by_target().count();
        let mut parts = Vec::new();
        let mut of_all = |id: &str, what: &str| {
            let are = |reports: &&[TargetReport]| reports.iter().any(|report| report.startup.id() == id);
            let tenants = tenants(self.by_target().filter(are).flatten(), id);
            match (self.by_target().filter(are).count(), total) {
                (0, _) => {}
                (_, 1) => parts.push(format!("the target {what}{tenants}")),
                (n, _) => parts.push(format!("{n} of {total} targets {what}{tenants}")),
            }
        };
        of_all("fails", "would not start");
        of_all("unknown", "could not be checked");
        if parts.is_empty() {
            parts.push(match total {
                0 => "nothing to check, because the matrix leaves no target".to_owned(),
                1 => "the target would start".to_owned(),
                _ => format!("all {total} targets would start"),
            });
        }
        let counted = [(Severity::Error, "error"), (Severity::Warning, "warning")].map(|(severity, word)| {
            let n = self.all_findings().filter(|finding| finding.severity == severity).count();
            (n > 0).then(|| plural(n, word))
        });
        parts.extend(counted.into_iter().flatten());
        if !self.accepted.is_empty() {
            parts.push(format!("{} accepted", plural(self.accepted.len(), "finding")));
        }
        if !self.already_so.is_empty() {
            parts.push(format!("{} already so", plural(self.already_so.len(), "finding")));
        }
        let recorded = self.by_target().filter(|reports| reports.iter().any(|report| report.as_of.is_some())).count();
        if recorded > 0 {
            parts.push(format!("{} from a snapshot", plural(recorded, "target")));
        }
        format!("{}: {}", self.verdict.id(), parts.join(", "))
    }

    /// Every finding that counts, those of targets first.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.targets.iter().flat_map(|target| &target.findings).chain(&self.findings)
    }
}

/// How many of the tenants that `reports` are about have an outcome, in words; nothing where there are none.
fn tenants<'a>(reports: impl Iterator<Item = &'a TargetReport>, id: &str) -> String {
    let (mut some, mut all) = (0, 0);
    for report in reports {
        let tenants = report.tenants.as_ref().map_or(0, |tenants| tenants.names.len());
        all += tenants;
        some += if report.startup.id() == id { tenants } else { 0 };
    }
    if some == 0 { String::new() } else { format!(" ({some} of {})", plural(all, "tenant")) }
}

/// Whether a side that has to be read was not. Neither levels nor accepted findings make that a pass; an environment
/// that may be away says `required: false`.
fn is_unread(state: &TargetState) -> bool {
    state.defined.is_err() || state.applied.as_ref().is_err_and(|error| !state.target.may_be_away(error))
}

impl TargetReport {
    /// Whether the two are of one target.
    pub fn is_of_target(&self, other: &Self) -> bool {
        (&self.service, &self.environment) == (&other.service, &other.environment)
    }

    /// The environment, and which of its tenants: `production (tenant_7)`.
    pub fn whereabouts(&self) -> String {
        crate::tenants::place(&self.environment, self.tenants.as_deref())
    }

    /// Where the code side was read, with all that is known of it, for people.
    pub fn place(&self) -> String {
        let Origin { commit, digest, created, revision, file } = &self.origin;
        let short = |id: &String| id.chars().take(SHORT).collect::<String>();
        let told = [
            file.clone(),
            commit.as_ref().map(|commit| format!("commit {}", short(commit))),
            digest.clone(),
            created.as_ref().map(|created| format!("made {created}")),
            revision.as_ref().map(|revision| format!("from {}", short(revision))),
        ];
        let told: Vec<String> = told.into_iter().flatten().collect();
        let kind = if self.kind == "image" { "the image " } else { "" };
        if told.is_empty() {
            return format!("{kind}{}", self.location);
        }
        format!("{kind}{} ({})", self.location, told.join(", "))
    }

    fn new(state: &TargetState) -> Self {
        let target = &state.target;
        let startup = match (&state.defined, &state.applied, &target.database) {
            (Ok(defined), Ok(history), Ok(database)) => {
                startup::predict(defined, history, database.engine(), target.ignore_missing)
            }
            _ => Outcome::Unknown,
        };
        Self {
            service: target.service.clone(),
            environment: target.environment.clone(),
            tenants: state.tenants.clone(),
            kind: target.source.kind().to_owned(),
            location: target.location(),
            origin: state.defined.as_ref().map(|defined| defined.origin.clone()).unwrap_or_default(),
            as_of: target.database.as_ref().ok().and_then(Database::as_of).cloned(),
            counts: Counts::of(state),
            declared: target.declared.clone(),
            startup,
            findings: Vec::new(),
        }
    }
}

impl Counts {
    /// The rows that do not fit the source, in words: `2 missing, 1 mismatched`; nothing where all fit.
    pub fn discrepancies(&self) -> String {
        let counted = [(self.missing, "missing"), (self.shared, "of others"), (self.mismatched, "mismatched")];
        let counted = counted.into_iter().filter_map(|(n, word)| Some(format!("{} {word}", n.filter(|n| *n > 0)?)));
        counted.collect::<Vec<_>>().join(", ")
    }

    /// Those of a target.
    fn of(state: &TargetState) -> Self {
        let counts = Self::new(state.defined.as_deref().ok(), state.applied.as_ref().ok());
        let (Some(missing), Ok(history), Some(_)) = (counts.missing, &state.applied, &state.group) else {
            return counts;
        };
        let shared = history.rows().iter().filter(|row| state.is_of_others(row)).count();
        Self { missing: Some(missing - shared), shared: Some(shared), ..counts }
    }

    fn new(defined: Option<&Defined>, history: Option<&History>) -> Self {
        let mut counts = Self {
            defined: defined.map(|defined| defined.migrations.iter().filter(|m| m.kind.is_up()).count()),
            applied: history.map(|history| history.rows().len()),
            ..Self::default()
        };
        let (Some(defined), Some(history)) = (defined, history) else { return counts };
        let rows = || history.rows().iter();
        let differs = |row: &&AppliedMigration| {
            let mut up = defined.of_version(row.version).iter().filter(|m| m.kind.is_up()).peekable();
            up.peek().is_some() && up.all(|m| m.checksum != row.checksum)
        };
        let applied: HashSet<Version> = rows().map(|row| row.version).collect();
        let versions = defined.migrations.chunk_by(|one, other| one.version == other.version);
        let is_pending = |same: &&[Migration]| same.iter().any(|m| m.kind.is_up() && !applied.contains(&m.version));
        counts.missing = Some(rows().filter(|row| defined.of_version(row.version).is_empty()).count());
        counts.mismatched = Some(rows().filter(differs).count());
        counts.pending = Some(versions.filter(is_pending).count());
        counts
    }
}

/// `1 error`, `2 errors`.
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

#[cfg(test)]
mod tests;
