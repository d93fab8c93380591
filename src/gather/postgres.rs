//! Reads a history from PostgreSQL, in one round trip and within one read-only transaction. Writes nothing, ever.

pub mod client;
mod error;
mod grant;
mod options;
mod row;
mod search_path;
pub mod tenants;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::gather::limit::{MOST_ROWS, Meter, ROWS_BETWEEN_PAUSES, too_many_rows};
use crate::history::{AbsentTable, DatabaseError, DatabaseErrorKind, DatabaseUrl, Engine, History, LookUp};
use crate::migration::AppliedMigration;
use crate::secret::Secrets;
use crate::table_name::{self, TableName};
use search_path::SearchPath;

/// The history in the table of `look_up`, as sqlx would find it. The server cancels the query after what connecting has
/// left of `timeout`.
///
/// # Errors
/// Every reason for which it cannot be read.
pub async fn history(url: &DatabaseUrl, look_up: &LookUp, timeout: Duration) -> Result<History, DatabaseError> {
    let start = Instant::now();
    let name = table_name::parse(&look_up.table, Engine::Postgres)?;
    let login = Login { url, options: options::options(url)? };
    let mut connection = login.connect().await?;
    let left = timeout.saturating_sub(start.elapsed());
    let history = of_table(&mut connection, &login, look_up, &name, left).await;
    let _ = connection.close().await;
    history
}

/// Who is connected, and to what.
struct Login<'a> {
    url: &'a DatabaseUrl,
    options: PgConnectOptions,
}

impl Login<'_> {
    async fn connect(&self) -> Result<PgConnection, DatabaseError> {
        match self.options.connect().await {
            Ok(connection) => Ok(connection),
            Err(error) => Err(error::connecting(error, self.url, &self.options).await),
        }
    }
}

/// The history in the table that `name` names to this connection.
async fn of_table(
    connection: &mut PgConnection,
    Login { url, options }: &Login<'_>,
    look_up: &LookUp,
    name: &TableName,
    timeout: Duration,
) -> Result<History, DatabaseError> {
    let answer = read(connection, &batch(name, timeout)).await;
    if let Err(Failure { error: sqlx::Error::Database(_), .. }) = &answer {
        roll_back(connection).await;
    }
    match answer {
        Ok(Answer { whereabouts, rows }) => {
            // Whatever is wrong there, it is no table that is.
            let odd = |error| DatabaseError { kind: DatabaseErrorKind::Unintelligible, ..error };
            settled(whereabouts.map_err(odd)?, rows, look_up, name)
        }
        Err(Failure { error, whereabouts: Some(found) }) if !found.found && is_absence(&error) => {
            Ok(History::Absent(found.absent(look_up, name)))
        }
        Err(Failure { error, whereabouts }) => {
            let clean = |sql: &str| error::clean(url, options, sql);
            let lacking = grant::read(&error, options.get_username(), name, whereabouts.as_ref(), clean);
            let told = error::querying(&error, url, options);
            Err(DatabaseError { kind: lacking.unwrap_or(told.kind), ..told })
        }
    }
}

/// A pooler keeps a server connection only if it is not left inside of a transaction.
async fn roll_back(connection: &mut PgConnection) {
    let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
}

/// The history where the table is: absent where sqlx would make a table of its own in the schema that it creates, and
/// never see these rows.
fn settled(
    found: Whereabouts,
    rows: Result<Vec<AppliedMigration>, DatabaseError>,
    look_up: &LookUp,
    name: &TableName,
) -> Result<History, DatabaseError> {
    if name.schema.is_none() && found.path.is_overtaken(&look_up.create_schemas) {
        return Ok(History::Absent(found.absent(look_up, name)));
    }
    rows.map(History::Present)
}

/// What the driver takes for a password beside that of the URL: `PGPASSWORD`, or an entry of a password file.
pub fn secrets(url: &DatabaseUrl) -> Secrets {
    options::options(url).map(|options| options::secrets(&options)).unwrap_or_default()
}

