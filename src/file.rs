//! Reads the files that a run is told by, and those of a repository: whole, but never without end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// No configuration and no workflow is longer; a link to `/dev/zero` is.
const MAX_BYTES: u64 = 16 << 20;

/// The text of a file of the repository, which has to be a regular one: opening a pipe would wait for ever.
///
/// # Errors
/// It cannot be read, is no file, too long, or not UTF-8.
pub fn regular(path: &Path) -> io::Result<String> {
    regular_up_to(path, MAX_BYTES)
}

/// The same of a file that may be as long as `max` bytes.
///
/// # Errors
/// It cannot be read, is no file, too long, or not UTF-8.
pub fn regular_up_to(path: &Path, max: u64) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    text_up_to(path, max)
}

/// The text of what somebody named, which may be a pipe: `--config <(…)`.
///
/// # Errors
/// It cannot be read, is too long, or not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    text_up_to(path, MAX_BYTES)
}

fn text_up_to(path: &Path, max: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(max + 1).read_to_string(&mut text)?;
    if text.len() as u64 > max {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {} MiB", max >> 20)));
    }
    Ok(text)
}
