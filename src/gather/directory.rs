//! The code side from a directory: what sqlx would resolve there, without stopping at the first bad file.
//!
//! Follows `sqlx-core` 0.9, `migrate/source.rs`, and is held against it by the oracle tests.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::_unstable::config::Config as SqlxToml;
use walkdir::WalkDir;

use crate::migration::{Checksum, Migration, MigrationKind, Version};
use crate::source::{Defined, IgnoredFile, IgnoredReason, InvalidFile, InvalidReason, SourceError};

/// How deep below the migrations directory a misplaced migration is looked for.
const MISPLACED_DEPTH: usize = 4;
/// How many entries are looked at there: a link may lead to any tree.
const MISPLACED_ENTRIES: usize = 10_000;

/// Reads the migrations in `directory`, which is relative to `root`, and the `sqlx.toml` that governs them.
///
/// # Errors
/// The directory or its `sqlx.toml` cannot be read. A bad file is no error but one of [`Defined::invalid`].
pub fn read(root: &Path, directory: &Path) -> Result<Defined, SourceError> {
    let settings = settings(root, directory)?;
    let mut defined = Defined {
        table: settings.migrate.table_name.as_deref().map(str::to_owned),
        create_schemas: settings.migrate.create_schemas.iter().map(|schema| schema.to_string()).collect(),
        ..Defined::default()
    };
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NoDirectory(directory.to_owned()),
        _ => SourceError::Unreadable { path: directory.to_owned(), detail: error.to_string() },
    };
    for entry in fs::read_dir(root.join(directory)).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        read_entry(root, &directory.join(name), &settings.migrate.ignored_chars, &mut defined);
    }
    // sqlx sorts by version and kind and leaves the rest to `read_dir`; the path makes our order a fixed one.
    defined.migrations.sort_by(|a, b| (a.version, a.kind, &a.path).cmp(&(b.version, b.kind, &b.path)));
    defined.invalid.sort_by(|a, b| a.path.cmp(&b.path));
    defined.ignored.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(defined)
}

/// The directory, relative to `root`, that `migrate!()` reads in the crate at `krate` when it is given no path.
///
/// # Errors
/// The crate's `sqlx.toml` is not valid.
pub fn of_crate(root: &Path, krate: &Path) -> Result<PathBuf, SourceError> {
    let settings = read_settings(root, &krate.join("sqlx.toml"))?;
    Ok(krate.join(settings.migrate.migrations_dir.as_deref().unwrap_or("migrations")))
}

/// The settings of the crate that the migrations belong to: the nearest directory with a `Cargo.toml`, which may be
/// the migrations directory itself (`migrate!(".")`).
fn settings(root: &Path, directory: &Path) -> Result<SqlxToml, SourceError> {
    let holder = |name: &str| directory.ancestors().find(|above| root.join(above).join(name).is_file());
    match holder("Cargo.toml").or_else(|| holder("sqlx.toml")) {
        Some(krate) => read_settings(root, &krate.join("sqlx.toml")),
        None => Ok(SqlxToml::default()),
    }
}

/// Reads a `sqlx.toml` with sqlx's own parser, so that what it refuses is refused here.
fn read_settings(root: &Path, path: &Path) -> Result<SqlxToml, SourceError> {
    SqlxToml::try_from_path_or_default(root.join(path)).map_err(|error| {
        let causes = anyhow::Chain::new(&error).skip(1).map(|cause| cause.to_string().trim_end().to_owned());
        SourceError::Settings { path: path.to_owned(), detail: causes.collect::<Vec<_>>().join(": ") }
    })
}

