//! What the history shows, alone and beside the source.

use std::collections::HashSet;
use std::path::Path;

use super::shared::{highest_of_its_own, owner, unread};
use super::source::Versions;
use crate::finding::Facts;
use crate::history::History;
use crate::migration::{AppliedMigration, Migration, MigrationKind};
use crate::source::Defined;
use crate::startup::schema_that_stays_absent;
use crate::target::TargetState;
use crate::text::slashed;

/// The absence of the history table. `sibling` is an environment of the same service that has rows.
pub(super) fn absent(state: &TargetState, sibling: Option<&str>) -> Option<Facts> {
    let Ok(history @ History::Absent(absent)) = &state.applied else { return None };
    let uncreated = match (&state.defined, &state.target.database) {
        (Ok(defined), Ok(url)) => schema_that_stays_absent(defined, history, url.engine()),
        _ => None,
    };
    Some(Facts::NoHistory { absent: absent.clone(), elsewhere_applied: sibling.map(str::to_owned), uncreated })
}

/// What rows show by themselves.
pub(super) fn of_rows(rows: &[AppliedMigration]) -> Vec<Facts> {
    let fact = |row: &AppliedMigration| {
        let (version, description) = (row.version, || row.description.clone());
        match row {
            AppliedMigration { success: false, .. } => {
                Some(Facts::DirtyMigration { version, description: description() })
            }
            AppliedMigration { execution_time: -1, .. } => {
                Some(Facts::ExecutionUnconfirmed { version, description: description() })
            }
            _ => None,
        }
    };
    rows.iter().filter_map(fact).collect()
}

/// Every row beside its migration, and every migration beside its row.
pub(super) fn beside(
    state: &TargetState,
    defined: &Defined,
    versions: &Versions,
    rows: &[AppliedMigration],
) -> Vec<Facts> {
    let mut facts = Vec::new();
    let names = Names::of(defined, versions, &state.target.migrations);
    for row in rows {
        // Cloned only where there is something to say: of nearly every row there is nothing.
        let (version, description) = (row.version, || row.description.clone());
        let Some((up, _)) = versions.get(&version) else {
            if !state.is_of_others(row) {
                let (description, file, applied) = (description(), names.would_be(row), row.checksum.clone());
                let (ignored, unread) = (state.target.ignore_missing, unread(state));
                facts.push(Facts::MissingMigration { version, description, file, applied, ignored, unread });
            }
            continue;
        };
        // With a down file alone sqlx has nothing to compare the row with, and lets it pass.
        let Some(first) = up.first() else { continue };
        match up.iter().find(|migration| migration.checksum == row.checksum) {
            None => {
                let (description, file) = (description(), slashed(&first.path));
                let (applied, defined, theirs) = (row.checksum.clone(), first.checksum.clone(), owner(state, row));
                facts.push(Facts::ChecksumMismatch { version, description, file, applied, defined, theirs });
            }
            Some(same) if same.description != row.description => facts.push(Facts::DescriptionChanged {
                version,
                file: slashed(&same.path),
                applied: description(),
                defined: same.description.clone(),
            }),
            Some(_) => {}
        }
    }
    let applied: HashSet<_> = rows.iter().map(|row| row.version).collect();
    let highest = highest_of_its_own(state);
    for (version, (up, _)) in versions {
        let (Some(first), false) = (up.first(), applied.contains(version)) else { continue };
        let (version, description, file) = (*version, first.description.clone(), slashed(&first.path));
        if let Some(highest) = highest.filter(|highest| version < *highest) {
            let (description, file) = (description.clone(), file.clone());
            facts.push(Facts::OutOfOrder { version, description, file, highest });
        }
        facts.push(Facts::PendingMigration { version, description, file });
    }
    facts
}

/// No name of a file is longer on the systems that there are; git's may be, and no width may be without bounds.
const MAX_PADDING: usize = 255;

/// How the files of a directory are named.
struct Names<'a> {
    directory: &'a Path,
    /// The width to which versions are padded with zeros: that of the first which begins with one, else none.
    padding: usize,
    /// An up migration of each version, in order.
    up: Vec<&'a Migration>,
}

impl<'a> Names<'a> {
    fn of(defined: &Defined, versions: &Versions<'a>, directory: &'a Path) -> Self {
        let prefix = |path: &Path| Some(path.file_name()?.to_str()?.split_once('_')?.0.len());
        let padded = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"0"));
        let path = defined.migrations.iter().map(|migration| migration.path.as_path()).find(|path| padded(path));
        let up = versions.values().filter_map(|(up, _)| up.first().copied());
        Self { directory, padding: path.and_then(prefix).unwrap_or(0).min(MAX_PADDING), up: up.collect() }
    }

    /// The file that a row's migration most likely had: padded and suffixed as its neighbours are.
    fn would_be(&self, row: &AppliedMigration) -> String {
        let above = self.up.partition_point(|migration| migration.version < row.version);
        let neighbours = &self.up[above.saturating_sub(1)..self.up.len().min(above + 1)];
        let neighbour = neighbours.iter().min_by_key(|m| m.version.0.abs_diff(row.version.0));
        let suffix = neighbour.map_or(MigrationKind::Simple, |m| m.kind).suffix();
        // The description comes from the database: nothing in it may lead out of the directory or break a line.
        let safe = |c: char| if c.is_whitespace() || c.is_control() || "/\\".contains(c) { '_' } else { c };
        let description: String = row.description.chars().map(safe).collect();
        let (version, padding) = (row.version.0, self.padding);
        slashed(&self.directory.join(format!("{version:0padding$}_{description}{suffix}")))
    }
}
