//! Reads the histories of tenants from the databases of one MySQL or MariaDB server, on one connection: a round trip for
//! their names, one for all the histories, and one more for each that cannot be read. Writes nothing, ever.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Either, Executor};

use super::{error, options, read_only, roll_back, row, rows};
use crate::gather::agreement::{Agreement, Applied, Histories};
use crate::gather::limit::{MOST_ROWS, Meter, ROWS_BETWEEN_PAUSES, too_many_rows};
use crate::history::{AbsentTable, DatabaseError, DatabaseUrl, Engine, History, LookUp};
use crate::migration::AppliedMigration;
use crate::table_name::{self, TableName};
use crate::tenants::Selection;

/// How many tables one transaction holds open, so that nobody who wants to change one waits for all.
const TOGETHER: usize = 100;
/// So much SQL makes one message: that of some 1,500 tenants, and less than any server refuses.
const MOST_SQL: usize = 256 << 10;

/// How long a tenant whose table is locked keeps the others waiting: a server counts in seconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// The databases that are the server's own.
const SYSTEM: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// The histories of the tenants that `selection` takes, in the table of `look_up`. The server cancels each query after what
/// is left of `timeout`.
///
/// # Errors
/// Every reason for which none of them can be read.
pub async fn histories(
    url: &DatabaseUrl,
    look_up: &LookUp,
    selection: &Selection,
    timeout: Duration,
) -> Result<Histories, DatabaseError> {
    let start = Instant::now();
    let TableName { table, .. } = table_name::parse(&look_up.table, Engine::MySql)?;
    let options = options::of_server(url)?;
    let connection = match options.connect().await {
        Ok(connection) => connection,
        Err(error) => {
            let name = TableName { schema: None, table };
            return Err(error::connecting(error, url, &options, &name).await);
        }
    };
    let mut reader = Reader { connection, url, options, look_up, table, start, timeout };
    let read = reader.read(selection).await;
    let _ = reader.connection.close().await;
    read
}

/// One connection, and what it is asked for.
struct Reader<'a> {
    connection: MySqlConnection,
    url: &'a DatabaseUrl,
    options: MySqlConnectOptions,
    look_up: &'a LookUp,
    table: String,
    start: Instant,
    timeout: Duration,
}

impl Reader<'_> {
    async fn read(&mut self, selection: &Selection) -> Result<Histories, DatabaseError> {
        let names = self.databases().await?;
        let mut agreement = Agreement::default();
        agreement.add_idle(selection, &names)?;
        let tenants: Vec<String> = names.into_iter().filter(|name| selection.takes(name)).collect();
        let mut left = &tenants[..];
        while !left.is_empty() {
            let read = self.read_some(left, &mut agreement).await?;
            left = &left[read..];
        }
        Ok(agreement.into_histories())
    }

    fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.start.elapsed())
    }

    async fn databases(&mut self) -> Result<Vec<String>, DatabaseError> {
        let sql = format!(
            "{}; SELECT CAST(schema_name AS BINARY) FROM information_schema.schemata; COMMIT",
            read_only(self.left(), self.left())
        );
        let rows = self.connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        let rows = rows.map_err(|error| self.failure(&error, &self.name_in("information_schema")))?;
        let names = rows.iter().map(|row| row::text(row, 0, "the name of a database"));
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        Ok(names.into_iter().filter(|name| !SYSTEM.contains(&name.to_ascii_lowercase().as_str())).collect())
    }

    /// Reads the histories of as many of `tenants` as one message asks for, as far as the first that cannot be read. Gives
    /// back how many that were.
    async fn read_some(&mut self, tenants: &[String], agreement: &mut Agreement) -> Result<usize, DatabaseError> {
        let (sql, statements) = message(tenants, &self.table, self.left());
        let asked = statements.iter().flatten().count();
        let (mut statements, mut seen) = (statements.into_iter(), 0);
        // The statement whose rows come next, and whose they are.
        let mut current = statements.next().flatten();
        let (mut history, mut meter) = (Ok(Vec::new()), Meter::default());
        let mut failed = None;
        let mut answers = self.connection.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(Either::Left(_)) => {
                    if let Some(tenant) = current {
                        let rows = std::mem::replace(&mut history, Ok(Vec::new()));
                        agreement.add([tenants[tenant].clone()], rows.map(History::Present));
                        (meter, seen) = (Meter::default(), 0);
                    }
                    current = statements.next().flatten();
                }
                Ok(Either::Right(row)) => {
                    seen += 1;
                    if seen % ROWS_BETWEEN_PAUSES == 0 {
                        // Only in a pause is the clock looked at.
                        tokio::task::yield_now().await;
                    }
                    admit(&mut history, row::applied(&row).and_then(|row| meter.admit(row)));
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        drop(answers);
        match (failed, current) {
            (None, _) => Ok(asked),
            (Some(error), Some(tenant)) if matches!(error, sqlx::Error::Database(_)) => {
                roll_back(&mut self.connection).await;
                let applied = self.unread(&error, &tenants[tenant])?;
                agreement.add([tenants[tenant].clone()], applied);
                Ok(tenant + 1)
            }
            (Some(error), _) => Err(self.failure(&error, &self.name_in(&tenants[0]))),
        }
    }

    /// What it means that the history of a tenant cannot be read.
    fn unread(&self, error: &sqlx::Error, tenant: &str) -> Result<Applied, DatabaseError> {
        if error::is_absence(error) {
            let table = self.look_up.table.clone();
            return Ok(Ok(History::Absent(AbsentTable { table, elsewhere: Vec::new(), absent_schema: None })));
        }
        match self.failure(error, &self.name_in(tenant)) {
            error if self.left().is_zero() => Err(error),
            error => Ok(Err(error)),
        }
    }

    fn name_in(&self, database: &str) -> TableName {
        TableName { schema: Some(database.to_owned()), table: self.table.clone() }
    }

    fn failure(&self, error: &sqlx::Error, name: &TableName) -> DatabaseError {
        error::querying(error, self.url, &self.options, name)
    }
}

