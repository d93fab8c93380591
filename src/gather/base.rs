//! The base of a change: between which commits it lies, and what the migrations directories held there.
//!
//! Never fails a run but for a `--base` that names nothing: what git cannot tell becomes a note.

mod ends;
mod side;

pub use ends::{Ends, Hidden, find};

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::git::{GitError, ObjectId};
use crate::group::{Group, Member};
use crate::source::{Base, Defined, Source};
use crate::sqlx_toml;
use crate::target::TargetState;
use side::Side;

/// Reads the base of every target, once a directory, and says what could not be read or compared. `named` are the files
/// that say what the targets are.
pub fn read(ends: &Ends, root: &Path, named: &[String], states: &mut [TargetState]) -> Vec<String> {
    let directories = directories(states);
    let paths: Vec<_> = directories.keys().filter_map(|directory| inside(directory)).collect();
    let trees = match Trees::read(ends, &paths, named) {
        Ok(trees) => trees,
        Err(error) => return vec![Hidden::from(error).to_string()],
    };
    let mut notes: Vec<String> = Vec::new();
    let same_names = named.iter().all(|path| trees.is_same(path));
    let mut bases: HashMap<&Path, Arc<Base>> = HashMap::new();
    for (directory, defined) in &directories {
        let Some(path) = inside(directory) else { continue };
        let Ok(toml) = sqlx_toml::of_migrations(root, directory) else { continue };
        let side = Side { root, configured: directory, directory: &path, trees: &trees, defined: defined.as_deref() };
        let is_tracked = trees.head.directories.contains_key(&path) || side.defined.is_none();
        match side.read(ends, &toml.migrate.ignored_chars) {
            // What git does not have it cannot compare: a submodule, a link, what a build has made.
            _ if !is_tracked => {}
            Ok((start, tip)) => {
                let same_settings = same_names && trees.has_same_settings(root, &path);
                let is_pull_request = ends.is_pull_request;
                bases.insert(directory, Arc::new(Base { start, tip, same_settings, is_pull_request }));
            }
            Err(hidden) => notes.push(hidden.to_string()),
        }
    }
    for state in states.iter_mut().filter(|state| state.target.source == Source::Directory) {
        state.base = bases.get(state.target.migrations.as_path()).cloned();
    }
    tell_groups(states, &bases);
    notes.sort_unstable();
    notes.dedup();
    notes
}

/// The directories that targets and those who share a table with them have checked out, and what stands there.
fn directories(states: &[TargetState]) -> IndexMap<PathBuf, Option<Arc<Defined>>> {
    // What was built, or stands in another revision, is not what the change has changed.
    let targets = states.iter().filter(|state| state.target.source == Source::Directory);
    let own = targets.clone().map(|state| (state.target.migrations.clone(), state.defined.as_ref().ok().cloned()));
    let members = targets.flat_map(TargetState::others);
    let theirs = members.map(|member| (member.migrations.clone(), member.defined.last().cloned()));
    let mut directories = IndexMap::new();
    for (directory, defined) in own.chain(theirs) {
        directories.entry(directory).or_insert(defined);
    }
    directories
}

/// Tells each group what its members had where the change begins. Of what is read by other rules than before nothing is
/// known, and so nothing was there.
fn tell_groups(states: &mut [TargetState], bases: &HashMap<&Path, Arc<Base>>) {
    let start = |member: &Member| {
        let base = bases.get(member.migrations.as_path())?;
        let start = base.start.clone().filter(|_| base.same_settings).unwrap_or_default();
        let is_same = member.defined.iter().all(|now| now.migrations == start.migrations);
        (!is_same).then(|| Arc::new(start))
    };
    let mut told: HashMap<*const Group, Arc<Group>> = HashMap::new();
    for group in states.iter_mut().filter_map(|state| state.group.as_mut()) {
        let since = told.entry(Arc::as_ptr(group)).or_insert_with(|| Arc::new(group.since(start)));
        *group = since.clone();
    }
}

