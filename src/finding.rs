//! Findings: which rule, how grave, about what. Vocabulary, no I/O.

mod changed;
mod explanation;
mod facts;
mod rule;
mod shared;
mod words;

pub use changed::{Application, ChangedMigration};
pub use explanation::{Cause, Commit, Difference, Explanation};
pub use facts::{Behind, Facts};
pub use rule::Rule;
pub use shared::{SharedHistory, Theirs};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::tenants::{Tenants, place};

/// How grave a finding is. The order is from harmless to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Ought to be looked at.
    Warning,
    /// Something could not be read, so the verdict cannot be a pass. Never counts towards exit code 1.
    Incomplete,
    /// The service would not start, or would do what nobody wants.
    Error,
}

impl Severity {
    /// The word that reports use.
    pub fn id(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Incomplete => "incomplete",
            Self::Error => "error",
        }
    }
}

/// A line of a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Relative to the root of the repository, with `/` between its parts.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One target.
    Target {
        /// Its service.
        service: String,
        /// Its environment.
        environment: String,
        /// Its tenants that agree, where it has some.
        tenants: Option<Arc<Tenants>>,
    },
    /// Several environments of one service.
    Service {
        /// The service.
        service: String,
        /// The environments, in order of the plan.
        environments: Vec<String>,
    },
    /// The run as a whole.
    Run,
}

impl Scope {
    /// The service, unless it is the whole run.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Target { service, .. } | Self::Service { service, .. } => Some(service),
            Self::Run => None,
        }
    }

    /// The one environment, and which of its tenants are meant; else the environments.
    pub fn places(&self) -> Vec<String> {
        match self {
            Self::Target { environment, tenants, .. } => vec![place(environment, tenants.as_deref())],
            Self::Service { .. } | Self::Run => self.environments().to_vec(),
        }
    }

    /// The tenants that are meant, where it is one target that has some.
    pub fn tenants(&self) -> Option<&Arc<Tenants>> {
        match self {
            Self::Target { tenants, .. } => tenants.as_ref(),
            Self::Service { .. } | Self::Run => None,
        }
    }

    /// The environments.
    pub fn environments(&self) -> &[String] {
        match self {
            Self::Target { environment, .. } => std::slice::from_ref(environment),
            Self::Service { environments, .. } => environments,
            Self::Run => &[],
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is the case. The rule follows from it.
    pub facts: Facts,
    /// How grave it is, configuration having had its say.
    pub severity: Severity,
    /// Which target, service or run.
    pub scope: Scope,
    /// The line to show it at: of a migration (real or would-be), of the workflow, or of the configuration.
    pub location: Option<Location>,
    /// Who, when and how to mend it, where the repository's history says so.
    pub explanation: Option<Box<Explanation>>,
}

impl Finding {
    /// The rule that fired.
    pub fn rule(&self) -> Rule {
        self.facts.rule()
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The findings that count, gravest first.
    pub open: Vec<Finding>,
    /// The findings that an `accept` entry takes in, each with its reason.
    pub accepted: Vec<(Finding, String)>,
    /// The findings that the base of the change has too, where it answers only for what it introduces.
    pub already_so: Vec<Finding>,
    /// Service and environment of the targets that could not be read and that such a change does not touch.
    pub excused: Vec<(String, String)>,
}
