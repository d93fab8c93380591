//! The same history by way of a client that prints it, such as `mysql` and `mariadb`. Pure: what is asked, and what the
//! answer means.

use std::time::Duration;

use super::{Whereabouts, literal, read_only, schema_exists};
use crate::gather::answer::{Answer, part};
use crate::history::{DatabaseError, Engine, History, LookUp};
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
    let is_there = ["@@lower_case_table_names <> 0".to_owned(), schema_exists(name), table_exists(name)];
    format!("{}; SELECT {};", read_only(timeout), line("place", &is_there))
}

/// Whether the catalogue lists the table, which it does for whoever has any privilege on it.
fn table_exists(name: &TableName) -> String {
    let schema = name.schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal);
    let table = literal(&name.table);
    format!("EXISTS (SELECT * FROM information_schema.tables WHERE table_schema = {schema} AND table_name = {table})")
}

/// What the answer says of the history.
///
/// # Errors
/// It makes no sense.
pub fn history(answer: Answer, look_up: &LookUp, name: &TableName) -> Result<History, DatabaseError> {
    let [ignores_case, schema_exists, found] = answer.place()?;
    if found == "0" {
        let whereabouts = Whereabouts { ignores_case: ignores_case != "0", schema_exists: schema_exists != "0" };
        return Ok(History::Absent(whereabouts.absent(look_up, name)));
    }
    answer.into_rows().map(History::Present)
}

fn line(kind: &str, parts: &[String]) -> String {
    part(kind, parts, |pieces| format!("CONCAT({})", pieces.join(", ")))
}
