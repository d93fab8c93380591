use super::*;
use crate::finding::{Facts, Location};
use crate::history::{DatabaseError, DatabaseErrorKind};
use crate::migration::Version;
use crate::report::Counts;
use crate::source::Origin;
use crate::startup::StartupError;

fn target(service: &str, environment: &str, startup: Outcome) -> TargetReport {
    let n = Some(2);
    TargetReport {
        service: service.into(),
        environment: environment.into(),
        tenants: None,
        kind: "directory".into(),
        location: format!("{service}/migrations"),
        origin: Origin::default(),
        as_of: None,
        counts: Counts {
            defined: n,
            applied: n,
            missing: Some(0),
            mismatched: Some(0),
            pending: Some(0),
            shared: None,
        },
        declared: None,
        startup,
        findings: Vec::new(),
    }
}

fn finding(facts: Facts, scope: Scope) -> Finding {
    Finding { severity: facts.severity(), facts, scope, location: None, explanation: None }
}

fn in_target(facts: Facts) -> Finding {
    finding(facts, Scope::Target { service: "api".into(), environment: "staging".into(), tenants: None })
}

fn dirty(version: i64) -> Facts {
    Facts::DirtyMigration { version: Version(version), description: "step".into() }
}

fn report(targets: Vec<TargetReport>) -> Report {
    Report {
        verdict: Verdict::Pass,
        targets,
        findings: Vec::new(),
        accepted: Vec::new(),
        already_so: Vec::new(),
        notes: Vec::new(),
        repository: None,
    }
}

/// The report as it is read without colours.
fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&human(report)).to_string()
}