/// The server's key for a limit on connections: the host and port, or the path of the socket.
pub fn server(url: &DatabaseUrl) -> Option<String> {
    let options = options::options(url).ok()?;
    let (host, port) = (options.get_host(), options.get_port());
    Some(match options.get_socket() {
        Some(socket) => format!("{}:{port}", socket.display()),
        None => format!("{host}:{port}"),
    })
}

/// The database, and what decides on where a table is looked for that no schema qualifies: the role, which may have a
/// search path of its own, and what the URL sets for the session.
pub fn database(url: &DatabaseUrl) -> Option<(String, String)> {
    let options = options::options(url).ok()?;
    let role = options.get_username();
    let session = options.get_options().unwrap_or_default();
    Some((options.get_database().unwrap_or(role).to_owned(), format!("{role}\0{session}")))
}

/// Everything in one message of the simple protocol: prepared statements would take a second round trip, and a pooler
/// in transaction mode may not know them.
///
/// `row_security` makes the server refuse rather than leave out rows that a policy hides, and `bytea_output` fixes the
/// form in which it prints a checksum.
fn batch(name: &TableName, timeout: Duration) -> String {
    let quoted = name.quoted(Engine::Postgres);
    let milliseconds = timeout.as_millis().clamp(1, i32::MAX as u128);
    format!(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {milliseconds}; \
         SET LOCAL row_security = off; \
         SET LOCAL bytea_output = 'hex'; \
         {NARROW_PATH}; \
         SELECT {whereabouts}; \
         SELECT version, description, installed_on, coalesce(success = false, false), checksum, execution_time \
         FROM {quoted} ORDER BY version; \
         COMMIT",
        whereabouts = whereabouts(name).join(", "),
    )
}

/// Leaves of the search path the first schema that is there, and answers with the path as it was.
///
/// sqlx creates the table before it reads it, and PostgreSQL creates it in that schema whether or not a later one holds
/// a table of this name: the later one is never the history.
const NARROW_PATH: &str = "SELECT pg_catalog.current_setting('search_path'), pg_catalog.set_config('search_path', \
     coalesce(pg_catalog.quote_ident(pg_catalog.current_schema()), ''), true)";

/// Whether the table is there, whether its schema is, and in which schemas else a table of this name is, as JSON.
///
/// The catalogues are readable to every role, and they list the schemas that a role may not use as well.
fn whereabouts(name: &TableName) -> [String; 3] {
    let schema = match &name.schema {
        Some(schema) => {
            format!("EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = {})", literal(schema))
        }
        None => "pg_catalog.current_schema() IS NOT NULL".to_owned(),
    };
    let found = format!("pg_catalog.to_regclass({}) IS NOT NULL", literal(&name.quoted(Engine::Postgres)));
    let elsewhere = format!(
        "pg_catalog.array_to_json(ARRAY(\
         SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relname = {} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(temp|toast)' \
         ORDER BY n.nspname))",
        literal(&name.table),
    );
    [found, schema, elsewhere]
}

/// An escape string: its meaning does not hang on `standard_conforming_strings`.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// What the server answered. Either part may make no sense.
struct Answer {
    whereabouts: Result<Whereabouts, DatabaseError>,
    rows: Result<Vec<AppliedMigration>, DatabaseError>,
}

/// A failed query, and what the server said before it failed.
struct Failure {
    error: sqlx::Error,
    whereabouts: Option<Whereabouts>,
}

/// What the server says of the table before it comes to the rows.
struct Whereabouts {
    path: SearchPath,
    found: bool,
    schema_exists: bool,
    elsewhere: Vec<String>,
}

