//! The older builds of a repository: its commits or its tags, and what each has of a migrations directory.

use std::path::Path;

use indexmap::IndexSet;

use super::revision::{Commits, Place};
use crate::git::{Commit, Git, GitError, ObjectId};
use crate::source::{Build, Defined, SourceError};
use crate::text::harmless;

const SHALLOW: &str = "the clone is shallow, and what is older could not be looked at: give `actions/checkout` `fetch-depth: 0`, or run `git fetch --unshallow`";

/// Which builds are looked at, the newest first.
#[derive(Debug, Clone, Copy)]
pub enum Range<'a> {
    /// So many commits, first parents alone, from this one on.
    Commits {
        /// The newest.
        from: &'a str,
        /// How many.
        most: usize,
    },
    /// So many tags that match a pattern.
    Tags {
        /// As `git tag --list` has it.
        pattern: &'a str,
        /// How many.
        most: usize,
    },
}

/// Why there are none to look at.
#[derive(Debug, thiserror::Error)]
pub enum BuildsError {
    /// git cannot be asked.
    #[error("older builds cannot be looked at: {0}")]
    Git(#[from] GitError),
    /// The newest one is not here.
    #[error("--from `{}` names no commit that is here\n  help: fetch it first, or name a branch, tag or commit of this clone", harmless(.0))]
    Unknown(String),
}

/// The builds of a repository.
#[derive(Debug)]
pub struct Builds {
    git: Git,
    ids: Vec<ObjectId>,
    /// The newest first.
    pub builds: Vec<Build>,
    /// What could not be looked at, and how it could be.
    pub gap: Option<&'static str>,
}

impl Builds {
    /// Those of a range in the repository around `root`.
    ///
    /// # Errors
    /// git cannot be asked, or there is no such commit.
    pub fn find(root: &Path, range: Range) -> Result<Self, BuildsError> {
        let git = Git::open(root)?;
        let found: Vec<(Commit, Option<String>)> = match range {
            Range::Commits { from, most } => {
                let tip = git.commit(from)?.ok_or_else(|| BuildsError::Unknown(from.to_owned()))?;
                git.first_parents(&tip, most)?.into_iter().map(|commit| (commit, None)).collect()
            }
            Range::Tags { pattern, most } => {
                git.tags(pattern, most)?.into_iter().map(|(name, commit)| (commit, Some(name))).collect()
            }
        };
        let ids = found.iter().map(|(commit, _)| commit.id.clone()).collect();
        let gap = git.is_shallow().then_some(SHALLOW);
        let builds = found.into_iter().map(|(commit, tag)| build(commit, tag)).collect();
        Ok(Self { git, ids, builds, gap })
    }

    /// What they have of `directory`.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn sources(&self, directory: &Path) -> Result<Sources, BuildsError> {
        let (commits, places) = Commits::read(self.git.clone(), directory, &self.ids)?;
        let mut distinct = IndexSet::new();
        let groups = places.into_iter().map(|place| distinct.insert_full(place).0).collect();
        Ok(Sources { commits, distinct, groups })
    }
}

fn build(commit: Commit, tag: Option<String>) -> Build {
    let id = commit.id.to_string();
    Build {
        kind: if tag.is_some() { "tag" } else { "commit" },
        name: tag.unwrap_or_else(|| id.clone()),
        commit: Some(id),
        date: Some(commit.date),
        subject: Some(commit.subject),
        digest: None,
    }
}

/// What builds have of one directory. Most have the same as the one before.
#[derive(Debug)]
pub struct Sources {
    commits: Commits,
    distinct: IndexSet<Place>,
    /// For each build the number of what it has: those of one number have the same.
    pub groups: Vec<usize>,
}

impl Sources {
    /// How many of them there are that differ.
    pub fn distinct(&self) -> usize {
        self.distinct.len()
    }

    /// The code side of a number. It is made anew each time: of thousands hardly one is looked at twice.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn defined(&self, group: usize) -> Result<Defined, SourceError> {
        let nowhere = Place::default();
        self.commits.defined(self.distinct.get_index(group).unwrap_or(&nowhere), "the commit")
    }
}
