//! What `init` is told: the crates of a repository, its migrations directories and its workflows, as they stand there.

use std::path::{Path, PathBuf};
use std::{env, fs};

use indexmap::IndexMap;
use walkdir::WalkDir;

use super::discover::every_directory;
use super::{InputError, root};
use crate::crates::{self, Found};
use crate::file;
use crate::migration::FileName;
use crate::text::slashed;

/// Where GitHub looks for workflows.
const WORKFLOWS: &str = ".github/workflows";

/// A repository, as far as `init` looks at it.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Its root: the nearest folder with a `.git`, else the current folder.
    pub root: PathBuf,
    /// Its crates.
    pub found: Found,
    /// The migrations directories that are there, relative to the root, in order, and how many up migrations each holds.
    pub directories: IndexMap<PathBuf, usize>,
    /// Its workflows, by path relative to the root.
    pub workflows: Vec<(String, String)>,
}

impl Survey {
    /// Looks at the repository that one stands in.
    ///
    /// # Errors
    /// The current folder cannot be read. What else cannot be is told by [`Found::unread`].
    pub fn of_here() -> Result<Self, InputError> {
        let here = env::current_dir().map_err(InputError::CurrentDirectory)?;
        let root = root(&here).to_owned();
        let mut found = crates::every_crate(&root);
        let embedded = found.crates.iter().flat_map(|krate| &krate.calls).map(|call| call.directory.clone());
        let mut directories: Vec<_> = embedded.chain(every_directory(&root)).collect();
        directories.sort();
        directories.dedup();
        let counted =
            directories.into_iter().filter_map(|path| migrations(&root.join(&path)).map(|count| (path, count)));
        let directories = counted.collect();
        let workflows = workflows(&root, &mut found);
        Ok(Self { root, found, directories, workflows })
    }

    /// The name of the folder that the repository is in.
    pub fn folder(&self) -> Option<&str> {
        self.root.file_name()?.to_str()
    }
}

/// How many up migrations a directory holds; nothing where there is none.
fn migrations(directory: &Path) -> Option<usize> {
    let entries = fs::read_dir(directory).ok()?.filter_map(Result::ok);
    let is_up = |entry: &fs::DirEntry| {
        let name = FileName::parse(&entry.file_name().to_string_lossy());
        matches!(name, Some(Ok(name)) if name.kind.is_up())
    };
    Some(entries.filter(is_up).count())
}

fn workflows(root: &Path, found: &mut Found) -> Vec<(String, String)> {
    let entries =
        WalkDir::new(root.join(WORKFLOWS)).max_depth(1).sort_by_file_name().into_iter().filter_map(Result::ok);
    let is_workflow = |path: &Path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    let mut workflows = Vec::new();
    for entry in entries.filter(|entry| entry.file_type().is_file() && is_workflow(entry.path())) {
        let path = slashed(entry.path().strip_prefix(root).unwrap_or(entry.path()));
        match file::regular(entry.path()) {
            Ok(text) => workflows.push((path, text)),
            Err(error) => found.unread.push((path, error.to_string())),
        }
    }
    workflows
}
