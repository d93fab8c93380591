//! How much of a history is read at most, whichever database holds it.

use crate::history::{DatabaseError, DatabaseErrorKind};
use crate::migration::AppliedMigration;

/// No history is longer. A view or a server without end is left here, before it takes all memory.
pub const MOST_ROWS: usize = 1_000_000;

/// Descriptions and checksums take no more in all: a million rows that sqlx wrote need half of it.
const MOST_BYTES: usize = 256 << 20;

/// A row of sqlx's has the name of a file, 255 bytes at most, and 48 bytes of checksum.
pub const MOST_BYTES_OF_A_ROW: usize = 4096;

/// So often does a reader of rows let others go on.
pub const ROWS_BETWEEN_PAUSES: usize = 100;

/// The error for a history with more than [`MOST_ROWS`].
pub fn too_many_rows() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::WrongShape, format!("more than {MOST_ROWS} rows"))
}

/// Counts what the rows of one history hold.
#[derive(Debug, Default)]
pub struct Meter {
    bytes: usize,
}

impl Meter {
    /// The rows, as long as each may be admitted.
    ///
    /// # Errors
    /// The first that may not.
    pub fn admit_all(&mut self, rows: Vec<AppliedMigration>) -> Result<Vec<AppliedMigration>, DatabaseError> {
        rows.into_iter().map(|row| self.admit(row)).collect()
    }

    /// The row, as long as it and those before it are no larger than any history is.
    ///
    /// # Errors
    /// A row, or a history, that would fill the memory and the report.
    pub fn admit(&mut self, row: AppliedMigration) -> Result<AppliedMigration, DatabaseError> {
        let bytes = row.description.len() + row.checksum.as_bytes().len();
        self.bytes = self.bytes.saturating_add(bytes);
        let too_large = |what: &str, most: usize, unit: &str| {
            let detail = format!("{what} holds more than {most} {unit}");
            Err(DatabaseError::new(DatabaseErrorKind::WrongShape, detail))
        };
        if bytes > MOST_BYTES_OF_A_ROW {
            too_large(&format!("the row of version {}", row.version), MOST_BYTES_OF_A_ROW, "bytes")
        } else if self.bytes > MOST_BYTES {
            too_large("the table", MOST_BYTES >> 20, "MiB")
        } else {
            Ok(row)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::{Checksum, Version};

    fn row(bytes: usize) -> AppliedMigration {
        AppliedMigration {
            version: Version(7),
            description: "x".repeat(bytes),
            installed_on: None,
            success: true,
            checksum: Checksum::from_bytes([]),
            execution_time: 0,
        }
    }

    #[test]
    fn neither_a_row_nor_a_history_is_larger_than_any_that_sqlx_writes() {
        let mut meter = Meter::default();
        assert_eq!(meter.admit(row(4096)), Ok(row(4096)));
        assert_eq!(meter.admit(row(4097)).unwrap_err().detail, "the row of version 7 holds more than 4096 bytes");
        meter.bytes = MOST_BYTES - 10;
        assert_eq!(meter.admit(row(10)), Ok(row(10)));
        assert_eq!(meter.admit(row(1)).unwrap_err().detail, "the table holds more than 256 MiB");
    }
}
