//! What findings say of services that write to one history table.

use crate::migration::{Checksum, Version};

/// What the other services of a table put into it that a service has no migration for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedHistory {
    /// Whose they are, in the order of the plan.
    pub services: Vec<String>,
    /// How many migrations.
    pub migrations: usize,
    /// Whether they are applied, rather than to come.
    pub is_applied: bool,
    /// What sqlx says of the lowest one.
    pub error: String,
}

impl SharedHistory {
    /// In words.
    pub(super) fn told(&self) -> String {
        let Self { services, migrations: count, is_applied, error } = self;
        let services = named(services);
        let what = match (is_applied, count) {
            (true, 1) => "1 of its rows is a migration of theirs: this service does not start".to_owned(),
            (true, count) => format!("{count} of its rows are migrations of theirs: this service does not start"),
            (false, 1) => {
                "1 migration of theirs is to come: once it is applied, this service does not start".to_owned()
            }
            (false, count) => {
                format!("{count} migrations of theirs are to come: once they are applied, this service does not start")
            }
        };
        format!("the history table is shared with {services}, and {what} ({error})")
    }
}

/// A migration of another service that writes to the same table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    /// The service.
    pub service: String,
    /// Its file.
    pub file: String,
}

impl Theirs {
    /// In words: a version that is not applied, taken twice.
    pub(super) fn taken(&self, version: Version) -> String {
        let Self { service, file } = self;
        format!(
            "the history table is shared with `{service}`, which has another migration {version} ({file}): whichever of the two services starts second fails"
        )
    }

    /// In words: the row of a version is this one, and has another checksum than the file.
    pub(super) fn applied(&self, version: Version, applied: &Checksum, defined: &Checksum) -> String {
        let Self { service, file } = self;
        format!(
            "migration {version} was applied as `{service}` has it, which shares the history table ({file}): the row has checksum {}…, the file {}…",
            applied.short(),
            defined.short()
        )
    }
}

/// What is said of a row that may be a migration of services which could not be read.
pub(super) fn maybe_theirs(unread: &[String]) -> String {
    match unread {
        [] => String::new(),
        unread => format!("; or it is one of {}, of which not all could be read", named(unread)),
    }
}

fn named(services: &[String]) -> String {
    services.iter().map(|service| format!("`{service}`")).collect::<Vec<_>>().join(", ")
}