/// Whether the change touches what says how a target is read.
pub fn touched(states: &[TargetState]) -> bool {
    states.iter().filter_map(|state| state.base.as_ref()).any(|base| !base.same_settings)
}

/// A directory of the repository as git writes it; none where it lies outside.
pub(super) fn inside(directory: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in directory.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            _ => return None,
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// What three commits have of the paths that matter, and what of them is not committed.
struct Trees {
    head: Tree,
    start: Tree,
    tip: Tree,
    uncommitted: HashSet<String>,
}

/// The files of a commit.
struct Tree {
    files: HashMap<String, ObjectId>,
    /// The names that stand straight in a directory.
    directories: HashMap<String, Vec<String>>,
}

impl Tree {
    fn new(files: Vec<(String, ObjectId)>) -> Self {
        let mut directories: HashMap<String, Vec<String>> = HashMap::new();
        for (path, _) in &files {
            let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
            match directories.get_mut(directory) {
                Some(names) => names.push(name.to_owned()),
                None => drop(directories.insert(directory.to_owned(), vec![name.to_owned()])),
            }
        }
        Self { files: files.into_iter().collect(), directories }
    }
}

/// What decides how the migrations below it are read and checked out, wherever it stands above them.
const SETTINGS: [&str; 2] = [sqlx_toml::NAME, ".gitattributes"];

impl Trees {
    fn read(ends: &Ends, directories: &[String], named: &[String]) -> Result<Self, GitError> {
        let settings = directories.iter().flat_map(|directory| above(directory));
        let settings = settings.flat_map(|folder| {
            SETTINGS.into_iter().chain([sqlx_toml::MANIFEST]).map(move |name| folder.clone() + name)
        });
        let paths = directories.iter().cloned().chain(named.iter().filter_map(|path| inside(Path::new(path))));
        let mut paths: Vec<_> = paths.chain(settings).collect();
        paths.sort_unstable();
        paths.dedup();
        let tree = |commit: &ObjectId| ends.git.files_below(commit, &paths).map(Tree::new);
        let uncommitted = ends.git.uncommitted(&paths)?.into_iter().collect();
        Ok(Self { head: tree(&ends.head)?, start: tree(&ends.start)?, tip: tree(&ends.tip)?, uncommitted })
    }

    /// Whether a file stands here as it stood where the change begins, or is none of git's in both.
    fn is_same(&self, path: &str) -> bool {
        self.head.files.get(path) == self.start.files.get(path) && !self.uncommitted.contains(path)
    }

    fn has_same_settings(&self, root: &Path, directory: &str) -> bool {
        above(directory).iter().all(|folder| {
            let is_same = |name: &&str| {
                let path = format!("{folder}{name}");
                let is_unknown = !self.head.files.contains_key(&path) && root.join(&path).exists();
                self.is_same(&path) && !is_unknown
            };
            let krate = format!("{folder}{}", sqlx_toml::MANIFEST);
            let same_crate = self.head.files.contains_key(&krate) == self.start.files.contains_key(&krate);
            same_crate && SETTINGS.iter().all(is_same)
        })
    }
}

/// The directory and those above it, each as the beginning of a path.
pub(super) fn above(directory: &str) -> Vec<String> {
    let ends = directory.match_indices('/').map(|(index, _)| index).chain([directory.len()]);
    let folders = ends.filter(|_| directory != ".").map(|end| format!("{}/", &directory[..end]));
    std::iter::once(String::new()).chain(folders).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_those_above_it() {
        assert_eq!(above("."), [""]);
        assert_eq!(above("a/b"), ["", "a/", "a/b/"]);
    }

    #[test]
    fn what_lies_outside_is_none_of_git_s() {
        let inside = |path: &str| inside(Path::new(path));
        assert_eq!(inside("./a//b/"), Some("a/b".into()));
        assert_eq!(inside(""), Some(".".into()));
        assert_eq!((inside("../a"), inside("/a"), inside("a/../b")), (None, None, None));
    }
}
