//! Which privilege a role lacks, and the SQL that grants it: printed, never run.

use sqlx::postgres::{PgConnectOptions, PgDatabaseError};

use super::Whereabouts;
use crate::history::{DatabaseErrorKind as Kind, Engine, Privilege};
use crate::table_name::{TableName, quote};

/// The server checks a privilege in this one function of its own. Whatever else it forbids, such as reading past a
/// row-level policy, no `GRANT` allows.
const CHECK: &str = "aclcheck_error";

/// The right to connect.
pub fn connect(options: &PgConnectOptions, clean: impl Fn(&str) -> String) -> Kind {
    let role = options.get_username();
    let database = options.get_database().unwrap_or(role);
    let sql = format!(
        "GRANT CONNECT ON DATABASE {} TO {};",
        quote(database, Engine::Postgres),
        quote(role, Engine::Postgres)
    );
    Kind::NotGranted { privilege: Privilege::Connect, grant: clean(&sql) }
}

/// The SQL that lets `role` use `schemas`.
pub fn usage(schemas: &[String], role: &str) -> String {
    let schemas: Vec<String> = schemas.iter().map(|schema| quote(schema, Engine::Postgres)).collect();
    format!("GRANT USAGE ON SCHEMA {} TO {};", schemas.join(", "), quote(role, Engine::Postgres))
}

/// The SQL that lets `role` select from `tables`.
pub fn select(tables: impl Iterator<Item = TableName>, role: &str) -> String {
    let tables: Vec<String> = tables.map(|table| table.quoted(Engine::Postgres)).collect();
    format!("GRANT SELECT ON {} TO {};", tables.join(", "), quote(role, Engine::Postgres))
}

/// The right that the query lacked: to use the schema where the server did not get to looking the table up, else to
/// select from the table. `None` where it is not that simple: a view may lack a right on something else.
pub fn read(
    error: &sqlx::Error,
    role: &str,
    name: &TableName,
    found: Option<&Whereabouts>,
    clean: impl Fn(&str) -> String,
) -> Option<Kind> {
    let error = error.as_database_error()?;
    // The words of the message hang on the server's locale; code, function and names do not.
    let of_server = error.try_downcast_ref::<PgDatabaseError>()?;
    let of = |text: &str| error.message().contains(text);
    if error.code()? != "42501" || of_server.routine()? != CHECK {
        return None;
    }
    let (privilege, sql) = match (found, &name.schema) {
        (None, Some(schema)) if of(schema) => (Privilege::Usage, usage(std::slice::from_ref(schema), role)),
        (Some(found), _) if of(&name.table) => {
            let schema = name.schema.as_deref().or_else(|| found.path.current().map(String::as_str));
            let table = TableName { schema: schema.map(str::to_owned), table: name.table.clone() };
            (Privilege::Select, select(std::iter::once(table), role))
        }
        _ => return None,
    };
    Some(Kind::NotGranted { privilege, grant: clean(&sql) })
}
