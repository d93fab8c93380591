//! What the code side alone shows.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::finding::Facts;
use crate::migration::{Migration, Version};
use crate::source::{Defined, Source, Unwatched};
use crate::target::TargetState;
use crate::text::slashed;

/// Invalid and ignored files, duplicate versions, and down files without an up file.
pub(super) fn facts(defined: &Defined, versions: &Versions) -> Vec<Facts> {
    let invalid = defined
        .invalid
        .iter()
        .map(|file| Facts::InvalidMigration { file: slashed(&file.path), reason: file.reason.clone() });
    let ignored =
        defined.ignored.iter().map(|file| Facts::IgnoredFile { file: slashed(&file.path), reason: file.reason });
    let mut facts: Vec<_> = invalid.chain(ignored).collect();
    for (&version, (up, down)) in versions {
        if up.len() > 1 {
            let files = up.iter().map(|migration| slashed(&migration.path)).collect();
            facts.push(Facts::DuplicateVersion { version, files });
        }
        if let (true, Some(down)) = (up.is_empty(), down.first()) {
            facts.push(Facts::DownWithoutUp { version, file: slashed(&down.path) });
        }
    }
    facts
}

/// The crates that cargo may not build again for a new migration, each with the targets of one service.
pub(super) fn stale_embeds(states: &[TargetState]) -> Vec<(Facts, Vec<usize>)> {
    let mut services: IndexMap<(&str, &Unwatched), Vec<usize>> = IndexMap::new();
    for (index, state) in states.iter().enumerate().filter(|(_, state)| state.target.source == Source::Directory) {
        for unwatched in state.defined.iter().flat_map(|defined| &defined.unwatched) {
            services.entry((&state.target.service, unwatched)).or_default().push(index);
        }
    }
    services.into_iter().map(|((_, unwatched), targets)| (Facts::StaleEmbed(unwatched.clone()), targets)).collect()
}

/// The up and the down migrations of each version.
pub(super) type Versions<'a> = BTreeMap<Version, (Vec<&'a Migration>, Vec<&'a Migration>)>;

pub(super) fn by_version(migrations: &[Migration]) -> Versions<'_> {
    let mut versions = Versions::new();
    for migration in migrations {
        let (up, down) = versions.entry(migration.version).or_default();
        if migration.kind.is_up() { up } else { down }.push(migration);
    }
    versions
}
