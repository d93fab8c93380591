//! The reports of several runs as one, held against the targets that there ought to be.

mod abroad;

use std::collections::HashSet;

use indexmap::{IndexMap, IndexSet};

use super::{Counts, Report, TargetReport, Verdict};
use crate::finding::{Facts, Finding, Location, Rule, Scope, Severity};
use crate::policy::{FailOn, Levels, Policy};
use crate::source::Origin;
use crate::startup::Outcome;
use crate::target::Target;
use abroad::{at_home, home};

/// How many targets a note names.
const MOST_NAMED: usize = 10;

/// The report of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it was found.
    pub path: String,
    /// The report, or why it could not be read.
    pub report: Result<Report, String>,
}

/// Service and environment.
type Name = (String, String);

/// Puts the reports together, of any number of repositories, `here` being the one of this run where it is known. A target
/// of the plan that none of them is about makes the whole incomplete, whatever levels say, and so does a report that cannot
/// be read; what filters left out is passed by. Of several reports on one target the worst counts, for none says when it
/// was made.
///
/// The verdict is never better than that of any part: each had a `--fail-on` of its own.
pub fn merge(planned: &[Target], policy: &Policy, parts: Vec<Part>, fail_on: FailOn, here: Option<&str>) -> Report {
    let left_out: HashSet<&Name> = policy.left_out.iter().collect();
    let home = home(&parts, here);
    let mut merged = Merged::default();
    let mut verdicts = Vec::new();
    for Part { path, report } in parts {
        let report = match report {
            Ok(report) => at_home(report, home.as_deref()),
            Err(detail) => {
                let facts = Facts::UnreadableReport { path, detail };
                merged.findings.extend(gap(facts, Scope::Run, None, &policy.levels));
                verdicts.push(Verdict::Incomplete);
                continue;
            }
        };
        let had_targets = !report.targets.is_empty();
        let kept: Vec<_> = report.targets.into_iter().filter(|target| !left_out.contains(&name(target))).collect();
        if had_targets && kept.is_empty() {
            continue;
        }
        verdicts.push(report.verdict);
        kept.chunk_by(TargetReport::is_of_target).for_each(|target| merged.keep_the_worse(target));
        let Report { findings, accepted, already_so, notes, .. } = report;
        merged.findings.extend(findings.into_iter().filter(|finding| merged.seen.insert((0, key(finding)))));
        merged.accepted.extend(accepted.into_iter().filter(|(finding, _)| merged.seen.insert((1, key(finding)))));
        merged.already_so.extend(already_so.into_iter().filter(|finding| merged.seen.insert((2, key(finding)))));
        merged.notes.extend(notes);
    }
    let mut targets = Vec::new();
    for target in planned {
        let reported = merged.reported.shift_remove(&(target.service.clone(), target.environment.clone()));
        let reported = reported.unwrap_or_else(|| {
            verdicts.push(Verdict::Incomplete);
            vec![not_reported(target)]
        });
        let declared = |report| TargetReport { declared: target.declared.clone(), ..report };
        targets.extend(reported.into_iter().map(declared));
    }
    merged.notes.extend(merged.differing());
    targets.extend(merged.reported.into_values().flatten());
    merged.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut report = Report {
        verdict: Verdict::Pass,
        targets,
        findings: merged.findings,
        accepted: merged.accepted,
        already_so: merged.already_so,
        notes: merged.notes.into_iter().collect(),
        repository: home,
    };
    report.verdict = verdict(&report, &verdicts, fail_on);
    report
}

/// What several reports come to.
#[derive(Default)]
struct Merged {
    /// What is to be said of a target: of those of its tenants that agree, where it has some.
    reported: IndexMap<Name, Vec<TargetReport>>,
    /// The targets of which two reports say something else.
    several: IndexSet<Name>,
    findings: Vec<Finding>,
    accepted: Vec<(Finding, String)>,
    already_so: Vec<Finding>,
    notes: IndexSet<String>,
    /// What of the above is there already, by which of them it is.
    seen: HashSet<(u8, Key)>,
}

/// What tells two findings of reports apart.
type Key = (Rule, Scope, Option<Location>, String);

fn key(finding: &Finding) -> Key {
    (finding.rule(), finding.scope.clone(), finding.location.clone(), finding.facts.message())
}

