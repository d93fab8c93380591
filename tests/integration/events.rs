//! What is read of the event that a run is for: of GitHub's own examples, of what is made of them, and of rubbish.

use migration_preflight::github::Run;
use migration_preflight::inputs::github::read;

const CHECKED_OUT: &str = "1111111111111111111111111111111111111111";

/// What is read in a run for the event, which somebody began.
fn run(name: &str, payload: &str, actor: &str) -> Run {
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "octo/demo"),
        ("GITHUB_SHA", CHECKED_OUT),
        ("GITHUB_RUN_ID", "17"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_EVENT_PATH", "event.json"),
        ("GITHUB_EVENT_NAME", name),
        ("GITHUB_ACTOR", actor),
    ];
    let variable = |wanted: &str| {
        let known = environment.iter().find(|(name, _)| *name == wanted);
        known.map(|(_, value)| (*value).to_owned())
    };
    read(&variable, &|_| Some(payload.to_owned())).unwrap()
}

#[cfg(feature = "oracles")]
mod real {
    use migration_preflight::github::WithoutSecrets;
    use serde_json::{Value, json};

    use super::*;

    /// The commit, the pull request, and who has no secrets.
    type Read = (String, Option<u64>, Option<WithoutSecrets>);

    fn facts(name: &str, payload: &Value, actor: &str) -> Read {
        let run = run(name, &payload.to_string(), actor);
        assert_eq!((run.owner.as_str(), run.repository.as_str(), run.attempt.as_str()), ("octo", "demo", "17-1"));
        (run.commit, run.pull_request, run.without_secrets)
    }

    /// The payloads of an event.
    fn examples(name: &str) -> Vec<Value> {
        all().into_iter().filter(|(event, _)| event == name).map(|(_, payload)| payload).collect()
    }

