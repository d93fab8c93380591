//! Services that write to one history table on a server: what sqlx does is what was predicted and found.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use url::Url;

use crate::shared::oracle::Met;
use crate::shared::sharing::{OUTCOMES, Place, check};
use crate::support::{WITHOUT_TLS, unique, variable};

/// A database of our own: sqlx locks the whole of it. By a connection of `$connection` for each thing that is done, as a
/// failed start keeps its lock for as long as its connection lives.
macro_rules! place {
    ($name:ident, $connection:ty, $variable:literal, $query:expr) => {
        struct $name {
            server: Url,
            database: String,
        }

        impl $name {
            async fn create() -> Self {
                let mut server = Url::parse(&variable($variable)).unwrap();
                server.set_query(Some($query));
                let place = Self { server, database: format!("sharing_{}_{}", std::process::id(), unique()) };
                place.as_admin("CREATE").await;
                place
            }

            async fn as_admin(&self, verb: &str) {
                let mut admin = <$connection>::connect(self.server.as_str()).await.unwrap();
                admin.execute(AssertSqlSafe(format!("{verb} DATABASE {}", self.database))).await.unwrap();
                admin.close().await.unwrap();
            }
        }

        impl Place for $name {
            fn url(&self) -> String {
                let mut url = self.server.clone();
                url.set_path(&self.database);
                url.into()
            }

            async fn empty(&self) {
                self.execute("DROP TABLE IF EXISTS _sqlx_migrations").await;
            }

            async fn start(&self, migrator: &Migrator) -> Result<(), MigrateError> {
                let mut connection = <$connection>::connect(&self.url()).await.unwrap();
                let started = migrator.run(&mut connection).await;
                connection.close().await.unwrap();
                started
            }

            async fn execute(&self, sql: &'static str) {
                let mut connection = <$connection>::connect(&self.url()).await.unwrap();
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    };
}

place!(Postgres, PgConnection, "PREFLIGHT_TEST_POSTGRES_URL", WITHOUT_TLS);
place!(MariaDb, MySqlConnection, "PREFLIGHT_TEST_MARIADB_URL", "ssl-mode=DISABLED");

#[tokio::test]
async fn two_services_on_one_postgres_table_start_as_predicted() {
    let (place, mut met) = (Postgres::create().await, Met::default());
    check(&place, &mut met).await;
    place.as_admin("DROP").await;
    met.assert_all(&OUTCOMES);
}

#[tokio::test]
async fn two_services_on_one_mariadb_table_start_as_predicted() {
    let (place, mut met) = (MariaDb::create().await, Met::default());
    check(&place, &mut met).await;
    place.as_admin("DROP").await;
    met.assert_all(&OUTCOMES);
}
