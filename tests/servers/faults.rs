//! Everything that can keep a history from being read, as the user of the program meets it: the right words, in time,
//! no secret in any of them though the log is at its loudest, and the target beside it complete.

mod mysql;
mod postgres;

use std::time::{Duration, Instant};

use migration_preflight::history::DatabaseErrorKind;

use url::Url;

use crate::shared::repository::{Repository, Run};
use crate::support::{PASSWORD, PIECES, encoded};

/// For every target, in seconds.
const TIMEOUT: &str = "3";
/// Generous: what the targets of one run take one after another, should they all wait to the end.
const MOST: Duration = Duration::from_secs(60);

const ONE: &str = "SELECT 1;\n";

/// One fault, and what is said of it.
pub struct Fault {
    /// The name of the environment that has it.
    pub name: &'static str,
    /// What the environment variable with the URL holds, where it is set.
    pub url: Option<String>,
    /// The history table, where it has another name than sqlx's own.
    pub table: Option<&'static str>,
    pub kind: DatabaseErrorKind,
    /// A part of what the database or the driver says.
    pub detail: String,
}

impl Fault {
    pub fn new(name: &'static str, url: impl Into<String>, kind: DatabaseErrorKind, detail: &str) -> Self {
        Self { name, url: Some(url.into()), table: None, kind, detail: detail.to_owned() }
    }

    pub fn of_table(self, table: &'static str) -> Self {
        Self { table: Some(table), ..self }
    }

    fn variable(&self) -> String {
        format!("{}_URL", self.name.to_ascii_uppercase().replace('-', "_"))
    }
}

/// Runs the program on all of them, with one healthy target, in both formats and with the log at its loudest.
pub async fn expect(faults: Vec<Fault>) {
    tokio::task::spawn_blocking(move || check(&faults)).await.unwrap();
}

