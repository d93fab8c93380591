//! How much of a history is read at most, whichever database holds it.

use crate::history::{DatabaseError, DatabaseErrorKind};

/// No history is longer. A view or a server without end is left here, before it takes all memory.
pub const MOST_ROWS: usize = 1_000_000;

/// So often does a reader of rows let others go on.
pub const ROWS_BETWEEN_PAUSES: usize = 100;

/// The error for a history with more than [`MOST_ROWS`].
pub fn too_many_rows() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::WrongShape, format!("more than {MOST_ROWS} rows"))
}
