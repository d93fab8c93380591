//! Answers that GitHub would not give: of a proxy, of another server, of somebody in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::stand_in::{Reply, StandIn};
use super::{TOKEN, commands, repository, run, told};

#[test]
fn an_enterprise_server_has_its_api_below_a_path() {
    let github = StandIn::start(|n| Reply::json(201, if n == 0 { r#"{"id": 42}"# } else { "[]" }));
    for api in ["/api/v3", "/api/v3/"] {
        let api = format!("{}{api}", github.url);
        let run = run(&repository(51), &api, &["--report", "check-run"]);
        assert_eq!((run.code, told(&run)), (1, String::new()), "{run}");
        let requests = github.take();
        let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
        assert!(paths[0] == "/api/v3/repos/octo/demo/check-runs", "{paths:?}");
    }
}

#[test]
fn the_token_goes_nowhere_that_an_answer_leads_to() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#));
        let location = format!("{}/repos/octo/demo/check-runs", elsewhere.url);
        let github = StandIn::start(move |_| Reply::json(status, "").with("location", &location));
        let run = run(&repository(1), &github.url, &["--report", "check-run", "--comment"]);
        assert_eq!(run.code, 1, "{run}");
        assert_eq!(github.requests()[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        for request in elsewhere.requests() {
            assert_eq!(request.header("authorization"), None, "{status}");
            assert!(!format!("{request:?}").contains(TOKEN), "{status}: {request:?}");
        }
    }
}

#[test]
fn a_redirect_to_itself_is_not_followed_for_ever() {
    let github = StandIn::start(|_| Reply::json(307, "").with("location", "/repos/octo/demo/check-runs"));
    let run = run(&repository(1), &github.url, &["--report", "check-run"]);
    assert_eq!((run.code, commands(&run)), (1, 1), "{run}");
    assert!(github.requests().len() < 100, "{}", github.requests().len());
}

/// A proxy that wants somebody to log in answers so; what it was asked for is not done.
#[test]
fn a_page_of_html_is_no_success() {
    let login = "<!doctype html><title>Log in</title>";
    for (way, id) in [("check-run", ""), ("job-check", "5")] {
        let github = StandIn::start(move |_| Reply::json(200, login));
        let run = super::run_with(&repository(1), &github.url, &["--report", way], &[("INPUT_CHECK-RUN-ID", id)]);
        assert_eq!((run.code, commands(&run), github.requests().len()), (1, 1, 1), "{run}");
        assert!(told(&run).contains("the answer is none of GitHub's API: it is no JSON"), "{run}");
    }
    for answer in [login, r#"{"message": "hello"}"#, "null"] {
        let github = StandIn::start(move |_| Reply::json(200, answer));
        let run = run(&repository(1), &github.url, &["--report", "annotations", "--comment"]);
        let asked: Vec<_> = github.requests().iter().map(|request| request.method.clone()).collect();
        assert_eq!(asked, ["GET"], "no comment is added beside one that may be there: {run}");
        assert!(told(&run).contains("the answer is none of GitHub's API"), "{run}");
    }
}

#[test]
fn an_answer_without_end_is_left() {
    let sent = Arc::new(AtomicUsize::new(0));
    let reply = sent.clone();
    let github = StandIn::start(move |_| Reply::Endless(reply.clone()));
    let run = run(&repository(1), &github.url, &["--report", "check-run", "--timeout", "20"]);
    assert_eq!((run.code, commands(&run), github.requests().len()), (1, 1, 1), "{run}");
    assert!(told(&run).contains("it does not end"), "{run}");
    let sent = sent.load(Ordering::Relaxed) >> 20;
    assert!((60..200).contains(&sent), "{sent} MiB");
}

#[test]
fn a_time_to_wait_that_never_comes_is_not_waited_for() {
    let github = StandIn::start(|n| match n {
        0 => Reply::json(500, ""),
        _ => Reply::json(429, "{}").with("retry-after", &u64::MAX.to_string()),
    });
    let run = run(&repository(1), &github.url, &["--report", "check-run"]);
    assert_eq!((run.code, commands(&run), github.requests().len()), (1, 1, 2), "{run}");
    assert!(told(&run).contains("fewer requests at a time"), "{run}");
}

/// What GitHub says, and whoever speaks for it, is shown in the log of the job.
#[test]
fn no_answer_speaks_to_the_runner_or_to_the_terminal() {
    let message =
        r#"{"message": "a\n::error::b\u001b[31m\r::stop-commands::x ##[group]\u202e", "errors": ["\n::warning::"]}"#;
    for status in [401, 403, 404, 422] {
        let github = StandIn::start(move |_| {
            Reply::json(status, message).with("x-accepted-github-permissions", "a=b\u{7f}::error::,::error::=x")
        });
        let run = run(&repository(0), &github.url, &["--report", "check-run"]);
        let told = told(&run);
        assert!(told.contains("a") && run.code == 0, "{run}");
        for line in told.lines() {
            let acts = line.trim_start().starts_with("::") || line.contains("##[") || line.contains(char::is_control);
            assert!(!acts && !line.contains('\u{202e}'), "{line:?}");
        }
    }
}
