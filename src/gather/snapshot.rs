//! Reads the history of one target from a snapshot, which is no better than a database: it may be of the wrong table or time.

use chrono::TimeDelta;

use super::agreement::Histories;
use crate::history::{DatabaseError, DatabaseErrorKind as Kind, Engine, LookUp, MaxAge, Snapshot};
use crate::table_name;
use crate::tenants::Tenants;

/// By how much the clocks of two machines may differ.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// The histories in a snapshot, as they would be looked up now.
///
/// # Errors
/// It is older than `max_age`, of the future, or of something else than what is looked up.
pub fn histories(snapshot: &Snapshot, look_up: &LookUp, max_age: Option<MaxAge>) -> Result<Histories, DatabaseError> {
    let Snapshot { as_of, engine, records } = snapshot;
    if as_of.age < -SKEW {
        let detail = format!("{} has that of {}", as_of.file, crate::history::written(&as_of.taken));
        return Err(DatabaseError::new(Kind::SnapshotOfTheFuture, detail));
    }
    if let Some(most) = max_age.filter(|most| most.is_exceeded_by(as_of.age)) {
        return Err(DatabaseError::new(Kind::SnapshotTooOld, format!("it is {as_of}, and `max-age` is {most}")));
    }
    if let Some(other) = records.iter().find(|record| !is_same(&record.look_up, look_up, *engine)) {
        let detail = format!("{} has {}, and sqlx would read {look_up}", as_of.file, other.look_up);
        return Err(DatabaseError::new(Kind::SnapshotOfAnotherTable, detail));
    }
    let mut histories: Histories =
        records.iter().map(|record| (record.tenants.clone(), Ok(record.history.clone()))).collect();
    histories
        .sort_by(|(one, _), (other, _)| one.as_deref().map(Tenants::rank).cmp(&other.as_deref().map(Tenants::rank)));
    Ok(histories)
}

/// Whether the same is looked for, however it is quoted.
fn is_same(one: &LookUp, other: &LookUp, engine: Engine) -> bool {
    let name = |look_up: &LookUp| table_name::parse(&look_up.table, engine);
    let is_same_table = match (name(one), name(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.table == other.table,
    };
    is_same_table && one.create_schemas == other.create_schemas && one.tenants == other.tenants
}
