//! The pull request of a fork: no secrets, and a snapshot of some of the histories.

use serde_json::json;

use super::*;
use crate::explain::history::History;

/// A pull request of a fork that edits what is applied and takes a version twice, as it is checked out.
fn project() -> History {
    let history = History::new();
    let config = "services: { api: { migrations: migrations } }\n\
        environments: { staging: { database-url: '${STAGING_URL}' }, production: { database-url: '${PRODUCTION_URL}' } }\n";
    history.write(".github/migration-preflight.yml", config).write("migrations/1_one.sql", ONE);
    history.write("migrations/2_two.sql", TWO).commit("Ann", "start");
    history.repository.add_database("staging.db", &[(1, "one", ONE), (7, "seven", "7")]);
    history.repository.add_database("production.db", &[(1, "one", ONE)]);
    let run = history.check_with(&["snapshot", "--environment", "staging", "--output", FILE], &[STAGING]);
    assert_eq!(run.code, 0, "{run}");
    history.commit("Bob", "the histories of today");
    history.write("migrations/1_one.sql", "CREATE TABLE uno (id INTEGER);\n");
    history.write("migrations/2_other.sql", "SELECT 2;\n").commit("Cid", "from outside");
    history
}

/// Runs the check as the fork's pull request does.
fn check(history: &History, arguments: &[&str]) -> Run {
    let (head, base) = (history.git(&["rev-parse", "HEAD"]), history.git(&["rev-parse", "HEAD~1"]));
    let event = json!({"pull_request": {
        "number": 7,
        "head": {"sha": head, "repo": {"full_name": "cid/demo"}},
        "base": {"sha": base, "ref": "main", "repo": {"full_name": "octo/demo"}},
    }});
    let path = history.path().join(".git/event.json");
    fs::write(&path, event.to_string()).unwrap();
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "octo/demo"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
        ("GITHUB_SHA", &head),
        ("STAGING_URL", ""),
    ];
    history.check_with(arguments, &environment)
}

/// The rules that each target's findings are of, with the whole run's at the end.
fn rules(run: &Run) -> Vec<Vec<String>> {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let of = |findings: &Value| {
        let rules = findings.as_array().unwrap().iter();
        rules
            .map(|finding| format!("{} {}", finding["severity"].as_str().unwrap(), finding["rule"].as_str().unwrap()))
            .collect()
    };
    let targets = report["targets"].as_array().unwrap().iter().map(|target| of(&target["findings"]));
    targets.chain([of(&report["findings"])]).collect()
}

#[test]
fn what_files_and_snapshots_show_is_found_and_what_was_not_checked_is_said() {
    let history = project();
    let run = check(&history, &["--snapshot", FILE, "--format", "json"]);
    assert_eq!(run.code, 1, "{run}");
    insta::assert_debug_snapshot!(rules(&run), @r#"
    [
        [
            "error missing-migration",
            "warning out-of-order",
            "notice pending-migration",
        ],
        [
            "notice not-checked",
        ],
        [
            "error edited-migration",
            "error version-collision",
        ],
    ]
    "#);
}

#[test]
fn without_a_snapshot_the_files_alone_are_judged() {
    let history = project();
    let run = check(&history, &["--format", "json"]);
    insta::assert_debug_snapshot!(rules(&run), @r#"
    [
        [
            "notice not-checked",
        ],
        [
            "notice not-checked",
        ],
        [
            "error version-collision",
            "warning edited-migration",
        ],
    ]
    "#);
}

#[test]
fn the_step_of_a_workflow_takes_and_writes_snapshots_too() {
    let repository = with_secrets();
    let write = [("INPUT_COMMAND", "snapshot"), ("INPUT_SNAPSHOT", FILE), ("INPUT_REPORT", "auto")];
    let run = repository.run_with(&["action"], &[&write[..], &[STAGING, PRODUCTION]].concat());
    assert!(run.code == 0 && run.stdout == "wrote the histories of 2 targets to snapshot.json\n", "{run}");
    let check = [("INPUT_SNAPSHOT", FILE), ("INPUT_REPORT", "none"), ("INPUT_ENVIRONMENT", "production")];
    let run = repository.run_with(&["action"], &check);
    assert!(run.code == 0 && run.stdout.contains("from snapshot.json"), "{run}");
}
