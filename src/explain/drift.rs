//! Whose content is applied where, when environments disagree.

use crate::explain::cause::{places, unknown, who};
use crate::explain::difference::{diff, difference};
use crate::explain::repository::{Place, Repository, name, told};
use crate::explain::{Explanation, Subject, Targets, engine, missing};
use crate::finding::{Cause, Difference, Facts, Finding};
use crate::git::GitError;
use crate::migration::{Checksum, Version};
use crate::target::TargetState;

/// Explains why environments disagree.
pub fn explain(finding: &Finding, targets: &Targets, repository: &Repository) -> Result<Option<Explanation>, GitError> {
    let state = |place: &str, version| targets.with_row(finding.scope.service()?, place, version);
    match &finding.facts {
        Facts::DriftingChecksum { version, environments, .. } => {
            let first = finding.scope.environments().first().and_then(|environment| state(environment, *version));
            first.map(|(state, _)| contents(*version, environments, state, repository)).transpose()
        }
        Facts::DriftingRow { version, environment, .. } => {
            let Some((state, applied)) = state(environment, *version) else { return Ok(None) };
            // Of a migration that stands here there is nothing to tell: it is only not applied everywhere yet.
            let stands = state
                .defined
                .as_ref()
                .is_ok_and(|defined| defined.migrations.iter().any(|migration| migration.version == *version));
            if stands {
                return Ok(None);
            }
            let subject = Subject { state, version: *version, file: "", applied, differs: false, is_applied: true };
            let explanation = missing::explain(&subject, repository)?;
            // Bringing a file back does not apply it anywhere, and the row is right.
            Ok(explanation.map(|explanation| Explanation { fix: Vec::new(), repair_sql: None, ..explanation }))
        }
        _ => Ok(None),
    }
}

/// So many contents are looked up.
const MOST_CONTENTS: usize = 10;

/// Whose content each environment has.
fn contents(
    version: Version,
    environments: &[(Checksum, Vec<String>)],
    state: &TargetState,
    repository: &Repository,
) -> Result<Explanation, GitError> {
    let place = |applied: &Checksum| {
        let subject = Subject { state, version, file: "", applied, differs: true, is_applied: true };
        places(&subject, repository).into_iter().next()
    };
    let found: Vec<(Option<Place>, String)> =
        environments.iter().take(MOST_CONTENTS).map(|(checksum, names)| (place(checksum), names.join(", "))).collect();
    let part = |(place, names): &(Option<Place>, String)| match place {
        Some(place) => {
            let by = repository.added(place).map(|commit| format!(", added by {}", who(commit))).unwrap_or_default();
            let file = name(&place.path);
            let kind =
                if place.variant.keeps_bytes() { "" } else { " but for ends of lines, a mark or the last line break" };
            format!("{names} has `{file}`{kind}{by}")
        }
        None => format!("{names} has a content that is nowhere in this repository"),
    };
    let mut summary = found.iter().map(part).collect::<Vec<_>>().join("; ");
    if let Some((gap, _)) = repository.gaps().filter(|_| found.iter().any(|(place, _)| place.is_none())) {
        summary = format!("{summary}; {gap}");
    }
    let commit = |at: usize| repository.added(found.get(at)?.0.as_ref()?).map(told);
    let explanation = Explanation { summary, added: commit(0), changed: commit(1), ..unknown() };
    let [(Some(one), _), (Some(other), _), ..] = found.as_slice() else { return Ok(explanation) };
    let engine = engine(state);
    let bytes = (repository.applied_bytes(one)?, repository.applied_bytes(other)?);
    let (Some(one_bytes), Some(other_bytes)) = bytes else { return Ok(explanation) };
    let difference = difference(&one_bytes, &other_bytes, engine);
    let cause = match difference {
        Some(Difference::LineEndings) => Cause::LineEndings,
        Some(Difference::Sql) if name(&one.path) != name(&other.path) => Cause::Collision,
        _ => Cause::Edited,
    };
    let shows = difference >= Some(Difference::WhiteSpace);
    let diff = if shows { diff(&one_bytes, &other_bytes) } else { Vec::new() };
    Ok(Explanation { cause, difference, diff, ..explanation })
}
