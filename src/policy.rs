//! What somebody has decided about findings: levels, accepted ones, and from where on a run fails.
//! Vocabulary, no I/O. Nothing here changes what would happen at start-up.

use std::collections::BTreeMap;

use crate::finding::{Finding, Location, Rule, Severity};
use crate::migration::Version;

/// What configuration says of a rule: a severity, or `None` to ignore it.
pub type Levels = BTreeMap<Rule, Option<Severity>>;

/// Whether the findings of a rule are dropped.
pub fn ignores(levels: &Levels, rule: Rule) -> bool {
    levels.get(&rule).is_some_and(Option::is_none)
}

/// An `accept` entry of the configuration: a finding that is known and meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// Which rule.
    pub rule: Rule,
    /// Only for this service.
    pub service: Option<String>,
    /// Only in this environment.
    pub environment: Option<String>,
    /// Only for this version.
    pub version: Option<Version>,
    /// Only for this file, relative to the root of the repository.
    pub file: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Where the entry stands.
    pub location: Location,
}

impl Accept {
    /// Whether this entry takes in `finding`.
    pub fn matches(&self, finding: &Finding) -> bool {
        self.rule == finding.rule()
            && self.service.as_deref().is_none_or(|service| finding.scope.service() == Some(service))
            && self.environment.as_ref().is_none_or(|name| finding.scope.environments().contains(name))
            && self.version.is_none_or(|version| finding.facts.version() == Some(version))
            && self.file.as_deref().is_none_or(|file| finding.facts.file() == Some(file))
    }

    /// Whether this entry says of which target it is.
    pub fn names_a_target(&self) -> bool {
        self.service.is_some() && self.environment.is_some()
    }

    /// Whether the target of `service` in `environment` could have a finding that this entry matches.
    pub fn concerns(&self, service: &str, environment: &str) -> bool {
        self.service.as_deref().is_none_or(|name| name == service)
            && self.environment.as_deref().is_none_or(|name| name == environment)
    }
}

/// How a run judges, beside what each target says itself.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Known and meant findings.
    pub accept: Vec<Accept>,
    /// The levels for findings that belong to no target.
    pub levels: Levels,
    /// The environments in order of promotion; empty where configuration gives none.
    pub promotion: Vec<String>,
    /// Service and environment of the targets that filters left out of this run.
    pub left_out: Vec<(String, String)>,
    /// Whether there are other targets that this run knows nothing of, as where it was given one leg of a matrix.
    pub is_part: bool,
    /// What the change has to answer for, where the run is about one.
    pub gate: Gate,
}

/// What a change has to answer for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Gate {
    /// Everything that is found.
    #[default]
    All,
    /// What its base does not have against the same histories. Without a base, everything.
    Introduced,
}

/// From which severity on findings fail a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Errors fail.
    #[default]
    Error,
    /// Errors and warnings fail.
    Warning,
    /// Everything that is found fails.
    Notice,
    /// Nothing that is found fails; what could not be read still makes the run incomplete.
    Never,
}

impl FailOn {
    /// Whether a finding of `severity` fails the run. Incomplete ones never do: they have a verdict of their own.
    pub fn is_reached_by(self, severity: Severity) -> bool {
        let threshold = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Notice => Severity::Notice,
            Self::Never => return false,
        };
        severity != Severity::Incomplete && severity >= threshold
    }
}
