//! The escapes of a URL: what is none, and what is no text once it is decoded. Pure.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::history::{DatabaseError, DatabaseErrorKind as Kind, DatabaseUrl};

/// Holds the parts of a URL that are decoded to what sqlx asks of them.
///
/// # Errors
/// A part that is not UTF-8 once it is decoded: sqlx refuses it, in words that name neither part nor remedy.
pub fn expect_utf8(url: &Url) -> Result<(), DatabaseError> {
    let parts = [
        ("the user name", url.username()),
        ("the password", url.password().unwrap_or_default()),
        ("the name of the database", url.path()),
    ];
    match parts.iter().find(|(_, text)| percent_decode_str(text).decode_utf8().is_err()) {
        Some((part, _)) => Err(DatabaseError::new(Kind::NotUtf8, *part)),
        None => Ok(()),
    }
}

/// What credentials are that a database rejected. A `%` without two hexadecimal digits is no reason not to connect,
/// because sqlx takes it for a `%`; but where the password is wrong, it is the likeliest reason.
pub fn rejected(url: &DatabaseUrl) -> Kind {
    let is_broken = |url: &Url| has_stray_percent(url.username()) || url.password().is_some_and(has_stray_percent);
    if Url::parse(url.expose()).is_ok_and(|url| is_broken(&url)) { Kind::PercentEncoding } else { Kind::Authentication }
}

fn has_stray_percent(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
        digits < 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_without_two_hexadecimal_digits_is_a_stray_one() {
        for stray in ["100%", "50%off", "a%4", "%zz", "%%20"] {
            assert!(has_stray_percent(stray), "{stray}");
        }
        for fine in ["", "a", "%25", "a%4Fb", "%C3%B6"] {
            assert!(!has_stray_percent(fine), "{fine}");
        }
    }

    #[test]
    fn rejected_credentials_are_blamed_on_a_stray_percent_sign_where_there_is_one() {
        let rejected = |url| rejected(&DatabaseUrl::parse(url).unwrap());
        assert_eq!(rejected("postgres://u:50%off@h/d"), Kind::PercentEncoding);
        assert_eq!(rejected("postgres://u:50%25off@h/d%"), Kind::Authentication);
    }
}
