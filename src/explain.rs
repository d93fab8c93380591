//! The stage that says who, when and how to mend it, from the repository's own history and by content. It reads the
//! repository, runs nothing but `git`, and changes neither which findings there are nor how grave they are.

mod built;
mod cause;
mod changed;
mod difference;
mod drift;
mod index;
mod mend;
mod mismatch;
mod missing;
mod repository;
mod shell;
mod variant;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Component, Path};

use crate::finding::{self, Facts, Finding, Findings, Scope};
use crate::git::{GitError, ObjectId};
use crate::history::Engine;
use crate::migration::{Checksum, Version};
use crate::source::Source;
use crate::target::TargetState;
use index::Wanted;
use repository::Repository;

pub use mend::{Content, Step};
pub use repository::Place;

/// What a branch is going to be merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its name, as commands want it: `origin/main`.
    pub name: String,
    /// Its tip.
    pub commit: ObjectId,
}

/// What a finding says that history may explain: a row, and the file where it ought to stand.
struct Subject<'a> {
    state: &'a TargetState,
    version: Version,
    file: &'a str,
    applied: &'a Checksum,
    /// Whether there is a file of that version, with another content.
    differs: bool,
    /// Whether a database has that content, rather than only the base of a change.
    is_applied: bool,
}

impl Subject<'_> {
    /// The checksum of what stands there instead.
    fn defined(&self) -> Option<&Checksum> {
        let defined = self.state.defined.as_ref().ok().filter(|_| self.differs)?;
        let mut same = defined.migrations.iter().filter(|migration| migration.kind.is_up());
        same.find(|migration| migration.version == self.version).map(|migration| &migration.checksum)
    }
}

/// Explains what the repository below `root` has an explanation for. Without a `base` the remote's default branch is it.
pub fn explain(mut findings: Findings, states: &[TargetState], root: &Path, base: Option<Base>) -> Findings {
    let targets = Targets::of(states);
    let explained: Vec<usize> = (0..findings.open.len()).filter(|at| targets.concerns(&findings.open[*at])).collect();
    let of_findings: Vec<&Finding> = explained.iter().map(|at| &findings.open[*at]).collect();
    if explained.is_empty() {
        return findings;
    }
    let explanations = match account(&of_findings, states, root, base) {
        Ok(account) => account.explanations,
        // A folder that is no repository has nothing to tell, and who stands in one knows.
        Err(GitError::NoRepository) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "nothing can be explained");
            of_findings.iter().map(|_| Some(unexplained(&error))).collect()
        }
    };
    for (at, explanation) in explained.into_iter().zip(explanations) {
        let printed = |explanation: Explanation| Box::new(explanation.with_fix(|steps| mend::commands(&steps)));
        findings.open[at].explanation = explanation.map(printed);
    }
    findings
}

/// What the repository's history says of findings, for who is going to take the steps.
pub struct Account {
    /// Of each finding, in their order.
    pub explanations: Vec<Option<Explanation>>,
    repository: Repository,
}

/// Explains findings as [`explain`] does.
///
/// # Errors
/// git cannot be asked.
pub fn account(
    findings: &[&Finding],
    states: &[TargetState],
    root: &Path,
    base: Option<Base>,
) -> Result<Account, GitError> {
    let targets = Targets::of(states);
    let repository = look_up(findings, &targets, root, base)?;
    let explanations = findings.iter().map(|finding| one(finding, &targets, &repository)).collect();
    Ok(Account { explanations, repository })
}

impl Account {
    /// The applied bytes; none where they are made of more than `most`, or are not here.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn bytes(&self, content: &Content, most: u64) -> Result<Option<Vec<u8>>, GitError> {
        self.repository.applied_of(&content.place, most)
    }
}

/// An explanation with the steps that mend what it explains, which is printed as commands.
pub type Explanation = finding::Explanation<Step>;

/// What is said where git cannot be asked.
fn unexplained(error: &GitError) -> Explanation {
    Explanation { summary: format!("cannot be explained, because {error}"), ..cause::unknown() }
}

/// Opens the repository and looks everything up that the findings need.
fn look_up(findings: &[&Finding], targets: &Targets, root: &Path, base: Option<Base>) -> Result<Repository, GitError> {
    let checksums: HashSet<&Checksum> = findings.iter().flat_map(|finding| targets.checksums(finding)).collect();
    let ignored = targets.states.iter().filter_map(|state| state.defined.as_ref().ok());
    let ignored: BTreeSet<_> = ignored.map(|defined| &defined.ignored_chars).filter(|set| !set.is_empty()).collect();
    let directories: BTreeSet<String> = targets.states.iter().map(directory).collect();
    let files = findings.iter().filter_map(|finding| finding.facts.file()).map(str::to_owned).collect();
    Repository::open(root, base, directories.into_iter().collect(), &Wanted { checksums, ignored }, files)
}

