//! Our prediction against what sqlx itself does: any start on a server, and here on PostgreSQL.
//!
//! `PREFLIGHT_ORACLE_CASES=20000 scripts/test --test servers sqlx_oracle` runs the long form; see
//! [`crate::shared::worlds::seeds`].

use std::collections::BTreeSet;

use migration_preflight::history::{DatabaseUrl, Engine};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use url::Url;

use crate::shared::oracle::{Met, OUTCOMES, Observed, agree, migrators, predicted, resolve};
use crate::shared::starts::Start;
use crate::shared::worlds::{Dice, rerun, scratch, seeds};

/// Leaves the database as `CREATE DATABASE` makes it.
const EMPTY: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public;
END $$";
const DEFAULT_SEARCH_PATH: &str = "\"$user\", public";

/// A server of one engine, on which starts are tried.
pub trait Server {
    const ENGINE: Engine;

    /// Makes the database what it is before `start`.
    async fn prepare(&mut self, start: &Start);

    /// The URL by which the history is read.
    fn url(&self, start: &Start) -> DatabaseUrl;

    /// The versions in the table of this name, each with the table that it is: a new one of the same name is another.
    async fn versions(&mut self, table: &str) -> Vec<(i64, i64)>;

    /// Starts the service.
    async fn start(&mut self, migrator: &Migrator) -> Result<(), MigrateError>;

    /// A server process grows slow with the number of tables that it has seen.
    async fn renew(&mut self);
}

/// What every start came to, told against our prediction.
pub async fn search(server: &mut impl Server, short_form: u64) -> Met {
    let mut met = Met::default();
    for seed in seeds(short_form) {
        if seed % 50 == 49 {
            server.renew().await;
        }
        let mut dice = Dice::new(seed);
        let start = draw(server, &mut dice);
        match check(server, &start, &mut dice).await {
            Ok(kind) => met.count(kind),
            Err(difference) => panic!("{}\n{start}\n{difference}", rerun(seed)),
        }
    }
    met
}

fn draw<S: Server>(_: &S, dice: &mut Dice) -> Start {
    Start::draw(dice, S::ENGINE)
}

async fn check(server: &mut impl Server, start: &Start, dice: &mut Dice) -> Result<&'static str, String> {
    let root = scratch();
    start.world.write(root.path());
    server.prepare(start).await;
    let predicted = predicted(root.path(), start, &server.url(start)).await;
    let resolved = resolve(root.path(), &start.world).await;
    let mut kind = Err("no run".to_owned());
    for (run, migrator) in migrators(start, resolved, dice).into_iter().enumerate() {
        if run > 0 {
            server.prepare(start).await;
        }
        let observed = observe(server, start, migrator).await;
        kind = agree(&predicted, &observed);
        if kind.is_err() {
            return kind.map_err(|why| format!("{why}\nsqlx: {observed:?}\nours: {predicted:?}"));
        }
    }
    kind
}

async fn observe(server: &mut impl Server, start: &Start, migrator: Result<Migrator, MigrateError>) -> Observed {
    let before: BTreeSet<_> = server.versions(start.place.table).await.into_iter().collect();
    let error = match migrator {
        Ok(migrator) => server.start(&migrator).await.err(),
        Err(error) => Some(error),
    };
    let after = server.versions(start.place.table).await;
    let applied = after.into_iter().filter(|row| !before.contains(row)).map(|(_, version)| version);
    Observed { error, applied: applied.collect() }
}

/// A database of our own: a failed start keeps sqlx's lock on the whole database for as long as its connection lives.
struct Database {
    url: Url,
    admin: PgConnection,
    connection: PgConnection,
}

async fn connect(url: &Url) -> PgConnection {
    // No prepared statement outlives the tables of its case.
    let options = PgConnectOptions::from_url(url).unwrap().statement_cache_capacity(0);
    let mut connection = options.connect().await.unwrap();
    connection.execute("SET client_min_messages = error").await.unwrap();
    connection
}

impl Database {
    async fn create() -> Self {
        let url = std::env::var("PREFLIGHT_TEST_POSTGRES_URL").expect("run scripts/test");
        let mut url = Url::parse(&url).unwrap();
        let mut admin = PgConnection::connect(url.as_str()).await.unwrap();
        let name = format!("oracle_{}", std::process::id());
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        url.set_path(&name);
        // Each case connects anew, and a handshake takes longer than all the rest.
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let connection = connect(&url).await;
        Self { url, admin, connection }
    }

    async fn drop(mut self) {
        self.connection.close().await.unwrap();
        self.admin.execute(AssertSqlSafe(format!("DROP DATABASE {}", &self.url.path()[1..]))).await.unwrap();
    }
}

impl Server for Database {
    const ENGINE: Engine = Engine::Postgres;

    async fn prepare(&mut self, start: &Start) {
        self.connection.execute(EMPTY).await.unwrap();
        let path = if start.place.search_path.is_empty() { DEFAULT_SEARCH_PATH } else { start.place.search_path };
        self.connection.execute(AssertSqlSafe(format!("SET search_path TO {path}"))).await.unwrap();
        self.connection.execute(AssertSqlSafe(start.sql())).await.unwrap();
    }

    /// With the search path of the case.
    fn url(&self, start: &Start) -> DatabaseUrl {
        let mut url = self.url.clone();
        if !start.place.search_path.is_empty() {
            url.query_pairs_mut().append_pair("options[search_path]", &start.place.search_path.replace(' ', ""));
        }
        DatabaseUrl::parse(url.as_str()).unwrap()
    }

    async fn versions(&mut self, table: &str) -> Vec<(i64, i64)> {
        let select = format!("SELECT CAST(tableoid AS BIGINT), CAST(version AS BIGINT) FROM {table} ORDER BY version");
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
async fn a_start_on_postgres_comes_to_what_is_predicted() {
    let mut database = Database::create().await;
    let met = search(&mut database, 1_000).await;
    database.drop().await;
    met.assert_every(&OUTCOMES);
}
