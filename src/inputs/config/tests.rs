//! The committed schema, and what the reader does that no single mistake shows.

use super::*;

/// Where editors find the schema.
const COMMITTED: &str = "docs/migration-preflight.schema.json";

#[test]
fn the_committed_schema_is_the_one_that_the_reader_follows() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let current = serde_json::to_string_pretty(&schema()).expect("json") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).expect("writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == current,
        "{COMMITTED} is out of date: run `migration-preflight schema > {COMMITTED}`, or this test with UPDATE_SCHEMA=1"
    );
}
