//! The name of the history table, as each engine reads it.

use migration_preflight::history::{DatabaseError, Engine};
use migration_preflight::table_name::{identifier, names_schema, parse, quote};

use super::shown::assert_harmless;

const ENGINES: [Engine; 3] = [Engine::Postgres, Engine::Sqlite, Engine::MySql];

pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for engine in ENGINES {
        check(text, engine);
        if !text.is_empty() && !text.contains('\0') && text.len() < 64 {
            assert_eq!(identifier(&quote(text, engine), engine).as_deref(), Ok(text), "{engine:?}");
        }
    }
}

/// A name that is accepted is quoted without a way out, and means the same again.
pub fn check(text: &str, engine: Engine) {
    match parse(text, engine) {
        Ok(name) => {
            let quoted = name.quoted(engine);
            assert_eq!(parse(&quoted, engine).as_ref(), Ok(&name), "{text:?} {engine:?}");
            let quotes = if engine == Engine::MySql { '`' } else { '"' };
            let inner = quoted.replace(&format!("{quotes}{quotes}"), "");
            let parts = 1 + usize::from(name.schema.is_some());
            assert_eq!(inner.matches(quotes).count() % 2, 0, "{quoted}");
            assert!(inner.matches(quotes).count() <= 2 * parts, "{quoted}");
            assert!(!quoted.contains('\0'));
            assert_eq!(identifier(text, engine).is_ok(), name.schema.is_none());
            if name.schema.is_none() {
                assert!(names_schema(engine, text, &name.table));
            }
        }
        Err(error) => assert_harmless(&DatabaseError::from(error).to_string()),
    }
}
