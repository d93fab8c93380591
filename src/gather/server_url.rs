//! The URL of a database server, before a driver sees it: the mistakes that every driver would answer with a wrong
//! guess or a leak. Pure.

use url::Url;

use crate::gather::percent;
use crate::history::{DatabaseError, DatabaseErrorKind, DatabaseUrl};

const UNENCODED: &str = "a `/`, `?`, `#` or `@` in the user name or the password has to be percent-encoded";

/// The URL with those of its parameters that the driver `knows`: it would log others with their values, and a value
/// may be half a password.
///
/// # Errors
/// No URL, or one in which a part of the password has become host, port, database or parameter.
pub fn parse(url: &DatabaseUrl, knows: &dyn Fn(&str) -> bool) -> Result<Url, DatabaseError> {
    let mut parsed = Url::parse(url.expose()).map_err(|error| malformed(syntax(error)))?;
    if holds_unencoded_password(&parsed, knows) {
        return Err(malformed(UNENCODED));
    }
    percent::expect_utf8(&parsed)?;
    let (known, unknown): (Vec<_>, Vec<_>) = parsed.query_pairs().into_owned().partition(|(key, _)| knows(key));
    if !unknown.is_empty() {
        parsed.set_query(None);
    }
    if !unknown.is_empty() && !known.is_empty() {
        parsed.query_pairs_mut().extend_pairs(&known);
    }
    Ok(parsed)
}

/// A host without the brackets of an IPv6 address, with which sqlx would hand it to the resolver.
pub fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// The error for a URL that cannot be used. `detail` holds nothing of it.
pub fn malformed(detail: impl Into<String>) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::MalformedUrl, detail)
}

fn syntax(error: url::ParseError) -> String {
    match error {
        // The usual cause: `user:pa/ss@host` has the host `user` and the port `pa`.
        url::ParseError::InvalidPort => format!("{error}; or {UNENCODED}"),
        other => other.to_string(),
    }
}

/// Whether an `@` stands where only a broken-off user name or password can have brought it.
fn holds_unencoded_password(url: &Url, knows: &dyn Fn(&str) -> bool) -> bool {
    let in_query = || url.query_pairs().any(|(key, value)| !knows(&key) && (key + value).contains('@'));
    url.path().contains('@') || url.fragment().is_some_and(|fragment| fragment.contains('@')) || in_query()
}
