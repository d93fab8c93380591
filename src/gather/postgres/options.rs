//! A PostgreSQL URL as sqlx reads it, with the mistakes caught that sqlx would answer with a wrong guess or a leak.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::gather::redact::redact;
use crate::gather::server_url::{malformed, parse, without_brackets};
use crate::history::{DatabaseError, DatabaseUrl};
use crate::secret::Secrets;

const APPLICATION_NAME: &str = "migration-preflight";

/// The parameters that sqlx knows. It logs others with their values, and a value may be half a password.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The connection that `url` asks for.
///
/// # Errors
/// A URL that sqlx cannot read, or that it would read with a part of the password as host, port or database.
pub fn options(url: &DatabaseUrl) -> Result<PgConnectOptions, DatabaseError> {
    let parsed = parse(url, &is_known_parameter)?;
    let is_ssl_mode = |key: &str| matches!(key, "sslmode" | "ssl-mode");
    if parsed.query_pairs().any(|(key, value)| is_ssl_mode(&key) && PgSslMode::from_str(&value).is_err()) {
        return Err(malformed("`sslmode` is none of disable, allow, prefer, require, verify-ca and verify-full"));
    }
    let options = PgConnectOptions::from_url(&parsed)
        .map_err(|error| malformed(redact(url, &error.to_string())))?
        // PgBouncer refuses it, and no float is read here.
        .extra_float_digits(None)
        .disable_statement_logging();
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name(APPLICATION_NAME),
    };
    let host = without_brackets(options.get_host()).to_owned();
    // Setting the host would turn away from the socket.
    Ok(if host == options.get_host() { options } else { options.host(&host) })
}

/// The password that the driver is going to use: that of the URL, of `PGPASSWORD` or of a password file.
pub fn secrets(options: &PgConnectOptions) -> Secrets {
    // Other parts of the options could make up a text that is no URL, on which the driver panics.
    let url = options.clone().host("host").username("user").database("database").to_url_lossy();
    let mut secrets = Secrets::default();
    if let Some(password) = url.password() {
        secrets.add_plain_password(&percent_decode_str(password).decode_utf8_lossy());
    }
    secrets
}

fn is_known_parameter(key: &str) -> bool {
    PARAMETERS.contains(&key) || (key.starts_with("options[") && key.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::DatabaseErrorKind;

    const UNENCODED: &str = "a `/`, `?`, `#` or `@` in the user name or the password has to be percent-encoded";

    fn read(url: &str) -> Result<PgConnectOptions, DatabaseError> {
        options(&DatabaseUrl::parse(url).unwrap())
    }

    #[test]
    fn the_url_decides_and_only_the_application_name_is_added() {
        let options = read("postgres://app:p%40ss@db.example:6432/shop?sslmode=require&target=x").unwrap();
        assert_eq!(
            (options.get_host(), options.get_port(), options.get_username(), options.get_database()),
            ("db.example", 6432, "app", Some("shop"))
        );
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
        assert_eq!(options.get_application_name(), Some(APPLICATION_NAME));
        assert!(format!("{options:?}").contains("extra_float_digits: None"));
    }

    #[test]
    fn the_application_name_of_the_url_stays() {
        let options = read("postgres://db/shop?application_name=deploy").unwrap();
        assert_eq!(options.get_application_name(), Some("deploy"));
    }

    #[test]
    fn an_ipv6_address_loses_its_brackets() {
        assert_eq!(read("postgres://u@[::1]:5433/shop").unwrap().get_host(), "::1");
    }

    #[test]
    fn a_socket_is_a_socket_in_both_spellings() {
        for url in ["postgres://u@%2Ftmp%2Fpg/shop", "postgres:///shop?host=/tmp/pg&user=u@tenant"] {
            assert_eq!(read(url).unwrap().get_socket().unwrap().to_str(), Some("/tmp/pg"), "{url}");
        }
    }

    #[test]
    fn malformed_urls_are_named_so_and_give_nothing_away() {
        let urls = [
            "postgres://app:hunter/22@db/shop",
            "postgres://app:12/hunter22@db/shop",
            "postgres://app@srv:12/hunter22@db/shop",
            "postgres://app:12@srv/hunter22@db/shop",
            "postgres://app:12?hunter22@db/shop",
            "postgres://app:12#hunter22@db/shop",
            "postgres://app:12?x=hunter22@db/shop",
            "postgres:app:hunter22@db/shop",
            "postgres:///app:hunter22@db/shop",
            "postgres://app:hunter22@/shop",
            "postgres://app:hunter22@db:hunter22/shop",
            "postgres://app:hunter22@db/shop?sslmode=hunter22",
            "postgres://app:hunter22@db/shop?port=hunter22",
            "postgres://app:hunter22@db/shop?hostaddr=hunter22",
            "postgres://app:hunter22@[db/shop",
            "postgres://app:hunter22@d b/shop",
            "postgresql://",
        ];
        for url in &urls[..urls.len() - 1] {
            let error = read(url).expect_err(url);
            assert_eq!(error.kind, DatabaseErrorKind::MalformedUrl, "{url}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter") && !shown.contains("22"), "{url} leaks: {shown}");
        }
        assert!(read(urls[urls.len() - 1]).is_ok(), "sqlx connects to the local default then");
    }

    #[test]
    fn escapes_that_are_no_utf_8_are_named_so_and_the_part_that_holds_them() {
        for (url, part) in [
            ("postgres://app:hunter%ff22@db/shop", "the password"),
            ("postgres://h%fcnter:22@db/shop", "the user name"),
            ("postgres://app@db/h%fcnter", "the name of the database"),
        ] {
            let error = read(url).unwrap_err();
            assert_eq!((&error.kind, &*error.detail), (&DatabaseErrorKind::NotUtf8, part));
        }
    }

    #[test]
    fn the_detail_says_what_to_do() {
        let detail = |url| read(url).unwrap_err().detail;
        assert_eq!(detail("postgres://app:12/hunter22@db/shop"), UNENCODED);
        assert_eq!(detail("postgres://app:p/x@db/shop"), format!("invalid port number; or {UNENCODED}"));
        assert_eq!(detail("postgres://app@db:99999/shop"), format!("invalid port number; or {UNENCODED}"));
    }
}
