//! What has been looked up in the repository for a run: the content index, and which commits and tips have what.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use crate::explain::Base;
use crate::explain::index::{Index, MOST_BYTES, Wanted, whole};
use crate::explain::variant::{Lines, Variant};
use crate::finding;
use crate::git::{self, Ancestors, Git, GitError, ObjectId, Ref};
use crate::migration::{Checksum, FileName, Version};

/// So many files at so many tips are asked for at most.
const MOST_ASKED: usize = 200_000;
/// Branches that are looked at, where there are no more of them.
const MOST_REFS: usize = 5_000;

/// A place where a content that was looked for stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The content.
    pub blob: ObjectId,
    /// What turns it into the one that was applied.
    pub variant: Variant,
    /// The file, relative to the root.
    pub path: String,
    /// The number of the commit that brought it in: on this branch, if any there has.
    pub added: usize,
    /// Whether a commit of this branch had it there.
    pub on_head: bool,
    /// Whether there is a CR in the content, as it is.
    has_cr: bool,
}

impl Place {
    /// Whether what was applied has lines that end in CRLF, which git changes for many.
    pub fn has_crlf(&self) -> bool {
        match self.variant.lines {
            Lines::Kept => self.has_cr,
            Lines::Lf => false,
            Lines::CrLf => true,
        }
    }
}

/// The repository, and what was looked up in it.
pub struct Repository {
    pub git: Git,
    pub root: PathBuf,
    pub index: Index,
    /// The commit that is checked out; none where there is none yet.
    pub head: Option<ObjectId>,
    /// What it is going to be merged into, unless that is what is checked out.
    pub base: Option<Base>,
    /// The migrations directories of the plan.
    pub directories: Vec<String>,
    /// The names that files were given in this run because others have their versions: each file gets one, and each
    /// another.
    pub numbers: RefCell<HashMap<String, String>>,
    on_head: HashSet<ObjectId>,
    on_base: HashSet<ObjectId>,
    refs: Vec<(String, String)>,
    /// What stands in a file at a tip.
    tips: HashMap<(String, String), ObjectId>,
}