/// Puts one entry of the directory where it belongs: a migration, invalid, ignored, or none of our business.
fn read_entry(root: &Path, path: &Path, ignored_chars: &BTreeSet<char>, defined: &mut Defined) {
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
    if !metadata.is_file() {
        let ignored = looks_like_migration(&name).then_some(IgnoredReason::NotAFile);
        return defined.ignored.extend(ignored.map(|reason| IgnoredFile { path: path.to_owned(), reason }));
    }
    let (version, kind, description) = match parse_name(&name) {
        Ok(parts) => parts,
        Err(Unnamed::Ignored) => {
            let reason = looks_like_migration(&name).then(|| match name.ends_with(".sql") {
                true => IgnoredReason::NoUnderscore,
                false => IgnoredReason::SuffixCase,
            });
            return defined.ignored.extend(reason.map(|reason| IgnoredFile { path: path.to_owned(), reason }));
        }
        Err(Unnamed::Invalid(reason)) => return defined.invalid.push(invalid(reason)),
    };
    match read_checksum(&root.join(path), ignored_chars) {
        Ok(checksum) => {
            defined.migrations.push(Migration { version, description, kind, checksum, path: path.to_owned() });
        }
        Err(reason) => defined.invalid.push(invalid(reason)),
    }
}

/// Why a file name gives no migration.
enum Unnamed {
    Ignored,
    Invalid(InvalidReason),
}

/// Takes a file name apart as sqlx does.
fn parse_name(name: &str) -> Result<(Version, MigrationKind, String), Unnamed> {
    let Some((prefix, rest)) = name.split_once('_').filter(|(_, rest)| rest.ends_with(".sql")) else {
        return Err(Unnamed::Ignored);
    };
    let version = prefix.parse().map(Version);
    let version = version.map_err(|_| Unnamed::Invalid(InvalidReason::Version { prefix: prefix.to_owned() }))?;
    let kind = [MigrationKind::ReversibleUp, MigrationKind::ReversibleDown]
        .into_iter()
        .find(|kind| rest.ends_with(kind.suffix()))
        .unwrap_or(MigrationKind::Simple);
    // `trim_end_matches` takes the suffix off as often as it stands there, and so does sqlx.
    Ok((version, kind, rest.trim_end_matches(kind.suffix()).replace('_', " ")))
}

fn read_checksum(path: &Path, ignored_chars: &BTreeSet<char>) -> Result<Checksum, InvalidReason> {
    let bytes = fs::read(path).map_err(|error| InvalidReason::Unreadable(error.to_string()))?;
    let sql = std::str::from_utf8(&bytes).map_err(|error| InvalidReason::NotUtf8 { offset: error.valid_up_to() })?;
    Ok(if ignored_chars.is_empty() {
        Checksum::of(sql)
    } else {
        Checksum::of_fragments(sql.split(|c| ignored_chars.contains(&c)))
    })
}

/// Whether somebody meant this name to be a migration's, whatever sqlx makes of it.
fn looks_like_migration(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit()) && name.to_ascii_lowercase().ends_with(".sql")
}

/// The migrations below a sub-directory, one finding for all of them: the first in order of their paths.
fn misplaced(root: &Path, directory: &Path) -> Option<IgnoredFile> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    if looks_like_migration(&name) {
        return Some(IgnoredFile { path: directory.to_owned(), reason: IgnoredReason::NotAFile });
    }
    let mut names = WalkDir::new(root.join(directory))
        .max_depth(MISPLACED_DEPTH)
        .sort_by_file_name()
        .into_iter()
        .take(MISPLACED_ENTRIES)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && looks_like_migration(&entry.file_name().to_string_lossy()));
    let first = names.next()?;
    let below = first.path().strip_prefix(root.join(directory)).unwrap_or(first.path());
    let reason = IgnoredReason::SubDirectory { others: names.count() };
    Some(IgnoredFile { path: directory.join(below), reason })
}

/// The directories called `migrations` that hold migrations, relative to `root` and in order, without hidden
/// directories and build output.
pub fn discover(root: &Path) -> Vec<PathBuf> {
    let hidden = |name: &str| name.starts_with('.') || matches!(name, "target" | "node_modules" | "vendor");
    let mut found = BTreeSet::new();
    let tree = WalkDir::new(root).max_depth(8).into_iter();
    let entries = tree.filter_entry(|entry| entry.depth() == 0 || !hidden(&entry.file_name().to_string_lossy()));
    for entry in entries.filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir()) {
        let Some(parent) = entry.path().parent() else { continue };
        let named = parent.file_name().is_some_and(|name| name == "migrations");
        if named && parse_name(&entry.file_name().to_string_lossy()).is_ok() {
            found.insert(parent.strip_prefix(root).unwrap_or(parent).to_owned());
        }
    }
    found.into_iter().collect()
}