fn check(faults: &[Fault]) {
    let mut config = "services:\n  api:\n    migrations: migrations\n    environments:\n      healthy: {}\n".to_owned();
    for (name, table) in faults.iter().filter_map(|fault| Some((fault.name, fault.table?))) {
        config += &format!("      {name}: {{ table: {table} }}\n");
    }
    config += "environments:\n";
    for fault in faults {
        config += &format!("  {}: {{ database-url: '${{{}}}' }}\n", fault.name, fault.variable());
    }
    config += "  healthy: { database-url: 'sqlite:dev.db' }\n";
    let repository = Repository::new().file("migrations/1_one.sql", ONE).database("dev.db", &[(1, "one", ONE)]);
    let repository = repository.config(&config);
    let urls = faults.iter().filter_map(|fault| Some((fault.variable(), fault.url.clone()?)));
    let mut environment: Vec<_> = urls.chain([("RUST_LOG".to_owned(), "trace".to_owned())]).collect();
    let run = |environment: &[(String, String)]| {
        let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let start = Instant::now();
        let run = repository.run_with(&["--timeout", TIMEOUT, "--output", "json=report.json"], &environment);
        assert!(start.elapsed() < MOST, "it took {:?}", start.elapsed());
        run
    };

    let first = run(&environment);
    let report = std::fs::read_to_string(repository.path().join("report.json")).unwrap();
    assert_eq!(first.code, 3, "{}", first.stdout);
    expect_words(faults, &report);
    expect_no_secret(&[&first.stdout, &first.stderr, &report]);

    // As in a workflow: only the commands that tell the runner of the secrets may hold them.
    environment.extend([("GITHUB_ACTIONS", "true"), ("RUNNER_DEBUG", "1")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    let second = run(&environment);
    assert_eq!(second.code, 3, "{}", second.stdout);
    let (masks, others): (Vec<_>, Vec<_>) =
        second.stderr.lines().partition(|line: &&str| line.starts_with("::add-mask::"));
    expect_no_secret(&[&second.stdout, &others.join("\n")]);
    expect_masks(faults, &masks, &second);
}

fn expect_words(faults: &[Fault], report: &str) {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let targets = report["targets"].as_array().unwrap();
    assert_eq!(targets.len(), faults.len() + 1);
    for (target, fault) in targets.iter().zip(faults) {
        let (name, finding) = (fault.name, &target["findings"][0]);
        assert_eq!(target["environment"], name);
        assert_eq!(finding["rule"], "unreachable-database", "{name}: {target:#}");
        assert_eq!(finding["severity"], "incomplete");
        let message = finding["message"].as_str().unwrap();
        let start = format!("the history could not be read: {}", fault.kind);
        assert!(message.starts_with(&start) && message.contains(&fault.detail), "{name}: {message}");
        assert_eq!(finding["help"], *fault.kind.help(), "{name}");
        assert_eq!(target["startup"]["outcome"], "unknown", "{name}");
    }
    let healthy = targets.last().unwrap();
    assert_eq!(healthy["startup"]["outcome"], "starts");
    assert_eq!(healthy["counts"]["applied"], 1);
    assert_eq!(healthy["findings"].as_array().unwrap().len(), 0);
}

fn expect_no_secret(shown: &[&str]) {
    for text in shown {
        for piece in PIECES {
            let leak = text.lines().find(|line| line.contains(piece));
            assert!(leak.is_none(), "{piece} is shown: {}", leak.unwrap());
        }
    }
}

/// The runner is told of every URL, and of every password as it is written and as it is meant, before anything else.
fn expect_masks(faults: &[Fault], masks: &[&str], run: &Run) {
    assert!(run.stderr.starts_with("::add-mask::"), "{}", run.stderr.lines().next().unwrap_or_default());
    let masks: Vec<_> = masks.iter().map(|mask| mask.trim_start_matches("::add-mask::").replace("%25", "%")).collect();
    for url in faults.iter().filter_map(|fault| fault.url.as_ref()).filter(|url| !url.is_empty()) {
        assert!(masks.contains(url), "{url}");
        let password = url::Url::parse(url).ok().and_then(|url| url.password().map(str::to_owned));
        for password in password.iter() {
            let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            assert!(masks.contains(password) && masks.iter().any(|mask| *mask == decoded), "{password}");
        }
    }
}

/// A URL with something changed.
pub fn with(mut url: Url, change: impl FnOnce(&mut Url)) -> String {
    change(&mut url);
    url.into()
}

/// The way to the same database through another port.
pub fn through(url: Url, port: u16) -> String {
    with(url, |url| url.set_port(Some(port)).unwrap())
}

/// What a server says that repeats the password, as it is meant and as it is written.
pub fn parroted() -> String {
    format!("you said {PASSWORD} and {}", encoded(PASSWORD))
}

/// A password that no server knows, in the form in which a URL takes it.
pub fn wrong_password() -> String {
    encoded("é@Zv9w:Xp3r/%\"Lm5t")
}

#[tokio::test]
async fn a_configuration_that_gives_no_usable_url() {
    use DatabaseErrorKind::{MalformedUrl, NotUtf8, SecretNotSet, UnknownScheme};
    let unset = |name: &'static str, url: Option<&str>, variable: &str| Fault {
        name,
        url: url.map(str::to_owned),
        table: None,
        kind: SecretNotSet { variable: variable.to_owned() },
        detail: String::new(),
    };
    let encode = "has to be percent-encoded";
    expect(vec![
        unset("unset", None, "UNSET_URL"),
        unset("empty", Some(""), "EMPTY_URL"),
        Fault::new("no-scheme", "u:Zv9w@host/d", UnknownScheme, "known are `postgres:`, `mysql:`"),
        Fault::new("other-scheme", "oracle://u:Zv9w@host/d", UnknownScheme, "known are"),
        Fault::new("jdbc", "jdbc:postgresql://host/d?password=Zv9w", UnknownScheme, "`jdbc:`; known are"),
        Fault::new("raw-colon", "postgres://u:ä@Zv9w:Xp3r/d", MalformedUrl, encode),
        Fault::new("raw-slash", "postgres://u:Zv9w/Xp3r@host/d", MalformedUrl, encode),
        Fault::new("raw-question", "mysql://u:1?Zv9w@host/d", MalformedUrl, encode),
        Fault::new("raw-hash", "mysql://u:1#Zv9w@host/d", MalformedUrl, encode),
        Fault::new("latin-1", "postgres://u:Zv9w%e4Xp3r@host/d", NotUtf8, "the password"),
        Fault::new("no-database", "mysql://u:Zv9w@host", MalformedUrl, "it names no database"),
        Fault::new("odd-mode", "postgres://u:Zv9w@host/d?sslmode=Xp3r", MalformedUrl, "`sslmode` is none of"),
    ])
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    use DatabaseErrorKind::{NoSuchDatabase, Slow, Unintelligible, WrongShape};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite:{}", path(name).display());
    std::fs::create_dir(path("folder")).unwrap();
    std::fs::write(path("text"), "no database at all, but long enough to hold a header of a hundred bytes".repeat(9))
        .unwrap();
    let locked = written("locked", &folder, "CREATE TABLE _sqlx_migrations (version BIGINT); BEGIN EXCLUSIVE").await;
    written("odd", &folder, "CREATE TABLE _sqlx_migrations (version BIGINT, what TEXT)").await;
    written(
        "whole",
        &folder,
        "CREATE TABLE a AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 9000) SELECT x FROM n",
    )
    .await;
    let whole = std::fs::read(path("whole")).unwrap();
    std::fs::write(path("torn"), &whole[..whole.len() / 3]).unwrap();
    expect(vec![
        Fault::new("absent", url("none.db"), NoSuchDatabase, "does not exist"),
        Fault::new("folder", url("folder"), Unintelligible, "is a directory"),
        Fault::new("text", url("text"), Unintelligible, "file is not a database"),
        Fault::new("odd", url("odd"), WrongShape, "no such column"),
        Fault::new("torn", url("torn"), Unintelligible, "malformed"),
        Fault::new("locked", url("locked"), Slow, "database is locked"),
        Fault::new("like-a-server", "sqlite://u:Zv9w@host/d", NoSuchDatabase, "***"),
    ])
    .await;
    drop(locked);
}

/// An SQLite file that these statements were run on, and the connection that ran them.
async fn written(name: &str, folder: &tempfile::TempDir, sql: &'static str) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join(name)).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection
}
