//! What there is to check: folders with migrations, and databases to which the real sqlx has applied them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr};

/// The table of dbmate, which takes the same files as sqlx: the digits before the first `_` are the version for both.
const OF_DBMATE: &str = "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); \
     INSERT INTO schema_migrations SELECT CAST(version AS varchar(128)) FROM _sqlx_migrations";

/// Writes so many migrations of 300 to 1,500 bytes.
pub fn write_migrations(directory: &Path, count: usize) -> Result<()> {
    fs::create_dir_all(directory)?;
    for number in 1..=count {
        let version = 20_200_101_000_000 + number;
        fs::write(directory.join(format!("{version}_create_table_{number}.sql")), migration(number))?;
    }
    Ok(())
}

fn migration(number: usize) -> String {
    let mut sql = format!("-- Migration {number} of the benchmark.\nCREATE TABLE table_{number} (\n");
    for column in 0..6 + number * 7 % 27 {
        let _ = writeln!(sql, "    column_{column} text NOT NULL DEFAULT '',");
    }
    sql + "    id bigint PRIMARY KEY\n);\n"
}

/// The migrations in `directory` as sqlx resolves them, with its checksums, but with nothing to run: what counts are the
/// rows of the history, and ten thousand tables in the database would only be in the way.
async fn migrator(directory: &Path) -> Result<Migrator> {
    let mut migrator = Migrator::new(directory).await?;
    for migration in migrator.migrations.to_mut() {
        migration.sql = "SELECT 1".into_sql_str();
    }
    Ok(migrator)
}

/// An SQLite file to which everything in `directory` is applied.
pub async fn sqlite(file: &Path, directory: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.synchronous(SqliteSynchronous::Off).connect().await?;
    migrator(directory).await?.run(&mut connection).await?;
    sqlx::raw_sql(OF_DBMATE).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// A new PostgreSQL database at `url`, made through `server`, to which everything in `directory` is applied.
pub async fn postgres(server: &str, url: &str, directory: &Path) -> Result<()> {
    let (_, name) = url.rsplit_once('/').unwrap_or_default();
    execute(server, &format!("CREATE DATABASE {name}")).await?;
    let mut connection = PgConnection::connect(url).await?;
    migrator(directory).await?.run(&mut connection).await?;
    sqlx::raw_sql(OF_DBMATE).execute(&mut connection).await?;
    // As autovacuum would sooner or later: nobody is to be timed while it runs.
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// One statement.
pub async fn execute(url: &str, statement: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
