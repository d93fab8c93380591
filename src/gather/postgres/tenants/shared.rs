//! The histories of tenants, each once: what the server is asked to compare, and what it answers.

use sqlx::postgres::PgRow;

use super::super::row;
use crate::gather::limit::MOST_BYTES_OF_A_ROW;
use crate::history::{DatabaseError, DatabaseErrorKind as Kind, Engine};
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::table_name::TableName;
use crate::text::from_hexadecimal;

/// A longer history is read row by row.
const MOST_ROWS: usize = 10_000;

/// Every history in `tables` once, with the numbers of those that have it, counted from `first`. A history is JSON: nothing
/// where it has no rows, else an array for each.
pub fn shared(first: usize, tables: impl Iterator<Item = TableName>) -> String {
    let of_table = |(number, table): (usize, TableName)| {
        let table = table.quoted(Engine::Postgres);
        format!(
            "SELECT {number}, (SELECT json_agg(json_build_array(version, left(description, {most}), \
             coalesce(success = false, false), encode(substring(checksum FROM 1 FOR {most}), 'hex'), coalesce(execution_time = -1, false)) ORDER BY version)::text \
             FROM (SELECT * FROM {table} LIMIT {limit}) r)",
            limit = MOST_ROWS + 1,
            most = MOST_BYTES_OF_A_ROW + 1,
        )
    };
    let all: Vec<String> = (first..).zip(tables).map(of_table).collect();
    format!(
        "SELECT h COLLATE \"C\", string_agg(i::text, ' ') FROM ({}) t (i, h) GROUP BY h COLLATE \"C\"",
        all.join(" UNION ALL ")
    )
}

/// A history, and whose it is.
pub struct Shared {
    /// The rows; none where it is none that sqlx wrote, or a long one.
    pub rows: Option<Vec<AppliedMigration>>,
    /// Their numbers.
    pub tenants: Vec<usize>,
}

/// As JSON has it: version, description, whether it is dirty, its checksum, and whether nobody has confirmed it.
type Printed<'a> = (i64, String, bool, &'a str, bool);

impl Shared {
    /// What a row of the answer says.
    ///
    /// # Errors
    /// An answer that makes no sense.
    pub fn read(row: &PgRow) -> Result<Self, DatabaseError> {
        let tenants = row::text(row, 1, "the tenants")?.split(' ').map(str::parse);
        let odd = |_| DatabaseError::new(Kind::Unintelligible, "the tenants are no numbers");
        let tenants = tenants.collect::<Result<_, _>>().map_err(odd)?;
        // What is no text of the database's own encoding, shows when it is read by itself.
        let rows = match row::optional_text(row, 0, "the history") {
            Ok(None) => Some(Vec::new()),
            Ok(Some(json)) => Self::rows(json),
            Err(_) => None,
        };
        Ok(Self { rows, tenants })
    }

    fn rows(json: &str) -> Option<Vec<AppliedMigration>> {
        let printed: Vec<Printed> = serde_json::from_str(json).ok()?;
        let row = |(version, description, is_dirty, checksum, is_unconfirmed): Printed| {
            Some(AppliedMigration {
                version: Version(version),
                description,
                installed_on: None,
                success: !is_dirty,
                checksum: Checksum::from_bytes(from_hexadecimal(checksum)?),
                execution_time: if is_unconfirmed { -1 } else { 0 },
            })
        };
        let is_short = printed.len() <= MOST_ROWS;
        is_short.then(|| printed.into_iter().map(row).collect())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_what_was_printed_of_it_or_looked_at_again() {
        let rows = Shared::rows(r#"[[7, "a \" b", false, "00ff", true], [8, "", true, "", false]]"#).unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                (row.version.0, row.description.as_str(), row.success, row.checksum.as_bytes(), row.execution_time)
            })
            .collect();
        assert_eq!(told, [(7, "a \" b", true, &[0, 255][..], -1), (8, "", false, &[], 0)]);
        for odd in [r#"[[null, "", false, "", false]]"#, r#"[[1, "", false, null, false]]"#, "[[1]]", "rubbish"] {
            assert_eq!(Shared::rows(odd), None, "{odd}");
        }
    }
}
