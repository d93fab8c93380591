//! What is published on GitHub, held against stand-ins for its API that answer as GitHub does, and as it should not.

#[cfg(feature = "oracles")]
mod described;
#[cfg(feature = "oracles")]
mod hub;
mod odd;
#[cfg(feature = "oracles")]
mod prism;
pub mod stand_in;

use std::fs;

use crate::shared::repository::{Repository, Run};
use stand_in::{Reply, StandIn};

const ONE: &str = "SELECT 1;\n";
const COMMIT: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";
pub const TOKEN: &str = "ghs_t0kenZv9w";

/// A repository whose one database lacks nothing, or has rows without a file.
fn repository(missing: i64) -> Repository {
    let rows: Vec<_> = (1..=1 + missing).map(|version| (version, "step", ONE)).collect();
    let event = format!(
        r#"{{"pull_request": {{"number": 7, "head": {{"sha": "{HEAD}", "repo": {{"full_name": "octo/demo"}}}},
            "base": {{"repo": {{"full_name": "octo/demo"}}}}}}}}"#
    );
    Repository::new()
        .file("migrations/1_step.sql", ONE)
        .file("event.json", event)
        .database("dev.db", &rows)
        .config("defaults: { database-url: 'sqlite:dev.db' }\n")
}

/// Runs the check as a step of a workflow.
fn run(repository: &Repository, api: &str, arguments: &[&str]) -> Run {
    run_with(repository, api, arguments, &[])
}

pub fn run_with(repository: &Repository, api: &str, arguments: &[&str], more: &[(&str, &str)]) -> Run {
    let path = |name: &str| repository.path().join(name).display().to_string();
    let (summary, outputs, temporary, event) = (path("summary.md"), path("outputs"), path(""), path("event.json"));
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "octo/demo"),
        ("GITHUB_SHA", COMMIT),
        ("GITHUB_RUN_ID", "17"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", &event),
        ("GITHUB_API_URL", api),
        ("GITHUB_TOKEN", TOKEN),
        ("GITHUB_STEP_SUMMARY", &summary),
        ("GITHUB_OUTPUT", &outputs),
        ("RUNNER_TEMP", &temporary),
        ("GITHUB_ACTION", "__self"),
    ];
    let timeout: &[&str] = if arguments.contains(&"--timeout") { &[] } else { &["--timeout", "1"] };
    repository.run_with(&[timeout, arguments].concat(), &[&environment[..], more].concat())
}

#[test]
fn a_check_run_stands_on_the_head_of_the_pull_request_and_is_completed_at_once() {
    let github = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
    let repository = repository(1);
    let run = run(&repository, &github.url, &["--report", "check-run", "--check-name", "Preflight"]);
    assert_eq!((run.code, github.requests().len()), (1, 1), "{run}");
    let request = &github.requests()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/repos/octo/demo/check-runs"));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    let body = request.json();
    for (key, value) in [
        ("name", "Preflight"),
        ("head_sha", HEAD),
        ("status", "completed"),
        ("conclusion", "failure"),
        ("external_id", "17-2"),
    ] {
        assert_eq!(body[key], value, "{key}");
    }
    assert_eq!(body["output"]["title"], "fail: the target would not start, 1 error");
    let annotation = &body["output"]["annotations"][0];
    assert_eq!((&annotation["path"], &annotation["start_line"]), (&"migrations/2_step.sql".into(), &1.into()));
    assert_eq!(annotation["annotation_level"], "failure");
}

#[test]
fn the_summary_and_the_outputs_of_the_step_are_written_always() {
    let repository = repository(2);
    let run = run(&repository, "http://127.0.0.1:1", &["--report", "annotations"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("::error file=migrations/2_step.sql,line=1,title=missing-migration%3A"), "{run}");
    let summary = fs::read_to_string(repository.path().join("summary.md")).unwrap();
    assert!(summary.starts_with("## ❌ fail: the target would not start, 2 errors\n"), "{summary}");
    let outputs = fs::read_to_string(repository.path().join("outputs")).unwrap();
    let lines: Vec<_> = outputs.lines().collect();
    let values: Vec<_> = lines.chunks(3).map(|lines| (lines[0].split_once("<<").unwrap().0, lines[1])).collect();
    let report = repository.path().join("migration-preflight-self.json");
    assert_eq!(
        values,
        [
            ("verdict", "fail"),
            ("exit-code", "1"),
            ("missing", "2"),
            ("mismatched", "0"),
            ("pending", "0"),
            ("report-path", report.to_str().unwrap()),
        ]
    );
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["verdict"], "fail");
}

