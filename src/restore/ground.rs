//! Where something may be written: inside the repository, through no link that leads out of it, and over nothing that no
//! commit has.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::git::{Git, GitError};
use crate::restore::{Edit, File, No};

/// Why nothing can be restored at all.
#[derive(Debug, thiserror::Error)]
pub enum NoGround {
    /// git cannot be asked.
    #[error("{0}")]
    Git(#[from] GitError),
    /// There are no files.
    #[error("this is a bare repository, which has no files: run it in a clone or a worktree")]
    Bare,
    /// The root cannot be found on the disk.
    #[error("the root of the repository cannot be read: {0}")]
    Root(#[from] io::Error),
}

/// The working tree, and what this run has written in it.
#[derive(Debug)]
pub struct Ground {
    root: PathBuf,
    git: Git,
    /// Files that edits were made of.
    taken: HashSet<PathBuf>,
    /// Files that only lines were appended to.
    appended: HashSet<PathBuf>,
}

impl Ground {
    /// The working tree at `root`.
    ///
    /// # Errors
    /// There is none, or git cannot be asked.
    pub fn open(root: &Path) -> Result<Self, NoGround> {
        let root = root.canonicalize()?;
        let git = Git::open(&root)?;
        if !git.has_files()? {
            return Err(NoGround::Bare);
        }
        Ok(Self { root, git, taken: HashSet::new(), appended: HashSet::new() })
    }

    /// Notes that edits are going to be made.
    pub fn take(&mut self, edits: &[Edit]) {
        for edit in edits {
            match edit {
                Edit::Write { file, .. } => drop(self.taken.insert(file.path.clone())),
                Edit::Append { file, .. } => drop(self.appended.insert(file.path.clone())),
                Edit::Rename { from, to, .. } => self.taken.extend([from.path.clone(), to.path.clone()]),
            }
        }
    }

    /// A file that all of is going to be written.
    ///
    /// # Errors
    /// It may not be.
    pub fn file_to_write(&self, path: &str) -> Result<File, No> {
        let file = self.locate(path)?;
        if self.taken.contains(&file.path) || self.appended.contains(&file.path) {
            return Err(No::Refused(format!("another migration of this run has `{path}` already")));
        }
        self.committed(file)
    }

    /// A file that a line is going to be appended to.
    ///
    /// # Errors
    /// It may not be.
    pub fn file_to_append_to(&self, path: &str) -> Result<File, No> {
        let file = self.locate(path)?;
        if self.appended.contains(&file.path) { Ok(file) } else { self.committed(file) }
    }

    /// A file that is going to have another name.
    ///
    /// # Errors
    /// It is not there, or may not.
    pub fn file_to_rename(&self, path: &str) -> Result<File, No> {
        let file = self.file_to_write(path)?;
        if file.seen.is_some() {
            Ok(file)
        } else {
            Err(No::Refused(format!("`{path}`, which is to be renamed, is not here")))
        }
    }

    /// The file, unless it has something that no commit has. What is not there has nothing to lose.
    fn committed(&self, file: File) -> Result<File, No> {
        let path = &file.shown;
        if file.seen.is_none() {
            return Ok(file);
        }
        let relative = file.path.strip_prefix(&self.root).ok().and_then(Path::to_str);
        let relative = relative.ok_or_else(|| No::Refused(format!("the path of `{path}` is not Unicode")))?;
        let relative = relative.replace(std::path::MAIN_SEPARATOR, "/");
        match self.git.uncommitted_in(&relative) {
            Ok(None) => Ok(file),
            Ok(Some(why)) => {
                Err(No::Refused(format!("`{path}` is not touched, because {why}: {}, and run this again", why.help())))
            }
            Err(error) => Err(No::Refused(format!(
                "`{path}` is not touched, because it is not known whether it is committed: {error}"
            ))),
        }
    }

    /// Where a path leads, be the file there or not.
    fn locate(&self, path: &str) -> Result<File, No> {
        let refused = |why: &str| No::Refused(format!("`{path}` is not written: {why}"));
        let is_plain = |part: Component| matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git"));
        if path.contains(['\u{fffd}', '\0']) {
            return Err(refused("its name is not Unicode, and what it is called is not known"));
        }
        let relative = Path::new(path);
        let (Some(folder), Some(name), true) =
            (relative.parent(), relative.file_name(), relative.components().all(is_plain))
        else {
            return Err(refused("it does not lie below the root of the repository"));
        };
        let folder = self.folder(folder).map_err(|why| refused(&why))?;
        let real = folder.join(name);
        let seen = match fs::symlink_metadata(&real) {
            Ok(file) if file.is_file() => {
                let changed = file.modified().map_err(|error| refused(&error.to_string()))?;
                Some((changed, file.len()))
            }
            Ok(file) if file.is_symlink() => return Err(refused("it is a symbolic link, and none is followed")),
            Ok(_) => return Err(refused("something that is no file has its name")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(refused(&error.to_string())),
        };
        Ok(File { path: real, shown: path.to_owned(), seen })
    }

    /// A folder without links, as far as it exists: in the repository, and in no other one inside of it.
    fn folder(&self, folder: &Path) -> Result<PathBuf, String> {
        let mut above = folder.ancestors();
        let (real, beyond) = loop {
            // The root itself ends it at the latest.
            let Some(part) = above.next() else { return Err("its folder cannot be found".to_owned()) };
            match self.root.join(part).canonicalize() {
                Ok(real) => break (real, folder.strip_prefix(part).unwrap_or(folder)),
                // A link that leads nowhere is there, and is not found.
                Err(_) if self.root.join(part).symlink_metadata().is_ok() => {
                    return Err("a symbolic link on the way to it leads nowhere".to_owned());
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error.to_string()),
            }
        };
        let Ok(inside) = real.strip_prefix(&self.root) else {
            return Err("a symbolic link on the way to it leads out of the repository".to_owned());
        };
        if inside.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
            return Err("a symbolic link on the way to it leads to what is git's own".to_owned());
        }
        let mut folders = inside.ancestors().filter(|part| !part.as_os_str().is_empty());
        if let Some(other) = folders.find(|part| self.root.join(part).join(".git").symlink_metadata().is_ok()) {
            return Err(format!("it lies in another repository, `{}`: run this there", other.display()));
        }
        if !real.is_dir() {
            return Err("a file has the name of one of its folders".to_owned());
        }
        Ok(real.join(beyond))
    }
}
