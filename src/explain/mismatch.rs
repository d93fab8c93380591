//! Why a row and its file have different contents.

use crate::explain::cause::{
    added_by, behind_base, by, is_foreign, is_own, nothing_fits, only_foreign, places, unknown,
};
use crate::explain::difference::{diff, difference};
use crate::explain::mend::Step;
use crate::explain::missing::{on_unmerged_branch, pending, would_be};
use crate::explain::repository::{Place, Repository, name, told, version};
use crate::explain::variant::Lines;
use crate::explain::{Explanation, Subject, engine, mend};
use crate::finding::{Cause, Difference};
use crate::git::{Change, Commit, GitError};
use crate::target::TargetState;
use crate::text::slashed;

/// A mismatch with all that was found of it.
struct Mismatch<'a> {
    subject: &'a Subject<'a>,
    place: &'a Place,
    repository: &'a Repository,
    difference: Option<Difference>,
}

/// Explains a checksum mismatch.
pub fn explain(
    subject: &Subject,
    states: &[TargetState],
    repository: &Repository,
) -> Result<Option<Explanation>, GitError> {
    let repair_sql = defined(subject).and_then(|defined| mend::update_checksum(subject, defined));
    let places = places(subject, repository);
    let Some(place) = places.iter().find(|place| !is_foreign(place, subject, repository)) else {
        let foreign = places.first().map(|place| only_foreign(place, repository));
        return Ok(Some(Explanation { repair_sql, ..foreign.unwrap_or_else(|| nothing_fits(repository)) }));
    };
    let engine = engine(subject.state);
    let (applied, checked_out) = (repository.applied_bytes(place)?, repository.checked_out(subject.file));
    let difference = match (&applied, &checked_out) {
        (Some(applied), Some(checked_out)) => difference(applied, checked_out, engine),
        _ => Some(Difference::Sql),
    };
    let (applied, checked_out) = (applied.unwrap_or_default(), checked_out.unwrap_or_default());
    let shows = difference >= Some(Difference::WhiteSpace) && !checked_out.is_empty();
    let lines = if shows { diff(&applied, &checked_out) } else { Vec::new() };
    let mismatch = Mismatch { subject, place, repository, difference };
    let explanation = mismatch.explanation(states)?;
    Ok(Some(Explanation { difference, diff: lines, repair_sql, ..explanation }))
}

/// The checksum of the file.
fn defined<'a>(subject: &Subject<'a>) -> Option<&'a crate::migration::Checksum> {
    let defined = subject.state.defined.as_ref().ok()?;
    defined
        .migrations
        .iter()
        .find(|migration| slashed(&migration.path) == subject.file)
        .map(|migration| &migration.checksum)
}

