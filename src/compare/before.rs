//! What the base of a change has against the same histories, so that the change need not answer for it.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::across::{Contents, wrong_database};
use super::source::by_version;
use super::{one_target, shared};
use crate::finding::{Behind, Facts, Rule};
use crate::migration::Version;
use crate::policy::Gate;
use crate::source::SourceError;
use crate::target::TargetState;

/// What tells one finding of a target from another: the rule and the version, else the file.
type Key = (Rule, Option<Version>, Option<String>);

/// What was so before the change.
pub(super) struct Before {
    known: Known,
    /// Where the change touches others that write to the same table: what was to come of them.
    to_come: Option<HashSet<Key>>,
}

/// What is known of a target before the change.
enum Known {
    /// Nothing, or it is not asked for.
    Nothing,
    /// All that is so now: the change does not touch the target.
    Everything,
    /// These.
    These(HashSet<Key>),
}

impl Before {
    /// Whether it was so.
    pub(super) fn has(&self, facts: &Facts) -> bool {
        // The change that has a service put something into the table of another answers for it, though it does not touch
        // that one.
        let is_brought = self.to_come.as_ref().is_some_and(|keys| is_to_come(facts) && !keys.contains(&key(facts)));
        !is_brought
            && match &self.known {
                Known::Nothing => false,
                Known::Everything => true,
                Known::These(keys) => keys.contains(&key(facts)),
            }
    }

    /// Whether the base can be told of at all.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.known, Known::Nothing)
    }

    /// Whether the change does not touch the target.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.known, Known::Everything)
    }
}

/// For each target, what was so before the change.
pub(super) fn before(states: &[TargetState], gate: Gate) -> Vec<Before> {
    // Hardly any run needs it.
    let contents = LazyCell::new(|| Contents::of(states));
    let known = |state: &TargetState| match (gate, &state.base) {
        (Gate::Introduced, Some(base)) if base.is_untouched(&state.defined) => Known::Everything,
        // What is read by other rules than before cannot be told of by those of now.
        (Gate::Introduced, Some(base)) if base.same_settings => Known::These(keys(state, states, &contents)),
        _ => Known::Nothing,
    };
    let of = |state: &TargetState| Before { known: known(state), to_come: to_come(state) };
    states.iter().map(of).collect()
}

/// What was to come of the others where the change begins, if they were others then.
fn to_come(state: &TargetState) -> Option<HashSet<Key>> {
    let group = state.group.as_ref()?.before()?;
    let then = TargetState { group: Some(Arc::new(group)), ..state.clone() };
    let defined = then.defined.as_ref().ok()?;
    Some(shared::facts(&then, &by_version(&defined.migrations)).iter().map(key).collect())
}

/// Whether facts are of what others have not applied yet.
fn is_to_come(facts: &Facts) -> bool {
    match facts {
        Facts::SharedHistory(shared) => !shared.is_applied,
        facts => matches!(facts, Facts::SharedVersion { .. }),
    }
}

fn keys<'a>(
    state: &TargetState,
    states: &'a [TargetState],
    contents: &LazyCell<Contents<'a>, impl FnOnce() -> Contents<'a>>,
) -> HashSet<Key> {
    let start = state.base.as_ref().and_then(|base| base.start.clone());
    let none = || SourceError::NoDirectory(state.target.migrations.clone());
    let then = TargetState { defined: start.map(Arc::new).ok_or_else(none), ..state.clone() };
    let wrong = wrong_database(&then, contents);
    let facts = wrong.into_iter().chain(one_target(&then, states));
    // Whoever touches a service has to have its database looked at.
    facts.filter(|facts| !matches!(facts, Facts::UnreachableDatabase(_))).map(|facts| key(&facts)).collect()
}

fn key(facts: &Facts) -> Key {
    let rule = match facts {
        // The base lacks it as well.
        Facts::BehindBase { behind: Behind { is_outdated: true, .. }, .. } => Rule::ChecksumMismatch,
        Facts::BehindBase { .. } => Rule::MissingMigration,
        facts => facts.rule(),
    };
    let version = facts.version();
    let file = facts.file().filter(|_| version.is_none()).map(str::to_owned);
    (rule, version, file)
}
