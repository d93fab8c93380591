//! Which entries of which layers a container sees, found out from the newest layer down: each is known once it comes by.
//!
//! Layers lie on each other as overlayfs lays them, which is how Docker and containerd do it: a path stands for what the
//! newest layer has there; folders are merged, unless one is a file or a link further up; a folder further up hides a link
//! below, and whoever writes through such a link in a layer of their own writes into a new folder. Within one layer, what
//! comes later replaces what came before, and a link made there is followed on the way to a file. Never reads anything.

mod own;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Visit;
use super::error::{ImageError, LayerFault, Limit};
use super::limits::{Limits, MOST_PARTS, MOST_PATH};
use super::path::{Links, ancestors, follow, normalise, shown, split};
use super::tar::{Entry, Kind};
use own::{Own, State};

/// What marks the name of a file that is deleted, in front of it.
const WHITEOUT: &[u8] = b".wh.";
/// What stands in a folder of which nothing further down is seen.
const OPAQUE: &[u8] = b".wh..wh..opq";

type Path = Box<[u8]>;

/// What is known of a path from the layers that were read.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The newest layer that has something there or deletes it, and whether that is a folder.
    settled: Option<(u32, bool)>,
    /// The newest layer that lets nothing below it be seen of what older ones have under the path.
    barrier: Option<u32>,
}

/// Paths in older layers, with the names that are hard links to what stands there.
type Wanted = BTreeMap<Path, Vec<Path>>;

/// The layers that were read, and the one that is being read.
pub struct Overlay {
    limits: Limits,
    /// The number of the layer, which falls.
    layer: u32,
    nodes: HashMap<Path, Node>,
    own: Own,
    links: Links,
    /// What newer layers link to.
    wanted: Wanted,
    /// What this layer links to in older ones.
    asked: Wanted,
    /// Names that stand for what is at a path of this layer, should something else come there.
    served: HashMap<Path, Vec<Path>>,
    /// What this layer deletes, and whether only what stands below.
    gone: BTreeSet<(Path, bool)>,
    entries: usize,
    names: usize,
}

/// What is done with the content of an entry.
pub enum Content {
    /// Nothing.
    Passed,
    /// It is shown under the first of these names; the others are links to it.
    Shown(Vec<String>),
}

impl Overlay {
    /// Nothing was read yet.
    pub fn new(limits: Limits) -> Self {
        let (nodes, own, links) = (HashMap::new(), Own::default(), Links::default());
        let (wanted, asked) = (Wanted::new(), Wanted::new());
        let (served, gone) = (HashMap::new(), BTreeSet::new());
        Self { limits, layer: 0, nodes, own, links, wanted, asked, served, gone, entries: 0, names: 0 }
    }

    /// The layer with this number begins: each older one has a lower one.
    pub fn begin(&mut self, layer: u32) {
        self.layer = layer;
        self.own = Own::default();
        self.served.clear();
        self.gone.clear();
    }

    /// Takes an entry of the layer, of which `ordinal` others came before.
    ///
    /// # Errors
    /// More than any image has, or what no runtime can unpack.
    pub fn entry(&mut self, entry: &Entry, ordinal: u64, visit: &mut impl Visit) -> Result<Content, Fault> {
        self.admit(&entry.path)?;
        let path = self.locate(&entry.path)?;
        let (folder, name) = split(&path);
        if path.is_empty() {
            return Ok(Content::Passed);
        }
        let file = ancestors(&path).find(|folder| self.own.is_no_folder(folder));
        if let Some(deleted) = name.strip_prefix(WHITEOUT) {
            // umoci deletes one by one what was below a folder that is a file now, which hides it all.
            if file.is_none() {
                self.delete(folder, name, deleted);
            }
            return Ok(Content::Passed);
        }
        if let Some(file) = file {
            return Err(Fault::broken(format!(
                "`{}` stands below `{}`, which is no folder",
                shown(&path),
                shown(file)
            )));
        }
        let is_folder = entry.kind == Kind::Directory;
        let seen = self.is_seen(&path, is_folder);
        self.replace(&path, is_folder, visit);
        self.claim(&path, is_folder);
        self.own.insert_folders(&path);
        match entry.kind {
            Kind::Directory => self.own.insert(&path, State::Folder, seen),
            Kind::Other => self.own.insert(&path, State::Other, seen),
            Kind::Symlink => self.link(&path, &entry.target, seen)?,
            Kind::File => return Ok(self.file(&path, ordinal, seen)),
            Kind::HardLink => self.hard_link(&path, &entry.target, seen, visit)?,
        }
        Ok(Content::Passed)
    }

    /// The files of this layer that have to be read once more, because only a later name of them is seen: by their
    /// numbers, with their names.
    pub fn missed(&mut self) -> BTreeMap<u64, Vec<String>> {
        let missed = std::mem::take(&mut self.own.missed);
        missed.into_iter().map(|(ordinal, names)| (ordinal, names.iter().map(|name| shown(name)).collect())).collect()
    }