#[test]
fn a_target_that_could_not_be_read_shows_no_numbers_and_a_pair_that_is_no_target_a_dash() {
    let away = DatabaseError::new(DatabaseErrorKind::Refused, "");
    let unknown = TargetReport {
        counts: Counts { defined: Some(2), ..Counts::default() },
        findings: vec![in_target(Facts::UnreachableDatabase(away))],
        ..target("api", "staging", Outcome::Unknown)
    };
    let silent = TargetReport { counts: Counts::default(), ..target("web", "production", Outcome::Unknown) };
    insta::assert_snapshot!(plain(&report(vec![unknown, silent])), @"
    pass: 2 of 2 targets could not be checked

          staging    production
     api  ? unknown  -
     web  -          ? unknown

    api in staging
      source    2 defined in api/migrations
      history   could not be read
      start-up  unknown: a side could not be read

      incomplete[unreachable-database]: the history could not be read: the connection was refused
        help: Check host and port, and that the database runs and may be reached from here.

    web in production: ? defined, ? applied; unknown: a side could not be read
    ");
}

#[test]
fn a_target_without_a_source_still_shows_its_rows() {
    let half = TargetReport {
        counts: Counts { applied: Some(3), ..Counts::default() },
        findings: vec![in_target(dirty(1))],
        ..target("api", "staging", Outcome::Unknown)
    };
    let text = plain(&report(vec![half]));
    assert!(text.contains("  source    api/migrations could not be read\n  history   3 applied\n"), "{text}");
}

#[test]
fn what_is_applied_is_listed_up_to_ten_versions() {
    let applies = |n: i64| startup(&Outcome::StartsAndApplies((1..=n).map(Version).collect()));
    assert!(applies(10).ends_with(" 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"));
    assert!(applies(12).ends_with(" 9, 10 and 2 more"));
}

#[test]
fn a_start_that_fails_says_what_it_applies_before() {
    let fails = |applies| startup(&Outcome::Fails { error: StartupError::Mismatch(Version(3)), applies });
    let text = "migration 3 was previously applied but has been modified";
    assert!(fails(Vec::new()).ends_with(text));
    assert!(
        fails(vec![Version(1), Version(2)]).ends_with(&format!("{text}\n            before that, it would apply 1, 2"))
    );
}

#[test]
fn a_cell_counts_what_makes_the_start_fail() {
    let cell = |missing, mismatched| {
        let error = StartupError::Dirty(Version(1));
        let mut failing = target("api", "staging", Outcome::Fails { error, applies: Vec::new() });
        failing.counts = Counts { missing: Some(missing), mismatched: Some(mismatched), ..failing.counts };
        cell(&[failing])
    };
    assert_eq!(cell(2, 1), "✗ fails: 2 missing, 1 mismatched");
    assert_eq!(cell(0, 1), "✗ fails: 1 mismatched");
    assert_eq!(cell(0, 0), "✗ fails");
}

#[test]
fn help_stands_once_below_the_findings_that_share_it() {
    let warning = Finding { severity: Severity::Warning, ..in_target(dirty(3)) };
    let text = findings(String::new(), &[in_target(dirty(1)), in_target(dirty(2)), warning]);
    assert_eq!(text.matches("help:").count(), 2, "the severity differs: {text}");
    assert_eq!(text.matches("\n\n").count(), 1, "{text}");
}

#[test]
fn the_line_of_a_finding_stands_below_it() {
    let location = Some(Location { file: "a\u{1b}.sql".into(), line: 4 });
    let text = findings(String::new(), &[Finding { location, ..in_target(dirty(1)) }]);
    assert!(text.contains("--> a\\u{1b}.sql:4"), "{text}");
}

#[test]
fn what_several_environments_share_names_its_service_and_a_renaming_its_names_once() {
    let environments = vec!["staging".to_owned(), "production".to_owned()];
    let scope = Scope::Service { service: "api".into(), environments };
    assert!(one_line(&finding(dirty(1), scope)).starts_with("api: migration 1 "));
    assert!(one_line(&in_target(dirty(1))).ends_with(" (step)"));
    let (applied, defined) = ("old".to_owned(), "new".to_owned());
    let renamed = Facts::DescriptionChanged { version: Version(1), file: "1_new.sql".into(), applied, defined };
    assert_eq!(one_line(&in_target(renamed)), "migration 1 was applied as “old” and is called “new” now");
}

#[test]
fn an_accepted_finding_says_whom_it_concerns_and_why_it_is_accepted() {
    let unused = Facts::UnusedAccept { rule: Rule::NoHistory, reason: "new".into() };
    let scope =
        Scope::Service { service: "api".into(), environments: vec!["staging".to_owned(), "production".to_owned()] };
    let accepted = [in_target(dirty(1)), finding(dirty(2), scope), finding(unused, Scope::Run)];
    let accepted = accepted.into_iter().map(|finding| (finding, "so\nmeant".to_owned())).collect();
    let report = Report { accepted, ..report(vec![target("api", "staging", Outcome::Starts)]) };
    insta::assert_snapshot!(plain(&report), @r"
    pass: the target would start, 3 findings accepted

    api in staging: 2 defined, 2 applied; starts, with nothing to apply

    accepted
      dirty-migration for api in staging: migration 1 was begun and never finished (`success = false`) (so\u{a}meant)
      dirty-migration for api in staging, production: migration 2 was begun and never finished (`success = false`) (so\u{a}meant)
      unused-accept: no finding of `no-history` matches this entry (new) (so\u{a}meant)
    ");
}

#[test]
fn what_belongs_to_no_target_stands_below_all_of_them() {
    let unused = Facts::UnusedAccept { rule: Rule::NoHistory, reason: "new".into() };
    let report = Report {
        findings: vec![finding(unused, Scope::Run)],
        ..report(vec![target("api", "staging", Outcome::Starts)])
    };
    insta::assert_snapshot!(plain(&report), @"
    pass: the target would start, 1 warning

    api in staging: 2 defined, 2 applied; starts, with nothing to apply

    across targets
      warning[unused-accept]: no finding of `no-history` matches this entry (new)
        help: What was accepted is gone, or the entry does not name it as it is: remove or correct the entry, before it hides something new.
    ");
}
