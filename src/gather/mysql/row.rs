//! One row of the history table, as the text protocol prints it.

use sqlx::mysql::{MySql, MySqlRow};
use sqlx::{Column, Decode, Row, Type, TypeInfo, ValueRef};

use crate::history::{DatabaseError, DatabaseErrorKind};
use crate::migration::{AppliedMigration, Checksum, Version};

/// The row, in the order of the query's columns. `version` and `checksum` are decoded by sqlx, so that both of us take
/// the same types.
///
/// # Errors
/// A column of a type that sqlx would not read, and a NULL where sqlx's own table allows none.
pub fn applied(row: &MySqlRow) -> Result<AppliedMigration, DatabaseError> {
    let description: Vec<u8> = row.try_get_unchecked(1).map_err(|_| null("description"))?;
    Ok(AppliedMigration {
        version: Version(value(row, 0, "version")?),
        description: String::from_utf8_lossy(&description).into_owned(),
        // Only shown, so that what is no time may as well be none.
        installed_on: row.try_get(2).unwrap_or_default(),
        success: !flag(row, 3, "success")?,
        checksum: Checksum::from_bytes(value::<Vec<u8>>(row, 4, "checksum")?),
        execution_time: value(row, 5, "execution_time")?,
    })
}

/// A truth value, which MySQL prints as a number.
///
/// # Errors
/// NULL, no such column, or another type.
pub fn flag(row: &MySqlRow, index: usize, name: &str) -> Result<bool, DatabaseError> {
    Ok(value::<i64>(row, index, name)? != 0)
}

/// A text that was cast to bytes, which no collation has a say in.
///
/// # Errors
/// NULL, no such column, or bytes that are no UTF-8.
pub fn text(row: &MySqlRow, index: usize, name: &str) -> Result<String, DatabaseError> {
    let bytes: Vec<u8> = value(row, index, name)?;
    String::from_utf8(bytes).map_err(|_| wrong_shape(format!("{name} is no UTF-8")))
}

fn value<'r, T: Decode<'r, MySql> + Type<MySql>>(
    row: &'r MySqlRow,
    index: usize,
    name: &str,
) -> Result<T, DatabaseError> {
    if row.try_get_raw(index).is_ok_and(|value| value.is_null()) {
        return Err(null(name));
    }
    row.try_get(index).map_err(|_| {
        let found = row.columns().get(index).map_or("unknown", |column| column.type_info().name());
        let wanted = T::type_info();
        wrong_shape(match wanted.name() {
            // Only what is no server of MySQL's answers so.
            wanted if wanted == found => format!("the column `{name}` holds what is no {wanted}"),
            wanted => format!("the column `{name}` is of type {found}, not {wanted}"),
        })
    })
}

fn null(name: &str) -> DatabaseError {
    wrong_shape(format!("the column `{name}` is NULL in a row"))
}

fn wrong_shape(detail: impl Into<String>) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::WrongShape, detail)
}
