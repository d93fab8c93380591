//! The crates of a Cargo workspace: members by path and by pattern, and what they take from paths.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::manifest::Manifest;
use super::path::joined;

/// No workspace has more crates.
const MAX_CRATES: usize = 4096;
/// So many folders stand for `**`, one in another.
const MAX_DEPTH: usize = 6;

/// The folders of the crates of the workspace at `folder`, relative to `root` as that is. `manifest` reads the one of a folder.
pub fn members(
    root: &Path,
    folder: &Path,
    workspace: &Manifest,
    manifest: &dyn Fn(&Path) -> Option<Manifest>,
) -> BTreeSet<PathBuf> {
    let (patterns, excluded) = workspace.members();
    let excluded: Vec<PathBuf> = excluded.iter().filter_map(|path| joined(folder, path)).collect();
    let mut waiting: VecDeque<PathBuf> = patterns.iter().flat_map(|pattern| matching(root, folder, pattern)).collect();
    waiting.push_front(folder.to_owned());
    let mut members = BTreeSet::new();
    while let Some(next) = waiting.pop_front() {
        let is_out = !next.starts_with(folder) || excluded.iter().any(|excluded| next.starts_with(excluded));
        if is_out || members.contains(&next) || members.len() >= MAX_CRATES {
            continue;
        }
        let Some(manifest) = manifest(&next) else { continue };
        waiting.extend(manifest.path_dependencies().into_iter().filter_map(|path| joined(&next, path)));
        members.insert(next);
    }
    members
}

/// The folders that a pattern stands for, such as `crates/*`.
fn matching(root: &Path, folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for part in Path::new(pattern).components() {
        let part = part.as_os_str().to_string_lossy();
        let step = |folder: PathBuf| match &*part {
            "**" => below(root, folder, MAX_DEPTH),
            part if part.contains(['*', '?']) => folders(root, &folder)
                .into_iter()
                .filter(|name| fits(part, name))
                .map(|name| folder.join(name))
                .collect(),
            part => Vec::from_iter(joined(&folder, part)),
        };
        found = found.into_iter().flat_map(step).take(MAX_CRATES).collect();
    }
    found
}

/// A folder and all those below it.
fn below(root: &Path, folder: PathBuf, depth: usize) -> Vec<PathBuf> {
    let names = if depth == 0 { Vec::new() } else { folders(root, &folder) };
    let children: Vec<_> = names.into_iter().flat_map(|name| below(root, folder.join(name), depth - 1)).collect();
    std::iter::once(folder).chain(children).collect()
}

/// The names of the folders in one, those aside that hold no crates.
fn folders(root: &Path, folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join(folder)).into_iter().flatten().filter_map(Result::ok);
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let names = entries.filter(is_folder).filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !is_passed_by(name)).collect()
}

/// Whether a folder of this name holds nothing that anybody wrote here: hidden, or made or fetched by a tool.
pub fn is_passed_by(name: &str) -> bool {
    name.starts_with('.') || matches!(name, "target" | "node_modules" | "vendor")
}

/// Whether a name fits a pattern with `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of, mut star) = (0, 0, None);
    while at < name.len() {
        match pattern.get(of) {
            Some('*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(c) if *c == '?' || *c == name[at] => (at, of) = (at + 1, of + 1),
            // The last `*` takes one more.
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    (at, of) = (*taken, *place + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|c| *c == '*')
}

/// The folder of the nearest manifest at or above `directory` of which `is_wanted` is true, below the root.
pub fn nearest(directory: &Path, is_wanted: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let is_below = directory.components().all(|part| matches!(part, Component::Normal(_)));
    directory.ancestors().filter(|_| is_below).find(|folder| is_wanted(folder)).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_names() {
        for (pattern, name) in
            [("*", "api"), ("a*", "api"), ("*-service", "content-service"), ("a?i", "api"), ("*a*i*", "api")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a*", "web"), ("?", "api"), ("*-service", "service"), ("api", "apis"), ("a*x", "api")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        assert!(!fits(&"*a".repeat(60), &"a".repeat(59)), "at once");
    }

    #[test]
    fn members_are_found_by_path_by_pattern_and_by_what_they_take_from_paths() {
        let root = tempfile::tempdir().unwrap();
        let manifests = [
            ("", "[workspace]\nmembers = ['services/*', 'tools/**', './one', '../up']\nexclude = ['services/old']\n"),
            ("services/api", "[dependencies]\ndb = { path = '../../libs/db' }\nout = { path = '../../../out' }\n"),
            ("services/old", ""),
            ("services/target", ""),
            ("libs/db", "[dependencies]\napi = { path = '../../services/api' }\n"),
            ("libs/other", ""),
            ("tools/a/b", ""),
            ("one", ""),
        ];
        for (folder, text) in manifests {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("Cargo.toml"), text).unwrap();
        }
        fs::create_dir(root.path().join("services/empty")).unwrap();
        let manifest = |folder: &Path| {
            let text = fs::read_to_string(root.path().join(folder).join("Cargo.toml")).ok()?;
            Manifest::parse(&text).ok()
        };
        let workspace = manifest(Path::new("")).unwrap();
        let found = members(root.path(), Path::new(""), &workspace, &manifest);
        let expected = ["", "libs/db", "one", "services/api", "tools/a/b"].map(PathBuf::from);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }
}