fn one(finding: &Finding, targets: &Targets, repository: &Repository) -> Option<Explanation> {
    let explanation = match (&finding.facts, targets.subject(finding)) {
        (Facts::DriftingRow { .. } | Facts::DriftingChecksum { .. }, _) => drift::explain(finding, targets, repository),
        (_, None) => Ok(None),
        (Facts::VersionCollision { .. }, Some(subject)) => changed::collision(&subject, targets.states, repository),
        (_, Some(subject)) if is_built(subject.state) => built::explain(&subject, repository),
        (_, Some(subject)) if subject.differs => mismatch::explain(&subject, targets.states, repository),
        (_, Some(subject)) => missing::explain(&subject, repository),
    };
    // What a change breaks is mended in the change, and the rows are right. A row that may be another service's stays.
    let stays = changed::is_one(&finding.facts)
        || matches!(&finding.facts, Facts::MissingMigration { unread, .. } if !unread.is_empty());
    let without_sql = |explanation| Explanation { repair_sql: None, ..explanation };
    let explanation = explanation.map(|told| if stays { told.map(without_sql) } else { told });
    explanation.unwrap_or_else(|error| Some(unexplained(&error)))
}

/// Whether something else than the working tree is judged, so that nothing which is edited there mends it.
fn is_built(state: &TargetState) -> bool {
    state.target.source != Source::Directory
}

/// The engine by whose grammar migrations are read.
fn engine(state: &TargetState) -> Engine {
    state.target.database.as_ref().map_or(Engine::Postgres, |url| url.engine())
}

/// The directory of a target's migrations, as git would write it.
fn directory(state: &TargetState) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in state.target.migrations.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            // Out of the repository and in again is for git to refuse.
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => drop(parts.pop()),
            Component::ParentDir => parts.push("..".to_owned()),
            Component::RootDir | Component::Prefix(_) | Component::CurDir => {}
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// The targets by name.
struct Targets<'a> {
    states: &'a [TargetState],
    /// By service and environment; those of tenants also by service and place.
    by_place: HashMap<(&'a str, String), Vec<&'a TargetState>>,
}

impl<'a> Targets<'a> {
    fn of(states: &'a [TargetState]) -> Self {
        let mut by_place: HashMap<(&str, String), Vec<&TargetState>> = HashMap::new();
        for state in states {
            let place = state.tenants.is_some().then(|| state.place());
            for place in std::iter::once(state.target.environment.clone()).chain(place) {
                by_place.entry((&state.target.service, place)).or_default().push(state);
            }
        }
        Self { states, by_place }
    }

    /// A service in an environment, or with some tenants there: each of the states that it has.
    fn at<'b>(&'b self, service: &'b str, place: &str) -> impl Iterator<Item = &'a TargetState> {
        self.by_place.get(&(service, place.to_owned())).into_iter().flatten().copied()
    }

    /// The one of them that has a row of `version`.
    fn with_row(&self, service: &str, place: &str, version: Version) -> Option<(&'a TargetState, &'a Checksum)> {
        self.at(service, place).find_map(|state| Some((state, row(state, version)?)))
    }

    /// Whether a finding is of the kind that is explained.
    fn concerns(&self, finding: &Finding) -> bool {
        self.checksums(finding).next().is_some()
    }

    /// The checksums that a finding is about.
    fn checksums<'b>(&'b self, finding: &'b Finding) -> impl Iterator<Item = &'b Checksum> {
        let (one, many) = match &finding.facts {
            Facts::DriftingRow { version, environment, .. } => {
                let service = finding.scope.service().unwrap_or_default();
                (self.with_row(service, environment, *version).map(|(_, checksum)| checksum), &[][..])
            }
            Facts::DriftingChecksum { environments, .. } => (None, environments.as_slice()),
            _ => (self.subject(finding).map(|subject| subject.applied), &[][..]),
        };
        // What was built stands in no file that could be read.
        let built = match &finding.facts {
            Facts::ChecksumMismatch { defined, .. } => Some(defined),
            _ => None,
        };
        let built = built.filter(|_| self.state(finding).is_some_and(is_built));
        one.into_iter().chain(built).chain(many.iter().map(|(checksum, _)| checksum))
    }

    /// The one target, or the tenants of it, that a finding is of.
    fn state(&self, finding: &Finding) -> Option<&'a TargetState> {
        let Scope::Target { service, environment, tenants } = &finding.scope else { return None };
        self.at(service, environment).find(|state| state.tenants == *tenants)
    }

    fn subject<'b>(&'b self, finding: &'b Finding) -> Option<Subject<'b>> {
        if let Some(changed) = changed::subject(finding, self) {
            return Some(changed);
        }
        let state = self.state(finding)?;
        let (version, file, applied, differs) = match &finding.facts {
            Facts::MissingMigration { version, file, applied, .. } => (version, file, applied, false),
            // The row is another service's, and says so itself.
            Facts::ChecksumMismatch { theirs: Some(_), .. } => return None,
            Facts::ChecksumMismatch { version, file, applied, .. } => (version, file, applied, true),
            Facts::BehindBase { version, file, applied, behind, .. } => (version, file, applied, behind.is_outdated),
            _ => return None,
        };
        Some(Subject { state, version: *version, file, applied, differs, is_applied: true })
    }
}

/// The checksum of a version in the history of a target.
fn row(state: &TargetState, version: Version) -> Option<&Checksum> {
    let rows = state.applied.as_ref().ok()?.rows();
    rows.iter().find(|row| row.version == version).map(|row| &row.checksum)
}
