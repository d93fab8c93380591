//! The code side: where it is read, what was read there, and why it could not be. Vocabulary, no I/O.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::migration::{Checksum, Migration, Version};

/// Where the code side of a target is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// The migrations directory, as it is checked out.
    #[default]
    Directory,
    /// The migrations directory, as a commit has it that a branch, a tag or an id names.
    Revision(String),
    /// A program, which embeds what `migrate!()` has read.
    Binary(PathBuf),
    /// An image, with such a program or with the files themselves in it: a reference of a registry, or the path of an
    /// archive or a layout.
    Image(String),
}

impl Source {
    /// The word that reports use.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Revision(_) => "revision",
            Self::Binary(_) => "binary",
            Self::Image(_) => "image",
        }
    }

    /// Whether it was built, and is no text that anybody could edit.
    pub fn is_artifact(&self) -> bool {
        matches!(self, Self::Binary(_) | Self::Image(_))
    }
}

/// What was built once, and may be deployed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// `commit`, `tag` or `image`.
    pub kind: &'static str,
    /// Its name: a commit's own, that of a tag, an image.
    pub name: String,
    /// The commit.
    pub commit: Option<String>,
    /// When it was made: ISO 8601.
    pub date: Option<String>,
    /// The first line of the commit's message.
    pub subject: Option<String>,
    /// The digest of an image.
    pub digest: Option<String>,
}

impl Build {
    /// An image, of which `origin` tells more.
    pub fn image(name: &str, origin: Option<&Origin>) -> Self {
        let Origin { digest, created, revision, .. } = origin.cloned().unwrap_or_default();
        Self { kind: "image", name: name.to_owned(), commit: revision, date: created, subject: None, digest }
    }
}

/// What a flag says of where the code side is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceChoice {
    /// `dir` or `dir:PATH`
    Directory(Option<String>),
    /// `git:REV`
    Revision(String),
    /// `binary:PATH`
    Binary(String),
    /// `image`, or `image:` with a reference, an archive or a layout
    Image(Option<String>),
}

impl std::str::FromStr for SourceChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, place) = text.split_once(':').map_or((text, None), |(kind, place)| (kind, Some(place)));
        if place.is_some_and(|place| place.trim().is_empty()) {
            return Err("there is nothing after the colon");
        }
        match (kind, place.map(str::to_owned)) {
            ("dir", place) => Ok(Self::Directory(place)),
            ("git", Some(name)) if names_revision(&name) => Ok(Self::Revision(name)),
            ("binary", Some(path)) => Ok(Self::Binary(path)),
            ("image", place) => Ok(Self::Image(place)),
            ("git", Some(_)) => Err("give a branch, a tag or a commit after the colon"),
            _ => Err("write dir:PATH, git:REV, binary:PATH, image:REF, or image for the configured one"),
        }
    }
}

/// Whether a text may name a commit: it is neither nothing nor a flag of git's.
pub fn names_revision(text: &str) -> bool {
    !text.trim().is_empty() && !text.starts_with('-')
}

/// What is known of where the code side was read, beside its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The commit that a revision names.
    pub commit: Option<String>,
    /// The digest of an image.
    pub digest: Option<String>,
    /// When an image was made, as it says itself.
    pub created: Option<String>,
    /// The revision that an image says it was made from (`org.opencontainers.image.revision`).
    pub revision: Option<String>,
    /// The file in an image that the migrations were found in.
    pub file: Option<String>,
}

/// The code side: what sqlx would resolve, and what it would stumble over or pass by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defined {
    /// Every migration, down files too, sorted by version and kind as sqlx sorts them.
    pub migrations: Vec<Migration>,
    /// Files that make sqlx fail. One is enough to fail the whole directory.
    pub invalid: Vec<InvalidFile>,
    /// Files that look like migrations and that sqlx passes by.
    pub ignored: Vec<IgnoredFile>,
    /// `table-name` of `sqlx.toml`.
    pub table: Option<String>,
    /// `create-schemas` of `sqlx.toml`.
    pub create_schemas: Vec<String>,
    /// `ignored-chars` of `sqlx.toml`: the letters that no checksum takes in.
    pub ignored_chars: BTreeSet<char>,
    /// The calls of `migrate!()` that embed the directory, as it is checked out, in a program that cargo may not build again
    /// for a new file.
    pub unwatched: Vec<Unwatched>,
    /// Where it was read.
    pub origin: Origin,
}

