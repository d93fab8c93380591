//! The one door to `sqlx.toml`, read with sqlx's own parser: what it refuses is refused here.

use std::io::ErrorKind;
use std::path::Path;

pub use sqlx::_unstable::config::Config as SqlxToml;

use crate::file;
use crate::source::SourceError;
use crate::text::mask;

/// The file's name.
pub const NAME: &str = "sqlx.toml";
/// What makes a folder a crate.
pub const MANIFEST: &str = "Cargo.toml";
/// No `sqlx.toml` is longer.
pub const MAX_BYTES: u64 = 1 << 20;

/// Reads the `sqlx.toml` of the crate at `krate`, a folder relative to `root`; without one, the defaults.
///
/// # Errors
/// A file that cannot be read, or that sqlx would not accept.
pub fn of_crate(root: &Path, krate: &Path) -> Result<SqlxToml, SourceError> {
    let path = krate.join(NAME);
    match file::regular_up_to(&root.join(&path), MAX_BYTES) {
        Ok(text) => parse(&text, &path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(SqlxToml::default()),
        Err(error) => Err(SourceError::Settings { path, detail: error.to_string() }),
    }
}

/// The settings that a `sqlx.toml` holds, which stands at `path`.
///
/// # Errors
/// sqlx would not accept it.
pub fn parse(text: &str, path: &Path) -> Result<SqlxToml, SourceError> {
    let refused =
        |error: toml::de::Error| SourceError::Settings { path: path.to_owned(), detail: in_a_line(&error.to_string()) };
    toml::from_str(text).map_err(refused)
}

/// A parser's message without the piece of the file that it draws: that may hold what nobody ought to see, such as a
/// URL in a field that does not exist.
fn in_a_line(message: &str) -> String {
    let drawn = |line: &&str| line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|');
    let mut told = message.lines().filter(|line| !drawn(line)).map(str::trim_end);
    let place = mask(told.next().unwrap_or_default(), true);
    // What is wrong may quote a text of several lines, and only all of them show where a password ends.
    let what = mask(&told.collect::<Vec<_>>().join("\n"), true).replace('\n', ": ");
    if what.is_empty() { place } else { format!("{place}: {what}") }
}

/// Reads the `sqlx.toml` that binds the migrations in `directory`. `migrate!()` reads the one beside the crate's
/// `Cargo.toml`, so it is that of the nearest folder with one: a folder above, or the directory itself
/// (`migrate!(".")`).
///
/// # Errors
/// As [`of_crate`].
pub fn of_migrations(root: &Path, directory: &Path) -> Result<SqlxToml, SourceError> {
    let holder = |name: &str| directory.ancestors().find(|above| root.join(above).join(name).is_file());
    match holder(MANIFEST).or_else(|| holder(NAME)) {
        Some(krate) => of_crate(root, krate),
        None => Ok(SqlxToml::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_says_becomes_one_line_without_the_drawing_and_without_a_password() {
        let said = |what: &str| format!("TOML parse error at line 2, column 1\n  |\n2 | x = 1\n  | ^\n{what}\n");
        let told = |what: &str| in_a_line(&said(what));
        assert_eq!(told("unknown field `a@b`"), "TOML parse error at line 2, column 1: unknown field `a@b`");
        for what in ["`postgres://app:hunter22@db/x`", "`postgres://app:hunter22\n@db/x`", "`app:hun\nter22@db`"] {
            let shown = told(what);
            assert!(!shown.contains("hun") && !shown.contains("22") && !shown.contains('\n'), "{shown}");
        }
        assert_eq!(in_a_line("no such file"), "no such file");
    }
}
