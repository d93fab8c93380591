//! No secret leaves in anything that is published, whatever goes wrong: not the password of a database in any form, and
//! not the token, but for the one header that it is for.

use std::fs;
use std::io::Write;
use std::net::TcpListener;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::github::stand_in::{Reply, Request, StandIn};
use crate::github::{TOKEN, run_with};
use crate::hostile::{message, server};
use crate::shared::repository::{Repository, Run};

/// All of it has to be encoded in a URL, but for the pieces that are looked for.
const PASSWORD: &str = "ä@Kq7w:Xp3r/Lm5t%Yn8s\"ß?#Bd6k";
/// What is left of the password, in whichever form it comes back, and of the token.
const PIECES: [&str; 6] = ["Kq7w", "Xp3r", "Lm5t", "Yn8s", "Bd6k", "t0kenZv9w"];

/// An environment for each fault, and one that has findings.
fn repository(urls: &[(&str, String)]) -> Repository {
    let name = |variable: &str| variable.to_ascii_lowercase();
    let environments =
        urls.iter().map(|(variable, _)| format!("  {}: {{ database-url: '${{{variable}}}' }}\n", name(variable)));
    let config = format!(
        "services: {{ api: {{ migrations: migrations }} }}\nenvironments:\n  healthy: {{ database-url: 'sqlite:dev.db' }}\n{}",
        environments.collect::<String>()
    );
    Repository::new()
        .file("migrations/1_one.sql", "SELECT 1;\n")
        .file("event.json", r#"{"pull_request": {"number": 7}}"#)
        .database("dev.db", &[(1, "one", "SELECT 1;\n"), (2, "two", "SELECT 2;\n")])
        .config(&config)
}

/// A database URL for each fault that tells something of it.
fn faults() -> Vec<(&'static str, String)> {
    let password = utf8_percent_encode(PASSWORD, NON_ALPHANUMERIC).to_string();
    let told = password.clone();
    let parrot = server(move |client, password| {
        let said = [b"SFATAL\0VFATAL\0C28P01\0Mwrong: <", password, b"> or ", told.as_bytes(), b"\0\0"].concat();
        client.write_all(&message(b'E', &said))
    });
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silence = silent.local_addr().unwrap().port();
    // Nobody accepts, and nobody hangs up.
    std::mem::forget(silent);
    vec![
        ("REFUSED", format!("postgres://u:{password}@127.0.0.1:1/d?sslmode=disable")),
        ("REJECTED", format!("postgres://u:{password}@127.0.0.1:{parrot}/d?sslmode=disable")),
        ("SILENT", format!("postgres://u:{password}@127.0.0.1:{silence}/d?sslmode=disable")),
        ("REFUSED_MYSQL", format!("mysql://u:{password}@127.0.0.1:1/d")),
        ("RAW", format!("postgres://u:{PASSWORD}@127.0.0.1:1/d")),
        ("UNKNOWN_SCHEME", format!("oracle://u:{password}@127.0.0.1:1/d")),
        ("NO_SCHEME", format!("u:{password}@127.0.0.1:1/d")),
        ("QUERY", format!("postgres:///d?host=127.0.0.1&port=1&user=u&password={password}&sslmode=disable")),
        ("NO_FILE", format!("sqlite://u:{password}@h/none.db")),
        ("ODD_MODE", format!("postgres://u:{password}@127.0.0.1:1/d?sslmode=Xp3r")),
    ]
}

fn expect_none(what: &str, text: &str) {
    for piece in PIECES {
        let leak = text.lines().find(|line| line.contains(piece));
        assert!(leak.is_none(), "{piece} is shown in {what}: {}", leak.unwrap());
    }
}

/// Everything that the run left anywhere.
fn expect_no_secret(repository: &Repository, run: &Run, requests: &[Request]) {
    expect_none("standard output", &run.stdout);
    let told: Vec<_> = run.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    expect_none("standard error", &told.join("\n"));
    for name in
        ["summary.md", "outputs", "migration-preflight-self.json", "o.human", "o.json", "o.markdown", "o.github"]
    {
        let text = fs::read_to_string(repository.path().join(name)).unwrap();
        assert!(!text.is_empty(), "{name}");
        expect_none(name, &text);
    }
    for request in requests {
        expect_none("the path", &request.path);
        expect_none("the body", &request.body);
        let others = request.headers.iter().filter(|(name, _)| name != "authorization");
        others.for_each(|(name, value)| expect_none(name, value));
        assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    }
}

/// An answer with whatever it was sent.
fn parroted(request: &Request) -> Reply {
    let sent = request.header("authorization").unwrap().to_owned();
    let body = serde_json::json!({"message": format!("Bad credentials: {sent}"), "errors": [sent]});
    Reply::json(401, &body.to_string()).with("x-accepted-github-permissions", &format!("{sent}=write"))
}

/// Nothing is planned then, and so no secret is known but the token.
#[test]
fn the_token_is_not_told_where_the_configuration_cannot_be_used() {
    let github = StandIn::answering(|_, request| parroted(request));
    let url = format!("postgres://u:{PASSWORD}@h/d");
    for config in
        ["migration: x\n".to_owned(), "[".to_owned(), format!("database-url: '{url}'\n"), format!("{url}: 1\n")]
    {
        let broken = repository(&[]).config(&config);
        let log = [("RUST_LOG", "trace"), ("DATABASE_URL", url.as_str())];
        let run = run_with(&broken, &github.url, &["--report", "check-run", "--comment"], &log);
        assert!(run.code == 2 && run.stderr.contains("GitHub does not know the token"), "{run}");
        let told: Vec<_> = run.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        expect_none("standard error", &told.join("\n"));
        expect_none("standard output", &run.stdout);
        for request in github.take() {
            expect_none("the body", &request.body);
        }
        for name in ["summary.md", "outputs"] {
            expect_none(name, &fs::read_to_string(broken.path().join(name)).unwrap());
        }
    }
}

#[test]
fn no_secret_is_in_anything_that_is_published() {
    let faults = faults();
    let repository = repository(&faults);
    type Answer = fn(usize, &Request) -> Reply;
    let answers: [(&str, Answer); 3] = [
        ("as it should", |_, request| Reply::json(200, if request.method == "GET" { "[]" } else { r#"{"id": 42}"# })),
        ("repeating what it was sent", |_, request| parroted(request)),
        ("at the second attempt", |n, _| if n == 0 { Reply::HangUp } else { Reply::json(422, "") }),
    ];
    for (what, answer) in answers {
        for name in ["summary.md", "outputs"] {
            let _ = fs::remove_file(repository.path().join(name));
        }
        let github = StandIn::answering(answer);
        let mut environment = vec![("RUST_LOG", "trace"), ("RUNNER_DEBUG", "1")];
        environment.extend(faults.iter().map(|(name, url)| (*name, url.as_str())));
        let outputs = ["--output", "human=o.human", "--output", "json=o.json", "--output", "markdown=o.markdown"];
        let arguments = [&outputs[..], &["--output", "github=o.github", "--report", "check-run", "--comment"]].concat();
        let run = run_with(&repository, &github.url, &arguments, &environment);
        assert_eq!(run.code, 1, "{what}");
        assert!(run.stderr.contains(" TRACE "), "the log is silent: {}", run.stderr);
        assert!(run.stdout.contains("the database rejected the credentials: wrong: <"), "{}", run.stdout);
        expect_no_secret(&repository, &run, &github.requests());
    }
}
