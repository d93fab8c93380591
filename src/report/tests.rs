use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::finding::Facts;
use crate::history::{Database, DatabaseError, DatabaseErrorKind, DatabaseUrl};
use crate::migration::{AppliedMigration, Checksum, Migration, MigrationKind};
use crate::policy::Levels;
use crate::source::Source;
use crate::target::Target;

fn migration(version: i64, kind: MigrationKind, content: &str) -> Migration {
    let (description, path) = (String::new(), PathBuf::new());
    Migration { version: Version(version), description, kind, checksum: Checksum::of(content), path }
}

fn row(version: i64, content: &str) -> AppliedMigration {
    AppliedMigration {
        version: Version(version),
        description: String::new(),
        installed_on: None,
        success: true,
        checksum: Checksum::of(content),
        execution_time: 1,
    }
}

fn state(environment: &str, migrations: Vec<Migration>, rows: Vec<AppliedMigration>) -> TargetState {
    TargetState {
        target: Target {
            service: "api".into(),
            environment: environment.into(),
            migrations: "api/migrations".into(),
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
        },
        defined: Ok(Arc::new(Defined { migrations, ..Defined::default() })),
        applied: Ok(History::Present(rows)),
        tenants: None,
        base: None,
        group: None,
    }
}

fn starts(environment: &str) -> TargetState {
    state(environment, Vec::new(), Vec::new())
}

fn fails(environment: &str) -> TargetState {
    state(environment, Vec::new(), vec![row(1, "a")])
}

fn away(environment: &str) -> TargetState {
    TargetState { applied: Err(DatabaseError::new(DatabaseErrorKind::Refused, "")), ..starts(environment) }
}

fn finding(severity: Severity, scope: Scope) -> Finding {
    let facts = Facts::ExecutionUnconfirmed { version: Version(1), description: String::new() };
    Finding { facts, severity, scope, location: None, explanation: None }
}

fn of_run(severities: &[Severity]) -> Findings {
    let open = severities.iter().map(|severity| finding(*severity, Scope::Run)).collect();
    Findings { open, ..Findings::default() }
}

fn title(states: &[TargetState], severities: &[Severity]) -> String {
    Report::new(states, of_run(severities), FailOn::Error).title()
}

#[test]
fn the_verdict_is_fail_before_incomplete_before_pass() {
    use Severity::{Error, Incomplete, Notice, Warning};
    let verdict = |severities: &[Severity], fail_on| Report::new(&[], of_run(severities), fail_on).verdict;
    assert_eq!(verdict(&[], FailOn::Notice), Verdict::Pass);
    assert_eq!(verdict(&[Notice, Warning], FailOn::Error), Verdict::Pass);
    assert_eq!(verdict(&[Notice, Warning], FailOn::Warning), Verdict::Fail);
    assert_eq!(verdict(&[Notice], FailOn::Warning), Verdict::Pass);
    assert_eq!(verdict(&[Notice], FailOn::Notice), Verdict::Fail);
    assert_eq!(verdict(&[Incomplete], FailOn::Notice), Verdict::Incomplete, "unread is no finding that fails");
    assert_eq!(verdict(&[Incomplete, Error], FailOn::Error), Verdict::Fail);
    assert_eq!(verdict(&[Incomplete, Error], FailOn::Never), Verdict::Incomplete);
    assert_eq!(verdict(&[Error], FailOn::Never), Verdict::Pass);
}

#[test]
fn the_title_says_how_many_targets_would_not_start_whatever_the_verdict() {
    assert_eq!(title(&[], &[]), "pass: nothing to check, because the matrix leaves no target");
    assert_eq!(title(&[starts("a")], &[]), "pass: the target would start");
    assert_eq!(title(&[starts("a"), starts("b")], &[]), "pass: all 2 targets would start");
    assert_eq!(title(&[fails("a")], &[]), "pass: the target would not start");
    let all = [fails("a"), starts("b"), away("c")];
    assert_eq!(
        title(&all, &[Severity::Error, Severity::Warning, Severity::Warning, Severity::Notice]),
        "fail: 1 of 3 targets would not start, 1 of 3 targets could not be checked, 1 error, 2 warnings"
    );
}

#[test]
fn the_title_counts_the_findings_of_targets_and_those_that_are_accepted() {
    let scope = Scope::Target { service: "api".into(), environment: "b".into(), tenants: None };
    let open = vec![finding(Severity::Error, scope.clone()), finding(Severity::Error, Scope::Run)];
    let accepted = vec![(finding(Severity::Error, scope), "meant".to_owned())];
    let report =
        Report::new(&[starts("a"), starts("b")], Findings { open, accepted, ..Findings::default() }, FailOn::Error);
    assert_eq!(report.title(), "fail: all 2 targets would start, 2 errors, 1 finding accepted");
    assert_eq!(report.targets[1].findings.len(), 1, "a finding stands with its own target");
    assert_eq!((report.targets[0].findings.len(), report.findings.len()), (0, 1));
}

#[test]
fn the_rows_of_others_that_share_the_table_are_counted_by_themselves() {
    use crate::group::{Group, Member};
    let own = || vec![migration(1, MigrationKind::Simple, "a")];
    let alone = state("a", own(), vec![row(1, "a"), row(5, "e"), row(9, "x")]);
    let defined = Defined { migrations: vec![migration(5, MigrationKind::Simple, "e")], ..Defined::default() };
    let web = Member { service: "web".into(), defined: vec![Arc::new(defined)], ..Member::default() };
    let shared = TargetState { group: Some(Arc::new(Group::new(vec![web]))), ..alone.clone() };
    let counts = |state| Report::new(&[state], Findings::default(), FailOn::Error).targets.remove(0).counts;
    assert_eq!((counts(alone.clone()).missing, counts(alone).shared), (Some(2), None));
    assert_eq!((counts(shared.clone()).missing, counts(shared.clone()).shared), (Some(1), Some(1)));
    assert_eq!(counts(shared).discrepancies(), "1 missing, 1 of others");
}

