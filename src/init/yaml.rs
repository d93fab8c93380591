//! Text from elsewhere in a YAML file: names that stay names, and comments that stay in their line.

use crate::text::harmless;

/// Words that YAML takes for something else than text, in lower case.
const OTHERS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// `text` as a key or a value: as it is, else in quotation marks.
pub(super) fn scalar(text: &str) -> String {
    // `.github/…`, but not `.inf`.
    let begins = text.strip_prefix('.').filter(|path| path.contains('/')).unwrap_or(text);
    let is_plain = begins.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !OTHERS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        return text.to_owned();
    }
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// `text` in a comment.
pub(super) fn comment(text: &str) -> String {
    format!("# {}", harmless(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_as_it_was_written() {
        for plain in ["content-service", "backend/api/migrations", "_x", "a.b", ".github/a.yml"] {
            assert_eq!(scalar(plain), plain);
        }
        let odd = [
            "",
            "1",
            "no",
            "True",
            "a: b",
            "a #b",
            "-a",
            "*a",
            "\"\\\"",
            "über",
            "a\nb",
            "a\u{2028}b",
            "\u{1f980}",
            " a ",
            "~",
            "./a",
            "a\u{85}",
        ];
        for text in odd {
            let yaml = format!("{}: {} {}\n", scalar(text), scalar(text), comment("a\n# b: c\nd: e"));
            let read: indexmap::IndexMap<String, String> = serde_yaml::from_str(&yaml).unwrap();
            assert_eq!(read, indexmap::IndexMap::from([(text.to_owned(), text.to_owned())]), "{yaml}");
        }
    }
}