impl Merged {
    fn keep_the_worse(&mut self, target: &[TargetReport]) {
        let Some(name) = target.first().map(name) else { return };
        match self.reported.get_mut(&name) {
            None => drop(self.reported.insert(name, target.to_vec())),
            Some(other) if *other == target => {}
            Some(other) => {
                if gravity(target) > gravity(other) {
                    *other = target.to_vec();
                }
                self.several.insert(name);
            }
        }
    }

    /// That of several reports on a target one was taken.
    fn differing(&self) -> Option<String> {
        let count = self.several.len();
        let named: Vec<_> = self.several.iter().take(MOST_NAMED).map(|(a, b)| format!("{a} in {b}")).collect();
        let more = if count > MOST_NAMED { format!(" and {} more", count - MOST_NAMED) } else { String::new() };
        let listed = named.join(", ") + &more;
        (count > 0)
            .then(|| format!("there are reports that differ on one target, and the worst of them counts: {listed}"))
    }
}

fn verdict(report: &Report, of_parts: &[Verdict], fail_on: FailOn) -> Verdict {
    let has = |test: &dyn Fn(&Finding) -> bool| report.all_findings().any(test);
    if of_parts.contains(&Verdict::Fail) || has(&|finding| fail_on.is_reached_by(finding.severity)) {
        Verdict::Fail
    } else if of_parts.contains(&Verdict::Incomplete) || has(&|finding| finding.severity == Severity::Incomplete) {
        Verdict::Incomplete
    } else {
        Verdict::Pass
    }
}

/// The worst finding, and whether the service would start.
fn gravity(target: &[TargetReport]) -> (Option<Severity>, bool) {
    let worst = target.iter().flat_map(|report| &report.findings).map(|finding| finding.severity).max();
    (worst, target.iter().any(|report| matches!(report.startup, Outcome::Fails { .. } | Outcome::Unknown)))
}

fn name(target: &TargetReport) -> Name {
    (target.service.clone(), target.environment.clone())
}

/// A target of the plan of which nothing is known.
fn not_reported(target: &Target) -> TargetReport {
    let (service, environment) = (target.service.clone(), target.environment.clone());
    let scope = Scope::Target { service: service.clone(), environment: environment.clone(), tenants: None };
    TargetReport {
        service,
        environment,
        tenants: None,
        kind: target.source.kind().to_owned(),
        location: target.location(),
        origin: Origin::default(),
        as_of: None,
        counts: Counts::default(),
        declared: target.declared.clone(),
        startup: Outcome::Unknown,
        findings: gap(Facts::NoLeg, scope, target.declared.clone(), &target.levels).into_iter().collect(),
    }
}

