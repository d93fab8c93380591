//! The code side as commits have it: nothing is checked out, a tree that commits share is read once, and a content is
//! hashed once. The bytes are those that were committed: what a checkout would make of them is not looked at.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::base::{above, inside};
use super::content::ContentReader;
use super::directory::{MISPLACED_DEPTH, MISPLACED_ENTRIES, governed, put};
use crate::git::{Entry, EntryKind, Git, GitError, ObjectId};
use crate::migration::{Checksum, FileName};
use crate::source::{Defined, IgnoredFile, IgnoredReason, InvalidFile, InvalidReason, Origin, SourceError};
use crate::sqlx_toml::{self, SqlxToml};

/// No path that a symbolic link holds is longer.
const MOST_LINK: u64 = 4096;
/// So many links are followed one after the other.
const MOST_LINKS: usize = 5;

/// One commit, and what it has of a migrations directory.
#[derive(Debug)]
pub struct Revision {
    name: String,
    commit: ObjectId,
    place: Place,
    commits: Commits,
    settings: Arc<SqlxToml>,
}

impl Revision {
    /// The commit that `name` names in the repository around `root`.
    ///
    /// # Errors
    /// There is none, git cannot be asked, or its `sqlx.toml` is not valid.
    pub fn open(root: &Path, name: &str, directory: &Path) -> Result<Self, SourceError> {
        let failed = |detail: String| SourceError::Revision { revision: name.to_owned(), detail };
        let git = Git::open(root).map_err(|error| failed(error.to_string()))?;
        let commit = git.commit(name).map_err(|error| failed(error.to_string()))?;
        let commit = commit.ok_or_else(|| failed(absent(&git)))?;
        let (commits, places) =
            Commits::read(git, directory, std::slice::from_ref(&commit)).map_err(|error| failed(error.to_string()))?;
        let place = places.into_iter().next().unwrap_or_default();
        let settings = commits.settings(&place)?;
        Ok(Self { name: name.to_owned(), commit, place, commits, settings })
    }

    /// The `sqlx.toml` that governs the directory there.
    pub fn settings(&self) -> &SqlxToml {
        &self.settings
    }

    /// The migrations.
    ///
    /// # Errors
    /// The directory is not there, or a partial clone lacks what is in it.
    pub fn migrations(&self) -> Result<Defined, SourceError> {
        let origin = Origin { commit: Some(self.commit.to_string()), ..Origin::default() };
        self.commits.defined(&self.place, &self.name).map(|defined| Defined { origin, ..defined })
    }
}

/// Why a revision may not be here.
fn absent(git: &Git) -> String {
    let shallow =
        if git.is_shallow() { ", and the clone is shallow: give actions/checkout `fetch-depth: 0`" } else { "" };
    format!("it names no commit that is here{shallow}; fetch it first, or correct the name")
}

/// All that decides what a commit's migrations are: commits that agree on it hold the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    tree: Option<ObjectId>,
    /// The `sqlx.toml`, by its path and content.
    settings: Option<(String, ObjectId)>,
    /// What symbolic links in the directory lead to.
    links: Vec<(String, Option<(EntryKind, ObjectId)>)>,
}

/// What commits have of one migrations directory.
#[derive(Debug)]
pub struct Commits {
    git: Git,
    directory: PathBuf,
    trees: HashMap<ObjectId, Vec<Entry>>,
    settings: Settings,
    /// By the letters that are left out.
    checksums: HashMap<BTreeSet<char>, Checksums>,
}

/// What every `sqlx.toml` says, by its path and content, or what is wrong with it.
type Settings = HashMap<(String, ObjectId), Result<Arc<SqlxToml>, SourceError>>;

/// What contents hash to, or what is wrong with them.
type Checksums = HashMap<ObjectId, Result<Checksum, InvalidReason>>;

