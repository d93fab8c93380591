//! The migrations directories of a run, for who is about to write there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory;
use crate::source::SourceError;
use crate::sqlx_toml;
use crate::target::TargetState;

/// What is known of them.
#[derive(Debug, Default)]
pub struct Directories {
    /// What each is without links, where it exists.
    real: HashMap<PathBuf, PathBuf>,
}

impl Directories {
    /// Looks at those of all targets. One that does not exist is taken for an empty one.
    pub fn of(states: &mut [TargetState], root: &Path) -> Self {
        let mut real = HashMap::new();
        for state in states {
            let directory = &state.target.migrations;
            if matches!(state.defined, Err(SourceError::NoDirectory(_))) {
                let settings = sqlx_toml::of_migrations(root, directory);
                state.defined = settings.map(|settings| Arc::new(directory::governed(&settings)));
            } else if let (false, Ok(path)) = (real.contains_key(directory), root.join(directory).canonicalize()) {
                real.insert(directory.clone(), path);
            }
        }
        Self { real }
    }

    /// Whether a directory exists.
    pub fn exists(&self, directory: &Path) -> bool {
        self.real.contains_key(directory)
    }

    /// Whether two are the same one, whatever they are called.
    pub fn are_same(&self, one: &Path, other: &Path) -> bool {
        one == other || self.real.get(one).is_some_and(|real| self.real.get(other) == Some(real))
    }
}
