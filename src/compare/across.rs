//! What shows only when targets are put side by side.

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use indexmap::{IndexMap, IndexSet};

use crate::finding::Facts;
use crate::history::History;
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::target::TargetState;
use crate::tenants::Places;

/// One row that fits another service may be chance: a file that was copied.
const FEWEST_FITTING: usize = 2;

/// For each target, the fact that its rows belong to another service of the plan.
pub(super) fn wrong_databases(states: &[TargetState]) -> Vec<Option<Facts>> {
    // Hardly any run needs it.
    let holders = LazyCell::new(|| Contents::of(states));
    states.iter().map(|state| wrong_database(state, &holders)).collect()
}

/// Which services have a migration of a version and content, in the order of the plan.
pub(super) struct Contents<'a> {
    services: IndexSet<&'a str>,
    holders: HashMap<(Version, &'a Checksum), Vec<usize>>,
}

impl<'a> Contents<'a> {
    pub(super) fn of(states: &'a [TargetState]) -> Self {
        let mut contents = Self { services: IndexSet::new(), holders: HashMap::new() };
        for state in states {
            let Ok(defined) = &state.defined else { continue };
            // One directory is shared by a service's environments, so one state of each service stands for it.
            let (service, is_new) = contents.services.insert_full(&state.target.service);
            for migration in defined.migrations.iter().filter(|migration| is_new && migration.kind.is_up()) {
                contents.holders.entry((migration.version, &migration.checksum)).or_default().push(service);
            }
        }
        contents
    }
}

/// The fact that a target's rows belong to another service.
pub(super) fn wrong_database<'a>(
    state: &TargetState,
    contents: &LazyCell<Contents<'a>, impl FnOnce() -> Contents<'a>>,
) -> Option<Facts> {
    let (rows, own) = (rows(state)?, state.defined.as_ref().ok()?);
    if rows.len() < FEWEST_FITTING {
        return None;
    }
    let checksums: HashSet<&Checksum> = rows.iter().map(|row| &row.checksum).collect();
    if own.migrations.iter().any(|migration| checksums.contains(&migration.checksum)) {
        return None;
    }
    let mut fitting: HashMap<usize, HashSet<Version>> = HashMap::new();
    for row in rows {
        let holders = contents.holders.get(&(row.version, &row.checksum)).into_iter().flatten();
        for service in holders.filter(|service| !state.is_meant_to_share_with(contents.services[**service])) {
            fitting.entry(*service).or_default().insert(row.version);
        }
    }
    // A tie goes to the order of the plan.
    let best = fitting.into_iter().map(|(service, versions)| (versions.len(), Reverse(service))).max();
    let (fitting, Reverse(service)) = best?;
    let found = fitting >= FEWEST_FITTING && 2 * fitting >= rows.len();
    found.then(|| Facts::WrongDatabase { other: contents.services[service].to_owned(), fitting, rows: rows.len() })
}

/// The rows of a history that exists and could be read.
pub(super) fn rows(state: &TargetState) -> Option<&[AppliedMigration]> {
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

/// The versions on which the environments of a service disagree, each with the targets that it is about: last the one
/// whose levels count.
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
    let rank = |target: &usize| promotion.iter().position(|name| name == environment(states, *target));
    let ranks: HashMap<usize, usize> = targets.iter().filter_map(|target| Some((*target, rank(target)?))).collect();
    let mut versions: BTreeMap<Version, Holders> = BTreeMap::new();
    for &target in targets {
        let state = &states[target];
        // What another service has put into the table tells nothing of this one.
        for row in rows(state).unwrap_or_default().iter().filter(|row| !state.is_of_others(row)) {
            versions.entry(row.version).or_default().push((target, row));
        }
    }
    let of_version = |holders: &Holders| [drifting_checksum(states, holders), drifting_row(states, holders, &ranks)];
    versions.values().flat_map(of_version).flatten().collect()
}

/// The targets that have a row of one version, in order, and that row.
type Holders<'a> = Vec<(usize, &'a AppliedMigration)>;

fn environment(states: &[TargetState], target: usize) -> &str {
    &states[target].target.environment
}

/// One version, applied with different contents.
fn drifting_checksum(states: &[TargetState], holders: &Holders) -> Option<(Facts, Vec<usize>)> {
    let (_, first) = holders.first()?;
    // Nearly every version is the same everywhere, and costs nothing more than this.
    if holders.iter().all(|(_, row)| row.checksum == first.checksum) {
        return None;
    }
    let mut contents: IndexMap<&Checksum, Places> = IndexMap::new();
    for (target, row) in holders {
        let TargetState { target, tenants, .. } = &states[*target];
        contents.entry(&row.checksum).or_default().add(&target.environment, tenants.as_deref());
    }
    let told = |(checksum, places): (&Checksum, Places)| (checksum.clone(), places.told().collect());
    let environments = contents.into_iter().map(told).collect();
    let facts =
        Facts::DriftingChecksum { version: first.version, description: first.description.clone(), environments };
    Some((facts, holders.iter().map(|(target, _)| *target).collect()))
}

/// One version, applied in an environment and not in those before it. `ranks` is the order of promotion. Of tenants it is
/// enough that some have it: who is behind the others is so in this environment.
fn drifting_row(
    states: &[TargetState],
    holders: &Holders,
    ranks: &HashMap<usize, usize>,
) -> Option<(Facts, Vec<usize>)> {
    let (_, first) = holders.first()?;
    let ranked = holders.iter().filter_map(|(target, _)| Some((*ranks.get(target)?, *target)));
    let (latest_rank, latest) = ranked.clone().max()?;
    let holding: HashSet<usize> = ranked.map(|(rank, _)| rank).collect();
    let lacking = ranks.iter().filter(|(_, rank)| **rank < latest_rank && !holding.contains(rank));
    let mut lacking: Vec<usize> = lacking.map(|(target, _)| *target).collect();
    if lacking.is_empty() {
        return None;
    }
    lacking.sort_unstable();
    let mut names: Vec<String> = lacking.iter().map(|target| environment(states, *target).to_owned()).collect();
    names.dedup();
    let facts = Facts::DriftingRow {
        version: first.version,
        description: first.description.clone(),
        environment: environment(states, latest).to_owned(),
        lacking: names,
    };
    Some((facts, lacking.into_iter().chain([latest]).collect()))
}
