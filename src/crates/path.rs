//! Paths below the root of the repository, by their letters alone. Pure.

use std::path::{Component, Path, PathBuf};

/// Where `path` leads from `folder`, without `.` and `..`; nowhere, where that is outside of the root.
pub fn joined(folder: &Path, path: impl AsRef<Path>) -> Option<PathBuf> {
    let mut joined = PathBuf::new();
    for part in folder.components().chain(path.as_ref().components()) {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !joined.pop() {
                    return None;
                }
            }
            Component::Normal(name) => joined.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}

/// How one gets from `folder` to `path`, both below the root: `../../migrations`.
pub fn relative(folder: &Path, path: &Path) -> PathBuf {
    let shared = folder.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(path.components().skip(shared)).collect();
    if way.as_os_str().is_empty() { ".".into() } else { way }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_somewhere_below_the_root_or_nowhere() {
        let joined = |folder: &str, path: &str| joined(Path::new(folder), path);
        assert_eq!(joined("a/b", "./c/../d"), Some("a/b/d".into()));
        assert_eq!(joined("a/b", "../../m"), Some("m".into()));
        assert_eq!(joined("", "."), Some("".into()));
        assert_eq!(joined("a", "../../m"), None);
        assert_eq!(joined("a", "/m"), None);
    }

    #[test]
    fn the_way_from_one_place_to_another_is_the_shortest() {
        let relative = |folder: &str, path: &str| relative(Path::new(folder), Path::new(path)).display().to_string();
        assert_eq!(relative("crates/db", "migrations"), "../../migrations");
        assert_eq!(relative("crates/db", "crates/db/migrations"), "migrations");
        assert_eq!(relative("crates/db", "crates/sql"), "../sql");
        assert_eq!(relative("", "migrations"), "migrations");
        assert_eq!(relative("a", "a"), ".");
    }
}
