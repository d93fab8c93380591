//! The one door to the repository: what its history says of files, asked of the program `git`. It only ever reads.
//!
//! The program rather than a library: it knows every kind of repository that its user has (worktrees, partial clones,
//! SHA-256, alternates), and its configuration decides as it does for the user.

mod command;
mod log;
mod uncommitted;

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use log::{Change, Commit, Entry, EntryKind};
pub use uncommitted::Uncommitted;

/// How long one question may take. A repository of a hundred thousand commits is told of in some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// What [`Ref::parse`] reads.
const REFS: &str = "--format=%(objectname) %(*objectname) %(refname) %(symref)";

/// In so many trees files are looked for at most, where git is asked for each by itself.
const MOST_TREES: usize = 100;

/// No tree is longer: a hundred bytes for each of a hundred thousand files.
const MOST_TREE: u64 = 10 << 20;

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

    /// The name that trees have as bytes.
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
        let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
        matches!(bytes.len(), 20 | 32).then(|| Self(digits.collect()))
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

/// A branch, a tag or a fetched reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// Its full name: `refs/heads/main`.
    pub name: String,
    /// What it stands for; a tag's commit rather than the tag.
    pub commit: ObjectId,
    /// The reference that it is another name for.
    pub is_symbol_of: Option<String>,
}

impl Ref {
    /// The name that a person would use: `main`, `origin/feature`, `v1.2`.
    pub fn short_name(&self) -> String {
        short_name(&self.name)
    }

    /// A line of `for-each-ref` in the format [`REFS`]. No name holds a blank, and of what is no tag the second name is empty.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (object, of_tag, name, symbol) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let commit = ObjectId::parse(of_tag).or_else(|| ObjectId::parse(object))?;
        let is_symbol_of = (!symbol.is_empty()).then(|| symbol.to_owned());
        Some(Self { name: name.to_owned(), commit, is_symbol_of })
    }
}

/// Commits that led to another one. Of each name 128 bits are kept, by which no two commits of a repository are alike: a
/// long history has a million of them.
#[derive(Debug, Default)]
pub struct Ancestors(HashSet<u128>);

impl Ancestors {
    /// Whether a commit is one of them.
    pub fn contains(&self, commit: &ObjectId) -> bool {
        key(commit.0.as_bytes()).is_some_and(|key| self.0.contains(&key))
    }
}

