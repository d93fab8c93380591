//! The targets by name: those of the matrix, else services × environments, else what was found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{PlanError, PlanErrors};
use crate::finding::Location;
use crate::inputs::Inputs;
use crate::inputs::config::{DEFAULT_ENVIRONMENT, DatabaseTemplate, ServiceFields};
use crate::inputs::matrix::{MatrixEntry, ServiceMatrix, text};
use crate::inputs::template::{Placeholders, Template, UrlTemplate};

/// A target before its settings are looked up.
#[derive(Debug, Clone, Default)]
pub(super) struct Seed {
    pub service: String,
    pub environment: String,
    /// What the matrix entry says itself.
    pub fields: ServiceFields,
    /// The other values of the matrix entry, for placeholders.
    pub values: Vec<(String, String)>,
    /// The directory that the service was named after, where nothing is configured.
    pub directory: Option<PathBuf>,
    /// Whether the plan has no other service.
    pub is_alone: bool,
    pub declared: Option<Location>,
}

impl Seed {
    /// What placeholders stand for.
    pub fn placeholders(&self) -> Placeholders {
        let own = Placeholders::new(&self.service, &self.environment);
        self.values.iter().fold(own, |all, (name, value)| all.with(name, value))
    }
}

/// Every target by name, in order.
pub(super) fn seeds(inputs: &Inputs) -> Result<Vec<Seed>, PlanErrors> {
    let mut seeds = match &inputs.matrix {
        Some(matrix) => of_matrix(inputs, matrix)?,
        None => of_services(inputs)?,
    };
    let alone = seeds.iter().all(|seed| seed.service == seeds[0].service);
    seeds.iter_mut().for_each(|seed| seed.is_alone = alone);
    Ok(seeds)
}

pub(super) fn of_matrix(inputs: &Inputs, matrix: &ServiceMatrix) -> Result<Vec<Seed>, PlanErrors> {
    let (mut seeds, mut errors) = (Vec::new(), Vec::new());
    for entry in &matrix.entries {
        match of_entry(inputs, entry) {
            Ok(of_entry) => seeds.extend(of_entry),
            Err(error) => errors.push(error),
        }
    }
    // One mistake in a dimension shows in every entry that has it.
    errors.dedup();
    if errors.is_empty() { Ok(seeds) } else { Err(PlanErrors(errors)) }
}

/// The targets of one entry: one, or one a configured name where the entry leaves service or environment out.
fn of_entry(inputs: &Inputs, entry: &MatrixEntry) -> Result<Vec<Seed>, PlanError> {
    let config = &inputs.config;
    let (service_key, environment_key) = config.matrix_keys();
    let services = match name(entry, service_key)? {
        Some(service) => vec![service],
        None if !config.services.is_empty() => config.services.keys().cloned().collect(),
        None => {
            let keys = entry.values.keys().cloned().collect();
            return Err(PlanError::NoService { key: service_key.to_owned(), keys, declared: entry.declared.clone() });
        }
    };
    let environments = match name(entry, environment_key)? {
        Some(environment) => vec![environment],
        None => configured_environments(inputs),
    };
    let fields = fields(entry)?;
    let values: Vec<_> = entry.values.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect();
    let seed = |(service, environment): (String, String)| Seed {
        service,
        environment,
        fields: fields.clone(),
        values: values.clone(),
        declared: entry.declared.clone(),
        ..Seed::default()
    };
    Ok(product(&services, &environments).map(seed).collect())
}

/// The name under `key`; `None` where the entry has none, an error where what it has is no name.
fn name(entry: &MatrixEntry, key: &str) -> Result<Option<String>, PlanError> {
    let Some(value) = entry.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    match text(value).filter(|name| !name.trim().is_empty()) {
        Some(name) => Ok(Some(name)),
        None => Err(wrong(entry, key, "is not a name")),
    }
}

