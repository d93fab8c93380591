//! What of the working tree no commit has.

use super::{Git, GitError};

/// Why a file may have something that no commit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Uncommitted {
    /// git does not know it.
    #[error("git does not know it")]
    Untracked,
    /// git is told to leave it alone.
    #[error("git ignores it")]
    Ignored,
    /// Its changes are in the index.
    #[error("it has staged changes that are not committed")]
    Staged,
    /// Its changes are in the working tree.
    #[error("it has changes that are not committed")]
    Modified,
    /// A merge is not done with it.
    #[error("it is in a merge that is not finished")]
    Unmerged,
    /// git is told not to look whether it changes.
    #[error("git is told not to look at it (`--assume-unchanged` or `--skip-worktree`)")]
    Unwatched,
}

impl Uncommitted {
    /// What to do so that nothing is lost when the file is written.
    pub fn help(self) -> &'static str {
        match self {
            Self::Untracked | Self::Ignored => "move it away, or commit it",
            Self::Staged | Self::Modified => "commit it, or put it aside with `git stash`",
            Self::Unmerged => "finish the merge",
            Self::Unwatched => {
                "have git look at it again with `git update-index --no-assume-unchanged --no-skip-worktree`"
            }
        }
    }

    /// What the two letters of `git status` mean that a line begins with.
    fn of(status: &[u8]) -> Option<Self> {
        Some(match status {
            [] => return None,
            [b'?', ..] => Self::Untracked,
            [b'!', ..] => Self::Ignored,
            [b'U', _, ..] | [_, b'U', ..] | [b'A', b'A', ..] | [b'D', b'D', ..] => Self::Unmerged,
            [b' ', ..] => Self::Modified,
            _ => Self::Staged,
        })
    }
}

impl Git {
    /// Whether there are files here: a bare repository has none.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn has_files(&self) -> Result<bool, GitError> {
        Ok(self.text(&["rev-parse", "--is-inside-work-tree"])?.trim() == "true")
    }

    /// Why the file `path` may have something that no commit has; `None` where it stands as the last commit has it, but
    /// for what a checkout changes.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn uncommitted_in(&self, path: &str) -> Result<Option<Uncommitted>, GitError> {
        let path = format!(":(literal){path}");
        let untracked = ["--untracked-files=all", "--ignored=matching", "--no-renames"];
        let status = ["status", "--porcelain=v1", "-z"].into_iter().chain(untracked).chain(["--", &path]);
        let told = self.text(&status.collect::<Vec<_>>())?;
        if let Some(uncommitted) = Uncommitted::of(told.as_bytes()) {
            return Ok(Some(uncommitted));
        }
        // Whoever asked git not to look at a file is told that it did not change.
        let listed = self.text(&["ls-files", "-v", "-z", "--", &path])?;
        Ok(match listed.as_bytes() {
            [b'H', b' ', ..] => None,
            [] => Some(Uncommitted::Untracked),
            _ => Some(Uncommitted::Unwatched),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_a_status_say_why() {
        for (status, why) in [
            ("", None),
            ("?? a", Some(Uncommitted::Untracked)),
            ("!! a", Some(Uncommitted::Ignored)),
            (" M a", Some(Uncommitted::Modified)),
            (" T a", Some(Uncommitted::Modified)),
            ("M  a", Some(Uncommitted::Staged)),
            ("AM a", Some(Uncommitted::Staged)),
            ("D  a", Some(Uncommitted::Staged)),
            ("UU a", Some(Uncommitted::Unmerged)),
            ("AU a", Some(Uncommitted::Unmerged)),
            ("AA a", Some(Uncommitted::Unmerged)),
            ("DD a", Some(Uncommitted::Unmerged)),
        ] {
            assert_eq!(Uncommitted::of(status.as_bytes()), why, "{status}");
        }
    }
}
