//! A job's matrix, expanded as GitHub expands it: which services there are in which environments.
//!
//! It reads no file and evaluates no expression; `workflow` does that and hands over plain values.

mod definition;
mod error;
mod expand;
mod tree;

use indexmap::IndexMap;
use serde_json::Value;

pub use error::MatrixError;
pub(crate) use error::{list, quoted};

pub use tree::text;
pub(crate) use tree::{Key, Kind, Tree, fold, number, weight};

use crate::finding::Location;

/// All entries of a matrix, in the order in which GitHub numbers their jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceMatrix {
    /// One for each job.
    pub entries: Vec<MatrixEntry>,
    /// Whether this is the one entry that a job of the matrix knows of itself: there are others, who knows which.
    pub is_one_leg: bool,
}

/// What the `matrix` context of one job holds.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixEntry {
    /// The values by key, in GitHub's order. No two keys differ only in case.
    pub values: IndexMap<String, Value>,
    /// The most specific line that declares this entry: the item of `include` that it is, or else its
    /// value of the matrix's first key. None when the matrix was not read from a file.
    pub declared: Option<Location>,
}

impl MatrixEntry {
    /// The value under `key`, whatever its case.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).or_else(|| {
            let folded = fold(key);
            self.values.iter().find(|(name, _)| fold(name) == folded).map(|(_, value)| value)
        })
    }
}

/// Reads the value of `--matrix`, which has one of three forms: an array of objects, each an entry as it
/// is; the definition of a matrix, told by `include`, `exclude` or an array under the key of services or
/// environments; or any other object, the one entry that `toJSON(matrix)` gives.
///
/// # Errors
/// No JSON, neither array nor object, or a matrix that GitHub would refuse.
pub fn from_json(text: &str, service_key: &str, environment_key: &str) -> Result<ServiceMatrix, MatrixError> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| MatrixError::NotJson { message: error.to_string() })?;
    let tree = Tree::from_json(value, None);
    match &tree.kind {
        Kind::Sequence(items) if items.is_empty() => Err(MatrixError::NothingDefined { location: None }),
        Kind::Mapping(entries) if !is_definition(entries, service_key, environment_key) => {
            let leg = one_by_one(Tree { line: None, kind: Kind::Sequence(vec![tree]) })?;
            Ok(ServiceMatrix { is_one_leg: true, ..leg })
        }
        Kind::Sequence(_) => one_by_one(tree),
        _ => expand(tree, ""),
    }
}

/// Expands a matrix definition whose lines are those of `file`.
pub(crate) fn expand(matrix: Tree, file: &str) -> Result<ServiceMatrix, MatrixError> {
    expand::expand(&definition::define(matrix, file)?)
}

fn is_definition(entries: &[(Key, Tree)], service_key: &str, environment_key: &str) -> bool {
    let is_key = |text: &str| fold(text) == fold(service_key) || fold(text) == fold(environment_key);
    entries.iter().any(|(key, value)| match key.text.as_str() {
        "include" | "exclude" => true,
        text => is_key(text) && matches!(value.kind, Kind::Sequence(_)),
    })
}

fn one_by_one(entries: Tree) -> Result<ServiceMatrix, MatrixError> {
    let key = Key { text: "matrix".into(), line: None };
    let items = definition::items(&key, entries, "")?;
    let entries = items.into_iter().map(|(item, _)| MatrixEntry { values: item.values, declared: item.location });
    Ok(ServiceMatrix { entries: entries.collect(), is_one_leg: false })
}

#[cfg(test)]
mod tests;