impl Defined {
    /// Puts everything in a fixed order: migrations by version and kind as sqlx sorts them, which leaves the rest to
    /// `read_dir`, and then by path.
    pub fn sort(&mut self) {
        self.migrations.sort_by(|a, b| (a.version, a.kind, &a.path).cmp(&(b.version, b.kind, &b.path)));
        self.invalid.sort_by(|a, b| a.path.cmp(&b.path));
        self.ignored.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// The migrations of a version; they are sorted.
    pub fn of_version(&self, version: Version) -> &[Migration] {
        let start = self.migrations.partition_point(|migration| migration.version < version);
        let (_, from) = self.migrations.split_at(start);
        &from[..from.partition_point(|migration| migration.version == version)]
    }
}

/// The code side at the two ends of the base of a change: where it begins, and where the branch is that it goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// What the directory held where the change begins; none where there was no such directory.
    pub start: Option<Defined>,
    /// The migrations at the tip of the base branch, which others may have moved on.
    pub tip: Vec<Migration>,
    /// Whether whatever decides how the directory is read (`sqlx.toml`, `.gitattributes`) and what the targets are
    /// (the configuration, the workflow) is where the change begins as it is here.
    pub same_settings: bool,
    /// Whether the change is a pull request, or a group of them in a merge queue.
    pub is_pull_request: bool,
}

impl Base {
    /// Whether either end has a migration of this version and content.
    pub fn has(&self, version: Version, checksum: &Checksum) -> bool {
        let start = self.start.iter().flat_map(|start| &start.migrations);
        start.chain(&self.tip).any(|migration| migration.version == version && migration.checksum == *checksum)
    }

    /// Whether the change leaves the migrations of a target, and all that decides on them, as they were.
    pub fn is_untouched(&self, defined: &Result<Arc<Defined>, SourceError>) -> bool {
        self.same_settings
            && match (&self.start, defined) {
                (Some(start), Ok(now)) => start.migrations == now.migrations && start.invalid == now.invalid,
                (None, Err(SourceError::NoDirectory(_))) => true,
                _ => false,
            }
    }
}

/// A call of `migrate!()` in a crate that has no build script watching the directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unwatched {
    /// The name of the crate.
    pub krate: String,
    /// The file with the call, relative to the root of the repository, with `/` between its parts.
    pub file: String,
    /// The line of the call.
    pub line: u32,
    /// The directory as the crate's build script would name it.
    pub path: String,
    /// The build script that there is, and that watches something else.
    pub script: Option<String>,
}

/// A file that makes sqlx fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidFile {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    /// Why.
    pub reason: InvalidReason,
}

/// Why sqlx fails on a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// `<prefix>_….sql`, and the prefix is no `i64`.
    #[error("`{prefix}` before the first `_` is not an integer that fits 64 bits")]
    Version {
        /// The text before the first `_`.
        prefix: String,
    },
    /// The content is not UTF-8.
    #[error("its content is not UTF-8 (byte {offset} is the first that is not)")]
    NotUtf8 {
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// It cannot be opened, read or (a dangling link) stat'ed.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// A file that looks like a migration, though sqlx does not see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredFile {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    /// Why.
    pub reason: IgnoredReason,
}

/// Why sqlx passes by a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IgnoredReason {
    /// `20260110-add.sql`
    #[error("there is no `_` between version and description")]
    NoUnderscore,
    /// `20260110_add.SQL`
    #[error("its name does not end in `.sql` in lower case")]
    SuffixCase,
    /// `archive/20260110_add.sql`
    #[error("it stands in a sub-directory, and sqlx reads none{}", and_others(*.others))]
    SubDirectory {
        /// How many more of them stand below the same sub-directory.
        others: usize,
    },
    /// A directory called `20260110_add.sql`
    #[error("it is not a regular file")]
    NotAFile,
}

