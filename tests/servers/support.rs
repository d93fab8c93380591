//! A database and a role of its own for every test, so that all of them may run at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use migration_preflight::gather::database;
use migration_preflight::history::{AbsentTable, DatabaseError, DatabaseUrl, History, LookUp};
use migration_preflight::migration::{AppliedMigration, Checksum, Version};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

pub const TABLE: &str = "_sqlx_migrations";
pub const TIMEOUT: Duration = Duration::from_secs(20);
/// Everything in it has to be encoded in a URL, but for the pieces that are looked for in whatever is shown.
pub const PASSWORD: &str = "ä@Zv9w:Xp3r/Lm5t%Yn8s\"ß?#Bd6k";
/// What is left of the password, and of any other that a test makes up, in whichever form it comes back.
pub const PIECES: [&str; 5] = ["Zv9w", "Xp3r", "Lm5t", "Yn8s", "Bd6k"];

/// A debug build takes its time to read this machine's certificates.
pub const WITHOUT_TLS: &str = "sslmode=disable";

/// sqlx's own table, and one row.
pub const CREATE: &str = "(version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
    execution_time BIGINT NOT NULL)";
pub const GOOD: &str = "(1, 'one', '2025-12-28 10:00:00+00', true, '\\x00ff5c27', 17)";

pub fn good() -> AppliedMigration {
    AppliedMigration {
        version: Version(1),
        description: "one".into(),
        installed_on: Some("2025-12-28T10:00:00Z".into()),
        success: true,
        checksum: Checksum::from_bytes([0x00, 0xff, 0x5c, 0x27]),
        execution_time: 17,
    }
}

/// The SQL for a history with the one good row.
pub fn history(table: &str) -> String {
    format!("CREATE TABLE {table} {CREATE}; INSERT INTO {table} VALUES {GOOD};")
}

/// As a URL takes it: the `url` crate leaves a `%` as it is.
pub fn encoded(password: &str) -> String {
    percent_encoding::utf8_percent_encode(password, percent_encoding::NON_ALPHANUMERIC).to_string()
}

pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test"))
}

pub fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A database and a role, whose name and the database's are one and the same.
pub struct Fixture {
    pub name: String,
}

impl Fixture {
    /// With `sql` run by the superuser, in which `$ROLE` stands for the role.
    pub async fn new(sql: &str) -> Self {
        let name = format!("test_{}_{}", std::process::id(), unique());
        let url = format!("{}?{WITHOUT_TLS}", variable("PREFLIGHT_TEST_POSTGRES_URL"));
        let mut admin = PgConnection::connect(&url).await.unwrap();
        for statement in [
            format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"),
            format!("CREATE DATABASE {name} TEMPLATE template0"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
        }
        let fixture = Self { name };
        fixture.execute(sql).await;
        fixture
    }

    /// With a history that the role may read.
    pub async fn with_history() -> Self {
        Self::new(&(history(TABLE) + "GRANT SELECT ON _sqlx_migrations TO $ROLE")).await
    }

    pub async fn admin(&self) -> PgConnection {
        let mut url = Url::parse(&variable("PREFLIGHT_TEST_POSTGRES_URL")).unwrap();
        url.set_path(&self.name);
        url.set_query(Some(WITHOUT_TLS));
        PgConnection::connect(url.as_str()).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        let mut admin = self.admin().await;
        sqlx::raw_sql(AssertSqlSafe(sql.replace("$ROLE", &self.name))).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    /// The role's URL on the server that `variable` names.
    pub fn url_on(&self, name: &str) -> Url {
        let mut url = Url::parse(&variable(name)).unwrap();
        url.set_path(&self.name);
        url.set_username(&self.name).unwrap();
        url.set_password(Some(&encoded(PASSWORD))).unwrap();
        url.set_query(Some(WITHOUT_TLS));
        url
    }

    pub fn url(&self) -> Url {
        self.url_on("PREFLIGHT_TEST_POSTGRES_URL")
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

pub async fn read(url: &str, table: &str) -> Result<History, DatabaseError> {
    database::history(&DatabaseUrl::parse(url).unwrap(), &LookUp::of(table), TIMEOUT).await
}

pub fn present(history: Result<History, DatabaseError>) -> Vec<AppliedMigration> {
    match history.unwrap() {
        History::Present(rows) => rows,
        History::Absent(absent) => panic!("{absent:?}"),
    }
}

/// The error, which never holds the URL or its password.
pub async fn failure(url: &str, table: &str, timeout: Duration) -> DatabaseError {
    let error = database::history(&DatabaseUrl::parse(url).unwrap(), &LookUp::of(table), timeout).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    let password = Url::parse(url).unwrap().password().unwrap_or("no password").to_owned();
    for secret in PIECES.into_iter().chain([password.as_str(), url]) {
        assert!(!shown.contains(secret), "{shown}");
    }
    error
}
