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
    let (privilege, on) = match (found, &name.schema) {
        (None, Some(schema)) if of(schema) => {
            (Privilege::Usage, format!("USAGE ON SCHEMA {}", quote(schema, Engine::Postgres)))
        }
        (Some(found), _) if of(&name.table) => {
            let schema = name.schema.as_ref().or_else(|| found.path.current());
            let prefix = schema.map(|schema| quote(schema, Engine::Postgres) + ".").unwrap_or_default();
            (Privilege::Select, format!("SELECT ON {prefix}{}", quote(&name.table, Engine::Postgres)))
        }
        _ => return None,
    };
    Some(Kind::NotGranted { privilege, grant: clean(&format!("GRANT {on} TO {};", quote(role, Engine::Postgres))) })
}
