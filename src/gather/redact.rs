//! What a driver or a server says, made fit for a report: without the secrets of its URL, on one line, of bounded
//! length. Pure.

use crate::history::DatabaseUrl;
use crate::secret::{Secrets, on_one_line};

/// Longer texts are cut: a server may say as much as it likes.
const MAX_CHARS: usize = 500;

/// The innermost text: the driver's introduction to it repeats our kind.
pub fn text(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) | sqlx::Error::Configuration(error) => error.to_string(),
        // The driver appends the place in its own source.
        sqlx::Error::Protocol(text) => text.split(" (sqlx_").next().unwrap_or(text).to_owned(),
        other => other.to_string(),
    }
}

/// `text` without the secrets of `url`, on one line of bounded length.
pub fn redact(url: &DatabaseUrl, text: &str) -> String {
    retold(url.secrets(), text)
}

/// `text` without `secrets`, on one line of bounded length.
pub fn retold(secrets: &Secrets, text: &str) -> String {
    // First on one line: what is broken into several would not be recognized.
    let line = on_one_line(text);
    shortened(&secrets.redact(&line))
}

/// `clean`, of bounded length.
pub fn shortened(clean: &str) -> String {
    match clean.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => clean[..end].trim().to_owned() + "…",
        None => clean.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(url: &str, text: &str) -> String {
        redact(&DatabaseUrl::parse(url).unwrap(), text)
    }

    #[test]
    fn a_password_with_control_characters_goes_though_they_are_replaced() {
        assert_eq!(redacted("postgres://app:hunt%40er%09x%0A@db/app", "bad <hunt@er\tx\n>"), "bad <***>");
    }

    #[test]
    fn a_long_answer_of_many_lines_becomes_one_short_line() {
        let clean = redacted("postgres://db/x", &format!("one\n::error::two\r\n{}", "x".repeat(1000)));
        assert!(clean.starts_with("one ::error::two  xxx"), "{clean}");
        assert!(clean.chars().count() <= MAX_CHARS + 1);
    }
}
