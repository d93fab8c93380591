//! What the driver, PostgreSQL and PgBouncer report, sorted by remedy.

use sqlx::postgres::{PgConnectOptions, PgDatabaseError};

use super::{grant, options};
use crate::gather::io_error::{self, Endpoint};
use crate::gather::redact::{self, retold};
use crate::gather::{login, percent, tls};
use crate::history::{DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl};

/// The error of an attempt to connect. Looks the host up again when the driver's error leaves open what failed.
pub async fn connecting(error: sqlx::Error, url: &DatabaseUrl, options: &PgConnectOptions) -> DatabaseError {
    let is_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    let endpoint = Endpoint { host: options.get_host(), port: options.get_port(), is_socket };
    let kind = match &error {
        sqlx::Error::Io(io) => match tls::kind(&error) {
            Some(kind) => kind,
            None => io_error::connecting(io, endpoint).await,
        },
        error if is_silent_hang_up(error) => Kind::HungUp,
        sqlx::Error::Configuration(_) if error.to_string().contains("saslprep") => {
            // The text names the letter that SCRAM forbids: a piece of the password.
            return DatabaseError::new(Kind::Authentication, "a character in the user name or password is not allowed");
        }
        other => match kind(other) {
            Kind::Authentication => percent::rejected(url),
            Kind::PermissionDenied => grant::connect(options, |sql| clean(url, options, sql)),
            kind => kind,
        },
    };
    DatabaseError::new(kind, clean(url, options, &text(&error)))
}

/// `text` without the password of the URL, and without the one that the driver took from `PGPASSWORD` or a password
/// file where the URL has none.
pub fn clean(url: &DatabaseUrl, options: &PgConnectOptions, text: &str) -> String {
    let mut secrets = url.secrets().clone();
    secrets.extend([options::secrets(options)]);
    retold(&secrets, text)
}

/// The error of a query.
pub fn querying(error: &sqlx::Error, url: &DatabaseUrl, options: &PgConnectOptions) -> DatabaseError {
    let detail = match code(error).as_deref() {
        // The only operator in our query; sqlx's own query fails likewise.
        Some("42883") => format!("the column `success` is not of type boolean: {}", text(error)),
        _ => text(error),
    };
    DatabaseError::new(kind(error), clean(url, options, &detail))
}

/// The SQLSTATE that the server gave.
pub fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

fn text(error: &sqlx::Error) -> String {
    if is_silent_hang_up(error) { "the server closed the connection at once".to_owned() } else { redact::text(error) }
}

fn kind(error: &sqlx::Error) -> Kind {
    if let Some(kind) = tls::kind(error) {
        return kind;
    }
    match error {
        sqlx::Error::Configuration(_) => Kind::MalformedUrl,
        sqlx::Error::Io(error) => io_error::kind(error).unwrap_or(Kind::ConnectionLost),
        sqlx::Error::Database(_) if is_turned_away(error) => Kind::NotAdmitted,
        sqlx::Error::Database(error) => server_kind(error.code().as_deref().unwrap_or_default(), error.message()),
        error if is_silent_hang_up(error) => Kind::ConnectionLost,
        error if login::is_unknown_method(error) => Kind::AuthenticationMethod,
        _ => Kind::Unintelligible,
    }
}

/// The driver takes the end of the stream for the answer 0 to its question whether the server speaks TLS.
fn is_silent_hang_up(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Protocol(text) if text.contains("SSLRequest: 0x00"))
}

/// No line of pg_hba.conf admits the connection, or one rejects it. The code is that of a wrong role, too; the words hang
/// on the server's locale; the function that says so does not.
fn is_turned_away(error: &sqlx::Error) -> bool {
    let of_server = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    of_server.is_some_and(|error| error.code() == "28000" && error.routine() == Some("ClientAuthentication"))
}

fn server_kind(code: &str, message: &str) -> Kind {
    match code {
        // PgBouncer's one code for everything, and a real violation of the protocol.
        "08P01" => bouncer_kind(message),
        "28P01" | "28000" => Kind::Authentication,
        "3D000" => Kind::NoSuchDatabase,
        "42501" => Kind::PermissionDenied,
        "53300" => Kind::TooManyConnections,
        // Cancelled by `statement_timeout`; a lock not got within `lock_timeout`; `transaction_timeout`.
        "57014" | "55P03" | "25P04" => Kind::Slow,
        // Starting up or shutting down; a replica that had to choose between our query and its recovery.
        "57P03" | "40001" => Kind::NotServing,
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" => Kind::ConnectionLost,
        // No such column or operator, another type; a view that writes.
        "42703" | "42883" | "42804" | "42809" | "25006" => Kind::WrongShape,
        code if code.starts_with("08") => Kind::ConnectionLost,
        _ => Kind::Unintelligible,
    }
}

/// PgBouncer's words, from its source; it repeats a server's message after "server login failed:".
fn bouncer_kind(message: &str) -> Kind {
    const WORDS: [(&str, Kind); 15] = [
        ("no more connections allowed", Kind::TooManyConnections),
        ("too many connections", Kind::TooManyConnections),
        ("too many clients", Kind::TooManyConnections),
        ("remaining connection slots", Kind::TooManyConnections),
        ("no such database", Kind::NoSuchDatabase),
        ("does not allow connections", Kind::NoSuchDatabase),
        ("no such user", Kind::Authentication),
        ("authentication failed", Kind::Authentication),
        ("auth failed", Kind::Authentication),
        ("login rejected", Kind::Authentication),
        ("SSL required", Kind::Tls),
        ("timeout", Kind::TimedOut),
        ("cannot connect to server", Kind::Refused),
        ("server conn crashed", Kind::ConnectionLost),
        ("shutting down", Kind::NotServing),
    ];
    if message.contains("database \"") && message.contains("does not exist") {
        return Kind::NoSuchDatabase;
    }
    let found = WORDS.iter().find(|(words, _)| message.contains(words));
    found.map_or(Kind::Unintelligible, |(_, kind)| kind.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remedy_is_told_from_the_servers_code() {
        let cases = [
            ("28P01", Kind::Authentication),
            ("28000", Kind::Authentication),
            ("3D000", Kind::NoSuchDatabase),
            ("42501", Kind::PermissionDenied),
            ("53300", Kind::TooManyConnections),
            ("57014", Kind::Slow),
            ("57P01", Kind::ConnectionLost),
            ("57P03", Kind::NotServing),
            ("08006", Kind::ConnectionLost),
            ("42703", Kind::WrongShape),
            ("XX000", Kind::Unintelligible),
            ("", Kind::Unintelligible),
        ];
        for (code, kind) in cases {
            assert_eq!(server_kind(code, "whatever"), kind, "{code}");
        }
    }

    #[test]
    fn every_remedy_is_told_from_the_poolers_words() {
        let cases = [
            ("no more connections allowed (max_client_conn)", Kind::TooManyConnections),
            ("server login failed: FATAL sorry, too many clients already", Kind::TooManyConnections),
            ("server login failed: FATAL database \"x\" does not exist", Kind::NoSuchDatabase),
            ("no such database: x", Kind::NoSuchDatabase),
            ("no such user: x", Kind::Authentication),
            ("password authentication failed", Kind::Authentication),
            ("query_wait_timeout", Kind::TimedOut),
            ("pgbouncer cannot connect to server", Kind::Refused),
            ("unsupported startup parameter: options", Kind::Unintelligible),
        ];
        for (words, kind) in cases {
            assert_eq!(server_kind("08P01", words), kind, "{words}");
        }
    }
}
