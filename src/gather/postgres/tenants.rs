//! Reads the histories of tenants from the schemas of one PostgreSQL database: two round trips on one connection, however
//! many there are. Writes nothing, ever.
//!
//! The first answer says which schemas there are and which of them have a table just as sqlx makes it. Of those tables the
//! second has every history once, with the tenants that have it: the server compares them, so that what a thousand tenants
//! have in common travels once. Whatever is out of the ordinary is read by itself, as a history without tenants is, and fails
//! in the same words.

mod schema;
mod shared;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection};

use super::{Login, error, grant, of_table, options, roll_back};
use crate::gather::agreement::{Agreement, Applied, Histories};
use crate::gather::limit::{MOST_ROWS, Meter, ROWS_BETWEEN_PAUSES};
use crate::history::{
    AbsentTable, DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl, Engine, History, LookUp, Privilege,
};
use crate::table_name::{self, TableName};
use crate::tenants::Selection;
use schema::{Schema, Table, schemas};
use shared::{Shared, shared};

/// How many tables one transaction locks, each with its index: a server has some 6,400 locks to give away by default, and
/// what is left has to do for everybody else.
const TOGETHER: usize = 100;
/// So much SQL makes one message: that of some 2,000 tenants.
const MOST_SQL: usize = 1 << 20;

/// For how many milliseconds those that are read together wait for one whose table is locked, and hold the others'.
const PATIENCE: u32 = 200;
/// How many schemas one `GRANT` is told for.
const MOST_GRANTED: usize = 20;

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
    let TableName { table, .. } = table_name::parse(&look_up.table, Engine::Postgres)?;
    let login = Login { url, options: options::options(url)? };
    let connection = login.connect().await?;
    let mut reader = Reader { connection, login, look_up, table, start, timeout };
    let read = reader.read(selection).await;
    let _ = reader.connection.close().await;
    read
}

/// One connection, and what it is asked for.
struct Reader<'a> {
    connection: PgConnection,
    login: Login<'a>,
    look_up: &'a LookUp,
    table: String,
    start: Instant,
    timeout: Duration,
}

/// What the server answered before it was done, or could not go on.
struct Answers {
    rows: Vec<PgRow>,
    failed: Option<sqlx::Error>,
}

