//! Text that came from elsewhere, made fit to be shown: harmless for a terminal and for a runner, and without
//! passwords. Pure; where a secret is known, it is `gather` that takes it out.

use std::path::Path;

/// A path as reports and git write it: `/` between its parts, and what is no Unicode replaced.
pub fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").replacen("//", "/", 1)
}

/// `text` with every control character, line break and direction mark replaced by its escape.
///
/// File names come from pull requests and descriptions from databases: neither may move the cursor, recolour
/// the screen, start a line of its own, give the runner a command or turn the text around.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A line that begins so, blanks aside, is a command to GitHub's runner: `::add-mask::`.
    let start = text.trim_start();
    let command = start.starts_with("::").then(|| text.len() - start.len());
    for (index, c) in text.char_indices() {
        // The runner's older form of a command counts wherever it stands in a line: `##[add-mask]`.
        let opens = command == Some(index) || (c == '[' && text[..index].ends_with("##"));
        if opens || c.is_control() || is_invisible(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// The bytes that pairs of hexadecimal digits stand for.
pub fn from_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// `data` as GitHub's runner reads that of a command:
/// <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.
pub fn command_data(data: &str) -> String {
    data.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Line and paragraph separators, and the marks that change the direction of text or hide in it.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

/// Replaces what may be a password, byte for byte: from the first `:` of an authority to the last `@` of the line,
/// and the value of a `password=` parameter. Too much hidden does no harm; too little would.
///
/// `bare` is for text that is one value: `user:password@host`, which has no scheme, is a URL too, and a parameter
/// goes on past blanks.
pub fn mask(text: &str, bare: bool) -> String {
    let mut masked = text.to_owned();
    // In one value `://` ends the scheme only where nothing before it can be a user or a password.
    let ends_scheme = |index: &usize| !bare || !text[..*index].contains([':', '@']);
    let authority = text.find("://").filter(ends_scheme).map(|index| index + 3).or(bare.then_some(0));
    if let Some(start) = authority
        && let Some(end) = masked.rfind('@')
        && let Some(userinfo) = masked.get(start..end)
        && let Some(colon) = userinfo.find(':')
    {
        let range = start + colon + 1..end;
        let hidden = stars(&masked[range.clone()]);
        masked.replace_range(range, &hidden);
    }
    let lower = masked.to_ascii_lowercase();
    let mut from = 0;
    while let Some(index) = lower.get(from..).and_then(|rest| rest.find("password=")) {
        let start = from + index + "password=".len();
        let rest = &masked[start..];
        let end = start + rest.find(|c: char| c == '&' || !bare && c.is_whitespace()).unwrap_or(rest.len());
        let hidden = stars(&masked[start..end]);
        masked.replace_range(start..end, &hidden);
        from = end;
    }
    masked
}

/// As many bytes as `text` has, line breaks kept.
pub fn stars(text: &str) -> String {
    text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_on_a_terminal_is_escaped_and_the_rest_is_kept() {
        assert_eq!(harmless("añb\u{1b}[31m\n::error::\u{202e}x"), "añb\\u{1b}[31m\\u{a}::error::\\u{202e}x");
    }

    #[test]
    fn what_a_runner_would_take_for_a_command_is_escaped() {
        assert_eq!(harmless("::error::x"), "\\u{3a}:error::x");
        assert_eq!(harmless("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(harmless("a ##[add-mask]b"), "a ##\\u{5b}add-mask]b");
        assert_eq!(harmless("a::b #[c]"), "a::b #[c]");
    }

    #[test]
    fn the_data_of_a_command_is_escaped_as_the_runner_reads_it() {
        assert_eq!(command_data("100%\r\n%0A::x"), "100%25%0D%0A%250A::x");
    }

    #[test]
    fn a_password_is_masked_byte_for_byte_and_nothing_else_is() {
        for (text, masked) in [
            ("u: postgres://a:bß@c/d # x", "u: postgres://a:***@c/d # x"),
            ("postgres://a:b@c@d", "postgres://a:***@d"),
            ("postgres://a@c:1/d", "postgres://a@c:1/d"),
            ("x?Password=b c", "x?Password=* c"),
            ("x?password=b&y=z", "x?password=*&y=z"),
            ("me: a@b", "me: a@b"),
        ] {
            assert_eq!(mask(text, false), masked);
        }
        for (text, masked) in [
            ("a:b@c", "a:*@c"),
            ("a:b@c/d?e=f://g", "a:*@c/d?e=f://g"),
            ("a:b://c@d", "a:*****@d"),
            ("a://b:c://d@e", "a://b:*****@e"),
        ] {
            assert_eq!(mask(text, true), masked);
        }
    }
}
