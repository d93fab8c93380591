//! Who embeds a directory of migrations without having cargo look at it, read when that is asked, and each crate once.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::manifest::Manifest;
use super::{Crate, files, path, read, workspace};
use crate::source::Unwatched;
use crate::sqlx_toml::MANIFEST;
use crate::text::slashed;

/// The crates of a repository, as far as somebody has asked for them.
#[derive(Debug)]
pub struct Embedders {
    root: PathBuf,
    manifests: Once<Option<Manifest>>,
    members: Once<BTreeSet<PathBuf>>,
    crates: Once<Option<Crate>>,
}

impl Embedders {
    /// Those below `root`, none of which is read yet.
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), manifests: Once::default(), members: Once::default(), crates: Once::default() }
    }

    /// The calls that embed `directory` in a crate whose build script does not watch it: of the crate that the directory
    /// stands in; where that one does not embed it, of all in its workspace.
    pub fn unwatched(&self, directory: &Path) -> Vec<Unwatched> {
        let Some(directory) = path::joined(Path::new(""), directory) else { return Vec::new() };
        let Some(own) = workspace::nearest(&directory, |folder| self.manifest(folder).is_some()) else {
            return Vec::new();
        };
        if let Some(krate) = self.krate(&own).as_ref()
            && krate.embeds(&directory).next().is_some()
        {
            return of_crate(krate, &directory);
        }
        let Some(folder) = self.workspace(&own) else { return Vec::new() };
        let members = self.members(&folder);
        let others = members.iter().filter(|member| **member != own).map(|member| self.krate(member));
        others
            .flat_map(|krate| krate.as_ref().as_ref().map_or_else(Vec::new, |krate| of_crate(krate, &directory)))
            .collect()
    }

    fn manifest(&self, folder: &Path) -> Arc<Option<Manifest>> {
        let read = || {
            let text = files::text(&self.root.join(folder).join(MANIFEST)).ok()?;
            // One that is no TOML is there all the same: what is below belongs to no other crate.
            Some(Manifest::parse(&text).unwrap_or_default())
        };
        self.manifests.get(folder, read)
    }

    /// The nearest folder with a workspace, at or above `folder`.
    fn workspace(&self, folder: &Path) -> Option<PathBuf> {
        let is_workspace = |manifest: &Manifest| manifest.is_workspace();
        workspace::nearest(folder, |folder| self.manifest(folder).as_ref().as_ref().is_some_and(is_workspace))
    }

    fn members(&self, folder: &Path) -> Arc<BTreeSet<PathBuf>> {
        let manifest = |folder: &Path| self.manifest(folder).as_ref().clone();
        let read = || {
            let workspace = manifest(folder).unwrap_or_default();
            workspace::members(&self.root, folder, &workspace, &manifest)
        };
        self.members.get(folder, read)
    }

    fn krate(&self, folder: &Path) -> Arc<Option<Crate>> {
        let read = || {
            let (manifest, workspace) = (self.manifest(folder), self.workspace(folder));
            let workspace = workspace.map(|folder| self.manifest(&folder));
            let workspace = workspace.as_ref().and_then(|manifest| manifest.as_ref().as_ref());
            read(&self.root, folder, manifest.as_ref().as_ref()?, workspace, &[])
        };
        self.crates.get(folder, read)
    }
}

/// What a crate does not watch of a directory that it embeds.
fn of_crate(krate: &Crate, directory: &Path) -> Vec<Unwatched> {
    if krate.watches(directory) {
        return Vec::new();
    }
    let unwatched = |call: &super::Call| Unwatched {
        krate: krate.name.clone(),
        file: call.file.clone(),
        line: call.line,
        path: slashed(&path::relative(&krate.folder, directory)),
        script: krate.script(),
    };
    // One build script mends all calls.
    krate.embeds(directory).take(1).map(unwatched).collect()
}

/// What is read of a folder, once, though many ask for it at a time.
#[derive(Debug)]
struct Once<T>(Mutex<HashMap<PathBuf, Arc<OnceLock<Arc<T>>>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Once<T> {
    fn get(&self, folder: &Path, read: impl FnOnce() -> T) -> Arc<T> {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = folders.entry(folder.to_owned()).or_default().clone();
        drop(folders);
        place.get_or_init(|| Arc::new(read())).clone()
    }
}
