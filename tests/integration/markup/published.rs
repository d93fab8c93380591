//! The program run as a step of a workflow, on a repository and a database in which every name is hostile.

use std::fs;

use serde_json::{Value, json};

use super::page::Page;
use crate::github::run_with;
use crate::github::stand_in::{Reply, StandIn};
use crate::shared::repository::{Repository, Run};

/// Names of services, environments and files may hold anything but a `/` and a NUL; each is used as all of them.
const NAMES: [&str; 12] = [
    "a\n::error::b",
    "::add-mask::x",
    "##[error]x",
    "x%0A::error::y%25",
    "`a``b```c````d`````",
    "a|b\\|c",
    "@everyone @octo #123 GH-12 :tada:",
    "<img src=x><!-- a --><br>",
    "[x](http:a.b) ![y](z) www.a.b a@b.cc",
    "\u{1b}[31mred\u{9b}32m\u{7}",
    "\u{202e}txet\u{200b}\u{feff}",
    "**a** *b* ~~c~~ $d$",
];

/// What a run leaves: its log, the page and the outputs of the step, and what it sent.
struct Published {
    run: Run,
    files: Vec<String>,
    summary: String,
    outputs: String,
    check: Value,
    comment: String,
}

fn publish(name: &str) -> Published {
    // Names of services and environments may hold no control character.
    let label: String = name.chars().filter(|c| !c.is_control()).collect();
    let github = StandIn::answering(|_, request| match request.method.as_str() {
        "GET" => Reply::json(200, "[]"),
        _ => Reply::json(201, r#"{"id": 42}"#),
    });
    let file: String = label.chars().filter(|c| !c.is_whitespace() && !"#?%@$".contains(*c)).collect();
    let migration = |version: i64| format!("migrations/{version}_{name}.sql");
    let config = json!({
        "defaults": {"database-url": "sqlite:dev.db", "migrations": "migrations"},
        "accept": [{"rule": "out-of-order", "version": 2, "reason": name}, {"rule": "missing-migration", "version": 77, "reason": name}],
        "environments": {&label: {}, (format!("{label}2")): {}},
        "services": {
            (format!("1{label}")): {"environments": {&label: {}, (format!("{label}2")): {"database-url": format!("sqlite:{file}.db")}}},
            (format!("{label}3")): {"migrations": format!("at {}", label.replace('\\', "")), "environments": {&label: {}}},
        },
    });
    let repository = Repository::new()
        .file("event.json", r#"{"pull_request": {"number": 7}}"#)
        .file(&migration(1), "SELECT 1;\n")
        .file(&migration(2), "SELECT 2;\n")
        .file(&format!("migrations/9x_{name}.sql"), "SELECT 3;\n")
        .file(&format!("migrations/20260101-{name}.sql"), "SELECT 3;\n")
        .database("dev.db", &[(1, name, "SELECT 1;\n-- changed"), (3, name, "x"), (4, name, "y")])
        .config(&config.to_string());
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStringExt;
        let bytes = [b"migrations/20260102-".to_vec(), vec![0xff, b'`', b'|', 0xfe], b".sql".to_vec()].concat();
        fs::write(repository.path().join(std::ffi::OsString::from_vec(bytes)), "").unwrap();
    }
    let outputs = [
        "--output",
        "human=human",
        "--output",
        "markdown=markdown",
        "--output",
        "json=json",
        "--output",
        "sarif=sarif",
    ];
    let arguments = [&outputs[..], &["--format", "github", "--report", "check-run", "--comment", "--check-name", name]];
    let run = run_with(&repository, &github.url, &arguments.concat(), &[]);
    assert!(run.code == 1 && !run.stderr.contains("warning:"), "{name:?}: {run}");
    let requests = github.requests();
    let body = |path: &str| requests.iter().find(|it| it.method == "POST" && it.path.ends_with(path)).unwrap().json();
    let read = |name: &str| fs::read_to_string(repository.path().join(name)).unwrap();
    Published {
        files: ["human", "markdown", "json", "sarif"].map(read).to_vec(),
        run,
        summary: read("summary.md"),
        outputs: read("outputs"),
        check: body("/check-runs"),
        comment: body("/issues/7/comments")["body"].as_str().unwrap().to_owned(),
    }
}

/// The outputs as the runner reads them, after
/// <https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs>.
fn outputs(text: &str) -> Vec<(String, String)> {
    let mut lines = text.split('\n');
    let mut outputs = Vec::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (name, value) = match line.split_once("<<") {
            Some((name, end)) => {
                let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
                (name, value.join("\n"))
            }
            None => line.split_once('=').map(|(name, value)| (name, value.to_owned())).unwrap(),
        };
        outputs.push((name.to_owned(), value));
    }
    outputs
}

