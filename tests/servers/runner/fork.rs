//! The pull request of a fork: no secrets, a token that only reads, and a snapshot of some of the histories.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::act::{Event, Job, Runner, Seen, git};
use super::demo::Demo;
use super::stand_in::{Reply, StandIn};
use super::{OLD, demo, dispatch, github};
use crate::shared::readme;

const SNAPSHOT: &str = "snapshot.json";
const FOLDER: &str = "backend/content-service/migrations";

/// A job that reads the snapshot that is committed.
const COMMITTED: &str = "on: pull_request
permissions: { contents: read, checks: write }
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: ./
        id: preflight
        with:
          snapshot: snapshot.json
        env:
          STAGING_CONTENT_SERVICE_DATABASE_URL: ${{ secrets.STAGING_CONTENT_SERVICE_DATABASE_URL }}
          STAGING_SOCIAL_SERVICE_DATABASE_URL: ${{ secrets.STAGING_SOCIAL_SERVICE_DATABASE_URL }}
          PRODUCTION_CONTENT_SERVICE_DATABASE_URL: ${{ secrets.PRODUCTION_CONTENT_SERVICE_DATABASE_URL }}
          PRODUCTION_SOCIAL_SERVICE_DATABASE_URL: ${{ secrets.PRODUCTION_SOCIAL_SERVICE_DATABASE_URL }}
";

/// What GitHub gives the workflow of a fork, and how it answers whoever wants to write with it.
const TOKEN: (&str, &str) = ("GITHUB_TOKEN", "ghs_t0kenZv9w");

fn read_only() -> StandIn {
    StandIn::start(|_| Reply::json(403, r#"{"message": "Resource not accessible by integration"}"#))
}

/// Somebody else's branch: it edits the first migration of content-service and adds a file that breaks the build. What is
/// merged is checked out; the event is about that.
fn fork(demo: &Demo) -> Value {
    let git = |arguments: &[&str]| git(demo.path(), arguments);
    let base = git(&["rev-parse", "main"]);
    git(&["switch", "--quiet", "--create=fork", "main"]);
    demo.file(&format!("{FOLDER}/1_create_articles.sql"), "CREATE TABLE articles (id INTEGER PRIMARY KEY);\n");
    demo.file(&format!("{FOLDER}/V3_more.sql"), "SELECT 3;\n");
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=from outside"]);
    let head = git(&["rev-parse", "HEAD"]);
    git(&["switch", "--quiet", "--create=fork-merged", "main"]);
    git(&["merge", "--quiet", "--no-ff", "--message=merged", "fork"]);
    json!({
        "action": "synchronize", "number": 8, "repository": {"full_name": "octo/demo", "default_branch": "main"},
        "pull_request": {"number": 8, "user": {"login": "cid"},
            "head": {"sha": head, "ref": "fork", "repo": {"full_name": "cid/demo", "fork": true}},
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "octo/demo"}}},
    })
}

fn run(demo: &Demo, event: &Event<'_>, secrets: &[(String, String)], github: &StandIn, artifacts: &Path) -> Seen {
    let runner = Runner { folder: demo.path(), secrets, actions: &[], api: &github.url, artifacts: Some(artifacts) };
    tokio::task::block_in_place(|| runner.run(event))
}

fn commit(demo: &Demo, message: &str) {
    git(demo.path(), &["switch", "--quiet", "main"]);
    git(demo.path(), &["add", "--all"]);
    git(demo.path(), &["commit", "--quiet", "--message", message]);
}

/// What the runner was told to show at lines of files: how grave, where, and the beginning of it, without times.
fn annotations(seen: &Seen) -> Vec<String> {
    let shown = seen.annotations().into_iter().map(|(level, file, message)| {
        let first = message.lines().next().unwrap_or_default().to_owned();
        let told = [" (since ", ": as of "].iter().fold(first.as_str(), |told, time| told.split(time).next().unwrap());
        format!("{level} {file}: {told}")
    });
    shown.collect()
}

