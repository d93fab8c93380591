//! Reads a history from an SQLite file, opened for reading only. Never creates, changes or locks out.

pub mod client;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, ValueRef};

use crate::gather::limit::{MOST_ROWS, Meter, too_many_rows};
use crate::gather::redact::redact;
use crate::history::{AbsentTable, DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl, Engine, History};
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::table_name::{self, TableName};
use crate::text::mask;

/// How many rows the driver's thread may be ahead of us. With its default of 50 the two wait for each other all the time.
const ROWS_AHEAD: usize = 1_000;

/// How many of SQLite's instructions run between two looks at the clock.
const INSTRUCTIONS_PER_LOOK: i32 = 10_000;

/// The history in `table`, as long as SQLite answers within `timeout`.
///
/// # Errors
/// Every reason for which it cannot be read.
pub async fn history(url: &DatabaseUrl, table: &str, timeout: Duration) -> Result<History, DatabaseError> {
    let name = table_name::parse(table, Engine::Sqlite)?;
    let path = path(url)?;
    expect_file(&path).await?;
    let fault = |error: sqlx::Error| from_sqlx(&error, url, &path);
    let mut connection = options(&path, timeout).connect().await.map_err(fault)?;
    let answer = within(&mut connection, &name, table, timeout).await;
    let _ = connection.close().await;
    match answer {
        Ok(history) => history,
        Err(error) => Err(fault(error)),
    }
}

/// The path of the file, fit to be shown: the key for a limit on connections.
pub fn server(url: &DatabaseUrl) -> Option<String> {
    path(url).ok().map(|path| shown(&path))
}

/// The file without links in its path, as far as it exists: what tells one database from another.
pub fn file(url: &DatabaseUrl) -> Option<PathBuf> {
    let path = path(url).ok()?;
    Some(path.canonicalize().unwrap_or(path))
}

/// The file that the URL names, read by sqlx's rules.
fn path(url: &DatabaseUrl) -> Result<PathBuf, DatabaseError> {
    let malformed = |detail: &str| DatabaseError::new(Kind::MalformedUrl, detail);
    let rest = url.expose().split_once(':').map_or("", |(_, rest)| rest);
    let (database, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let database = database.strip_prefix("//").unwrap_or(database);
    let Ok(file) = percent_decode_str(database).decode_utf8() else {
        return Err(DatabaseError::new(Kind::NotUtf8, "the path"));
    };
    if SqliteConnectOptions::from_str(url.expose()).is_err() {
        // Not the driver's words: they quote the value.
        return Err(malformed("a parameter is unknown, or has an unknown value"));
    }
    let is_memory_mode =
        || url::form_urlencoded::parse(parameters.as_bytes()).any(|(key, value)| key == "mode" && value == "memory");
    if file == ":memory:" || is_memory_mode() {
        return Err(malformed("an in-memory database has no history"));
    }
    if file.is_empty() {
        return Err(malformed("it names no file"));
    }
    if file.contains('\0') {
        return Err(malformed("the path holds a NUL"));
    }
    if file.starts_with("file:") {
        return Err(malformed("write `sqlite:PATH` in place of `sqlite:file:PATH`"));
    }
    // Absolute, so that nothing in the name can mean more to SQLite than a file.
    std::path::absolute(&*file).map_err(|_| malformed("it names no file"))
}

/// The path for a message. Who writes `sqlite://user:password@host/db` gets a file of that name, and not to see it.
fn shown(path: &Path) -> String {
    mask(&path.display().to_string(), true)
}

/// Looks before SQLite does: its one error for all these cases gives no remedy, and it would wait on a pipe for ever.
async fn expect_file(path: &Path) -> Result<(), DatabaseError> {
    let fault = |kind, what: &str| Err(DatabaseError::new(kind, format!("{}{what}", shown(path))));
    match tokio::fs::metadata(path).await {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) if metadata.is_dir() => fault(Kind::Unintelligible, " is a directory"),
        Ok(_) => fault(Kind::Unintelligible, " is not a regular file"),
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                fault(Kind::NoSuchDatabase, " does not exist")
            }
            std::io::ErrorKind::PermissionDenied => fault(Kind::FileForbidden, " cannot be reached"),
            _ => fault(Kind::Unintelligible, &format!(": {error}")),
        },
    }
}

