//! What the driver, MySQL and MariaDB report, sorted by remedy.

use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};

use crate::gather::io_error::{self, Endpoint};
use crate::gather::redact::redact;
use crate::history::{DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl};

/// The error of an attempt to connect. Looks the host up again when the driver's error leaves open what failed.
pub async fn connecting(error: sqlx::Error, url: &DatabaseUrl, options: &MySqlConnectOptions) -> DatabaseError {
    if matches!(&error, sqlx::Error::Configuration(_)) {
        // The URL has been read by now: what is left is a password that sqlx does not send in the clear.
        return DatabaseError::new(Kind::Tls, "the server takes this kind of password over TLS only");
    }
    let endpoint =
        Endpoint { host: options.get_host(), port: options.get_port(), is_socket: options.get_socket().is_some() };
    let kind = match &error {
        sqlx::Error::Io(io) => io_error::connecting(io, endpoint).await,
        other => kind(other),
    };
    DatabaseError::new(kind, redact(url, &text(&error)))
}

/// The error of a query.
pub fn querying(error: &sqlx::Error, url: &DatabaseUrl) -> DatabaseError {
    DatabaseError::new(kind(error), redact(url, &text(error)))
}

/// Undefined table, and MySQL 8's undefined schema.
pub fn is_absence(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1146 | 1049))
}

/// The server's own number of an error: MySQL has far fewer SQLSTATEs than errors.
fn number(error: &sqlx::Error) -> Option<u16> {
    error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}

/// The innermost text: the driver's introduction to it repeats our kind.
fn text(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) | sqlx::Error::Configuration(error) => error.to_string(),
        // The driver appends the place in its own source.
        sqlx::Error::Protocol(text) => text.split(" (sqlx_").next().unwrap_or(text).to_owned(),
        other => other.to_string(),
    }
}

fn kind(error: &sqlx::Error) -> Kind {
    match error {
        sqlx::Error::Tls(_) => Kind::Tls,
        sqlx::Error::Io(error) => io_error::kind(error).unwrap_or(Kind::ConnectionLost),
        sqlx::Error::Database(_) => number(error).map_or(Kind::Unintelligible, server_kind),
        _ => Kind::Unintelligible,
    }
}

/// <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>, and
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/> for what is MariaDB's alone.
fn server_kind(number: u16) -> Kind {
    match number {
        // A host that the server lets nobody in from, too; expired passwords and locked accounts; absent plug-ins.
        1045 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 3955 | 4151 => Kind::Authentication,
        1049 => Kind::NoSuchDatabase,
        // On a database, a table, a column, a command, a routine.
        1044 | 1142 | 1143 | 1227 | 1370 => Kind::PermissionDenied,
        // On the server, for the role, within the hour.
        1040 | 1203 | 1226 => Kind::TooManyConnections,
        // A lock not got; the clocks of MySQL and of MariaDB; KILL QUERY.
        1205 | 3024 | 1969 | 1317 => Kind::TimedOut,
        // TLS is required; MariaDB answers with its 1045 then.
        3159 => Kind::Tls,
        // A host that connected in vain too often.
        1129 => Kind::Refused,
        // Shutting down; a network error of the server's; killed.
        1053 | 1077..=1079 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 => Kind::ConnectionLost,
        // Too long, with a blank at its end, or with a letter beyond the basic plane.
        1059 | 1102 | 1103 | 1300 => Kind::TableName,
        _ => Kind::Unintelligible,
    }
}