/// The fields of a service that a matrix entry carries itself.
fn fields(entry: &MatrixEntry) -> Result<ServiceFields, PlanError> {
    let given = |key: &str| entry.get(key).filter(|value| !value.is_null());
    let string =
        |key: &str| given(key).map(|value| text(value).ok_or_else(|| wrong(entry, key, "is not a text"))).transpose();
    let boolean = |key: &str| {
        given(key)
            .map(|value| match (value, text(value).as_deref()) {
                (Value::Bool(value), _) => Ok(*value),
                (_, Some("true")) => Ok(true),
                (_, Some("false")) => Ok(false),
                _ => Err(wrong(entry, key, "is neither true nor false")),
            })
            .transpose()
    };
    let invalid = |key: &'static str| move |error| wrong(entry, key, &format!("is not valid: {error}"));
    let secret = string("database-secret")?.map(|name| UrlTemplate::variable(&name));
    let url = string("database-url")?.map(|url| UrlTemplate::parse(&url));
    Ok(ServiceFields {
        migrations: string("migrations")?
            .map(|path| Template::parse_path(&path))
            .transpose()
            .map_err(invalid("migrations"))?,
        database: match secret {
            Some(secret) => Some(secret.map_err(invalid("database-secret"))?),
            None => url.transpose().map_err(invalid("database-url"))?,
        }
        .map(DatabaseTemplate::Url),
        image: string("image")?.map(|name| Template::parse(&name)).transpose().map_err(invalid("image"))?,
        binary: string("binary")?.map(|path| Template::parse(&path)).transpose().map_err(invalid("binary"))?,
        table: string("table")?,
        history_group: string("history-group")?.filter(|name| !name.trim().is_empty()),
        ignore_missing: boolean("ignore-missing")?,
        required: boolean("required")?,
        ..ServiceFields::default()
    })
}

fn wrong(entry: &MatrixEntry, key: &str, problem: &str) -> PlanError {
    PlanError::MatrixValue { key: key.to_owned(), problem: problem.to_owned(), declared: entry.declared.clone() }
}

/// Every configured service in every one of some environments.
pub(super) fn configured(inputs: &Inputs, environments: &[String]) -> Vec<Seed> {
    let config = &inputs.config;
    let services: Vec<_> = config.services.keys().cloned().collect();
    let seed = |(service, environment): (String, String)| {
        let declared = config.services.get(&service).map(|service| service.location.clone());
        Seed { service, environment, declared, ..Seed::default() }
    };
    product(&services, environments).map(seed).collect()
}

/// Configured services × configured environments; where no service is configured, the directories found.
fn of_services(inputs: &Inputs) -> Result<Vec<Seed>, PlanErrors> {
    let config = &inputs.config;
    let environments = configured_environments(inputs);
    if config.services.is_empty() {
        return of_directories(inputs, &environments);
    }
    Ok(configured(inputs, &environments))
}

/// One service for each directory, named after the folder that it stands in.
fn of_directories(inputs: &Inputs, environments: &[String]) -> Result<Vec<Seed>, PlanErrors> {
    let given = inputs.migrations.as_ref().map(PathBuf::from);
    let directories = given.map_or_else(|| inputs.found.clone(), |directory| vec![directory]);
    if directories.is_empty() {
        return Err(PlanError::NothingHere.into());
    }
    let holder = |directory: &Path| {
        let folder = inputs.root.join(directory);
        folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned())
    };
    let mut times: HashMap<Option<String>, usize> = HashMap::new();
    directories.iter().for_each(|directory| *times.entry(holder(directory)).or_default() += 1);
    let name = |directory: &PathBuf| match holder(directory) {
        Some(name) if times.get(&Some(name.clone())) == Some(&1) => name,
        _ => directory.parent().unwrap_or(directory).to_string_lossy().into_owned(),
    };
    let mut seeds = Vec::new();
    for directory in &directories {
        for environment in environments {
            let (service, environment) = (name(directory), environment.clone());
            seeds.push(Seed { service, environment, directory: Some(directory.clone()), ..Seed::default() });
        }
    }
    Ok(seeds)
}

fn configured_environments(inputs: &Inputs) -> Vec<String> {
    let configured: Vec<String> = inputs.config.environments.keys().cloned().collect();
    if configured.is_empty() { vec![DEFAULT_ENVIRONMENT.to_owned()] } else { configured }
}

fn product<'a>(services: &'a [String], environments: &'a [String]) -> impl Iterator<Item = (String, String)> + 'a {
    services.iter().flat_map(move |service| environments.iter().map(move |e| (service.clone(), e.clone())))
}