/// Built anew from the path alone: what else the URL asks for (`mode=rwc`, `immutable`, a `vfs` without locks) could
/// create the file or read wrong rows.
fn options(path: &Path, timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .immutable(false)
        // The driver counts milliseconds in 32 bits and panics beyond.
        .busy_timeout(timeout.min(Duration::from_millis(i32::MAX as u64)))
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

/// One transaction: the look-up and the rows are of one moment.
async fn within(
    connection: &mut SqliteConnection,
    name: &TableName,
    table: &str,
    timeout: Duration,
) -> sqlx::Result<Result<History, DatabaseError>> {
    if let Some(deadline) = Instant::now().checked_add(timeout) {
        // Without it a view that never ends would keep the driver's thread busy after we have gone.
        let in_time = move || Instant::now() < deadline;
        connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS_PER_LOOK, in_time);
    }
    sqlx::raw_sql("BEGIN DEFERRED").execute(&mut *connection).await?;
    let history = match absence(connection, name, table).await? {
        Some(absent) => Ok(History::Absent(absent)),
        None => rows(connection, name).await?.map(History::Present),
    };
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    Ok(history)
}

/// `None` where the table, or a view of that name, is there.
async fn absence(
    connection: &mut SqliteConnection,
    name: &TableName,
    table: &str,
) -> sqlx::Result<Option<AbsentTable>> {
    let absent = |absent_schema| Some(AbsentTable { table: table.to_owned(), absent_schema, ..AbsentTable::default() });
    let Some(catalogue) = catalogue(name) else { return Ok(absent(name.schema.clone())) };
    let query =
        format!("SELECT count(*) FROM {catalogue} WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(query)).bind(name.table.as_str()).fetch_one(connection).await?;
    Ok(if count == 0 { absent(None) } else { None })
}

/// The table that lists what is in a schema, where there is such a schema: nothing is attached to a fresh connection.
fn catalogue(name: &TableName) -> Option<&'static str> {
    match name.schema.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("main") => Some("main.sqlite_master"),
        Some("temp") => Some("temp.sqlite_master"),
        Some(_) => None,
    }
}

/// The columns bare, as in sqlx's own query: what is in double quotes and no column would be a string to SQLite.
async fn rows(
    connection: &mut SqliteConnection,
    name: &TableName,
) -> sqlx::Result<Result<Vec<AppliedMigration>, DatabaseError>> {
    let query = format!(
        "SELECT version, CAST(description AS BLOB), CAST(installed_on AS TEXT), coalesce(success = false, false), \
         checksum, execution_time FROM {} ORDER BY version",
        name.quoted(Engine::Sqlite)
    );
    let mut answers = sqlx::query(AssertSqlSafe(query)).fetch(connection);
    let (mut rows, mut meter) = (Vec::new(), Meter::default());
    while let Some(row) = answers.next().await {
        if rows.len() == MOST_ROWS {
            return Ok(Err(too_many_rows()));
        }
        match applied(&row?).and_then(|row| meter.admit(row)) {
            Ok(applied) => rows.push(applied),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(rows))
}

fn applied(row: &SqliteRow) -> Result<AppliedMigration, DatabaseError> {
    let description: Vec<u8> = value(row, 1, "description")?;
    let dirty: bool = value(row, 3, "success")?;
    let checksum: Vec<u8> = value(row, 4, "checksum")?;
    Ok(AppliedMigration {
        version: Version(value(row, 0, "version")?),
        description: String::from_utf8_lossy(&description).into_owned(),
        // Only shown, so that what is no text may as well be no time.
        installed_on: row.try_get(2).unwrap_or_default(),
        success: !dirty,
        checksum: Checksum::from_bytes(checksum),
        execution_time: value(row, 5, "execution_time")?,
    })
}

/// A value by sqlx's rules, but NULL is refused: sqlx would read it as 0 or as no bytes.
fn value<'r, T>(row: &'r SqliteRow, index: usize, name: &str) -> Result<T, DatabaseError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let wrong = |what: &str| DatabaseError::new(Kind::WrongShape, format!("the column `{name}` {what} in a row"));
    if row.try_get_raw(index).is_ok_and(|value| value.is_null()) {
        return Err(wrong("is NULL"));
    }
    row.try_get(index).map_err(|_| wrong("holds a value of an unexpected type"))
}

/// SQLite's result codes, by remedy: <https://www.sqlite.org/rescode.html>.
fn from_sqlx(error: &sqlx::Error, url: &DatabaseUrl, path: &Path) -> DatabaseError {
    let Some(database) = error.as_database_error() else {
        return DatabaseError::new(Kind::Unintelligible, redact(url, &error.to_string()));
    };
    let code: i32 = database.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    // The low byte is the primary code.
    let kind = match code & 0xff {
        // ERROR has one message for a column that is not there, in English whatever the locale.
        1 if database.message().contains("no such column") => Kind::WrongShape,
        // BUSY, LOCKED, and INTERRUPT by our own clock.
        5 | 6 | 9 => Kind::Slow,
        // PERM, READONLY, CANTOPEN, AUTH: the file is there, so it is a matter of permissions.
        3 | 8 | 14 | 23 => Kind::FileForbidden,
        _ => Kind::Unintelligible,
    };
    DatabaseError::new(kind, format!("{}: {}", shown(path), redact(url, database.message())))
}