/// A finding of the one rule there is here, with the severity that configuration gives it; none where it is ignored.
fn gap(facts: Facts, scope: Scope, location: Option<Location>, levels: &Levels) -> Option<Finding> {
    let severity = levels.get(&facts.rule()).copied().unwrap_or(Some(facts.severity()))?;
    Some(Finding { severity, facts, scope, location, explanation: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Database, DatabaseUrl};
    use crate::source::Source;
    use crate::startup::StartupError;

    fn planned(service: &str, environment: &str) -> Target {
        Target {
            service: service.into(),
            environment: environment.into(),
            migrations: format!("{service}/migrations").into(),
            source: Source::Directory,
            binary: None,
            database: DatabaseUrl::parse("sqlite:x.db").map(Database::Url),
            max_age: None,
            tenants: None,
            table: None,
            history_group: None,
            ignore_missing: false,
            required: true,
            levels: Levels::new(),
            declared: None,
        }
    }

    fn starts(service: &str, environment: &str) -> TargetReport {
        TargetReport { startup: Outcome::Starts, findings: Vec::new(), ..not_reported(&planned(service, environment)) }
    }

    fn fails(service: &str, environment: &str) -> TargetReport {
        let error = StartupError::Reported("no".into());
        TargetReport { startup: Outcome::Fails { error, applies: Vec::new() }, ..starts(service, environment) }
    }

    fn part(verdict: Verdict, targets: Vec<TargetReport>) -> Part {
        Part {
            path: "a.json".into(),
            report: Ok(Report {
                verdict,
                targets,
                findings: Vec::new(),
                accepted: Vec::new(),
                already_so: Vec::new(),
                notes: Vec::new(),
                repository: None,
            }),
        }
    }

    fn merged(parts: Vec<Part>) -> Report {
        merge(&[planned("a", "staging"), planned("b", "staging")], &Policy::default(), parts, FailOn::Error, None)
    }

    #[test]
    fn all_legs_there_and_well_is_a_pass_in_the_order_of_the_plan() {
        let parts = ["b", "a"].map(|service| part(Verdict::Pass, vec![starts(service, "staging")]));
        let report = merged(parts.into());
        assert_eq!((report.verdict, report.title().as_str()), (Verdict::Pass, "pass: all 2 targets would start"));
        assert_eq!(report.targets[0].service, "a");
    }

    #[test]
    fn a_leg_that_is_missing_is_named_and_never_a_pass() {
        let report = merged(vec![part(Verdict::Pass, vec![starts("a", "staging")])]);
        assert_eq!(report.verdict, Verdict::Incomplete);
        assert_eq!(report.title(), "incomplete: 1 of 2 targets could not be checked");
        assert_eq!((report.targets[1].service.as_str(), &report.targets[1].findings[0].facts), ("b", &Facts::NoLeg));
    }

    #[test]
    fn no_level_makes_a_pass_of_a_target_that_nobody_has_looked_at() {
        for level in [None, Some(Severity::Notice)] {
            let target = Target { levels: Levels::from([(Rule::MissingReport, level)]), ..planned("a", "staging") };
            let report = merge(&[target], &Policy::default(), Vec::new(), FailOn::Error, None);
            assert_eq!(report.verdict, Verdict::Incomplete);
            assert_eq!(report.targets[0].findings.first().map(|finding| finding.severity), level);
        }
    }

    #[test]
    fn no_report_at_all_is_incomplete() {
        assert_eq!(merged(Vec::new()).verdict, Verdict::Incomplete);
    }

    #[test]
    fn the_verdict_is_never_better_than_that_of_a_part() {
        for verdict in [Verdict::Fail, Verdict::Incomplete] {
            let of_b = part(Verdict::Pass, vec![starts("b", "staging")]);
            let report = merged(vec![part(verdict, vec![starts("a", "staging")]), of_b]);
            assert_eq!(report.verdict, verdict);
        }
    }

    #[test]
    fn of_two_reports_on_one_target_the_worse_counts() {
        let well = || part(Verdict::Pass, vec![starts("a", "staging"), starts("b", "staging")]);
        let bad = || part(Verdict::Fail, vec![fails("a", "staging")]);
        for parts in [vec![well(), bad()], vec![bad(), well()]] {
            assert_eq!(merged(parts).targets[0].startup.id(), "fails");
        }
    }

    #[test]
    fn reports_that_differ_on_a_target_are_told_and_a_copy_is_not() {
        let well = || part(Verdict::Pass, vec![starts("a", "staging"), starts("b", "staging")]);
        assert_eq!(merged(vec![well(), well()]).notes, [""; 0]);
        let report = merged(vec![well(), part(Verdict::Fail, vec![fails("a", "staging")]), well()]);
        let note = "there are reports that differ on one target, and the worst of them counts: a in staging";
        assert_eq!(report.notes, [note]);
    }

    #[test]
    fn a_report_that_cannot_be_read_is_told_and_never_a_pass() {
        let whole = part(Verdict::Pass, vec![starts("a", "staging"), starts("b", "staging")]);
        let damaged = Part { path: "b.json".into(), report: Err("cut off".into()) };
        let report = merged(vec![whole, damaged]);
        assert_eq!((report.verdict, report.findings.len()), (Verdict::Incomplete, 1));
        assert_eq!(report.findings[0].facts.message(), "the report `b.json` could not be read: cut off");
    }

    #[test]
    fn what_filters_leave_out_is_passed_by_and_what_nobody_planned_is_not() {
        let policy = Policy { left_out: vec![("c".to_owned(), "staging".to_owned())], ..Policy::default() };
        let parts = vec![
            part(Verdict::Pass, vec![starts("a", "staging")]),
            part(Verdict::Fail, vec![fails("c", "staging")]),
            part(Verdict::Fail, vec![fails("d", "staging")]),
        ];
        let report = merge(&[planned("a", "staging")], &policy, parts, FailOn::Error, None);
        assert_eq!(report.targets.iter().map(|target| target.service.as_str()).collect::<Vec<_>>(), ["a", "d"]);
        assert_eq!(report.verdict, Verdict::Fail);
    }
}