#[test]
fn annotations_come_in_batches_of_fifty() {
    for (missing, batches) in [(0, vec![0]), (1, vec![1]), (50, vec![50]), (51, vec![50, 1]), (120, vec![50, 50, 20])] {
        let github = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
        let run = run(&repository(missing), &github.url, &["--report", "check-run"]);
        assert!(run.stderr.lines().all(|line| line.starts_with("::add-mask::")), "{run}");
        let requests = github.requests();
        let sent: Vec<_> =
            requests.iter().map(|r| r.json()["output"]["annotations"].as_array().unwrap().len()).collect();
        assert_eq!(sent, batches);
        for request in &requests[1..] {
            assert_eq!((request.method.as_str(), request.path.as_str()), ("PATCH", "/repos/octo/demo/check-runs/42"));
            assert!(request.json().get("status").is_none() && request.json().get("conclusion").is_none());
        }
    }
}

/// The commands that annotate files, of which a run without the API is left with some.
fn commands(run: &Run) -> usize {
    run.stdout.lines().filter(|line| line.starts_with("::error file=")).count()
}

/// What is told of publishing, the masks of the runner aside.
fn told(run: &Run) -> String {
    run.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_github_refuses_is_told_and_gives_way_to_the_log_and_the_verdict_stays() {
    type Answer = fn() -> Reply;
    let cases: [(&str, Answer, &str); 8] = [
        (
            "a permission",
            || {
                Reply::json(403, r#"{"message": "Resource not accessible by integration"}"#)
                    .with("x-accepted-github-permissions", "checks=write")
                    .with("x-ratelimit-remaining", "900")
            },
            "permissions:\n      checks: write",
        ),
        (
            "the hour",
            || Reply::json(403, "{}").with("x-ratelimit-remaining", "0"),
            "requests that the token has an hour",
        ),
        ("the pace", || Reply::json(403, "{}").with("retry-after", "3600"), "fewer requests at a time"),
        (
            "the pace, in words",
            || Reply::json(403, r#"{"message": "secondary rate limit"}"#),
            "fewer requests at a time",
        ),
        (
            "the token",
            || Reply::json(401, r#"{"message": "Bad credentials"}"#),
            "does not know the token (Bad credentials)",
        ),
        ("the place", || Reply::json(404, r#"{"message": "Not Found"}"#), "does not show it to this token"),
        (
            "the request",
            || Reply::json(422, r#"{"message": "No commit found"}"#),
            "refuses the request (No commit found)",
        ),
        ("rubbish", || Reply::json(200, "<html>"), "the answer is none of GitHub's API: it is no JSON"),
    ];
    for (missing, code) in [(1, 1), (0, 0)] {
        let repository = repository(missing);
        for (what, answer, words) in cases {
            let github = StandIn::start(move |_| answer());
            let run = run(&repository, &github.url, &["--report", "check-run"]);
            assert_eq!((run.code, commands(&run)), (code, missing as usize), "{what}: {run}");
            assert_eq!(github.requests().len(), 1, "{what} is not asked for twice");
            let told = told(&run);
            assert!(told.starts_with("warning: a check run: ") && told.contains(words), "{what}: {told}");
            assert!(!run.to_string().replace(&format!("::add-mask::{TOKEN}"), "").contains("Zv9w"), "{what}: {run}");
        }
    }
}

#[test]
fn what_passes_by_itself_is_waited_for() {
    let cases: [fn(usize) -> Reply; 4] = [
        |n| if n < 2 { Reply::json(500, "") } else { Reply::json(201, r#"{"id": 1}"#) },
        |n| if n < 1 { Reply::json(429, "{}").with("retry-after", "1") } else { Reply::json(201, r#"{"id": 1}"#) },
        |n| if n < 1 { Reply::HangUp } else { Reply::json(201, r#"{"id": 1}"#) },
        |n| if n < 1 { Reply::Silence } else { Reply::json(201, r#"{"id": 1}"#) },
    ];
    for (index, reply) in cases.into_iter().enumerate() {
        let github = StandIn::start(reply);
        let run = run(&repository(1), &github.url, &["--report", "check-run"]);
        assert_eq!((run.code, commands(&run), told(&run).as_str()), (1, 0, ""), "{index}: {run}");
    }
}

#[test]
fn a_server_that_never_answers_holds_nobody_up_for_long() {
    let github = StandIn::start(|_| Reply::Silence);
    let start = std::time::Instant::now();
    let run = run(&repository(1), &github.url, &["--report", "check-run"]);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    assert_eq!((run.code, commands(&run)), (1, 1), "{run}");
    assert!(told(&run).contains("no answer within 1 s"), "{run}");
}

#[test]
fn publishing_that_fails_fails_a_run_only_where_that_is_wanted() {
    let github = StandIn::start(|_| Reply::json(404, "{}"));
    for (missing, code) in [(0, 3), (1, 1)] {
        let run = run(&repository(missing), &github.url, &["--report", "check-run", "--fail-on-publish-error"]);
        assert_eq!(run.code, code, "{run}");
    }
}

#[test]
fn the_comment_is_written_once_kept_up_to_date_and_removed() {
    let ours = |id: u64| {
        format!(
            r#"{{"id": {id}, "user": {{"type": "Bot"}}, "body": "<!-- migration-preflight: migration-preflight -->\nold"}}"#
        )
    };
    let other =
        r#"{"id": 1, "user": {"type": "User"}, "body": "<!-- migration-preflight: migration-preflight -->\nfake"}"#;
    let full = format!("[{}]", vec![other; 100].join(","));
    let found = format!("[{other}, {}]", ours(9));
    for (missing, last, expected) in [
        (1, "[]".to_owned(), Some(("POST", "/repos/octo/demo/issues/7/comments"))),
        (1, found.clone(), Some(("PATCH", "/repos/octo/demo/issues/comments/9"))),
        (0, found, Some(("DELETE", "/repos/octo/demo/issues/comments/9"))),
        (0, "[]".to_owned(), None),
    ] {
        let (full, last) = (full.clone(), last);
        let github = StandIn::start(move |n| Reply::json(200, if n == 0 { &full } else { &last }));
        let run = run(&repository(missing), &github.url, &["--report", "annotations", "--comment"]);
        assert_eq!(told(&run), "", "{run}");
        let requests = github.requests();
        assert!(
            requests[0].path.ends_with("/issues/7/comments?per_page=100&page=1")
                && requests[1].path.ends_with("page=2")
        );
        let written = requests.get(2).map(|request| (request.method.as_str(), request.path.as_str()));
        assert_eq!(written, expected);
        if let Some(("POST" | "PATCH", _)) = expected {
            let body = requests[2].json()["body"].as_str().unwrap().to_owned();
            assert!(body.starts_with("<!-- migration-preflight: migration-preflight -->\n## ❌ fail"), "{body}");
        }
    }
}

#[test]
fn auto_takes_the_first_way_that_works() {
    let repository = repository(1);
    let github = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
    let run = run(&repository, &github.url, &["--report", "auto"]);
    assert_eq!((run.code, told(&run).as_str(), github.requests()[0].method.as_str()), (1, "", "POST"));
    let alone = repository.run(&["--report", "auto"]);
    assert_eq!((alone.code, commands(&alone), alone.stderr.as_str()), (1, 1, ""), "{alone}");
}

#[test]
fn a_run_without_a_report_leaves_a_check_that_fails_and_says_why() {
    let github = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
    let broken = repository(0).config("defaults: { database-url: 'sqlite:dev.db', migration: x }\n");
    let run = run(&broken, &github.url, &["--report", "check-run"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    let body = github.requests()[0].json();
    assert_eq!((&body["conclusion"], &body["head_sha"]), (&"failure".into(), &HEAD.into()));
    assert_eq!(
        body["output"]["title"],
        "fail: nothing was checked, because the configuration or an input cannot be used"
    );
    assert!(body["output"]["summary"].as_str().unwrap().contains("unknown key `migration`"), "{body}");
    let outputs = fs::read_to_string(broken.path().join("outputs")).unwrap();
    assert!(outputs.contains("exit-code<<") && outputs.contains("\n2\n"), "{outputs}");
    assert!(fs::read_to_string(broken.path().join("summary.md")).unwrap().contains("unknown key `migration`"));
    let unheard = self::run(&broken, "http://127.0.0.1:1", &["--report", "annotations"]);
    assert!(unheard.stdout.starts_with("::error title=migration-preflight::fail: nothing was checked"), "{unheard}");
}

/// Runs the step of a workflow, whose inputs these are.
fn step(repository: &Repository, api: &str, arguments: &[&str], inputs: &[(&str, &str)]) -> Run {
    let event = repository.path().join("event.json").display().to_string();
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "octo/demo"),
        ("GITHUB_SHA", COMMIT),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", &event),
        ("GITHUB_API_URL", api),
        ("INPUT_TOKEN", TOKEN),
    ];
    repository.run_with(&[&["action"], arguments].concat(), &[&environment[..], inputs].concat())
}

#[test]
fn a_step_that_was_cancelled_completes_the_check_that_nobody_else_would() {
    let github = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
    let abandon = |inputs: &[(&str, &str)]| {
        let before = github.requests().len();
        let run = step(&repository(0), &github.url, &["--abandoned"], inputs);
        assert_eq!(run.code, 0, "{run}");
        github.requests()[before..].iter().map(|request| request.json()).collect::<Vec<_>>()
    };
    let sent = abandon(&[("INPUT_REPORT", "check-run"), ("INPUT_CHECK-NAME", "Preflight")]);
    assert_eq!((sent.len(), &sent[0]["conclusion"], &sent[0]["name"]), (1, &"cancelled".into(), &"Preflight".into()));
    assert_eq!(abandon(&[("INPUT_REPORT", "auto")]).len(), 1);
    // The check of a job is GitHub's to complete.
    assert_eq!(abandon(&[("INPUT_REPORT", "auto"), ("INPUT_CHECK-RUN-ID", "7")]).len(), 0);
    assert_eq!(abandon(&[("INPUT_REPORT", "annotations")]).len(), 0);
    // Who writes a snapshot has no check.
    assert_eq!(abandon(&[("INPUT_REPORT", "auto"), ("INPUT_COMMAND", "snapshot")]).len(), 0);
}

#[test]
fn inputs_that_make_no_sense_fail_the_step_and_its_check() {
    let github = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
    for (input, value, words) in [
        ("INPUT_COMMAND", "chekc", "the input `command` is `chekc`"),
        ("INPUT_COMMAND", "rules", "the input `command` is `rules`"),
        ("INPUT_TIMEOUT", "never", "invalid value 'never' for '--timeout <SECONDS>'"),
        ("INPUT_COMMENT", "yes", "the input `comment` is `yes`"),
    ] {
        let before = github.requests().len();
        let run = step(&repository(0), &github.url, &[], &[(input, value), ("INPUT_REPORT", "check-run")]);
        assert_eq!(run.code, 2, "{run}");
        assert!(told(&run).starts_with(&format!("error: {}", &words[..5])) && told(&run).contains(words), "{run}");
        let body = github.requests()[before].json();
        assert_eq!(body["conclusion"], "failure");
        assert!(body["output"]["summary"].as_str().unwrap().contains(words), "{body}");
    }
}

#[test]
fn the_leg_of_the_job_gives_the_target_or_the_environment_or_nothing() {
    let rows = [(1, "step", ONE)];
    let repository = repository(0)
        .file("web/migrations/1_step.sql", ONE)
        .file(
            "deploy.yml",
            "on: push\njobs:\n  deploy:\n    strategy:\n      matrix:\n        service: [web]\n        environment: [staging, production]\n",
        )
        .config("matrix: { workflow: deploy.yml, job: deploy }\ndefaults: { migrations: '{service}/migrations', database-url: 'sqlite:dev.db' }\n")
        .database("other.db", &rows);
    for (leg, expected) in [
        ("null", vec!["web in staging", "web in production"]),
        (r#"{"os": "ubuntu-latest"}"#, vec!["web in staging", "web in production"]),
        (r#"{"environment": "production"}"#, vec!["web in production"]),
        (r#"{"service": "web", "environment": "staging"}"#, vec!["web in staging"]),
        (r#"[{"service": "web", "environment": "staging"}]"#, vec!["web in staging"]),
    ] {
        let run = step(&repository, "", &[], &[("INPUT_MATRIX", leg), ("INPUT_REPORT", "none")]);
        assert_eq!(run.code, 0, "{leg}: {run}");
        let named = |name: &&&str| run.stdout.contains(&format!("{name}:"));
        let all = ["web in staging", "web in production"];
        assert_eq!(all.iter().filter(named).copied().collect::<Vec<_>>(), expected, "{leg}: {run}");
    }
}
