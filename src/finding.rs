//! Findings: which rule, how grave, about what. Vocabulary, no I/O.

mod facts;
mod rule;

pub use facts::Facts;
pub use rule::Rule;

use serde::{Deserialize, Serialize};

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
