//! Why a row has no file.

use crate::explain::cause::{
    added_by, author, behind_base, by, is_foreign, is_own, listed, nothing_fits, only_foreign, places, unknown,
};
use crate::explain::repository::{Place, Repository, name, told, version};
use crate::explain::{Explanation, Subject, directory, mend};
use crate::finding::Cause;
use crate::git::GitError;
use crate::migration::Migration;
use crate::text::slashed;

/// Explains a missing migration.
pub fn explain(subject: &Subject, repository: &Repository) -> Result<Option<Explanation>, GitError> {
    let places = places(subject, repository);
    let delete = || mend::delete(subject);
    // A file that has a row of its own, where the base has one of this version, is but another of the same content.
    let is_twin = |migration: &Migration| {
        has_row(subject, migration) && places.iter().any(|place| is_of(subject, place) && repository.is_at_base(place))
    };
    let twin = match standing(subject) {
        Some(migration) if is_twin(migration) => Some(slashed(&migration.path)),
        Some(migration) => return Ok(Some(renumbered(subject, migration, &places, repository))),
        None => None,
    };
    let (foreign, own): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| is_foreign(place, subject, repository));
    let Some(first) = own.first() else {
        let explanation =
            foreign.first().map_or_else(|| nothing_fits(repository), |place| only_foreign(place, repository));
        return Ok(Some(Explanation { repair_sql: delete(), ..explanation }));
    };
    // Copies elsewhere are others' where it once was one of this service's own.
    let was_own = own.iter().any(|place| is_own(place, subject));
    let is_here = |place: &&Place| {
        repository.is_at_head(place) && twin.as_ref() != Some(&place.path) && (is_own(place, subject) || !was_own)
    };
    let here = own.iter().find(is_here);
    let at_base = own.iter().find(|place| repository.is_at_base(place));
    let explanation = match (here, at_base) {
        (Some(here), _) => moved(subject, here, repository),
        (None, at_base) => {
            let deletion = if first.on_head { repository.deletion(&first.path)? } else { None };
            let behind = !first.on_head || deletion.as_ref().is_some_and(|commit| repository.is_on_base(commit));
            match at_base.filter(|_| behind) {
                Some(place) => behind_base("it", place, &would_be(subject, place), repository),
                None if first.on_head => deleted(subject, first, deletion.as_ref(), repository),
                None => unmerged(subject, first, repository)?,
            }
        }
    };
    Ok(Some(Explanation { repair_sql: delete(), ..explanation }))
}

/// The file that has the applied content under another version, which is not applied itself.
pub fn pending<'a>(subject: &Subject<'a>) -> Option<&'a Migration> {
    standing(subject).filter(|migration| !has_row(subject, migration))
}

/// The file that has the applied content under another version.
fn standing<'a>(subject: &Subject<'a>) -> Option<&'a Migration> {
    let defined = subject.state.defined.as_ref().ok()?;
    defined.migrations.iter().find(|migration| migration.kind.is_up() && migration.checksum == *subject.applied)
}

/// Whether the version of that file is applied as well.
fn has_row(subject: &Subject, migration: &Migration) -> bool {
    let applied = subject.state.applied.as_ref();
    applied.is_ok_and(|history| history.rows().iter().any(|row| row.version == migration.version))
}

/// Whether a file has the version of the row.
fn is_of(subject: &Subject, place: &Place) -> bool {
    version(&place.path) == Some(subject.version)
}

/// Where the file ought to stand: under the name that it had, in the service's directory.
pub fn would_be(subject: &Subject, place: &Place) -> String {
    let file = if is_of(subject, place) { name(&place.path) } else { name(subject.file) };
    match directory(subject.state) {
        root if root == "." => file.to_owned(),
        directory => format!("{directory}/{file}"),
    }
}

fn renumbered(subject: &Subject, standing: &Migration, places: &[Place], repository: &Repository) -> Explanation {
    let new = slashed(&standing.path);
    let old = places.iter().find(|place| is_of(subject, place));
    let of_old = old.map_or_else(|| subject.file.to_owned(), |old| would_be(subject, old));
    let of_new = places.iter().find(|place| place.path == new);
    let changed = of_new.and_then(|place| repository.added(place)).filter(|commit| repository.is_on_head(commit));
    let by = by(changed);
    let added = old.and_then(|place| repository.added(place));
    let has_row = has_row(subject, standing);
    Explanation {
        cause: Cause::Renamed,
        summary: format!("it stands here as `{}`: it was renumbered{by}{}", name(&new), added_by(added)),
        added: added.map(told),
        changed: changed.map(told),
        // It has these very bytes, whatever git has of it.
        fix: if has_row { Vec::new() } else { vec![mend::rename(repository, &new, &of_old, None)] },
        repair_sql: if has_row { mend::delete(subject) } else { mend::update_version(subject, standing.version) },
        ..unknown()
    }
}

/// The commit has the content in a file, and what is checked out has none where sqlx looks.
fn moved(subject: &Subject, here: &Place, repository: &Repository) -> Explanation {
    let (added, path) = (repository.added(here), would_be(subject, here));
    if here.path == path {
        return Explanation {
            cause: Cause::Deleted,
            summary: format!(
                "the commit that is checked out has it; it was deleted in the working tree only{}",
                added_by(added)
            ),
            added: added.map(told),
            fix: mend::restore(repository, here, &path),
            ..unknown()
        };
    }
    let (by, what) = (by(added), if is_own(here, subject) { "moved" } else { "put" });
    Explanation {
        cause: Cause::Renamed,
        summary: format!("it stands in `{}`, where sqlx does not look: it was {what} there{by}", here.path),
        changed: added.map(told),
        fix: if is_own(here, subject) {
            vec![mend::rename(repository, &here.path, &path, Some(here))]
        } else {
            mend::restore(repository, here, &path)
        },
        ..unknown()
    }
}

fn deleted(
    subject: &Subject,
    place: &Place,
    deletion: Option<&crate::git::Commit>,
    repository: &Repository,
) -> Explanation {
    let added = repository.added(place);
    let by = by(deletion);
    Explanation {
        cause: Cause::Deleted,
        summary: format!("`{}` was deleted on this branch{by}{}", name(&place.path), added_by(added)),
        added: added.map(told),
        changed: deletion.map(told),
        branches: repository.tips(place),
        fix: mend::restore(repository, place, &would_be(subject, place)),
        ..unknown()
    }
}

fn unmerged(subject: &Subject, place: &Place, repository: &Repository) -> Result<Explanation, GitError> {
    let fix = mend::restore(repository, place, &would_be(subject, place));
    let explanation = on_unmerged_branch(place, repository)?;
    Ok(Explanation { fix, ..explanation })
}

/// Which branch has it that was never merged here, and whom to ask.
pub fn on_unmerged_branch(place: &Place, repository: &Repository) -> Result<Explanation, GitError> {
    let (added, branches) = (repository.added(place), repository.branches(place)?);
    let only = match branches.as_slice() {
        [] => "it is in a commit that no branch has any more".to_owned(),
        [_] => format!("only the unmerged branch {} has it", listed(&branches)),
        _ => format!("only unmerged branches have it: {}", listed(&branches)),
    };
    let ask = added.map(|commit| format!("; ask {}", author(commit))).unwrap_or_default();
    let gap = repository.gaps().map(|(gap, _)| format!("; {gap}")).unwrap_or_default();
    Ok(Explanation {
        cause: Cause::UnmergedBranch,
        summary: format!("{only}{}{ask}{gap}", added_by(added)),
        added: added.map(told),
        branches,
        ..unknown()
    })
}
