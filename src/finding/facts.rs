//! What a finding states, rule by rule, and what follows from that alone.

use super::{ChangedMigration, Rule, Severity, SharedHistory, Theirs};
use crate::history::{AbsentTable, DatabaseError};
use crate::migration::{Checksum, Version};
use crate::source::{IgnoredReason, InvalidReason, SourceError, Unwatched};

/// The facts of one finding. Paths are relative to the root of the repository, with `/` between their parts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the rule's documentation and the message below say what the fields are")]
pub enum Facts {
    WrongDatabase {
        other: String,
        fitting: usize,
        rows: usize,
    },
    UnreachableDatabase(DatabaseError),
    UnreadableSource(SourceError),
    NotChecked(DatabaseError),
    DirtyMigration {
        version: Version,
        description: String,
    },
    MissingMigration {
        version: Version,
        description: String,
        file: String,
        applied: Checksum,
        ignored: bool,
        unread: Vec<String>,
    },
    ChecksumMismatch {
        version: Version,
        description: String,
        file: String,
        applied: Checksum,
        defined: Checksum,
        theirs: Option<Theirs>,
    },
    SharedHistory(SharedHistory),
    SharedVersion {
        version: Version,
        description: String,
        file: String,
        theirs: Theirs,
    },
    DuplicateVersion {
        version: Version,
        files: Vec<String>,
    },
    EditedMigration(ChangedMigration),
    DeletedMigration(ChangedMigration),
    RenumberedMigration {
        changed: ChangedMigration,
        to: Version,
    },
    VersionCollision {
        version: Version,
        description: String,
        file: String,
        others: Vec<String>,
        taken: Checksum,
    },
    BehindBase {
        version: Version,
        description: String,
        file: String,
        applied: Checksum,
        behind: Behind,
    },
    BelowBase {
        version: Version,
        description: String,
        file: String,
        highest: Version,
    },
    InvalidMigration {
        file: String,
        reason: InvalidReason,
    },
    NoHistory {
        absent: AbsentTable,
        elsewhere_applied: Option<String>,
        uncreated: Option<String>,
    },
    DriftingChecksum {
        version: Version,
        description: String,
        environments: Vec<(Checksum, Vec<String>)>,
    },
    DriftingRow {
        version: Version,
        description: String,
        environment: String,
        lacking: Vec<String>,
    },
    OutOfOrder {
        version: Version,
        description: String,
        file: String,
        highest: Version,
    },
    IgnoredFile {
        file: String,
        reason: IgnoredReason,
    },
    DownWithoutUp {
        version: Version,
        file: String,
    },
    StaleEmbed(Unwatched),
    UnusedAccept {
        rule: Rule,
        reason: String,
    },
    DescriptionChanged {
        version: Version,
        file: String,
        applied: String,
        defined: String,
    },
    ExecutionUnconfirmed {
        version: Version,
        description: String,
    },
    PendingMigration {
        version: Version,
        description: String,
        file: String,
    },
    PendingMigrations {
        versions: Vec<Version>,
    },
    NoLeg,
    UnreadableReport {
        path: String,
        detail: String,
    },
    Reported {
        rule: Rule,
        version: Option<Version>,
        description: Option<String>,
        message: String,
        help: String,
    },
}

/// In what a source is behind its base branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Whether the source has an older content of the migration, rather than none.
    pub is_outdated: bool,
    /// Whether it is a pull request, which will be merged before it is deployed.
    pub is_pull_request: bool,
    /// Whether the service ignores migrations that are missing.
    pub ignored: bool,
}

impl Facts {
    /// The rule that these facts break.
    pub fn rule(&self) -> Rule {
        match self {
            Self::WrongDatabase { .. } => Rule::WrongDatabase,
            Self::UnreachableDatabase(_) => Rule::UnreachableDatabase,
            Self::UnreadableSource(_) => Rule::UnreadableSource,
            Self::NotChecked(_) => Rule::NotChecked,
            Self::DirtyMigration { .. } => Rule::DirtyMigration,
            Self::MissingMigration { .. } => Rule::MissingMigration,
            Self::ChecksumMismatch { .. } => Rule::ChecksumMismatch,
            Self::SharedHistory(_) | Self::SharedVersion { .. } => Rule::SharedHistory,
            Self::DuplicateVersion { .. } => Rule::DuplicateVersion,
            Self::EditedMigration(_) => Rule::EditedMigration,
            Self::DeletedMigration(_) => Rule::DeletedMigration,
            Self::RenumberedMigration { .. } => Rule::RenumberedMigration,
            Self::VersionCollision { .. } => Rule::VersionCollision,
            Self::BehindBase { .. } => Rule::BehindBase,
            Self::InvalidMigration { .. } => Rule::InvalidMigration,
            Self::NoHistory { .. } => Rule::NoHistory,
            Self::DriftingChecksum { .. } | Self::DriftingRow { .. } => Rule::EnvironmentDrift,
            Self::OutOfOrder { .. } | Self::BelowBase { .. } => Rule::OutOfOrder,
            Self::IgnoredFile { .. } => Rule::IgnoredFile,
            Self::DownWithoutUp { .. } => Rule::DownWithoutUp,
            Self::StaleEmbed(_) => Rule::StaleEmbed,
            Self::UnusedAccept { .. } => Rule::UnusedAccept,
            Self::DescriptionChanged { .. } => Rule::DescriptionChanged,
            Self::ExecutionUnconfirmed { .. } => Rule::ExecutionUnconfirmed,
            Self::PendingMigration { .. } | Self::PendingMigrations { .. } => Rule::PendingMigration,
            Self::NoLeg | Self::UnreadableReport { .. } => Rule::MissingReport,
            Self::Reported { rule, .. } => *rule,
        }
    }

