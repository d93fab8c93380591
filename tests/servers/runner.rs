//! The action in a real runner, by the README's own workflow: `uses:` in every leg of a matrix, for the events that such a
//! workflow has, on real databases and against a stand-in for GitHub's API.

mod act;
mod demo;
mod fork;
#[allow(dead_code, reason = "GitHub does not misbehave here")]
#[path = "../integration/github/stand_in.rs"]
mod stand_in;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::PIECES;
use act::{Event, Job, Runner, Seen, git};
use demo::{Demo, WORKFLOW};
use stand_in::{Reply, StandIn};

/// All of content-service's migrations, and those without the two of the incident.
const ALL: usize = 4;
const OLD: usize = 2;

fn github() -> StandIn {
    StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#))
}

fn run(demo: &Demo, event: &Event<'_>, github: &StandIn) -> Seen {
    let (folder, secrets, actions) = (demo.path(), &demo.secrets, &demo.actions);
    tokio::task::block_in_place(|| Runner { folder, secrets, actions, api: &github.url, artifacts: None }.run(event))
}

fn dispatch(workflow: &str) -> Event<'_> {
    Event { name: "workflow_dispatch", payload: json!({"inputs": null, "ref": "refs/heads/main"}), workflow }
}

/// What became of the step of every leg, and of the job that puts them together.
fn results(jobs: &BTreeMap<String, Job>) -> Vec<(&str, &str)> {
    jobs.iter().map(|(name, job)| (name.as_str(), job.steps.get("preflight").unwrap_or(&job.result).as_str())).collect()
}

