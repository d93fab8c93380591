//! The name of the history table, read as the database would read it. Pure; never touches a database.
//!
//! sqlx pastes `table-name` into its SQL as it is, so the text may be quoted and qualified, and PostgreSQL folds what
//! is unquoted. Here it is taken apart by the same rules, so that it can be put together again with every part quoted:
//! what is no name, such as a second statement, is refused and never reaches a server.

use std::iter::Peekable;
use std::str::Chars;

use crate::history::{DatabaseError, DatabaseErrorKind, Engine};

/// PostgreSQL cuts longer identifiers off (`NAMEDATALEN - 1`).
const POSTGRES_MAX_BYTES: usize = 63;

/// A table name taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// What stands before the dot.
    pub schema: Option<String>,
    /// The table itself.
    pub table: String,
}

impl TableName {
    /// The name as SQL, with every part in double quotes: right for both engines.
    pub fn quoted(&self) -> String {
        let table = quote(&self.table);
        match &self.schema {
            Some(schema) => format!("{}.{table}", quote(schema)),
            None => table,
        }
    }
}

fn quote(part: &str) -> String {
    format!("\"{}\"", part.replace('"', "\"\""))
}

/// Why a text is no table name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TableNameError {
    /// Nothing where a name should stand.
    #[error("a part of it is empty")]
    Empty,
    /// `a.b.c`
    #[error("it has more than a schema and a table")]
    TooManyParts,
    /// A quote that is never closed.
    #[error("a quote in it is not closed")]
    Unclosed,
    /// Something that no name holds at this place.
    #[error("{0:?} cannot stand where it does")]
    Unexpected(char),
}

impl From<TableNameError> for DatabaseError {
    fn from(error: TableNameError) -> Self {
        Self::new(DatabaseErrorKind::TableName, error.to_string())
    }
}

/// Takes `text` apart as `engine` would if it stood in a `FROM` clause.
///
/// # Errors
/// Anything but one or two names, quoted or plain, with a dot between them.
pub fn parse(text: &str, engine: Engine) -> Result<TableName, TableNameError> {
    let mut rest = text.chars().peekable();
    let first = part(&mut rest, engine)?;
    let name = match rest.next() {
        None => TableName { schema: None, table: first },
        Some('.') => TableName { schema: Some(first), table: part(&mut rest, engine)? },
        Some(other) => return Err(TableNameError::Unexpected(other)),
    };
    match rest.next() {
        None => Ok(name),
        Some('.') => Err(TableNameError::TooManyParts),
        Some(other) => Err(TableNameError::Unexpected(other)),
    }
}

/// Whether `written`, a schema's name as SQL would have it, names the schema `name`.
///
/// PostgreSQL folds what is not quoted to lower case; SQLite compares without regard to case.
pub fn names_schema(engine: Engine, written: &str, name: &str) -> bool {
    match (engine, identifier(written, engine)) {
        (Engine::Postgres, Ok(identifier)) => identifier == name,
        (Engine::Sqlite, Ok(identifier)) => identifier.eq_ignore_ascii_case(name),
        (_, Err(_)) => false,
    }
}

/// The name that `text` stands for in SQL, where it is a single identifier.
///
/// # Errors
/// As [`parse`], and a qualified name.
pub fn identifier(text: &str, engine: Engine) -> Result<String, TableNameError> {
    match parse(text, engine)? {
        TableName { schema: None, table } => Ok(table),
        TableName { schema: Some(_), .. } => Err(TableNameError::TooManyParts),
    }
}

/// One name, with the white space around it.
fn part(rest: &mut Peekable<Chars<'_>>, engine: Engine) -> Result<String, TableNameError> {
    skip_space(rest);
    let name = match rest.peek().copied() {
        None | Some('.') => return Err(TableNameError::Empty),
        Some(open) => match closing_quote(open, engine) {
            Some(close) => {
                rest.next();
                quoted_part(rest, close)?
            }
            None => plain_part(rest, engine)?,
        },
    };
    skip_space(rest);
    if name.is_empty() {
        return Err(TableNameError::Empty);
    }
    Ok(match engine {
        Engine::Postgres => truncated(name),
        Engine::Sqlite => name,
    })
}

