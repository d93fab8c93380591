//! What the driver, MySQL and MariaDB report, sorted by remedy.

use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};

use crate::gather::io_error::{self, Endpoint};
use crate::gather::redact::{redact, text};
use crate::gather::{login, percent, tls};
use crate::history::{DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl, Engine, Privilege};
use crate::table_name::{TableName, quote};

/// The error of an attempt to connect. Looks the host up again when the driver's error leaves open what failed.
pub async fn connecting(
    error: sqlx::Error,
    url: &DatabaseUrl,
    options: &MySqlConnectOptions,
    name: &TableName,
) -> DatabaseError {
    let endpoint =
        Endpoint { host: options.get_host(), port: options.get_port(), is_socket: options.get_socket().is_some() };
    let kind = match &error {
        // The URL has been read by now: what is left is a password that sqlx does not send in the clear.
        sqlx::Error::Configuration(_) => {
            return DatabaseError::new(Kind::Tls, "the server takes this kind of password over TLS only");
        }
        sqlx::Error::Io(io) => match tls::kind(&error) {
            Some(kind) => kind,
            None => io_error::connecting(io, endpoint).await,
        },
        other => match kind(other) {
            Kind::Authentication => percent::rejected(url),
            Kind::PermissionDenied => not_granted(Privilege::Connect, url, options, name),
            kind => kind,
        },
    };
    DatabaseError::new(kind, redact(url, &text(&error)))
}

/// The error of a query.
pub fn querying(
    error: &sqlx::Error,
    url: &DatabaseUrl,
    options: &MySqlConnectOptions,
    name: &TableName,
) -> DatabaseError {
    let kind = match number(error) {
        // A view has need of more, and names what it cannot get at.
        Some(1142 | 1143) if text(error).contains(&name.table) => not_granted(Privilege::Select, url, options, name),
        _ => kind(error),
    };
    DatabaseError::new(kind, redact(url, &text(error)))
}

/// The one privilege with which a user may connect to the database, too. Which of the accounts of its name it is, only
/// the server knows.
fn not_granted(privilege: Privilege, url: &DatabaseUrl, options: &MySqlConnectOptions, name: &TableName) -> Kind {
    let schema = name.schema.as_deref().or(options.get_database()).unwrap_or_default();
    let schema = quote(schema, Engine::MySql);
    let on = match privilege {
        Privilege::Select => quote(&name.table, Engine::MySql),
        // The server grants nothing on a table that does not exist yet, and it may not.
        Privilege::Connect | Privilege::Usage => "*".to_owned(),
    };
    let user = quote(options.get_username(), Engine::MySql);
    let grant = format!("GRANT SELECT ON {schema}.{on} TO {user}@'%';");
    Kind::NotGranted { privilege, grant: redact(url, &grant) }
}

/// No such table, no such database.
pub const ABSENCE: [u16; 2] = [1146, 1049];

/// Undefined table, and MySQL 8's undefined schema.
pub fn is_absence(error: &sqlx::Error) -> bool {
    number(error).is_some_and(|number| ABSENCE.contains(&number))
}

/// The server's own number of an error: MySQL has far fewer SQLSTATEs than errors.
fn number(error: &sqlx::Error) -> Option<u16> {
    error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}

fn kind(error: &sqlx::Error) -> Kind {
    if let Some(kind) = tls::kind(error) {
        return kind;
    }
    match error {
        sqlx::Error::Io(error) => io_error::kind(error).unwrap_or(Kind::ConnectionLost),
        sqlx::Error::Database(_) => number(error).map_or(Kind::Unintelligible, server_kind),
        error if login::is_unknown_method(error) => Kind::AuthenticationMethod,
        _ => Kind::Unintelligible,
    }
}

/// <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>, and
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/> for what is MariaDB's alone.
fn server_kind(number: u16) -> Kind {
    match number {
        // Expired passwords and locked accounts, too; absent plug-ins.
        1045 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 3955 | 4151 => Kind::Authentication,
        // A host that has no account.
        1130 => Kind::NotAdmitted,
        1049 => Kind::NoSuchDatabase,
        // On a database, a table, a column, a command, a routine.
        1044 | 1142 | 1143 | 1227 | 1370 => Kind::PermissionDenied,
        // On the server, for the user, within the hour.
        1040 | 1203 | 1226 => Kind::TooManyConnections,
        // A lock not got; the clocks of MySQL and of MariaDB; KILL QUERY.
        1205 | 3024 | 1969 | 1317 => Kind::Slow,
        // TLS is required; MariaDB answers with its 1045 then.
        3159 => Kind::Tls,
        // A host that connected in vain too often.
        1129 => Kind::Refused,
        // Shutting down; a node that is not yet part of its Galera cluster; in offline mode.
        1053 | 1077..=1079 | 1047 | 3032 => Kind::NotServing,
        // ProxySQL's own, when it reaches no server behind it.
        9001 => Kind::TimedOut,
        // A network error of the server's; killed.
        1152 | 1158..=1161 | 1184 | 1927 | 4031 => Kind::ConnectionLost,
        // Too long, with a blank at its end, or with a letter beyond the basic plane.
        1059 | 1102 | 1103 | 1300 => Kind::TableName,
        // No such column; a view that does not fit its tables any more, or that writes.
        1054 | 1356 | 1792 => Kind::WrongShape,
        _ => Kind::Unintelligible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_told_from_the_servers_number() {
        let cases = [
            (1045, Kind::Authentication),
            (1130, Kind::NotAdmitted),
            (1049, Kind::NoSuchDatabase),
            (1142, Kind::PermissionDenied),
            (1040, Kind::TooManyConnections),
            (3024, Kind::Slow),
            (3159, Kind::Tls),
            (1129, Kind::Refused),
            (1053, Kind::NotServing),
            (1047, Kind::NotServing),
            (9001, Kind::TimedOut),
            (1927, Kind::ConnectionLost),
            (1059, Kind::TableName),
            (1054, Kind::WrongShape),
            (1064, Kind::Unintelligible),
        ];
        for (number, kind) in cases {
            assert_eq!(server_kind(number), kind, "{number}");
        }
    }
}