/// The first 128 bits of the name that a line begins with.
fn key(line: &[u8]) -> Option<u128> {
    u128::from_str_radix(std::str::from_utf8(line.get(..32)?).ok()?, 16).ok()
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Git {
    root: PathBuf,
    /// What stands before a path of ours to make it one of git's.
    prefix: String,
    is_shallow: bool,
    is_partial: bool,
}

impl Git {
    /// The repository that the folder `root` is in.
    ///
    /// # Errors
    /// There is none, or nobody to ask.
    pub fn open(root: &Path) -> Result<Self, GitError> {
        let mut git = Self { root: root.to_owned(), prefix: String::new(), is_shallow: false, is_partial: false };
        let told = git.text(&["rev-parse", "--is-shallow-repository", "--show-prefix"])?;
        let mut lines = told.lines();
        git.is_shallow = lines.next() == Some("true");
        git.prefix = lines.next().unwrap_or_default().to_owned();
        let promises = r"^(extensions\.partialclone|remote\..*\.promisor)$";
        git.is_partial = git.answer(&["config", "--get-regexp", promises])?.is_some();
        Ok(git)
    }

    /// Whether commits are missing at the far end of the history, as after `actions/checkout` without `fetch-depth: 0`.
    pub fn is_shallow(&self) -> bool {
        self.is_shallow
    }

    /// The branch that the remote repository names as its default one, as far as that is known here.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn default_branch(&self) -> Result<Option<String>, GitError> {
        let told = self.answer(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
        Ok(told.and_then(|told| told.trim().strip_prefix("origin/").map(str::to_owned)))
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
        // `origin/HEAD` is another name for a branch that is listed as well.
        Ok(told.lines().filter(|line| !line.ends_with("/HEAD") && *line != "stash").map(short_name).collect())
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

    /// The files that are one of the `paths` or below one, at a commit; all of them relative to the root.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn files_below(&self, commit: &ObjectId, paths: &[String]) -> Result<Vec<(String, ObjectId)>, GitError> {
        let paths: Vec<_> = paths.iter().map(|path| self.of_top(path)).collect();
        let fixed = ["ls-tree", "-r", "-z", "--full-tree", commit.as_str(), "--"];
        // The top itself has no name, and is what is listed when nothing is named.
        let has_top = paths.iter().any(String::is_empty);
        let named = paths.iter().map(String::as_str).filter(|_| !has_top);
        let arguments: Vec<_> = fixed.into_iter().chain(named).collect();
        self.read(&arguments, "", |stdout| log::tree(stdout, &self.prefix))
    }

    /// Those of the files that [`Git::files_below`] would list which do not stand here as the last commit has them.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn uncommitted(&self, paths: &[String]) -> Result<Vec<String>, GitError> {
        let fixed = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "HEAD", "--"];
        let paths: Vec<_> = paths.iter().map(|path| format!(":(top,literal){}", self.of_top(path))).collect();
        let arguments: Vec<_> = fixed.into_iter().chain(paths.iter().map(String::as_str)).collect();
        let told = self.text(&arguments)?;
        Ok(told.split('\0').filter_map(|path| path.strip_prefix(&self.prefix)).map(str::to_owned).collect())
    }

    /// A path of ours as one of git's.
    fn of_top(&self, path: &str) -> String {
        let path = if path == "." { "" } else { path };
        format!("{}{path}", self.prefix).trim_end_matches('/').to_owned()
    }

    /// Every change of a file that matches one of the `paths` (git's pathspecs, relative to the root), in all that any
    /// branch, tag or fetched reference holds; the newest commit first.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn changes(&self, paths: &[String]) -> Result<Vec<Commit>, GitError> {
        self.log(["--all", "-c"], paths)
    }

    /// How the file `path` came and went in what led to `tip`, beside each parent of a merge: what [`Git::changes`] keeps
    /// silent of is that a merge took one side and dropped the other.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn changes_beside_every_parent(&self, tip: &ObjectId, path: &str) -> Result<Vec<Commit>, GitError> {
        self.log([tip.as_str(), "-m"], &[format!(":(literal){path}")])
    }

    /// What changed in `paths` over the commits, and beside the parents of merges, that `which` says.
    fn log(&self, which: [&str; 2], paths: &[String]) -> Result<Vec<Commit>, GitError> {
        // Full history: a merge that throws a side away would else hide what that side had.
        let order = ["--full-history", "--topo-order", "--raw", "-z", "--no-abbrev", "--no-renames"];
        let quiet = ["--no-show-signature", "--no-color", "--no-ext-diff", log::FORMAT, "--"];
        let paths = paths.iter().map(String::as_str);
        let arguments: Vec<_> = ["log"].into_iter().chain(which).chain(order).chain(quiet).chain(paths).collect();
        let mut commits = self.read(&arguments, "", |stdout| log::commits(stdout, &self.prefix))?;
        commits.retain(|commit| !commit.changes.is_empty());
        Ok(commits)
    }

    /// The newest commits that led to `tip`, itself taken in, along first parents alone: what was merged counts as the
    /// merge. At most so many.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn first_parents(&self, tip: &ObjectId, most: usize) -> Result<Vec<Commit>, GitError> {
        let most = format!("--max-count={most}");
        let arguments =
            ["log", "--first-parent", &most, "-z", "--no-color", "--no-patch", log::FORMAT, tip.as_str(), "--"];
        self.read(&arguments, "", |stdout| log::commits(stdout, &self.prefix))
    }

    /// The tags whose names match a pattern, the newest first, with what `git log` says of their commits. At most so many.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn tags(&self, pattern: &str, most: usize) -> Result<Vec<(String, Commit)>, GitError> {
        let (count, pattern) = (format!("--count={most}"), format!("refs/tags/{pattern}"));
        let told = self.text(&["for-each-ref", &count, "--sort=-creatordate", REFS, &pattern])?;
        let tags: Vec<Ref> = told.lines().filter_map(Ref::parse).collect();
        let names: String = tags.iter().map(|tag| format!("{}\n", tag.commit)).collect();
        let arguments = ["log", "--no-walk=unsorted", "--stdin", "-z", "--no-color", "--no-patch", log::FORMAT];
        // Who gives it no name gets what is checked out.
        let commits = if tags.is_empty() {
            Vec::new()
        } else {
            self.read(&arguments, &names, |stdout| log::commits(stdout, &self.prefix))?
        };
        let of: HashMap<ObjectId, Commit> = commits.into_iter().map(|commit| (commit.id.clone(), commit)).collect();
        Ok(tags.into_iter().filter_map(|tag| Some((tag.short_name(), of.get(&tag.commit)?.clone()))).collect())
    }

    /// The commits that led to `tip`, itself taken in.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn ancestors(&self, tip: &ObjectId) -> Result<Ancestors, GitError> {
        self.read(&["rev-list", tip.as_str(), "--"], "", |stdout| {
            let mut ancestors = Ancestors::default();
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line)? > 0 {
                ancestors.0.extend(key(&line));
                line.clear();
            }
            Ok(ancestors)
        })
    }

    /// Every branch, tag and fetched reference, in order of their names.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn refs(&self) -> Result<Vec<Ref>, GitError> {
        let told = self.text(&["for-each-ref", REFS])?;
        Ok(told.lines().filter_map(Ref::parse).collect())
    }

    /// The tree at each `path` of each `revision` that goes with it; what stands there by another kind is no tree, and told
    /// all the same. The root has the empty path.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn trees_at(&self, places: &[(&str, &str)]) -> Result<Vec<Option<ObjectId>>, GitError> {
        self.named(places.iter().map(|place| self.line(place)))
    }

    /// What a commit has at `path`.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn entry_at(&self, commit: &ObjectId, path: &str) -> Result<Option<(EntryKind, ObjectId)>, GitError> {
        let path = self.of_top(path);
        let told = self.text(&["ls-tree", "-z", "--full-tree", commit.as_str(), "--", &path])?;
        let mut words = told.split(['\t', '\0']).next().unwrap_or_default().split(' ');
        let (mode, id) = (words.next().unwrap_or_default(), words.nth(1).and_then(ObjectId::parse));
        Ok(id.map(|id| (EntryKind::of_mode(mode), id)))
    }

    /// What to ask for in a line. What has a line break in it cannot be asked for, and another line keeps its place.
    fn line(&self, (revision, path): &(&str, &str)) -> String {
        match self.spec(revision, path) {
            spec if spec.contains(['\n', '\r']) => ":".to_owned(),
            spec => spec,
        }
    }

    /// The names of the objects that the lines ask for.
    fn named(&self, lines: impl Iterator<Item = String>) -> Result<Vec<Option<ObjectId>>, GitError> {
        let lines: String = lines.map(|line| line + "\n").collect();
        self.read(&["cat-file", "--batch-check=%(objectname)", "--buffer"], &lines, |stdout| {
            Ok(stdout.split(b'\n').map_while(Result::ok).map(|line| parsed(&line)).collect())
        })
    }

    /// The content of each `path` at each `revision` that goes with it; none where there is no such file.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn contents_at(&self, places: &[(&str, &str)]) -> Result<Vec<Option<ObjectId>>, GitError> {
        if self.is_partial {
            return self.contents_in_trees(places);
        }
        self.named(places.iter().map(|place| self.line(place)))
    }

    /// The same, asking for nothing but trees: older versions of git fail over a content that is not here.
    fn contents_in_trees(&self, places: &[(&str, &str)]) -> Result<Vec<Option<ObjectId>>, GitError> {
        let mut told = HashMap::new();
        for of_revision in places.chunk_by(|one, other| one.0 == other.0).take(MOST_TREES) {
            let Some((revision, _)) = of_revision.first() else { continue };
            let paths: Vec<String> = of_revision.iter().map(|(_, path)| format!("{}{path}", self.prefix)).collect();
            let paths = paths.iter().map(String::as_str);
            let arguments: Vec<&str> =
                ["ls-tree", "-z", "--full-tree", revision, "--"].into_iter().chain(paths).collect();
            let files = self.read(&arguments, "", |stdout| log::tree(stdout, &self.prefix))?;
            told.extend(files.into_iter().map(|(path, id)| ((*revision, path), id)));
        }
        Ok(places.iter().map(|(revision, path)| told.get(&(*revision, (*path).to_owned())).cloned()).collect())
    }

    /// Those of `ids` that are here, in their order.
    fn here<'a>(&self, ids: Vec<&'a ObjectId>) -> Result<Vec<&'a ObjectId>, GitError> {
        if !self.is_partial {
            return Ok(ids);
        }
        let among: HashSet<&ObjectId> = ids.iter().copied().collect();
        let all = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered"];
        let here: HashSet<ObjectId> = self.read(&all, "", |stdout| {
            let ids = stdout.lines().map_while(Result::ok).filter_map(|line| ObjectId::parse(&line));
            Ok(ids.filter(|id| among.contains(id)).collect())
        })?;
        Ok(ids.into_iter().filter(|id| here.contains(*id)).collect())
    }

    /// How git calls the file `path` at a revision: `REVISION:PATH`.
    pub fn spec(&self, revision: &str, path: &str) -> String {
        format!("{revision}:{}{path}", self.prefix)
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
        let ids = self.here(ids.into_iter().collect())?;
        let names: String = ids.into_iter().map(|id| format!("{id}\n")).collect();
        self.batch("blob", &names, each)
    }

    /// What stands straight in each of the trees.
    ///
    /// # Errors
    /// git cannot be asked. What is no tree, or is not here, is left out.
    pub fn trees(&self, ids: &HashSet<ObjectId>) -> Result<HashMap<ObjectId, Vec<Entry>>, GitError> {
        let names: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let mut trees = HashMap::new();
        self.batch("tree", &names, &mut |id, content| {
            let mut bytes = Vec::new();
            if content.take(MOST_TREE).read_to_end(&mut bytes).is_ok() {
                trees.insert(id.clone(), log::entries(&bytes, id.0.len() / 2));
            }
        })?;
        Ok(trees)
    }
}

/// A reference as a person would name it.
fn short_name(name: &str) -> String {
    let name = name.strip_prefix("refs/").unwrap_or(name);
    let kind = name.split_once('/').filter(|(kind, _)| matches!(*kind, "heads" | "remotes" | "tags"));
    kind.map_or(name, |(_, name)| name).to_owned()
}

/// The name of an object alone in a line: what is missing is told by more words.
fn parsed(line: &[u8]) -> Option<ObjectId> {
    ObjectId::parse(std::str::from_utf8(line).ok()?)
}
