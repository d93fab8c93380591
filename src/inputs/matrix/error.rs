//! What can be wrong with the definition of a matrix, wherever it was read.

use crate::finding::Location;
use crate::text::{harmless, mask};

/// A matrix that GitHub would refuse as well. The location is absent when it was not read from a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// The text is no JSON.
    #[error("not valid JSON: {message}")]
    NotJson {
        /// What the parser says, its line and column included.
        message: String,
    },
    /// The matrix is neither a mapping nor, in JSON, an array.
    #[error("the matrix is {found}, not a mapping")]
    NotAMatrix {
        /// What stands there.
        found: &'static str,
        /// Where.
        location: Option<Location>,
    },
    /// A vector, `include` or `exclude` is no sequence.
    #[error("{} of the matrix is {found}, not a sequence", quoted(.key))]
    NotASequence {
        /// The key of the matrix.
        key: String,
        /// What stands there.
        found: &'static str,
        /// Where.
        location: Option<Location>,
    },
    /// An item of `include` or `exclude`, or an entry in JSON, is no mapping.
    #[error("an item of {} is {found}, not a mapping", quoted(.key))]
    NotAMapping {
        /// `include`, `exclude` or `matrix`.
        key: String,
        /// What stands there.
        found: &'static str,
        /// Where.
        location: Option<Location>,
    },
    /// A vector without values.
    #[error("{} of the matrix has no values", quoted(.key))]
    EmptyVector {
        /// The key of the matrix.
        key: String,
        /// Where.
        location: Option<Location>,
    },
    /// An item of `include` or `exclude` without keys.
    #[error("an item of {} is empty", quoted(.key))]
    EmptyItem {
        /// `include`, `exclude` or `matrix`.
        key: String,
        /// Where.
        location: Option<Location>,
    },
    /// An empty string as a key.
    #[error("a key of the matrix is empty")]
    EmptyKey {
        /// Where.
        location: Option<Location>,
    },
    /// Neither a vector nor an item of `include`.
    #[error("the matrix defines nothing")]
    NothingDefined {
        /// Where.
        location: Option<Location>,
    },
    /// `exclude` names what is no vector.
    #[error("`exclude` names {}, which is no key of the matrix", quoted(.key))]
    UnknownExcludeKey {
        /// The unknown key.
        key: String,
        /// The vectors that there are.
        vectors: Vec<String>,
        /// Where.
        location: Option<Location>,
    },
    /// More combinations than are worth the memory.
    #[error("the matrix is too large: {} combinations", .combinations.map_or("countless".into(), |n| n.to_string()))]
    TooLarge {
        /// How many combinations the vectors have; none when they cannot be counted.
        combinations: Option<usize>,
        /// Where.
        location: Option<Location>,
    },
}

impl MatrixError {
    /// Where the mistake stands.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::NotJson { .. } => None,
            Self::NotAMatrix { location, .. }
            | Self::NotASequence { location, .. }
            | Self::NotAMapping { location, .. }
            | Self::EmptyVector { location, .. }
            | Self::EmptyItem { location, .. }
            | Self::EmptyKey { location }
            | Self::NothingDefined { location }
            | Self::UnknownExcludeKey { location, .. }
            | Self::TooLarge { location, .. } => location.as_ref(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NotJson { .. } => "give an array of objects, a matrix definition, or `${{ toJSON(matrix) }}`".into(),
            Self::NotAMatrix { .. } => "a matrix maps each of its keys to a sequence of values".into(),
            Self::NotASequence { key, .. } if ["include", "exclude"].contains(&key.as_str()) => {
                format!("write `{key}:` and below it items as `- service: content-service`")
            }
            Self::NotASequence { key, .. } => format!("write {}", quoted(&format!("{key}: [value, …]"))),
            Self::NotAMapping { .. } => "every item maps keys to values, as `- service: content-service`".into(),
            Self::EmptyVector { key, .. } => {
                format!("add a value, or remove {}: GitHub refuses an empty one", quoted(key))
            }
            Self::EmptyItem { .. } => "give it at least one key, or remove it".into(),
            Self::EmptyKey { .. } => "give the key a name".into(),
            Self::NothingDefined { .. } => "add a key with a sequence of values, or an item to `include`".into(),
            Self::UnknownExcludeKey { vectors, .. } if vectors.is_empty() => {
                "the matrix has no vectors, so there is nothing to exclude from".into()
            }
            Self::UnknownExcludeKey { vectors, .. } => format!("the matrix has {}", list(vectors)),
            Self::TooLarge { .. } => "GitHub runs at most 256 jobs for one matrix".into(),
        }
    }
}

/// `a`, `b` and `c`, quoted for a sentence.
pub(crate) fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// A piece of a matrix or workflow for a sentence: harmless, without a password, on one line, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const MOST_CHARS: usize = 300;
    let masked = mask(text, true);
    match masked.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("`{}…`", harmless(&masked[..end])),
        None => format!("`{}`", harmless(&masked)),
    }
}
