//! The same history by way of a client that prints it, such as `mysql` and `mariadb`. Pure: what is asked, and what the
//! answer means.

use std::time::Duration;

use super::error::ABSENCE;
use super::{Whereabouts, read_only, schema_exists};
use crate::gather::answer::{Answer, part};
use crate::history::{AbsentTable, DatabaseError, Engine, History, LookUp};
use crate::table_name::TableName;

/// Asks for the rows of a table.
pub fn rows(name: &TableName, timeout: Duration) -> String {
    let quoted = name.quoted(Engine::MySql);
    let row = [
        "coalesce(version, 'null')".to_owned(),
        "coalesce(success = false, false)".to_owned(),
        "coalesce(execution_time, 'null')".to_owned(),
        "coalesce(HEX(checksum), 'null')".to_owned(),
        "coalesce(HEX(CONVERT(description USING utf8mb4)), 'null')".to_owned(),
        "coalesce(HEX(DATE_FORMAT(installed_on, '%Y-%m-%dT%H:%i:%sZ')), 'null')".to_owned(),
    ];
    let end = ["count(*)".to_owned()];
    format!(
        "{} UNION ALL SELECT {} FROM {quoted} UNION ALL SELECT {} FROM {quoted};",
        place(name, timeout).trim_end_matches(';'),
        line("row", &row),
        line("end", &end),
    )
}

/// Asks where a table would be, and does not touch it.
pub fn place(name: &TableName, timeout: Duration) -> String {
    let is_there = ["@@lower_case_table_names <> 0".to_owned(), schema_exists(name)];
    format!("{}; SELECT {};", read_only(timeout), line("place", &is_there))
}

/// Whether a client may mean that there is no such table. The catalogue is no witness: it does not list what a user may
/// not see. Both clients print the number of an error, whatever the language of its text.
pub fn may_miss(complaint: &str, _: &TableName) -> bool {
    ABSENCE.iter().any(|number| complaint.contains(&format!("ERROR {number} ")))
}

/// The history that rows come to.
///
/// # Errors
/// They make no sense.
pub fn history(answer: Answer, _: &LookUp, _: &TableName) -> Result<History, DatabaseError> {
    answer.into_rows().map(History::Present)
}

/// Where the table is absent from, of which the server has said that it is.
///
/// # Errors
/// The answer makes no sense.
pub fn absence(answer: &Answer, look_up: &LookUp, name: &TableName) -> Result<Option<AbsentTable>, DatabaseError> {
    let [ignores_case, schema_exists] = answer.place()?;
    let whereabouts = Whereabouts { ignores_case: ignores_case != "0", schema_exists: schema_exists != "0" };
    Ok(Some(whereabouts.absent(look_up, name)))
}

fn line(kind: &str, parts: &[String]) -> String {
    part(kind, parts, |pieces| format!("CONCAT({})", pieces.join(", ")))
}
