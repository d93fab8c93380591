//! What every service of the oracle does at its start: `SERVICE DATABASE [ignore-missing]` migrates the SQLite database, and
//! says on standard error with which words of sqlx's it failed.

use std::process::ExitCode;

use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;

/// Whether the second argument asks for `set_ignore_missing(true)`.
#[allow(dead_code)] // A static migrator can't be told.
pub fn ignores_missing() -> bool {
    std::env::args().nth(2).as_deref() == Some("ignore-missing")
}

/// Migrates the database that the first argument names.
pub async fn start(migrator: &Migrator) -> ExitCode {
    let path = std::env::args().nth(1).expect("a database");
    let mut database = SqliteConnectOptions::new().filename(path).connect().await.expect("a connection");
    match migrator.run(&mut database).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{error}");
            ExitCode::FAILURE
        }
    }
}
