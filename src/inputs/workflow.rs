//! The matrix of a job, or the options of a choice, read from a workflow file.
//!
//! It reads text that it is given and touches no file. What only a run knows is an error that says so.

mod budget;
mod error;
mod expression;
mod function;
mod scalar;
mod value;

use indexmap::IndexMap;
use serde_json::Value;

pub use error::WorkflowError;

use crate::finding::Location;
use crate::inputs::matrix::{self, Key, Kind, MatrixEntry, ServiceMatrix, Tree, text};
use crate::yaml::{self, Node, NodeKind};
use scalar::Reader;

/// Expands `jobs.<job>.strategy.matrix` of the workflow `source`, which stands in `file`.
///
/// # Errors
/// No YAML, no such job, no matrix, a matrix that GitHub would refuse, or one that only a run knows.
pub fn service_matrix(source: &str, file: &str, job: &str) -> Result<ServiceMatrix, WorkflowError> {
    let root = parse(source, file)?;
    let mut reader = Reader::new(file);
    let Some((jobs_key, jobs)) = root.entry("jobs").filter(|(_, jobs)| !jobs.entries().is_empty()) else {
        return Err(WorkflowError::NoJobs { location: reader.at(&root) });
    };
    let Some((job_key, body)) = jobs.entry(job) else {
        let location = reader.at(jobs_key);
        return Err(WorkflowError::NoSuchJob { job: job.to_owned(), jobs: names(jobs), location });
    };
    let no_matrix = WorkflowError::NoMatrix { job: job.to_owned(), location: reader.at(job_key) };
    let Some(strategy) = body.get("strategy") else {
        return Err(no_matrix);
    };
    let matrix = matrix_of(strategy, &mut reader)?.ok_or(no_matrix)?;
    Ok(matrix::expand(matrix, file)?)
}

/// The ids of the jobs of the workflow `source`, in order; none where it is no workflow.
pub fn jobs(source: &str) -> Vec<String> {
    parse(source, "").map(|root| root.get("jobs").map(names).unwrap_or_default()).unwrap_or_default()
}

/// The options of a choice among the inputs of `on.workflow_dispatch`, each an entry with `service_key`.
///
/// # Errors
/// No YAML, no such input, or one that lists no options.
pub fn input_options(source: &str, file: &str, input: &str, service_key: &str) -> Result<ServiceMatrix, WorkflowError> {
    let root = parse(source, file)?;
    let mut reader = Reader::new(file);
    let (key, body) = dispatch_input(&root, &reader, input)?;
    let (input, location) = (input.to_owned(), reader.at(key));
    if body.get("type").and_then(Node::as_str) != Some("choice") {
        return Err(WorkflowError::NotAChoice { input, location });
    }
    let Some((options_key, options)) = body.entry("options") else {
        return Err(WorkflowError::NoOptions { input, location });
    };
    let invalid = WorkflowError::InvalidOptions { input: input.clone(), location: reader.at(options_key) };
    let options = match reader.tree(options)?.kind {
        Kind::Sequence(options) if options.is_empty() => return Err(WorkflowError::NoOptions { input, location }),
        Kind::Sequence(options) => options,
        _ => return Err(invalid),
    };
    let entry = |option: Tree| {
        let declared = option.line.map(|line| Location { file: file.to_owned(), line });
        let name = text(&option.into_json()).filter(|name| !name.is_empty())?;
        Some(MatrixEntry { values: IndexMap::from([(service_key.to_owned(), Value::from(name))]), declared })
    };
    let entries = options.into_iter().map(entry).collect::<Option<_>>().ok_or(invalid)?;
    Ok(ServiceMatrix { entries, is_one_leg: false })
}

fn parse(source: &str, file: &str) -> Result<Node, WorkflowError> {
    let location = |line: u32| Location { file: file.to_owned(), line };
    let document = yaml::parse(source)
        .map_err(|error| WorkflowError::NotYaml { message: error.message, location: location(error.span.line) })?;
    match document.duplicate_keys.first() {
        None => Ok(document.root),
        Some(key) => Err(WorkflowError::DuplicateKey {
            key: key.as_str().unwrap_or_default().to_owned(),
            location: location(key.span.line),
        }),
    }
}

/// The matrix of a strategy, which may itself be an expression.
fn matrix_of(strategy: &Node, reader: &mut Reader<'_>) -> Result<Option<Tree>, WorkflowError> {
    if let NodeKind::Mapping(_) = &strategy.kind {
        return strategy.get("matrix").map(|matrix| reader.tree(matrix)).transpose();
    }
    Ok(match reader.tree(strategy)?.kind {
        Kind::Mapping(entries) => {
            let mut entries: Vec<(Key, Tree)> = entries;
            let place = entries.iter().position(|(key, _)| key.text == "matrix");
            place.map(|place| entries.swap_remove(place).1)
        }
        _ => None,
    })
}

fn dispatch_input<'root>(
    root: &'root Node,
    reader: &Reader<'_>,
    input: &str,
) -> Result<&'root (Node, Node), WorkflowError> {
    let Some((on_key, on)) = root.entry("on") else {
        return Err(WorkflowError::NoDispatch { location: reader.at(root) });
    };
    let missing = |location| WorkflowError::NoSuchInput { input: input.to_owned(), inputs: Vec::new(), location };
    let is_dispatch = |node: &Node| node.as_str() == Some("workflow_dispatch");
    let Some((dispatch_key, dispatch)) = on.entry("workflow_dispatch") else {
        let location = reader.at(on_key);
        let bare = is_dispatch(on) || on.items().iter().any(is_dispatch);
        return Err(if bare { missing(location) } else { WorkflowError::NoDispatch { location } });
    };
    let Some((inputs_key, inputs)) = dispatch.entry("inputs") else {
        return Err(missing(reader.at(dispatch_key)));
    };
    let is_wanted = |(key, _): &&(Node, Node)| key.as_str().is_some_and(|name| name.eq_ignore_ascii_case(input));
    inputs.entries().iter().find(is_wanted).ok_or_else(|| WorkflowError::NoSuchInput {
        input: input.to_owned(),
        inputs: names(inputs),
        location: reader.at(inputs_key),
    })
}

fn names(mapping: &Node) -> Vec<String> {
    mapping.entries().iter().filter_map(|(key, _)| key.as_str()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
