//! What a change does to the migrations at its base: edits, deletes and renumbers them, takes a version that is taken,
//! or goes below the highest one. One fact a file, for all environments of its service, and what follows from it is
//! taken in.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use indexmap::IndexMap;

use super::across::rows;
use super::shared::highest_of_its_own;
use super::source::{Versions, by_version};
use crate::finding::{Application, Behind, ChangedMigration, Facts, Rule};
use crate::migration::{AppliedMigration, Checksum, Migration, Version};
use crate::source::Base;
use crate::target::TargetState;
use crate::text::slashed;

/// What the change does, service by service.
#[derive(Default)]
pub(super) struct Changes {
    /// Each fact with the targets that it is about.
    told: Vec<(Facts, Vec<usize>)>,
    /// From which fact it follows that a target breaks a rule with a version.
    causes: HashMap<(usize, Rule, Version), usize>,
}

impl Changes {
    /// Of all targets. `swapped` are those with another service's database, which has nothing to say.
    pub(super) fn of(states: &[TargetState], swapped: &[Option<Facts>]) -> Self {
        let mut groups: IndexMap<(&str, &Path), Vec<usize>> = IndexMap::new();
        for (index, state) in states.iter().enumerate() {
            if state.base.is_some() && state.defined.is_ok() {
                groups.entry((&state.target.service, &state.target.migrations)).or_default().push(index);
            }
        }
        let mut changes = Self::default();
        for targets in groups.into_values() {
            if let Some(group) = Group::of(states, swapped, targets) {
                group.fates(&mut changes);
                group.collisions(&mut changes);
                group.below(&mut changes);
            }
        }
        changes
    }

    /// Those of the facts of a target that do not follow from a change. Of the others `is_meant` says whether somebody
    /// knows and means them.
    pub(super) fn take_in(
        &mut self,
        target: usize,
        place: &str,
        facts: Vec<Facts>,
        is_meant: &mut dyn FnMut(Facts) -> bool,
    ) -> Vec<Facts> {
        let mut left = Vec::with_capacity(facts.len());
        for fact in facts {
            let cause = fact.version().and_then(|version| self.causes.get(&(target, fact.rule(), version)));
            match cause.and_then(|index| self.told.get_mut(*index)) {
                None => left.push(fact),
                Some((cause, _)) if is_meant(fact) => mark(cause, place),
                Some(_) => {}
            }
        }
        left
    }

    /// Each fact with the targets that it is about.
    pub(super) fn into_facts(self) -> Vec<(Facts, Vec<usize>)> {
        self.told
    }

    fn tell(&mut self, facts: Facts, involved: Vec<usize>, follows: impl IntoIterator<Item = (usize, Rule, Version)>) {
        self.causes.extend(follows.into_iter().map(|follows| (follows, self.told.len())));
        self.told.push((facts, involved));
    }
}

/// Notes that what follows in an environment, or with some of its tenants, is meant.
fn mark(cause: &mut Facts, place: &str) {
    if let Facts::EditedMigration(changed)
    | Facts::DeletedMigration(changed)
    | Facts::RenumberedMigration { changed, .. } = cause
    {
        let mut there = changed.applied.iter_mut().filter(|application| application.place == place);
        there.by_ref().for_each(|application| application.is_meant = true);
    }
}

/// The targets of one service that share a directory, and its sides.
struct Group<'a> {
    states: &'a [TargetState],
    swapped: &'a [Option<Facts>],
    targets: Vec<usize>,
    start: &'a [Migration],
    start_files: HashMap<&'a Path, &'a Checksum>,
    here: Versions<'a>,
    here_files: HashSet<&'a Path>,
    tip: Versions<'a>,
    /// The new up migrations by their content.
    new: HashMap<&'a Checksum, &'a Migration>,
}

