//! The one door to `sqlx.toml`, read with sqlx's own parser: what it refuses is refused here.

use std::path::Path;

pub use sqlx::_unstable::config::Config as SqlxToml;

use crate::source::SourceError;

/// Reads the `sqlx.toml` of the crate at `krate`, a folder relative to `root`; without one, the defaults.
///
/// # Errors
/// A file that cannot be read, or that sqlx would not accept.
pub fn of_crate(root: &Path, krate: &Path) -> Result<SqlxToml, SourceError> {
    let path = krate.join("sqlx.toml");
    SqlxToml::try_from_path_or_default(root.join(&path)).map_err(|error| {
        let causes = anyhow::Chain::new(&error).skip(1).map(|cause| cause.to_string().trim_end().to_owned());
        SourceError::Settings { path, detail: causes.collect::<Vec<_>>().join(": ") }
    })
}

/// Reads the `sqlx.toml` that binds the migrations in `directory`. `migrate!()` reads the one beside the crate's
/// `Cargo.toml`, so it is that of the nearest folder with one: a folder above, or the directory itself
/// (`migrate!(".")`).
///
/// # Errors
/// As [`of_crate`].
pub fn of_migrations(root: &Path, directory: &Path) -> Result<SqlxToml, SourceError> {
    let holder = |name: &str| directory.ancestors().find(|above| root.join(above).join(name).is_file());
    match holder("Cargo.toml").or_else(|| holder("sqlx.toml")) {
        Some(krate) => of_crate(root, krate),
        None => Ok(SqlxToml::default()),
    }
}
