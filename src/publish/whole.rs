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
