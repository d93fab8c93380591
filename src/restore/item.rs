//! Which migrations are to be restored: those that were asked for, or all that are missing or differ. Pure.

use std::collections::HashSet;
use std::path::Path;

use crate::finding::{Facts, Finding, Findings, Scope, Severity};
use crate::migration::{Checksum, Version};
use crate::restore::{Line, Outcome};
use crate::target::TargetState;

/// A migration whose file is not as it was applied.
#[derive(Debug)]
pub struct Item<'a> {
    /// The version of the row.
    pub version: Version,
    /// The checksum of the row.
    pub applied: &'a Checksum,
    /// What is found of it.
    pub finding: &'a Finding,
    /// The targets in which that is so; at least one.
    pub states: Vec<&'a TargetState>,
    /// The targets that share the directory, these among them.
    pub neighbours: Vec<&'a TargetState>,
    /// Whether the directory of the migrations does not exist.
    pub directory_is_absent: bool,
    /// Why nothing may be written, whatever the repository has.
    pub refused: Option<String>,
}

/// What is going to be done, and what is told already.
#[derive(Debug, Default)]
pub struct Selection<'a> {
    /// The migrations, in the order of the plan.
    pub items: Vec<Item<'a>>,
    /// What is told of targets that cannot be read, and of versions that need nothing.
    pub lines: Vec<Line>,
}

/// What is known of migrations directories.
pub struct Ways<'a> {
    /// Whether one exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
    /// Whether two are the same one, whatever they are called.
    pub are_same: &'a dyn Fn(&Path, &Path) -> bool,
}

/// Chooses among what was found. With `versions` only those; they are restored even where somebody has accepted that they
/// are not as they were applied.
pub fn select<'a>(
    states: &'a [TargetState],
    findings: &'a Findings,
    versions: &[Version],
    ways: &Ways,
) -> Selection<'a> {
    let chooser = Chooser::new(states, findings);
    let mut selection = Selection { lines: chooser.unread(), ..Selection::default() };
    let accepted = findings.accepted.iter().map(|(finding, reason)| (finding, Some(reason)));
    let found = findings.open.iter().map(|finding| (finding, None)).chain(accepted);
    let mut told = HashSet::new();
    for (finding, reason) in found {
        let Some((index, version, applied)) = chooser.row(finding) else { continue };
        if !versions.is_empty() && !versions.contains(&version) {
            continue;
        }
        if matches!(finding.facts, Facts::ChecksumMismatch { theirs: Some(_), .. }) {
            let of = subject(version, finding, &[&states[index]]);
            selection.lines.push(Line { of, outcome: Outcome::Refused(THEIRS.to_owned()) });
            told.insert(version);
            continue;
        }
        let of_ignored = matches!(finding.facts, Facts::MissingMigration { ignored: true, .. });
        let ignored = of_ignored.then(|| "the service ignores that it is missing (`ignore-missing`)".to_owned());
        let meant = reason.map(|reason| format!("it is accepted: {reason}")).or(ignored);
        if let (Some(why), true) = (meant, versions.is_empty()) {
            let of = subject(version, finding, &[&states[index]]);
            selection.lines.push(Line { of, outcome: Outcome::LeftAlone(why) });
            continue;
        }
        chooser.add(&mut selection.items, index, (version, applied, finding), ways);
    }
    let place = |state: &TargetState| states.iter().position(|other| std::ptr::eq(other, state));
    selection.items.sort_by_key(|item| (place(item.states[0]), item.version));
    let asked = versions.iter().filter(|version| !selection.items.iter().any(|item| item.version == **version));
    selection
        .lines
        .extend(asked.filter(|version| told.insert(**version)).filter_map(|version| chooser.other(*version)));
    selection
}

/// Said of a row that is none of this service's.
const THEIRS: &str = "the row is that of another service, which writes to the same history table";

struct Chooser<'a> {
    states: &'a [TargetState],
    findings: &'a Findings,
    /// The targets that have another service's database: nothing of it belongs here.
    swapped: HashSet<usize>,
}

impl<'a> Chooser<'a> {
    fn new(states: &'a [TargetState], findings: &'a Findings) -> Self {
        let mut chooser = Self { states, findings, swapped: HashSet::new() };
        let all = findings.open.iter().chain(findings.accepted.iter().map(|(finding, _)| finding));
        let swapped = all.filter(|finding| matches!(finding.facts, Facts::WrongDatabase { .. }));
        chooser.swapped = swapped.filter_map(|finding| chooser.target(finding)).collect();
        chooser
    }

    /// The target that a finding is about.
    fn target(&self, finding: &Finding) -> Option<usize> {
        let Scope::Target { service, environment, tenants } = &finding.scope else { return None };
        let is_it = |TargetState { target, tenants: of, .. }: &TargetState| {
            target.service == *service && target.environment == *environment && of == tenants
        };
        self.states.iter().position(is_it)
    }

    /// The row that a finding says has no file, or another.
    fn row(&self, finding: &'a Finding) -> Option<(usize, Version, &'a Checksum)> {
        let (Facts::MissingMigration { version, applied, .. } | Facts::ChecksumMismatch { version, applied, .. }) =
            &finding.facts
        else {
            return None;
        };
        let index = self.target(finding).filter(|index| !self.swapped.contains(index))?;
        Some((index, *version, applied))
    }

