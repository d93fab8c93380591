//! The code side from a directory: what sqlx would resolve there, without stopping at the first bad file.
//!
//! Follows `sqlx-core` 0.9, `migrate/source.rs`, and is held against it by the oracle tests.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use walkdir::WalkDir;

use crate::gather::content::ContentReader;
use crate::migration::{FileName, Migration};
use crate::source::{Defined, IgnoredFile, IgnoredReason, InvalidFile, InvalidReason, SourceError};
use crate::sqlx_toml;

/// How deep below the migrations directory a misplaced migration is looked for.
const MISPLACED_DEPTH: usize = 4;
/// How many entries are looked at there: a link may lead to any tree.
const MISPLACED_ENTRIES: usize = 10_000;

/// Reads the migrations in `directory`, which is relative to `root`, and the `sqlx.toml` that governs them.
///
/// # Errors
/// The directory or its `sqlx.toml` cannot be read. A bad file is no error but one of [`Defined::invalid`].
pub fn read(root: &Path, directory: &Path) -> Result<Defined, SourceError> {
    let settings = sqlx_toml::of_migrations(root, directory)?;
    let mut defined = Defined {
        table: settings.migrate.table_name.as_deref().map(str::to_owned),
        create_schemas: settings.migrate.create_schemas.iter().map(|schema| schema.to_string()).collect(),
        ..Defined::default()
    };
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NoDirectory(directory.to_owned()),
        _ => SourceError::Unreadable { path: directory.to_owned(), detail: error.to_string() },
    };
    let mut contents = ContentReader::new(&settings.migrate.ignored_chars);
    for entry in fs::read_dir(root.join(directory)).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        read_entry(root, &directory.join(name), &mut contents, &mut defined);
    }
    // sqlx sorts by version and kind and leaves the rest to `read_dir`; the path makes our order a fixed one.
    defined.migrations.sort_by(|a, b| (a.version, a.kind, &a.path).cmp(&(b.version, b.kind, &b.path)));
    defined.invalid.sort_by(|a, b| a.path.cmp(&b.path));
    defined.ignored.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(defined)
}

/// Puts one entry of the directory where it belongs: a migration, invalid, ignored, or none of our business.
fn read_entry(root: &Path, path: &Path, contents: &mut ContentReader, defined: &mut Defined) {
    let invalid = |reason| InvalidFile { path: path.to_owned(), reason };
    // sqlx stats every entry, whatever its name, and gives up where it cannot: a dangling link to anything.
    let metadata = match fs::metadata(root.join(path)) {
        Ok(metadata) => metadata,
        Err(error) => return defined.invalid.push(invalid(InvalidReason::Unreadable(error.to_string()))),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if metadata.is_dir() {
        return defined.ignored.extend(misplaced(root, path));
    }
    let ignored = |reason| {
        let meant = FileName::looks_like_one(&name);
        meant.then(|| IgnoredFile { path: path.to_owned(), reason })
    };
    if !metadata.is_file() {
        return defined.ignored.extend(ignored(IgnoredReason::NotAFile));
    }
    let FileName { version, kind, description } = match FileName::parse(&name) {
        Some(Ok(parsed)) => parsed,
        Some(Err(prefix)) => return defined.invalid.push(invalid(InvalidReason::Version { prefix })),
        None if name.ends_with(".sql") => return defined.ignored.extend(ignored(IgnoredReason::NoUnderscore)),
        None => return defined.ignored.extend(ignored(IgnoredReason::SuffixCase)),
    };
    let file = File::open(root.join(path)).map_err(|error| InvalidReason::Unreadable(error.to_string()));
    match file.and_then(|file| contents.checksum(file)) {
        Ok(checksum) => {
            defined.migrations.push(Migration { version, description, kind, checksum, path: path.to_owned() });
        }
        Err(reason) => defined.invalid.push(invalid(reason)),
    }
}

/// The migrations below a sub-directory, one finding for all of them: the first in order of their paths.
fn misplaced(root: &Path, directory: &Path) -> Option<IgnoredFile> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    if FileName::looks_like_one(&name) {
        return Some(IgnoredFile { path: directory.to_owned(), reason: IgnoredReason::NotAFile });
    }
    let mut names = WalkDir::new(root.join(directory))
        .max_depth(MISPLACED_DEPTH)
        .sort_by_file_name()
        .into_iter()
        .take(MISPLACED_ENTRIES)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && FileName::looks_like_one(&entry.file_name().to_string_lossy()));
    let first = names.next()?;
    let below = first.path().strip_prefix(root.join(directory)).unwrap_or(first.path());
    let reason = IgnoredReason::SubDirectory { others: names.count() };
    Some(IgnoredFile { path: directory.join(below), reason })
}