#[test]
fn the_counts_are_of_up_migrations_rows_and_versions() {
    use MigrationKind::{ReversibleDown, ReversibleUp, Simple};
    let migrations = vec![
        migration(1, Simple, "a"),
        migration(2, Simple, "b"),
        migration(3, ReversibleDown, "c"),
        migration(4, ReversibleUp, "d"),
        migration(4, ReversibleDown, "e"),
        migration(5, Simple, "f"),
        migration(5, Simple, "g"),
        migration(6, Simple, "h"),
        migration(6, Simple, "i"),
    ];
    // 1 fits, 2 was edited, 3 has a down file alone, 5 fits the second of its files, 9 is missing.
    let rows = vec![row(1, "a"), row(2, "x"), row(3, "x"), row(5, "g"), row(9, "x")];
    let report = Report::new(&[state("a", migrations, rows)], Findings::default(), FailOn::Error);
    let some = |n| Some(n);
    let expected = Counts {
        defined: some(7),
        applied: some(5),
        missing: some(1),
        mismatched: some(1),
        pending: some(2),
        shared: None,
    };
    assert_eq!(report.targets[0].counts, expected);
}

#[test]
fn a_side_that_could_not_be_read_leaves_the_numbers_of_the_other() {
    let counts = |state: TargetState| Report::new(&[state], Findings::default(), FailOn::Error).targets[0].counts;
    assert_eq!(counts(away("a")), Counts { defined: Some(0), ..Counts::default() });
    let sourceless = TargetState {
        defined: Err(crate::source::SourceError::NoDirectory("x".into())),
        ..state("a", Vec::new(), vec![row(1, "a")])
    };
    assert_eq!(counts(sourceless.clone()), Counts { applied: Some(1), ..Counts::default() });
    assert_eq!(Report::new(&[sourceless], Findings::default(), FailOn::Error).targets[0].startup, Outcome::Unknown);
}

#[test]
fn a_report_is_read_back_from_its_json_as_what_it_says() {
    let states = [starts("staging"), fails("production"), away("preview")];
    let mut findings = of_run(&[Severity::Warning]);
    let scope = Scope::Target { service: "api".into(), environment: "production".into(), tenants: None };
    let location = Some(Location { file: "api/migrations/1_a.sql".into(), line: 1 });
    findings.open.push(Finding { location, ..finding(Severity::Error, scope.clone()) });
    let shared = Scope::Service { service: "api".into(), environments: vec!["staging".into(), "production".into()] };
    findings.open.push(finding(Severity::Notice, shared));
    findings.accepted.push((finding(Severity::Error, scope.clone()), "known".into()));
    findings.already_so.push(finding(Severity::Error, scope));
    let report = Report { notes: vec!["a note".into()], ..Report::new(&states, findings, FailOn::Error) };
    let json = |report: &Report| serde_json::to_value(v1::ReportV1::from(report)).unwrap();
    let read = v1::read(&json(&report).to_string()).unwrap();
    assert_eq!(json(&read), json(&report));
    assert_eq!(read.title(), report.title());
}

#[test]
fn a_report_of_before_there_were_bases_is_read_all_the_same() {
    let report = Report::new(&[starts("a")], Findings::default(), FailOn::Error);
    let mut json = serde_json::to_value(v1::ReportV1::from(&report)).unwrap();
    for key in ["already-so", "notes"] {
        json.as_object_mut().unwrap().remove(key).unwrap();
    }
    assert_eq!(v1::read(&json.to_string()).unwrap().title(), report.title());
}

#[test]
fn a_target_that_could_not_be_read_and_is_not_touched_makes_nothing_incomplete() {
    let excused = |names: &[(&str, &str)]| {
        let excused = names.iter().map(|(service, environment)| (service.to_string(), environment.to_string()));
        let findings = Findings { excused: excused.collect(), ..Findings::default() };
        Report::new(&[away("a"), starts("b")], findings, FailOn::Error).verdict
    };
    assert_eq!(excused(&[("api", "a")]), Verdict::Pass);
    for other in [("api", "b"), ("web", "a")] {
        assert_eq!(excused(&[other]), Verdict::Incomplete);
    }
}

#[test]
fn what_is_no_report_is_told_from_a_damaged_one() {
    let read = |text: &str| v1::read(text).unwrap_err().to_string();
    for text in ["", "[]", "{\"a\": 1}", r#"{"tool": {"name": "other"}}"#, "\u{feff}{}"] {
        assert_eq!(read(text), "it is not a report of migration-preflight", "{text}");
    }
    let tool = r#""tool": {"name": "migration-preflight", "version": "9"}"#;
    let later = read(&format!("{{\"schema\": 2, {tool}}}"));
    assert_eq!(later, "it is a report of version 2, and this is migration-preflight for version 1");
    let of_version = |version: &str| {
        let tool = format!(r#""tool": {{"name": "migration-preflight", "version": "{version}"}}"#);
        read(&format!("{{\"schema\": 1, {tool}}}"))
    };
    let damaged = of_version(env!("CARGO_PKG_VERSION"));
    assert_eq!(damaged, "it is a report, but a damaged one: missing field `verdict`");
    assert!(of_version("9").starts_with("version 9 of migration-preflight wrote it, and this is version "));
}