/// The white space of both grammars, which is not that of Unicode.
fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|next| matches!(next, ' ' | '\t' | '\n' | '\r' | '\u{c}')).is_some() {}
}

fn closing_quote(open: char, engine: Engine) -> Option<char> {
    match (open, engine) {
        ('"', _) => Some('"'),
        ('`', Engine::Sqlite) => Some('`'),
        // SQLite takes a string for a name wherever only a name can stand.
        ('\'', Engine::Sqlite) => Some('\''),
        ('[', Engine::Sqlite) => Some(']'),
        _ => None,
    }
}

/// What follows an opening quote, up to the closing one, which is doubled to stand for itself (but not in `[…]`).
fn quoted_part(rest: &mut Peekable<Chars<'_>>, close: char) -> Result<String, TableNameError> {
    let mut name = String::new();
    while let Some(next) = rest.next() {
        if next == '\0' {
            return Err(TableNameError::Unexpected(next));
        }
        if next == close && (close == ']' || rest.next_if_eq(&close).is_none()) {
            return Ok(name);
        }
        name.push(next);
    }
    Err(TableNameError::Unclosed)
}

fn plain_part(rest: &mut Peekable<Chars<'_>>, engine: Engine) -> Result<String, TableNameError> {
    let mut name = String::new();
    while let Some(next) = rest.next_if(|next| is_plain(*next, name.is_empty())) {
        name.push(match engine {
            // The server folds further letters only in single-byte encodings.
            Engine::Postgres => next.to_ascii_lowercase(),
            Engine::Sqlite => next,
        });
    }
    match rest.peek() {
        Some(unexpected) if name.is_empty() => Err(TableNameError::Unexpected(*unexpected)),
        _ => Ok(name),
    }
}

fn is_plain(letter: char, first: bool) -> bool {
    letter.is_ascii_alphabetic()
        || letter == '_'
        || !letter.is_ascii()
        || (!first && (letter.is_ascii_digit() || letter == '$'))
}

