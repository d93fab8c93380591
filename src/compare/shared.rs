//! What services that write to one history table do to one another.

use std::collections::BTreeSet;

use super::across::rows;
use super::source::Versions;
use crate::finding::{Facts, SharedHistory, Theirs};
use crate::group::Member;
use crate::migration::{AppliedMigration, Checksum, Migration, Version};
use crate::startup::StartupError;
use crate::target::TargetState;
use crate::text::slashed;

/// What a target says of the others that write to its table. `versions` are its own migrations.
pub(super) fn facts(state: &TargetState, versions: &Versions) -> Vec<Facts> {
    if state.group.is_none() || state.defined.is_err() {
        return Vec::new();
    }
    let mut facts: Vec<Facts> = versions.iter().filter_map(|(version, (up, _))| taken(state, *version, up)).collect();
    facts.extend(strangers(state));
    facts
}

/// A version of which two services have different migrations, and neither is applied: where one is, the other differs
/// from a row.
fn taken(state: &TargetState, version: Version, up: &[&Migration]) -> Option<Facts> {
    let first = up.first()?;
    if row(state, version).is_some() {
        return None;
    }
    let differs = |theirs: &&Migration| up.iter().all(|own| own.checksum != theirs.checksum);
    let other = |member: &Member| {
        let file = member.up(version).next().filter(|_| member.up(version).all(|theirs| differs(&theirs)))?;
        Some(Theirs { service: member.service.clone(), file: slashed(&file.path) })
    };
    let theirs = state.others_with(version).find_map(other)?;
    let (description, file) = (first.description.clone(), slashed(&first.path));
    Some(Facts::SharedVersion { version, description, file, theirs })
}

/// The rows that are others' alone, or else those that will be: sqlx does not start a service on them.
fn strangers(state: &TargetState) -> Option<Facts> {
    // In a table that is not there yet everything is to come.
    let history = state.applied.as_ref().ok()?;
    if state.target.ignore_missing {
        return None;
    }
    let of_others = history.rows().iter().filter(|row| state.is_of_others(row));
    let applied: BTreeSet<Version> = of_others.map(|row| row.version).collect();
    let is_applied = !applied.is_empty();
    let versions = if is_applied { applied } else { to_come(state) };
    let lowest = *versions.first()?;
    let has_one = |member: &&Member| versions.iter().any(|version| member.of_version(*version).next().is_some());
    Some(Facts::SharedHistory(SharedHistory {
        services: state.others().filter(has_one).map(|member| member.service.clone()).collect(),
        migrations: versions.len(),
        is_applied,
        error: StartupError::Missing(lowest).to_string(),
    }))
}

/// What the others will put into the table when they start, and this service has not.
fn to_come(state: &TargetState) -> BTreeSet<Version> {
    let Ok(own) = &state.defined else { return BTreeSet::new() };
    let theirs = state.others().flat_map(|member| member.defined.iter().flat_map(|defined| &defined.migrations));
    let pending = theirs.filter(|migration| migration.kind.is_up() && row(state, migration.version).is_none());
    pending.map(|migration| migration.version).filter(|version| own.of_version(*version).is_empty()).collect()
}

/// Whose migration a row is that differs from the one of this service.
pub(super) fn owner(state: &TargetState, row: &AppliedMigration) -> Option<Theirs> {
    let fits = |member: &Member, applied: &Checksum| {
        let file = member.up(row.version).find(|theirs| theirs.checksum == *applied)?;
        Some(Theirs { service: member.service.clone(), file: slashed(&file.path) })
    };
    state.others_with(row.version).find_map(|member| fits(member, &row.checksum))
}

/// The others of which not all could be read, so that a row may be theirs.
pub(super) fn unread(state: &TargetState) -> Vec<String> {
    state.others().filter(|member| member.is_unread).map(|member| member.service.clone()).collect()
}

/// The highest applied version that is not another service's alone: what is pending below one of those is in order.
pub(super) fn highest_of_its_own(state: &TargetState) -> Option<Version> {
    rows(state)?.iter().rev().find(|row| !state.is_of_others(row)).map(|row| row.version)
}

fn row(state: &TargetState, version: Version) -> Option<&AppliedMigration> {
    let rows = rows(state)?;
    rows.binary_search_by_key(&version, |row| row.version).ok().map(|index| &rows[index])
}
