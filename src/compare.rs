//! Both sides of every target, compared: what is found, nothing left out, in a fixed order. Pure.
//!
//! Each submodule holds the rules of one kind of evidence and states facts; how grave they are, and
//! whether somebody accepted them, is decided here and nowhere else.

mod across;
mod before;
mod change;
mod history;
mod shared;
mod source;

use std::collections::{BTreeSet, HashMap};

use before::{Before, before};
use change::Changes;

use crate::finding::{Facts, Finding, Findings, Location, Rule, Scope, Severity};
use crate::migration::Version;
use crate::policy::{self, Accept, Levels, Policy};
use crate::source::{SourceError, Unwatched};
use crate::target::{Target, TargetState};
use crate::text::slashed;

/// More pending migrations than this become one finding.
const MOST_PENDING: usize = 10;

/// Compares the two sides of every target, and the targets with one another.
pub fn compare(states: &[TargetState], policy: &Policy) -> Findings {
    let mut sink = Sink::new(policy);
    let swapped = across::wrong_databases(states);
    let before = before(states, policy.gate);
    let mut changes = Changes::of(states, &swapped);
    for (index, state) in states.iter().enumerate() {
        sink.target(state, swapped[index].iter().cloned(), &before[index]);
        let facts = change::behind(state, one_target(state, states));
        let is_meant = &mut |facts| sink.is_meant(facts, state);
        let facts = changes.take_in(index, &state.place(), facts, is_meant);
        sink.target(state, facts, &before[index]);
    }
    for (facts, involved) in across::environment_drift(states, &swapped, &policy.promotion) {
        let was_so = involved.iter().all(|target| before[*target].is_known());
        sink.service(states, facts, &involved, was_so);
    }
    for (facts, involved) in source::stale_embeds(states) {
        // Who adds a migration is not to blame for how its crate was built before; who adds the directory is.
        let stood = |target: usize| states[target].base.as_ref().is_some_and(|base| base.start.is_some());
        let was_so = involved.iter().all(|target| before[*target].is_known() && stood(*target));
        sink.service(states, facts, &involved, was_so);
    }
    for (facts, involved) in changes.into_facts() {
        sink.service(states, facts, &involved, false);
    }
    sink.finish(states, &before)
}

/// Everything that can be said of one target, its siblings in other environments being known.
fn one_target(state: &TargetState, states: &[TargetState]) -> Vec<Facts> {
    let mut facts = Vec::new();
    let versions = state.defined.as_ref().map(|defined| source::by_version(&defined.migrations)).unwrap_or_default();
    match &state.defined {
        Ok(defined) => facts.extend(source::facts(defined, &versions)),
        Err(error) => facts.push(Facts::UnreadableSource(error.clone())),
    }
    match &state.applied {
        Ok(applied) => {
            facts.extend(history::absent(state, across::sibling_with_rows(state, states)));
            facts.extend(history::of_rows(applied.rows()));
            if let Ok(defined) = &state.defined {
                facts.extend(history::beside(state, defined, &versions, applied.rows()));
            }
        }
        Err(error) if state.target.may_be_away(error) => facts.push(Facts::NotChecked(error.clone())),
        Err(error) => facts.push(Facts::UnreachableDatabase(error.clone())),
    }
    facts.extend(shared::facts(state, &versions));
    facts
}

/// Where facts become findings: levels and accepted findings are applied on the way in.
struct Sink<'a> {
    policy: &'a Policy,
    /// The entries that may match a finding of a rule and version; those without a version may match any.
    entries: HashMap<(Rule, Option<Version>), Vec<usize>>,
    used: Vec<bool>,
    findings: Findings,
}