fn assert_job<'a>(seen: &'a Seen, job: &'a Job) {
    for told in [
        // What files and the base show.
        "edited-migration",
        "invalid-migration",
        // What the snapshot shows.
        "missing-migration",
        "20260107_add_author_account_type.sql",
        ", 1 target from a snapshot",
        // What was not checked.
        "not-checked",
        "GitHub gives a pull request from a fork no secrets, and PRODUCTION\\_CONTENT\\_SERVICE\\_DATABASE\\_URL is unset",
    ] {
        assert!(job.summary.contains(told), "`{told}` is not told:\n{}\n{}", job.summary, seen.log());
    }
    assert!(job.log.contains("just now, from "), "{}", job.log);
    assert_eq!(job.result, "failure", "{}", seen.log());
    assert_eq!(["verdict", "exit-code"].map(|name| job.output("preflight", name)), ["fail", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_committed_snapshot_files_and_histories_are_judged_and_the_rest_is_said_to_be_unchecked() {
    let demo = Demo::new(OLD).await;
    demo.file(".github/migration-preflight.yml", &demo::configuration_with_environments_in_names());
    demo.file(".github/workflows/fork.yml", COMMITTED);
    let written = Command::new(env!("CARGO_BIN_EXE_migration-preflight"))
        .args(["snapshot", "--service", "content-service", "--environment", "staging", "--output", SNAPSHOT])
        .current_dir(demo.path())
        .envs(demo.secrets.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    commit(&demo, "the histories of today");
    let payload = fork(&demo);
    let (github, artifacts) = (read_only(), tempfile::tempdir().unwrap());
    let event = Event { name: "pull_request", payload, workflow: ".github/workflows/fork.yml" };
    let secrets = [(TOKEN.0.to_owned(), TOKEN.1.to_owned())];
    // The runner reads a step's output by way of a terminal, and at times not to its end; the last line tells.
    let runs = (0..3).map(|_| run(&demo, &event, &secrets, &github, artifacts.path()));
    let seen =
        runs.enumerate().find(|(n, seen)| *n == 2 || annotations(seen).iter().any(|told| told.starts_with("notice :")));
    let (_, seen) = seen.unwrap();
    let jobs = seen.jobs();
    assert_job(&seen, &jobs["check"]);
    insta::assert_debug_snapshot!(annotations(&seen), @r#"
    [
        "error backend/content-service/migrations/20260107_add_author_account_type.sql: content-service in staging: migration 20260107 was applied, but the source has no file for it (add author account type)",
        "error backend/content-service/migrations/20260109_remove_unused_social_tables.sql: content-service in staging: migration 20260109 was applied, but the source has no file for it (remove unused social tables)",
        "error backend/content-service/migrations/V3_more.sql: content-service in staging, production: sqlx fails on this file: `V3` before the first `_` is not an integer that fits 64 bits",
        "error backend/content-service/migrations/1_create_articles.sql: content-service in staging: this change edits migration 1, which is applied in staging",
        "notice .github/workflows/migrations.yml: content-service in production: not checked: GitHub gives a pull request from a fork no secrets, and PRODUCTION_CONTENT_SERVICE_DATABASE_URL is unset",
        "notice : content-service in staging",
    ]
    "#);
    assert!(github.requests().iter().all(|request| request.method == "POST"), "nothing but an attempt at a check");
    assert!(!seen.shown().contains("t0ken"), "the token is shown");
}

/// The README's two workflows: one writes the snapshot where the secrets are, the other fetches it.
#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_of_the_default_branch_is_fetched_by_the_pull_request() {
    let demo = Demo::new(OLD).await;
    demo.file(
        ".github/migration-preflight.yml",
        "services: { content-service: { migrations: backend/content-service/migrations } }\n\
         environments: { staging: { database-url: '${STAGING_DATABASE_URL}' }, \
         production: { database-url: '${PRODUCTION_CONTENT_SERVICE_DATABASE_URL}' } }\n",
    );
    let local = |block: &str| readme::block(block).replace("OWNER/migration-preflight@v1", "./");
    // Production's history is left out, as one whose secret belongs to the environment is.
    let histories = local("the workflow of snapshots")
        .replace("command: snapshot\n", "command: snapshot\n          environment: staging\n");
    demo.file(".github/workflows/histories.yml", &histories);
    let steps = local("the steps of a fork").replace("      - uses: ./\n", "      - uses: ./\n        id: preflight\n");
    demo.file(
        ".github/workflows/fork.yml",
        &format!(
            "on: pull_request\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v7\n{steps}"
        ),
    );
    commit(&demo, "workflows");
    let artifacts = tempfile::tempdir().unwrap();
    let staging = demo.secrets.iter().find(|(name, _)| name == "STAGING_CONTENT_SERVICE_DATABASE_URL").unwrap();
    let secrets = [("STAGING_DATABASE_URL".to_owned(), staging.1.clone())];
    let payload = json!({"ref": "refs/heads/main", "repository": {"full_name": "octo/demo", "default_branch": "main"}});
    let event = Event { payload, ..dispatch(".github/workflows/histories.yml") };
    let github_of_main = github();
    let seen = run(&demo, &event, &secrets, &github_of_main, artifacts.path());
    assert_eq!(seen.jobs()["snapshot"].result, "success", "{}", seen.log());
    assert!(!seen.shown().contains(&secrets[0].1), "the URL is shown");

    let event = Event { name: "pull_request", payload: fork(&demo), workflow: ".github/workflows/fork.yml" };
    let (github, token) = (read_only(), [(TOKEN.0.to_owned(), TOKEN.1.to_owned())]);
    let seen = run(&demo, &event, &token, &github, artifacts.path());
    assert_job(&seen, &seen.jobs()["check"]);
}
