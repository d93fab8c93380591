//! The one catalogue of rules: ids, what they mean, what to do, how grave they are by default.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Severity;

/// A rule. Its id is for ever: configurations and reports name it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, strum::EnumIter,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Rule {
    /// Not one checksum fits this service, but another's.
    WrongDatabase,
    /// The history could not be read.
    UnreachableDatabase,
    /// The code side as a whole could not be read.
    UnreadableSource,
    /// No run has reported on a target.
    MissingReport,
    /// The target was left out on purpose.
    NotChecked,
    /// A row with `success = false`.
    DirtyMigration,
    /// The change edits a migration of its base.
    EditedMigration,
    /// The change deletes a migration of its base.
    DeletedMigration,
    /// The change gives a migration of its base another version.
    RenumberedMigration,
    /// The change takes a version that the base branch has given to another migration.
    VersionCollision,
    /// Services that write to one history table get into each other's way.
    SharedHistory,
    /// A row without a migration in the source.
    MissingMigration,
    /// Row and migration of one version differ.
    ChecksumMismatch,
    /// The base branch has what is missing or differs.
    BehindBase,
    /// Two up migrations of one version.
    DuplicateVersion,
    /// A file that makes sqlx fail.
    InvalidMigration,
    /// The history table is absent.
    NoHistory,
    /// Histories of two environments disagree.
    EnvironmentDrift,
    /// A pending version below the highest applied one.
    OutOfOrder,
    /// Looks like a migration; sqlx passes it by.
    IgnoredFile,
    /// A down file without its up file.
    DownWithoutUp,
    /// A crate embeds its migrations, and cargo is not told to look at them.
    StaleEmbed,
    /// An `accept` entry that matches nothing.
    UnusedAccept,
    /// Same version and checksum, other description.
    DescriptionChanged,
    /// `execution_time = -1`.
    ExecutionUnconfirmed,
    /// Would be applied at start-up.
    PendingMigration,
}

/// What the catalogue says of a rule.
struct Entry {
    id: &'static str,
    default: &'static str,
    summary: &'static str,
    help: &'static str,
}

impl Rule {
    /// Every rule, in the order in which a report lists findings of equal severity.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter()
    }

    /// The id: what configurations, reports and documents call the rule.
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// One sentence: when the rule fires.
    pub fn summary(self) -> &'static str {
        self.entry().summary
    }

    /// The default severity in words, with the facts on which it depends.
    pub fn default_severity(self) -> &'static str {
        self.entry().default
    }

    /// The default severity where the facts do not say otherwise.
    pub fn severity(self) -> Severity {
        match self {
            Self::UnreachableDatabase | Self::UnreadableSource | Self::MissingReport => Severity::Incomplete,
            Self::WrongDatabase
            | Self::DirtyMigration
            | Self::SharedHistory
            | Self::MissingMigration
            | Self::ChecksumMismatch
            | Self::DuplicateVersion
            | Self::EditedMigration
            | Self::DeletedMigration
            | Self::RenumberedMigration
            | Self::VersionCollision
            | Self::BehindBase
            | Self::InvalidMigration => Severity::Error,
            Self::EnvironmentDrift
            | Self::OutOfOrder
            | Self::IgnoredFile
            | Self::DownWithoutUp
            | Self::StaleEmbed
            | Self::UnusedAccept => Severity::Warning,
            Self::NotChecked
            | Self::NoHistory
            | Self::DescriptionChanged
            | Self::ExecutionUnconfirmed
            | Self::PendingMigration => Severity::Notice,
        }
    }

    /// What the finding means for the service and what to do about it.
    pub fn help(self) -> &'static str {
        self.entry().help
    }

    fn entry(self) -> Entry {
        match self {
            Self::WrongDatabase => WRONG_DATABASE,
            Self::UnreachableDatabase => UNREACHABLE_DATABASE,
            Self::UnreadableSource => UNREADABLE_SOURCE,
            Self::MissingReport => MISSING_REPORT,
            Self::NotChecked => NOT_CHECKED,
            Self::DirtyMigration => DIRTY_MIGRATION,
            Self::EditedMigration => EDITED_MIGRATION,
            Self::DeletedMigration => DELETED_MIGRATION,
            Self::RenumberedMigration => RENUMBERED_MIGRATION,
            Self::VersionCollision => VERSION_COLLISION,
            Self::SharedHistory => SHARED_HISTORY,
            Self::MissingMigration => MISSING_MIGRATION,
            Self::ChecksumMismatch => CHECKSUM_MISMATCH,
            Self::BehindBase => BEHIND_BASE,
            Self::DuplicateVersion => DUPLICATE_VERSION,
            Self::InvalidMigration => INVALID_MIGRATION,
            Self::NoHistory => NO_HISTORY,
            Self::EnvironmentDrift => ENVIRONMENT_DRIFT,
            Self::OutOfOrder => OUT_OF_ORDER,
            Self::IgnoredFile => IGNORED_FILE,
            Self::DownWithoutUp => DOWN_WITHOUT_UP,
            Self::StaleEmbed => STALE_EMBED,
            Self::UnusedAccept => UNUSED_ACCEPT,
            Self::DescriptionChanged => DESCRIPTION_CHANGED,
            Self::ExecutionUnconfirmed => EXECUTION_UNCONFIRMED,
            Self::PendingMigration => PENDING_MIGRATION,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::all().find(|rule| rule.id() == id).ok_or_else(|| UnknownRule(id.to_owned()))
    }
}

