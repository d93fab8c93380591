//! Rust source in words, texts and signs, without what a compiler passes over. Pure.
//!
//! It knows comments, every kind of literal and lifetimes: enough that what stands in a comment or a text is never taken
//! for code. It parses nothing, and takes any text for Rust.

/// A piece of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    /// The line that it begins in, counted from 1.
    pub line: u32,
}

/// What a piece of the source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'a> {
    /// An identifier, a keyword or a number. `r#type` is `type`.
    Word(&'a str),
    /// What a string literal stands for. One of bytes is none.
    Text(String),
    /// Any other sign, one at a time.
    Sign(char),
}

/// Takes a source apart.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { rest: source, line: 1 };
    let mut tokens = Vec::new();
    while !lexer.rest.is_empty() {
        let line = lexer.line;
        tokens.extend(lexer.next().map(|kind| Token { kind, line }));
    }
    tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Lexer<'a> {
    /// The next piece, or nothing where a compiler sees nothing. Always goes on.
    fn next(&mut self) -> Option<Kind<'a>> {
        let first = self.rest.chars().next()?;
        if self.rest.starts_with("//") {
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            return None;
        }
        if self.rest.starts_with("/*") {
            self.block_comment();
            return None;
        }
        match first {
            '"' => {
                self.take(1);
                Some(Kind::Text(self.text()))
            }
            '\'' => {
                self.character_or_lifetime();
                None
            }
            _ if is_of_word(first) => self.word(),
            _ => {
                self.take(first.len_utf8());
                (!first.is_whitespace()).then_some(Kind::Sign(first))
            }
        }
    }

    /// Goes on by so many bytes, and gives them.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count() as u32;
        self.rest = rest;
        taken
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            let Some(place) = self.rest.find(['/', '*']) else {
                self.take(self.rest.len());
                return;
            };
            self.take(place);
            match self.rest.as_bytes().get(..2) {
                Some(b"/*") => depth += 1,
                Some(b"*/") => depth = depth.saturating_sub(1),
                _ => {
                    self.take(1);
                    continue;
                }
            }
            self.take(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// A word; or a literal, where the word is no more than its prefix.
    fn word(&mut self) -> Option<Kind<'a>> {
        let word = self.take(self.rest.find(|c| !is_of_word(c)).unwrap_or(self.rest.len()));
        let hashes = self.rest.len() - self.rest.trim_start_matches('#').len();
        let opens = self.rest[hashes..].starts_with('"');
        match word {
            "r" | "br" | "cr" if opens => {
                self.take(hashes + 1);
                let text = self.raw(hashes);
                (word == "r").then(|| Kind::Text(text.to_owned()))
            }
            "r" if hashes == 1 => {
                self.take(1);
                let name = self.take(self.rest.find(|c| !is_of_word(c)).unwrap_or(self.rest.len()));
                Some(Kind::Word(name))
            }
            "b" | "c" if hashes == 0 && opens => {
                self.take(1);
                self.text();
                None
            }
            "b" if self.rest.starts_with('\'') => {
                self.character_or_lifetime();
                None
            }
            _ => Some(Kind::Word(word)),
        }
    }

    /// What a string literal stands for, from behind its first quotation mark on.
    fn text(&mut self) -> String {
        let mut text = String::new();
        loop {
            let place = self.rest.find(['"', '\\']).unwrap_or(self.rest.len());
            text.push_str(self.take(place));
            match self.rest.as_bytes() {
                [b'\\', ..] => self.escape(&mut text),
                _ => {
                    self.take(1);
                    return text;
                }
            }
        }
    }

    /// What a backslash in a string literal begins.
    fn escape(&mut self, text: &mut String) {
        self.take(1);
        let Some(c) = self.rest.chars().next() else { return };
        self.take(c.len_utf8());
        let hexadecimal = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        match c {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '0' => text.push('\0'),
            '\n' => {
                let blank = self.rest.len() - self.rest.trim_start().len();
                self.take(blank);
            }
            'x' if self.rest.is_char_boundary(2) => text.extend(hexadecimal(self.take(2))),
            'u' if self.rest.starts_with('{') => {
                let escape = self.take(self.rest.find('}').map_or(1, |end| end + 1));
                text.extend(hexadecimal(&escape.trim_matches(['{', '}']).replace('_', "")));
            }
            other => text.push(other),
        }
    }

    /// What a raw string literal holds that ends with a quotation mark and so many `#`.
    fn raw(&mut self, hashes: usize) -> &'a str {
        let end = format!("\"{}", "#".repeat(hashes));
        let place = self.rest.find(&end).unwrap_or(self.rest.len());
        let text = self.take(place);
        self.take(end.len());
        text
    }

    /// `'x'`, `'\n'` and `'life`.
    fn character_or_lifetime(&mut self) {
        self.take(1);
        let mut chars = self.rest.chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), Some(escaped)) => {
                self.take(1 + escaped.len_utf8());
                // `'\u{1f980}'`, and nothing longer.
                let end = self.rest.bytes().take(12).position(|byte| byte == b'\'');
                self.take(end.map_or(0, |end| end + 1));
            }
            (Some(c), Some('\'')) => {
                self.take(c.len_utf8() + 1);
            }
            // The name of a lifetime comes as a word, which does no harm.
            _ => {}
        }
    }
}

