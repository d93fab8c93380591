//! The reports of other runs, from files and folders: what the artifacts of a workflow are when they are downloaded.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::file;
use crate::report::Part;
use crate::report::v1::{self, NoReport};

/// No report is longer: that of ten thousand findings has some ten.
const MAX_BYTES: u64 = 64 << 20;

/// Reads every report among `paths`: files that are named, and files called `*.json` at any depth of folders. What
/// stands in a folder and is no report at all is passed by.
pub fn read(paths: &[PathBuf]) -> Vec<Part> {
    paths.iter().flat_map(|path| if path.is_dir() { below(path) } else { vec![part(path, one(path))] }).collect()
}

fn below(folder: &Path) -> Vec<Part> {
    WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(|entry| found(folder, entry)).collect()
}

fn found(folder: &Path, entry: walkdir::Result<DirEntry>) -> Option<Part> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return Some(part(error.path().unwrap_or(folder), Err(NoReport::Unreadable(error.to_string())))),
    };
    let path = entry.path();
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let read = (entry.file_type().is_file() && is_json).then(|| one(path))?;
    (read != Err(NoReport::Foreign)).then(|| part(path, read))
}

fn one(path: &Path) -> Result<crate::report::Report, NoReport> {
    let text = file::regular_up_to(path, MAX_BYTES).map_err(|error| NoReport::Unreadable(error.to_string()))?;
    v1::read(&text)
}

fn part(path: &Path, report: Result<crate::report::Report, NoReport>) -> Part {
    Part { path: path.display().to_string(), report: report.map_err(|error| error.to_string()) }
}
