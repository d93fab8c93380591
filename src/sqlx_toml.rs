//! The one door to `sqlx.toml`, read with sqlx's own parser: what it refuses is refused here.

use std::path::{Path, PathBuf};

pub use sqlx::_unstable::config::Config as SqlxToml;

use crate::source::SourceError;
use crate::text::mask;

/// No `sqlx.toml` is longer.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the `sqlx.toml` of the crate at `krate`, a folder relative to `root`; without one, the defaults.
///
/// # Errors
/// A file that cannot be read, or that sqlx would not accept.
pub fn of_crate(root: &Path, krate: &Path) -> Result<SqlxToml, SourceError> {
    let path = krate.join("sqlx.toml");
    // sqlx would wait on a pipe for ever, and read a device without end.
    let odd = |path: &PathBuf| root.join(path).metadata().is_ok_and(|file| !file.is_file() || file.len() > MAX_BYTES);
    if odd(&path) {
        let detail = format!("it is not a regular file of at most {MAX_BYTES} bytes");
        return Err(SourceError::Settings { path, detail });
    }
    SqlxToml::try_from_path_or_default(root.join(&path)).map_err(|error| {
        let causes = anyhow::Chain::new(&error).skip(1).map(|cause| in_a_line(&cause.to_string()));
        SourceError::Settings { path, detail: causes.collect::<Vec<_>>().join(": ") }
    })
}

/// A parser's message without the piece of the file that it draws: that may hold what nobody ought to see, such as a
/// URL in a field that does not exist.
fn in_a_line(message: &str) -> String {
    let drawn = |line: &&str| line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|');
    let told = message.lines().filter(|line| !drawn(line)).map(|line| mask(line.trim_end(), true));
    told.collect::<Vec<_>>().join(": ")
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
