//! Rust sources: any text is taken apart without end or panic, and what is written as a literal or a comment stays one.

use std::path::Path;

use migration_preflight::crates::rust::{Kind, tokens};
use migration_preflight::crates::{build_script, calls};

pub fn body(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let lines = source.matches('\n').count() + 1;
    let (mut last, taken) = (1, tokens(&source));
    for token in &taken {
        let line = token.line;
        assert!(last <= line && line as usize <= lines, "{line} of {lines}");
        last = line;
        if let Kind::Word(word) = token.kind {
            assert!(!word.contains(char::is_whitespace) && source.contains(word), "{word:?}");
        }
    }
    for call in calls::read(&source, "sqlx").calls {
        assert!(calls::may_say(&source) && call.line as usize <= lines);
    }
    let _ = build_script::watches(&source, Path::new("a/b"), Path::new("a/migrations"));
    in_a_literal(&source);
    in_a_comment(&source);
}

/// What stands in a literal is its text and nothing else, and the code behind it is code.
fn in_a_literal(text: &str) {
    let hashes = "#".repeat(1 + text.split(|c| c != '#').map(str::len).max().unwrap_or(0));
    for literal in [format!("{text:?}"), format!("r{hashes}\"{text}\"{hashes}")] {
        let code = format!("{literal} migrate!()");
        let taken = tokens(&code);
        assert_eq!(taken[0].kind, Kind::Text(text.to_owned()), "{code}");
        assert_eq!(taken.len(), 5, "{code}");
        assert_eq!(calls::read(&code, "sqlx").calls.len(), 1, "{code}");
        assert!(calls::read(&literal, "sqlx").calls.is_empty(), "{literal}");
    }
}

/// What stands in a comment is nothing.
fn in_a_comment(text: &str) {
    let line = format!("// {}\n", text.replace('\n', " "));
    assert_eq!(tokens(&line), []);
    let block = format!("/*{}*/", text.replace(['/', '*'], " "));
    assert_eq!(tokens(&block), []);
}
