//! What a finding states, rule by rule, and the one place where it is put into words.

use super::Rule;
use crate::history::{AbsentTable, DatabaseError};
use crate::migration::{Checksum, Version};
use crate::source::{IgnoredReason, InvalidReason, SourceError};

/// The facts of one finding. Paths are relative to the root of the repository, with `/` between their parts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the rule's documentation and the message below say what the fields are")]
pub enum Facts {
    WrongDatabase { other: String, fitting: usize, rows: usize },
    UnreachableDatabase(DatabaseError),
    UnreadableSource(SourceError),
    NotChecked(DatabaseError),
    DirtyMigration { version: Version, description: String },
    MissingMigration { version: Version, description: String, file: String, ignored: bool },
    ChecksumMismatch { version: Version, description: String, file: String, applied: Checksum, defined: Checksum },
    DuplicateVersion { version: Version, files: Vec<String> },
    InvalidMigration { file: String, reason: InvalidReason },
    NoHistory { absent: AbsentTable, elsewhere_applied: Option<String> },
    DriftingChecksum { version: Version, description: String, environments: Vec<(Checksum, Vec<String>)> },
    DriftingRow { version: Version, description: String, environment: String, lacking: Vec<String> },
    OutOfOrder { version: Version, description: String, file: String, highest: Version },
    IgnoredFile { file: String, reason: IgnoredReason },
    DownWithoutUp { version: Version, file: String },
    UnusedAccept { rule: Rule, reason: String },
    DescriptionChanged { version: Version, file: String, applied: String, defined: String },
    ExecutionUnconfirmed { version: Version, description: String },
    PendingMigration { version: Version, description: String, file: String },
    PendingMigrations { versions: Vec<Version>, directory: String },
}
