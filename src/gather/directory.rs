//! The code side from a directory: what sqlx would resolve there, without stopping at the first bad file.
//!
//! Follows `sqlx-core` 0.9, `migrate/source.rs`, and is held against it by the oracle tests.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File, FileType};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::gather::content::ContentReader;
use crate::migration::{Checksum, FileName, Migration};
use crate::parallel::in_parts;
use crate::source::{Defined, IgnoredFile, IgnoredReason, InvalidFile, InvalidReason, SourceError};
use crate::sqlx_toml::{self, SqlxToml};

/// For fewer entries no further thread is started.
const FEWEST_ENTRIES: usize = 128;
/// How deep below the migrations directory a misplaced migration is looked for.
pub(super) const MISPLACED_DEPTH: usize = 4;
/// How many entries are looked at there: a link may lead to any tree.
pub(super) const MISPLACED_ENTRIES: usize = 10_000;

/// Reads the migrations in `directory`, which is relative to `root`, and the `sqlx.toml` that governs them.
///
/// # Errors
/// The directory or its `sqlx.toml` cannot be read. A bad file is no error but one of [`Defined::invalid`].
pub fn read(root: &Path, directory: &Path) -> Result<Defined, SourceError> {
    migrations(root, directory, &sqlx_toml::of_migrations(root, directory)?)
}

/// Reads the migrations in `directory`, which is relative to `root`, by the rules of a `sqlx.toml`.
///
/// # Errors
/// The directory cannot be read. A bad file is no error but one of [`Defined::invalid`].
pub fn migrations(root: &Path, directory: &Path, settings: &SqlxToml) -> Result<Defined, SourceError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NoDirectory(directory.to_owned()),
        _ => SourceError::Unreadable { path: directory.to_owned(), detail: error.to_string() },
    };
    // Who may list a directory and not enter it can stat nothing in it, and sqlx gives up at whatever is there.
    fs::metadata(root.join(directory).join(".")).map_err(unreadable)?;
    let entries: Vec<DirEntry> = fs::read_dir(root.join(directory)).and_then(Iterator::collect).map_err(unreadable)?;
    let Defined { migrations, invalid, ignored, .. } =
        read_entries(root, directory, &entries, &settings.migrate.ignored_chars);
    let mut defined = Defined { migrations, invalid, ignored, ..governed(settings) };
    defined.sort();
    Ok(defined)
}

/// What `sqlx.toml` says of a code side, wherever its migrations are read.
pub(super) fn governed(settings: &SqlxToml) -> Defined {
    Defined {
        table: settings.migrate.table_name.as_deref().map(str::to_owned),
        ignored_chars: settings.migrate.ignored_chars.iter().copied().collect(),
        create_schemas: settings.migrate.create_schemas.iter().map(|schema| schema.to_string()).collect(),
        ..Defined::default()
    }
}

/// Reads the entries side by side where there are many: most of the time goes to opening files.
fn read_entries(root: &Path, directory: &Path, entries: &[DirEntry], ignored_chars: &BTreeSet<char>) -> Defined {
    let read = |part: &[DirEntry]| {
        let (mut contents, mut defined) = (ContentReader::new(ignored_chars), Defined::default());
        for entry in part {
            read_entry(root, &directory.join(entry.file_name()), entry, &mut contents, &mut defined);
        }
        defined
    };
    let mut parts = in_parts(entries, FEWEST_ENTRIES, read).into_iter();
    let mut defined = parts.next().unwrap_or_default();
    for Defined { migrations, invalid, ignored, .. } in parts {
        defined.migrations.extend(migrations);
        defined.invalid.extend(invalid);
        defined.ignored.extend(ignored);
    }
    defined
}

/// Puts one entry of the directory where it belongs: a migration, invalid, ignored, or none of our business.
fn read_entry(root: &Path, path: &Path, entry: &DirEntry, contents: &mut ContentReader, defined: &mut Defined) {
    let invalid = |reason| InvalidFile { path: path.to_owned(), reason };
    // sqlx stats every entry, whatever its name, and gives up where it cannot: a dangling link to anything.
    let file_type = match file_type(&root.join(path), entry) {
        Ok(file_type) => file_type,
        Err(error) => return defined.invalid.push(invalid(InvalidReason::Unreadable(error.to_string()))),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if file_type.is_dir() {
        return defined.ignored.extend(misplaced(root, path));
    }
    if !file_type.is_file() {
        let meant = FileName::looks_like_one(&name);
        let ignored = meant.then(|| IgnoredFile { path: path.to_owned(), reason: IgnoredReason::NotAFile });
        return defined.ignored.extend(ignored);
    }
    let file = || File::open(root.join(path)).map_err(|error| InvalidReason::Unreadable(error.to_string()));
    put(path.to_owned(), || contents.checksum(file()?), defined);
}

/// Puts a regular file where its name says that it belongs. `checksum` is asked for the content of a migration alone.
pub(super) fn put(path: PathBuf, checksum: impl FnOnce() -> Result<Checksum, InvalidReason>, defined: &mut Defined) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match FileName::parse(&name) {
        Some(Ok(FileName { version, kind, description })) => match checksum() {
            Ok(checksum) => defined.migrations.push(Migration { version, description, kind, checksum, path }),
            Err(reason) => defined.invalid.push(InvalidFile { path, reason }),
        },
        Some(Err(prefix)) => {
            defined.invalid.push(InvalidFile { path, reason: InvalidReason::Version { prefix } });
        }
        None if !FileName::looks_like_one(&name) => {}
        None if name.ends_with(".sql") => {
            defined.ignored.push(IgnoredFile { path, reason: IgnoredReason::NoUnderscore });
        }
        None => defined.ignored.push(IgnoredFile { path, reason: IgnoredReason::SuffixCase }),
    }
}

/// What an entry is, or leads to. The directory itself tells of a regular file that it is one.
fn file_type(path: &Path, entry: &DirEntry) -> io::Result<FileType> {
    match entry.file_type() {
        Ok(file_type) if file_type.is_file() => Ok(file_type),
        _ => fs::metadata(path).map(|metadata| metadata.file_type()),
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
