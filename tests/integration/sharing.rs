//! Services that write to one history table: what sqlx does, and what is told.

mod report;

use std::path::PathBuf;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::shared::oracle::Met;
use crate::shared::sharing::{OUTCOMES, Place, check};
use crate::shared::worlds::scratch;

struct File(PathBuf);

impl Place for File {
    fn url(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    async fn empty(&self) {
        self.execute("DROP TABLE IF EXISTS _sqlx_migrations").await;
    }

    async fn start(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut connection = SqliteConnectOptions::new().filename(&self.0).connect().await.unwrap();
        let started = migrator.run(&mut connection).await;
        connection.close().await.unwrap();
        started
    }

    async fn execute(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new().filename(&self.0).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute(sql).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn two_services_on_one_sqlite_table_start_as_predicted() {
    let folder = scratch();
    let mut met = Met::default();
    check(&File(folder.path().join("shared.db")), &mut met).await;
    met.assert_all(&OUTCOMES);
}
