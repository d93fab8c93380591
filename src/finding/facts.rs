//! What a finding states, rule by rule, and the one place where it is put into words.

use std::borrow::Cow;

use super::shared::maybe_theirs;
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

    /// What to do about it.
    pub fn help(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnreachableDatabase(error) | Self::NotChecked(error) => return error.kind.help(),
            Self::UnreadableSource(error) => error.help(),
            Self::NoHistory { absent, .. } if !absent.elsewhere.is_empty() => {
                "Set `table` to the qualified name, or add the schema to the role's `search_path`; if the service's own role has another `search_path`, let the check's role have the same."
            }
            Self::NoHistory { uncreated: Some(_), .. } => {
                "Correct the schema in `table` or sqlx.toml's `table-name`; or create it, or have sqlx create it by `create-schemas` in sqlx.toml, before the service starts."
            }
            Self::MissingMigration { ignored: true, .. } => {
                "Nothing has to be done: `ignore-missing` says that the service calls `set_ignore_missing(true)`, and so it starts. If it does not call that, remove the setting."
            }
            Self::ChecksumMismatch { theirs: Some(_), .. } | Self::SharedVersion { .. } => {
                "Give the migration of one of the two services another version, one that is not applied; or give one of them a history table of its own: `table-name` in sqlx.toml. Ignoring missing migrations does not help here."
            }
            Self::StaleEmbed(unwatched) => return Cow::Owned(watch(unwatched)),
            Self::Reported { help, .. } => return Cow::Owned(help.clone()),
            _ => self.rule().help(),
        })
    }

    /// The finding in words: what is the case, without what it means in general.
    pub fn message(&self) -> String {
        match self {
            Self::WrongDatabase { other, fitting, rows } => {
                format!(
                    "this looks like the database of `{other}`: {fitting} of its {rows} rows are migrations of `{other}`, and none is one of this service"
                )
            }
            Self::UnreachableDatabase(error) => format!("the history could not be read: {error}"),
            Self::UnreadableSource(error) => format!("the migrations could not be read: {error}"),
            Self::NotChecked(error) if error.kind.is_withheld() => format!("not checked: {error}"),
            Self::NotChecked(error) => format!("not checked, and not required to be: {error}"),
            Self::DirtyMigration { version, .. } => {
                format!("migration {version} was begun and never finished (`success = false`)")
            }
            Self::MissingMigration { version, ignored, unread, .. } => {
                missing(*version, *ignored) + &maybe_theirs(unread)
            }
            Self::ChecksumMismatch { version, applied, defined, theirs, .. } => match theirs {
                Some(theirs) => theirs.applied(*version, applied, defined),
                None => mismatch(*version, applied, defined),
            },
            Self::SharedHistory(shared) => shared.told(),
            Self::SharedVersion { version, theirs, .. } => theirs.taken(*version),
            Self::DuplicateVersion { version, files } => {
                format!("{} files have the version {version}: {}", files.len(), list(files))
            }
            Self::EditedMigration(changed) => changed.told("edits", ""),
            Self::DeletedMigration(changed) => changed.told("deletes", ""),
            Self::RenumberedMigration { changed, to } => changed.told("turns", &format!(" into {to}")),
            Self::VersionCollision { version, file, others, .. } => {
                format!("version {version} is taken on the base branch: {file} of this change meets {}", list(others))
            }
            Self::BehindBase { version, behind, .. } => behind_base(*version, *behind),
            Self::BelowBase { version, highest, .. } => {
                format!("migration {version} is new, and the base branch has {highest} already")
            }
            Self::InvalidMigration { reason, .. } => format!("sqlx fails on this file: {reason}"),
            Self::NoHistory { absent, elsewhere_applied, uncreated } => {
                no_history(absent, elsewhere_applied.as_deref(), uncreated.as_deref())
            }
            Self::DriftingChecksum { version, environments, .. } => drifting_checksum(*version, environments),
            Self::DriftingRow { version, environment, lacking, .. } => drifting_row(*version, environment, lacking),
            Self::OutOfOrder { version, highest, .. } => {
                format!("migration {version} is pending, though {highest} is applied already")
            }
            Self::IgnoredFile { reason, .. } => format!("sqlx ignores this file: {reason}"),
            Self::DownWithoutUp { version, .. } => format!("there is no up file for version {version}"),
            Self::StaleEmbed(unwatched) => stale(unwatched),
            Self::UnusedAccept { rule, reason } => {
                format!("no finding of `{rule}` matches this entry ({reason})")
            }
            Self::DescriptionChanged { version, applied, defined, .. } => {
                format!("migration {version} was applied as “{applied}” and is called “{defined}” now")
            }
            Self::ExecutionUnconfirmed { version, .. } => {
                format!("sqlx never confirmed migration {version} (`execution_time = -1`)")
            }
            Self::PendingMigration { version, .. } => {
                format!("migration {version} would be applied when the service starts")
            }
            Self::PendingMigrations { versions } => all_pending(versions),
            Self::NoLeg => NO_LEG.to_owned(),
            Self::UnreadableReport { path, detail } => format!("the report `{path}` could not be read: {detail}"),
            Self::Reported { message, .. } => message.clone(),
        }
    }
}

