//! A migration in code, an applied migration, and what identifies both: vocabulary, no I/O.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use sha2::{Digest, Sha384};

/// The version of a migration: the integer before the first `_` of its file name.
///
/// sqlx parses it as an `i64`, so `007`, `+7` and `7` are one version, and a negative one is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The checksum of a migration: SHA-384 of the file's bytes, 48 bytes when sqlx wrote it.
///
/// A row may hold any bytes at all, so the length is not fixed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum(Box<[u8]>);

impl Checksum {
    /// The checksum that sqlx computes for a migration with these bytes.
    pub fn of(content: impl AsRef<[u8]>) -> Self {
        let mut digest = ChecksumDigest::default();
        digest.update(content);
        digest.finish()
    }

    /// The checksum of a migration, less the letters that a `sqlx.toml` leaves out of it. `None`: it is not UTF-8, and sqlx
    /// fails on it.
    pub fn less(content: &[u8], ignored: &BTreeSet<char>) -> Option<Self> {
        let mut digest = ChecksumDigest::default();
        digest.update_less(std::str::from_utf8(content).ok()?, ignored);
        Some(digest.finish())
    }

    /// A checksum as it stands in a row.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes of the checksum.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first twelve hexadecimal digits: enough to tell two checksums apart in a message.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

/// A checksum in the making, of a content that comes in pieces.
#[derive(Clone, Default)]
pub struct ChecksumDigest(Sha384);

impl ChecksumDigest {
    /// Adds the next piece.
    pub fn update(&mut self, piece: impl AsRef<[u8]>) {
        self.0.update(piece);
    }

    /// Adds a text, less the letters that a `sqlx.toml` leaves out.
    pub fn update_less(&mut self, text: &str, ignored: &BTreeSet<char>) {
        text.split(|c| ignored.contains(&c)).for_each(|piece| self.update(piece));
    }

    /// The checksum of all pieces.
    pub fn finish(self) -> Checksum {
        Checksum(self.0.finalize().to_vec().into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// What kind of migration a file is, read from its suffix. The order is the order in which sqlx
/// sorts migrations of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MigrationKind {
    /// `.sql`
    Simple,
    /// `.up.sql`
    ReversibleUp,
    /// `.down.sql`
    ReversibleDown,
}

impl MigrationKind {
    /// Whether `Migrator::run` applies migrations of this kind.
    pub fn is_up(self) -> bool {
        self != Self::ReversibleDown
    }

    /// The end of the file names of this kind.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Simple => ".sql",
            Self::ReversibleUp => ".up.sql",
            Self::ReversibleDown => ".down.sql",
        }
    }
}

/// A migration's file name, taken apart as sqlx does it (`sqlx-core` 0.9, `migrate/source.rs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The integer before the first `_`.
    pub version: Version,
    /// Simple, up or down.
    pub kind: MigrationKind,
    /// The rest without its suffix, `_` replaced by a space.
    pub description: String,
}

impl FileName {
    /// Takes `name` apart. `None`: sqlx passes it by. An error, the prefix that is no version: sqlx fails on it.
    pub fn parse(name: &str) -> Option<Result<Self, String>> {
        let (prefix, rest) = name.split_once('_').filter(|(_, rest)| rest.ends_with(".sql"))?;
        let Ok(version) = prefix.parse().map(Version) else { return Some(Err(prefix.to_owned())) };
        let reversible = [MigrationKind::ReversibleUp, MigrationKind::ReversibleDown];
        let kind = reversible.into_iter().find(|kind| rest.ends_with(kind.suffix())).unwrap_or(MigrationKind::Simple);
        // `trim_end_matches` takes the suffix off as often as it stands there, and so does sqlx.
        let description = rest.trim_end_matches(kind.suffix()).replace('_', " ");
        Some(Ok(Self { version, kind, description }))
    }

    /// Whether somebody meant `name` to be a migration's, whatever sqlx makes of it.
    pub fn looks_like_one(name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_digit()) && name.to_ascii_lowercase().ends_with(".sql")
    }
}

/// A migration in code: one file that sqlx would embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The integer before the first `_`.
    pub version: Version,
    /// The rest of the file name without its suffix, `_` replaced by a space.
    pub description: String,
    /// Simple, up or down.
    pub kind: MigrationKind,
    /// As sqlx computes it, `ignored-chars` left out.
    pub checksum: Checksum,
    /// Where the file stands, relative to the root of the repository.
    pub path: PathBuf,
}

/// An applied migration: one row of the history table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppliedMigration {
    /// Column `version`.
    pub version: Version,
    /// Column `description`; sqlx never compares it.
    pub description: String,
    /// Column `installed_on`, as the database prints it (PostgreSQL: ISO 8601 in UTC).
    pub installed_on: Option<String>,
    /// The negation of `success = false`, which is the predicate by which sqlx finds a dirty row.
    pub success: bool,
    /// Column `checksum`.
    pub checksum: Checksum,
    /// Column `execution_time`, in nanoseconds; -1 until sqlx has confirmed the migration.
    pub execution_time: i64,
}
