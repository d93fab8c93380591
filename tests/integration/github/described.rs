//! Every request held against GitHub's own description of its API, in each way to report.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::hub::{Comment, Hub, JOB_CHECK};
use super::prism::Prism;
use super::stand_in::Request;
use super::{COMMIT, HEAD, ONE, TOKEN, commands, repository, run_with, step, told};
use crate::shared::repository::{Repository, Run};

/// One Prism for all of it: it takes its time to start.
#[test]
fn github_takes_every_request_as_it_describes_them() {
    let hub = Hub::start();
    let github = Github { prism: Prism::start(&hub.server.url), hub };
    github.what_is_wrong_goes_no_further();
    github.each_way_to_report();
    github.a_run_that_comes_to_no_report();
    github.any_number_of_annotations();
    github.a_page_that_is_too_long_is_cut();
    github.the_comment_is_found_among_many();
}

struct Github {
    prism: Prism,
    hub: Hub,
}

impl Github {
    /// Runs the check, expects GitHub to take all of it, and returns what it was asked.
    fn run(&self, repository: &Repository, code: i32, arguments: &[&str]) -> (Run, Vec<Request>) {
        let arguments = [&["--timeout", "20"], arguments].concat();
        let run = run_with(repository, &self.prism.url, &arguments, &[("INPUT_CHECK-RUN-ID", JOB_CHECK)]);
        assert_eq!((run.code, told(&run).as_str()), (code, ""), "{arguments:?}: {run}");
        let requests = self.hub.server.take();
        requests.iter().for_each(expect_proper);
        (run, requests)
    }

