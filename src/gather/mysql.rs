//! Reads a history from MySQL or MariaDB, in one round trip and within one read-only transaction. Writes nothing, ever.

pub mod client;
mod error;
mod options;
mod row;
pub mod tenants;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::gather::limit::{MOST_ROWS, Meter, ROWS_BETWEEN_PAUSES, too_many_rows};
use crate::history::{AbsentTable, DatabaseError, DatabaseErrorKind, DatabaseUrl, Engine, History, LookUp};
use crate::migration::AppliedMigration;
use crate::table_name::{self, TableName, identifier};

/// The history in the table of `look_up`, as sqlx would find it. The server cancels the query after what connecting has
/// left of `timeout`.
///
/// # Errors
/// Every reason for which it cannot be read.
pub async fn history(url: &DatabaseUrl, look_up: &LookUp, timeout: Duration) -> Result<History, DatabaseError> {
    let start = Instant::now();
    let name = table_name::parse(&look_up.table, Engine::MySql)?;
    let options = options::options(url)?;
    let mut connection = match options.connect().await {
        Ok(connection) => connection,
        Err(error) => return Err(error::connecting(error, url, &options, &name).await),
    };
    let left = timeout.saturating_sub(start.elapsed());
    let answer = read(&mut connection, &batch(&name, left)).await;
    if let Err(Failure { error: sqlx::Error::Database(_), .. }) = &answer {
        roll_back(&mut connection).await;
    }
    let _ = connection.close().await;
    match answer {
        Ok(rows) => rows.map(History::Present),
        Err(Failure { error, whereabouts: Some(found) }) if error::is_absence(&error) => {
            Ok(History::Absent(found.absent(look_up, &name)))
        }
        Err(Failure { error, .. }) => Err(error::querying(&error, url, &options, &name)),
    }
}

/// A pooler keeps a server connection only if it is not left inside of a transaction.
async fn roll_back(connection: &mut MySqlConnection) {
    let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
}

/// The server's key for a limit on connections: the host and port, or the path of the socket.
pub fn server(url: &DatabaseUrl) -> Option<String> {
    let options = options::of_server(url).ok()?;
    Some(match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    })
}

/// The database that is in use.
pub fn database(url: &DatabaseUrl) -> Option<String> {
    options::options(url).ok()?.get_database().map(str::to_owned)
}

/// No limit on the rows of a `SELECT`: that of the server (`DEFAULT`) may be one, and would cut a history off in silence.
const ALL: u64 = u64::MAX;

/// Everything in one message of the text protocol: prepared statements would take a second round trip, and a pooler
/// may not know them.
fn batch(name: &TableName, timeout: Duration) -> String {
    format!(
        "{}; SELECT @@lower_case_table_names <> 0, {}; \
         {}; \
         COMMIT",
        read_only(timeout, timeout),
        schema_exists(name),
        rows(name),
    )
}

/// The rows of the table that is called `name`.
fn rows(name: &TableName) -> String {
    format!(
        "SELECT version, description, DATE_FORMAT(installed_on, '%Y-%m-%dT%H:%i:%sZ'), \
         coalesce(success = false, false), checksum, execution_time FROM {} ORDER BY version",
        name.quoted(Engine::MySql),
    )
}

/// The beginning of a transaction that only reads, and ends after `timeout`; or after `locked`, where it waits for a lock.
///
/// Each of the two systems has a clock of its own for a statement, and reads the other's as a comment. The isolation
/// level is not left to the server's default, because a serializable reader locks what it reads.
fn read_only(timeout: Duration, locked: Duration) -> String {
    let milliseconds = timeout.as_millis().clamp(1, i32::MAX as u128);
    let seconds = locked.as_millis().clamp(1, i32::MAX as u128).div_ceil(1000);
    format!(
        "SET /*!50708 max_execution_time = {milliseconds}, */ \
         /*M!100101 max_statement_time = {}.{:03}, */ \
         lock_wait_timeout = {seconds}, sql_select_limit = {ALL}, time_zone = '+00:00', NAMES utf8mb4; \
         SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
         START TRANSACTION READ ONLY",
        milliseconds / 1000,
        milliseconds % 1000,
    )
}

/// Whether the schema that the name is qualified with exists. That of the connection does: it is in use.
fn schema_exists(name: &TableName) -> String {
    let Some(schema) = &name.schema else { return "true".to_owned() };
    let schema = literal(schema);
    // The catalogue is compared without regard to case, whatever the server does with names.
    format!(
        "EXISTS (SELECT * FROM information_schema.schemata WHERE schema_name = {schema} \
         AND (@@lower_case_table_names <> 0 OR CAST(schema_name AS BINARY) = CAST({schema} AS BINARY)))"
    )
}

/// A string in hexadecimal: its meaning does not hang on `sql_mode`.
fn literal(text: &str) -> String {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("_utf8mb4 x'{digits}'")
}

