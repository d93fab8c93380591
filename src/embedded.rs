//! What a binary carries of migrations whose checksums are known: vocabulary, no I/O.
//!
//! `migrate!()` embeds each checksum as 48 bytes, so a known checksum that stands in a file is embedded ([`Search`]). That
//! alone does not say under which version: equal contents have one checksum, and the compiler keeps one copy of it. For
//! that there is the array of `sqlx::migrate::Migration`s itself ([`Table`]), which is found on the way in the executables
//! of every 64-bit little-endian architecture. [`carried`] puts both together, and says so where they leave open what
//! the binary embeds: it never guesses.

mod carried;
mod digests;
mod elf;
mod search;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use carried::{Carried, Stranger, Unclear, carried};
pub use digests::Digests;
pub use search::Search;
pub use table::{Content, Record, Table};

use crate::migration::{AppliedMigration, Checksum, Migration, MigrationKind, Version};

/// A content that is known for a version: from a row, from a file of the checkout, or from what git has of older ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The version that it is known for.
    pub version: Version,
    /// The description beside it.
    pub description: String,
    /// The kind of its file. A row tells none and is [`MigrationKind::Simple`], which is as good as an up file.
    pub kind: MigrationKind,
    /// Its checksum.
    pub checksum: Checksum,
    /// The file that has or had the content; none for a row.
    pub path: Option<PathBuf>,
    /// The full name of a commit that has the file with this content; none for a row and for the checkout.
    pub commit: Option<String>,
}

impl From<&Migration> for Known {
    fn from(migration: &Migration) -> Self {
        Self {
            version: migration.version,
            description: migration.description.clone(),
            kind: migration.kind,
            checksum: migration.checksum.clone(),
            path: Some(migration.path.clone()),
            commit: None,
        }
    }
}

impl From<&AppliedMigration> for Known {
    fn from(row: &AppliedMigration) -> Self {
        Self {
            version: row.version,
            description: row.description.clone(),
            kind: MigrationKind::Simple,
            checksum: row.checksum.clone(),
            path: None,
            commit: None,
        }
    }
}

impl Known {
    /// Whether it is a row that tells of the content, which has been applied therefore.
    pub fn is_row(&self) -> bool {
        self.path.is_none()
    }
}

/// What was found in a file: which of the checksums, how often, and the arrays of migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Embedded {
    counts: BTreeMap<Checksum, usize>,
    tables: Vec<Table>,
}

impl Embedded {
    /// Whether none of the checksums was found.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How often `checksum` was found.
    pub fn count(&self, checksum: &Checksum) -> usize {
        self.counts.get(checksum).copied().unwrap_or_default()
    }

    /// The checksums that were found, in their order.
    pub fn checksums(&self) -> impl Iterator<Item = &Checksum> {
        self.counts.keys()
    }

    /// The arrays of migrations that the file holds, of whatever service.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }
}

#[cfg(test)]
mod tests;