    /// The layer ends.
    ///
    /// # Errors
    /// It deletes what a newer layer links to.
    pub fn end(&mut self) -> Result<(), Fault> {
        for (path, below) in &self.gone {
            let lost = self.wanted.range(path.clone()..).take_while(|(file, _)| file.starts_with(&path[..]));
            let mut lost = lost.filter(|(file, _)| match file.get(path.len()) {
                None => !below,
                Some(next) => *next == b'/' || path.is_empty(),
            });
            if let Some((file, _)) = lost.next() {
                return Err(dangling(file));
            }
        }
        for (file, names) in std::mem::take(&mut self.asked) {
            self.wanted.entry(file).or_default().extend(names);
        }
        Ok(())
    }

    /// All layers were read. The links of the image.
    ///
    /// # Errors
    /// A hard link leads nowhere.
    pub fn finish(self) -> Result<Links, Fault> {
        self.wanted.first_key_value().map_or(Ok(self.links), |(file, _)| Err(dangling(file)))
    }

    /// The links of the layers that were read, where the older ones do not matter.
    pub fn so_far(self) -> Links {
        self.links
    }

    /// Counts one more entry.
    fn admit(&mut self, path: &[u8]) -> Result<(), Fault> {
        if path.len() > MOST_PATH {
            return Err(Fault::Limit(Limit::Path(MOST_PATH)));
        }
        self.entries += 1;
        self.names += path.len();
        if self.entries > self.limits.entries {
            return Err(Fault::Limit(Limit::Entries(self.limits.entries)));
        }
        if self.names > self.limits.names {
            return Err(Fault::Limit(Limit::Names(self.limits.names)));
        }
        Ok(())
    }

    /// Where an entry goes whose path is written so: the links of this very layer are followed on the way to it.
    fn locate(&self, written: &[u8]) -> Result<Path, Fault> {
        let path = normalise(written);
        if path.iter().filter(|byte| **byte == b'/').count() >= MOST_PARTS {
            return Err(Fault::Limit(Limit::Path(MOST_PATH)));
        }
        if !ancestors(&path).any(|folder| self.own.target(folder).is_some()) {
            return Ok(path.into());
        }
        let path = follow(&path, false, |path| self.own.target(path));
        let path = path.filter(|path| path.len() <= MOST_PATH);
        path.map(Into::into).ok_or_else(|| Fault::broken(format!("`{}` leads in circles", shown(written))))
    }

    /// What `.wh.NAME` in a folder says of the older layers.
    fn delete(&mut self, folder: &[u8], name: &[u8], deleted: &[u8]) {
        let path: Path = match deleted {
            _ if name == OPAQUE => {
                self.claim(folder, true);
                folder.into()
            }
            // What aufs kept for itself, and names that no file has.
            b"" | b"." | b".." => return,
            _ if deleted.starts_with(WHITEOUT) => return,
            _ if folder.is_empty() => deleted.into(),
            _ => [folder, b"/", deleted].concat().into(),
        };
        let layer = self.layer;
        if name != OPAQUE {
            self.claim_folders(&path);
            self.nodes.entry(path.clone()).or_default().settled.get_or_insert((layer, false));
        }
        self.nodes.entry(path.clone()).or_default().barrier.get_or_insert(layer);
        self.gone.insert((path, name == OPAQUE));
    }

    /// Whether no newer layer hides the path.
    fn is_seen(&self, path: &[u8], is_folder: bool) -> bool {
        let newer = |layer: u32| layer > self.layer;
        let hidden =
            ancestors(path).any(|folder| self.nodes.get(folder).is_some_and(|node| node.barrier.is_some_and(newer)));
        let settled = self.nodes.get(path).and_then(|node| node.settled);
        !hidden && settled.is_none_or(|(layer, folder)| !newer(layer) || (folder && is_folder))
    }

    /// Notes that this layer has something at the path.
    fn claim(&mut self, path: &[u8], is_folder: bool) {
        let layer = self.layer;
        self.claim_folders(path);
        let node = self.nodes.entry(path.into()).or_default();
        if node.settled.is_none_or(|(settled, _)| settled == layer) {
            node.settled = Some((layer, is_folder));
        }
        if !is_folder {
            node.barrier.get_or_insert(layer);
        }
    }

    /// What this layer had at the path hides nothing, now that it is gone.
    fn unclaim(&mut self, path: &[u8]) {
        let gone = |below| self.gone.contains(&(path.into(), below));
        let (deleted, opaque) = (gone(false), gone(true));
        let Some(node) = self.nodes.get_mut(path) else { return };
        if node.settled.is_some_and(|(layer, _)| layer == self.layer) {
            node.settled = deleted.then_some((self.layer, false));
        }
        if node.barrier == Some(self.layer) && !deleted && !opaque {
            node.barrier = None;
        }
    }

    fn claim_folders(&mut self, path: &[u8]) {
        for folder in ancestors(path) {
            match self.nodes.get_mut(folder) {
                Some(node) => {
                    node.settled.get_or_insert((self.layer, true));
                }
                None => {
                    self.names += folder.len();
                    self.nodes.insert(folder.into(), Node { settled: Some((self.layer, true)), barrier: None });
                }
            }
        }
    }