    /// The description would be of no use if it were not looked at.
    fn what_is_wrong_goes_no_further(&self) {
        self.hub.reset(Vec::new());
        let note = json!({"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "x"});
        let output = |annotations: usize, summary: &str| json!({"title": "x", "summary": summary, "annotations": vec![note.clone(); annotations]});
        let check = |output: Value| json!({"name": "x", "head_sha": HEAD, "conclusion": "success", "output": output});
        for (body, status) in [
            (check(output(50, &"x".repeat(65_535))), 201),
            (check(output(51, "x")), 422),
            (check(output(1, &"x".repeat(65_536))), 422),
            (check(json!({"title": "x", "summary": "x", "footer": "x"})), 422),
            (json!({"name": "x", "conclusion": "success"}), 422),
            (json!({"name": "x", "head_sha": HEAD, "conclusion": "perfect"}), 422),
        ] {
            let answer = post(&self.prism.url, "/repos/octo/demo/check-runs", &body);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status} is due: {answer}");
        }
        assert_eq!(self.hub.server.take().len(), 1);
    }

    fn each_way_to_report(&self) {
        let repository = repository(1).config(
            "defaults: { database-url: 'sqlite:dev.db' }\n\
             services: { api: { migrations: migrations }, 'a|b': { migrations: migrations } }\n",
        );
        for (way, check, annotated) in [
            ("check-run", None, Some("Preflight")),
            ("job-check", Some(JOB_CHECK), Some("preflight")),
            ("auto", Some(JOB_CHECK), Some("preflight")),
            ("auto", None, Some("Preflight")),
            ("annotations", None, None),
            ("none", None, None),
        ] {
            self.hub.reset(Vec::new());
            let arguments = ["--timeout", "20", "--report", way, "--check-name", "Preflight", "--comment"];
            let check = ("INPUT_CHECK-RUN-ID", check.unwrap_or_default());
            let run = run_with(&repository, &self.prism.url, &arguments, &[check]);
            assert_eq!((run.code, told(&run).as_str()), (1, ""), "{way}: {run}");
            self.hub.server.take().iter().for_each(expect_proper);
            let held = self.hub.held();
            let written: Vec<_> = held.checks.values().filter(|check| !check.annotations.is_empty()).collect();
            let names: Vec<_> = written.iter().map(|check| check.name.as_str()).collect();
            assert_eq!(names, Vec::from_iter(annotated), "{way}: {run}");
            for check in written.iter().filter(|check| check.name == "Preflight") {
                assert_eq!((check.head.as_str(), &check.conclusion), (HEAD, &json!("failure")));
            }
            assert_eq!(commands(&run), usize::from(way == "annotations"), "{way}: {run}");
            assert_eq!(held.comments.len(), 1, "{way}");
        }
    }

    fn a_run_that_comes_to_no_report(&self) {
        let broken = repository(0).config("migration: x\n");
        for way in ["check-run", "job-check", "auto"] {
            self.hub.reset(Vec::new());
            let arguments = ["--report", way, "--comment", "--timeout", "20"];
            let run = run_with(&broken, &self.prism.url, &arguments, &[("INPUT_CHECK-RUN-ID", JOB_CHECK)]);
            assert!(run.code == 2 && !told(&run).contains("warning:"), "{way}: {run}");
            self.hub.server.take().iter().for_each(expect_proper);
            let held = self.hub.held();
            assert_eq!(held.checks.values().filter(|check| check.summary.contains("unknown key")).count(), 1, "{way}");
            assert_eq!(held.comments.len(), 1);
        }
        self.hub.reset(Vec::new());
        let inputs = [("INPUT_REPORT", "auto"), ("INPUT_TIMEOUT", "20")];
        let run = step(&broken, &self.prism.url, &["--abandoned"], &inputs);
        assert_eq!((run.code, told(&run).as_str()), (0, ""), "{run}");
        self.hub.server.take().iter().for_each(expect_proper);
        assert!(self.hub.held().checks.values().any(|check| check.conclusion == "cancelled"));
    }

    fn any_number_of_annotations(&self) {
        for (missing, requests) in [(0, 1), (1, 1), (50, 1), (51, 2), (120, 3)] {
            for way in ["check-run", "job-check"] {
                self.hub.reset(Vec::new());
                let repository = repository(missing);
                let (_, sent) = self.run(&repository, i32::from(missing > 0), &["--report", way]);
                assert_eq!(sent.len(), requests, "{missing}, {way}");
                let held = self.hub.held();
                let check = held.checks.values().find(|check| !check.title.is_empty()).unwrap();
                let paths: Vec<_> = check.annotations.iter().map(|note| note["path"].as_str().unwrap()).collect();
                let expected: Vec<_> =
                    (2..2 + missing).map(|version| format!("migrations/{version}_step.sql")).collect();
                assert_eq!(paths, expected, "{way}");
            }
        }
    }

    fn a_page_that_is_too_long_is_cut(&self) {
        self.hub.reset(Vec::new());
        let description = "ä".repeat(90);
        let rows: Vec<_> = (1..=800).map(|version| (version, description.as_str(), ONE)).collect();
        let repository = repository(0).database("long.db", &rows);
        let repository = repository.config("defaults: { database-url: 'sqlite:long.db' }\n");
        let (_, sent) = self.run(&repository, 1, &["--report", "check-run", "--comment"]);
        assert!(sent.len() > 16, "{}", sent.len());
        let whole = std::fs::read_to_string(repository.path().join("summary.md")).unwrap();
        assert!(whole.len() > 200_000 && !whole.contains("more, which"), "{}", whole.len());
        let held = self.hub.held();
        let check = held.checks.values().find(|check| check.name == "migration-preflight").unwrap();
        assert_eq!(check.annotations.len(), rows.len());
        for (page, most) in [(&check.summary, 65_535), (&held.comments[0].body, 65_536)] {
            assert!(page.len() <= most && page.len() > most / 2, "{}", page.len());
            assert!(page.contains("more, which the JSON report has."), "{page}");
        }
    }

    fn the_comment_is_found_among_many(&self) {
        let mark = "<!-- migration-preflight: migration-preflight -->\n";
        let others = |count: u64| {
            // Anybody may write the mark.
            let fake = |id| Comment { id, author: "User", body: mark.to_owned() + "fake" };
            (1..=count).map(fake).collect::<Vec<_>>()
        };
        let ours = Comment { id: 777, author: "Bot", body: mark.to_owned() + "old" };
        let (clean, failing) = (repository(0), repository(1));
        for (known, repository, left) in
            [(false, &failing, true), (true, &failing, true), (true, &clean, false), (false, &clean, false)]
        {
            let mut comments = others(230);
            comments.extend(known.then(|| ours.clone()));
            comments.extend(others(20));
            self.hub.reset(comments);
            let code = i32::from(std::ptr::eq(repository, &failing));
            let (_, sent) = self.run(repository, code, &["--report", "annotations", "--comment"]);
            let asked: Vec<_> = sent.iter().map(|request| request.method.as_str()).collect();
            let written = match (known, left) {
                (false, true) => Some("POST"),
                (true, true) => Some("PATCH"),
                (true, false) => Some("DELETE"),
                (false, false) => None,
            };
            assert_eq!(asked, [&["GET"; 3][..], &Vec::from_iter(written)].concat());
            let held = self.hub.held();
            let of_app: Vec<_> = held.comments.iter().filter(|comment| comment.author == "Bot").collect();
            assert_eq!((of_app.len(), held.comments.len()), (usize::from(left), 250 + usize::from(left)));
            assert!(of_app.iter().all(|comment| comment.body.contains("❌ fail")));
            assert!(held.comments.iter().filter(|it| it.author == "User").all(|it| it.body.ends_with("fake")));
        }
    }
}

/// What GitHub demands, and its description does not say.
fn expect_proper(request: &Request) {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("authorization"), format!("Bearer {TOKEN}"));
    assert!(header("user-agent").len() > 1, "GitHub refuses whoever does not say who it is");
    if request.method == "GET" || request.method == "DELETE" {
        return;
    }
    let body = request.json();
    assert_eq!(body.get("conclusion").is_some(), body["status"] == "completed", "{body:#}");
    assert_ne!(body["head_sha"], COMMIT, "the check belongs on the head of the pull request");
    let output = &body["output"];
    assert!(output["title"].as_str().unwrap_or_default().chars().count() <= 255);
    for annotation in output["annotations"].as_array().into_iter().flatten() {
        let text = |name: &str| annotation[name].as_str().unwrap();
        let path = text("path");
        assert!(!path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
        assert!(annotation["start_line"].as_u64().unwrap() >= 1);
        assert_eq!(annotation["start_line"], annotation["end_line"]);
        assert!(!text("message").is_empty() && text("message").len() <= 64 << 10);
        assert!(text("title").chars().count() <= 255);
    }
}

/// The answer to a request that the program would never send.
fn post(url: &str, path: &str, body: &Value) -> String {
    let (body, host) = (body.to_string(), url.trim_start_matches("http://"));
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
