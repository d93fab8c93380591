//! A database and a user of its own for every test, so that all of them may run at once.

use migration_preflight::history::{AbsentTable, DatabaseError, History};
use migration_preflight::migration::AppliedMigration;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

use crate::support::{PASSWORD, TABLE, TIMEOUT, encoded, failure, present, read, unique, variable};

/// sqlx's own table.
pub const CREATE: &str = "(version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
    execution_time BIGINT NOT NULL)";
/// The row that [`crate::support::good`] is, written from another time zone.
pub const GOOD: &str = "(1, 'one', '2025-12-28 12:00:00', TRUE, x'00ff5c27', 17)";

/// The SQL for a history with the one good row.
pub fn history(table: &str) -> String {
    format!("SET time_zone = '+02:00'; CREATE TABLE {table} {CREATE}; INSERT INTO {table} VALUES {GOOD};")
}

/// A database and a user, whose name and the database's are one and the same.
pub struct Fixture {
    pub name: String,
}

pub async fn connect(url: &Url) -> MySqlConnection {
    MySqlConnection::connect(url.as_str()).await.unwrap()
}

impl Fixture {
    /// With `sql` run by root, in which `$ROLE` stands for the name.
    pub async fn new(sql: &str) -> Self {
        let name = format!("test_{}_{}", std::process::id(), unique());
        let mut admin = connect(&without_tls(variable("PREFLIGHT_TEST_MARIADB_URL"))).await;
        for statement in [format!("CREATE USER {name} IDENTIFIED BY '{PASSWORD}'"), format!("CREATE DATABASE {name}")] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
        }
        let fixture = Self { name };
        if !sql.is_empty() {
            fixture.execute(sql).await;
        }
        fixture
    }

    /// With a history that the user may read.
    pub async fn with_history() -> Self {
        Self::new(&(history(TABLE) + &format!("GRANT SELECT ON $ROLE.{TABLE} TO $ROLE"))).await
    }

    pub async fn admin(&self) -> MySqlConnection {
        let mut url = without_tls(variable("PREFLIGHT_TEST_MARIADB_URL"));
        url.set_path(&self.name);
        connect(&url).await
    }

    pub async fn execute(&self, sql: &str) {
        let mut admin = self.admin().await;
        sqlx::raw_sql(AssertSqlSafe(sql.replace("$ROLE", &self.name))).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    /// The user's URL.
    pub fn url(&self) -> Url {
        let mut url = without_tls(variable("PREFLIGHT_TEST_MARIADB_URL"));
        url.set_path(&self.name);
        url.set_username(&self.name).unwrap();
        url.set_password(Some(&encoded(PASSWORD))).unwrap();
        url
    }

    pub async fn read(&self, table: &str) -> Result<History, DatabaseError> {
        read(self.url().as_str(), table).await
    }

    pub async fn rows(&self, table: &str) -> Vec<AppliedMigration> {
        present(self.read(table).await)
    }

    pub async fn absent(&self, table: &str) -> AbsentTable {
        match self.read(table).await.unwrap() {
            History::Absent(absent) => absent,
            History::Present(rows) => panic!("{rows:?}"),
        }
    }

    pub async fn failure(&self, table: &str) -> DatabaseError {
        failure(self.url().as_str(), table, TIMEOUT).await
    }
}

/// A debug build takes its time to read this machine's certificates.
fn without_tls(url: String) -> Url {
    let mut url = Url::parse(&url).unwrap();
    url.set_query(Some("ssl-mode=DISABLED"));
    url
}