/// An id that no rule has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{0}`; `migration-preflight rules` lists them all")]
pub struct UnknownRule(String);

const WRONG_DATABASE: Entry = Entry {
    id: "wrong-database",
    default: "error",
    summary: "Not one checksum in the history fits this service, and at least two and half of the rows fit another service of the plan.",
    help: "The secrets of two services are most likely swapped. Compare the `database-url` of both services in this environment with the database that each of them really uses. Services that mean to share one history table say so by one `history-group`.",
};

const UNREACHABLE_DATABASE: Entry = Entry {
    id: "unreachable-database",
    default: "incomplete",
    summary: "The history could not be read; the message says why: no secret, malformed URL, unknown scheme, host unknown, refused, timed out, TLS, credentials, no such database, no permission, or an answer that is no history.",
    help: "Until the history can be read, nothing is known about this target and the verdict is `incomplete`. An environment that may be away can be marked `required: false`.",
};

const UNREADABLE_SOURCE: Entry = Entry {
    id: "unreadable-source",
    default: "incomplete",
    summary: "The code side as a whole could not be read: no migrations directory, no permission, or a `sqlx.toml` that sqlx would not accept.",
    help: "Correct `migrations` for this service (paths are relative to the root of the repository), or check out the directory before this step.",
};

const MISSING_REPORT: Entry = Entry {
    id: "missing-report",
    default: "incomplete",
    summary: "None of the reports that `merge` puts together is about a target of the plan, or one of them could not be read.",
    help: "Look at the job that ought to have reported: one that was skipped, cancelled or ended early has not checked its target. Let it upload its report even when it fails (`if: always()`), under a name that no other leg uses, and let this run download all of them.",
};

const NOT_CHECKED: Entry = Entry {
    id: "not-checked",
    default: "notice",
    summary: "The environment is marked `required: false` and its database is away, or GitHub gives the event no secrets (a fork, Dependabot), so the target was not checked.",
    help: "Nothing is known about this target. Remove `required: false` to make its absence count.",
};

const DIRTY_MIGRATION: Entry = Entry {
    id: "dirty-migration",
    default: "error",
    summary: "A row has `success = false`: the migration was begun and never finished. sqlx starts no service on such a history.",
    help: "Find out how far the migration came, bring the schema to a known state by hand, then delete the row (to have sqlx run the migration again) or set `success = true` (if all of it is in place).",
};

/// What decides on how grave it is that a change touches a migration of its base.
const AS_APPLIED: &str =
    "error if an environment that could be read has applied it; warning if none could be read; else notice";

const EDITED_MIGRATION: Entry = Entry {
    id: "edited-migration",
    default: AS_APPLIED,
    summary: "The change edits a migration that stands at its base. Takes in the checksum mismatch that follows from it.",
    help: "Put the file back as it was, and the change into a new migration: where the old content is applied, the service would not start. A migration that nobody has applied may be edited.",
};

const DELETED_MIGRATION: Entry = Entry {
    id: "deleted-migration",
    default: AS_APPLIED,
    summary: "The change deletes a migration that stands at its base. Takes in the missing migration that follows from it.",
    help: "Bring the file back: where it is applied, the service would not start without it. What it did is undone by a new migration. A migration that nobody has applied may go.",
};

const RENUMBERED_MIGRATION: Entry = Entry {
    id: "renumbered-migration",
    default: AS_APPLIED,
    summary: "The change gives a migration that stands at its base another version. Takes in the missing migration that follows from it.",
    help: "Give the file its version back: where it is applied, the old version would be missing, and the service would not start. A migration that nobody has applied may be renumbered.",
};

const VERSION_COLLISION: Entry = Entry {
    id: "version-collision",
    default: "error",
    summary: "Merging gives two migrations of one version, though git sees no conflict: the base branch has taken the version of a new file. Replaces `duplicate-version` there.",
    help: "Give the file of this change a version of its own, above the highest one of the base branch.",
};

const SHARED_HISTORY: Entry = Entry {
    id: "shared-history",
    default: "error; warning if the other service has not applied them yet",
    summary: "Services write to one history table, and this one does not ignore the rows of the others, or two of them have different migrations of one version.",
    help: "If the table is meant to be shared, let the service ignore what is missing: `set_ignore_missing(true)` in its code, and `ignore-missing: true` here. Otherwise give it a table of its own: `table-name` in sqlx.toml.",
};

const MISSING_MIGRATION: Entry = Entry {
    id: "missing-migration",
    default: "error; notice with `ignore-missing: true`",
    summary: "A row of the history has no migration in the source, nor in that of another service which writes to the same table. sqlx refuses to start the service.",
    help: "The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.",
};