/// What became of a migration of the base.
enum Fate<'a> {
    Kept,
    Edited(&'a Migration),
    Renumbered(&'a Migration),
    Deleted,
}

impl<'a> Group<'a> {
    fn of(states: &'a [TargetState], swapped: &'a [Option<Facts>], targets: Vec<usize>) -> Option<Self> {
        let state = &states[*targets.first()?];
        let (base, defined) = (state.base.as_deref()?, state.defined.as_deref().ok()?);
        let start = start(base);
        let start_files: HashMap<_, _> =
            start.iter().map(|migration| (migration.path.as_path(), &migration.checksum)).collect();
        let is_new = |migration: &&Migration| !start_files.contains_key(migration.path.as_path());
        let up = defined.migrations.iter().filter(|migration| migration.kind.is_up());
        Some(Self {
            new: up.filter(is_new).map(|migration| (&migration.checksum, migration)).collect(),
            states,
            swapped,
            start,
            start_files,
            here: by_version(&defined.migrations),
            here_files: defined.migrations.iter().map(|migration| migration.path.as_path()).collect(),
            tip: by_version(&base.tip),
            targets,
        })
    }

    fn up(&self, version: Version) -> &[&'a Migration] {
        self.here.get(&version).map(|(up, _)| up.as_slice()).unwrap_or_default()
    }

    fn is_new(&self, migration: &Migration) -> bool {
        !self.start_files.contains_key(migration.path.as_path())
    }

    fn fates(&self, changes: &mut Changes) {
        for old in self.start.iter().filter(|old| old.kind.is_up()) {
            let fate = self.fate(old);
            let file = match &fate {
                Fate::Kept => continue,
                Fate::Edited(new) | Fate::Renumbered(new) => slashed(&new.path),
                Fate::Deleted => slashed(&old.path),
            };
            let (applied, is_known) = self.applied(old);
            let holders: Vec<usize> = applied.iter().map(|(target, _)| *target).collect();
            let changed = ChangedMigration {
                version: old.version,
                description: old.description.clone(),
                file,
                was: slashed(&old.path),
                checksum: old.checksum.clone(),
                applied: applied.into_iter().map(|(_, application)| application).collect(),
                is_known,
            };
            let facts = match fate {
                Fate::Edited(_) => Facts::EditedMigration(changed),
                Fate::Renumbered(new) => Facts::RenumberedMigration { changed, to: new.version },
                Fate::Deleted | Fate::Kept => Facts::DeletedMigration(changed),
            };
            let rules = [Rule::MissingMigration, Rule::ChecksumMismatch];
            let follows: Vec<_> =
                holders.iter().flat_map(|target| rules.map(|rule| (*target, rule, old.version))).collect();
            changes.tell(facts, if holders.is_empty() { self.targets.clone() } else { holders }, follows);
        }
    }

    /// A file that only goes by another name is kept: sqlx compares versions and checksums.
    fn fate(&self, old: &Migration) -> Fate<'a> {
        let same_version = self.up(old.version);
        if same_version.iter().any(|new| new.checksum == old.checksum) {
            return Fate::Kept;
        }
        // What stood beside it, as it is, is not what became of it.
        let stood = |new: &Migration| self.start_files.get(new.path.as_path()) == Some(&&new.checksum);
        let heirs = || same_version.iter().copied().filter(|new| !stood(new));
        if let Some(new) = heirs().find(|new| new.path == old.path).or_else(|| heirs().next()) {
            return Fate::Edited(new);
        }
        self.new.get(&old.checksum).map_or(Fate::Deleted, |new| Fate::Renumbered(new))
    }

    /// The targets that have applied a migration of the base, and whether any could be asked.
    fn applied(&self, old: &Migration) -> (Vec<(usize, Application)>, bool) {
        let (mut applied, mut is_known) = (Vec::new(), false);
        for &target in &self.targets {
            let state = &self.states[target];
            if self.swapped[target].is_some() || state.applied.is_err() {
                continue;
            }
            is_known = true;
            // A row of another service that writes to the same table was never of this file.
            let Some(row) = row(state, old.version).filter(|row| !state.is_of_others(row)) else { continue };
            // A row of another content breaks with another file, or has been broken before; but none can do without one.
            if row.checksum == old.checksum || !self.here.contains_key(&old.version) {
                let (place, since) = (state.place(), row.installed_on.clone());
                applied.push((target, Application { place, since, is_meant: false }));
            }
        }
        (applied, is_known)
    }

    /// New files whose version another file has on the base branch, which git merges without a word.
    fn collisions(&self, changes: &mut Changes) {
        for (&version, (up, _)) in &self.here {
            let here = up.iter().copied().filter(|migration| !self.is_new(migration));
            let tip = self.tip.get(&version).map(|(up, _)| up.as_slice()).unwrap_or_default();
            // What the change has deleted or renamed is gone once it is merged.
            let away = |other: &&Migration| self.is_new(other) && !self.here_files.contains(other.path.as_path());
            let others: Vec<&Migration> = here.chain(tip.iter().copied().filter(away)).collect();
            let Some(taken) = others.first().map(|other| &other.checksum) else { continue };
            for new in up.iter().filter(|migration| self.is_new(migration)) {
                let facts = Facts::VersionCollision {
                    version,
                    description: new.description.clone(),
                    file: slashed(&new.path),
                    others: others.iter().map(|other| slashed(&other.path)).collect(),
                    taken: taken.clone(),
                };
                changes.tell(facts, self.targets.clone(), self.of_collision(version, &others));
            }
        }
    }

    /// The duplicate, and the false mismatch where the other file is the one that was applied.
    fn of_collision(&self, version: Version, others: &[&Migration]) -> Vec<(usize, Rule, Version)> {
        let has_other = |target: &&usize| {
            let row = row(&self.states[**target], version);
            row.is_some_and(|row| others.iter().any(|other| other.checksum == row.checksum))
        };
        let mismatches = self.targets.iter().filter(has_other).map(|target| (*target, Rule::ChecksumMismatch, version));
        let duplicates = self.targets.iter().map(|target| (*target, Rule::DuplicateVersion, version));
        duplicates.chain(mismatches).collect()
    }

    /// New versions below the highest one of the base branch, where no environment says that already.
    fn below(&self, changes: &mut Changes) {
        let highest = self.tip.iter().rev().find(|(_, (up, _))| !up.is_empty()).map(|(version, _)| *version);
        let Some(highest) = highest else { return };
        let known: HashSet<Version> = self.start.iter().map(|migration| migration.version).collect();
        for (&version, (up, _)) in self.here.range(..highest) {
            let Some(new) = up.first().filter(|new| self.is_new(new)) else { continue };
            let is_told = |target: &usize| {
                let state = &self.states[*target];
                row(state, version).is_none() && highest_of_its_own(state) > Some(version)
            };
            if known.contains(&version) || self.tip.contains_key(&version) || self.targets.iter().any(is_told) {
                continue;
            }
            let (description, file) = (new.description.clone(), slashed(&new.path));
            changes.tell(Facts::BelowBase { version, description, file, highest }, self.targets.clone(), []);
        }
    }
}

