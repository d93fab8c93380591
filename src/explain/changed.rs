//! What a change breaks before it is merged: the migrations that it edits, deletes and renumbers, and the versions that
//! it takes a second time.

use crate::explain::cause::{by, places, unknown};
use crate::explain::repository::{Repository, name, told};
use crate::explain::{Explanation, Subject, Targets, mend, mismatch};
use crate::finding::{Cause, ChangedMigration, Facts, Finding};
use crate::git::GitError;
use crate::target::TargetState;

/// Whether it is the change that is at fault.
pub fn is_one(facts: &Facts) -> bool {
    changed(facts).is_some() || matches!(facts, Facts::VersionCollision { .. })
}

/// The migration of the base that is not what it was.
fn changed(facts: &Facts) -> Option<&ChangedMigration> {
    match facts {
        Facts::EditedMigration(changed)
        | Facts::DeletedMigration(changed)
        | Facts::RenumberedMigration { changed, .. } => Some(changed),
        _ => None,
    }
}

/// What is to be explained of a change: what the first environment that has to be reckoned with has applied; what the
/// base has, where nobody knows what is applied. Nothing where it is applied nowhere, and may be changed.
pub fn subject<'b>(finding: &'b Finding, targets: &'b Targets) -> Option<Subject<'b>> {
    let (service, environments) = (finding.scope.service()?, finding.scope.environments());
    let state = |environment: &String| targets.at(service, environment).next();
    if let Facts::VersionCollision { version, file, taken, .. } = &finding.facts {
        let state = environments.iter().find_map(state)?;
        return Some(Subject { state, version: *version, file, applied: taken, differs: true, is_applied: false });
    }
    let changed = changed(&finding.facts)?;
    let differs = matches!(finding.facts, Facts::EditedMigration(_));
    let file = if differs { &changed.file } else { &changed.was };
    let subject =
        |state, applied, is_applied| Subject { state, version: changed.version, file, applied, differs, is_applied };
    let holder = changed.applied.iter().find(|application| !application.is_meant);
    match holder.and_then(|holder| targets.with_row(service, &holder.place, changed.version)) {
        Some((state, applied)) => Some(subject(state, applied, true)),
        None if changed.is_known => None,
        None => Some(subject(environments.iter().find_map(state)?, &changed.checksum, false)),
    }
}

/// Explains a version that the base branch has already: whose both are. The file that is not there yet gives way.
pub fn collision(
    subject: &Subject,
    states: &[TargetState],
    repository: &Repository,
) -> Result<Option<Explanation>, GitError> {
    let places = places(subject, repository);
    // The base's own, where its content stood in several files.
    let theirs = places.iter().find(|place| repository.is_at_base(place)).or(places.first());
    let added = theirs.and_then(|place| repository.added(place));
    let ours = mismatch::own_commit(subject.file, repository);
    let taken = theirs.map_or_else(|| "a file of the base".to_owned(), |place| format!("`{}`", name(&place.path)));
    let fix = mend::renumbered(subject.file, subject, states, repository);
    Ok(Some(Explanation {
        cause: Cause::Collision,
        summary: format!(
            "two different migrations take version {}: {taken}{}, and `{}`{}, which is to have another one",
            subject.version,
            by(added),
            name(subject.file),
            by(ours.as_ref())
        ),
        added: added.map(told),
        changed: ours.as_ref().map(told),
        branches: theirs.map_or_else(Vec::new, |place| repository.tips(place)),
        fix: fix.map(|to| mend::rename(repository, subject.file, &to, None)).into_iter().collect(),
        ..unknown()
    }))
}
