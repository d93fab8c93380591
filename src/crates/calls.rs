//! Which migrations a source asks for: the calls of `migrate!()`, and of `Migrator::new` with a path. Pure.

use super::rust::{Kind, Token, tokens};

/// What one source file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its calls, in order.
    pub calls: Vec<Asked>,
    /// The lines where a macro calls `migrate!()` with a path that it is given: `migrate!($path)`. Tests left out.
    pub handed_on: Vec<u32>,
    /// Whether it calls `set_ignore_missing(true)`, tests left out.
    pub ignores_missing: bool,
    /// The modules in files of their own that only a test build has.
    pub test_modules: Vec<String>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Where it begins.
    pub line: u32,
    /// The path that is given; none where it is the default.
    pub path: Option<String>,
    /// Whether the migrations become a part of the program, rather than being read when it runs.
    pub is_embedding: bool,
    /// Whether only a test build has it.
    pub in_tests: bool,
}

/// Whether it is worth while to read a source, which most are not.
pub fn may_say(source: &str) -> bool {
    ["migrate", "Migrator", "set_ignore_missing", "cfg(test)"].iter().any(|word| source.contains(word))
}

/// Reads a source of a crate that calls sqlx by the name `sqlx`.
pub fn read(source: &str, sqlx: &str) -> Said {
    let tokens = tokens(source);
    let (in_tests, test_modules) = tests(&tokens);
    let mut said = Said { test_modules, ..Said::default() };
    for (index, token) in tokens.iter().enumerate() {
        let Kind::Word(word) = token.kind else { continue };
        let here = &tokens[index + 1..];
        let call = |path, is_embedding| Asked { line: token.line, path, is_embedding, in_tests: in_tests[index] };
        match word {
            "migrate" if is_of_sqlx(&tokens[..index], sqlx) => match argument(here) {
                Some(path) => said.calls.push(call(path, true)),
                None if is_handed_on(here) && !in_tests[index] => said.handed_on.push(token.line),
                None => {}
            },
            "Migrator" => said.calls.extend(read_at_runtime(here).map(|path| call(Some(path), false))),
            "set_ignore_missing" if signs(here, "(") && is_word(here.get(1), "true") => {
                said.ignores_missing |= !in_tests[index];
            }
            _ => {}
        }
    }
    said
}

/// Whether the name of a macro is sqlx's, by what stands before it: no path, which `use` has made short, or one that ends
/// in the crate. Other crates have a macro of this name as well.
fn is_of_sqlx(before: &[Token], sqlx: &str) -> bool {
    match before {
        [.., Token { kind: Kind::Word(word), .. }, colon, second] if is_sign(colon, ':') && is_sign(second, ':') => {
            *word == sqlx || matches!(*word, "sqlx" | "sqlx_macros")
        }
        [.., sign] => !is_sign(sign, ':') && !is_sign(sign, '.'),
        [] => true,
    }
}

/// What is given to a macro: `!()`, `!("path")`, `!["path",]`. Nothing where it is something else.
fn argument(after: &[Token]) -> Option<Option<String>> {
    let [bang, open, rest @ ..] = after else { return None };
    if !is_sign(bang, '!') || !['(', '[', '{'].iter().any(|sign| is_sign(open, *sign)) {
        return None;
    }
    let is_close = |token: &Token| [')', ']', '}'].iter().any(|sign| is_sign(token, *sign));
    match rest {
        [close, ..] if is_close(close) => Some(None),
        [Token { kind: Kind::Text(path), .. }, close, ..] if is_close(close) => Some(Some(path.clone())),
        [Token { kind: Kind::Text(path), .. }, comma, close, ..] if is_sign(comma, ',') && is_close(close) => {
            Some(Some(path.clone()))
        }
        _ => None,
    }
}

/// Whether what is given to a macro is what another one was given.
fn is_handed_on(after: &[Token]) -> bool {
    matches!(after, [bang, _, sign, ..] if is_sign(bang, '!') && is_sign(sign, '$'))
}

