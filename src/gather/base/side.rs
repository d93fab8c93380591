//! A migrations directory as two commits have it, hashed as it would be here.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Ends, Hidden, Tree, Trees, inside};
use crate::gather::content::ContentReader;
use crate::git::ObjectId;
use crate::migration::{Checksum, FileName, Migration};
use crate::source::{Defined, InvalidFile, InvalidReason};

/// A migrations directory, and what stands there now.
pub(super) struct Side<'a> {
    pub root: &'a Path,
    /// The directory as a target names it.
    pub configured: &'a Path,
    /// The same as git does.
    pub directory: &'a str,
    pub trees: &'a Trees,
    pub defined: Option<&'a Defined>,
}

type Contents = HashMap<ObjectId, Result<Checksum, InvalidReason>>;

impl Side<'_> {
    /// The directory where the change begins, and the migrations at the tip of its base branch.
    pub(super) fn read(
        &self,
        ends: &Ends,
        ignored_chars: &BTreeSet<char>,
    ) -> Result<(Option<Defined>, Vec<Migration>), Hidden> {
        let here = self.here();
        let mut wanted = BTreeSet::new();
        for tree in [&self.trees.start, &self.trees.tip] {
            let unknown = self.named(tree).into_iter().filter(|(path, id, _)| !self.stands(path, id, &here));
            wanted.extend(unknown.map(|(_, id, _)| id.clone()));
        }
        let mut contents = Contents::new();
        if !wanted.is_empty() {
            let mut reader = ContentReader::new(ignored_chars);
            ends.git.blobs(&wanted, &mut |id, content| {
                contents.insert(id.clone(), reader.checksum(content));
            })?;
        }
        if wanted.iter().any(|id| !contents.contains_key(id)) {
            return Err(Hidden::Partial);
        }
        let was_there = self.trees.start.directories.contains_key(self.directory);
        let start = was_there.then(|| self.at(&self.trees.start, &here, &contents));
        Ok((start, self.at(&self.trees.tip, &here, &contents).migrations))
    }

    /// What stands in the directory now, by path.
    fn here(&self) -> HashMap<String, &Migration> {
        let migrations = self.defined.map(|defined| defined.migrations.as_slice()).unwrap_or_default();
        migrations.iter().filter_map(|migration| Some((migration.path.to_str()?.to_owned(), migration))).collect()
    }

    /// Whether a file of a commit stands here as it is there. Then it is checked out in the same way as well, line
    /// endings and filters included.
    fn stands(&self, path: &str, id: &ObjectId, here: &HashMap<String, &Migration>) -> bool {
        let is_committed = self.trees.head.files.get(path) == Some(id) && !self.trees.uncommitted.contains(path);
        is_committed && here.contains_key(&self.shown(path))
    }

    /// A path as this run writes it: below the directory as that is configured.
    fn shown(&self, path: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.configured.join(name).to_string_lossy().into_owned()
    }

    /// The files of a commit in the directory that sqlx would take for migrations.
    fn named<'t>(&self, tree: &'t Tree) -> Vec<(String, &'t ObjectId, Result<FileName, String>)> {
        let names = tree.directories.get(self.directory).map(Vec::as_slice).unwrap_or_default();
        let of_name = |name: &String| {
            let path = if self.directory == "." { name.clone() } else { format!("{}/{name}", self.directory) };
            let (id, parsed) = (tree.files.get(&path)?, FileName::parse(name)?);
            Some((path, id, parsed))
        };
        names.iter().filter_map(of_name).collect()
    }

    fn at(&self, tree: &Tree, here: &HashMap<String, &Migration>, contents: &Contents) -> Defined {
        let mut defined = Defined::default();
        for (path, id, parsed) in self.named(tree) {
            let shown = self.shown(&path);
            if self.stands(&path, id, here) {
                defined.migrations.extend(here.get(&shown).map(|migration| (*migration).clone()));
                continue;
            }
            let path = PathBuf::from(shown);
            let read = contents.get(id).cloned();
            match (parsed, read) {
                (Err(prefix), _) => {
                    defined.invalid.push(InvalidFile { path, reason: InvalidReason::Version { prefix } });
                }
                (Ok(FileName { version, kind, description }), Some(Ok(checksum))) => {
                    defined.migrations.push(Migration { version, description, kind, checksum, path });
                }
                (Ok(_), Some(Err(reason))) => defined.invalid.push(InvalidFile { path, reason }),
                (Ok(_), None) => {}
            }
        }
        // git does not look behind links, and so nobody can say that the change has touched them.
        defined
            .migrations
            .extend(here.values().filter(|migration| self.is_link(migration)).map(|link| (*link).clone()));
        let ignored = self.defined.map(|defined| defined.ignored.as_slice()).unwrap_or_default();
        let was_there = |path: &Path| inside(path).is_some_and(|path| tree.files.contains_key(&path));
        defined.ignored.extend(ignored.iter().filter(|file| was_there(&file.path)).cloned());
        defined.sort();
        defined
    }

    fn is_link(&self, migration: &Migration) -> bool {
        self.root.join(&migration.path).symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
    }
}
