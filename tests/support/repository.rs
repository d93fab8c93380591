//! A repository in a temporary folder, databases in SQLite files, and the program run on them.

use std::fs;
use std::path::Path;
use std::process::Command;

use migration_preflight::migration::Checksum;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// A temporary folder that the program takes for the root of a repository.
pub struct Repository(tempfile::TempDir);

/// What the program left with, and what it wrote.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// One row of a history: version, description, and the content that was applied.
pub type Row<'a> = (i64, &'a str, &'a str);

#[allow(dead_code, reason = "no test binary uses all of it")]
impl Repository {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with its folders.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn config(self, yaml: &str) -> Self {
        self.file(".github/migration-preflight.yml", yaml)
    }

    /// Makes an SQLite database with a history of these rows.
    pub fn database(self, path: &str, rows: &[Row]) -> Self {
        self.add_database(path, rows);
        self
    }

    pub fn add_database(&self, path: &str, rows: &[Row]) {
        let file = self.path().join(path);
        block_on(async {
            let mut connection =
                SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await.unwrap();
            let table = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                 installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
                 checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";
            sqlx::query(table).execute(&mut connection).await.unwrap();
            sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
            for (version, description, content) in rows {
                sqlx::query("INSERT INTO _sqlx_migrations VALUES (?, ?, CURRENT_TIMESTAMP, TRUE, ?, 7)")
                    .bind(version)
                    .bind(description)
                    .bind(Checksum::of(content).as_bytes().to_vec())
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// Runs SQL on an SQLite database.
    pub fn execute(self, path: &str, sql: &'static str) -> Self {
        block_on(async {
            let mut connection = SqliteConnectOptions::new().filename(self.path().join(path)).connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
        self
    }

    /// Runs the program in the root, with no environment but what a program needs to start.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        self.run_in("", arguments, environment)
    }

    pub fn run_in(&self, folder: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_migration-preflight"))
            .args(arguments)
            .current_dir(self.path().join(folder))
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| {
            let root = self.path().to_str().unwrap();
            String::from_utf8(bytes).unwrap().replace(root, "[root]")
        };
        Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The JSON report of a run, held against its published schema, and the exit code.
    pub fn json(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let run = self.run(&[arguments, &["--format", "json"]].concat());
        let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no JSON: {run:?}"));
        let schema = include_str!("../../docs/report-v1.schema.json");
        let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        let mistakes: Vec<_> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(mistakes, Vec::<String>::new(), "{report:#}");
        (run.code, report)
    }
}

/// `exit code`, then what was written, for snapshots.
impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}\n{}", self.code, self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        Ok(())
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
