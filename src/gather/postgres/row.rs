//! One row of the history table, as the simple protocol prints it.

use sqlx::postgres::PgRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};

use crate::history::{DatabaseError, DatabaseErrorKind};
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::text::from_hexadecimal;

const INTEGERS: [&str; 3] = ["INT8", "INT4", "INT2"];
const TEXTS: [&str; 4] = ["TEXT", "VARCHAR", "CHAR", "NAME"];

/// The row, in the order of the query's columns.
///
/// # Errors
/// A column of a type that sqlx would not have written, and a NULL where sqlx's own table allows none.
pub fn applied(row: &PgRow) -> Result<AppliedMigration, DatabaseError> {
    // sqlx decodes the version as `BIGINT` and as nothing else.
    expect_type(row, 0, "version", &INTEGERS[..1])?;
    expect_type(row, 1, "description", &TEXTS)?;
    expect_type(row, 4, "checksum", &["BYTEA"])?;
    expect_type(row, 5, "execution_time", &INTEGERS)?;
    Ok(AppliedMigration {
        version: Version(integer(row, 0, "version")?),
        description: text(row, 1, "description")?.to_owned(),
        installed_on: optional_text(row, 2, "installed_on")?.map(iso),
        success: text(row, 3, "success")? != "t",
        checksum: Checksum::from_bytes(bytes(row, 4, "checksum")?),
        execution_time: integer(row, 5, "execution_time")?,
    })
}

/// A value that may not be NULL.
///
/// # Errors
/// NULL, no such column, or bytes that are no text.
pub fn text<'r>(row: &'r PgRow, index: usize, name: &str) -> Result<&'r str, DatabaseError> {
    optional_text(row, index, name)?.ok_or_else(|| wrong(format!("the column `{name}` is NULL in a row")))
}

/// A value that may be NULL.
///
/// # Errors
/// No such column, or bytes that are no text.
pub fn optional_text<'r>(row: &'r PgRow, index: usize, name: &str) -> Result<Option<&'r str>, DatabaseError> {
    let value = row.try_get_raw(index).map_err(|_| wrong(format!("the answer has no column `{name}`")))?;
    if value.is_null() {
        return Ok(None);
    }
    value.as_str().map(Some).map_err(|_| wrong(format!("the column `{name}` is no UTF-8")))
}

fn expect_type(row: &PgRow, index: usize, name: &str, expected: &[&str]) -> Result<(), DatabaseError> {
    let found = row.columns().get(index).map_or("unknown", |column| column.type_info().name());
    if expected.contains(&found) {
        return Ok(());
    }
    Err(wrong(format!("the column `{name}` is of type {found}, not {}", expected.join(" or "))))
}

fn integer(row: &PgRow, index: usize, name: &str) -> Result<i64, DatabaseError> {
    text(row, index, name)?.parse().map_err(|_| wrong(format!("the column `{name}` is no integer")))
}

/// `\x` and hexadecimal digits: the batch has set that form.
fn bytes(row: &PgRow, index: usize, name: &str) -> Result<Vec<u8>, DatabaseError> {
    let printed = text(row, index, name)?;
    hexadecimal(printed).ok_or_else(|| wrong(format!("the column `{name}` is not printed in hexadecimal")))
}

fn hexadecimal(printed: &str) -> Option<Vec<u8>> {
    from_hexadecimal(printed.strip_prefix("\\x")?)
}

/// `2025-12-28 10:00:00+00`, as the driver asks the server to print it, becomes `2025-12-28T10:00:00Z`.
fn iso(printed: &str) -> String {
    match printed.strip_suffix("+00") {
        Some(utc) => utc.replacen(' ', "T", 1) + "Z",
        None => printed.to_owned(),
    }
}

fn wrong(detail: impl Into<String>) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::WrongShape, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_hexadecimal_only() {
        assert_eq!(hexadecimal("\\x00fFa1"), Some(vec![0, 255, 161]));
        assert_eq!(hexadecimal("\\x"), Some(vec![]));
        for wrong in ["", "00", "\\x0", "\\xzz", "\\x0ä", "\\000"] {
            assert_eq!(hexadecimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_in_utc_is_printed_as_iso_8601() {
        assert_eq!(iso("2025-12-28 10:00:00.25+00"), "2025-12-28T10:00:00.25Z");
        assert_eq!(iso("infinity"), "infinity");
    }
}