/// One more row of a history, while it is one.
fn admit(history: &mut Result<Vec<AppliedMigration>, DatabaseError>, row: Result<AppliedMigration, DatabaseError>) {
    match (&mut *history, row) {
        (Ok(rows), Ok(_)) if rows.len() == MOST_ROWS => *history = Err(too_many_rows()),
        (Ok(rows), Ok(row)) => rows.push(row),
        (Ok(_), Err(error)) => *history = Err(error),
        (Err(_), _) => {}
    }
}

/// One message that asks for the histories of as many of `tenants` as it holds, and for each of its statements the tenant
/// that it is about.
fn message(tenants: &[String], table: &str, timeout: Duration) -> (String, Vec<Option<usize>>) {
    let begin = read_only(timeout, PATIENCE);
    // Everything up to the last semicolon is a statement.
    let of_begin = begin.matches("; ").count() + 1;
    let (mut sql, mut statements) = (String::new(), Vec::new());
    for (index, tenant) in tenants.iter().enumerate() {
        if index % TOGETHER == 0 {
            if index > 0 {
                sql.push_str("COMMIT; ");
                statements.push(None);
            }
            sql.push_str(&format!("{begin}; "));
            statements.extend(std::iter::repeat_n(None, of_begin));
        }
        let name = TableName { schema: Some(tenant.clone()), table: table.to_owned() };
        sql.push_str(&format!("{}; ", rows(&name)));
        statements.push(Some(index));
        if sql.len() > MOST_SQL {
            break;
        }
    }
    sql.push_str("COMMIT");
    statements.push(None);
    (sql, statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_of_a_message_is_told_apart() {
        let tenants: Vec<String> = (0..201).map(|n| format!("tenant_{n}")).collect();
        let (sql, statements) = message(&tenants, "_sqlx_migrations", Duration::from_secs(1));
        let parts: Vec<&str> = sql.split("; ").collect();
        assert_eq!(parts.len(), statements.len());
        for (part, statement) in parts.iter().zip(&statements) {
            let wanted = statement.map(|index| format!("FROM `tenant_{index}`.`_sqlx_migrations` ORDER BY"));
            assert_eq!(part.starts_with("SELECT"), wanted.is_some(), "{part}");
            assert!(wanted.is_none_or(|wanted| part.contains(&wanted)), "{part}");
        }
        assert_eq!(parts.iter().filter(|part| part.starts_with("START")).count(), 3);
        assert_eq!(parts.iter().filter(|part| **part == "COMMIT").count(), 3);
    }

    #[test]
    fn a_message_is_no_longer_than_a_server_takes() {
        let tenants: Vec<String> = (0..20_000).map(|n| format!("tenant_{n}")).collect();
        let (sql, statements) = message(&tenants, "_sqlx_migrations", Duration::from_secs(1));
        assert!(sql.len() < MOST_SQL + 1024 && sql.ends_with("; COMMIT"));
        assert!(statements.iter().flatten().count() > 1_000);
    }
}
