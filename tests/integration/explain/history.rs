//! Repositories with a history, built by the real git with fixed dates, and what the program explains of them.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::shared::repository::{Repository, Row, Run, block_on};

/// git as nobody has configured it.
const ISOLATED: [(&str, &str); 4] =
    [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C"), ("HOME", "/nonexistent")];

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_str!("../../../docs/report-v1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
});

/// A repository with a branch `main`, the database `dev.db` of its one service, and a calendar: each commit is a day.
pub struct History {
    pub repository: Repository,
    day: Cell<u32>,
    /// The folder that commands run in, below that of the repository.
    below: String,
}

impl History {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A repository that `git init` makes with more arguments.
    pub fn with(arguments: &[&str]) -> Self {
        let history = Self { repository: Repository::new(), day: Cell::new(0), below: String::new() };
        history.git(&[&["init", "--quiet", "--initial-branch=main"], arguments].concat());
        // The database of a developer is nobody else's.
        fs::write(history.path().join(".git/info/exclude"), "*.db\n").unwrap();
        history
    }

    /// The same, seen from another folder: a clone, a worktree, a submodule.
    pub fn seen_in(mut self, folder: &str) -> Self {
        self.below = folder.to_owned();
        self
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.repository.path().join(&self.below)
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(arguments);
        let output = self.run(command, "Ann");
        assert!(output.0, "git {arguments:?}: {}", output.1);
        output.1
    }

    /// A command of git's that has to fail, as a merge with a conflict does.
    pub fn git_fails(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(arguments);
        let (done, told) = self.run(command, "Ann");
        assert!(!done, "git {arguments:?}: {told}");
    }

    fn run(&self, mut command: Command, author: &str) -> (bool, String) {
        let date = format!("2026-01-{:02}T10:00:00+00:00", self.day.get().max(1));
        for (role, name) in [("AUTHOR", author), ("COMMITTER", author)] {
            command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), "a@example.com");
            command.env(format!("GIT_{role}_DATE"), &date);
        }
        let output = command.current_dir(self.path()).envs(ISOLATED).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).trim_end().to_owned())
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path().join(path)).unwrap();
        self
    }

    /// Commits all that there is, a day later, and returns the full name.
    pub fn commit(&self, author: &str, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.commit_index(author, subject)
    }

    /// Commits what is staged.
    pub fn commit_index(&self, author: &str, subject: &str) -> String {
        self.day.set(self.day.get() + 1);
        let mut command = Command::new("git");
        command.args(["commit", "--quiet", "--allow-empty", "--message", subject]);
        let (done, told) = self.run(command, author);
        assert!(done, "{told}");
        self.git(&["rev-parse", "HEAD"])
    }

    /// A database with rows that had these contents.
    pub fn applied(&self, rows: &[Row]) -> &Self {
        let path = Path::new(&self.below).join("dev.db");
        self.repository.add_database(path.to_str().unwrap(), rows);
        self
    }

    pub fn check(&self, arguments: &[&str]) -> Run {
        self.check_with(arguments, &[])
    }

    pub fn check_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let url = [("DATABASE_URL", "sqlite:dev.db")];
        self.repository.run_in(&self.below, arguments, &[&url[..], &ISOLATED[..], environment].concat())
    }

    /// The findings that are explained, as the JSON report has them.
    pub fn findings(&self, environment: &[(&str, &str)]) -> Vec<Value> {
        let run = self.check_with(&["--format", "json"], environment);
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
        let mistakes: Vec<_> = SCHEMA.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(mistakes, Vec::<String>::new(), "{report:#}");
        let targets =
            report["targets"].as_array().unwrap().iter().flat_map(|target| target["findings"].as_array().unwrap());
        let all = targets.chain(report["findings"].as_array().unwrap());
        let rules = ["missing-migration", "checksum-mismatch", "environment-drift"];
        all.filter(|finding| rules.contains(&finding["rule"].as_str().unwrap())).cloned().collect()
    }

    /// Runs the printed commands as a person would.
    pub fn mend(&self, finding: &Value) {
        for command in texts(&finding["explanation"]["fix"]) {
            let mut shell = Command::new("sh");
            shell.args(["-ec", &command]);
            let (done, told) = self.run(shell, "Ann");
            assert!(done, "{command}: {told}");
        }
    }

    /// Runs the printed SQL.
    pub fn repair(&self, finding: &Value) {
        let sql = finding["explanation"]["repair-sql"].as_str().unwrap().to_owned();
        block_on(async {
            let options = SqliteConnectOptions::new().filename(self.path().join("dev.db"));
            let mut connection = options.connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Whole explanations as a page, for snapshots. Of digests the first letters are left.
pub fn shown(findings: &[Value]) -> String {
    let mut out = Vec::new();
    for finding in findings {
        let explanation = &finding["explanation"];
        let text = |key: &str| explanation[key].as_str().map(str::to_owned);
        out.push(format!("{} {}: {}", finding["rule"].as_str().unwrap(), finding["version"], explanation["cause"]));
        out.extend(text("summary"));
        out.extend(text("difference").map(|kind| format!("difference: {kind}")));
        out.extend(texts(&explanation["diff"]).into_iter().map(|line| format!("  |{line}")));
        for key in ["added", "changed"] {
            let commit = &explanation[key];
            if let Some(id) = commit["id"].as_str() {
                let [author, date, subject] = ["author", "date", "subject"].map(|key| commit[key].as_str().unwrap());
                let number = &commit["pull-request"];
                out.push(format!("{key}: {} {author}, {date}, {subject}, {number}", &id[..12]));
            }
        }
        let branches = texts(&explanation["branches"]);
        out.extend((!branches.is_empty()).then(|| format!("branches: {}", branches.join(", "))));
        out.extend(texts(&explanation["fix"]).into_iter().map(|command| format!("$ {command}")));
        out.extend(text("repair-sql").iter().flat_map(|sql| sql.lines()).map(without_digests));
    }
    out.join("\n")
}

fn without_digests(line: &str) -> String {
    let is_digit = |c: char| c.is_ascii_hexdigit();
    let mut words = line.split('\'').map(|word| match word.len() == 96 && word.chars().all(is_digit) {
        true => format!("{}…", &word[..8]),
        false => word.to_owned(),
    });
    let first = words.next().unwrap_or_default();
    words.fold(first, |line, word| line + "'" + &word)
}

/// What is explained of a repository; then that the commands mend it, and in another copy the SQL.
pub fn explained(build: impl Fn() -> History) -> String {
    let history = build();
    let findings = history.findings(&[]);
    for finding in &findings {
        history.mend(finding);
    }
    let commands = findings.iter().any(|finding| !texts(&finding["explanation"]["fix"]).is_empty());
    if commands {
        assert_eq!(history.check(&[]).code, 0, "{}\n{}", shown(&findings), history.check(&[]));
    }
    let history = build();
    let sql: Vec<_> = findings.iter().filter(|finding| finding["explanation"]["repair-sql"].is_string()).collect();
    for finding in &sql {
        history.repair(finding);
    }
    if !sql.is_empty() {
        assert_eq!(shown(&history.findings(&[])), "", "after\n{}", shown(&findings));
    }
    shown(&findings)
}
