//! The database of a target: as configured; else `DATABASE_URL` where there is nothing to mistake it for.

use super::seeds::Seed;
use super::{Layers, Variables};
use crate::history::{Command, Database, DatabaseCommand, DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl};
use crate::inputs::Inputs;
use crate::inputs::config::DatabaseTemplate;
use crate::inputs::template::{CommandTemplate, Placeholders, UrlTemplate, upper_snake};
use crate::tenants::Selection;

/// Said where no flag helps.
const FORK: &str = "this run has secrets, and what is checked out may be a fork's";

/// Where the history of a target is to be read.
///
/// # Errors
/// Nothing leads to a database; or what does is not set, not given to this run, or not allowed.
pub(super) fn database(
    inputs: &Inputs,
    layers: &Layers,
    seed: &Seed,
    only_one: bool,
    variables: Variables,
) -> Result<Database, DatabaseError> {
    let placeholders = &seed.placeholders();
    let command = |template| command(inputs, template, placeholders, variables);
    let database = match layers.find(|fields| fields.database.as_ref()) {
        Some(DatabaseTemplate::Command { command: template, engine, query }) => {
            let made = |command| DatabaseCommand { command, engine: *engine, query: *query };
            command(template).map(made).map(Database::Command)
        }
        Some(DatabaseTemplate::Url(url)) => url.resolve(placeholders, variables).map(Database::Url),
        None => unconfigured(seed, placeholders, only_one, variables).map(Database::Url),
    };
    let password = layers.find(|fields| fields.password_command.as_ref());
    let database = database.and_then(|database| match (database, password) {
        (Database::Url(url), Some(template)) => Ok(Database::Url(url.with_password_of(command(template)?))),
        (database, _) => Ok(database),
    });
    database.map_err(|error| error.withheld_from(inputs.without_secrets))
}

/// The database, which can have the `tenants` that it is said to have.
///
/// # Errors
/// It keeps tenants apart in another way, or has them read by a command.
pub(super) fn partitioned(database: Database, tenants: Option<&Selection>) -> Result<Database, DatabaseError> {
    let Some(Selection { partition, .. }) = tenants else { return Ok(database) };
    match &database {
        Database::Command(_) => Err(DatabaseError::new(Kind::TenantsBehindCommand, "")),
        database if database.engine().partition() != Some(*partition) => {
            Err(DatabaseError::new(Kind::NotPartitioned(*partition), ""))
        }
        _ => Ok(database),
    }
}

/// The command, where this run may run any.
fn command(
    inputs: &Inputs,
    template: &CommandTemplate,
    placeholders: &Placeholders,
    variables: Variables,
) -> Result<Command, DatabaseError> {
    if let Some(whom) = inputs.without_secrets {
        return Err(DatabaseError::new(Kind::CommandWithheld { whom }, ""));
    }
    if !inputs.commands.is_allowed() {
        let detail = if inputs.commands.is_of_fork { FORK } else { "" };
        return Err(DatabaseError::new(Kind::CommandNotAllowed, detail));
    }
    template.resolve(placeholders, variables)
}

/// The database of a target for which none is configured.
fn unconfigured(
    seed: &Seed,
    placeholders: &Placeholders,
    only_one: bool,
    variables: Variables,
) -> Result<DatabaseUrl, DatabaseError> {
    let own = format!("{}_DATABASE_URL", upper_snake(&seed.service));
    let is_set = |name: &str| variables(name).is_some_and(|value| !value.trim().is_empty());
    let variable = match (only_one, seed.directory.is_some()) {
        (true, _) => "DATABASE_URL",
        (false, true) if is_set(&own) => &own,
        (false, true) => "DATABASE_URL",
        (false, false) => return Err(DatabaseError::new(Kind::NotConfigured, "")),
    };
    let invalid = |error| DatabaseError::new(Kind::NotConfigured, format!("{error}"));
    UrlTemplate::variable(variable).map_err(invalid)?.resolve(placeholders, variables)
}
