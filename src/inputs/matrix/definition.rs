//! A matrix definition with its shape checked: vectors, `include` and `exclude`. It expands nothing.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::error::MatrixError;
use super::tree::{Key, Kind, Tree, fold};
use crate::finding::Location;

/// What a job's `strategy.matrix` says.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) vectors: Vec<Vector>,
    pub(super) include: Vec<Item>,
    pub(super) exclude: Vec<Item>,
    pub(super) location: Option<Location>,
}

/// One key of the matrix and its values.
#[derive(Debug)]
pub(super) struct Vector {
    pub(super) name: String,
    pub(super) values: Vec<(Value, Option<Location>)>,
}

/// One item of `include` or `exclude`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) values: IndexMap<String, Value>,
    pub(super) location: Option<Location>,
}

/// Checks the shape of a matrix exactly as far as GitHub does.
pub(super) fn define(matrix: Tree, file: &str) -> Result<Definition, MatrixError> {
    let location = at(file, matrix.line);
    let Kind::Mapping(entries) = matrix.kind else {
        return Err(MatrixError::NotAMatrix { found: matrix.describe(), location });
    };
    let mut definition = Definition { vectors: Vec::new(), include: Vec::new(), exclude: Vec::new(), location };
    let mut exclude_keys = Vec::new();
    for (key, value) in entries {
        if key.text.is_empty() {
            return Err(MatrixError::EmptyKey { location: at(file, key.line) });
        }
        match key.text.as_str() {
            "include" => definition.include = items(&key, value, file)?.into_iter().map(|(item, _)| item).collect(),
            "exclude" => (definition.exclude, exclude_keys) = items(&key, value, file)?.into_iter().unzip(),
            _ => definition.vectors.push(vector(key, value, file)?),
        }
    }
    if definition.vectors.is_empty() && definition.include.is_empty() {
        return Err(MatrixError::NothingDefined { location: definition.location });
    }
    let known: HashSet<String> = definition.vectors.iter().map(|vector| fold(&vector.name)).collect();
    match exclude_keys.into_iter().flatten().find(|key| !known.contains(&fold(&key.text))) {
        None => Ok(definition),
        Some(key) => Err(MatrixError::UnknownExcludeKey {
            key: key.text,
            vectors: definition.vectors.into_iter().map(|vector| vector.name).collect(),
            location: at(file, key.line),
        }),
    }
}

/// The entries that an array of objects is, or the items of `include` or `exclude`, with their keys.
pub(super) fn items(key: &Key, value: Tree, file: &str) -> Result<Vec<(Item, Vec<Key>)>, MatrixError> {
    sequence(key, value, file)?.into_iter().map(|tree| item(&key.text, tree, file)).collect()
}

fn item(key: &str, tree: Tree, file: &str) -> Result<(Item, Vec<Key>), MatrixError> {
    let location = at(file, tree.line);
    let Kind::Mapping(entries) = tree.kind else {
        return Err(MatrixError::NotAMapping { key: key.to_owned(), found: tree.describe(), location });
    };
    if entries.is_empty() {
        return Err(MatrixError::EmptyItem { key: key.to_owned(), location });
    }
    let keys: Vec<Key> = entries.iter().map(|(key, _)| key.clone()).collect();
    if let Some(empty) = keys.iter().find(|key| key.text.is_empty()) {
        return Err(MatrixError::EmptyKey { location: at(file, empty.line) });
    }
    let values = entries.into_iter().map(|(key, value)| (key.text, value.into_json())).collect();
    Ok((Item { values, location }, keys))
}

fn vector(key: Key, value: Tree, file: &str) -> Result<Vector, MatrixError> {
    let location = at(file, key.line);
    let values = sequence(&key, value, file)?;
    if values.is_empty() {
        return Err(MatrixError::EmptyVector { key: key.text, location });
    }
    let values = values.into_iter().map(|value| (at(file, value.line), value)).map(|(at, v)| (v.into_json(), at));
    Ok(Vector { name: key.text, values: values.collect() })
}

fn sequence(key: &Key, value: Tree, file: &str) -> Result<Vec<Tree>, MatrixError> {
    let location = at(file, key.line);
    match value.kind {
        Kind::Sequence(items) => Ok(items),
        _ => Err(MatrixError::NotASequence { key: key.text.clone(), found: value.describe(), location }),
    }
}

fn at(file: &str, line: Option<u32>) -> Option<Location> {
    line.map(|line| Location { file: file.to_owned(), line })
}
