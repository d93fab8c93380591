//! The configuration file: from its text to settings that hold, or to every mistake in it at once.
//!
//! It reads no file and no environment, and evaluates no GitHub expression. `raw` is the one definition of the
//! format, `typed` reads it past mistakes of form, `check` judges what the format alone cannot say.

mod check;
mod command;
mod raw;
mod tenant;
#[cfg(test)]
mod tests;
mod typed;

use indexmap::IndexMap;

use super::diagnostic::{Diagnostic, Diagnostics, has_secret};
use super::template::{CommandTemplate, Template, UrlTemplate};
use crate::finding::Location;
use crate::history::{Engine, MaxAge, QueryBy};
use crate::policy::Accept;
use crate::policy::Levels;
use crate::tenants::Partition;
use crate::yaml::{self, Node};

/// The keys of the matrix that are looked for where none are configured.
const SERVICE_KEY: &str = "service";
const ENVIRONMENT_KEY: &str = "environment";
/// The environment of a run that names none.
pub const DEFAULT_ENVIRONMENT: &str = "default";

/// A configuration that holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Where services and environments come from, when a workflow has them.
    pub matrix: Option<MatrixSettings>,
    /// Fields for every service that does not set them.
    pub defaults: ServiceFields,
    /// The services by name, in the order of the file.
    pub services: IndexMap<String, ServiceConfig>,
    /// The environments by name, in order of promotion.
    pub environments: IndexMap<String, EnvironmentConfig>,
    /// How grave rules are everywhere.
    pub levels: Levels,
    /// Findings that are known and meant.
    pub accept: Vec<Accept>,
}

/// Which workflow lists the targets, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixSettings {
    /// The workflow's file, relative to the root of the repository.
    pub workflow: String,
    /// Where in the workflow.
    pub source: MatrixSource,
    /// The key of the matrix that holds the name of the service.
    pub service_key: String,
    /// The key of the matrix that holds the name of the environment.
    pub environment_key: String,
    /// The line of `matrix`.
    pub location: Location,
}

/// The part of a workflow that lists services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatrixSource {
    /// The `strategy.matrix` of this job.
    Job(String),
    /// The options of this `workflow_dispatch` input.
    Input(String),
}

/// What can be said of a service, of an environment, and of a service in an environment. `None`: not said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFields {
    /// The directory of the migrations, relative to the root of the repository.
    pub migrations: Option<Template>,
    /// Its image: a reference of a registry, or a path.
    pub image: Option<Template>,
    /// The program in the image that embeds the migrations.
    pub binary: Option<Template>,
    /// The database.
    pub database: Option<DatabaseTemplate>,
    /// What prints the password of its URL.
    pub password_command: Option<CommandTemplate>,
    /// Its tenants, where each has a history of its own.
    pub tenants: Option<TenantTemplate>,
    /// The history table.
    pub table: Option<String>,
    /// The name that services have in common which write to one history table.
    pub history_group: Option<String>,
    /// Mirrors `Migrator::set_ignore_missing`.
    pub ignore_missing: Option<bool>,
    /// Whether a database that cannot be read counts.
    pub required: Option<bool>,
    /// How old a snapshot may be that stands in for a database.
    pub max_age: Option<MaxAge>,
    /// How grave rules are here.
    pub levels: Levels,
}

/// Which schemas or databases are tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantTemplate {
    /// What they are.
    pub partition: Partition,
    /// Their names, as [`Selection::patterns`](crate::tenants::Selection::patterns) has them.
    pub patterns: Vec<Template>,
}

/// How a database is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseTemplate {
    /// By its URL.
    Url(UrlTemplate),
    /// By a command that hands it a query.
    Command {
        /// The command.
        command: CommandTemplate,
        /// Whose SQL the database speaks.
        engine: Engine,
        /// How the command is handed the query.
        query: QueryBy,
    },
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Its fields in every environment.
    pub fields: ServiceFields,
    /// What is different in one environment.
    pub environments: IndexMap<String, EnvironmentConfig>,
    /// The line of its name.
    pub location: Location,
}

/// An environment, or what a service says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentConfig {
    /// The fields.
    pub fields: ServiceFields,
    /// The line of its name.
    pub location: Location,
}

impl Config {
    /// The keys of the matrix that hold the names of services and of environments.
    pub fn matrix_keys(&self) -> (&str, &str) {
        let settings = self.matrix.as_ref();
        settings.map_or((SERVICE_KEY, ENVIRONMENT_KEY), |settings| (&settings.service_key, &settings.environment_key))
    }

    /// Whether there are services, and each has its own migrations directory.
    pub fn names_directories(&self) -> bool {
        !self.services.is_empty() && self.services.values().all(|service| service.fields.migrations.is_some())
    }
}

/// Reads the configuration `text`, which stands in `file`.
///
/// # Errors
/// Every mistake in it, in the order of the file; only broken YAML hides what comes after it.
pub fn read(text: &str, file: &str) -> Result<Config, Diagnostics> {
    let mut mistakes = Diagnostics::new(file, text);
    let mut document = match yaml::parse(text) {
        Ok(document) => document,
        Err(error) => {
            mistakes.push(Diagnostic::new(&error.span, format!("this is no YAML: {}", error.message)));
            return mistakes.into_result(Config::default());
        }
    };
    conceal_secrets(&document.root, &mut mistakes);
    for key in &document.duplicate_keys {
        let name = super::diagnostic::quote(key.as_str().unwrap_or_default());
        mistakes.push(
            Diagnostic::new(&key.span, format!("{name} stands twice in one mapping"))
                .hint("the first one counts: join the two, or remove one"),
        );
    }
    let raw = typed::typed(&mut document.root, &mut mistakes);
    let config = check::check(raw, &document.root, &mut mistakes);
    mistakes.into_result(config)
}

/// The JSON Schema of the file. `docs/migration-preflight.schema.json` is a copy of it, for editors.
pub fn schema() -> serde_json::Value {
    raw::schema()
}

/// Hides passwords that escapes or line breaks keep from showing in the text as what they are.
fn conceal_secrets(node: &Node, mistakes: &mut Diagnostics) {
    if let Some(text) = node.as_str().filter(|text| has_secret(text)) {
        mistakes.conceal(&node.span.range, text);
    }
    node.items().iter().for_each(|item| conceal_secrets(item, mistakes));
    for (key, value) in node.entries() {
        conceal_secrets(key, mistakes);
        conceal_secrets(value, mistakes);
    }
}