/// No piece of a password gets anywhere, and the runner knows whole values.
fn assert_no_secret(demo: &Demo, seen: &Seen, github: &StandIn) {
    let bodies: String = github.requests().iter().map(|request| request.json().to_string()).collect();
    let shown = seen.shown() + &bodies;
    for (name, value) in demo.secrets.iter().filter(|(name, _)| name != "GITHUB_TOKEN") {
        assert!(!shown.contains(value), "{name} is shown");
        assert!(seen.masked().contains(&value.as_str()), "{name} is not masked");
    }
    for piece in PIECES.into_iter().chain(["ghs_t0ken"]) {
        assert!(!shown.contains(piece), "{piece} is shown: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_leg_and_the_whole_tell_what_they_found_on_the_commit_that_the_event_is_about() {
    let demo = Demo::new(OLD).await;
    let repository = json!({"full_name": "octo/demo"});
    let pull_request = json!({
        "action": "synchronize", "number": 7, "repository": repository,
        "pull_request": {"number": 7, "user": {"login": "ann"},
            "head": {"sha": demo.head, "ref": "feature", "repo": repository},
            "base": {"sha": demo.base, "ref": "main", "repo": repository}},
    });
    let merge_group = json!({
        "action": "checks_requested", "repository": repository,
        "merge_group": {"head_sha": demo.merge, "base_sha": demo.base, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7"},
    });
    let push = json!({"ref": "refs/heads/feature", "before": demo.base, "after": demo.head, "repository": repository});
    for (name, payload, branch, commit) in [
        ("pull_request", pull_request, "merged", &demo.head),
        ("merge_group", merge_group, "merged", &demo.merge),
        ("push", push, "feature", &demo.head),
        ("workflow_dispatch", json!({"inputs": {}, "repository": repository}), "main", &demo.base),
    ] {
        demo.check_out(branch);
        // The README's workflow does not run on pushes.
        let text = demo::workflow("./").replace("  workflow_dispatch:\n", "  workflow_dispatch:\n  push:\n");
        demo.file(WORKFLOW, &text);
        let github = github();
        let seen = run(&demo, &Event { name, payload, workflow: WORKFLOW }, &github);
        let jobs = seen.jobs();
        assert_eq!(
            results(&jobs),
            [
                ("check content-service production", "success"),
                ("check content-service staging", "failure"),
                ("check social-service production", "success"),
                ("check social-service staging", "success"),
                ("migrations", "failure"),
            ],
            "{name}: {}",
            seen.log()
        );
        assert_legs(&jobs);
        assert_whole(&jobs["migrations"]);
        assert_checks(&github, commit, name);
        assert_no_secret(&demo, &seen, &github);
    }
}

fn assert_legs(jobs: &BTreeMap<String, Job>) {
    let names = ["verdict", "exit-code", "missing", "mismatched", "pending"];
    for (leg, outputs, summary) in [
        ("content-service production", ["pass", "0", "0", "0", "1"], "## ✅ pass: the target would start\n"),
        ("content-service staging", ["fail", "1", "2", "0", "0"], "## ❌ fail: the target would not start, 2 errors\n"),
        ("social-service production", ["pass", "0", "0", "0", "0"], "## ✅ pass: the target would start\n"),
        ("social-service staging", ["pass", "0", "0", "0", "0"], "## ✅ pass: the target would start\n"),
    ] {
        let job = &jobs[&format!("check {leg}")];
        assert_eq!(names.map(|name| job.output("preflight", name)), outputs, "{leg}");
        assert!(job.summary.starts_with(summary), "{leg}: {}", job.summary);
        let (service, environment) = leg.split_once(' ').unwrap();
        assert!(job.summary.contains(&format!("| service | `{environment}` |")), "{}", job.summary);
        assert!(job.summary.contains(&format!("| `{service}` |")), "{}", job.summary);
    }
}

/// The step of the aggregate has no id: act calls it by its number.
fn assert_whole(job: &Job) {
    assert!(job.summary.starts_with("## ❌ fail: 1 of 4 targets would not start, 2 errors\n"), "{}", job.summary);
    assert_eq!(["verdict", "exit-code", "missing"].map(|name| job.output("2", name)), ["fail", "1", "2"]);
}

/// Five checks on one commit: act does not know the check runs of jobs, so that each is one of our own.
fn assert_checks(github: &StandIn, commit: &str, event: &str) {
    let requests = github.requests();
    let mut conclusions = Vec::new();
    for request in &requests {
        let body = request.json();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/repos/octo/demo/check-runs"));
        assert_eq!((&body["head_sha"], &body["status"]), (&json!(commit), &json!("completed")), "{event}");
        conclusions.push(body["conclusion"].as_str().unwrap().to_owned());
    }
    conclusions.sort();
    assert_eq!(conclusions, ["failure", "failure", "success", "success", "success"], "{event}");
    let whole = requests.last().unwrap().json();
    let annotations = whole["output"]["annotations"].as_array().unwrap();
    let missing = annotations.iter().filter(|annotation| annotation["annotation_level"] == "failure");
    let paths: Vec<&Value> = missing.map(|annotation| &annotation["path"]).collect();
    let folder = "backend/content-service/migrations";
    let expected = ["20260107_add_author_account_type", "20260109_remove_unused_social_tables"];
    assert_eq!(paths, expected.map(|name| json!(format!("{folder}/{name}.sql"))).iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_is_green_where_every_leg_is_and_the_action_is_used_by_its_name() {
    let mut demo = Demo::new(ALL).await;
    let elsewhere = tempfile::tempdir().unwrap();
    demo::lay_out_action(elsewhere.path());
    demo.actions.push(("OWNER/migration-preflight@v1", elsewhere.path().to_owned()));
    demo.file(WORKFLOW, &demo::workflow("OWNER/migration-preflight@v1"));
    let github = github();
    let seen = run(&demo, &dispatch(WORKFLOW), &github);
    let jobs = seen.jobs();
    assert!(jobs.values().all(|job| job.result == "success"), "{}", seen.log());
    let whole = &jobs["migrations"];
    assert!(whole.summary.starts_with("## ✅ pass: all 4 targets would start\n"), "{}", whole.summary);
    assert_eq!(["verdict", "pending"].map(|name| whole.output("2", name)), ["pass", "3"]);
    assert_no_secret(&demo, &seen, &github);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leg_that_did_not_report_is_named_by_the_whole_which_is_red() {
    let demo = Demo::new(ALL).await;
    let whole = demo::workflow("./");
    let lost = "if: always() && !(matrix.service == 'social-service' && matrix.environment == 'staging')";
    for (text, expected) in [
        // Its report is lost.
        (whole.replace("if: always()\n        with:", &format!("{lost}\n        with:")), "1 of 4 targets"),
        // All of them are skipped.
        (whole.replace("  check:\n", "  check:\n    if: false\n"), "4 of 4 targets"),
    ] {
        assert_ne!(text, whole);
        demo.file(WORKFLOW, &text);
        let github = github();
        let seen = run(&demo, &dispatch(WORKFLOW), &github);
        let jobs = seen.jobs();
        let whole = &jobs["migrations"];
        assert_eq!(whole.result, "failure", "{}", seen.log());
        assert_eq!(["verdict", "exit-code"].map(|name| whole.output("2", name)), ["incomplete", "3"]);
        assert!(whole.summary.contains(expected), "{}", whole.summary);
        assert!(whole.summary.contains("`social-service` in `staging`"), "{}", whole.summary);
        assert_eq!(github.requests().last().unwrap().json()["conclusion"], "failure");
    }
}

/// A plain job, and one of a matrix without services, as a workflow.
fn plain(strategy: &str) -> String {
    let secrets: String = ["STAGING", "PRODUCTION"]
        .iter()
        .flat_map(|environment| {
            ["CONTENT", "SOCIAL"].map(|service| format!("{environment}_{service}_SERVICE_DATABASE_URL"))
        })
        .map(|name| format!("          {name}: ${{{{ secrets.{name} }}}}\n"))
        .collect();
    format!(
        "on: workflow_dispatch
jobs:
  plain:
    runs-on: ubuntu-latest
{strategy}    steps:
      - uses: actions/checkout@v7
      - uses: ./
        id: preflight
        env:
{secrets}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_job_checks_the_whole_matrix_that_the_configuration_names() {
    let demo = Demo::new(OLD).await;
    let config = demo::configuration_with_environments_in_names();
    demo.file(".github/migration-preflight.yml", &config);
    let os = "    strategy:\n      fail-fast: false\n      matrix:\n        os: [ubuntu-latest, ubuntu-24.04]\n";
    for (strategy, names) in [("", &["plain"][..]), (os, &["plain ubuntu-24.04", "plain ubuntu-latest"])] {
        demo.file(".github/workflows/plain.yml", &plain(strategy));
        let github = github();
        let seen = run(&demo, &dispatch(".github/workflows/plain.yml"), &github);
        let jobs = seen.jobs();
        assert_eq!(jobs.keys().collect::<Vec<_>>(), names, "{}", seen.log());
        for job in jobs.values() {
            assert_eq!(job.result, "failure", "{}", seen.log());
            let outputs = ["verdict", "exit-code", "missing", "pending"].map(|name| job.output("preflight", name));
            assert_eq!(outputs, ["fail", "1", "2", "1"]);
            assert!(
                job.summary.starts_with("## ❌ fail: 1 of 4 targets would not start, 2 errors\n"),
                "{}",
                job.summary
            );
            assert!(job.summary.contains("| service | `staging` | `production` |"), "{}", job.summary);
        }
        assert_eq!(github.requests().len(), names.len());
        assert!(github.requests().iter().all(|request| request.json()["head_sha"] == demo.merge.as_str()));
        assert_no_secret(&demo, &seen, &github);
    }
}

/// This repository's own workflow, which tries the action out.
#[test]
fn the_selftest_is_green() {
    let folder = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let workflow = ".github/workflows/selftest.yml";
    for path in [workflow, "tests/selftest/make.py", "tests/selftest/config.yml"] {
        std::fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
        std::fs::copy(root.join(path), folder.path().join(path)).unwrap();
    }
    demo::lay_out_action(folder.path());
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(folder.path(), &["remote", "add", "origin", "https://github.com/octo/demo.git"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message=all"]);
    let github = github();
    let secrets = [("GITHUB_TOKEN".to_owned(), "ghs_t0ken".to_owned())];
    let runner = Runner { folder: folder.path(), secrets: &secrets, actions: &[], api: &github.url, artifacts: None };
    let seen = runner.run(&dispatch(workflow));
    let jobs = seen.jobs();
    assert!(jobs.values().all(|job| job.result == "success"), "{}", seen.log());
    assert_eq!(jobs.len(), 7);
}
