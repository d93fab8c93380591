//! The one place where the facts of a finding are put into words.

use std::borrow::Cow;

use super::shared::maybe_theirs;
use super::{Behind, Facts};
use crate::history::AbsentTable;
use crate::migration::{Checksum, Version};
use crate::source::Unwatched;

impl Facts {
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
            Self::WrongDatabase { other, fitting, rows } => wrong_database(other, *fitting, *rows),
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

fn stale(Unwatched { krate, path, script, .. }: &Unwatched) -> String {
    let has = match script {
        Some(script) => format!("has a build script ({script}) that does not watch"),
        None => "has no build script watching".to_owned(),
    };
    format!("`{krate}` embeds its migrations, and {has} `{path}`: cargo does not notice a new one")
}

fn wrong_database(other: &str, fitting: usize, rows: usize) -> String {
    format!(
        "this looks like the database of `{other}`: {fitting} of its {rows} rows are migrations of `{other}`, and none is one of this service"
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

/// So many contents of one version are told, of which environments have two or three; but each of many tenants may have its own.
const MOST_CONTENTS: usize = 10;

fn drifting_checksum(version: Version, environments: &[(Checksum, Vec<String>)]) -> String {
    let group = |(checksum, names): &(Checksum, Vec<String>)| format!("{}… in {}", checksum.short(), list(names));
    let mut groups: Vec<_> = environments.iter().take(MOST_CONTENTS).map(group).collect();
    let others = environments.len().saturating_sub(MOST_CONTENTS);
    groups.extend((others > 0).then(|| format!("and {others} contents more")));
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