    /// GitHub's examples, with the names of their events.
    fn all() -> Vec<(String, Value)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/github/build/events.jsonl");
        let text = std::fs::read_to_string(path).expect("tests/oracles/github/run.sh makes it");
        let lines: Vec<&str> = text.lines().collect();
        let pair = |pair: &[&str]| (serde_json::from_str(pair[0]).unwrap(), serde_json::from_str(pair[1]).unwrap());
        lines.chunks_exact(2).map(pair).collect()
    }

    /// An example with something changed in it.
    fn with(name: &str, changes: &[(&str, Value)]) -> Value {
        let mut payload = examples(name).remove(0);
        for (pointer, value) in changes {
            *payload.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value.clone();
        }
        payload
    }

    /// GitHub's documentation of what starts a workflow, event by event: of which the commit is, and the pull request.
    /// What is not in the table is of the commit that is checked out, and of no pull request.
    #[test]
    fn each_of_githubs_examples_leads_to_the_right_commit_and_pull_request() {
        const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
        let commits: [(&str, usize, &[&str], &[u64]); 6] = [
            ("pull_request", 29, &[HEAD], &[2]),
            ("pull_request_review", 4, &[HEAD], &[2]),
            ("pull_request_review_comment", 5, &[HEAD], &[2]),
            ("pull_request_review_thread", 3, &[CHECKED_OUT], &[2, 118]),
            ("merge_group", 2, &["2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d"], &[]),
            (
                "workflow_run",
                5,
                &["3484a3fb816e0859fd6e1cea078d76385ff50625", "5779607b49aab1200488439f02372c57b4f75444"],
                &[],
            ),
        ];
        for (name, count, heads, numbers) in commits {
            let read: Vec<_> = examples(name).iter().map(|payload| facts(name, payload, "octo")).collect();
            assert_eq!(read.len(), count, "{name}");
            for (commit, number, without) in &read {
                assert!(heads.contains(&commit.as_str()), "{name}: {commit}");
                assert!(number.map_or(numbers.is_empty(), |number| numbers.contains(&number)), "{name}: {number:?}");
                assert_eq!(*without, None, "{name}");
            }
            assert!(heads.iter().all(|head| read.iter().any(|(commit, ..)| commit == head)), "{name}");
        }
        let others = all().into_iter().filter(|(name, _)| commits.iter().all(|(known, ..)| known != name));
        let others: Vec<_> = others.map(|(name, payload)| (facts(&name, &payload, "octo"), name)).collect();
        assert!(others.len() > 200, "{}", others.len());
        // The milestone of an issue that is a pull request.
        assert_eq!(others.iter().filter(|((_, number, _), name)| name == "issues" && *number == Some(2)).count(), 4);
        for ((commit, number, without), name) in others {
            assert_eq!((commit.as_str(), without), (CHECKED_OUT, None), "{name}");
            assert!(number.is_none() || name == "issues", "{name}");
        }
    }

    #[test]
    fn what_the_examples_lack_is_made_of_them() {
        const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
        use WithoutSecrets::{Dependabot, Fork};
        let pull_request = || with("pull_request", &[]);
        let fork = || with("pull_request", &[("/pull_request/head/repo/full_name", "ann/Hello-World".into())]);
        let gone = with("pull_request", &[("/pull_request/head/repo", Value::Null)]);
        let of_bot = with("pull_request", &[("/pull_request/user/login", "dependabot[bot]".into())]);
        let commit = "a".repeat(40);
        let push = |before: &str, after: &str, forced: bool, deleted: bool| {
            let values = [
                ("/before", before.into()),
                ("/after", after.into()),
                ("/forced", forced.into()),
                ("/deleted", deleted.into()),
            ];
            with("push", &values)
        };
        let zero = "0".repeat(40);
        let mut on_pull_request = examples("issue_comment").remove(0);
        let mut on_issue = on_pull_request.clone();
        on_issue["issue"]["pull_request"] = Value::Null;
        on_pull_request["issue"]["pull_request"] = json!({"url": "https://api.github.com/repos/octo/demo/pulls/1"});
        let bot = "dependabot[bot]";
        let cases = [
            ("a fork", "pull_request", fork(), "ann", (HEAD, Some(2), Some(Fork))),
            ("a fork that is gone", "pull_request", gone, "ann", (HEAD, Some(2), Some(Fork))),
            ("a fork's, reviewed", "pull_request_review", fork(), "octo", (HEAD, Some(2), Some(Fork))),
            ("in the base's own right", "pull_request_target", fork(), "ann", (HEAD, Some(2), None)),
            ("Dependabot", "pull_request", of_bot.clone(), bot, (HEAD, Some(2), Some(Dependabot))),
            ("Dependabot's, run again by somebody", "pull_request", of_bot, "ann", (HEAD, Some(2), None)),
            (
                "Dependabot's push",
                "push",
                push(&zero, &commit, false, false),
                bot,
                (CHECKED_OUT, None, Some(Dependabot)),
            ),
            ("a push", "push", push(&"b".repeat(40), &commit, false, false), "ann", (CHECKED_OUT, None, None)),
            ("a forced push", "push", push(&"b".repeat(40), &commit, true, false), "ann", (CHECKED_OUT, None, None)),
            ("a branch that is gone", "push", push(&commit, &zero, false, true), "ann", (CHECKED_OUT, None, None)),
            ("the clock", "schedule", json!({"schedule": "0 3 * * *"}), "ann", (CHECKED_OUT, None, None)),
            ("by hand", "workflow_dispatch", with("workflow_dispatch", &[]), "ann", (CHECKED_OUT, None, None)),
            ("a comment on a pull request", "issue_comment", on_pull_request, "ann", (CHECKED_OUT, Some(1), None)),
            ("a comment on an issue", "issue_comment", on_issue, "ann", (CHECKED_OUT, None, None)),
            ("called by another workflow", "workflow_call", pull_request(), "ann", (CHECKED_OUT, Some(2), None)),
        ];
        for (what, name, payload, actor, (commit, number, without)) in cases {
            assert_eq!(facts(name, &payload, actor), (commit.to_owned(), number, without), "{what}");
        }
    }

    /// Every value of an example made one of another kind, one after the other.
    #[test]
    fn no_value_of_an_unexpected_kind_is_an_error() {
        for name in ["pull_request", "merge_group", "workflow_run"] {
            let payload = examples(name).remove(0);
            let mut pointers = Vec::new();
            walk(&payload, String::new(), &mut pointers);
            assert!(pointers.len() > 15, "{name}: {}", pointers.len());
            for odd in [Value::Null, json!([]), json!({}), json!(-1), json!("../../x"), json!(true), json!(1e300)] {
                for pointer in &pointers {
                    let mut payload = payload.clone();
                    *payload.pointer_mut(pointer).unwrap() = odd.clone();
                    let (commit, ..) = facts(name, &payload, "octo");
                    assert!(
                        commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                        "{pointer}: {odd}"
                    );
                }
            }
        }
    }

    /// Where something stands that is looked at, and what is above it.
    fn walk(value: &Value, at: String, pointers: &mut Vec<String>) {
        const OF_NO_INTEREST: [&str; 4] = ["url", "/repository", "/sender", "/_links"];
        let is_deep = at.matches('/').count() > 3 && !at.ends_with("repo/full_name");
        if !is_deep && OF_NO_INTEREST.iter().all(|part| !at.contains(part)) {
            if let Value::Object(entries) = value {
                entries.iter().for_each(|(key, value)| walk(value, format!("{at}/{key}"), pointers));
            }
            pointers.push(at);
        }
    }
}

#[test]
fn an_event_that_cannot_be_read_leaves_what_the_environment_says() {
    let deep = format!("{}1{}", "{\"pull_request\":".repeat(100_000), "}".repeat(100_000));
    let lists = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let large = format!("{{\"x\": \"{}\"}}", "y".repeat(12 << 20));
    let cut = r#"{"pull_request": {"number": 7, "head": {"sha": "22222222222222222222222222222222222222"#;
    let twice = r#"{"pull_request": {"number": 99999999999999999999, "number": -7}, "pull_request": 5}"#;
    for payload in ["", " ", "\0", "null", "true", "[", "{", "NaN", "{}x", cut, twice, &deep, &lists, &large] {
        for name in ["pull_request", "merge_group", "workflow_run", "push", "", "\0", "ö", "../.."] {
            let run = run(name, payload, "octo");
            let read = (run.commit.as_str(), run.pull_request, run.without_secrets);
            assert_eq!(read, (CHECKED_OUT, None, None), "{name}: {payload:.40}");
        }
    }
}
