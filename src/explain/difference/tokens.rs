//! SQL taken apart as far as it takes to tell white space and comments from what a server obeys. Where it is in doubt,
//! it is something that the server obeys.

use crate::history::Engine;

/// Whether comments count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// Each of them is a token.
    Kept,
    /// They are white space.
    LeftOut,
}

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// A name, number, operator, string or quoted name, as written.
    Text(&'a str),
    /// A comment, its white space made alike.
    Comment(String),
    /// White space that means something: with a line break between two strings PostgreSQL joins them.
    Break,
}

/// The tokens of `text`.
pub fn tokens(text: &str, engine: Engine, comments: Comments) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut broken) = (text, false);
    while let Some(c) = rest.chars().next() {
        let (token, tail) = if c.is_whitespace() {
            broken |= c == '\n';
            rest = &rest[c.len_utf8()..];
            continue;
        } else if let Some(end) = comment(rest, engine) {
            let words = rest[..end].split_whitespace().collect::<Vec<_>>().join(" ");
            broken |= rest[..end].starts_with("--") || rest[..end].contains('\n');
            (Token::Comment(words), &rest[end..])
        } else {
            let end = text_token(rest, engine);
            (Token::Text(&rest[..end]), &rest[end..])
        };
        rest = tail;
        match token {
            Token::Comment(_) if comments == Comments::LeftOut => {}
            Token::Comment(_) => tokens.push(token),
            _ => {
                let both_strings = matches!((&token, tokens.last()), (Token::Text(one), Some(Token::Text(other))) if one.starts_with('\'') && other.ends_with('\''));
                tokens.extend((both_strings && broken).then_some(Token::Break));
                tokens.push(token);
                broken = false;
            }
        }
    }
    tokens
}

/// Where the comment ends that `text` begins with.
fn comment(text: &str, engine: Engine) -> Option<usize> {
    let line = |text: &str| text.find('\n').unwrap_or(text.len());
    if let Some(rest) = text.strip_prefix("--") {
        // To MySQL `--1` is a number, twice negated.
        let opens = engine != Engine::MySql || rest.chars().next().is_none_or(|c| c.is_whitespace() || c.is_control());
        return opens.then(|| line(text));
    }
    if engine == Engine::MySql && text.starts_with('#') {
        return Some(line(text));
    }
    let inner = text.strip_prefix("/*")?;
    match engine {
        // MySQL runs what stands in `/*! */`, MariaDB in `/*M! */` too, and `/*+ */` is for the optimizer.
        Engine::MySql if inner.starts_with(['!', '+']) || inner.starts_with("M!") => None,
        Engine::MySql | Engine::Sqlite => Some(inner.find("*/").map_or(text.len(), |end| end + 4)),
        Engine::Postgres => Some(nested(text)),
    }
}

/// Where a comment ends that may hold others.
fn nested(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(found) = text[at..].find("*/").into_iter().chain(text[at..].find("/*")).min() {
        let opens = text[at + found..].starts_with("/*");
        depth = if opens { depth + 1 } else { depth.saturating_sub(1) };
        at += found + 2;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Where the token ends that `text`, which is neither white space nor a comment, begins with.
fn text_token(text: &str, engine: Engine) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    if let Some(end) = quoted(text, engine, false) {
        return end;
    }
    if let Some(end) = (engine == Engine::Postgres).then(|| dollar_quoted(text)).flatten() {
        return end;
    }
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.') || !c.is_ascii();
    if is_word(first) {
        let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
        // `E'…'`, `x'…'`: what stands right before a string says how it is read.
        let escapes = engine == Engine::Postgres && text[..end].eq_ignore_ascii_case("e");
        let string = text[end..].starts_with('\'').then(|| quoted(&text[end..], engine, escapes)).flatten();
        return string.map_or(end, |string| end + string);
    }
    // Operators are made of several letters: `< =` is not `<=`. A comment ends one.
    let is_operator = |c: char| "+-*/<>=~!@#%^&|?:".contains(c);
    let mut end = first.len_utf8();
    if is_operator(first) {
        while let Some(c) = text[end..].chars().next().filter(|c| is_operator(*c)) {
            if comment(&text[end..], engine).is_some() {
                break;
            }
            end += c.len_utf8();
        }
    }
    end
}

/// Where the string or quoted name ends that `text` begins with.
fn quoted(text: &str, engine: Engine, escapes: bool) -> Option<usize> {
    let open = text.chars().next()?;
    let close = match (open, engine) {
        ('\'' | '"', _) => open,
        ('`', Engine::Sqlite | Engine::MySql) => open,
        ('[', Engine::Sqlite) => ']',
        _ => return None,
    };
    let escapes = escapes || (engine == Engine::MySql && open != '`');
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = letters.next() {
        if escapes && c == '\\' {
            letters.next();
        } else if c == close {
            match letters.peek() {
                Some((_, next)) if *next == close && close != ']' => {
                    letters.next();
                }
                _ => return Some(at + 1),
            }
        }
    }
    Some(text.len())
}

/// Where `$tag$ … $tag$` ends.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag = text.strip_prefix('$')?;
    let tag = &tag[..tag.find('$')?];
    let is_tag = !tag.starts_with(|c: char| c.is_ascii_digit())
        && tag.chars().all(|c| c.is_alphanumeric() || c == '_' || !c.is_ascii());
    if !is_tag {
        return None;
    }
    let open = tag.len() + 2;
    Some(text[open..].find(&text[..open]).map_or(text.len(), |end| open + end + open))
}
