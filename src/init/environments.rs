//! The environments, in order of promotion: those that a workflow of the repository deploys to, else a guess.

use indexmap::IndexSet;

use super::services::Service;
use crate::inputs::matrix::{MatrixEntry, ServiceMatrix, text};
use crate::inputs::workflow;

/// Where the environments come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Promotion {
    /// Their names, in order.
    pub environments: Vec<String>,
    /// What names them: a workflow, and a job or an input of that.
    pub named_by: Option<(String, String)>,
    /// The workflow and job whose matrix is of these very services, so that it can say what is checked.
    pub matrix: Option<(String, String)>,
    /// Which service that matrix has in which environment; empty where it leaves that open.
    pub targets: Vec<(String, String)>,
}

/// Where the matrix of a job names services and environments.
const SERVICE: &str = "service";
const ENVIRONMENT: &str = "environment";

/// What the workflows of a repository say. Where one has a matrix of the services, they get the names that it gives them.
pub(super) fn of(workflows: &[(String, String)], services: &mut [Service]) -> Promotion {
    let mut promotion = Promotion { environments: Vec::new(), named_by: None, matrix: None, targets: Vec::new() };
    for (file, source) in workflows {
        for job in workflow::jobs(source) {
            let Ok(matrix) = workflow::service_matrix(source, file, &job) else { continue };
            let environments = names(&matrix, ENVIRONMENT);
            let is_better = promotion.matrix.is_none() && take_names(&names(&matrix, SERVICE), services);
            if is_better {
                promotion.matrix = Some((file.clone(), job.clone()));
                promotion.targets = targets(&matrix);
            }
            if !environments.is_empty() && (is_better || promotion.environments.is_empty()) {
                promotion.environments = environments;
                promotion.named_by = Some((file.clone(), format!("job `{job}`")));
            }
        }
    }
    for (file, source) in workflows.iter().filter(|_| promotion.environments.is_empty()) {
        if let Ok(options) = workflow::input_options(source, file, ENVIRONMENT, ENVIRONMENT) {
            promotion.environments = names(&options, ENVIRONMENT);
            promotion.named_by = Some((file.clone(), format!("input `{ENVIRONMENT}`")));
            break;
        }
    }
    if promotion.environments.is_empty() {
        promotion.environments = ["staging", "production"].map(str::to_owned).into();
    }
    promotion
}

/// The pairs of service and environment, where every entry has both.
fn targets(matrix: &ServiceMatrix) -> Vec<(String, String)> {
    let target = |entry: &MatrixEntry| Some((text(entry.get(SERVICE)?)?, text(entry.get(ENVIRONMENT)?)?));
    matrix.entries.iter().map(target).collect::<Option<_>>().unwrap_or_default()
}

/// The values under a key, each once and in order.
fn names(matrix: &ServiceMatrix, key: &str) -> Vec<String> {
    let values = matrix.entries.iter().filter_map(|entry| text(entry.get(key)?)).filter(|name| !name.trim().is_empty());
    values.collect::<IndexSet<_>>().into_iter().collect()
}

/// Renames the services to what a matrix calls them, if it names all of them and nothing else.
fn take_names(names: &[String], services: &mut [Service]) -> bool {
    let called = |service: &Service, name: &String| service.name == *name || service.aliases.contains(name);
    let named: Vec<Vec<&String>> =
        services.iter().map(|service| names.iter().filter(|name| called(service, name)).collect()).collect();
    let mut all: Vec<&String> = named.iter().filter_map(|names| names.first().copied()).collect();
    all.sort();
    all.dedup();
    let is_whole =
        named.iter().all(|names| names.len() == 1) && all.len() == services.len() && names.len() == all.len();
    if is_whole {
        services.iter_mut().zip(&named).for_each(|(service, names)| service.name = names[0].clone());
    }
    is_whole
}