impl Whereabouts {
    fn absent(self, look_up: &LookUp, name: &TableName) -> AbsentTable {
        let wanted = name.schema.as_ref().or_else(|| self.path.current_after(&look_up.create_schemas)).cloned();
        AbsentTable {
            table: look_up.table.clone(),
            elsewhere: self.elsewhere,
            absent_schema: wanted.filter(|_| !self.schema_exists),
        }
    }

    fn read(path: SearchPath, row: &PgRow) -> Result<Self, DatabaseError> {
        let (found, schema) =
            (row::text(row, 0, "whether the table exists")?, row::text(row, 1, "whether the schema exists")?);
        Self::new(path, found, schema, row::text(row, 2, "the list of schemas")?)
    }

    /// What was printed of it: `t` where the table, and where its schema, exists, and the list of schemas as JSON.
    fn new(path: SearchPath, found: &str, schema: &str, elsewhere: &str) -> Result<Self, DatabaseError> {
        let elsewhere = serde_json::from_str(elsewhere)
            .map_err(|_| DatabaseError::new(DatabaseErrorKind::Unintelligible, "the list of schemas is no JSON"))?;
        Ok(Self { path, found: found == "t", schema_exists: schema == "t", elsewhere })
    }
}

/// Undefined table, undefined schema.
fn is_absence(error: &sqlx::Error) -> bool {
    matches!(error::code(error).as_deref(), Some("42P01" | "3F000"))
}

/// Runs the batch to its end, even past a row that makes no sense, so that the connection is left in order; but not
/// past more rows than any history has.
async fn read(connection: &mut PgConnection, batch: &str) -> Result<Answer, Failure> {
    let mut answers = sqlx::raw_sql(AssertSqlSafe(batch)).fetch(connection);
    let (mut path, mut whereabouts, mut rows, mut seen) = (None, None, Ok(Vec::new()), 0);
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
            Err(error) => return Err(Failure { error, whereabouts: whereabouts.and_then(Result::ok) }),
        };
        if path.is_none() {
            let setting = row::text(&row, 0, "the search path").unwrap_or_default();
            path = Some(SearchPath::new(setting, row::text(&row, 1, "the current schema").unwrap_or_default()));
        } else if let (None, Some(path)) = (&whereabouts, &path) {
            whereabouts = Some(Whereabouts::read(path.clone(), &row));
        } else if let Ok(read) = &mut rows {
            match row::applied(&row).and_then(|row| meter.admit(row)) {
                Ok(applied) => read.push(applied),
                Err(error) => rows = Err(error),
            }
        }
    }
    let nothing = || Err(DatabaseError::new(DatabaseErrorKind::Unintelligible, "the server answered with nothing"));
    Ok(Answer { whereabouts: whereabouts.unwrap_or_else(nothing), rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_has_no_way_out() {
        assert_eq!(literal(r"a'b\'c"), r"E'a''b\\''c'");
    }

    #[test]
    fn the_batch_is_read_only_from_the_first_statement_to_the_last() {
        let name = table_name::parse("Ops.\"Sqlx \"\"M\"", Engine::Postgres).unwrap();
        insta::assert_snapshot!(batch(&name, Duration::from_millis(1500)).replace("; ", ";\n"), @r#"
        BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
        SET LOCAL statement_timeout = 1500;
        SET LOCAL row_security = off;
        SET LOCAL bytea_output = 'hex';
        SELECT pg_catalog.current_setting('search_path'), pg_catalog.set_config('search_path', coalesce(pg_catalog.quote_ident(pg_catalog.current_schema()), ''), true);
        SELECT pg_catalog.to_regclass(E'"ops"."Sqlx ""M"') IS NOT NULL, EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = E'ops'), pg_catalog.array_to_json(ARRAY(SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = E'Sqlx "M' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(temp|toast)' ORDER BY n.nspname));
        SELECT version, description, installed_on, coalesce(success = false, false), checksum, execution_time FROM "ops"."Sqlx ""M" ORDER BY version;
        COMMIT
        "#);
    }
}