impl Repository {
    /// Looks up all that the explanations of a run need. `files` are the paths that findings name.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn open(
        root: &Path,
        base: Option<Base>,
        directories: Vec<String>,
        wanted: &Wanted,
        files: HashSet<String>,
    ) -> Result<Self, GitError> {
        let git = Git::open(root)?;
        let (head, mut refs) = (git.commit("HEAD")?, git.refs()?);
        let base = base.or_else(|| default_branch(&refs)).filter(|base| head.as_ref() != Some(&base.commit));
        refs.retain(is_of_somebody);
        refs.truncate(MOST_REFS);
        let inside: Vec<String> = directories.iter().filter(|path| !path.starts_with("..")).cloned().collect();
        // What takes longest is to walk the history, and git does not share a walk.
        let (index, of_head, of_base) = std::thread::scope(|scope| {
            let walk = |tip: Option<&ObjectId>| {
                let (git, tip) = (&git, tip.cloned());
                scope.spawn(move || tip.map_or_else(|| Ok(Ancestors::default()), |tip| git.ancestors(&tip)))
            };
            let (of_head, of_base) = (walk(head.as_ref()), walk(base.as_ref().map(|base| &base.commit)));
            (Index::build(&git, &inside, wanted), joined(of_head), joined(of_base))
        });
        let (index, of_head, of_base) = (index?, of_head?, of_base?);
        let among = |ancestors: &Ancestors| {
            let commits = index.commits.iter().map(|commit| &commit.id);
            commits.filter(|id| ancestors.contains(id)).cloned().collect()
        };
        let (on_head, on_base) = (among(&of_head), among(&of_base));
        let refs = refs.into_iter().map(|found| (found.name.clone(), found.short_name())).collect();
        let root = root.to_owned();
        let (numbers, tips) = (RefCell::default(), HashMap::new());
        let mut opened = Self { git, root, index, head, base, directories, numbers, on_head, on_base, refs, tips };
        opened.look_at_tips(wanted, files)?;
        Ok(opened)
    }

    /// Asks once, for all findings, what stands at the tips in each file that matters.
    fn look_at_tips(&mut self, wanted: &Wanted, files: HashSet<String>) -> Result<(), GitError> {
        let places = wanted.checksums.iter().flat_map(|checksum| self.places(checksum));
        let mut paths: HashSet<String> = places.map(|place| place.path).collect();
        paths.extend(files);
        let base = self.base.iter().map(|base| base.commit.as_str());
        let tips = self.head.iter().map(ObjectId::as_str).chain(base);
        let tips: Vec<&str> = tips.chain(self.refs.iter().map(|(name, _)| name.as_str())).collect();
        let mut asked: Vec<(&str, &str)> = Vec::new();
        for tip in tips {
            asked.extend(paths.iter().map(|path| (tip, path.as_str())).take(MOST_ASKED.saturating_sub(asked.len())));
        }
        let told = self.git.contents_at(&asked)?;
        let told = asked.into_iter().zip(told);
        self.tips = told.filter_map(|((tip, path), id)| Some(((tip.to_owned(), path.to_owned()), id?))).collect();
        Ok(())
    }

    /// Every place where a content with this checksum stood, those of one content and file taken together.
    pub fn places(&self, checksum: &Checksum) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for found in self.index.with(checksum) {
            for (number, of) in self.index.places(&found.blob) {
                let commit = &self.index.commits[*number];
                let change = &commit.changes[*of];
                // What a merge has unlike its first parent came with the other one.
                let came = change.after.as_ref() == Some(&found.blob);
                if !came {
                    continue;
                }
                let on_head = self.on_head.contains(&commit.id);
                let known = places.iter_mut().find(|place| place.blob == found.blob && place.path == change.path);
                match known {
                    // From the newest to the oldest: the oldest on this branch stays, else the oldest of all.
                    Some(place) if on_head || !place.on_head => (place.added, place.on_head) = (*number, on_head),
                    Some(_) => {}
                    None => {
                        let (blob, variant, has_cr) = (found.blob.clone(), found.variant, found.has_cr);
                        let path = change.path.clone();
                        places.push(Place { blob, variant, path, added: *number, on_head, has_cr });
                    }
                }
            }
        }
        places
    }

    /// What stands in a file in the commit that is checked out.
    pub fn at_head(&self, path: &str) -> Option<&ObjectId> {
        self.at(self.head.as_ref()?.as_str(), path)
    }

    /// Whether it stands there in the commit that is checked out.
    pub fn is_at_head(&self, place: &Place) -> bool {
        self.at_head(&place.path) == Some(&place.blob)
    }

    /// Whether it stands there at the base's tip.
    pub fn is_at_base(&self, place: &Place) -> bool {
        let base = self.base.as_ref().and_then(|base| self.at(base.commit.as_str(), &place.path));
        base == Some(&place.blob)
    }

    fn at(&self, tip: &str, path: &str) -> Option<&ObjectId> {
        self.tips.get(&(tip.to_owned(), path.to_owned()))
    }

    /// The branches and tags whose tips have the content there.
    pub fn tips(&self, place: &Place) -> Vec<String> {
        let holds = |(name, _): &&(String, String)| self.at(name, &place.path) == Some(&place.blob);
        self.refs.iter().filter(holds).map(|(_, name)| name.clone()).collect()
    }

    /// The branches and tags whose tips have the content there; else those that have the commit which brought it in.
    pub fn branches(&self, place: &Place) -> Result<Vec<String>, GitError> {
        let names = self.tips(place);
        if names.is_empty() { self.git.refs_with(&self.index.commits[place.added].id) } else { Ok(names) }
    }

    /// Whether a commit led to the one that is checked out.
    pub fn is_on_head(&self, commit: &git::Commit) -> bool {
        self.on_head.contains(&commit.id)
    }

    /// Whether a commit led to the base's tip.
    pub fn is_on_base(&self, commit: &git::Commit) -> bool {
        self.on_base.contains(&commit.id)
    }

    /// The newest commit of this branch with such a change.
    pub fn newest_on_head(&self, is_it: impl Fn(&git::Change) -> bool) -> Option<&git::Commit> {
        let mut commits = self.index.commits.iter();
        commits.find(|commit| self.is_on_head(commit) && commit.changes.iter().any(&is_it))
    }

    /// The commit of this branch that did away with a file, be it a merge that took the side without it.
    pub fn deletion(&self, path: &str) -> Result<Option<git::Commit>, GitError> {
        if let Some(commit) = self.newest_on_head(|change| change.path == path && change.after.is_none()) {
            return Ok(Some(commit.clone()));
        }
        let Some(head) = &self.head else { return Ok(None) };
        let commits = self.git.changes_beside_every_parent(head, path)?;
        Ok(commits.into_iter().find(|commit| commit.changes.iter().any(|change| change.after.is_none())))
    }

    /// Who brought a content in, where the commit that seems to have is not the one at which a shallow clone ends.
    pub fn added(&self, place: &Place) -> Option<&git::Commit> {
        let commit = &self.index.commits[place.added];
        (!(self.git.is_shallow() && commit.is_root)).then_some(commit)
    }

    /// The bytes that were applied, from a place that has them or what they were made of, unless they are too long to
    /// be compared.
    pub fn applied_bytes(&self, place: &Place) -> Result<Option<Vec<u8>>, GitError> {
        self.applied_of(place, MOST_BYTES)
    }

    /// The same, made of no more than `most` bytes.
    pub fn applied_of(&self, place: &Place, most: u64) -> Result<Option<Vec<u8>>, GitError> {
        let mut bytes = None;
        self.git.blobs([&place.blob], &mut |_, content| bytes = whole(content, most))?;
        Ok(bytes.map(|bytes| place.variant.of(&bytes).filter(|_| !place.variant.keeps_bytes()).unwrap_or(bytes)))
    }

    /// The bytes of a file as it is checked out, unless it is too long.
    pub fn checked_out(&self, path: &str) -> Option<Vec<u8>> {
        let path = self.root.join(path);
        let is_short = std::fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= MOST_BYTES);
        is_short.then(|| std::fs::read(path).ok()).flatten()
    }

    /// What could not be looked at, and how to bring it here.
    pub fn gaps(&self) -> Option<(String, &'static str)> {
        if self.git.is_shallow() {
            let text = "the clone is shallow, and older commits could not be looked at: give `actions/checkout` `fetch-depth: 0`, or run `git fetch --unshallow`";
            return Some((text.to_owned(), "git fetch --unshallow"));
        }
        (self.index.absent > 0).then(|| {
            let text = format!(
                "the clone is a partial one, and {} of the contents could not be looked at: leave `filter` out of `actions/checkout`, or run `git fetch --refetch --no-filter`",
                self.index.absent
            );
            (text, "git fetch --refetch --no-filter")
        })
    }
}

