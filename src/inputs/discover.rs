//! Where migrations stand when no configuration says it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::migration::FileName;
use crate::source::SourceError;
use crate::sqlx_toml;

/// How deep below the root a migrations directory may stand.
const DEPTH: usize = 8;

/// The migrations directories below `root`, relative to it.
///
/// With `prefer_crate` the one of the crate at `here` (relative to `root`) alone, if there is one: that is what
/// somebody means who stands in a crate.
///
/// # Errors
/// The crate's `sqlx.toml` is not valid.
pub fn discover(root: &Path, here: &Path, prefer_crate: bool) -> Result<Vec<PathBuf>, SourceError> {
    let settings = sqlx_toml::of_crate(root, here)?;
    let own = here.join(settings.migrate.migrations_dir.as_deref().unwrap_or("migrations"));
    if prefer_crate && root.join(&own).is_dir() {
        return Ok(vec![own]);
    }
    Ok(every_directory(root))
}

/// The directories called `migrations` that hold migrations, relative to `root` and in order, without hidden
/// directories and build output.
fn every_directory(root: &Path) -> Vec<PathBuf> {
    let hidden = |name: &str| name.starts_with('.') || matches!(name, "target" | "node_modules" | "vendor");
    let mut found = BTreeSet::new();
    let tree = WalkDir::new(root).max_depth(DEPTH).into_iter();
    let entries = tree.filter_entry(|entry| entry.depth() == 0 || !hidden(&entry.file_name().to_string_lossy()));
    for entry in entries.filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir()) {
        let Some(parent) = entry.path().parent() else { continue };
        let named = parent.file_name().is_some_and(|name| name == "migrations");
        if named && matches!(FileName::parse(&entry.file_name().to_string_lossy()), Some(Ok(_))) {
            found.insert(parent.strip_prefix(root).unwrap_or(parent).to_owned());
        }
    }
    found.into_iter().collect()
}