fn is_of_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words and signs as they are, texts in quotation marks, each line on its own.
    fn shown(source: &str) -> String {
        let mut shown = String::new();
        let mut last = 1;
        for Token { kind, line } in tokens(source) {
            let separator = if line == last { ' ' } else { '/' };
            shown.push(separator);
            last = line;
            match kind {
                Kind::Word(word) => shown.push_str(word),
                Kind::Text(text) => shown.push_str(&format!("{text:?}")),
                Kind::Sign(sign) => shown.push(sign),
            }
        }
        shown.trim_start().to_owned()
    }

    #[test]
    fn comments_are_passed_over_and_count_their_lines() {
        assert_eq!(shown("a // b\n/* c /* d\n */ e */ f"), "a/f");
        assert_eq!(shown("/// a\n//! b\nc /**/ d / e /* f"), "/c d / e");
        assert_eq!(shown("/*/ a */ b"), "b");
    }

    #[test]
    fn literals_of_every_kind_end_where_they_end() {
        assert_eq!(shown(r#""a" "b\"c" "\\" d"#), r#""a" "b\"c" "\\" d"#);
        assert_eq!(shown("r\"a\\\" r#\"b\"c\"# r##\"\"#\"## d"), r##""a\\" "b\"c" "\"#" d"##);
        assert_eq!(shown("b\"a\\\"\" br#\"b\"# c\"c\" cr\"d\" e"), "e");
        assert_eq!(shown("\"a\\\n   b\" c"), "\"ab\"/c");
        assert_eq!(shown(r#""\x2f\u{2f}\u{1_F980}\q""#), "\"//🦀q\"");
        assert_eq!(shown("\"a\nb\" c"), "\"a\\nb\"/c");
    }

    #[test]
    fn characters_and_lifetimes_open_no_text() {
        assert_eq!(shown("'\"' a '\\'' b '\\u{1f980}' c '/' d b'\"' e"), "a b c d e");
        assert_eq!(shown("fn f<'a>(x: &'a str) -> &'static str"), "fn f < a > ( x : & a str ) - > & static str");
        assert_eq!(shown("'é' x 'a: loop"), "x a : loop");
    }

    #[test]
    fn words_are_whole_and_raw_ones_are_what_they_name() {
        assert_eq!(shown("sqlx::migrate!() r#type über 1_000u8"), "sqlx : : migrate ! ( ) type über 1_000u8");
    }

    #[test]
    fn what_never_ends_ends_with_the_source() {
        for source in ["\"a", "\"a\\", "\"\\x", "\"\\xé", "\"\\u{", "r#\"a", "/* a", "'", "'\\", "b'", "r#", "\"\\u{12"]
        {
            tokens(source);
        }
    }
}