/// A failed query, and what the server said before it failed.
struct Failure {
    error: sqlx::Error,
    whereabouts: Option<Whereabouts>,
}

/// What the server says of the table before it comes to the rows.
#[derive(Clone, Copy)]
struct Whereabouts {
    ignores_case: bool,
    schema_exists: bool,
}

impl Whereabouts {
    fn read(row: &MySqlRow) -> Result<Self, DatabaseError> {
        Ok(Self {
            ignores_case: row::flag(row, 0, "whether names ignore case")?,
            schema_exists: row::flag(row, 1, "whether the schema exists")?,
        })
    }

    /// Other databases of the server belong to other services as a rule: a table of this name in one of them is no
    /// sign that the history is elsewhere.
    fn absent(self, look_up: &LookUp, name: &TableName) -> AbsentTable {
        let wanted = name.schema.as_ref().filter(|_| !self.schema_exists);
        let created = |wanted: &String| {
            let created = look_up.create_schemas.iter().filter_map(|schema| identifier(schema, Engine::MySql).ok());
            created.into_iter().find(|schema| self.ignores_case && schema.eq_ignore_ascii_case(wanted))
        };
        AbsentTable {
            table: look_up.table.clone(),
            elsewhere: Vec::new(),
            // In the letters in which it will be created, so that it is seen to be the same.
            absent_schema: wanted.map(|wanted| created(wanted).unwrap_or_else(|| wanted.clone())),
        }
    }
}

/// Runs the batch to its end, even past a row that makes no sense, so that the connection is left in order; but not
/// past more rows than any history has.
async fn read(
    connection: &mut MySqlConnection,
    batch: &str,
) -> Result<Result<Vec<AppliedMigration>, DatabaseError>, Failure> {
    let mut answers = sqlx::raw_sql(AssertSqlSafe(batch)).fetch(connection);
    let (mut whereabouts, mut rows, mut seen) = (None, Ok(Vec::new()), 0);
    let mut meter = Meter::default();
    while let Some(answer) = answers.next().await {
        seen += 1;
        if seen % ROWS_BETWEEN_PAUSES == 0 {
            // The driver never pauses while a server sends without pause, and only in a pause is the clock looked at.
            tokio::task::yield_now().await;
        }
        if seen > MOST_ROWS {
            rows = Err(too_many_rows());
            break;
        }
        let row = match answer {
            Ok(row) => row,
            Err(error) => return Err(Failure { error, whereabouts }),
        };
        if seen == 1 {
            match Whereabouts::read(&row) {
                Ok(read) => whereabouts = Some(read),
                Err(error) => rows = Err(error),
            }
        } else if let Ok(read) = &mut rows {
            match row::applied(&row).and_then(|row| meter.admit(row)) {
                Ok(applied) => read.push(applied),
                Err(error) => rows = Err(error),
            }
        }
    }
    let nothing = || DatabaseError::new(DatabaseErrorKind::Unintelligible, "the server answered with nothing");
    Ok(if seen == 0 { Err(nothing()) } else { rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_is_read_only_from_the_first_statement_to_the_last() {
        let name = table_name::parse("Ops.`Sqlx ``M`", Engine::MySql).unwrap();
        insta::assert_snapshot!(batch(&name, Duration::from_millis(1050)).replace("; ", ";\n"), @r"
        SET /*!50708 max_execution_time = 1050, */ /*M!100101 max_statement_time = 1.050, */ lock_wait_timeout = 2, sql_select_limit = 18446744073709551615, time_zone = '+00:00', NAMES utf8mb4;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        START TRANSACTION READ ONLY;
        SELECT @@lower_case_table_names <> 0, EXISTS (SELECT * FROM information_schema.schemata WHERE schema_name = _utf8mb4 x'4f7073' AND (@@lower_case_table_names <> 0 OR CAST(schema_name AS BINARY) = CAST(_utf8mb4 x'4f7073' AS BINARY)));
        SELECT version, description, DATE_FORMAT(installed_on, '%Y-%m-%dT%H:%i:%sZ'), coalesce(success = false, false), checksum, execution_time FROM `Ops`.`Sqlx ``M` ORDER BY version;
        COMMIT
        ");
    }

    #[test]
    fn where_names_ignore_case_an_absent_schema_is_named_as_it_will_be_created() {
        let name = table_name::parse("shop.t", Engine::MySql).unwrap();
        let absent = |ignores_case, create: &str| {
            let whereabouts = Whereabouts { ignores_case, schema_exists: false };
            let look_up = LookUp { create_schemas: vec![create.to_owned()], ..LookUp::of("shop.t") };
            whereabouts.absent(&look_up, &name).absent_schema.unwrap()
        };
        assert_eq!(absent(true, "`Shop`"), "Shop");
        assert_eq!(absent(false, "Shop"), "shop");
        assert_eq!(absent(true, "other"), "shop");
    }
}
