//! What shows only when targets are put side by side.

use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;

use crate::finding::Facts;
use crate::history::History;
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::source::Defined;
use crate::target::TargetState;

/// For each target, the fact that its rows belong to another service of the plan.
pub(super) fn wrong_databases(states: &[TargetState]) -> Vec<Option<Facts>> {
    // One directory is shared by a service's environments, so one state of each service stands for it.
    let mut services: IndexMap<&str, &Defined> = IndexMap::new();
    for state in states {
        if let Ok(defined) = &state.defined {
            services.entry(&state.target.service).or_insert(defined);
        }
    }
    states.iter().map(|state| wrong_database(state, &services)).collect()
}

fn wrong_database(state: &TargetState, services: &IndexMap<&str, &Defined>) -> Option<Facts> {
    let (rows, own) = (rows(state)?, state.defined.as_ref().ok()?);
    let checksums: HashSet<&Checksum> = rows.iter().map(|row| &row.checksum).collect();
    if own.migrations.iter().any(|migration| checksums.contains(&migration.checksum)) {
        return None;
    }
    let applied: HashSet<(Version, &Checksum)> = rows.iter().map(|row| (row.version, &row.checksum)).collect();
    let fits = |other: &Defined| {
        let up = other.migrations.iter().filter(|migration| migration.kind.is_up());
        let fitting = up.filter(|migration| applied.contains(&(migration.version, &migration.checksum)));
        fitting.map(|migration| migration.version).collect::<HashSet<_>>().len()
    };
    let others = services.iter().filter(|(service, _)| **service != state.target.service);
    // Of equals the last is taken, so reversed the first: a tie goes to the order of the plan.
    let (other, fitting) = others.rev().map(|(service, other)| (*service, fits(other))).max_by_key(|(_, n)| *n)?;
    let found = fitting >= 2 && 2 * fitting >= rows.len();
    found.then(|| Facts::WrongDatabase { other: other.to_owned(), fitting, rows: rows.len() })
}

/// The rows of a history that exists and could be read.
fn rows(state: &TargetState) -> Option<&[AppliedMigration]> {
    match &state.applied {
        Ok(History::Present(rows)) => Some(rows),
        _ => None,
    }
}

/// Another environment of the same service that has rows.
pub(super) fn sibling_with_rows<'a>(state: &TargetState, states: &'a [TargetState]) -> Option<&'a str> {
    let sibling = |other: &&TargetState| {
        other.target.service == state.target.service
            && other.target.environment != state.target.environment
            && rows(other).is_some_and(|rows| !rows.is_empty())
    };
    states.iter().find(sibling).map(|other| other.target.environment.as_str())
}

/// The versions on which the environments of a service disagree, each with the targets that it is about.
///
/// Targets whose database is another service's are left out: their drift says nothing.
pub(super) fn environment_drift(
    states: &[TargetState],
    swapped: &[Option<Facts>],
    promotion: &[String],
) -> Vec<(Facts, Vec<usize>)> {
    let mut services: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for (index, state) in states.iter().enumerate().filter(|(index, _)| swapped[*index].is_none()) {
        if rows(state).is_some() {
            services.entry(&state.target.service).or_default().push(index);
        }
    }
    services
        .values()
        .filter(|targets| targets.len() > 1)
        .flat_map(|targets| of_service(states, targets, promotion))
        .collect()
}

fn of_service(states: &[TargetState], targets: &[usize], promotion: &[String]) -> Vec<(Facts, Vec<usize>)> {
    let mut versions: BTreeMap<Version, Vec<(usize, &AppliedMigration)>> = BTreeMap::new();
    for &target in targets {
        for row in rows(&states[target]).unwrap_or_default() {
            versions.entry(row.version).or_default().push((target, row));
        }
    }
    let name = |target: usize| states[target].target.environment.clone();
    let mut drift = Vec::new();
    for (version, holders) in versions {
        let description = holders[0].1.description.clone();
        let mut contents: IndexMap<&Checksum, Vec<String>> = IndexMap::new();
        for (target, row) in &holders {
            contents.entry(&row.checksum).or_default().push(name(*target));
        }
        if contents.len() > 1 {
            let environments = contents.into_iter().map(|(checksum, names)| (checksum.clone(), names)).collect();
            let facts = Facts::DriftingChecksum { version, description: description.clone(), environments };
            drift.push((facts, holders.iter().map(|(target, _)| *target).collect()));
        }
        let rank = |target: usize| promotion.iter().position(|name| *name == states[target].target.environment);
        let latest = holders.iter().filter_map(|(target, _)| Some((rank(*target)?, *target))).max();
        let Some((latest_rank, latest)) = latest else { continue };
        let lacks = |target: &usize| {
            rank(*target).is_some_and(|rank| rank < latest_rank) && holders.iter().all(|(holder, _)| holder != target)
        };
        let lacking: Vec<usize> = targets.iter().copied().filter(lacks).collect();
        if !lacking.is_empty() {
            let names = lacking.iter().map(|target| name(*target)).collect();
            let facts = Facts::DriftingRow { version, description, environment: name(latest), lacking: names };
            drift.push((facts, lacking.iter().copied().chain([latest]).collect()));
        }
    }
    drift
}
