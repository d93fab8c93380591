//! The configuration file: to settings that hold or to every mistake at once, and on to the plan.

use migration_preflight::inputs::config::{Config, read};
use migration_preflight::inputs::diagnostic::Diagnostics;
use migration_preflight::inputs::{Commands, Inputs};
use migration_preflight::source::SourceChoice;

use super::matrix::assert_plannable;
use super::shown::{PLANTED, assert_calm, assert_not_told};

pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match read(text, "c.yml") {
        Ok(config) => judge(config),
        Err(mistakes) => assert_told_well(text, &mistakes),
    }
}

fn judge(config: Config) {
    for accept in &config.accept {
        assert!(!accept.reason.trim().is_empty());
    }
    for name in config.services.keys().chain(config.environments.keys()) {
        assert!(!name.trim().is_empty() && !name.chars().any(char::is_control), "{name:?}");
    }
    assert_plannable(Inputs {
        root: "/root".into(),
        config,
        matrix: None,
        whole: None,
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

fn assert_told_well(text: &str, mistakes: &Diagnostics) {
    let list = mistakes.list();
    assert!((1..=100).contains(&list.len()));
    assert!(list.is_sorted_by_key(|mistake| (mistake.span.line, mistake.span.column)), "{list:?}");
    let shown = mistakes.to_string();
    assert_calm(&shown);
    if text.contains(PLANTED) {
        assert_not_told(text, &format!("{shown}\n{mistakes:?}"));
    }
}