/// The row of a version in a target's history.
fn row(state: &TargetState, version: Version) -> Option<&AppliedMigration> {
    let rows = rows(state)?;
    rows.binary_search_by_key(&version, |row| row.version).ok().map(|index| &rows[index])
}

fn start(base: &Base) -> &[Migration] {
    base.start.as_ref().map(|start| start.migrations.as_slice()).unwrap_or_default()
}

/// The migrations of a version, of some that are in order.
fn of_version(migrations: &[Migration], version: Version) -> &[Migration] {
    let from = migrations.partition_point(|migration| migration.version < version);
    let count = migrations[from..].iter().take_while(|migration| migration.version == version).count();
    &migrations[from..from + count]
}

/// The facts of a target, those that merging the base branch mends told as such.
pub(super) fn behind(state: &TargetState, facts: Vec<Facts>) -> Vec<Facts> {
    match state.base.as_deref() {
        Some(base) => facts.into_iter().map(|facts| mended_by(base, facts)).collect(),
        None => facts,
    }
}

fn mended_by(base: &Base, facts: Facts) -> Facts {
    let of = |migrations: &'_ [Migration], version: Version, checksum: &Checksum| {
        let mut up = of_version(migrations, version).iter().filter(|migration| migration.kind.is_up());
        up.find(|found| found.checksum == *checksum).map(|found| slashed(&found.path))
    };
    let is_pull_request = base.is_pull_request;
    match facts {
        Facts::MissingMigration { version, description, file, applied, ignored, unread } => {
            let was_here = !of_version(start(base), version).is_empty();
            match of(&base.tip, version, &applied).filter(|_| !was_here) {
                Some(file) => {
                    let behind = Behind { is_outdated: false, is_pull_request, ignored };
                    Facts::BehindBase { version, description, file, applied, behind }
                }
                None => Facts::MissingMigration { version, description, file, applied, ignored, unread },
            }
        }
        Facts::ChecksumMismatch { version, description, file, applied, defined, .. }
            if of(&base.tip, version, &applied).as_ref() == Some(&file)
                && of(start(base), version, &defined).as_ref() == Some(&file) =>
        {
            let behind = Behind { is_outdated: true, is_pull_request, ignored: false };
            Facts::BehindBase { version, description, file, applied, behind }
        }
        facts => facts,
    }
}