    /// Takes away what this layer had at the path before, and below it unless both are folders.
    fn replace(&mut self, path: &[u8], is_folder: bool, visit: &mut impl Visit) {
        for (removed, (state, seen)) in self.own.remove(path, is_folder) {
            self.unclaim(&removed);
            if let Some(names) = self.served.remove(&removed) {
                names.iter().for_each(|name| self.take_back(name, &state, visit));
                // The names of newer layers get what comes instead.
                self.wanted.entry(removed.clone()).or_default().extend(names);
            }
            if seen {
                self.take_back(&removed, &state, visit);
            }
        }
    }

    /// `name` does not stand for what was in this state any more.
    fn take_back(&mut self, name: &[u8], state: &State, visit: &mut impl Visit) {
        match state {
            State::Shown(ordinal) | State::Hidden(ordinal) => {
                if !self.own.forget(*ordinal, name) {
                    visit.removed(&shown(name));
                }
            }
            State::Link(_) => drop(self.links.0.remove(name)),
            State::Below(file) => self.forget(file, name),
            State::Folder | State::Other => {}
        }
    }

    /// `name` does not want the content of `file` any more.
    fn forget(&mut self, file: &[u8], name: &[u8]) {
        if let Some(names) = self.asked.get_mut(file) {
            names.retain(|other| **other != *name);
            if names.is_empty() {
                self.asked.remove(file);
            }
        }
    }

    fn link(&mut self, path: &[u8], target: &[u8], seen: bool) -> Result<(), Fault> {
        self.names += target.len();
        if target.len() > MOST_PATH {
            return Err(Fault::Limit(Limit::Path(MOST_PATH)));
        }
        if seen {
            self.links.0.insert(path.into(), target.into());
        }
        // Newer layers have more names for the very link.
        for name in self.serve(path) {
            self.links.0.insert(name, target.into());
        }
        self.own.insert(path, State::Link(target.into()), seen);
        Ok(())
    }

    fn file(&mut self, path: &[u8], ordinal: u64, seen: bool) -> Content {
        let wanting = self.serve(path);
        let names = seen.then_some(path).into_iter().chain(wanting.iter().map(|name| &name[..]));
        let names: Vec<_> = names.map(shown).collect();
        self.own.insert(path, if seen { State::Shown(ordinal) } else { State::Hidden(ordinal) }, seen);
        if names.is_empty() { Content::Passed } else { Content::Shown(names) }
    }

    /// The names of newer layers that stand for what is at the path.
    fn serve(&mut self, path: &[u8]) -> Vec<Path> {
        let Some(names) = self.wanted.remove(path) else { return Vec::new() };
        // An odd archive may bring the same names up again and again.
        self.entries += names.len();
        self.served.insert(path.into(), names.clone());
        names
    }

    /// One more name of a file of this layer, or of an older one.
    fn hard_link(&mut self, path: &[u8], target: &[u8], seen: bool, visit: &mut impl Visit) -> Result<(), Fault> {
        if target.len() > MOST_PATH {
            return Err(Fault::Limit(Limit::Path(MOST_PATH)));
        }
        let file = self.locate(target)?;
        let names: Vec<Path> = seen.then(|| path.into()).into_iter().chain(self.serve(path)).collect();
        let state = match self.own.get(&file) {
            Some(State::Shown(ordinal)) => {
                let ordinal = *ordinal;
                names.iter().for_each(|name| visit.link(&shown(name), &shown(&file)));
                if seen { State::Shown(ordinal) } else { State::Hidden(ordinal) }
            }
            Some(State::Hidden(ordinal)) => {
                let ordinal = *ordinal;
                self.own.miss(ordinal, names);
                State::Hidden(ordinal)
            }
            Some(State::Link(target)) => {
                let target = target.clone();
                names.into_iter().for_each(|name| drop(self.links.0.insert(name, target.clone())));
                State::Link(target)
            }
            Some(State::Other) => State::Other,
            Some(State::Below(below)) => {
                let below = below.clone();
                self.want(&below, names);
                State::Below(below)
            }
            Some(State::Folder) => return Err(Fault::broken(format!("`{}` is a hard link to a folder", shown(path)))),
            None => {
                self.want(&file, names);
                State::Below(file)
            }
        };
        self.own.insert(path, state, seen);
        Ok(())
    }

    fn want(&mut self, file: &[u8], names: Vec<Path>) {
        if !names.is_empty() {
            self.asked.entry(file.into()).or_default().extend(names);
        }
    }
}

/// Why an entry is not taken: the caller knows in which layer.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too much.
    Limit(Limit),
    /// What no runtime unpacks.
    Layer(LayerFault),
}

impl Fault {
    fn broken(detail: String) -> Self {
        Self::Layer(LayerFault::Broken(detail))
    }

    /// The error for the layer of this name.
    pub fn of(self, layer: &str) -> ImageError {
        match self {
            Self::Limit(limit) => ImageError::Limit(limit),
            Self::Layer(fault) => ImageError::Layer { layer: layer.to_owned(), fault },
        }
    }
}

fn dangling(file: &[u8]) -> Fault {
    Fault::broken(format!("a hard link leads to `{}`, which is in no layer below", shown(file)))
}

#[cfg(test)]
mod tests;