const NO_LEG: &str =
    "no run has reported on this target: its job was skipped or cancelled, or ended before it could report";

fn stale(Unwatched { krate, path, script, .. }: &Unwatched) -> String {
    let has = match script {
        Some(script) => format!("has a build script ({script}) that does not watch"),
        None => "has no build script watching".to_owned(),
    };
    format!("`{krate}` embeds its migrations, and {has} `{path}`: cargo does not notice a new one")
}

/// What a build script has to say.
fn watch(Unwatched { krate, path, script, .. }: &Unwatched) -> String {
    let line = format!("println!(\"cargo:rerun-if-changed={path}\");");
    let how = match script {
        Some(script) => format!("Add `{line}` to {script}."),
        None => format!(
            "Give `{krate}` a `build.rs`: `fn main() {{ {line} }}` (in the folder of the crate, `sqlx migrate build-script --source {path}` writes it)."
        ),
    };
    format!(
        "{how} `migrate!()` has cargo look at the files that it finds: an edited one is noticed, and a new one is not, so that a build from a cache goes out without it."
    )
}

fn missing(version: Version, ignored: bool) -> String {
    let known = if ignored { "; the service ignores that (`ignore-missing`)" } else { "" };
    format!("migration {version} was applied, but the source has no file for it{known}")
}

fn mismatch(version: Version, applied: &Checksum, defined: &Checksum) -> String {
    let (applied, defined) = (applied.short(), defined.short());
    format!(
        "migration {version} was changed after it was applied: the row has checksum {applied}…, the file {defined}…"
    )
}

fn behind_base(version: Version, behind: Behind) -> String {
    let lacks = if behind.is_outdated { "has an older content of it" } else { "has no file for it" };
    let known = if behind.ignored { "; the service ignores that (`ignore-missing`)" } else { "" };
    format!("migration {version} was applied as it stands on the base branch, and the source {lacks}{known}")
}

fn no_history(absent: &AbsentTable, elsewhere_applied: Option<&str>, uncreated: Option<&str>) -> String {
    let table = &absent.table;
    if !absent.elsewhere.is_empty() {
        return format!(
            "there is no table `{table}` where the connection looks, but one in the schema {}",
            list(&absent.elsewhere)
        );
    }
    if let Some(schema) = uncreated {
        return format!(
            "there is no table `{table}`, and the service cannot create it: the schema `{schema}` does not exist and is not created"
        );
    }
    match elsewhere_applied {
        Some(environment) => format!("there is no table `{table}`, though {environment} has migrations applied"),
        None => format!("there is no table `{table}`: nothing has been applied yet"),
    }
}

fn drifting_checksum(version: Version, environments: &[(Checksum, Vec<String>)]) -> String {
    let group = |(checksum, names): &(Checksum, Vec<String>)| format!("{}… in {}", checksum.short(), list(names));
    let groups: Vec<_> = environments.iter().map(group).collect();
    format!("migration {version} was applied with different contents: checksum {}", groups.join(", "))
}

fn drifting_row(version: Version, environment: &str, lacking: &[String]) -> String {
    let come = if lacking.len() == 1 { "comes" } else { "come" };
    format!("migration {version} is applied in {environment} and not in {}, which {come} before it", list(lacking))
}

fn all_pending(versions: &[Version]) -> String {
    format!(
        "{} migrations would be applied when the service starts, {} to {}",
        versions.len(),
        versions.first().map_or(0, |version| version.0),
        versions.last().map_or(0, |version| version.0),
    )
}

fn list(names: &[String]) -> String {
    names.join(", ")
}
