//! What every cause needs: the place to speak of, and how commits and branches are put into words.

use crate::explain::repository::{Place, Repository, folder, short, told, version};
use crate::explain::{Explanation, Subject, directory, mend};
use crate::finding::Cause;
use crate::git::Commit;

/// More branches than this are counted.
const MOST_BRANCHES: usize = 3;

/// An explanation that says nothing yet.
pub fn unknown() -> Explanation {
    Explanation {
        cause: Cause::Unknown,
        summary: String::new(),
        difference: None,
        diff: Vec::new(),
        added: None,
        changed: None,
        branches: Vec::new(),
        fix: Vec::new(),
        repair_sql: None,
    }
}

/// What is said where no content fits, and what could not be looked at.
pub fn nothing_fits(repository: &Repository) -> Explanation {
    let nothing = "no version of this file in this repository has the applied checksum";
    match repository.gaps() {
        None => Explanation { summary: nothing.to_owned(), ..unknown() },
        Some((gap, command)) => {
            let (summary, fix) = (format!("{nothing}, as far as could be looked: {gap}"), mend::fetch(command));
            Explanation { summary, fix, ..unknown() }
        }
    }
}

/// The base branch has it, of which `what` is said, and this branch not yet. It belongs to `path`.
pub fn behind_base(what: &str, place: &Place, path: &str, repository: &Repository) -> Explanation {
    let base = repository.base.as_ref().map_or("the base", |base| &base.name);
    let added = repository.added(place);
    Explanation {
        cause: Cause::BehindBase,
        summary: format!("`{base}` has {what}, and this branch does not yet: merge `{base}`{}", added_by(added)),
        added: added.map(told),
        branches: vec![base.to_owned()],
        fix: mend::merge(repository, base, place, path),
        ..unknown()
    }
}

/// The places where the applied content stood, the most telling one first: as it is rather than changed on its way, in
/// the service's own directory, with the row's version, in the very file, on this branch.
pub fn places(subject: &Subject, repository: &Repository) -> Vec<Place> {
    let mut places = repository.places(subject.applied);
    let own = directory(subject.state);
    let rank = |place: &Place| {
        let of_service = match folder(&place.path) {
            folder if folder == own => 2,
            folder if repository.directories.iter().any(|directory| directory == folder) => 0,
            _ => 1,
        };
        let has_version = version(&place.path) == Some(subject.version);
        let as_is = place.variant.keeps_bytes();
        (as_is, of_service, has_version, place.path == subject.file, place.on_head)
    };
    places.sort_by_cached_key(|place| std::cmp::Reverse(rank(place)));
    places
}

/// Whether a place belongs to another service of the plan.
pub fn is_foreign(place: &Place, subject: &Subject, repository: &Repository) -> bool {
    let folder = folder(&place.path);
    folder != directory(subject.state) && repository.directories.iter().any(|directory| directory == folder)
}

/// Whether a place is in the service's own directory or below it: from elsewhere nothing is taken away, because another
/// service that this run knows nothing of may need it.
pub fn is_own(place: &Place, subject: &Subject) -> bool {
    let own = directory(subject.state);
    own == "." || place.path.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/'))
}

/// What is said where only another service has the content.
pub fn only_foreign(place: &Place, repository: &Repository) -> Explanation {
    let nothing = "nothing that ever was one of this service's migrations has the applied checksum";
    Explanation { summary: format!("{nothing}, but `{}` has it", place.path), ..nothing_fits(repository) }
}

/// `Ann in 1a2b3c4d5e6f on 2026-01-02 (“add a table”)`.
pub fn who(commit: &Commit) -> String {
    let day = commit.date.split('T').next().unwrap_or_default();
    format!("{} in {} on {day} (“{}”)", author(commit), short(commit), commit.subject)
}

/// The author, by name where there is one.
pub fn author(commit: &Commit) -> &str {
    if commit.author.trim().is_empty() { &commit.email } else { &commit.author }
}

/// ` by …`, where it is known who did it.
pub fn by(commit: Option<&Commit>) -> String {
    commit.map(|commit| format!(" by {}", who(commit))).unwrap_or_default()
}

/// `; added by …`, where it is known who did.
pub fn added_by(commit: Option<&Commit>) -> String {
    commit.map(|commit| format!("; added by {}", who(commit))).unwrap_or_default()
}

/// A few branches by name.
pub fn listed(branches: &[String]) -> String {
    let shown = branches.iter().take(MOST_BRANCHES).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match branches.len().saturating_sub(MOST_BRANCHES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