impl Commits {
    /// Reads all that the commits have of `directory`, and where each has it.
    ///
    /// # Errors
    /// git cannot be asked. What is wrong with one place is told when that is asked for.
    pub fn read(git: Git, directory: &Path, commits: &[ObjectId]) -> Result<(Self, Vec<Place>), GitError> {
        let Some(path) = inside(directory) else {
            return Err(GitError::Refused(format!("`{}` is outside of the repository", directory.display())));
        };
        let mut read = Self {
            git,
            directory: directory.to_owned(),
            trees: HashMap::new(),
            settings: HashMap::new(),
            checksums: HashMap::new(),
        };
        let mut places = read.places(commits, &path)?;
        let ids: HashSet<ObjectId> = places.iter().filter_map(|place| place.tree.clone()).collect();
        read.trees = read.git.trees(&ids)?;
        read.follow(commits, &path, &mut places)?;
        read.descend(&places)?;
        read.settings = read.parse(&places)?;
        read.checksums = read.hash(&places)?;
        Ok((read, places))
    }

    /// The tree of the directory in each commit, and the `sqlx.toml` that governs it.
    fn places(&self, commits: &[ObjectId], directory: &str) -> Result<Vec<Place>, GitError> {
        let tree = if directory == "." { "" } else { directory };
        let folders: Vec<String> = above(directory).into_iter().rev().collect();
        let files: Vec<String> = [sqlx_toml::MANIFEST, sqlx_toml::NAME]
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| format!("{folder}{name}")))
            .collect();
        let trees: Vec<_> = commits.iter().map(|commit| (commit.as_str(), tree)).collect();
        let trees = self.git.trees_at(&trees)?;
        let asked = commits.iter().flat_map(|commit| files.iter().map(move |file| (commit.as_str(), file.as_str())));
        let told = self.git.contents_at(&asked.collect::<Vec<_>>())?;
        let place = |(tree, told): (Option<ObjectId>, &[Option<ObjectId>])| {
            let (crates, settings) = told.split_at(folders.len().min(told.len()));
            let nearest = |found: &[Option<ObjectId>]| found.iter().position(Option::is_some);
            // As for a checkout: beside the nearest `Cargo.toml`, else the nearest `sqlx.toml`.
            let at = nearest(crates).or_else(|| nearest(settings));
            let settings = at.and_then(|at| Some((files[folders.len() + at].clone(), settings.get(at)?.clone()?)));
            Place { tree, settings, links: Vec::new() }
        };
        Ok(trees.into_iter().zip(told.chunks(files.len())).map(place).collect())
    }

    /// Follows the symbolic links in the directory, as far as they stay in the commit.
    fn follow(&self, commits: &[ObjectId], directory: &str, places: &mut [Place]) -> Result<(), GitError> {
        let links = |place: &Place| {
            let entries = self.entries(place).iter();
            entries.filter(|entry| entry.kind == EntryKind::Link).cloned().collect::<Vec<_>>()
        };
        for (commit, place) in commits.iter().zip(places) {
            for link in links(place) {
                let path = if directory == "." { link.name.clone() } else { format!("{directory}/{}", link.name) };
                place.links.push((link.name, self.end(commit, path, link.id)?));
            }
        }
        Ok(())
    }

    /// What the link `blob` at `path` leads to in the end.
    fn end(&self, commit: &ObjectId, path: String, blob: ObjectId) -> Result<Option<(EntryKind, ObjectId)>, GitError> {
        let (mut path, mut blob) = (path, blob);
        for _ in 0..MOST_LINKS {
            let Some(target) = self.target(&blob, &path)? else { return Ok(None) };
            match self.git.entry_at(commit, &target)? {
                Some((EntryKind::Link, next)) => (path, blob) = (target, next),
                end => return Ok(end),
            }
        }
        Ok(None)
    }

    /// The path that the link `blob` at `path` leads to; none where that is outside of the repository.
    fn target(&self, blob: &ObjectId, path: &str) -> Result<Option<String>, GitError> {
        let mut text = String::new();
        self.git.blobs([blob], &mut |_, content| drop(content.take(MOST_LINK).read_to_string(&mut text)))?;
        let mut parts: Vec<&str> = path.split('/').collect();
        parts.pop();
        for part in text.split('/') {
            match part {
                "." => {}
                ".." if parts.pop().is_none() => return Ok(None),
                ".." => {}
                "" => return Ok(None),
                part => parts.push(part),
            }
        }
        Ok(Some(parts.join("/")))
    }

    /// Parses every `sqlx.toml` of the places.
    fn parse(&self, places: &[Place]) -> Result<Settings, GitError> {
        let wanted: HashSet<&(String, ObjectId)> = places.iter().filter_map(|place| place.settings.as_ref()).collect();
        let mut texts = HashMap::new();
        self.git.blobs(wanted.iter().map(|(_, id)| id), &mut |id, content| {
            let mut bytes = Vec::new();
            if content.take(sqlx_toml::MAX_BYTES).read_to_end(&mut bytes).is_ok() {
                texts.insert(id.clone(), String::from_utf8_lossy(&bytes).into_owned());
            }
        })?;
        let parsed = |file: &(String, ObjectId)| match texts.get(&file.1) {
            Some(text) => sqlx_toml::parse(text, Path::new(&file.0)).map(Arc::new),
            None => Err(SourceError::Settings { path: PathBuf::from(&file.0), detail: LACKING.to_owned() }),
        };
        Ok(wanted.into_iter().map(|file| (file.clone(), parsed(file))).collect())
    }

    /// Hashes every content that is a migration in any of the places, by the rules of its `sqlx.toml`.
    fn hash(&self, places: &[Place]) -> Result<HashMap<BTreeSet<char>, Checksums>, GitError> {
        let mut wanted: HashMap<BTreeSet<char>, HashSet<&ObjectId>> = HashMap::new();
        for place in places.iter().collect::<HashSet<_>>() {
            let Ok(settings) = self.settings(place) else { continue };
            let wanted = wanted.entry(settings.migrate.ignored_chars.iter().copied().collect()).or_default();
            for (name, id) in self.files(place) {
                let Some(id) = id else { continue };
                // Commits that follow one another differ by a file or two: of the others the names are not looked at.
                if !wanted.contains(id) && matches!(FileName::parse(name), Some(Ok(_))) {
                    wanted.insert(id);
                }
            }
        }
        let mut hashed = HashMap::new();
        for (ignored, ids) in wanted {
            let (mut reader, mut checksums) = (ContentReader::new(&ignored), Checksums::new());
            self.git.blobs(ids, &mut |id, content| drop(checksums.insert(id.clone(), reader.checksum(content))))?;
            hashed.insert(ignored, checksums);
        }
        Ok(hashed)
    }

    /// What stands straight in the directory of a place.
    fn entries(&self, place: &Place) -> &[Entry] {
        place.tree.as_ref().and_then(|tree| self.trees.get(tree)).map_or(&[], Vec::as_slice)
    }

    /// The files of a place, and what they hold; nothing where a link leads nowhere. What leads to a directory is one.
    fn files<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = (&'a str, Option<&'a ObjectId>)> {
        let regular = self.entries(place).iter().filter(|entry| entry.kind == EntryKind::File);
        let regular = regular.map(|entry| (entry.name.as_str(), Some(&entry.id)));
        let links = place.links.iter().filter(|(_, end)| !end.as_ref().is_some_and(|(kind, _)| is_directory(*kind)));
        regular.chain(links.map(|(name, end)| (name.as_str(), end.as_ref().map(|(_, id)| id))))
    }

    /// The directories of a place, and their trees.
    fn directories<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = (&'a str, &'a ObjectId)> {
        let own = self
            .entries(place)
            .iter()
            .filter(|entry| is_directory(entry.kind))
            .map(|entry| (entry.name.as_str(), &entry.id));
        let links = place.links.iter().filter_map(|(name, end)| Some((name.as_str(), end.as_ref()?)));
        own.chain(links.filter(|(_, end)| is_directory(end.0)).map(|(name, end)| (name, &end.1)))
    }

    /// Reads the trees below the directories, as deep as somebody may have put a migration by mistake.
    fn descend(&mut self, places: &[Place]) -> Result<(), GitError> {
        let mut wanted: HashSet<ObjectId> =
            places.iter().flat_map(|place| self.directories(place)).map(|(_, id)| id.clone()).collect();
        for _ in 0..MISPLACED_DEPTH {
            wanted.retain(|id| !self.trees.contains_key(id));
            if wanted.is_empty() || wanted.len() > MISPLACED_ENTRIES {
                break;
            }
            let trees = self.git.trees(&wanted)?;
            let below = trees.values().flatten().filter(|entry| entry.kind == EntryKind::Directory);
            wanted = below.map(|entry| entry.id.clone()).collect();
            self.trees.extend(trees);
        }
        Ok(())
    }

    /// Collects the paths of the files below a tree that look like migrations, in the order of a walk.
    fn misplaced(&self, tree: &ObjectId, path: &str, depth: usize, found: &mut Vec<String>) {
        let mut entries: Vec<&Entry> = self.trees.get(tree).into_iter().flatten().collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let path = format!("{path}/{}", entry.name);
            match entry.kind {
                EntryKind::Directory if depth < MISPLACED_DEPTH => {
                    self.misplaced(&entry.id, &path, depth + 1, found);
                }
                EntryKind::File if FileName::looks_like_one(&entry.name) => found.push(path),
                _ => {}
            }
        }
    }

    /// The `sqlx.toml` of a place.
    ///
    /// # Errors
    /// sqlx would not accept it.
    pub fn settings(&self, place: &Place) -> Result<Arc<SqlxToml>, SourceError> {
        match place.settings.as_ref().and_then(|file| self.settings.get(file)) {
            None => Ok(Arc::default()),
            Some(parsed) => parsed.clone(),
        }
    }

    /// The code side of a place, which `revision` names.
    ///
    /// # Errors
    /// The directory is not there, its `sqlx.toml` is not valid, or a partial clone lacks a content.
    pub fn defined(&self, place: &Place, revision: &str) -> Result<Defined, SourceError> {
        let settings = self.settings(place)?;
        if !place.tree.as_ref().is_some_and(|tree| self.trees.contains_key(tree)) {
            return Err(SourceError::NotInRevision { path: self.directory.clone(), revision: revision.to_owned() });
        }
        let mut defined = governed(&settings);
        let checksums = self.checksums.get(&defined.ignored_chars);
        for (name, id) in self.files(place) {
            let path = self.directory.join(name);
            let Some(id) = id else {
                let reason = InvalidReason::Unreadable(DANGLING.to_owned());
                defined.invalid.push(InvalidFile { path, reason });
                continue;
            };
            let (checksum, mut is_lacking) = (checksums.and_then(|checksums| checksums.get(id)).cloned(), false);
            let absent = || {
                is_lacking = true;
                Err(InvalidReason::Unreadable(LACKING.to_owned()))
            };
            put(path, || checksum.unwrap_or_else(absent), &mut defined);
            if is_lacking {
                return Err(SourceError::Revision { revision: revision.to_owned(), detail: LACKING.to_owned() });
            }
        }
        for (name, tree) in self.directories(place) {
            if FileName::looks_like_one(name) {
                defined.ignored.push(self.ignored(name, IgnoredReason::NotAFile));
                continue;
            }
            let mut found = Vec::new();
            self.misplaced(tree, name, 1, &mut found);
            let others = found.len().saturating_sub(1);
            let reason = IgnoredReason::SubDirectory { others };
            defined.ignored.extend(found.first().map(|path| self.ignored(path, reason)));
        }
        defined.sort();
        Ok(defined)
    }

    fn ignored(&self, name: &str, reason: IgnoredReason) -> IgnoredFile {
        IgnoredFile { path: self.directory.join(name), reason }
    }
}

/// What is no file, whatever it is called.
fn is_directory(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Directory | EntryKind::Submodule)
}

/// A link that sqlx could not stat in a checkout either.
const DANGLING: &str = "it is a symbolic link that leads to no file of the commit";
/// What a clone may lack.
const LACKING: &str = "the clone is a partial one and lacks what a file held: leave `filter` out of actions/checkout, or run `git fetch --refetch --no-filter`";
