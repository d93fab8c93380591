//! What is checked: a service in an environment, and what was read of both sides. Vocabulary, no I/O.

use std::path::PathBuf;
use std::sync::Arc;

use crate::finding::{Location, Scope};
use crate::group::{Group, Member};
use crate::history::{Database, DatabaseError, History, MaxAge};
use crate::migration::{AppliedMigration, Version};
use crate::policy::Levels;
use crate::source::{Base, Defined, Source, SourceError};
use crate::tenants::{Selection, Tenants, place};

/// One service in one environment: what a run judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name of the service.
    pub service: String,
    /// The name of the environment.
    pub environment: String,
    /// The directory of the migrations, relative to the root of the repository.
    pub migrations: PathBuf,
    /// Where the code side is read.
    pub source: Source,
    /// The program in an image, by its path or the end of that, where there are several.
    pub binary: Option<String>,
    /// The database, or why there is none to ask.
    pub database: Result<Database, DatabaseError>,
    /// How old a snapshot may be that stands in for it.
    pub max_age: Option<MaxAge>,
    /// Its tenants, where each has a history of its own.
    pub tenants: Option<Selection>,
    /// The history table as configured; else `sqlx.toml`'s, else `_sqlx_migrations`.
    pub table: Option<String>,
    /// The name that the services have in common which write to one history table, where one is configured.
    pub history_group: Option<String>,
    /// Mirrors `Migrator::set_ignore_missing`.
    pub ignore_missing: bool,
    /// Whether a database that cannot be read is a problem at all.
    pub required: bool,
    /// The configured levels, the most specific having won.
    pub levels: Levels,
    /// Where the target is declared: a line of the workflow or of the configuration.
    pub declared: Option<Location>,
}

/// A target by its names, as lists have it.
pub fn named(service: &str, environment: &str) -> String {
    format!("{service} in {environment}")
}

/// The table that sqlx uses when nothing else is said.
const DEFAULT_TABLE: &str = "_sqlx_migrations";

impl Target {
    /// Where the code side is read, for people: the migrations directory, a commit's, a program or an image.
    pub fn location(&self) -> String {
        let directory = self.migrations.to_string_lossy();
        match &self.source {
            Source::Directory => directory.into_owned(),
            Source::Revision(revision) => format!("{revision}:{directory}"),
            Source::Binary(path) => path.to_string_lossy().into_owned(),
            Source::Image(name) => name.clone(),
        }
    }

    /// The history table as it is written, `of_sqlx_toml` being what `sqlx.toml` says.
    pub fn history_table<'a>(&'a self, of_sqlx_toml: Option<&'a str>) -> &'a str {
        self.table.as_deref().or(of_sqlx_toml).unwrap_or(DEFAULT_TABLE)
    }

    /// Whether `error` says no more than that a database is away which may be (`required: false`), or that nobody could
    /// have got to it.
    pub fn may_be_away(&self, error: &DatabaseError) -> bool {
        error.kind.is_withheld() || (!self.required && error.kind.is_absence())
    }
}

/// A target with both its sides, as far as they could be read.
#[derive(Debug, Clone)]
pub struct TargetState {
    /// What was asked for.
    pub target: Target,
    /// The code side. Shared, because services in several environments read one directory once.
    pub defined: Result<Arc<Defined>, SourceError>,
    /// The database side.
    pub applied: Result<History, DatabaseError>,
    /// The tenants whose history that is, where the target has some: those that agree make one state.
    pub tenants: Option<Arc<Tenants>>,
    /// The code side at the base of the change that is checked, where there is one. Shared as `defined` is.
    pub base: Option<Arc<Base>>,
    /// The services that write to the same history table, where there are others. Shared by all of them.
    pub group: Option<Arc<Group>>,
}

impl TargetState {
    /// The environment, and which of its tenants: `production (tenant_7)`.
    pub fn place(&self) -> String {
        place(&self.target.environment, self.tenants.as_deref())
    }

    /// What a finding of it is about.
    pub fn scope(&self) -> Scope {
        let Target { service, environment, .. } = &self.target;
        let (service, environment) = (service.clone(), environment.clone());
        Scope::Target { service, environment, tenants: self.tenants.clone() }
    }

    /// The other services that write to the same history table.
    pub fn others(&self) -> impl Iterator<Item = &Member> {
        let Target { service, migrations, .. } = &self.target;
        self.group.iter().flat_map(move |group| group.others(service, migrations))
    }

    /// Those of them that have a migration of `version`.
    pub fn others_with(&self, version: Version) -> impl Iterator<Item = &Member> {
        let Target { service, migrations, .. } = &self.target;
        self.group.iter().flat_map(move |group| group.others_with(version, (service, migrations)))
    }

    /// Whether the configuration says that another service writes to the same history table.
    pub fn is_meant_to_share_with(&self, service: &str) -> bool {
        self.group.as_ref().is_some_and(|group| group.is_named(&self.target.service) && group.is_named(service))
    }

    /// Whether a row is another service's alone: one that writes to the same table has a migration of its version, and
    /// this one has none, nor has it ever had the row's content as far as its checkout and the base of a change tell.
    pub fn is_of_others(&self, row: &AppliedMigration) -> bool {
        let (Some(group), Ok(defined)) = (&self.group, &self.defined) else { return false };
        let Target { service, migrations, .. } = &self.target;
        defined.of_version(row.version).is_empty()
            && self.others_with(row.version).next().is_some()
            && !group.has_itself(service, migrations, row.version, &row.checksum)
            && !self.base.as_ref().is_some_and(|base| base.has(row.version, &row.checksum))
    }
}