const CHECKSUM_MISMATCH: Entry = Entry {
    id: "checksum-mismatch",
    default: "error",
    summary: "Row and migration of one version differ in checksum: the file was changed after it was applied. sqlx refuses to start the service.",
    help: "Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.",
};

const BEHIND_BASE: Entry = Entry {
    id: "behind-base",
    default: "warning on pull requests; else as `missing-migration`",
    summary: "A row of the history has no migration in the source, or an older one, and the tip of the base branch has it with the row's checksum.",
    help: "Merge the base branch, or rebase onto it: it has the file as it was applied. Until then this very source would not start.",
};

const DUPLICATE_VERSION: Entry = Entry {
    id: "duplicate-version",
    default: "error",
    summary: "Two up migrations of the source have one version. sqlx notices only when it applies the second, or as a false checksum mismatch.",
    help: "Give the one that no database has applied yet a new version.",
};

const INVALID_MIGRATION: Entry = Entry {
    id: "invalid-migration",
    default: "error",
    summary: "A file makes sqlx fail: its prefix is no integer, its content is not UTF-8, or it cannot be read. One such file fails the whole directory, at compile time.",
    help: "Rename the file to `<integer>_<description>.sql`, convert it to UTF-8, or move it out of the directory.",
};

const NO_HISTORY: Entry = Entry {
    id: "no-history",
    default: "notice; error if its schema does not exist either and nothing creates it; warning if another environment of the service has rows; incomplete if the table exists in a schema that is not looked in",
    summary: "The history table does not exist: nothing has been applied to this database yet, or it is another database than you think.",
    help: "For a new database this is normal: the service creates the table when it starts. Otherwise check the URL, on PostgreSQL its `search_path`, and the configured `table`.",
};

const ENVIRONMENT_DRIFT: Entry = Entry {
    id: "environment-drift",
    default: "warning",
    summary: "One version has different checksums in two environments or tenants, or a later environment (in the configured order) has a row that an earlier one lacks.",
    help: "The environments were migrated from different files, so a test in one says little about the other. Apply the same files to both; an earlier environment that is ahead is normal and never reported.",
};

const OUT_OF_ORDER: Entry = Entry {
    id: "out-of-order",
    default: "warning",
    summary: "A pending version lies below the highest applied one, or a new one of the change below the highest of its base branch. sqlx applies it all the same, after migrations that were written later.",
    help: "If the migration depends on nothing that came later, this is harmless. Otherwise give it a new version above the highest applied one.",
};

const IGNORED_FILE: Entry = Entry {
    id: "ignored-file",
    default: "warning",
    summary: "A file looks like a migration, but sqlx passes it by without a word.",
    help: "sqlx reads files called `<integer>_<description>.sql` that stand straight in the directory. Rename or move the file if it is meant to be applied.",
};

const DOWN_WITHOUT_UP: Entry = Entry {
    id: "down-without-up",
    default: "warning",
    summary: "A `.down.sql` file has no up file of its version. To sqlx it even counts as the migration's presence.",
    help: "Delete the down file with its up file, or bring the up file back.",
};

const STALE_EMBED: Entry = Entry {
    id: "stale-embed",
    default: "warning",
    summary: "A crate that calls `migrate!()` has no build script watching its migrations: cargo can cache a binary without the newest one.",
    help: "`migrate!()` has cargo look at the files that are there when it is compiled, so an edited one is noticed, and a new one is not: a build from a cache (`target`, a layer of an image) goes out without it. Let the crate have a build script that prints `cargo:rerun-if-changed=` and the directory (`sqlx migrate build-script` writes one), and no other instruction that leaves the directory out.",
};

const UNUSED_ACCEPT: Entry = Entry {
    id: "unused-accept",
    default: "warning",
    summary: "An `accept` entry of the configuration matches no finding. Judged only when every target that it concerns was read.",
    help: "What was accepted is gone, or the entry does not name it as it is: remove or correct the entry, before it hides something new.",
};

const DESCRIPTION_CHANGED: Entry = Entry {
    id: "description-changed",
    default: "notice",
    summary: "Row and migration have the same version and checksum, and another description: the file was renamed. sqlx never compares descriptions.",
    help: "Nothing has to be done: sqlx compares versions and checksums only.",
};

const EXECUTION_UNCONFIRMED: Entry = Entry {
    id: "execution-unconfirmed",
    default: "notice",
    summary: "A row has `execution_time = -1`: the migration was skipped on purpose (`sqlx migrate run --skip`), or the process died just after it committed.",
    help: "If nobody skipped it on purpose, check that the schema has what the migration creates.",
};

const PENDING_MIGRATION: Entry = Entry {
    id: "pending-migration",
    default: "notice",
    summary: "A migration of the source has no row: it would be applied when the service starts. More than ten become one finding.",
    help: "Nothing has to be done: this is what a deploy with a new migration looks like.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_name_that_configurations_use() {
        for rule in Rule::all() {
            assert_eq!(serde_json::to_value(rule).expect("json"), rule.id());
            assert_eq!(rule.id().parse(), Ok(rule));
        }
    }
}