impl Mismatch<'_> {
    fn explanation(&self, states: &[TargetState]) -> Result<Explanation, GitError> {
        let (place, repository, file) = (self.place, self.repository, self.subject.file);
        let at_head = repository.at_head(file);
        let is_committed = at_head == Some(&place.blob) && place.path == file;
        if is_committed && place.variant.keeps_bytes() {
            return Ok(self.only_checked_out());
        }
        if is_committed {
            return Ok(self.changed_on_its_way());
        }
        let same_name = name(&place.path) == name(file) || self.difference != Some(Difference::Sql);
        if !same_name {
            return Ok(self.collision(states));
        }
        if place.on_head {
            return Ok(self.edited());
        }
        if repository.is_at_base(place) {
            return Ok(behind_base("the applied content", place, file, repository));
        }
        let fix = mend::restore(repository, place, file);
        let explanation = on_unmerged_branch(place, repository)?;
        let summary = format!("another content of this file was applied; {}", explanation.summary);
        Ok(Explanation { fix, summary, ..explanation })
    }

    /// The commit has what was applied, and the working tree has something else.
    fn only_checked_out(&self) -> Explanation {
        let (repository, file) = (self.repository, self.subject.file);
        let added = repository.added(self.place);
        let base = Explanation { added: added.map(told), ..unknown() };
        match self.difference {
            None => Explanation {
                cause: Cause::Edited,
                summary: "the bytes are those that were applied, but `ignored-chars` in sqlx.toml leaves letters out of the checksum which counted then".to_owned(),
                ..base
            },
            Some(Difference::LineEndings) => Explanation {
                cause: Cause::LineEndings,
                summary: format!(
                    "the commit has the applied content, but the checkout changed the ends of its lines (`core.autocrlf` or `.gitattributes`){}",
                    added_by(added)
                ),
                fix: mend::check_out_with(repository, self.place, file, "-text"),
                ..base
            },
            Some(_) => Explanation {
                cause: Cause::Edited,
                summary: format!(
                    "the commit that is checked out has the applied content, and the file was changed since, without a commit: put the change in a new migration{}",
                    added_by(added)
                ),
                fix: vec![Step::Stash { path: file.to_owned() }],
                ..base
            },
        }
    }

    /// The commit has what was applied but for the ends of lines, a mark or the last line break.
    fn changed_on_its_way(&self) -> Explanation {
        let (repository, file, variant) = (self.repository, self.subject.file, self.place.variant);
        let added = repository.added(self.place);
        let (what, fix) = match variant.lines {
            Lines::CrLf if !variant.mark && !variant.end => (
                "lines that end in CRLF, as a checkout on Windows makes them",
                mend::check_out_with(repository, self.place, file, "text eol=crlf"),
            ),
            Lines::Lf if !variant.mark && !variant.end => {
                ("lines that end in LF", mend::restore(repository, self.place, file))
            }
            _ if variant.mark => ("a byte order mark more or less", mend::restore(repository, self.place, file)),
            _ => ("a final line break more or less", mend::restore(repository, self.place, file)),
        };
        let ends = variant.lines != Lines::Kept && !variant.mark && !variant.end;
        Explanation {
            cause: if ends { Cause::LineEndings } else { Cause::Edited },
            summary: format!("what was applied is this very file with {what}; no commit has it so{}", added_by(added)),
            added: added.map(told),
            fix,
            ..unknown()
        }
    }

    fn edited(&self) -> Explanation {
        let (place, repository) = (self.place, self.repository);
        let changed = repository.newest_on_head(|change| {
            change.path == place.path && change.before.as_ref() == Some(&place.blob) && change.after != change.before
        });
        let by = by(changed);
        let added = repository.added(place);
        let line_endings = self.difference == Some(Difference::LineEndings);
        let (cause, what) = match line_endings {
            true => (Cause::LineEndings, "the ends of its lines were changed"),
            false => (Cause::Edited, "it was edited"),
        };
        let when = if self.subject.is_applied { "after it was applied" } else { "on this branch" };
        let then = if self.difference == Some(Difference::Sql) { ": put the change in a new migration" } else { "" };
        let mut fix = mend::restore(repository, place, self.subject.file);
        if line_endings && !fix.iter().any(|step| matches!(step, Step::Attribute { .. })) {
            fix.insert(0, mend::attribute(repository, self.subject.file, "-text"));
        }
        Explanation {
            cause,
            summary: format!("{what} {when}{by}{then}{}", added_by(added)),
            added: added.map(told),
            changed: changed.map(told),
            branches: repository.tips(place),
            fix,
            ..unknown()
        }
    }

    /// The row is another migration's, and the file has nothing of it.
    fn collision(&self, states: &[TargetState]) -> Explanation {
        let (subject, place, repository) = (self.subject, self.place, self.repository);
        let (file, applied) = (subject.file, name(&place.path));
        let added = repository.added(place);
        let own = own_commit(file, repository);
        let two = if version(&place.path) == Some(subject.version) {
            format!("two different migrations took version {}", subject.version)
        } else {
            format!("the row has the content of another migration, `{applied}`")
        };
        let renumbered = mend::renumbered(file, subject, states, repository);
        let ours = renumbered.map(|to| mend::rename(repository, file, &to, None));
        let to = would_be(subject, place);
        // Left where it is, it would be applied a second time.
        let theirs = match pending(subject) {
            Some(standing) => vec![mend::rename(repository, &slashed(&standing.path), &to, None)],
            None if repository.is_at_head(place) && is_own(place, subject) => {
                vec![mend::rename(repository, &place.path, &to, Some(place))]
            }
            None => mend::restore(repository, place, &to),
        };
        Explanation {
            cause: Cause::Collision,
            summary: format!(
                "{two}: `{applied}`{} was applied, and `{}`{} stands here",
                by(added),
                name(file),
                by(own.as_ref())
            ),
            added: added.map(told),
            changed: own.as_ref().map(told),
            branches: repository.tips(place),
            fix: ours.map_or_else(Vec::new, |ours| [vec![ours], theirs].concat()),
            ..unknown()
        }
    }
}

/// The commit that brought a file of this branch in.
pub fn own_commit(file: &str, repository: &Repository) -> Option<Commit> {
    let mut commits = repository.index.commits.iter().rev();
    let comes = |change: &Change| change.path == file && change.after.is_some();
    commits.find(|commit| repository.is_on_head(commit) && commit.changes.iter().any(comes)).cloned()
}
