//! From what a run is told to what it checks: every target with its directory, database and settings. Pure:
//! environment variables come in as a function.

mod beside;
mod database;
mod error;
mod seeds;
mod stand_in;

pub use error::{PlanError, PlanErrors};
pub use stand_in::stand_in;

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::inputs::Inputs;
use crate::inputs::config::{ServiceFields, TenantTemplate};
use crate::inputs::template::{Placeholders, Template, TemplateError};
use crate::policy::{Gate, Levels, Policy};
use crate::source::{Source, SourceChoice};
use crate::target::Target;
use crate::tenants::Selection;
use database::database;
use seeds::Seed;

/// What a run checks, and by which policy it judges.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The targets that the filters leave, in order.
    pub targets: Vec<Target>,
    /// Targets that are not checked, and may write to the history tables of those that are.
    pub beside: Vec<Target>,
    /// What the comparison has to know beside them.
    pub policy: Policy,
}

/// The value of an environment variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Makes the plan. `variables` gives the values of environment variables.
///
/// # Errors
/// Every target that cannot be planned. A target without a usable database is no error: it is in the plan, and
/// reported.
pub fn plan(inputs: &Inputs, variables: Variables) -> Result<Plan, PlanErrors> {
    let seeds = seeds::seeds(inputs)?;
    let (seeds, left_out) = filter(inputs, seeds)?;
    let only_one = seeds.len() == 1;
    let (mut targets, mut errors) = (IndexMap::new(), Vec::new());
    for seed in &seeds {
        match target(inputs, seed, only_one, variables) {
            Ok(target) => add(&mut targets, target, &mut errors),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(PlanErrors(errors));
    }
    let beside = beside::beside(inputs, &seeds, &left_out, variables);
    let left_out = left_out.into_iter().map(|seed| (seed.service, seed.environment)).collect();
    let config = &inputs.config;
    let policy = Policy {
        accept: config.accept.clone(),
        levels: config.levels.clone(),
        promotion: config.environments.keys().cloned().collect(),
        left_out,
        is_part: inputs.matrix.as_ref().is_some_and(|matrix| matrix.is_one_leg),
        gate: Gate::default(),
    };
    Ok(Plan { targets: targets.into_values().collect(), beside, policy })
}

type Name = (String, String);

/// The seeds that the filters leave, and the others.
fn filter(inputs: &Inputs, seeds: Vec<Seed>) -> Result<(Vec<Seed>, Vec<Seed>), PlanErrors> {
    let known = |name: fn(&Seed) -> &String| {
        let names: indexmap::IndexSet<_> = seeds.iter().map(|seed| name(seed).clone()).collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let (services, environments) = (known(|seed| &seed.service), known(|seed| &seed.environment));
    let unknown = |what, wanted: &[String], known: &[String]| {
        let absent = wanted.iter().filter(|name| !known.contains(name));
        let error = |name: &String| PlanError::Unknown { what, name: name.clone(), known: known.to_vec() };
        absent.map(error).collect::<Vec<_>>()
    };
    let mut errors = unknown("service", &inputs.services, &services);
    errors.extend(unknown("environment", &inputs.environments, &environments));
    if !errors.is_empty() {
        return Err(PlanErrors(errors));
    }
    let wanted = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    let (kept, left_out): (Vec<_>, Vec<_>) = seeds
        .into_iter()
        .partition(|seed| wanted(&inputs.services, &seed.service) && wanted(&inputs.environments, &seed.environment));
    // A matrix that excludes everything leaves nothing to check, and nothing to complain of either.
    if kept.is_empty() && !left_out.is_empty() {
        return Err(PlanErrors(vec![PlanError::NothingLeft]));
    }
    Ok((kept, left_out))
}

/// Adds a target. A matrix may name one several times (for other dimensions), but not with other settings.
fn add(targets: &mut IndexMap<Name, Target>, target: Target, errors: &mut Vec<PlanError>) {
    let name = (target.service.clone(), target.environment.clone());
    match targets.get(&name) {
        None => drop(targets.insert(name, target)),
        Some(first) if (Target { declared: first.declared.clone(), ..target.clone() }) == *first => {}
        Some(_) => {
            let Target { service, environment, declared, .. } = target;
            errors.push(PlanError::Conflict { service, environment, declared });
        }
    }
}

fn target(inputs: &Inputs, seed: &Seed, only_one: bool, variables: Variables) -> Result<Target, PlanError> {
    let layers = Layers::new(inputs, seed);
    let placeholders = seed.placeholders();
    let template_error = |error| PlanError::Template {
        service: seed.service.clone(),
        environment: seed.environment.clone(),
        error,
        declared: seed.declared.clone(),
    };
    let migrations = match (&inputs.migrations, layers.find(|fields| fields.migrations.as_ref())) {
        (Some(given), _) => {
            let filled = Template::parse(given).and_then(|template| template.fill(&placeholders));
            PathBuf::from(filled.map_err(template_error)?)
        }
        (None, Some(template)) => template.fill_path(&placeholders).map_err(template_error)?,
        (None, None) => found_directory(inputs, seed)?,
    };
    let no_image = || PlanError::NoImage { service: seed.service.clone(), declared: seed.declared.clone() };
    let source = source(inputs, &layers, &placeholders).map_err(template_error)?.ok_or_else(no_image)?;
    let binary = layers.find(|fields| fields.binary.as_ref()).map(|binary| binary.fill(&placeholders));
    let tenants = layers.find(|fields| fields.tenants.as_ref()).map(|tenants| selection(tenants, &placeholders));
    let tenants = tenants.transpose().map_err(template_error)?;
    Ok(Target {
        service: seed.service.clone(),
        environment: seed.environment.clone(),
        migrations,
        source,
        binary: binary.transpose().map_err(template_error)?,
        database: database(inputs, &layers, seed, only_one, variables)
            .and_then(|database| database::partitioned(database, tenants.as_ref())),
        tenants,
        max_age: layers.find(|fields| fields.max_age.as_ref()).copied(),
        table: layers.find(|fields| fields.table.as_ref()).cloned(),
        history_group: layers.find(|fields| fields.history_group.as_ref()).cloned(),
        ignore_missing: layers.find(|fields| fields.ignore_missing.as_ref()).copied().unwrap_or(false),
        required: layers.find(|fields| fields.required.as_ref()).copied().unwrap_or(true),
        levels: layers.levels(&inputs.config.levels),
        declared: seed.declared.clone(),
    })
}

/// The places where a field of a target may stand, the most specific first.
struct Layers<'a>(Vec<&'a ServiceFields>);

impl<'a> Layers<'a> {
    fn new(inputs: &'a Inputs, seed: &'a Seed) -> Self {
        let config = &inputs.config;
        let service = config.services.get(&seed.service);
        let here = service.and_then(|service| service.environments.get(&seed.environment));
        let environment = config.environments.get(&seed.environment);
        let configured = [
            here.map(|here| &here.fields),
            service.map(|service| &service.fields),
            environment.map(|environment| &environment.fields),
            Some(&config.defaults),
        ];
        Self(std::iter::once(&seed.fields).chain(configured.into_iter().flatten()).collect())
    }

    fn find<T>(&self, field: impl Fn(&'a ServiceFields) -> Option<&'a T>) -> Option<&'a T> {
        self.0.iter().find_map(|fields| field(fields))
    }

    /// The levels of all layers over those of the whole run.
    fn levels(&self, run: &Levels) -> Levels {
        let mut levels = run.clone();
        for fields in self.0.iter().rev() {
            levels.extend(fields.levels.iter().map(|(rule, level)| (*rule, *level)));
        }
        levels
    }
}

/// Where the code side is read; nowhere, if that is an image and nothing names it.
fn source(inputs: &Inputs, layers: &Layers, placeholders: &Placeholders) -> Result<Option<Source>, TemplateError> {
    let fill = |template: &Template| template.fill(placeholders);
    let given = |text: &String| fill(&Template::parse(text)?);
    Ok(Some(match &inputs.source {
        SourceChoice::Directory(_) => Source::Directory,
        // `HEAD@{1}` and `v1^{commit}` are git's own.
        SourceChoice::Revision(name) if name.contains("@{") || name.contains("^{") => Source::Revision(name.clone()),
        SourceChoice::Revision(name) => Source::Revision(given(name)?),
        SourceChoice::Binary(path) => Source::Binary(given(path)?.into()),
        SourceChoice::Image(place) => {
            let configured = layers.find(|fields| fields.image.as_ref()).map(fill);
            let Some(name) = place.as_ref().map(given).or(configured).transpose()? else { return Ok(None) };
            Source::Image(name)
        }
    }))
}

/// Which tenants a target has.
fn selection(template: &TenantTemplate, placeholders: &Placeholders) -> Result<Selection, TemplateError> {
    let patterns = template.patterns.iter().map(|pattern| pattern.fill(placeholders)).collect::<Result<_, _>>()?;
    Ok(Selection { partition: template.partition, patterns })
}

/// The directory of a service that no configuration gives one: the found one that is named after it.
fn found_directory(inputs: &Inputs, seed: &Seed) -> Result<PathBuf, PlanError> {
    if let Some(directory) = &seed.directory {
        return Ok(directory.clone());
    }
    let named = |directory: &&PathBuf| {
        directory.parent().and_then(Path::file_name).is_some_and(|name| name.to_string_lossy() == seed.service)
    };
    let mut candidates = inputs.found.iter().filter(named);
    match (candidates.next(), candidates.next(), inputs.found.as_slice()) {
        (Some(directory), None, _) => Ok(directory.clone()),
        (None, _, [only]) if seed.is_alone => Ok(only.clone()),
        _ => Err(PlanError::NoDirectory {
            service: seed.service.clone(),
            found: inputs.found.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            declared: seed.declared.clone(),
        }),
    }
}

#[cfg(test)]
mod tests;