fn truncated(mut name: String) -> String {
    let mut end = name.len().min(POSTGRES_MAX_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str, engine: Engine) -> (Option<String>, String) {
        let name = parse(text, engine).unwrap();
        (name.schema, name.table)
    }

    fn some(schema: &str, table: &str) -> (Option<String>, String) {
        (Some(schema.into()), table.into())
    }

    fn none(table: &str) -> (Option<String>, String) {
        (None, table.into())
    }

    #[test]
    fn postgres_folds_plain_names_and_keeps_quoted_ones() {
        let postgres = |text| parsed(text, Engine::Postgres);
        assert_eq!(postgres("_sqlx_migrations"), none("_sqlx_migrations"));
        assert_eq!(postgres("Mixed"), none("mixed"));
        assert_eq!(postgres("\"Mixed\""), none("Mixed"));
        assert_eq!(postgres("App.History"), some("app", "history"));
        assert_eq!(postgres("\"Mixed\".\"T\""), some("Mixed", "T"));
        assert_eq!(postgres("App . \"T\"\n"), some("app", "T"));
        assert_eq!(postgres("\"a\"\"b.c\""), none("a\"b.c"));
        assert_eq!(postgres("größe$1"), none("größe$1"));
        assert_eq!(postgres("\" \""), none(" "));
    }

    #[test]
    fn postgres_folds_no_letter_beyond_ascii() {
        assert_eq!(parsed("ÄB", Engine::Postgres), none("Äb"));
    }

    #[test]
    fn postgres_cuts_a_long_name_between_two_letters() {
        let long = "x".repeat(70);
        assert_eq!(parsed(&long, Engine::Postgres), none(&"x".repeat(63)));
        assert_eq!(parsed(&long, Engine::Sqlite), none(&long));
        let wide = format!("x{}", "ä".repeat(40));
        assert_eq!(parsed(&wide, Engine::Postgres), none(&format!("x{}", "ä".repeat(31))));
        let wide = "ä".repeat(40);
        assert_eq!(parsed(&format!("\"{wide}\""), Engine::Postgres), none(&"ä".repeat(31)));
    }

    #[test]
    fn sqlite_keeps_the_case_and_knows_four_kinds_of_quotes() {
        let sqlite = |text| parsed(text, Engine::Sqlite);
        assert_eq!(sqlite("Mixed"), none("Mixed"));
        assert_eq!(sqlite("main.x"), some("main", "x"));
        assert_eq!(sqlite("[a.b \"c]"), none("a.b \"c"));
        assert_eq!(sqlite("`a``b`"), none("a`b"));
        assert_eq!(sqlite("\"main\".[x]"), some("main", "x"));
        assert_eq!(sqlite("'main'.'it''s'"), some("main", "it's"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let hostile = [
            "",
            " ",
            ".",
            "x.",
            ".x",
            "a.b.c",
            "x; DROP TABLE y",
            "x\"--",
            "x--",
            "x/**/",
            "x y",
            "1x",
            "$x",
            "\"x",
            "\"\"",
            "\"x\"y",
            "x\"y\"",
            "\"x\0y\"",
            "x\0",
            "U&\"x\"",
            "E'x'",
            "(SELECT 1)",
            "x,y",
            "x;",
            "a-b",
            "a.\"b",
            "x)",
            "\u{b}x",
        ];
        for text in hostile {
            assert!(parse(text, Engine::Postgres).is_err(), "{text:?} must not pass as a PostgreSQL name");
            assert!(parse(text, Engine::Sqlite).is_err(), "{text:?} must not pass as an SQLite name");
        }
        for text in ["[x]", "`x`", "'x'"] {
            assert!(parse(text, Engine::Postgres).is_err(), "{text:?} is no quoting of PostgreSQL");
        }
        for text in ["[x", "[x]]", "`x", "[]", "``", "'x", "''", "'x'y"] {
            assert!(parse(text, Engine::Sqlite).is_err(), "{text:?} must not pass as an SQLite name");
        }
    }

    #[test]
    fn the_error_says_what_is_wrong() {
        let error = DatabaseError::from(parse("x; DROP TABLE y", Engine::Postgres).unwrap_err());
        assert_eq!(error.kind, DatabaseErrorKind::TableName);
        assert_eq!(error.detail, "';' cannot stand where it does");
    }

    /// A second, independent reading of a quoted name: what remains after taking every `""` out of the inner text of
    /// each part must hold no quote at all.
    fn has_no_way_out(quoted: &str, parts: usize) -> bool {
        let mut outside = 0;
        let mut inside = false;
        let mut letters = quoted.chars().peekable();
        while let Some(letter) = letters.next() {
            match (inside, letter) {
                (true, '"') if letters.peek() == Some(&'"') => {
                    letters.next();
                }
                (_, '"') => inside = !inside,
                (true, _) => {}
                (false, '.') => outside += 1,
                (false, _) => return false,
            }
        }
        !inside && outside == parts - 1
    }

    fn engines() -> impl Strategy<Value = Engine> {
        prop_oneof![Just(Engine::Postgres), Just(Engine::Sqlite)]
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_quoted_without_a_way_out(
            text in prop_oneof![
                any::<String>(),
                r#"[a-cA-C"`\[\]\. ;'\-$1ä\\]{0,12}"#,
                r#" ?("[^\x00"]{1,5}(""[;x'])?"|[a-z_]{1,4}) ?(\. ?("[^\x00"]{1,5}"|[a-z]{1,4}))?"#,
            ],
            engine in engines(),
        ) {
            if let Ok(name) = parse(&text, engine) {
                let quoted = name.quoted();
                prop_assert!(has_no_way_out(&quoted, 1 + usize::from(name.schema.is_some())), "{}", quoted);
                prop_assert_eq!(parse(&quoted, engine), Ok(name));
            }
        }

        #[test]
        fn every_name_survives_quoting(
            schema in proptest::option::of("[^\\x00]{1,12}"),
            table in "[^\\x00]{1,12}",
            engine in engines(),
        ) {
            let name = TableName { schema, table };
            prop_assert_eq!(parse(&name.quoted(), engine), Ok(name));
        }
    }
}