/// Whether a reference may be said to hold something: `origin/HEAD` is another name for a branch that is listed as well,
/// and a stash is nobody's branch.
fn is_of_somebody(reference: &Ref) -> bool {
    !reference.name.ends_with("/HEAD") && reference.name != "refs/stash"
}

/// What a thread has found.
fn joined<T>(thread: ScopedJoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The remote's default branch; else a branch with one of the usual names.
fn default_branch(refs: &[Ref]) -> Option<Base> {
    let find = |name: &str| refs.iter().find(|found| found.name == name);
    let remote = find("refs/remotes/origin/HEAD").and_then(|head| find(head.is_symbol_of.as_ref()?));
    let usual = ["refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"];
    let found = remote.or_else(|| usual.into_iter().find_map(find))?;
    Some(Base { name: found.short_name(), commit: found.commit.clone() })
}

/// The file name of a path.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory that a path stands in.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The version that a file name has.
pub fn version(path: &str) -> Option<Version> {
    Some(FileName::parse(name(path))?.ok()?.version)
}

/// As much of a commit's name as tells it from others.
pub fn short(commit: &git::Commit) -> String {
    commit.id.as_str().chars().take(12).collect()
}

/// A commit as reports have it.
pub fn told(commit: &git::Commit) -> finding::Commit {
    finding::Commit {
        id: commit.id.as_str().to_owned(),
        author: commit.author.clone(),
        date: commit.date.clone(),
        subject: commit.subject.clone(),
        pull_request: pull_request(&commit.subject),
    }
}

/// The pull request that a subject names: `… (#12)`, or `Merge pull request #12 from …`.
fn pull_request(subject: &str) -> Option<u64> {
    let squashed = || subject.trim_end().strip_suffix(')')?.rsplit_once("(#").map(|(_, number)| number);
    let merged = || subject.strip_prefix("Merge pull request #")?.split(' ').next();
    let number = squashed().or_else(merged)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pull_request_is_the_one_at_the_end_of_a_subject_or_that_a_merge_names() {
        for (subject, number) in [
            ("add a table (#12)", Some(12)),
            ("Revert \"add (#12)\" (#13)", Some(13)),
            ("Merge pull request #14 from a/b", Some(14)),
            ("fix #15", None),
            ("see (#16) there", None),
            ("(#x)", None),
            ("(#+1)", None),
            ("(#99999999999999999999999)", None),
        ] {
            assert_eq!(pull_request(subject), number, "{subject}");
        }
    }
}
