use serde_json::Value;

use super::*;
use crate::finding::{Facts, Location, Scope};
use crate::history::{DatabaseError, DatabaseErrorKind};
use crate::migration::{Checksum, Version};
use crate::report::Counts;
use crate::source::Origin;
use crate::startup::Outcome;

fn target(service: &str, environment: &str, facts: Vec<Facts>) -> TargetReport {
    let scope = Scope::Target { service: service.into(), environment: environment.into(), tenants: None };
    TargetReport {
        service: service.into(),
        environment: environment.into(),
        tenants: None,
        kind: "directory".into(),
        location: format!("{service}/migrations"),
        origin: Origin::default(),
        as_of: None,
        counts: Counts::default(),
        declared: None,
        startup: Outcome::Starts,
        findings: facts.into_iter().map(|facts| finding(facts, scope.clone())).collect(),
    }
}

fn finding(facts: Facts, scope: Scope) -> Finding {
    let location = facts.file().map(|file| Location { file: file.into(), line: 1 });
    Finding { severity: facts.severity(), facts, scope, location, explanation: None }
}

fn report(targets: Vec<TargetReport>) -> Report {
    Report {
        verdict: Verdict::Fail,
        targets,
        findings: Vec::new(),
        accepted: Vec::new(),
        already_so: Vec::new(),
        notes: Vec::new(),
        repository: None,
    }
}

fn missing(version: i64, description: &str) -> Facts {
    let (file, description) = (format!("migrations/{version}_a.sql"), description.to_owned());
    Facts::MissingMigration {
        version: Version(version),
        description,
        file,
        applied: Checksum::of(""),
        ignored: false,
        unread: Vec::new(),
    }
}

fn dirty() -> Facts {
    Facts::DirtyMigration { version: Version(9), description: "d".into() }
}

fn pending() -> Facts {
    Facts::PendingMigration { version: Version(3), description: "a".into(), file: "migrations/3_a.sql".into() }
}

fn refused() -> Facts {
    Facts::UnreachableDatabase(DatabaseError::new(DatabaseErrorKind::Refused, ""))
}

/// The one run of the log.
fn written(report: &Report) -> Value {
    let log: Value = serde_json::from_str(&sarif(report)).unwrap();
    log["runs"][0].clone()
}

fn each<'a>(run: &'a Value, pointer: &str) -> Vec<&'a Value> {
    run["results"].as_array().unwrap().iter().map(|result| result.pointer(pointer).unwrap()).collect()
}

const FINGERPRINT: &str = "/partialFingerprints/primaryLocationLineHash";
const URI: &str = "/locations/0/physicalLocation/artifactLocation/uri";

#[test]
fn the_gravest_comes_first_and_every_result_names_its_rule() {
    let run = written(&report(vec![
        target("api", "staging", vec![pending(), missing(7, "seven")]),
        target("api", "production", vec![refused()]),
    ]));
    assert_eq!(each(&run, "/ruleId"), ["missing-migration", "unreachable-database", "pending-migration"]);
    assert_eq!(each(&run, "/level"), ["error", "error", "note"]);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for (id, index) in each(&run, "/ruleId").into_iter().zip(each(&run, "/ruleIndex")) {
        assert_eq!(rules[index.as_u64().unwrap() as usize]["id"], *id);
    }
    let message = each(&run, "/message/text")[0].as_str().unwrap();
    let help = Rule::MissingMigration.help();
    assert_eq!(
        message,
        format!("api in staging: migration 7 was applied, but the source has no file for it (seven)\n{help}")
    );
}

#[test]
fn every_rule_is_told_in_the_words_of_the_catalogue_and_within_the_limits_of_code_scanning() {
    let run = written(&report(Vec::new()));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Rule::all().count());
    for (rule, told) in Rule::all().zip(rules) {
        let text = |pointer| told.pointer(pointer).and_then(Value::as_str).unwrap();
        assert_eq!((text("/id"), text("/fullDescription/text")), (rule.id(), rule.summary()));
        assert_eq!(text("/help/text"), crate::render::rule(rule));
        assert!(text("/help/markdown").contains(rule.help()) && text("/help/markdown").contains(rule.summary()));
        let short = text("/shortDescription/text");
        assert!(rule.summary().starts_with(short) && short.ends_with('.'), "{short}");
        assert!(rule.summary().len() <= 1024);
        // On a pull request alone it is a warning.
        let default = rule.default_severity().replace("notice", "note").replace("incomplete", "error");
        let is_default = default.starts_with(text("/defaultConfiguration/level")) || rule == Rule::BehindBase;
        assert!(is_default, "{rule}: {default}");
    }
}

