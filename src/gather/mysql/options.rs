//! A MySQL URL as sqlx reads it, with the mistakes caught that sqlx would answer with a wrong guess or a leak.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::gather::redact::redact;
use crate::gather::server_url::{malformed, parse, without_brackets};
use crate::history::{DatabaseError, DatabaseUrl};

/// The parameters of sqlx that are of use here. It pastes others into its own SQL (`charset`, `timezone`).
const PARAMETERS: [&str; 9] =
    ["sslmode", "ssl-mode", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key", "socket"];

/// The connection to a database that `url` asks for.
///
/// # Errors
/// As with [`of_server`], and a URL that names no database.
pub fn options(url: &DatabaseUrl) -> Result<MySqlConnectOptions, DatabaseError> {
    let options = of_server(url)?;
    if options.get_database().is_none() {
        // sqlx stops at the lock, which it names after the database.
        return Err(malformed("it names no database"));
    }
    Ok(options)
}

/// The connection that `url` asks for, to a database or to none; of what sqlx would set for the session, nothing.
///
/// # Errors
/// A URL that sqlx cannot read, or that it would read with a part of the password as host, port or database.
pub fn of_server(url: &DatabaseUrl) -> Result<MySqlConnectOptions, DatabaseError> {
    let parsed = parse(url, &|key| PARAMETERS.contains(&key))?;
    let is_ssl_mode = |key: &str| matches!(key, "sslmode" | "ssl-mode");
    if parsed.query_pairs().any(|(key, value)| is_ssl_mode(&key) && MySqlSslMode::from_str(&value).is_err()) {
        return Err(malformed("`ssl-mode` is none of disabled, preferred, required, verify_ca and verify_identity"));
    }
    let options = MySqlConnectOptions::from_url(&parsed).map_err(|error| malformed(redact(url, &error.to_string())))?;
    let host = without_brackets(options.get_host()).to_owned();
    Ok(options
        .host(&host)
        .set_names(false)
        .timezone(None)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .disable_statement_logging())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::DatabaseErrorKind;

    fn read(url: &str) -> Result<MySqlConnectOptions, DatabaseError> {
        options(&DatabaseUrl::parse(url).unwrap())
    }

    #[test]
    fn the_url_decides() {
        let options = read("mariadb://app:p%40ss@db.example:3307/shop?ssl-mode=REQUIRED&timezone='&x=y").unwrap();
        assert_eq!(
            (options.get_host(), options.get_port(), options.get_username(), options.get_database()),
            ("db.example", 3307, "app", Some("shop"))
        );
        assert!(matches!(options.get_ssl_mode(), MySqlSslMode::Required));
        assert_eq!(read("mysql://u@[::1]/shop").unwrap().get_host(), "::1");
        assert_eq!(
            read("mysql:///shop?socket=/run/my.sock").unwrap().get_socket().unwrap().to_str(),
            Some("/run/my.sock")
        );
    }

    #[test]
    fn malformed_urls_are_named_so_and_give_nothing_away() {
        let urls = [
            "mysql://app:hunter%ff22@db/shop",
            "mysql://app:hunter/22@db/shop",
            "mysql://app:12/hunter22@db/shop",
            "mysql://app@srv:12/hunter22@db/shop",
            "mysql://app:12@srv/hunter22@db/shop",
            "mysql://app:12?hunter22@db/shop",
            "mysql://app:12#hunter22@db/shop",
            "mysql:app:hunter22@db/shop",
            "mysql:///app:hunter22@db/shop",
            "mysql://app:hunter22@/shop",
            "mysql://app:hunter22@db:hunter22/shop",
            "mysql://app:hunter22@db/shop?ssl-mode=hunter22",
            "mysql://app:hunter22@[db/shop",
            "mysql://app:hunter22@db",
            "mysql://app:hunter22@db/",
        ];
        for url in urls {
            let error = read(url).expect_err(url);
            let kinds = [DatabaseErrorKind::MalformedUrl, DatabaseErrorKind::NotUtf8];
            assert!(kinds.contains(&error.kind), "{url}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter") && !shown.contains("22"), "{url} leaks: {shown}");
        }
        assert_eq!(read("mysql://app@db/").unwrap_err().detail, "it names no database");
    }
}
