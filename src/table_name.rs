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
    /// The name as SQL of `engine`, with every part in quotes.
    pub fn quoted(&self, engine: Engine) -> String {
        let table = quote(&self.table, engine);
        match &self.schema {
            Some(schema) => format!("{}.{table}", quote(schema, engine)),
            None => table,
        }
    }
}

/// One name as SQL of `engine`, in quotes.
pub fn quote(part: &str, engine: Engine) -> String {
    let quote = match engine {
        Engine::Postgres | Engine::Sqlite => "\"",
        // In double quotes a name would be a string, unless the server's `sql_mode` says otherwise.
        Engine::MySql => "`",
    };
    format!("{quote}{}{quote}", part.replace(quote, &quote.repeat(2)))
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
    let first = part(&mut rest, engine, Place::First)?;
    let name = match rest.next() {
        None => TableName { schema: None, table: first },
        Some('.') => {
            let place = after_dot(text, rest.peek().copied());
            TableName { schema: Some(first), table: part(&mut rest, engine, place)? }
        }
        Some(other) => return Err(TableNameError::Unexpected(other)),
    };
    match rest.next() {
        None => Ok(name),
        Some('.') => Err(TableNameError::TooManyParts),
        Some(other) => Err(TableNameError::Unexpected(other)),
    }
}

/// What MySQL makes of digits at the beginning of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `12` and `1e5` are numbers, `1x` is a name.
    First,
    /// In `a.12` all that follows the dot is a name.
    AfterPlainAndDot,
    /// In `` `a`.12 `` and `a .12`, `.12` is a number, and so is the beginning of `.1x`.
    AfterDot,
}

/// The place of the part that follows a dot with `next`.
fn after_dot(text: &str, next: Option<char>) -> Place {
    let is_plain = |letter: char| letter == '.' || is_plain(letter, false, Engine::MySql);
    if text.trim().chars().all(is_plain) {
        Place::AfterPlainAndDot
    } else if next.is_some_and(|next| next.is_ascii_digit()) {
        Place::AfterDot
    } else {
        Place::First
    }
}