fn and_others(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" ({others} more stand there)") }
}

/// Why the code side as a whole could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The migrations directory is not there.
    #[error("there is no directory `{}`", .0.display())]
    NoDirectory(PathBuf),
    /// It is there and cannot be read.
    #[error("`{}` cannot be read: {detail}", .path.display())]
    Unreadable {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The revision names no commit, or git cannot read it.
    #[error("the revision `{revision}` cannot be read: {detail}")]
    Revision {
        /// What was asked for.
        revision: String,
        /// Why.
        detail: String,
    },
    /// The migrations directory is not in the commit.
    #[error("there is no directory `{}` in {revision}", .path.display())]
    NotInRevision {
        /// The directory.
        path: PathBuf,
        /// What was asked for.
        revision: String,
    },
    /// An image cannot be read.
    #[error("the image `{image}` cannot be read: {detail}")]
    Image {
        /// What was asked for.
        image: String,
        /// Why.
        detail: String,
    },
    /// `sqlx.toml` is there and sqlx would not accept it.
    #[error("`{}` is not valid: {detail}", .path.display())]
    Settings {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no such binary.
    #[error("there is no file `{}`", .0.display())]
    NoFile(PathBuf),
    /// There is nothing to look for in a binary.
    #[error(
        "`{}` was not searched, because nothing is known of this service: no database has a row, and neither the checkout nor \
         git has a migration; check out the service's migrations, or give their directory", .0.display()
    )]
    NothingKnown(PathBuf),
    /// A binary embeds nothing that is known.
    #[error("`{}` embeds none of the {known} contents of migrations that are known: {}", .path.display(), reasons(*.others))]
    NothingEmbedded {
        /// Which binary.
        path: PathBuf,
        /// How many contents were looked for.
        known: usize,
        /// How many migrations it embeds that are none of them, as far as can be seen.
        others: usize,
    },
    /// A binary leaves open what it embeds.
    #[error("`{}` cannot be judged: {detail}; check what it was built from instead (`--source git:REV`)", .path.display())]
    Unclear {
        /// Which binary.
        path: PathBuf,
        /// What is open.
        detail: String,
    },
}

impl SourceError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoDirectory(_) | Self::Unreadable { .. } => {
                "Correct `migrations` for this service (paths are relative to the root of the repository), or check out the directory before this step."
            }
            Self::Settings { .. } => "Correct the file: sqlx, too, fails on it.",
            Self::Revision { .. } => {
                "Fetch the revision before this step (actions/checkout with `fetch-depth: 0`), or correct its name."
            }
            Self::NotInRevision { .. } => {
                "Correct `migrations`: that revision may have them in another directory, which `--config` or the configuration can name."
            }
            Self::NoFile(_) => {
                "Correct the path, which is relative to the current folder, or build the program before this step."
            }
            Self::NothingKnown(_) => {
                "Check out the service's migrations before this step, with their history (`fetch-depth: 0`)."
            }
            Self::NothingEmbedded { .. } => {
                "Give the program that runs, as it was built; or check what it was built from, with `--source git:REV`."
            }
            Self::Unclear { .. } => "Check what it was built from instead, with `--source git:REV`.",
            Self::Image { .. } => {
                "Correct the name or the path of the image; log in to its registry before this step (`docker login`)."
            }
        }
    }
}

/// Why a binary may embed nothing that is known, and what to do about it.
fn reasons(others: usize) -> String {
    match others {
        0 => "it may have been built without sqlx's `migrate!()`, be compressed (as by UPX: give the original), read its \
              migrations from a directory when it starts (then check that), or be another service's binary"
            .to_owned(),
        _ => format!(
            "it embeds {others} others with sqlx's `migrate!()`, so it may be another service's binary, or be built from \
             migrations that neither the checkout nor its git history has (fetch all of that)"
        ),
    }
}
