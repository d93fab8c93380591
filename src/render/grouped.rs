//! What several environments of a service share, told once: the view of a report that pages and annotations need.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::finding::{Finding, Location, Rule, Scope, Severity};
use crate::history::AsOf;
use crate::report::{Report, TargetReport};
use crate::target::named;
use crate::tenants::Places;
use crate::text::harmless;

/// A finding, with every environment that has the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped<'a> {
    /// One of them, for all.
    pub finding: &'a Finding,
    /// The service that it is about; none for a finding of the run.
    pub service: Option<&'a str>,
    /// The environments that have it, in the order of the report; with the tenants there, if it is of tenants.
    pub places: Places<'a>,
    /// Where the first of its targets is declared.
    pub declared: Option<&'a Location>,
}

/// A finding by itself, `target` being the one that it is of.
pub fn alone<'a>(finding: &'a Finding, target: Option<&'a TargetReport>) -> Grouped<'a> {
    let declared = target.and_then(|target| target.declared.as_ref());
    let mut alone = Grouped { finding, service: finding.scope.service(), places: Places::default(), declared };
    alone.add(&finding.scope);
    alone
}

/// The findings of a report, the worst first, else in the order of the report.
pub fn grouped(report: &Report) -> Vec<Grouped<'_>> {
    let mut groups: IndexMap<_, Grouped> = IndexMap::new();
    let of_targets = report.targets.iter().flat_map(|target| target.findings.iter().map(move |f| (f, Some(target))));
    for (finding, target) in of_targets.chain(report.findings.iter().map(|finding| (finding, None))) {
        let key =
            (finding.scope.service(), finding.severity, finding.rule(), &finding.location, finding.facts.message());
        groups.entry(key).and_modify(|group| group.add(&finding.scope)).or_insert_with(|| alone(finding, target));
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.finding.severity));
    groups
}

/// Of when the histories are that are not of now, each with the targets that have it from there.
pub fn snapshots(report: &Report) -> IndexMap<&AsOf, Vec<&TargetReport>> {
    let mut snapshots: IndexMap<&AsOf, Vec<&TargetReport>> = IndexMap::new();
    for target in &report.targets {
        if let Some(as_of) = &target.as_of {
            snapshots.entry(as_of).or_default().push(target);
        }
    }
    snapshots
}

/// The same in a line for each: `content-service in staging: as of …`.
pub fn snapshot_lines(report: &Report) -> impl Iterator<Item = String> {
    snapshots(report).into_iter().map(|(as_of, targets)| {
        let names = targets.iter().map(|target| named(&target.service, &target.whereabouts()));
        format!("{}: {as_of}", names.collect::<Vec<_>>().join(", "))
    })
}

impl<'a> Grouped<'a> {
    fn add(&mut self, scope: &'a Scope) {
        for environment in scope.environments() {
            self.places.add(environment, scope.tenants().map(Arc::as_ref));
        }
    }

    /// The finding in words, with the description of its migration where the words have none.
    pub fn message(&self) -> String {
        let message = self.finding.facts.message();
        match self.finding.facts.description().filter(|description| !message.contains(description)) {
            Some(description) => format!("{message} ({description})"),
            None => message,
        }
    }

    /// Whose finding it is: `content-service in staging, production`; nothing for a finding of the run.
    pub fn whose(&self) -> Option<String> {
        let service = self.service?;
        Some(match &self.finding.scope {
            Scope::Run => service.to_owned(),
            _ => format!("{service} in {}", self.places.told().collect::<Vec<_>>().join(", ")),
        })
    }

    /// The finding, whose it is, why, what to do, and where its target is declared where that is not `here`. A line
    /// each, and every one of them harmless.
    pub fn paragraph(&self, here: &Location) -> String {
        let whose = self.whose().map(|whose| format!("{whose}: ")).unwrap_or_default();
        let declared = self.declared.filter(|declared| *declared != here);
        let declared = declared.map(|declared| format!("Declared in {declared}."));
        let explanation = self.finding.explanation.as_deref();
        let why = explanation.map(|explanation| explanation.summary.clone());
        let fix = explanation.iter().flat_map(|explanation| &explanation.fix).map(|command| format!("$ {command}"));
        let first = [Some(whose + &self.message()), why].into_iter().flatten();
        let last = [Some(self.finding.facts.help().into_owned()), declared].into_iter().flatten();
        first.chain(fix).chain(last).map(|line| harmless(&line)).collect::<Vec<_>>().join("\n")
    }

    /// Whether it says that something was not looked at.
    pub fn is_gap(&self) -> bool {
        self.finding.severity == Severity::Incomplete || self.finding.rule() == Rule::NotChecked
    }
}