/// Lines that the runner would obey, and letters that a terminal would, but for the commands that are ours.
fn acting(text: &str, own: &[&str]) -> Vec<String> {
    let acts = |line: &&str| {
        let is_ours = own.iter().any(|start| line.starts_with(start));
        (!is_ours && (line.trim_start().starts_with("::") || line.contains("##[")))
            || line.contains(|c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{feff}'))
    };
    text.lines().filter(acts).map(str::to_owned).collect()
}

#[test]
fn no_name_acts_in_anything_that_is_published() {
    let plain = publish("harmless");
    assert!(Page::read(&plain.summary).structure.len() > 100, "{}", plain.summary);
    for name in NAMES {
        let found = publish(name);
        let commands = ["::error file=", "::warning file=", "::notice file=", "::notice title=migration-preflight::"];
        assert_eq!(acting(&found.run.stdout, &commands), [""; 0], "{name:?}: {}", found.run);
        assert_eq!(found.run.stdout.lines().count(), plain.run.stdout.lines().count(), "{name:?}: {}", found.run);
        // A mask has to be what is masked, letter by letter.
        let told: Vec<_> = found.run.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        assert_eq!(acting(&told.join("\n"), &[]), [""; 0], "{name:?}: {}", found.run);
        for (file, expected) in found.files.iter().zip(&plain.files) {
            assert_eq!(acting(file, &[]), [""; 0], "{name:?}: {file}");
            assert_eq!(file.lines().count(), expected.lines().count(), "{name:?}: {file}");
        }
        expect_pages(name, &found, &plain);
        let (found, plain) = (outputs(&found.outputs), outputs(&plain.outputs));
        let names = |outputs: &[(String, String)]| outputs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), ["verdict", "exit-code", "missing", "mismatched", "pending", "report-path"]);
        assert_eq!(found[..5], plain[..5], "{name:?}");
    }
}

fn expect_pages(name: &str, found: &Published, plain: &Published) {
    let summary = |check: &Value| check["output"]["summary"].as_str().unwrap().to_owned();
    let mark = |comment: &str| {
        let (mark, page) = comment.split_once('\n').unwrap();
        let inside = mark.strip_prefix("<!-- ").and_then(|mark| mark.strip_suffix(" -->")).unwrap();
        assert!(!inside.contains(['<', '>', '\n']) && !inside.contains("--!"), "{mark}");
        page.to_owned()
    };
    let pages = [
        (found.files[1].clone(), plain.files[1].clone()),
        (found.summary.clone(), plain.summary.clone()),
        (summary(&found.check), summary(&plain.check)),
        (mark(&found.comment), mark(&plain.comment)),
    ];
    for (page, expected) in pages {
        let (page, expected) = (Page::read(&page), Page::read(&expected));
        assert_eq!(page.acting(), [""; 0], "{name:?}: {}", page.shown);
        assert_eq!(page.structure, expected.structure, "{name:?}");
    }
    let (output, expected) = (&found.check["output"], &plain.check["output"]);
    assert_eq!(output["title"], expected["title"]);
    let notes = |output: &Value| output["annotations"].as_array().unwrap().clone();
    assert_eq!(notes(output).len(), notes(expected).len(), "{name:?}");
    for note in notes(output) {
        let title = note["title"].as_str().unwrap();
        assert!(!title.contains(|c: char| c.is_control()), "{title:?}");
        let message = note["message"].as_str().unwrap();
        assert!(!message.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{message:?}");
    }
}