impl<'a> Sink<'a> {
    fn new(policy: &'a Policy) -> Self {
        let mut entries: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, entry) in policy.accept.iter().enumerate() {
            entries.entry((entry.rule, entry.version)).or_default().push(index);
        }
        Self { policy, entries, used: vec![false; policy.accept.len()], findings: Findings::default() }
    }

    /// Takes the facts of one target, and folds its pending migrations when there are many.
    fn target(&mut self, state: &TargetState, facts: impl IntoIterator<Item = Facts>, before: &Before) {
        let (mut open, mut already_so) = (Vec::new(), Vec::new());
        for facts in facts {
            let was_so = before.has(&facts);
            let judged = self.of_target(facts, state);
            if was_so { &mut already_so } else { &mut open }.extend(judged);
        }
        self.findings.open.extend(fold_pending(open));
        self.findings.already_so.extend(fold_pending(already_so));
    }

    fn of_target(&mut self, facts: Facts, state: &TargetState) -> Option<Finding> {
        let location = location(&facts, &state.target);
        self.judge(facts, state.scope(), location, &state.target.levels)
    }

    /// Whether what follows from a change in a target is accepted, ignored, or nothing that the service minds.
    fn is_meant(&mut self, facts: Facts, state: &TargetState) -> bool {
        let is_harmless = facts.severity() == Severity::Notice;
        self.of_target(facts, state).is_none() || is_harmless
    }

    /// Takes a fact about several environments of one service. The levels of the last one count.
    fn service(&mut self, states: &[TargetState], facts: Facts, involved: &[usize], was_so: bool) {
        let Some(last) = involved.last().map(|index| &states[*index].target) else { return };
        let in_order: BTreeSet<usize> = involved.iter().copied().collect();
        // Tenants of one environment stand next to each other.
        let mut environments: Vec<_> = in_order.into_iter().map(|index| &states[index].target.environment).collect();
        environments.dedup();
        let environments = environments.into_iter().cloned().collect();
        let scope = Scope::Service { service: last.service.clone(), environments };
        let location = location(&facts, last);
        let finding = self.judge(facts, scope, location, &last.levels);
        self.list(was_so).extend(finding);
    }

    fn list(&mut self, was_so: bool) -> &mut Vec<Finding> {
        if was_so { &mut self.findings.already_so } else { &mut self.findings.open }
    }

    /// Settles severity and acceptance; `None` when the finding is ignored or accepted.
    fn judge(&mut self, facts: Facts, scope: Scope, location: Option<Location>, levels: &Levels) -> Option<Finding> {
        let severity = levels.get(&facts.rule()).copied().unwrap_or(Some(facts.severity()));
        // An ignored finding uses its `accept` entry all the same: removing the entry would not be right.
        let finding =
            Finding { severity: severity.unwrap_or(Severity::Notice), facts, scope, location, explanation: None };
        let accepted = self.accepted(&finding);
        severity?;
        let Some(first) = accepted else { return Some(finding) };
        self.findings.accepted.push((finding, self.policy.accept[first].reason.clone()));
        None
    }

    /// The first entry that accepts the finding. All that do are used.
    fn accepted(&mut self, finding: &Finding) -> Option<usize> {
        let versions = std::iter::once(None).chain(finding.facts.version().map(Some));
        let entries = versions.filter_map(|version| self.entries.get(&(finding.rule(), version))).flatten();
        let matching = entries.filter(|index| self.policy.accept[**index].matches(finding));
        matching.inspect(|index| self.used[**index] = true).copied().min()
    }

    fn finish(mut self, states: &[TargetState], before: &[Before]) -> Findings {
        let policy = self.policy;
        let is_untouched = !before.is_empty() && before.iter().all(Before::is_everything);
        let unused = self.used.iter().zip(&policy.accept).filter(|(used, _)| !**used).map(|(_, entry)| entry);
        let unused: Vec<&Accept> = unused.filter(|entry| self.can_judge(entry, states)).collect();
        for entry in unused {
            let facts = Facts::UnusedAccept { rule: entry.rule, reason: entry.reason.clone() };
            let finding = self.judge(facts, Scope::Run, Some(entry.location.clone()), &policy.levels);
            self.list(is_untouched).extend(finding);
        }
        let names = |target: &Target| (target.service.clone(), target.environment.clone());
        let unread = |state: &TargetState| state.defined.is_err() || state.applied.is_err();
        let excused = states.iter().zip(before).filter(|(state, before)| before.is_everything() && unread(state));
        self.findings.excused = excused.map(|(state, _)| names(&state.target)).collect();
        // Stable, so that what the rules put in order (versions, files) stays in order.
        for list in [&mut self.findings.open, &mut self.findings.already_so] {
            list.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.rule()));
        }
        self.findings
    }

    /// Whether every target that an `accept` entry concerns was read, so that its silence means something.
    fn can_judge(&self, entry: &Accept, states: &[TargetState]) -> bool {
        let left_out = self.policy.left_out.iter().any(|(service, environment)| entry.concerns(service, environment));
        let concerned: Vec<_> =
            states.iter().filter(|state| entry.concerns(&state.target.service, &state.target.environment)).collect();
        let elsewhere = self.policy.is_part && (!entry.names_a_target() || concerned.is_empty());
        // Nobody looks for the crates where nobody wants to know.
        let unasked = entry.rule == Rule::StaleEmbed
            && !concerned.is_empty()
            && concerned.iter().all(|state| policy::ignores(&state.target.levels, Rule::StaleEmbed));
        !left_out
            && !elsewhere
            && !unasked
            && concerned.iter().all(|state| state.defined.is_ok() && state.applied.is_ok())
    }
}

/// Replaces more than [`MOST_PENDING`] pending migrations by one finding in the place of the first.
fn fold_pending(mut findings: Vec<Finding>) -> Vec<Finding> {
    let pending = |finding: &Finding| matches!(finding.facts, Facts::PendingMigration { .. });
    let versions: Vec<_> = findings.iter().filter(|f| pending(f)).filter_map(|f| f.facts.version()).collect();
    if versions.len() <= MOST_PENDING {
        return findings;
    }
    if let Some(first) = findings.iter_mut().find(|finding| pending(finding)) {
        first.facts = Facts::PendingMigrations { versions };
    }
    findings.retain(|finding| !pending(finding));
    findings
}

/// The line to show facts at: of their file, else the one that declares the target.
fn location(facts: &Facts, target: &Target) -> Option<Location> {
    let (file, line) = match facts {
        Facts::UnreadableSource(SourceError::Settings { path, .. }) => (Some(slashed(path)), 1),
        Facts::StaleEmbed(Unwatched { file, line, .. }) => (Some(file.clone()), *line),
        _ => (facts.file().map(str::to_owned), 1),
    };
    file.map(|file| Location { file, line }).or_else(|| target.declared.clone())
}

#[cfg(test)]
mod tests;
