//! Takes the secrets of a database URL out of whatever a driver or a server says. Pure; the last line of defence, not
//! the only one.

use percent_encoding::percent_decode_str;

use crate::history::DatabaseUrl;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Shorter secrets are only replaced as a whole word: hidden inside other words they give nothing away, and replacing
/// every `a` would leave no message to read.
const WHOLE_WORD_BELOW: usize = 4;

/// Longer texts are cut: a server may say as much as it likes.
const MAX_CHARS: usize = 500;

/// `text` without the URL and without its password, raw and percent-decoded, on one line of bounded length.
pub fn redact(url: &DatabaseUrl, text: &str) -> String {
    let mut clean = on_one_line(text);
    for secret in secrets(url.expose()) {
        clean = without(&clean, &secret);
    }
    match clean.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => clean[..end].trim().to_owned() + "…",
        None => clean.trim().to_owned(),
    }
}

fn on_one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Every text that must not be seen, the longest first, so that no part of one is left over.
fn secrets(url: &str) -> Vec<String> {
    let after_scheme = url.split_once(':').map_or(url, |(_, rest)| rest);
    let mut secrets = vec![url.to_owned(), after_scheme.trim_start_matches('/').to_owned()];
    secrets.extend(passwords(after_scheme));
    let decoded: Vec<String> = secrets.iter().flat_map(|secret| decoded(secret)).collect();
    secrets.extend(decoded);
    // A password may hold control characters, and the text has none any more.
    secrets = secrets.iter().map(|secret| on_one_line(secret)).collect();
    secrets.retain(|secret| !secret.trim().is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

/// The passwords, by text alone: a malformed URL holds them too.
fn passwords(after_scheme: &str) -> Vec<String> {
    let mut passwords = Vec::new();
    let rest = after_scheme.trim_start_matches('/');
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // The first reading is that of a well-formed URL, the second that of one whose password was not encoded.
    for text in [authority, rest] {
        let Some((userinfo, _)) = text.rsplit_once('@') else { continue };
        let encoded_colon = userinfo.to_ascii_lowercase().find("%3a").map(|at| at + 3);
        if let Some(start) = userinfo.find(':').map(|at| at + 1).or(encoded_colon) {
            passwords.push(userinfo[start..].to_owned());
        }
    }
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    for pair in query.split(['&', '#']) {
        if let Some((key, value)) = pair.split_once('=')
            && key.to_ascii_lowercase().contains("pass")
        {
            passwords.push(value.to_owned());
            passwords.push(value.replace('+', " "));
        }
    }
    passwords
}

fn decoded(secret: &str) -> [String; 2] {
    let decoded = percent_decode_str(secret).decode_utf8_lossy().into_owned();
    // As `{:?}` prints it.
    let escaped = decoded.escape_debug().to_string();
    [decoded, escaped]
}

fn without(text: &str, secret: &str) -> String {
    if secret.len() >= WHOLE_WORD_BELOW {
        return text.replace(secret, MASK);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let end = at + secret.len();
        let before = rest[..at].chars().next_back().or(clean.chars().next_back());
        let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        clean.push_str(&rest[..at]);
        clean.push_str(if is_word(before) || is_word(rest[end..].chars().next()) { secret } else { MASK });
        rest = &rest[end..];
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(url: &str, text: &str) -> String {
        redact(&DatabaseUrl::parse(url).unwrap(), text)
    }

    #[test]
    fn the_password_goes_raw_and_decoded() {
        let url = "postgres://app:p%40ss%20word@db.example:5432/app";
        assert_eq!(redacted(url, "failed: p%40ss%20word"), "failed: ***");
        assert_eq!(redacted(url, "failed: p@ss word!"), "failed: ***!");
        assert_eq!(redacted(url, "user app at db.example"), "user app at db.example");
    }

    #[test]
    fn the_url_goes_with_and_without_its_scheme() {
        let url = "postgres://app:secret@db.example/app";
        assert_eq!(redacted(url, "cannot parse postgres://app:secret@db.example/app"), "cannot parse ***");
        assert_eq!(redacted(url, "cannot parse app:secret@db.example/app"), "cannot parse ***");
    }

    #[test]
    fn a_password_in_the_query_goes_too() {
        let url = "postgres:///app?user=app&password=top+secret%21";
        assert_eq!(redacted(url, "top+secret%21 top+secret! top secret!"), "*** *** ***");
    }

    #[test]
    fn the_password_of_a_malformed_url_goes_too() {
        assert_eq!(redacted("postgres://app:pa/ss?w#ord@db/app", "bad pa/ss?w#ord"), "bad ***");
        assert_eq!(redacted("postgres:app:hunter22@db/app", "bad hunter22"), "bad ***");
        assert_eq!(redacted("postgres://app%3Ahunter22@db/app", "user \"app:hunter22\""), "user \"app:***\"");
        assert_eq!(
            redacted("postgres://a:\"quoted\"@db/app", r#"unknown value "\"quoted\"""#),
            r#"unknown value "***""#
        );
    }

    #[test]
    fn a_password_with_control_characters_goes_though_they_are_replaced() {
        assert_eq!(redacted("postgres://app:hunt%40er%09x%0A@db/app", "bad <hunt@er\tx\n>"), "bad <***>");
    }

    #[test]
    fn a_short_password_goes_only_as_a_word() {
        let url = "postgres://app:a@db/app";
        assert_eq!(redacted(url, "a bad password: \"a\", a"), "*** bad password: \"***\", ***");
        assert_eq!(redacted("postgres://app:aa@db/x", "aaa aa"), "aaa ***");
        assert_eq!(redacted("postgres://app:@db/x", "no password"), "no password");
        assert_eq!(redacted("postgres://app@db/x", "no password"), "no password");
    }

    #[test]
    fn a_long_answer_of_many_lines_becomes_one_short_line() {
        let clean = redacted("postgres://db/x", &format!("one\n::error::two\r\n{}", "x".repeat(1000)));
        assert!(clean.starts_with("one ::error::two  xxx"), "{clean}");
        assert!(clean.chars().count() <= MAX_CHARS + 1);
    }

    proptest! {
        #[test]
        fn no_password_is_left_in_any_text(
            password in "[a-zA-Z0-9!%$ä:/?#@ +\"\\\\]{4,12}", before in ".{0,8}", after in ".{0,8}",
        ) {
            let encoded = percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC).to_string();
            prop_assume!(!password.trim().is_empty() && !before.contains(&password) && !after.contains(&password));
            for url in [format!("postgres://u:{encoded}@h/d"), format!("postgres://h/d?password={encoded}")] {
                let clean = redacted(&url, &format!("{before}{password}{after} {encoded} {url}"));
                prop_assert!(!clean.contains(password.trim()) || MASK.contains(password.trim()), "{}", clean);
                prop_assert!(!clean.contains(&encoded), "{}", clean);
            }
        }
    }
}
