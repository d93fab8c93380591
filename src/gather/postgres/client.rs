//! The same history by way of a client that prints it, such as `psql`. Pure: what is asked, and what the answer means.

use std::time::Duration;

use super::search_path::SearchPath;
use super::{Whereabouts, literal, settled, whereabouts};
use crate::gather::answer::{self, Answer, names, part, with_bars};
use crate::history::{AbsentTable, DatabaseError, Engine, History, LookUp};
use crate::table_name::TableName;
use crate::text::from_hexadecimal;

/// Where the search path is kept while another is in force.
const PATH: &str = "preflight.search_path";

/// Asks for the rows of a table.
pub fn rows(name: &TableName, timeout: Duration) -> String {
    // In UTC, as ISO 8601 has it.
    let (printed, iso) = (literal("^(.*) (.*)[+]00$"), literal("\\1T\\2Z"));
    let installed_on = format!("pg_catalog.regexp_replace(installed_on::text, {printed}, {iso})");
    let row = [
        "coalesce(version::text, 'null')".to_owned(),
        "CASE WHEN success = false THEN 1 ELSE 0 END".to_owned(),
        "coalesce(execution_time::text, 'null')".to_owned(),
        "coalesce(pg_catalog.encode(checksum, 'hex'), 'null')".to_owned(),
        hexadecimal("description::text"),
        hexadecimal(&installed_on),
    ];
    answer::rows(&place(name, timeout), &row, &name.quoted(Engine::Postgres), with_bars)
}

/// Asks where a table is, and does not touch it.
///
/// Not committed: a client that prints nothing but the last answer would print that of the `COMMIT`. What has only read
/// needs none. The settings are those of the driver's batch, and beside them those of the form in which a client prints.
pub fn place(name: &TableName, timeout: Duration) -> String {
    let milliseconds = timeout.as_millis().clamp(1, i32::MAX as u128);
    let [found, schema, elsewhere] = whereabouts(name);
    let place = [
        hexadecimal(&format!("pg_catalog.current_setting({})", literal(PATH))),
        hexadecimal("pg_catalog.current_setting('search_path')"),
        format!("CASE WHEN {found} THEN 't' ELSE 'f' END"),
        format!("CASE WHEN {schema} THEN 't' ELSE 'f' END"),
        hexadecimal(&format!("({elsewhere})::text")),
    ];
    format!(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {milliseconds}; \
         SET LOCAL row_security = off; \
         SET LOCAL timezone = 'UTC'; \
         SET LOCAL datestyle = 'ISO'; \
         SELECT pg_catalog.set_config({}, pg_catalog.current_setting('search_path'), true); \
         SELECT pg_catalog.set_config('search_path', \
         coalesce(pg_catalog.quote_ident(pg_catalog.current_schema()), ''), true); \
         SELECT {};",
        literal(PATH),
        part("place", &place, with_bars),
    )
}

/// Whether a client may mean that there is no such table.
pub fn may_miss(complaint: &str, name: &TableName) -> bool {
    names(complaint, name)
}

/// The history that rows come to.
///
/// # Errors
/// They make no sense.
pub fn history(answer: Answer, look_up: &LookUp, name: &TableName) -> Result<History, DatabaseError> {
    settled(whereabouts_of(&answer)?, answer.into_rows(), look_up, name)
}

/// Where the table is absent from, if it is.
///
/// # Errors
/// The answer makes no sense.
pub fn absence(answer: &Answer, look_up: &LookUp, name: &TableName) -> Result<Option<AbsentTable>, DatabaseError> {
    let whereabouts = whereabouts_of(answer)?;
    Ok((!whereabouts.found).then(|| whereabouts.absent(look_up, name)))
}

fn whereabouts_of(answer: &Answer) -> Result<Whereabouts, DatabaseError> {
    let [setting, current, found, schema, elsewhere] = answer.place()?;
    let text = |digits: &String| {
        let bytes = from_hexadecimal(digits).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let path = SearchPath::new(&text(setting), &text(current));
    Whereabouts::new(path, found, schema, &text(elsewhere))
}

fn hexadecimal(text: &str) -> String {
    format!("coalesce(pg_catalog.encode(pg_catalog.convert_to({text}, 'UTF8'), 'hex'), 'null')")
}
