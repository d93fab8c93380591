//! What `Migrator::run` would do when the service starts, replayed without a database.
//!
//! The order of the steps is that of sqlx 0.9 (`sqlx-core`, `migrate/migrator.rs`, `run_direct`): resolve,
//! create schemas, create the table, dirty row, missing row, then the up migrations in order of version.
//! Held against the real one by the oracle tests. Never looks at severities or accepted findings: what
//! somebody accepts does not make a service start.

use std::collections::HashMap;

use crate::history::{AbsentTable, Engine, History};
use crate::migration::{AppliedMigration, Version};
use crate::source::Defined;
use crate::table_name::{identifier, names_schema};

/// What happens when the service starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It starts, and nothing is applied.
    Starts,
    /// It starts after applying these versions, in this order.
    StartsAndApplies(Vec<Version>),
    /// It does not start.
    Fails {
        /// With which error.
        error: StartupError,
        /// The versions that it applied before: their schema changes stay.
        applies: Vec<Version>,
    },
    /// A side could not be read.
    Unknown,
}

impl Outcome {
    /// The word that reports use.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::StartsAndApplies(_) => "starts-and-applies",
            Self::Fails { .. } => "fails",
            Self::Unknown => "unknown",
        }
    }

    /// The versions that are applied, in order, whether or not the service starts afterwards.
    pub fn applies(&self) -> &[Version] {
        match self {
            Self::StartsAndApplies(applies) | Self::Fails { applies, .. } => applies,
            Self::Starts | Self::Unknown => &[],
        }
    }

    /// The error with which the service fails.
    pub fn error(&self) -> Option<&StartupError> {
        match self {
            Self::Fails { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Why a service does not start. The first three are sqlx's own words, to the letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartupError {
    /// `MigrateError::Dirty`; sqlx names the default table whatever the real one is called.
    #[error("migration {0} is partially applied; fix and remove row from `_sqlx_migrations` table")]
    Dirty(Version),
    /// `MigrateError::VersionMissing`
    #[error("migration {0} was previously applied but is missing in the resolved migrations")]
    Missing(Version),
    /// `MigrateError::VersionMismatch`
    #[error("migration {0} was previously applied but has been modified")]
    Mismatch(Version),
    /// The second of two up migrations of one version: its row violates the primary key.
    #[error("migration {0} stands twice in the source, and the history table takes only one row of a version")]
    Duplicate(Version),
    /// `migrate!()` does not compile, and `Migrator::new` fails.
    #[error("the migrations cannot be resolved: {file}: {reason}")]
    BrokenDirectory {
        /// The first file that sqlx stumbles over.
        file: String,
        /// Why.
        reason: String,
    },
    /// The history table cannot be created, or a schema of `create-schemas` cannot.
    #[error("the schema `{0}` does not exist and is not created")]
    NoSchema(String),
    /// What the report of another run says.
    #[error("{0}")]
    Reported(String),
}

/// Predicts the start of a service that embeds `defined`, against a database that holds `history`.
pub fn predict(defined: &Defined, history: &History, engine: Engine, ignore_missing: bool) -> Outcome {
    if let Some(invalid) = defined.invalid.first() {
        let error = StartupError::BrokenDirectory {
            file: invalid.path.display().to_string(),
            reason: invalid.reason.to_string(),
        };
        return Outcome::Fails { error, applies: Vec::new() };
    }
    if let Some(schema) = schema_that_stays_absent(defined, history, engine) {
        return Outcome::Fails { error: StartupError::NoSchema(schema), applies: Vec::new() };
    }
    run(defined, history.rows(), ignore_missing)
}

/// The part of `run_direct` after the table exists. `rows` are ordered by version.
fn run(defined: &Defined, rows: &[AppliedMigration], ignore_missing: bool) -> Outcome {
    let fails = |error, applies| Outcome::Fails { error, applies };
    if let Some(dirty) = rows.iter().find(|row| !row.success) {
        return fails(StartupError::Dirty(dirty.version), Vec::new());
    }
    let is_missing = |row: &&AppliedMigration| defined.of_version(row.version).is_empty();
    if let Some(missing) = rows.iter().find(|row| !ignore_missing && is_missing(row)) {
        return fails(StartupError::Missing(missing.version), Vec::new());
    }
    let applied: HashMap<Version, _> = rows.iter().map(|row| (row.version, &row.checksum)).collect();
    let mut applies = Vec::new();
    for migration in defined.migrations.iter().filter(|migration| migration.kind.is_up()) {
        match applied.get(&migration.version) {
            Some(&checksum) if *checksum != migration.checksum => {
                return fails(StartupError::Mismatch(migration.version), applies);
            }
            Some(_) => {}
            None if applies.last() == Some(&migration.version) => {
                return fails(StartupError::Duplicate(migration.version), applies);
            }
            None => applies.push(migration.version),
        }
    }
    if applies.is_empty() { Outcome::Starts } else { Outcome::StartsAndApplies(applies) }
}

/// A schema that sqlx needs and that neither exists nor gets created.
pub fn schema_that_stays_absent(defined: &Defined, history: &History, engine: Engine) -> Option<String> {
    if let Some(schema) = defined.create_schemas.iter().find(|schema| !engine_creates(engine, schema)) {
        return Some(schema.clone());
    }
    match history {
        History::Absent(AbsentTable { absent_schema: Some(schema), .. }) => {
            let created = defined.create_schemas.iter().any(|created| names_schema(engine, created, schema));
            (!created).then(|| schema.clone())
        }
        _ => None,
    }
}

/// Whether the statement by which sqlx creates the schema can succeed at all.
fn engine_creates(engine: Engine, schema: &str) -> bool {
    match engine {
        // PostgreSQL keeps these names to itself, and says so even where such a schema exists.
        Engine::Postgres => identifier(schema, engine).is_ok_and(|name| !name.starts_with("pg_")),
        // SQLite has no schemas but those of attached files, and a service attaches none before it migrates.
        Engine::Sqlite => ["main", "temp"].iter().any(|known| names_schema(engine, schema, known)),
        // <https://mariadb.com/kb/en/identifier-names/>; nobody may touch the schema of the catalogue.
        Engine::MySql => identifier(schema, engine).is_ok_and(|name| {
            let is_legal = name.chars().count() <= 64 && !name.ends_with(' ') && !name.starts_with("#mysql50#");
            is_legal && !name.eq_ignore_ascii_case("information_schema")
        }),
    }
}

#[cfg(test)]
mod tests;
