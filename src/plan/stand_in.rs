//! Snapshots in the place of databases.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Name;
use crate::history::{Database, MaxAge, Snapshot};
use crate::target::{Target, named};

/// Puts its snapshot in the place of the database of every target that has one; `max_age` is the command line's. Says so
/// where snapshots are given and none is of a target.
pub fn stand_in(
    targets: &mut [Target],
    mut snapshots: IndexMap<Name, Snapshot>,
    max_age: Option<MaxAge>,
) -> Option<String> {
    let given: Vec<_> = snapshots.keys().map(|(service, environment)| named(service, environment)).collect();
    let mut is_used = false;
    for target in targets {
        target.max_age = max_age.or(target.max_age);
        if let Some(snapshot) = snapshots.swap_remove(&(target.service.clone(), target.environment.clone())) {
            target.database = Ok(Database::Snapshot(Arc::new(snapshot)));
            is_used = true;
        }
    }
    if is_used || given.is_empty() {
        return None;
    }
    Some(format!("no target has a snapshot: what was given has those of {}", given.join(", ")))
}
