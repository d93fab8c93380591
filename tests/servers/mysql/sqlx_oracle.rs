//! Our prediction against what sqlx itself does: any start on MariaDB.

use migration_preflight::history::{DatabaseUrl, Engine};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use url::Url;

use super::support::connect;
use crate::shared::oracle::OUTCOMES;
use crate::shared::starts::Start;
use crate::sqlx_oracle::{Server, search};
use crate::support::variable;

/// What the places of a start may have created besides the database itself.
const OTHERS: [&str; 7] = ["app", "App", "APP", "other", "a.b", "größe", "5"];

/// A database of our own, without prepared statements that would outlive the tables of their case.
struct Database {
    url: Url,
    name: String,
    connection: MySqlConnection,
}

impl Database {
    async fn create() -> Self {
        let name = format!("oracle_{}", std::process::id());
        let mut url = Url::parse(&variable("PREFLIGHT_TEST_MARIADB_URL")).unwrap();
        // On the socket, because over TCP each statement that the driver closes costs 40 ms of waiting for an answer
        // that MySQL never sends.
        let socket = variable("PREFLIGHT_TEST_MARIADB_SOCKET");
        url.set_query(Some(&format!("socket={socket}&ssl-mode=DISABLED&statement-cache-capacity=0")));
        let mut admin = connect(&url).await;
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        admin.close().await.unwrap();
        url.set_path(&name);
        Self { connection: connect(&url).await, url, name }
    }

    /// Leaves the server as it was before the case.
    async fn empty(&mut self) {
        let others = OTHERS.map(|name| format!("DROP DATABASE IF EXISTS `{name}`;")).concat();
        let own = format!("DROP DATABASE {0}; CREATE DATABASE {0}; USE {0};", self.name);
        self.connection.execute(AssertSqlSafe(others + &own)).await.unwrap();
    }

    async fn drop(mut self) {
        self.empty().await;
        self.connection.execute(AssertSqlSafe(format!("DROP DATABASE {}", self.name))).await.unwrap();
    }
}

impl Server for Database {
    const ENGINE: Engine = Engine::MySql;

    async fn prepare(&mut self, start: &Start) {
        self.empty().await;
        let sql = start.sql();
        let sql = sql.trim_start_matches([';', '\n']);
        if !sql.is_empty() {
            self.connection.execute(AssertSqlSafe(sql)).await.unwrap();
        }
    }

    fn url(&self, _: &Start) -> DatabaseUrl {
        DatabaseUrl::parse(self.url.as_str()).unwrap()
    }

    async fn versions(&mut self, table: &str) -> Vec<(i64, i64)> {
        let select = format!("SELECT 0, CAST(version AS SIGNED) FROM {table} ORDER BY version");
        sqlx::query_as(AssertSqlSafe(select)).fetch_all(&mut self.connection).await.unwrap_or_default()
    }

    async fn start(&mut self, migrator: &Migrator) -> Result<(), MigrateError> {
        migrator.run(&mut self.connection).await
    }

    async fn renew(&mut self) {
        std::mem::replace(&mut self.connection, connect(&self.url).await).close().await.unwrap();
    }
}

#[tokio::test]
async fn a_start_on_mariadb_comes_to_what_is_predicted() {
    let mut database = Database::create().await;
    let met = search(&mut database, 600).await;
    database.drop().await;
    met.assert_every(&OUTCOMES);
}