/// The path in `Migrator::new(Path::new("path"))`.
fn read_at_runtime(after: &[Token]) -> Option<String> {
    let call = signs(after, "::") && is_word(after.get(2), "new") && signs(after.get(3..)?, "(");
    let inside = after.get(4..).filter(|_| call)?;
    let mut depth = 1_usize;
    for token in inside {
        match &token.kind {
            Kind::Text(path) => return Some(path.clone()),
            Kind::Sign('(') => depth += 1,
            Kind::Sign(')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    None
}

/// Which tokens belong to what only a test build has, and its modules that stand in files of their own.
fn tests(tokens: &[Token]) -> (Vec<bool>, Vec<String>) {
    let (mut in_tests, mut modules) = (vec![false; tokens.len()], Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some((attribute, behind)) = attribute(tokens, at) else {
            at += 1;
            continue;
        };
        if !is_test(&tokens[attribute.clone()]) {
            at = behind;
            continue;
        }
        // `#![cfg(test)]` is about the file.
        let end = if is_sign(&tokens[at + 1], '!') { tokens.len() } else { end_of_item(tokens, behind) };
        in_tests[at..end].fill(true);
        modules.extend(module(&tokens[behind..end]));
        at = end;
    }
    (in_tests, modules)
}

/// The attribute that begins at `at`: what stands in it, and what is behind it.
fn attribute(tokens: &[Token], at: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let inner = usize::from(tokens.get(at + 1).is_some_and(|token| is_sign(token, '!')));
    let open = at + 1 + inner;
    if !is_sign(&tokens[at], '#') || !tokens.get(open).is_some_and(|token| is_sign(token, '[')) {
        return None;
    }
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Sign('[') => depth += 1,
            Kind::Sign(']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((open + 1..index, index + 1));
        }
    }
    None
}

/// Whether an attribute makes of an item what only a test build has: `test`, `tokio::test(…)`, `cfg(test)`, `cfg(all(test, …))`.
fn is_test(attribute: &[Token]) -> bool {
    let path = attribute.iter().take_while(|token| !is_sign(token, '('));
    let name = path.filter_map(|token| if let Kind::Word(word) = token.kind { Some(word) } else { None }).last();
    let has = |word: &str| attribute.iter().any(|token| token.kind == Kind::Word(word));
    match name {
        Some("test") => true,
        Some("cfg") => has("test") && !has("not"),
        _ => false,
    }
}

/// Where an item ends that begins at `at`: behind its `;` or its `}`, and before the end of what it stands in.
fn end_of_item(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Sign(';') if depth == 0 => return index + 1,
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') if depth == 0 => return index,
            Kind::Sign('}') if depth == 1 => return index + 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The name in `mod name;`.
fn module(item: &[Token]) -> Option<String> {
    match item {
        [.., Token { kind: Kind::Word("mod"), .. }, Token { kind: Kind::Word(name), .. }, end] if is_sign(end, ';') => {
            Some((*name).to_owned())
        }
        _ => None,
    }
}

fn is_sign(token: &Token, sign: char) -> bool {
    token.kind == Kind::Sign(sign)
}

fn is_word(token: Option<&Token>, word: &str) -> bool {
    token.is_some_and(|token| token.kind == Kind::Word(word))
}

/// Whether these signs come next.
fn signs(tokens: &[Token], signs: &str) -> bool {
    tokens.len() >= signs.len() && tokens.iter().zip(signs.chars()).all(|(token, sign)| is_sign(token, sign))
}

#[cfg(test)]
mod cases {
    use super::*;

    /// The calls as `line:path`, with `~` for those at run time and `?` for those in tests.
    fn calls(source: &str) -> Vec<String> {
        let shown = |call: Asked| {
            let (runtime, test) = (if call.is_embedding { "" } else { "~" }, if call.in_tests { "?" } else { "" });
            format!("{}:{}{runtime}{test}", call.line, call.path.as_deref().unwrap_or("-"))
        };
        read(source, "db").calls.into_iter().map(shown).collect()
    }

    #[test]
    fn calls_are_found_however_they_are_written() {
        assert_eq!(calls("sqlx::migrate!()"), ["1:-"]);
        assert_eq!(calls("\nstatic M: Migrator = ::sqlx::migrate!(\"./db\",);"), ["2:./db"]);
        assert_eq!(calls("migrate![r#\"a\"#].run(&pool)\ndb::migrate! { \"b\" }"), ["1:a", "2:b"]);
        assert_eq!(calls("common::sqlx::migrate ! (\n\"a\"\n)"), ["1:a"]);
        assert_eq!(calls("sqlx_macros::migrate!(\"a\")"), ["1:a"]);
    }

    #[test]
    fn what_is_no_call_of_sqlx_is_none() {
        for source in [
            "// sqlx::migrate!()",
            "/// ```\n/// sqlx::migrate!(\"a\")",
            "\"sqlx::migrate!()\"",
            "r#\"sqlx::migrate!()\"#",
            "refinery::migrate!()",
            "macro_rules! migrate { () => {} }",
            "migrate()",
            "x.migrate!()",
            "migrate!(path)",
            "migrate!(\"a\", \"b\")",
            "sqlx::migrate!(concat!(\"a\", \"b\"))",
            "use sqlx::migrate;",
            "embed_migrations!(\"a\")",
            "migrate!(",
        ] {
            assert_eq!(calls(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn a_path_that_is_read_at_run_time_is_known_as_such() {
        assert_eq!(calls("Migrator::new(Path::new(\"./m\")).await"), ["1:./m~"]);
        assert_eq!(calls("Migrator::new(std::path::PathBuf::from(\"m\"))"), ["1:m~"]);
        assert_eq!(calls("Migrator::new(path); f(\"no\")"), Vec::<String>::new());
        assert_eq!(calls("Migrator::with(\"no\")"), Vec::<String>::new());
    }

    #[test]
    fn what_only_a_test_build_has_is_marked() {
        let of_test = "#[cfg(test)]\nmod tests { fn f() { migrate!(\"t\") } }\nfn g() { migrate!() }";
        assert_eq!(calls(of_test), ["2:t?", "3:-"]);
        assert_eq!(calls("#[tokio::test]\n#[ignore]\nasync fn f() { migrate!() }"), ["3:-?"]);
        assert_eq!(calls("#![cfg(test)]\nfn f() { migrate!() }"), ["2:-?"]);
        assert_eq!(calls("#[cfg(all(test, unix))] fn f() { migrate!(\"a\") } migrate!()"), ["1:a?", "1:-"]);
        assert_eq!(calls("#[cfg(test)] static M: M = migrate!(); migrate!(\"a\")"), ["1:-?", "1:a"]);
        assert_eq!(calls("#[cfg(not(test))] fn f() { migrate!() }"), ["1:-"]);
        assert_eq!(calls("struct A { #[cfg(test)] a: u8 } fn f() { migrate!() }"), ["1:-"]);
        assert_eq!(read("#[cfg(test)]\npub mod a;\nmod b;\n#[cfg(test)] mod c {}", "sqlx").test_modules, ["a"]);
    }

    #[test]
    fn a_macro_that_is_given_the_path_is_known_as_such() {
        let handed_on = |source: &str| read(source, "sqlx").handed_on;
        assert_eq!(handed_on("macro_rules! m {\n($d:literal) => { $crate::sqlx::migrate!($d) } }"), [2]);
        assert_eq!(handed_on("#[cfg(test)] macro_rules! m { ($d:literal) => { migrate!($d) } }"), [0_u32; 0]);
        assert_eq!(handed_on("migrate!(path); migrate!()"), [0_u32; 0]);
    }

    #[test]
    fn who_ignores_what_is_missing_says_so() {
        assert!(read("m.set_ignore_missing(true)", "sqlx").ignores_missing);
        assert!(!read("m.set_ignore_missing(false)", "sqlx").ignores_missing);
        assert!(!read("#[test] fn f() { m.set_ignore_missing(true); }", "sqlx").ignores_missing);
    }
}