/// Whether `written`, a schema's name as SQL would have it, names the schema `name`.
///
/// PostgreSQL folds what is not quoted to lower case; SQLite compares without regard to case. MySQL does as its
/// `lower_case_table_names` says: here, as it is on Linux.
pub fn names_schema(engine: Engine, written: &str, name: &str) -> bool {
    match (engine, identifier(written, engine)) {
        (Engine::Postgres | Engine::MySql, Ok(identifier)) => identifier == name,
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
fn part(rest: &mut Peekable<Chars<'_>>, engine: Engine, place: Place) -> Result<String, TableNameError> {
    skip_space(rest, engine);
    let name = match rest.peek().copied() {
        None | Some('.') => return Err(TableNameError::Empty),
        Some(open) => match closing_quote(open, engine) {
            Some(close) => {
                rest.next();
                quoted_part(rest, close)?
            }
            None => plain_part(rest, engine, place)?,
        },
    };
    skip_space(rest, engine);
    if name.is_empty() {
        return Err(TableNameError::Empty);
    }
    Ok(match engine {
        Engine::Postgres => truncated(name),
        Engine::Sqlite | Engine::MySql => name,
    })
}

/// The white space of the grammars, which is not that of Unicode.
fn skip_space(rest: &mut Peekable<Chars<'_>>, engine: Engine) {
    let is_space = |letter: &char| {
        matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{c}') || (*letter == '\u{b}' && engine == Engine::MySql)
    };
    while rest.next_if(is_space).is_some() {}
}

fn closing_quote(open: char, engine: Engine) -> Option<char> {
    match (open, engine) {
        ('"', Engine::Postgres | Engine::Sqlite) => Some('"'),
        ('`', Engine::Sqlite | Engine::MySql) => Some('`'),
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

fn plain_part(rest: &mut Peekable<Chars<'_>>, engine: Engine, place: Place) -> Result<String, TableNameError> {
    let mut name = String::new();
    while let Some(next) = rest.next_if(|next| is_plain(*next, name.is_empty(), engine)) {
        name.push(match engine {
            // The server folds further letters only in single-byte encodings.
            Engine::Postgres => next.to_ascii_lowercase(),
            Engine::Sqlite | Engine::MySql => next,
        });
    }
    match (name.chars().next(), rest.peek()) {
        (None, Some(unexpected)) => Err(TableNameError::Unexpected(*unexpected)),
        (Some(digit), _) if engine == Engine::MySql && is_number(&name, place) => {
            Err(TableNameError::Unexpected(digit))
        }
        _ => Ok(name),
    }
}

fn is_plain(letter: char, first: bool, engine: Engine) -> bool {
    let elsewhere = |letter: char| letter.is_ascii_digit() || letter == '$';
    match engine {
        _ if letter.is_ascii_alphabetic() || letter == '_' => true,
        Engine::Postgres | Engine::Sqlite => !letter.is_ascii() || (!first && elsewhere(letter)),
        // Only the basic plane, but a digit or `$` anywhere.
        Engine::MySql => ('\u{80}'..='\u{ffff}').contains(&letter) || elsewhere(letter),
    }
}

/// Whether MySQL reads a plain name as a number, or as a number with something behind it: `12`, `1e5x`, `0xab`, `0b01`.
fn is_number(name: &str, place: Place) -> bool {
    match place {
        Place::AfterPlainAndDot => return false,
        Place::AfterDot => return true,
        Place::First => {}
    }
    let rest = name.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_float = || {
        let exponent = rest.strip_prefix(['e', 'E']);
        exponent.is_some_and(|exponent| exponent.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    let all = |prefix: &str, is_digit: fn(&char) -> bool| {
        let digits = name.strip_prefix(prefix).filter(|digits| !digits.is_empty());
        digits.is_some_and(|digits| digits.chars().all(|letter| is_digit(&letter)))
    };
    rest.is_empty()
        || (rest.len() < name.len() && is_float())
        || all("0x", char::is_ascii_hexdigit)
        || all("0b", |letter| matches!(letter, '0' | '1'))
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
    fn mysql_keeps_the_case_and_knows_backticks_only() {
        let mysql = |text: &str| parsed(text, Engine::MySql);
        assert_eq!(mysql("Mixed"), none("Mixed"));
        assert_eq!(mysql("`a``b.\"c`"), none("a`b.\"c"));
        assert_eq!(mysql("shop . `T`\u{b}"), some("shop", "T"));
        for name in ["1x", "$x", "größe$1", "1e", "1e_", "0x1g", "0Xab", "0b01z", "0x", "x\u{ffff}"] {
            assert_eq!(mysql(name), none(name));
        }
        for number in ["12", "1e5", "1E5x", "0xab", "0b01"] {
            assert_eq!(parse(number, Engine::MySql), Err(TableNameError::Unexpected(number.chars().next().unwrap())));
            assert_eq!(mysql(&format!("shop.{number}")), some("shop", number));
        }
        for name in ["`shop`. 1x", "shop. 1x", "shop .x"] {
            assert_eq!(mysql(name), some("shop", name.rsplit(['.', ' ']).next().unwrap()));
        }
        for text in ["`shop`.1x", "shop .12", "shop. 12", "`shop`. 1e5"] {
            assert!(parse(text, Engine::MySql).is_err(), "{text:?} holds a number");
        }
        for text in ["\"x\"", "'x'", "[x]", "x😀", "x#", "x-- ", "@x", "``"] {
            assert!(parse(text, Engine::MySql).is_err(), "{text:?} must not pass as a MySQL name");
        }
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

    /// A second, independent reading of a quoted name: what remains after taking every doubled quote out of the inner
    /// text of each part must hold no quote at all.
    fn has_no_way_out(quoted: &str, engine: Engine, parts: usize) -> bool {
        let quote = if engine == Engine::MySql { '`' } else { '"' };
        let mut outside = 0;
        let mut inside = false;
        let mut letters = quoted.chars().peekable();
        while let Some(letter) = letters.next() {
            match (inside, letter) {
                (true, _) if letter == quote && letters.peek() == Some(&quote) => {
                    letters.next();
                }
                (_, _) if letter == quote => inside = !inside,
                (true, _) => {}
                (false, '.') => outside += 1,
                (false, _) => return false,
            }
        }
        !inside && outside == parts - 1
    }

    fn engines() -> impl Strategy<Value = Engine> {
        prop_oneof![Just(Engine::Postgres), Just(Engine::Sqlite), Just(Engine::MySql)]
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
                let quoted = name.quoted(engine);
                prop_assert!(has_no_way_out(&quoted, engine, 1 + usize::from(name.schema.is_some())), "{}", quoted);
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
            prop_assert_eq!(parse(&name.quoted(engine), engine), Ok(name));
        }
    }
}
