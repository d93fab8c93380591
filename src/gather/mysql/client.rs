//! The same history by way of a client that prints it, such as `mysql` and `mariadb`. Pure: what is asked, and what the
//! answer means.

use std::time::Duration;

use super::error::ABSENCE;
use super::{Whereabouts, read_only, schema_exists};
use crate::gather::answer::{self, Answer, part};
use crate::history::{AbsentTable, DatabaseError, Engine, LookUp};
use crate::table_name::TableName;

pub use crate::gather::answer::present as history;

/// Asks for the rows of a table.
pub fn rows(name: &TableName, timeout: Duration) -> String {
    let row = [
        "coalesce(version, 'null')".to_owned(),
        "coalesce(success = false, false)".to_owned(),
        "coalesce(execution_time, 'null')".to_owned(),
        "coalesce(HEX(checksum), 'null')".to_owned(),
        "coalesce(HEX(CONVERT(description USING utf8mb4)), 'null')".to_owned(),
        "coalesce(HEX(DATE_FORMAT(installed_on, '%Y-%m-%dT%H:%i:%sZ')), 'null')".to_owned(),
    ];
    answer::rows(&place(name, timeout), &row, &name.quoted(Engine::MySql), concatenate)
}

/// Asks where a table would be, and does not touch it.
pub fn place(name: &TableName, timeout: Duration) -> String {
    let is_there = ["@@lower_case_table_names <> 0".to_owned(), schema_exists(name)];
    format!("{}; SELECT {};", read_only(timeout, timeout), part("place", &is_there, concatenate))
}

/// Whether a client says that there is no such table, and means this one. The catalogue is no witness: it does not list
/// what a user may not see. Both clients print the number of an error and, in single quotes, what is not there,
/// whatever the language of the text between.
pub fn may_miss(complaint: &str, name: &TableName) -> bool {
    let [table, schema] = ABSENCE.map(|number| format!("error {number} "));
    let absent = match &name.schema {
        Some(schema) => format!("'{schema}.{}'", name.table),
        None => format!(".{}'", name.table),
    };
    complaint.to_lowercase().lines().any(|line| {
        let says = |number: &str, what: &str| {
            line.split_once(number).is_some_and(|(_, text)| text.contains(&what.to_lowercase()))
        };
        says(&table, &absent) || name.schema.as_ref().is_some_and(|name| says(&schema, &format!("'{name}'")))
    })
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

fn concatenate(texts: &[String]) -> String {
    format!("CONCAT({})", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table_name;

    #[test]
    fn only_the_wanted_table_is_missed() {
        let misses =
            |complaint: &str, name: &str| may_miss(complaint, &table_name::parse(name, Engine::MySql).unwrap());
        let table = "ERROR 1146 (42S02) at line 1: Table 'Shop.T' doesn't exist\n";
        assert!(misses(table, "t") && misses(table, "shop.t"));
        assert!(!misses(table, "shop") && !misses(table, "ops.t") && !misses(table, "hop.t"));
        assert!(!misses(&format!("t\n{table}"), "u") && !misses("ERROR 1142: 'shop.t'", "t"));
        let schema = "ERROR 1049 (42000) at line 1: Base 'ops' inconnue";
        assert!(misses(schema, "Ops.t") && !misses(schema, "ops") && !misses(schema, "op.t"));
        assert!(misses("ERROR 1146 (42S02): Table 'a.It's' doesn't exist", "`It's`"));
    }
}
