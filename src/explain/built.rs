//! Why a row does not fit what was built, or what a revision has: nothing that is edited here mends that, but which
//! version of it would fit can be told.

use crate::explain::cause::{by, listed, places, unknown, who};
use crate::explain::difference::{diff, difference};
use crate::explain::repository::{Place, Repository, name, told};
use crate::explain::{Explanation, Subject, engine, missing};
use crate::finding::{Cause, Difference};
use crate::git::GitError;
use crate::migration::Checksum;
use crate::source::Source;

/// Explains a row that is missing or differs in something that is not the working tree.
pub fn explain(subject: &Subject, repository: &Repository) -> Result<Option<Explanation>, GitError> {
    let what = what(&subject.state.target.source);
    let places = places(subject, repository);
    let here = places.iter().find(|place| repository.is_at_head(place));
    let there = here.or_else(|| places.iter().find(|place| repository.is_at_base(place)));
    let explanation = match (there, places.first()) {
        (Some(place), _) => older(&what, subject, place, repository),
        // It was deleted since, or never merged, or nobody knows it: that is so whatever is built.
        (None, _) if !subject.differs => {
            return Ok(missing::explain(subject, repository)?.map(|told| Explanation { fix: Vec::new(), ..told }));
        }
        (None, Some(place)) => older(&what, subject, place, repository),
        (None, None) => crate::explain::cause::nothing_fits(repository),
    };
    let defined = subject.defined().and_then(|defined| of_content(defined, repository));
    Ok(Some(match (defined, places.first()) {
        (Some(defined), Some(applied)) => compared(explanation, subject, (&defined, applied), repository)?,
        _ => explanation,
    }))
}

/// What is to be deployed, in words.
fn what(source: &Source) -> String {
    match source {
        Source::Directory => "the directory".to_owned(),
        Source::Revision(revision) => format!("the revision `{revision}`"),
        Source::Binary(_) => "the program".to_owned(),
        Source::Image(_) => "the image".to_owned(),
    }
}

/// The repository has what was applied, and what was built does not.
fn older(what: &str, subject: &Subject, place: &Place, repository: &Repository) -> Explanation {
    let added = repository.added(place);
    let branches = repository.tips(place);
    let on = if branches.is_empty() { String::new() } else { format!(" on {}", listed(&branches)) };
    let has = if subject.differs { "has another content of it" } else { "lacks it" };
    Explanation {
        cause: Cause::BehindBase,
        summary: format!(
            "{what} {has}: `{}` stands{on}, added{}; deploy what is built of a commit that has it",
            name(&place.path),
            by(added)
        ),
        added: added.map(told),
        branches,
        ..unknown()
    }
}

/// Where a content stood that is not the row's.
fn of_content(content: &Checksum, repository: &Repository) -> Option<Place> {
    repository.places(content).into_iter().max_by_key(|place| place.on_head)
}

/// Adds whose content was built, and in what it differs.
fn compared(
    explanation: Explanation,
    subject: &Subject,
    (defined, applied): (&Place, &Place),
    repository: &Repository,
) -> Result<Explanation, GitError> {
    let bytes = (repository.applied_bytes(applied)?, repository.applied_bytes(defined)?);
    let (Some(applied), Some(built)) = bytes else { return Ok(explanation) };
    let difference = difference(&applied, &built, engine(subject.state));
    let changed = repository.added(defined);
    let from = changed.map(|commit| format!("; what it has was added by {}", who(commit))).unwrap_or_default();
    let shows = difference >= Some(Difference::WhiteSpace);
    Ok(Explanation {
        difference,
        diff: if shows { diff(&applied, &built) } else { Vec::new() },
        changed: changed.map(told),
        summary: format!("{}{from}", explanation.summary),
        ..explanation
    })
}
