//! The value of `--matrix`, and what holds of every matrix wherever it came from.

use std::collections::HashSet;
use std::path::{Component, Path};

use migration_preflight::inputs::config::Config;
use migration_preflight::inputs::matrix::{ServiceMatrix, from_json, text};
use migration_preflight::inputs::{Commands, Inputs};
use migration_preflight::plan::plan;
use migration_preflight::source::SourceChoice;

use super::shown::{PLANTED, assert_harmless, assert_not_told};

pub fn body(data: &[u8]) {
    let Ok(json) = std::str::from_utf8(data) else { return };
    let read = from_json(json, "service", "environment");
    assert_eq!(read, from_json(json, "service", "environment"), "one text gives one matrix");
    match read {
        Ok(matrix) => {
            assert!(matrix.entries.iter().all(|entry| entry.declared.is_none()), "nothing here stands in a file");
            assert_reads_as_itself(&matrix);
            assert_sound(&matrix);
        }
        Err(error) => {
            assert_eq!(error.location(), None);
            let shown = format!("{error}\n{}", error.help());
            assert_harmless(&shown);
            assert_not_told(json, &shown);
        }
    }
}

/// A list of entries is a matrix that has these entries.
fn assert_reads_as_itself(matrix: &ServiceMatrix) {
    if matrix.entries.is_empty() || matrix.entries.len() > 100 {
        return;
    }
    let entries: Vec<_> = matrix.entries.iter().map(|entry| &entry.values).collect();
    let json = serde_json::to_string(&entries).expect("values");
    assert_eq!(from_json(&json, "service", "environment").map(|again| again.entries), Ok(matrix.entries.clone()));
}

/// What holds of every matrix, and of every plan that is made from one.
pub fn assert_sound(matrix: &ServiceMatrix) {
    assert!(matrix.entries.len() <= 100_000 + (16 << 20) / 8, "no more than the combinations and the included items");
    for entry in matrix.entries.iter().take(100) {
        let keys: HashSet<_> = entry.values.keys().map(|key| key.to_uppercase()).collect();
        assert_eq!(keys.len(), entry.values.len(), "no two keys differ in case alone: {entry:?}");
        for (key, value) in &entry.values {
            assert_eq!(entry.get(key), Some(value));
            assert_eq!(text(value).is_none(), value.is_array() || value.is_object());
        }
    }
    assert_plannable(Inputs {
        root: "/root".into(),
        config: Config::default(),
        matrix: Some(matrix.clone()),
        whole: Some(matrix.clone()),
        found: vec!["a/migrations".into(), "b/migrations".into()],
        services: Vec::new(),
        environments: Vec::new(),
        migrations: None,
        source: SourceChoice::Directory(None),
        commands: Commands::default(),
        without_secrets: None,
        read: Vec::new(),
    });
}

/// Makes the plan: each target once, below the root, and without a secret in what can be printed.
pub fn assert_plannable(inputs: Inputs) {
    let variables = |name: &str| (!name.ends_with("UNSET")).then(|| format!("postgres://app:{PLANTED}@db/{name}"));
    match plan(&inputs, &variables) {
        Ok(plan) => {
            let names: HashSet<_> = plan.targets.iter().map(|target| (&target.service, &target.environment)).collect();
            assert_eq!(names.len(), plan.targets.len(), "a target is planned once");
            for target in &plan.targets {
                assert!(is_below_root(&target.migrations), "{:?}", target.migrations);
                let shown = format!("{:?}", target.database);
                assert!(!shown.contains(PLANTED), "{shown}");
            }
        }
        Err(errors) => assert_harmless(&errors.to_string()),
    }
}

fn is_below_root(path: &Path) -> bool {
    let mut depth = 0_isize;
    path.components().all(|part| {
        depth += match part {
            Component::Normal(_) => 1,
            Component::CurDir => 0,
            Component::ParentDir => -1,
            Component::RootDir | Component::Prefix(_) => return false,
        };
        depth >= 0
    })
}
