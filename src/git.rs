//! The one door to the repository: what its history says of files, asked of the program `git`. It only ever reads.
//!
//! The program rather than a library: it knows every kind of repository that its user has (worktrees, partial clones,
//! SHA-256, alternates), and its configuration decides as it does for the user.

mod command;
mod log;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use log::{Change, Commit};

/// How long one question may take. A repository of a hundred thousand commits is told of in some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why git cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// The program is not there.
    #[error("the program `git` is not installed")]
    NoProgram,
    /// There is no repository.
    #[error("this is no git repository")]
    NoRepository,
    /// git says why.
    #[error("git says: {0}")]
    Refused(String),
    /// It takes too long.
    #[error("git took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
}

/// The name of an object: 40 hexadecimal digits, or 64 in a SHA-256 repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(String);

impl ObjectId {
    /// `text`, where it is the full name of an object.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_name.then(|| Self(text.to_ascii_lowercase()))
    }

    /// All its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the name that stands for no object.
    pub fn is_null(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'0')
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Git {
    root: PathBuf,
    /// What stands before a path of ours to make it one of git's.
    prefix: String,
    is_shallow: bool,
}

impl Git {
    /// The repository that the folder `root` is in.
    ///
    /// # Errors
    /// There is none, or nobody to ask.
    pub fn open(root: &Path) -> Result<Self, GitError> {
        let mut git = Self { root: root.to_owned(), prefix: String::new(), is_shallow: false };
        let told = git.text(&["rev-parse", "--is-shallow-repository", "--show-prefix"])?;
        let mut lines = told.lines();
        git.is_shallow = lines.next() == Some("true");
        git.prefix = lines.next().unwrap_or_default().to_owned();
        Ok(git)
    }

    /// Whether commits are missing at the far end of the history, as after `actions/checkout` without `fetch-depth: 0`.
    pub fn is_shallow(&self) -> bool {
        self.is_shallow
    }

    /// The commit that `revision` names, if it names one that is here.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn commit(&self, revision: &str) -> Result<Option<ObjectId>, GitError> {
        let revision = format!("{revision}^{{commit}}");
        Ok(self
            .answer(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision])?
            .and_then(|told| ObjectId::parse(told.trim())))
    }

    /// The parents of a commit, the first one first.
    ///
    /// # Errors
    /// git cannot be asked, or does not know the commit.
    pub fn parents(&self, commit: &ObjectId) -> Result<Vec<ObjectId>, GitError> {
        let told = self.text(&["rev-list", "--parents", "--max-count=1", commit.as_str()])?;
        Ok(told.split_whitespace().skip(1).filter_map(ObjectId::parse).collect())
    }

    /// The best common ancestor of two commits; none where they have none, or a shallow clone hides it.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn merge_base(&self, one: &ObjectId, other: &ObjectId) -> Result<Option<ObjectId>, GitError> {
        Ok(self.answer(&["merge-base", one.as_str(), other.as_str()])?.and_then(|told| ObjectId::parse(told.trim())))
    }

    /// Whether `one` is `other` or among what led to it.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn is_ancestor(&self, one: &ObjectId, other: &ObjectId) -> Result<bool, GitError> {
        Ok(self.answer(&["merge-base", "--is-ancestor", one.as_str(), other.as_str()])?.is_some())
    }

    /// The branches and tags that hold a commit, as a person would name them: `main`, `origin/feature`, `v1.2`.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn refs_with(&self, commit: &ObjectId) -> Result<Vec<String>, GitError> {
        let told = self.text(&["for-each-ref", "--contains", commit.as_str(), "--format=%(refname:lstrip=1)"])?;
        let name = |line: &str| {
            let name = line.split_once('/').filter(|(kind, _)| matches!(*kind, "heads" | "remotes" | "tags"));
            name.map_or(line, |(_, name)| name).to_owned()
        };
        // `origin/HEAD` is another name for a branch that is listed as well.
        Ok(told.lines().filter(|line| !line.ends_with("/HEAD")).map(name).collect())
    }

    /// The files directly in `directory` at a commit, by their path relative to the root.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn files(&self, commit: &ObjectId, directory: &str) -> Result<Vec<(String, ObjectId)>, GitError> {
        let path = format!("{}{directory}/", self.prefix).replace("/./", "/");
        let path = path.strip_prefix("./").unwrap_or(&path);
        let arguments = ["ls-tree", "-z", "--full-tree", commit.as_str(), "--", path];
        let arguments = if path.is_empty() { &arguments[..4] } else { &arguments[..] };
        self.read(arguments, "", |stdout| log::tree(stdout, &self.prefix))
    }

    /// Every change of a file that matches one of the `paths` (git's pathspecs, relative to the root), in all that any
    /// branch, tag or fetched reference holds; the newest commit first.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn changes(&self, paths: &[String]) -> Result<Vec<Commit>, GitError> {
        // Full history: a merge that throws a side away would else hide what that side had.
        let fixed =
            ["log", "--all", "--full-history", "--topo-order", "-c", "--raw", "-z", "--no-abbrev", "--no-renames"];
        let quiet = ["--no-show-signature", "--no-color", "--no-ext-diff", log::FORMAT, "--"];
        let paths = paths.iter().map(String::as_str);
        let arguments: Vec<_> = fixed.into_iter().chain(quiet).chain(paths).collect();
        self.read(&arguments, "", |stdout| log::commits(stdout, &self.prefix))
    }

    /// The contents of blobs, in their order: `each` is given the name and what reads the content.
    ///
    /// # Errors
    /// git cannot be asked. A blob that is not here (a partial clone) is passed by.
    pub fn blobs<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ObjectId>,
        each: &mut dyn FnMut(&ObjectId, &mut dyn Read),
    ) -> Result<(), GitError> {
        let names: String = ids.into_iter().map(|id| format!("{id}\n")).collect();
        self.batch(&names, each)
    }
}
