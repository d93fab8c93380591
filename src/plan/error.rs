//! Why no plan can be made.

use std::fmt;

use crate::finding::Location;
use crate::inputs::template::TemplateError;
use crate::text::harmless;

/// Everything that stands in the way of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanErrors(pub Vec<PlanError>);

impl std::error::Error for PlanErrors {}

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\nerror: " };
            let place = error.declared().map(|at| format!("{at}: ")).unwrap_or_default();
            write!(f, "{line}{place}{error}\n  help: {}", error.help())?;
        }
        Ok(())
    }
}

impl From<PlanError> for PlanErrors {
    fn from(error: PlanError) -> Self {
        Self(vec![error])
    }
}

/// One thing that stands in the way of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No configuration, no matrix, and no migrations to be found.
    #[error("there are no migrations here: no configuration, no service matrix, and no `migrations` directory")]
    NothingHere,
    /// A filter names what the plan does not have.
    #[error("there is no {what} `{}`; there is {}", harmless(.name), list(.known))]
    Unknown {
        /// `service` or `environment`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The filters together leave nothing.
    #[error("no target has both that service and that environment")]
    NothingLeft,
    /// No entry of the matrix has the key of services.
    #[error("the matrix has no `{}`; its keys are {}", harmless(.key), list(.keys))]
    NoService {
        /// The key that was looked for.
        key: String,
        /// The keys that there are.
        keys: Vec<String>,
        /// Where the entry stands.
        declared: Option<Location>,
    },
    /// A value of the matrix is not of the form that the field takes.
    #[error("`{key}` of this matrix entry {problem}")]
    MatrixValue {
        /// The field.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// Where the entry stands.
        declared: Option<Location>,
    },
    /// No migrations directory.
    #[error("the service `{}` has no migrations directory{}", harmless(.service), what_there_is(.found))]
    NoDirectory {
        /// The service.
        service: String,
        /// The directories that were found.
        found: Vec<String>,
        /// Where the service is declared.
        declared: Option<Location>,
    },
    /// An image is to be read, and nothing names it.
    #[error("the service `{}` has no image", harmless(.service))]
    NoImage {
        /// The service.
        service: String,
        /// Where the service is declared.
        declared: Option<Location>,
    },
    /// A path or name that does not come out as one.
    #[error("{} in {}: {error}", harmless(.service), harmless(.environment))]
    Template {
        /// The service.
        service: String,
        /// The environment.
        environment: String,
        /// What is wrong.
        error: TemplateError,
        /// Where the target is declared.
        declared: Option<Location>,
    },
    /// One target twice, with other settings.
    #[error("the matrix names {} in {} twice, with different settings", harmless(.service), harmless(.environment))]
    Conflict {
        /// The service.
        service: String,
        /// The environment.
        environment: String,
        /// Where the second one stands.
        declared: Option<Location>,
    },
}

fn what_there_is(directories: &[String]) -> String {
    if directories.is_empty() { String::new() } else { format!("; there is {}", list(directories)) }
}

/// The names of somebody else's matrix or file system, for a message.
fn list(names: &[String]) -> String {
    names.iter().map(|name| harmless(name)).collect::<Vec<_>>().join(", ")
}

impl PlanError {
    /// Where the mistake stands, where it stands in a file.
    pub fn declared(&self) -> Option<&Location> {
        match self {
            Self::NoService { declared, .. }
            | Self::MatrixValue { declared, .. }
            | Self::NoDirectory { declared, .. }
            | Self::NoImage { declared, .. }
            | Self::Template { declared, .. }
            | Self::Conflict { declared, .. } => declared.as_ref(),
            Self::NothingHere | Self::Unknown { .. } | Self::NothingLeft => None,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NothingHere => "run it in a crate that has migrations, or write .github/migration-preflight.yml",
            Self::Unknown { .. } => "correct --service or --environment",
            Self::NothingLeft => "correct --service and --environment",
            Self::NoService { .. } => "set `matrix.service-key` in the configuration to the key that names services",
            Self::MatrixValue { .. } => "correct the value in the matrix, or give it in the configuration",
            Self::NoDirectory { .. } => {
                "set `migrations` for the service, or `defaults.migrations: path/of/{service}/migrations`"
            }
            Self::NoImage { .. } => {
                "name it: `--source image:REF`, or `image` for the service in configuration or matrix"
            }
            Self::Template { .. } => "correct the name, or give the service a path without this placeholder",
            Self::Conflict { .. } => "give both entries the same settings, or another service or environment",
        }
    }
}
