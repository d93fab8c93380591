//! Whatever a server may send as a history, beside whatever a repository may hold: compared, judged and rendered.

mod world;

use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use migration_preflight::compare::compare;
use migration_preflight::finding::{Finding, Findings, Severity};
use migration_preflight::policy::{FailOn, Policy};
use migration_preflight::render::{human, json};
use migration_preflight::report::{Report, Verdict};
use migration_preflight::startup::Outcome;
use migration_preflight::target::TargetState;

use super::shown::{assert_harmless, assert_harmless_but_for_colours};
use world::World;

/// One in so many reports is read again and held against the schema: that is what takes the time.
const VALIDATED: usize = 16;

pub fn body(data: &[u8]) {
    let Ok(world) = World::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let fail_on = world.fail_on();
    let (states, policy) = (world.states(), world.policy());
    let found = compare(&states, &policy);
    assert_eq!(found, compare(&states, &policy), "one world has one set of findings");
    assert!(is_sorted(&found.open), "gravest first, then by rule");
    let report = Report::new(&states, found.clone(), fail_on);
    assert_judged(&report, &found, &states, fail_on);
    assert_starts_as_it_is(&report, &states);
    assert_rendered(&report);
}

fn is_sorted(findings: &[Finding]) -> bool {
    findings.is_sorted_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.rule()))
}

/// The verdict, the exit code and the place of every finding follow from what was found and read.
fn assert_judged(report: &Report, found: &Findings, states: &[TargetState], fail_on: FailOn) {
    let threshold = match fail_on {
        FailOn::Error => &[Severity::Error][..],
        FailOn::Warning => &[Severity::Error, Severity::Warning],
        FailOn::Notice => &[Severity::Error, Severity::Warning, Severity::Notice],
        FailOn::Never => &[],
    };
    let fails = found.open.iter().any(|finding| threshold.contains(&finding.severity));
    let unread = states.iter().any(|state| {
        let excused = |error| state.target.may_be_away(error);
        state.defined.is_err() || state.applied.as_ref().is_err_and(|error| !excused(error))
    });
    let incomplete = unread || found.open.iter().any(|finding| finding.severity == Severity::Incomplete);
    let expected = match (fails, incomplete) {
        (true, _) => (Verdict::Fail, 1),
        (false, true) => (Verdict::Incomplete, 3),
        (false, false) => (Verdict::Pass, 0),
    };
    assert_eq!((report.verdict, report.verdict.exit_code()), expected);
    assert_eq!(report.all_findings().count(), found.open.len(), "every finding has its place");
    assert_eq!(report.targets.len(), states.len());
    assert!(report.targets.iter().all(|target| is_sorted(&target.findings)) && is_sorted(&report.findings));
}

/// No level and no accepted finding changes what would happen at start-up, and that agrees with the counts.
fn assert_starts_as_it_is(report: &Report, states: &[TargetState]) {
    let strict = Report::new(states, compare(states, &Policy::default()), FailOn::Notice);
    for ((target, strict), state) in report.targets.iter().zip(&strict.targets).zip(states) {
        assert_eq!((&target.startup, target.counts), (&strict.startup, strict.counts));
        let (Ok(defined), Ok(history)) = (&state.defined, &state.applied) else {
            assert_eq!(target.startup, Outcome::Unknown);
            continue;
        };
        let counts = target.counts;
        assert!(counts.missing <= counts.applied && counts.pending <= counts.defined, "{counts:?}");
        let is_clean = defined.invalid.is_empty() && history.rows().iter().all(|row| row.success);
        let covers = state.target.ignore_missing || counts.missing == Some(0);
        match &target.startup {
            Outcome::Starts => assert!(is_clean && covers && counts.pending == Some(0), "{counts:?}"),
            Outcome::StartsAndApplies(versions) => {
                assert!(is_clean && covers && counts.pending == Some(versions.len()), "{counts:?}");
            }
            Outcome::Fails { applies, .. } => assert!(counts.pending >= Some(applies.len()), "{counts:?}"),
            Outcome::Unknown => assert!(state.target.database.is_err()),
        }
    }
}

fn assert_rendered(report: &Report) {
    assert_harmless(&report.title());
    assert_harmless_but_for_colours(&human(report));
    let text = json(report);
    let odd = text.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(odd, None, "{text}");
    if text.len().is_multiple_of(VALIDATED) {
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let written = serde_json::to_string(&value).expect("JSON");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), value);
        assert_eq!(value["targets"].as_array().map(Vec::len), Some(report.targets.len()));
        assert_eq!(value["verdict"], report.verdict.id());
        let mistakes: Vec<_> = schema().iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(mistakes, Vec::<String>::new(), "{text}");
    }
}

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let schema = include_str!("../../docs/report-v1.schema.json");
        jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema")
    })
}
