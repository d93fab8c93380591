//! What git has of the migrations of a directory beside those that are checked out: every content that one of its files
//! ever had, in any branch, tag or fetched reference.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::base::inside;
use super::content::ContentReader;
use crate::embedded::Known;
use crate::git::{Git, GitError, ObjectId};
use crate::migration::FileName;

/// So many contents are hashed at most: far more than any directory has had.
const MOST: usize = 100_000;

/// The contents that the files of `directory` have had, the newest first; `ignored_chars` are left out of their
/// checksums. None where there is no repository or no program to ask: what is known from elsewhere has to do.
pub fn known(root: &Path, directory: &Path, ignored_chars: &BTreeSet<char>) -> Vec<Known> {
    inside(directory).map_or_else(Vec::new, |path| look_up(root, directory, &path, ignored_chars).unwrap_or_default())
}

fn look_up(root: &Path, directory: &Path, path: &str, ignored_chars: &BTreeSet<char>) -> Result<Vec<Known>, GitError> {
    let git = Git::open(root)?;
    let commits = git.changes(&[format!(":(literal){path}")])?;
    let changes = commits.iter().flat_map(|commit| commit.changes.iter().map(move |change| (commit, change)));
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for (commit, change) in changes {
        let (folder, name) = change.path.rsplit_once('/').unwrap_or((".", &change.path));
        let (Some(Ok(parsed)), Some(blob)) = (FileName::parse(name), &change.after) else { continue };
        if folder == path && files.len() < MOST && seen.insert((name, blob)) {
            files.push((commit, name, parsed, blob));
        }
    }
    let blobs: HashSet<&ObjectId> = files.iter().map(|(.., blob)| *blob).collect();
    let mut checksums = HashMap::new();
    let mut reader = ContentReader::new(ignored_chars);
    git.blobs(blobs, &mut |id, content| {
        checksums.extend(reader.checksum(content).ok().map(|checksum| (id.clone(), checksum)));
    })?;
    let known = files.into_iter().filter_map(|(commit, name, FileName { version, description, kind }, blob)| {
        let (checksum, path) = (checksums.get(blob)?.clone(), Some(directory.join(name)));
        Some(Known { version, description, kind, checksum, path, commit: Some(commit.id.to_string()) })
    });
    Ok(known.collect())
}
