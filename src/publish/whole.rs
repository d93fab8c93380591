//! Writes a file at once or not at all: beside its place first, so that nobody ever sees half of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// A new file in `folder`. As any other new file, it is readable for whom the umask lets read it.
///
/// # Errors
/// What the disk says.
pub(super) fn beside(folder: &Path) -> io::Result<NamedTempFile<fs::File>> {
    let open = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).open(path);
    tempfile::Builder::new().prefix(".migration-preflight-").make_in(folder, open)
}

/// Writes `text` to `path`, in the place of what is there. A link stays one, and so does what is no file, such as a pipe.
///
/// # Errors
/// What the disk says; what was there is then as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = match path.metadata() {
        Ok(metadata) if !metadata.is_file() => return fs::write(path, text),
        Ok(metadata) => Some(metadata.permissions()),
        Err(_) => None,
    };
    let path = if before.is_some() { path.canonicalize()? } else { std::path::absolute(path)? };
    let mut beside = beside(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    beside.write_all(text.as_bytes())?;
    if let Some(permissions) = before {
        beside.as_file().set_permissions(permissions)?;
    }
    beside.as_file().sync_all()?;
    beside.persist(path).map(drop).map_err(|error| error.error)
}

/// Writes `text` to a new file at `path` below `root`, with its folders; never over what is there, which is `false`.
///
/// # Errors
/// What the disk says; or the path leads through a link, which may lead out of the repository.
pub fn create(root: &Path, path: &Path, text: &str) -> io::Result<bool> {
    let full = root.join(path);
    if full.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let folder = full.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if folder.ancestors().take_while(|above| *above != root).any(Path::is_symlink) {
        return Err(io::Error::other("its folder is a link, or is in one"));
    }
    fs::create_dir_all(folder)?;
    let mut beside = beside(folder)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().sync_all()?;
    match beside.persist_noclobber(full) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_keeps_its_rights_and_its_name_and_nothing_stands_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, "one").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        let mut permissions = path.metadata().unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions.clone()).unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(path.metadata().unwrap().permissions(), permissions);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace(folder.path(), "text").is_err());
        assert!(replace(&folder.path().join("absent/file"), "text").is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_created_is_new_and_stays_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (folder.path().join("root"), folder.path().join("elsewhere"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        let path = Path::new("a/b/file");
        assert!(create(&root, path, "one").unwrap());
        assert!(!create(&root, path, "two").unwrap());
        assert_eq!(fs::read_to_string(root.join(path)).unwrap(), "one");
        std::os::unix::fs::symlink("nowhere", root.join("link")).unwrap();
        assert!(!create(&root, Path::new("link"), "two").unwrap(), "a link that leads nowhere is there as well");
        std::os::unix::fs::symlink(&elsewhere, root.join("out")).unwrap();
        for path in ["out/file", "out/a/file", "a/b/file/c"] {
            assert!(create(&root, Path::new(path), "two").is_err(), "{path}");
        }
        assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
        assert_eq!(fs::read_dir(root.join("a/b")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "two").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
    }
}
