//! What can be wrong with a workflow, or keep a matrix from being read out of it.

use crate::finding::Location;
use crate::inputs::matrix::{MatrixError, list, quoted};
use crate::text::harmless;

/// Why a workflow gave no matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// The file is no YAML.
    #[error("not valid YAML: {message}")]
    NotYaml {
        /// What the parser says.
        message: String,
        /// Where.
        location: Location,
    },
    /// A key stands twice in one mapping; GitHub ignores the case of keys.
    #[error("the key {} stands here a second time", quoted(.key))]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands the second time.
        location: Location,
    },
    /// The file has no mapping under `jobs`.
    #[error("the workflow has no jobs")]
    NoJobs {
        /// Where they were expected.
        location: Location,
    },
    /// There is no job of this name.
    #[error("the workflow has no job {}", quoted(.job))]
    NoSuchJob {
        /// The name that was asked for.
        job: String,
        /// The jobs that there are.
        jobs: Vec<String>,
        /// The `jobs` key.
        location: Location,
    },
    /// The job has no `strategy.matrix`.
    #[error("the job {} has no matrix", quoted(.job))]
    NoMatrix {
        /// The job.
        job: String,
        /// The job.
        location: Location,
    },
    /// An expression whose value is only known when the workflow runs.
    #[error("{} is only known when the workflow runs", quoted(&format!("${{{{ {expression} }}}}")))]
    RunTime {
        /// The expression.
        expression: String,
        /// Where.
        location: Location,
    },
    /// An expression that can never have a value.
    #[error("{} cannot be evaluated: {}", quoted(.expression), harmless(.reason))]
    InvalidExpression {
        /// The expression.
        expression: String,
        /// Why not.
        reason: String,
        /// Where.
        location: Location,
    },
    /// A number that GitHub cannot read: hexadecimal or octal, and more than 32 bits.
    #[error("{} is not a number that GitHub can read", quoted(.text))]
    InvalidNumber {
        /// The number as it is written.
        text: String,
        /// Where.
        location: Location,
    },
    /// A key that is a sequence or a mapping.
    #[error("a key must be a scalar")]
    InvalidKey {
        /// Where.
        location: Location,
    },
    /// The matrix itself is wrong.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// The workflow is not started by `workflow_dispatch`.
    #[error("the workflow has no `on.workflow_dispatch`")]
    NoDispatch {
        /// Where it was expected.
        location: Location,
    },
    /// `workflow_dispatch` has no input of this name.
    #[error("`workflow_dispatch` has no input {}", quoted(.input))]
    NoSuchInput {
        /// The name that was asked for.
        input: String,
        /// The inputs that there are.
        inputs: Vec<String>,
        /// Where it was expected.
        location: Location,
    },
    /// The input is not of the type `choice`.
    #[error("the input {} is not of the type `choice`", quoted(.input))]
    NotAChoice {
        /// The input.
        input: String,
        /// The input.
        location: Location,
    },
    /// The options of the input are no sequence of strings.
    #[error("`options` of the input {} is not a sequence of strings", quoted(.input))]
    InvalidOptions {
        /// The input.
        input: String,
        /// Where.
        location: Location,
    },
    /// The input has no options at all.
    #[error("the input {} has no options", quoted(.input))]
    NoOptions {
        /// The input.
        input: String,
        /// The input.
        location: Location,
    },
}

impl WorkflowError {
    /// Where the mistake stands.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Matrix(error) => error.location(),
            Self::NotYaml { location, .. }
            | Self::DuplicateKey { location, .. }
            | Self::NoJobs { location }
            | Self::NoSuchJob { location, .. }
            | Self::NoMatrix { location, .. }
            | Self::RunTime { location, .. }
            | Self::InvalidExpression { location, .. }
            | Self::InvalidNumber { location, .. }
            | Self::InvalidKey { location }
            | Self::NoDispatch { location }
            | Self::NoSuchInput { location, .. }
            | Self::NotAChoice { location, .. }
            | Self::InvalidOptions { location, .. }
            | Self::NoOptions { location, .. } => Some(location),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NotYaml { .. } => "GitHub cannot read this file either; mend it first".into(),
            Self::DuplicateKey { .. } => "remove one of the two; GitHub ignores the case of keys".into(),
            Self::NoJobs { .. } => "name a workflow file, as `.github/workflows/deploy.yml`".into(),
            Self::NoSuchJob { job, jobs, .. } => choices(job, jobs, "job"),
            Self::NoMatrix { job, .. } => {
                format!("name the job that has one, or give {} a `strategy.matrix`", quoted(job))
            }
            Self::RunTime { .. } => {
                "pass the matrix itself: `matrix: ${{ toJSON(matrix) }}` to the action, or `--matrix JSON`".into()
            }
            Self::InvalidExpression { .. } => "GitHub would refuse this workflow; mend the expression".into(),
            Self::InvalidNumber { .. } => "quote it if it is meant as a string".into(),
            Self::InvalidKey { .. } => "write the key as a plain word".into(),
            Self::Matrix(error) => error.help(),
            Self::NoDispatch { .. } => "name the workflow whose `on.workflow_dispatch.inputs` has the input".into(),
            Self::NoSuchInput { input, inputs, .. } => choices(input, inputs, "input"),
            Self::NotAChoice { .. } => "only an input with `type: choice` lists its options".into(),
            Self::InvalidOptions { .. } => "write `options: [content-service, …]`".into(),
            Self::NoOptions { .. } => "add the services under `options`".into(),
        }
    }
}

/// Which names there are, and which one was probably meant.
fn choices(wanted: &str, names: &[String], what: &str) -> String {
    let similarity = |name: &String| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let closest = names.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let meant = closest.filter(|name| similarity(name) > 0.8).map(|name| format!("did you mean {}? ", quoted(name)));
    let there_is = match names {
        [] => format!("there is no {what}"),
        [only] => format!("the only {what} is {}", quoted(only)),
        names => format!("the {what}s are {}", list(names)),
    };
    format!("{}{there_is}", meant.unwrap_or_default())
}