impl Reader<'_> {
    async fn read(&mut self, selection: &Selection) -> Result<Histories, DatabaseError> {
        let schemas = self.schemas().await?;
        let names: Vec<String> = schemas.iter().map(|schema| schema.name.clone()).collect();
        let mut agreement = Agreement::default();
        agreement.add_idle(selection, &names)?;
        let (mut plain, mut odd) = (Vec::new(), Vec::new());
        let (mut using, mut selecting) = (Vec::new(), Vec::new());
        for Schema { name, table } in schemas.into_iter().filter(|schema| selection.takes(&schema.name)) {
            match table {
                Table::Absent => agreement.add([name], Ok(self.absent())),
                Table::Forbidden(Privilege::Usage) => using.push(name),
                Table::Forbidden(_) => selecting.push(name),
                Table::Plain => plain.push(name),
                Table::Odd => odd.push(name),
            }
        }
        for (privilege, names) in [(Privilege::Usage, using), (Privilege::Select, selecting)] {
            if !names.is_empty() {
                let kind = self.not_granted(privilege, &names);
                agreement.add(names, Err(DatabaseError::new(kind, "")));
            }
        }
        odd.extend(self.read_together(plain, &mut agreement).await?);
        for name in odd {
            let applied = self.read_alone(&name).await?;
            agreement.add([name], applied);
        }
        Ok(agreement.into_histories())
    }

    fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.start.elapsed())
    }

    fn absent(&self) -> History {
        let table = self.look_up.table.clone();
        History::Absent(AbsentTable { table, elsewhere: Vec::new(), absent_schema: None })
    }

    fn not_granted(&self, privilege: Privilege, schemas: &[String]) -> Kind {
        let Login { url, options } = &self.login;
        let (shown, others) = schemas.split_at(schemas.len().min(MOST_GRANTED));
        let tables = shown.iter().map(|schema| self.name_in(schema));
        let mut sql = match privilege {
            Privilege::Select => grant::select(tables, options.get_username()),
            _ => grant::usage(shown, options.get_username()),
        };
        if !others.is_empty() {
            sql.push_str(&format!(" -- and so for {} more", others.len()));
        }
        Kind::NotGranted { privilege, grant: error::clean(url, options, &sql) }
    }

    fn name_in(&self, schema: &str) -> TableName {
        TableName { schema: Some(schema.to_owned()), table: self.table.clone() }
    }

    async fn schemas(&mut self) -> Result<Vec<Schema>, DatabaseError> {
        let sql = transaction(self.left(), &schemas(&self.table));
        let Answers { rows, failed } = self.ask(&sql).await;
        match failed {
            Some(error) => Err(self.failure(&error)),
            None => rows.iter().map(Schema::read).collect(),
        }
    }

    /// Reads the plain tables of these schemas. Gives back those of which it has to be looked why they could not be read.
    async fn read_together(
        &mut self,
        schemas: Vec<String>,
        agreement: &mut Agreement,
    ) -> Result<Vec<String>, DatabaseError> {
        let mut odd = Vec::new();
        let mut left: &[String] = &schemas;
        while !left.is_empty() {
            let (asked, sql) = self.message(left);
            let Answers { rows, failed } = self.ask(&sql).await;
            let mut is_answered = vec![false; asked];
            for row in &rows {
                let Shared { rows, tenants } = Shared::read(row)?;
                let names = tenants.into_iter().filter(|tenant| *tenant < asked && !is_answered[*tenant]);
                let names: Vec<usize> = names.collect();
                names.iter().for_each(|tenant| is_answered[*tenant] = true);
                let names = names.into_iter().map(|tenant| left[tenant].clone());
                match rows.map(|rows| Meter::default().admit_all(rows)) {
                    Some(Ok(rows)) => agreement.add(names, Ok(History::Present(rows))),
                    _ => odd.extend(names),
                }
            }
            let unanswered = is_answered.iter().position(|is_answered| !is_answered);
            let done = match (failed, unanswered) {
                (None, None) => asked,
                (Some(error), _) if !matches!(error, sqlx::Error::Database(_)) => return Err(self.failure(&error)),
                (Some(error), _) if self.left().is_zero() => return Err(self.failure(&error)),
                (None, Some(_)) => {
                    return Err(DatabaseError::new(Kind::Unintelligible, "the server left out some tenants"));
                }
                // One of those that were read in one transaction is why; who, shows when each is read by itself.
                (Some(_), first) => {
                    let from = first.unwrap_or(asked) / TOGETHER * TOGETHER;
                    let to = asked.min(from + TOGETHER);
                    odd.extend((from..to).filter(|tenant| !is_answered[*tenant]).map(|tenant| left[tenant].clone()));
                    to
                }
            };
            left = &left[done..];
        }
        Ok(odd)
    }

    /// As many of these schemas as one message asks for, and the message.
    fn message(&self, schemas: &[String]) -> (usize, String) {
        let (mut asked, mut message) = (0, String::new());
        for together in schemas.chunks(TOGETHER) {
            let names = together.iter().map(|schema| self.name_in(schema));
            let sql =
                transaction(self.left(), &format!("SET LOCAL lock_timeout = {PATIENCE}; {}", shared(asked, names)));
            if asked > 0 && message.len() + sql.len() > MOST_SQL {
                break;
            }
            message.push_str(&sql);
            asked += together.len();
        }
        (asked, message)
    }

    /// The history of one tenant, as that of a target without any.
    async fn read_alone(&mut self, schema: &str) -> Result<Applied, DatabaseError> {
        // What is left has to do for others that are locked as well.
        let (name, left) = (self.name_in(schema), self.left() / 2);
        let applied = of_table(&mut self.connection, &self.login, self.look_up, &name, left).await;
        match applied {
            // Of the others each is the history of a tenant, too.
            Ok(History::Absent(absent)) => Ok(Ok(History::Absent(AbsentTable { elsewhere: Vec::new(), ..absent }))),
            Err(error) if error.kind == Kind::ConnectionLost || self.left().is_zero() => Err(error),
            applied => Ok(applied),
        }
    }

    fn failure(&self, error: &sqlx::Error) -> DatabaseError {
        error::querying(error, self.login.url, &self.login.options)
    }

    async fn ask(&mut self, sql: &str) -> Answers {
        let mut answers = Answers { rows: Vec::new(), failed: None };
        {
            let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut self.connection);
            while let Some(row) = rows.next().await {
                match row {
                    Ok(row) if answers.rows.len() < MOST_ROWS => answers.rows.push(row),
                    Ok(_) => answers.failed = Some(sqlx::Error::Protocol(format!("more than {MOST_ROWS} rows"))),
                    Err(error) => answers.failed = Some(error),
                }
                if answers.failed.is_some() {
                    break;
                }
                if answers.rows.len().is_multiple_of(ROWS_BETWEEN_PAUSES) {
                    // Only in a pause is the clock looked at.
                    tokio::task::yield_now().await;
                }
            }
        }
        if matches!(answers.failed, Some(sqlx::Error::Database(_))) {
            roll_back(&mut self.connection).await;
        }
        answers
    }
}

/// A transaction that only reads, and in which names mean what they mean to the server itself. The settings are those of
/// a history that is read by itself.
fn transaction(timeout: Duration, select: &str) -> String {
    let milliseconds = timeout.as_millis().clamp(1, i32::MAX as u128);
    format!(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {milliseconds}; \
         SET LOCAL row_security = off; \
         SET LOCAL search_path = ''; \
         {select}; \
         COMMIT; "
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(schema: &str) -> TableName {
        TableName { schema: Some(schema.to_owned()), table: "_sqlx_migrations".to_owned() }
    }

    #[test]
    fn what_is_asked_is_read_only_from_the_first_statement_to_the_last() {
        let tables = ["tenant_1", "a\"; DROP"].map(table).into_iter();
        let sql = transaction(Duration::from_millis(1500), &shared(100, tables));
        insta::assert_snapshot!(sql.replace("; ", ";\n").replace("(SELECT", "\n  (SELECT"), @r#"
        BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
        SET LOCAL statement_timeout = 1500;
        SET LOCAL row_security = off;
        SET LOCAL search_path = '';
        SELECT h COLLATE "C", string_agg(i::text, ' ') FROM 
          (SELECT 100, 
          (SELECT json_agg(json_build_array(version, left(description, 4097), coalesce(success = false, false), encode(substring(checksum FROM 1 FOR 4097), 'hex'), coalesce(execution_time = -1, false)) ORDER BY version)::text FROM 
          (SELECT * FROM "tenant_1"."_sqlx_migrations" LIMIT 10001) r) UNION ALL SELECT 101, 
          (SELECT json_agg(json_build_array(version, left(description, 4097), coalesce(success = false, false), encode(substring(checksum FROM 1 FOR 4097), 'hex'), coalesce(execution_time = -1, false)) ORDER BY version)::text FROM 
          (SELECT * FROM "a"";
        DROP"."_sqlx_migrations" LIMIT 10001) r)) t (i, h) GROUP BY h COLLATE "C";
        COMMIT;
        "#);
    }
}
