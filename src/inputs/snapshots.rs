//! Histories that were written down, from files and folders: committed ones, or what a workflow has downloaded.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use indexmap::map::Entry;
use walkdir::WalkDir;

use crate::file;
use crate::history::{AsOf, Record, Snapshot};
use crate::report::snapshot::{self, NoSnapshot, Records};
use crate::text::harmless;

/// No snapshot is longer: that of a hundred thousand rows has some thirty.
const MAX_BYTES: u64 = 64 << 20;

/// The snapshot of each target, by service and environment.
pub type Snapshots = IndexMap<(String, String), Snapshot>;

/// Every file that was meant to be a snapshot and cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct SnapshotErrors(Vec<(PathBuf, NoSnapshot)>);

impl std::error::Error for SnapshotErrors {}

impl fmt::Display for SnapshotErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, error) in &self.0 {
            let (path, error) = (path.display().to_string(), error.to_string());
            writeln!(f, "the snapshot `{}` cannot be used: {}", harmless(&path), harmless(&error))?;
        }
        f.write_str("  help: `migration-preflight snapshot --output FILE` writes one; the path of --snapshot is relative to the current folder")
    }
}

/// Reads every snapshot among `paths`: files that are named, and files called `*.json` at any depth of folders. What
/// stands in a folder and is no snapshot at all is passed by. Of two snapshots of one target the newer counts. It is `now`.
///
/// # Errors
/// A file that cannot be used, or a folder without a snapshot: who names one means it to count.
pub fn read(paths: &[PathBuf], now: DateTime<Utc>) -> Result<Snapshots, SnapshotErrors> {
    let (mut snapshots, mut errors) = (Snapshots::new(), Vec::new());
    for (path, read) in paths.iter().flat_map(|path| if path.is_dir() { below(path) } else { vec![one(path)] }) {
        match read {
            Ok(records) => add(&mut snapshots, records, &path, now),
            Err(error) => errors.push((path, error)),
        }
    }
    if errors.is_empty() { Ok(snapshots) } else { Err(SnapshotErrors(errors)) }
}

type Read = (PathBuf, Result<Records, NoSnapshot>);

fn below(folder: &Path) -> Vec<Read> {
    let is_json = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_json(entry.path()) => found.push(one(entry.path())),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                found.push((path, Err(NoSnapshot::Unreadable(error.to_string()))));
            }
        }
    }
    found.retain(|(_, read)| *read != Err(NoSnapshot::Foreign));
    if found.is_empty() {
        let nothing = NoSnapshot::Unreadable("the folder holds no snapshot".to_owned());
        found.push((folder.to_owned(), Err(nothing)));
    }
    found
}

fn one(path: &Path) -> Read {
    let text = file::regular_up_to(path, MAX_BYTES).map_err(|error| NoSnapshot::Unreadable(error.to_string()));
    (path.to_owned(), text.and_then(|text| snapshot::read(&text)))
}

fn add(snapshots: &mut Snapshots, Records { taken, records }: Records, path: &Path, now: DateTime<Utc>) {
    for records in records.chunk_by(Record::is_of_target) {
        let [Record { service, environment, engine, .. }, ..] = records else { continue };
        let as_of = AsOf { taken, age: now.signed_duration_since(taken), file: path.display().to_string() };
        let snapshot = Snapshot { as_of, engine: *engine, records: records.to_vec() };
        match snapshots.entry((service.clone(), environment.clone())) {
            Entry::Occupied(known) if known.get().as_of.taken >= taken => {}
            Entry::Occupied(mut older) => drop(older.insert(snapshot)),
            Entry::Vacant(new) => drop(new.insert(snapshot)),
        }
    }
}