    /// The targets of which nothing, or nothing good, is known.
    fn unread(&self) -> Vec<Line> {
        let line = |finding: &Finding| {
            let outcome = match &finding.facts {
                Facts::WrongDatabase { .. } => Outcome::Refused(finding.facts.message()),
                Facts::NotChecked(_) => Outcome::Away(finding.facts.message()),
                _ if finding.severity == Severity::Incomplete => Outcome::Unread(finding.facts.message()),
                _ => return None,
            };
            let index = self.target(finding)?;
            Some((index, Line { of: place(&self.states[index]), outcome }))
        };
        let mut lines: Vec<_> = self.findings.open.iter().filter_map(line).collect();
        lines.sort_by_key(|(index, _)| *index);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// Adds a row to the item that it belongs to, or makes one of it.
    fn add(
        &self,
        items: &mut Vec<Item<'a>>,
        index: usize,
        (version, applied, finding): (Version, &'a Checksum, &'a Finding),
        ways: &Ways,
    ) {
        let state = &self.states[index];
        let directory = &state.target.migrations;
        let is_it = |item: &&mut Item| {
            (item.version, item.applied, &item.states[0].target.migrations) == (version, applied, directory)
        };
        if let Some(item) = items.iter_mut().find(is_it) {
            item.states.push(state);
            return;
        }
        let shares = |(index, other): &(usize, &TargetState)| {
            (ways.are_same)(&other.target.migrations, directory) && !self.swapped.contains(index)
        };
        let neighbours: Vec<_> = self.states.iter().enumerate().filter(shares).map(|(_, other)| other).collect();
        let refused = conflict(version, &neighbours);
        let directory_is_absent = !(ways.exists)(directory);
        items.push(Item { version, applied, finding, states: vec![state], neighbours, directory_is_absent, refused });
    }

    /// What there is to tell of a version that was asked for and that nothing was found of.
    fn other(&self, version: Version) -> Option<Line> {
        let has = |state: &&TargetState| row(state, version).is_some();
        let (known, unknown): (Vec<_>, Vec<_>) = self.states.iter().partition(|state| state.applied.is_ok());
        let holders: Vec<&TargetState> = known.into_iter().filter(has).collect();
        let (theirs, holders): (Vec<_>, Vec<_>) = holders.into_iter().partition(|state| is_theirs(state, version));
        if !theirs.is_empty() && holders.is_empty() {
            let of = format!("migration {version} of {}", places(&theirs));
            return Some(Line { of, outcome: Outcome::Refused(THEIRS.to_owned()) });
        }
        let (compared, uncompared): (Vec<&TargetState>, Vec<_>) =
            holders.into_iter().partition(|state| state.defined.is_ok() && !self.is_swapped(state));
        let outcome = match (compared.as_slice(), uncompared.as_slice()) {
            ([], []) => Outcome::NotApplied { is_partly_unread: !unknown.is_empty() },
            // Of those it is told why nothing can be said.
            ([], _) => return None,
            _ => Outcome::AsApplied,
        };
        let of = match compared.as_slice() {
            [] => format!("migration {version}"),
            compared => format!("migration {version} of {}", places(compared)),
        };
        Some(Line { of, outcome })
    }

    fn is_swapped(&self, state: &TargetState) -> bool {
        self.swapped.iter().any(|index| std::ptr::eq(&self.states[*index], state))
    }
}

/// Whether the row of a version is another service's, which writes to the same table.
fn is_theirs(state: &TargetState, version: Version) -> bool {
    let rows = state.applied.as_ref().map_or(&[][..], |history| history.rows());
    rows.iter().any(|row| row.version == version && state.is_of_others(row))
}

/// The checksum of a version in a history.
fn row(state: &TargetState, version: Version) -> Option<&Checksum> {
    let rows = state.applied.as_ref().ok()?.rows();
    rows.iter().find(|row| row.version == version).map(|row| &row.checksum)
}

/// Why no file can satisfy all who share it.
fn conflict(version: Version, neighbours: &[&TargetState]) -> Option<String> {
    let mut contents: Vec<(&Checksum, Vec<&TargetState>)> = Vec::new();
    for state in neighbours {
        let Some(checksum) = row(state, version) else { continue };
        match contents.iter_mut().find(|(other, _)| *other == checksum) {
            Some((_, holders)) => holders.push(state),
            None => contents.push((checksum, vec![state])),
        }
    }
    let told =
        |(checksum, holders): &(&Checksum, Vec<&TargetState>)| format!("{}… in {}", checksum.short(), places(holders));
    (contents.len() > 1).then(|| {
        let one_service = neighbours.windows(2).all(|two| two[0].target.service == two[1].target.service);
        let flag = if one_service { "--environment" } else { "--service and --environment" };
        let contents = contents.iter().map(told).collect::<Vec<_>>().join(", ");
        format!("it was applied with different contents, and no file can have both: checksum {contents}; say which with {flag}")
    })
}

impl Item<'_> {
    /// As people call it.
    pub fn subject(&self) -> String {
        subject(self.version, self.finding, &self.states)
    }
}

fn subject(version: Version, finding: &Finding, states: &[&TargetState]) -> String {
    let description = finding.facts.description().filter(|text| !text.is_empty());
    let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
    format!("migration {version}{description} of {}", places(states))
}

fn place(state: &TargetState) -> String {
    places(&[state])
}

/// `api in staging, production; web in staging`
pub fn places(states: &[&TargetState]) -> String {
    let mut services: Vec<(&str, Vec<String>)> = Vec::new();
    for state in states {
        let (service, place) = (state.target.service.as_str(), state.place());
        match services.iter_mut().find(|(name, _)| *name == service) {
            Some((_, places)) => places.push(place),
            None => services.push((service, vec![place])),
        }
    }
    let told = services.iter().map(|(service, places)| format!("{service} in {}", places.join(", ")));
    told.collect::<Vec<_>>().join("; ")
}
