//! The same history by way of a client that prints it, such as `sqlite3`. Pure: what is asked, and what the answer means.

use std::time::Duration;

use super::catalogue;
use crate::gather::answer::{self, Answer, names, part, with_bars};
use crate::history::{AbsentTable, DatabaseError, Engine, LookUp};
use crate::table_name::TableName;

pub use crate::gather::answer::present as history;

/// Asks for the rows of a table.
pub fn rows(name: &TableName, timeout: Duration) -> String {
    let row = [
        "coalesce(version, 'null')".to_owned(),
        "coalesce(success = false, false)".to_owned(),
        "coalesce(execution_time, 'null')".to_owned(),
        hexadecimal("checksum"),
        hexadecimal("description"),
        hexadecimal("CAST(installed_on AS TEXT)"),
    ];
    answer::rows(&place(name, timeout), &row, &name.quoted(Engine::Sqlite), with_bars)
}

/// Asks whether a table is there, and does not touch it.
pub fn place(name: &TableName, timeout: Duration) -> String {
    let table = name.table.replace('\'', "''");
    let found = match catalogue(name) {
        Some(catalogue) => format!(
            "EXISTS (SELECT * FROM {catalogue} WHERE type IN ('table', 'view') AND name = '{table}' COLLATE NOCASE)"
        ),
        None => "0".to_owned(),
    };
    // A pragma that is set prints its value or nothing.
    format!(
        "PRAGMA query_only = 1; PRAGMA busy_timeout = {}; SELECT {};",
        timeout.as_millis().min(i32::MAX as u128),
        part("place", &[found], with_bars),
    )
}

/// Whether a client may mean that there is no such table.
pub fn may_miss(complaint: &str, name: &TableName) -> bool {
    names(complaint, name)
}

/// Where the table is absent from, if it is.
///
/// # Errors
/// The answer makes no sense.
pub fn absence(answer: &Answer, look_up: &LookUp, name: &TableName) -> Result<Option<AbsentTable>, DatabaseError> {
    let [found] = answer.place()?;
    let absent_schema = name.schema.clone().filter(|_| catalogue(name).is_none());
    let absent = AbsentTable { table: look_up.table.clone(), absent_schema, ..AbsentTable::default() };
    Ok((found == "0").then_some(absent))
}

fn hexadecimal(value: &str) -> String {
    format!("CASE WHEN {value} IS NULL THEN 'null' ELSE hex({value}) END")
}
