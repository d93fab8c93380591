//! Reads what a repository holds of Rust: never without end, and never what is no file.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::file;

/// No manifest and no source that a person wrote is longer.
const MAX_BYTES: u64 = 1 << 20;
/// The sources of one crate take no more in all.
const MAX_BYTES_OF_A_CRATE: usize = 32 << 20;
/// So many entries of one crate are looked at.
const MAX_ENTRIES: usize = 100_000;
/// So deep below its folder.
const MAX_DEPTH: usize = 16;

/// The text of a regular file.
///
/// # Errors
/// It cannot be read, is no file, too long, or not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    file::regular_up_to(path, MAX_BYTES)
}

/// The Rust sources below folders and files of a crate, by path and in order. Links are not followed; what cannot be read
/// is left out.
pub fn sources(places: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let entries = places.iter().flat_map(|place| WalkDir::new(place).max_depth(MAX_DEPTH).sort_by_file_name());
    let is_source = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
    let files = entries
        .take(MAX_ENTRIES)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && is_source(entry.path()));
    let mut bytes = 0_usize;
    let read = files.map_while(|entry| {
        let text = text(entry.path()).unwrap_or_default();
        bytes += text.len();
        (bytes <= MAX_BYTES_OF_A_CRATE).then(|| (entry.into_path(), text))
    });
    read.collect()
}
