//! Words of a shell command and patterns of `.gitattributes`, from names that anybody may have chosen. Pure.

use crate::text::harmless;

/// Names that need no quotes.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./:@+=,".contains(c)
}

/// `text` as one word of a POSIX shell; nothing where it could not be copied from a screen as it is.
pub fn word(text: &str) -> Option<String> {
    if harmless(text) != text || text.contains('\u{fffd}') {
        return None;
    }
    if !text.is_empty() && text.chars().all(is_plain) {
        return Some(text.to_owned());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

/// The path of a file as one word; never an option.
pub fn path(text: &str) -> Option<String> {
    if text.starts_with('-') { word(&format!("./{text}")) } else { word(text) }
}

/// A line of `.gitattributes`: `attribute` for the one file at `path`. Nothing where a screen would not show it as it is.
pub fn attribute(path: &str, attribute: &str) -> Option<String> {
    let mut pattern = String::from("/");
    for c in path.chars() {
        pattern.extend("\\*?[".contains(c).then_some('\\'));
        pattern.push(c);
    }
    if pattern.contains([' ', '"', '\t']) {
        pattern = format!("\"{}\"", pattern.replace('\\', r"\\").replace('"', "\\\""));
    }
    let line = format!("{pattern} {attribute}");
    word(&line).map(|_| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_out_of_a_shell_as_it_went_in() {
        for text in
            ["a/b_1.sql", "a b", "it's", "$(touch x)", "`touch x`", "a\"b", "!x", "~", "ä ö", "", "a;b", "*", "\\"]
        {
            let word = word(text).unwrap();
            let output = std::process::Command::new("sh").args(["-c", &format!("printf %s {word}")]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{word}");
        }
        assert_eq!(path("-x").unwrap(), "./-x");
        for text in ["a\nb", "a\u{1b}[31m", "::error::x", "a\u{202e}", "a\u{fffd}"] {
            assert_eq!(word(text), None, "{text:?}");
        }
    }
}
