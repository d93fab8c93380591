//! What the layer that is being read holds so far. Pure.

use std::collections::BTreeMap;

use super::super::path::ancestors;
use super::Path;

/// What stands at a path of the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A folder.
    Folder,
    /// A file that was shown under this name: the entry with this number.
    Shown(u64),
    /// A file that this name does not show, or not yet.
    Hidden(u64),
    /// A hard link to a file of an older layer.
    Below(Path),
    /// A symbolic link.
    Link(Path),
    /// A device or a pipe.
    Other,
}

/// The paths of a layer.
#[derive(Debug, Default)]
pub struct Own {
    /// Each with whether a container sees it: no newer layer hides it.
    states: BTreeMap<Path, (State, bool)>,
    /// How many of them are symbolic links: in most layers none.
    links: usize,
    /// Names that are seen, of files that were passed over when they came by.
    pub missed: BTreeMap<u64, Vec<Path>>,
}

impl Own {
    pub fn get(&self, path: &[u8]) -> Option<&State> {
        self.states.get(path).map(|(state, _)| state)
    }

    pub fn insert(&mut self, path: &[u8], state: State, seen: bool) {
        self.links += usize::from(matches!(state, State::Link(_)));
        self.states.insert(path.into(), (state, seen));
    }

    /// Notes the folders in which the path stands, whether or not they have entries of their own.
    pub fn insert_folders(&mut self, path: &[u8]) {
        for folder in ancestors(path).skip(1) {
            if !self.states.contains_key(folder) {
                self.states.insert(folder.into(), (State::Folder, false));
            }
        }
    }

    /// What the symbolic link at the path leads to, if there is one.
    pub fn target(&self, path: &[u8]) -> Option<&[u8]> {
        match (self.links > 0).then(|| self.get(path))?? {
            State::Link(target) => Some(target),
            _ => None,
        }
    }

    /// Whether nothing can stand below the path.
    pub fn is_no_folder(&self, path: &[u8]) -> bool {
        !matches!(self.get(path), None | Some(State::Folder | State::Link(_)))
    }

    /// Notes names of a file that has gone by.
    pub fn miss(&mut self, ordinal: u64, names: Vec<Path>) {
        if !names.is_empty() {
            self.missed.entry(ordinal).or_default().extend(names);
        }
    }

    /// Whether `name` was noted as one of a file that has gone by; it is no more.
    pub fn forget(&mut self, ordinal: u64, name: &[u8]) -> bool {
        let Some(names) = self.missed.get_mut(&ordinal) else { return false };
        let before = names.len();
        names.retain(|other| **other != *name);
        let forgotten = names.len() < before;
        if names.is_empty() {
            self.missed.remove(&ordinal);
        }
        forgotten
    }

    /// Takes away what stands at the path and below it; a folder that meets a folder stays.
    pub fn remove(&mut self, path: &[u8], is_folder: bool) -> Vec<(Path, (State, bool))> {
        let Some(state) = self.states.get(path) else { return Vec::new() };
        let mut removed: Vec<(Path, (State, bool))> = Vec::new();
        if state.0 == State::Folder {
            if is_folder {
                return Vec::new();
            }
            let start: Path = [path, b"/"].concat().into();
            let below = self.states.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start[..]));
            removed.extend(below.map(|(path, state)| (path.clone(), state.clone())));
        }
        removed.push((path.into(), state.clone()));
        for (path, (state, _)) in &removed {
            self.states.remove(path);
            self.links -= usize::from(matches!(state, State::Link(_)));
        }
        removed
    }
}
