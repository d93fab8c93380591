//! Where migrations stand when no configuration says it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::crates::is_passed_by;
use crate::migration::FileName;
use crate::sqlx_toml::{self, SqlxToml};

/// How deep below the root a migrations directory may stand.
const DEPTH: usize = 8;

/// The migrations directories below `root`, relative to it.
///
/// With `prefer_crate` the one of the crate at `here` (relative to `root`) alone, if there is one: that is what
/// somebody means who stands in a crate.
pub fn discover(root: &Path, here: &Path, prefer_crate: bool) -> Vec<PathBuf> {
    // A `sqlx.toml` that sqlx would refuse is reported when the directory is read.
    let configured = |settings: SqlxToml| settings.migrate.migrations_dir.map(|directory| here.join(&*directory));
    let own = || sqlx_toml::of_crate(root, here).ok().and_then(configured).unwrap_or_else(|| here.join("migrations"));
    match prefer_crate.then(own) {
        Some(own) if root.join(&own).is_dir() => vec![own],
        _ => every_directory(root),
    }
}

/// The directories called `migrations` that hold migrations, relative to `root` and in order, without hidden
/// directories and build output.
pub(super) fn every_directory(root: &Path) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    let tree = WalkDir::new(root).max_depth(DEPTH).into_iter();
    let entries = tree.filter_entry(|entry| entry.depth() == 0 || !is_passed_by(&entry.file_name().to_string_lossy()));
    for entry in entries.filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir()) {
        let Some(parent) = entry.path().parent() else { continue };
        let named = parent.file_name().is_some_and(|name| name == "migrations");
        if named && matches!(FileName::parse(&entry.file_name().to_string_lossy()), Some(Ok(_))) {
            found.insert(parent.strip_prefix(root).unwrap_or(parent).to_owned());
        }
    }
    found.into_iter().collect()
}
