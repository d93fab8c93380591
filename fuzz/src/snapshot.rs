//! A snapshot, which anybody may have written.

use std::collections::HashSet;

use migration_preflight::render;
use migration_preflight::report::snapshot::{NoSnapshot, Records, read};

pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let records = match read(text) {
        Ok(records) => records,
        Err(error) => return assert_ne!(error.to_string(), ""),
    };
    let names: HashSet<_> = records.records.iter().map(|record| (&record.service, &record.environment)).collect();
    assert_eq!(names.len(), records.records.len(), "a target stands in it once");
    for record in &records.records {
        assert!(record.history.rows().is_sorted_by_key(|row| row.version), "{record:?}");
    }
    assert_written_as_read(Records { taken: Default::default(), ..records });
}

/// What is written is no command to a terminal or a runner, and means the same again.
fn assert_written_as_read(records: Records) {
    let text = render::snapshot(&records);
    assert!(!text.contains(|c: char| c != '\n' && c.is_control()) && !text.contains("##["), "{text}");
    assert_eq!(read(&text), Ok::<_, NoSnapshot>(records));
}
