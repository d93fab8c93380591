//! Writes what `restore` has decided: each file at once or not at all, and over nothing that came there meanwhile.

use std::fs::{self, Permissions};
use std::io::{self, Write};

use super::whole::beside;
use crate::restore::{Edit, File};

/// Makes an edit.
///
/// # Errors
/// What the disk says; the files are then as they were.
pub fn make(edit: &Edit) -> io::Result<()> {
    match edit {
        Edit::Write { file, bytes } => write(file, bytes),
        Edit::Append { file, line } => append(file, line),
        Edit::Rename { from, to, bytes: None } => rename(from, to),
        Edit::Rename { from, to, bytes: Some(bytes) } => {
            put(to, bytes, Some(as_seen(from)?))?;
            fs::remove_file(&from.path).inspect_err(|_| drop(fs::remove_file(&to.path)))
        }
    }
}

fn write(file: &File, bytes: &[u8]) -> io::Result<()> {
    let mode = if file.seen.is_some() { Some(as_seen(file)?) } else { None };
    put(file, bytes, mode)
}

/// Appends a line, whether or not the last one has its end.
fn append(file: &File, line: &str) -> io::Result<()> {
    let mut text = if file.seen.is_some() { fs::read(&file.path)? } else { Vec::new() };
    if !matches!(text.last(), None | Some(b'\n')) {
        text.push(b'\n');
    }
    text.extend(line.bytes().chain([b'\n']));
    write(file, &text)
}

/// The mode of a file, unless somebody has changed it since it was found that nothing in it would be lost.
fn as_seen(file: &File) -> io::Result<Permissions> {
    let metadata = fs::symlink_metadata(&file.path)?;
    if file.seen != Some((metadata.modified()?, metadata.len())) {
        return Err(io::Error::other("it has changed while this ran"));
    }
    Ok(metadata.permissions())
}

/// Puts a whole file in its place: written beside it first, so that nobody ever sees half of it.
fn put(file: &File, bytes: &[u8], mode: Option<Permissions>) -> io::Result<()> {
    let folder = file.path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut beside = beside(folder)?;
    beside.write_all(bytes)?;
    if let Some(mode) = mode {
        beside.as_file().set_permissions(mode)?;
    }
    beside.as_file().sync_all()?;
    let put = if file.seen.is_some() {
        as_seen(file)?;
        beside.persist(&file.path)
    } else {
        beside.persist_noclobber(&file.path)
    };
    put.map(drop).map_err(|error| error.error)
}

/// Gives a file another name, which nothing has.
fn rename(from: &File, to: &File) -> io::Result<()> {
    as_seen(from)?;
    fs::create_dir_all(to.path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    // A second name is never that of another file; where there is no such thing, the time between look and deed is short.
    match fs::hard_link(&from.path, &to.path) {
        Ok(()) => fs::remove_file(&from.path).inspect_err(|_| drop(fs::remove_file(&to.path))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if to.path.symlink_metadata().is_err() => fs::rename(&from.path, &to.path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn file(path: PathBuf) -> File {
        let seen = path.symlink_metadata().ok().map(|file| (file.modified().unwrap(), file.len()));
        File { path, shown: String::new(), seen }
    }

    #[test]
    fn what_came_or_changed_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("old"), "old").unwrap();
        let (old, new, other) = (file(path("old")), file(path("new")), file(path("other")));
        fs::write(path("old"), "mine").unwrap();
        fs::write(path("new"), "mine too").unwrap();
        let bytes = || b"applied".to_vec();
        for edit in [
            Edit::Write { file: old.clone(), bytes: bytes() },
            Edit::Write { file: new.clone(), bytes: bytes() },
            Edit::Append { file: old.clone(), line: "line".to_owned() },
            Edit::Append { file: new.clone(), line: "line".to_owned() },
            Edit::Rename { from: old.clone(), to: other.clone(), bytes: None },
            Edit::Rename { from: old, to: other, bytes: Some(bytes()) },
            Edit::Rename { from: file(path("old")), to: new.clone(), bytes: None },
            Edit::Rename { from: file(path("old")), to: new, bytes: Some(bytes()) },
        ] {
            assert!(make(&edit).is_err(), "{edit:?}");
            assert_eq!(fs::read_to_string(path("old")).unwrap(), "mine", "{edit:?}");
            assert_eq!(fs::read_to_string(path("new")).unwrap(), "mine too", "{edit:?}");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "{edit:?}");
        }
    }

    #[test]
    fn a_line_stands_in_a_line_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for (before, after) in [
            (None, "b\n"),
            (Some(""), "b\n"),
            (Some("a"), "a\nb\n"),
            (Some("a\n"), "a\nb\n"),
            (Some("a\r\n"), "a\r\nb\n"),
        ] {
            let path = folder.path().join("attributes");
            let _ = fs::remove_file(&path);
            if let Some(before) = before {
                fs::write(&path, before).unwrap();
            }
            make(&Edit::Append { file: file(path.clone()), line: "b".to_owned() }).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after, "{before:?}");
        }
    }
}