#[test]
fn a_fingerprint_is_that_of_what_a_finding_is_about() {
    let first = || target("api", "staging", vec![missing(7, "seven"), missing(8, "eight")]);
    let run = written(&report(vec![first(), target("api", "production", vec![missing(7, "seven")])]));
    let before: Vec<_> = each(&run, FINGERPRINT).into_iter().cloned().collect();
    assert_eq!(before.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    // Whatever else is found, however it is put, and wherever in its file it stands.
    let mut later = target("api", "staging", vec![dirty(), missing(8, "another"), missing(7, "seven")]);
    later.findings[1].location.as_mut().unwrap().line = 5;
    let run = written(&report(vec![later]));
    let after = each(&run, FINGERPRINT);
    assert_eq!([after[2], after[1]], [&before[0], &before[1]]);
}

#[test]
fn findings_about_the_same_are_numbered() {
    let unused = |reason: &str| {
        let facts = Facts::UnusedAccept { rule: Rule::MissingMigration, reason: reason.into() };
        Finding { location: Some(Location { file: "x.yml".into(), line: 3 }), ..finding(facts, Scope::Run) }
    };
    let run = written(&Report { findings: vec![unused("one"), unused("two")], ..report(Vec::new()) });
    let prints: Vec<_> = each(&run, FINGERPRINT).into_iter().map(|print| print.as_str().unwrap()).collect();
    assert_eq!(prints[1], prints[0].replace(":1", ":2"));
}

#[test]
fn what_has_no_file_is_shown_where_its_target_is_declared_or_at_its_directory() {
    let declared = Some(Location { file: "deploy.yml".into(), line: 12 });
    let in_workflow = || TargetReport { declared: declared.clone(), ..target("web", "staging", vec![dirty()]) };
    let of = |kind: &str, location: &str| TargetReport {
        kind: kind.into(),
        location: location.into(),
        ..target("api", "staging", vec![dirty()])
    };
    for (target, uri) in [
        (in_workflow(), "deploy.yml"),
        (of("directory", "a b/migrations"), "a%20b/migrations"),
        (of("directory", "/srv/migrations"), ".github/migration-preflight.yml"),
        (of("revision", "v1.0:api/migrations"), "api/migrations"),
        (of("image", "ghcr.io/o/api:1"), ".github/migration-preflight.yml"),
    ] {
        assert_eq!(each(&written(&report(vec![target])), URI), [uri]);
    }
    let scope = Scope::Service { service: "web".into(), environments: vec!["staging".into(), "production".into()] };
    let drift = Facts::DriftingRow {
        version: Version(1),
        description: "a".into(),
        environment: "production".into(),
        lacking: vec!["staging".into()],
    };
    let across = Report { findings: vec![finding(drift, scope)], ..report(vec![in_workflow()]) };
    assert_eq!(each(&written(&across), URI), ["deploy.yml", "deploy.yml"]);
}

#[test]
fn what_is_accepted_is_no_result_and_what_the_base_has_is_one_that_fails_nothing() {
    let scope = || Scope::Target { service: "api".into(), environment: "staging".into(), tenants: None };
    let run = written(&Report {
        accepted: vec![(finding(missing(1, "a"), scope()), "known".into())],
        already_so: vec![finding(missing(2, "b"), scope())],
        ..report(vec![target("api", "staging", vec![pending()])])
    });
    assert_eq!(each(&run, "/level"), ["note", "note"]);
    assert_eq!(run["results"][1]["properties"]["alreadySo"], true);
    assert_eq!(run["results"][0]["properties"].get("alreadySo"), None);
}

#[test]
fn a_run_that_could_not_read_everything_was_not_successful_and_says_what_it_is() {
    let whole = Report { notes: vec!["no base".into()], ..report(vec![target("api", "staging", vec![dirty()])]) };
    let run = written(&whole);
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&true.into(), &1.into()));
    let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notifications.len(), 1);
    assert_eq!((&notifications[0]["level"], &notifications[0]["message"]["text"]), (&"note".into(), &"no base".into()));

    let away = report(vec![target("api", "staging", vec![refused()])]);
    for verdict in [Verdict::Incomplete, Verdict::Fail] {
        let run = written(&Report { verdict, ..away.clone() });
        let invocation = &run["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let told = &invocation["toolExecutionNotifications"][0];
        assert_eq!(told["associatedRule"]["id"], "unreachable-database");
        assert_eq!(told["message"], run["results"][0]["message"]);
    }
    let silent = written(&Report { verdict: Verdict::Incomplete, ..report(vec![target("api", "staging", vec![])]) });
    assert_eq!(silent["invocations"][0]["executionSuccessful"], false, "also where the rule is ignored");
}

#[test]
fn each_leg_of_a_matrix_has_a_category_of_its_own_and_so_has_what_was_built() {
    let id = |targets: Vec<TargetReport>| {
        let run = written(&report(targets));
        run["automationDetails"]["id"].as_str().unwrap().to_owned()
    };
    let of = |service, environment| target(service, environment, Vec::new());
    let image = TargetReport { kind: "image".into(), ..of("a", "b") };
    for (targets, expected) in [
        (vec![], "migration-preflight/"),
        (vec![of("a", "b")], "migration-preflight/service:a/environment:b/"),
        (vec![of("a", "b"), of("c", "b")], "migration-preflight/environment:b/"),
        (vec![of("a", "b"), of("a", "c")], "migration-preflight/service:a/"),
        (vec![of("a", "b"), of("c", "d")], "migration-preflight/"),
        (vec![image], "migration-preflight/source:image/service:a/environment:b/"),
    ] {
        assert_eq!(id(targets), expected);
    }
}

#[test]
fn text_is_no_link_and_no_placeholder() {
    let odd = "[x](http://a.b) {0} {a} [y] (z)\n\u{202e}\u{7}";
    let run = written(&report(vec![target("api", "staging", vec![missing(1, odd)])]));
    let message = each(&run, "/message/text")[0].as_str().unwrap();
    assert!(message.contains("([x] (http://a.b) {0 } {a} [y] (z)\\u{a}\\u{202e}\\u{7 })\n"), "{message}");
}

#[test]
fn no_more_results_than_code_scanning_takes_and_the_rest_is_counted() {
    let findings = (0..8).map(|version| missing(version, "a")).chain([pending()]).collect();
    let run = run(&report(vec![target("api", "staging", findings)]), 5);
    let run = serde_json::to_value(&run).unwrap();
    assert_eq!(each(&run, "/level"), ["error"; 5], "the least grave are left out");
    let told = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert_eq!(told, "4 findings more, which the JSON report has: code scanning takes 5 results");
}