    /// The severity that the rule gives these facts when configuration is silent.
    pub fn severity(&self) -> Severity {
        match self {
            Self::MissingMigration { ignored: true, .. } => Severity::Notice,
            Self::SharedHistory(SharedHistory { is_applied: false, .. }) => Severity::Warning,
            Self::EditedMigration(changed)
            | Self::DeletedMigration(changed)
            | Self::RenumberedMigration { changed, .. } => changed.severity(),
            Self::BehindBase { behind: Behind { ignored: true, .. }, .. } => Severity::Notice,
            Self::BehindBase { behind: Behind { is_pull_request: true, .. }, .. } => Severity::Warning,
            Self::NoHistory { absent, .. } if !absent.elsewhere.is_empty() => Severity::Incomplete,
            Self::NoHistory { uncreated: Some(_), .. } => Severity::Error,
            Self::NoHistory { elsewhere_applied: Some(_), .. } => Severity::Warning,
            _ => self.rule().severity(),
        }
    }

    /// The version that the finding is about, where it is about one.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::DirtyMigration { version, .. }
            | Self::MissingMigration { version, .. }
            | Self::ChecksumMismatch { version, .. }
            | Self::SharedVersion { version, .. }
            | Self::DuplicateVersion { version, .. }
            | Self::EditedMigration(ChangedMigration { version, .. })
            | Self::DeletedMigration(ChangedMigration { version, .. })
            | Self::RenumberedMigration { changed: ChangedMigration { version, .. }, .. }
            | Self::VersionCollision { version, .. }
            | Self::BehindBase { version, .. }
            | Self::BelowBase { version, .. }
            | Self::DriftingChecksum { version, .. }
            | Self::DriftingRow { version, .. }
            | Self::OutOfOrder { version, .. }
            | Self::DownWithoutUp { version, .. }
            | Self::DescriptionChanged { version, .. }
            | Self::ExecutionUnconfirmed { version, .. }
            | Self::PendingMigration { version, .. } => Some(*version),
            Self::Reported { version, .. } => *version,
            _ => None,
        }
    }

    /// The description of the migration that the finding is about.
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::DirtyMigration { description, .. }
            | Self::MissingMigration { description, .. }
            | Self::ChecksumMismatch { description, .. }
            | Self::SharedVersion { description, .. }
            | Self::EditedMigration(ChangedMigration { description, .. })
            | Self::DeletedMigration(ChangedMigration { description, .. })
            | Self::RenumberedMigration { changed: ChangedMigration { description, .. }, .. }
            | Self::VersionCollision { description, .. }
            | Self::BehindBase { description, .. }
            | Self::BelowBase { description, .. }
            | Self::DriftingChecksum { description, .. }
            | Self::DriftingRow { description, .. }
            | Self::OutOfOrder { description, .. }
            | Self::ExecutionUnconfirmed { description, .. }
            | Self::PendingMigration { description, .. } => Some(description),
            Self::DescriptionChanged { defined, .. } => Some(defined),
            Self::Reported { description, .. } => description.as_deref(),
            _ => None,
        }
    }

    /// The file that the finding is about; for a missing migration the one that ought to be there.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::MissingMigration { file, .. }
            | Self::ChecksumMismatch { file, .. }
            | Self::SharedVersion { file, .. }
            | Self::EditedMigration(ChangedMigration { file, .. })
            | Self::DeletedMigration(ChangedMigration { file, .. })
            | Self::RenumberedMigration { changed: ChangedMigration { file, .. }, .. }
            | Self::VersionCollision { file, .. }
            | Self::BehindBase { file, .. }
            | Self::BelowBase { file, .. }
            | Self::InvalidMigration { file, .. }
            | Self::OutOfOrder { file, .. }
            | Self::IgnoredFile { file, .. }
            | Self::DownWithoutUp { file, .. }
            | Self::DescriptionChanged { file, .. }
            | Self::StaleEmbed(Unwatched { file, .. })
            | Self::PendingMigration { file, .. } => Some(file),
            Self::DuplicateVersion { files, .. } => files.last().map(String::as_str),
            _ => None,
        }
    }
}
