use super::*;
use crate::finding::{Facts, Finding, Scope};
use crate::migration::{Checksum, Version};
use crate::report::{Counts, TargetReport, Verdict};
use crate::source::Origin;
use crate::startup::Outcome;

fn location(file: &str, line: u32) -> Location {
    Location { file: file.into(), line }
}

fn target(environment: &str, facts: Vec<Facts>) -> TargetReport {
    let scope = Scope::Target { service: "api".into(), environment: environment.into(), tenants: None };
    let finding = |facts: Facts| {
        let place = facts.file().map(|file| location(file, 1));
        Finding { severity: facts.severity(), facts, scope: scope.clone(), location: place, explanation: None }
    };
    TargetReport {
        service: "api".into(),
        environment: environment.into(),
        tenants: None,
        kind: "directory".into(),
        location: "migrations".into(),
        origin: Origin::default(),
        as_of: None,
        counts: Counts::default(),
        declared: Some(location("deploy.yml", 12)),
        startup: Outcome::Unknown,
        findings: facts.into_iter().map(finding).collect(),
    }
}

fn report(targets: Vec<TargetReport>) -> Report {
    Report {
        verdict: Verdict::Fail,
        targets,
        findings: Vec::new(),
        accepted: Vec::new(),
        already_so: Vec::new(),
        notes: Vec::new(),
        repository: None,
    }
}

fn missing(version: i64, description: &str) -> Facts {
    let (file, description) = (format!("migrations/{version}_a.sql"), description.to_owned());
    Facts::MissingMigration {
        version: Version(version),
        description,
        file,
        applied: Checksum::of(""),
        ignored: false,
        unread: Vec::new(),
    }
}

fn pending(version: i64) -> Facts {
    let file = format!("migrations/{version}_a.sql");
    Facts::PendingMigration { version: Version(version), description: "a".into(), file }
}

#[test]
fn a_file_has_one_annotation_that_names_the_environments_and_where_they_are_declared() {
    let out_of_order = Facts::OutOfOrder {
        version: Version(3),
        description: "a".into(),
        file: "migrations/3_a.sql".into(),
        highest: Version(4),
    };
    let dirty = Facts::DirtyMigration { version: Version(9), description: "d".into() };
    let report = report(vec![
        target("staging", vec![pending(3), out_of_order, missing(7, "seven")]),
        target("production", vec![missing(7, "seven"), dirty]),
    ]);
    let annotations = annotations(&report);
    let places: Vec<_> = annotations.iter().map(|a| (a.level, format!("{}:{}", a.path, a.line))).collect();
    assert_eq!(
        places,
        [
            (Level::Failure, "migrations/7_a.sql:1".to_owned()),
            (Level::Failure, "deploy.yml:12".to_owned()),
            (Level::Warning, "migrations/3_a.sql:1".to_owned()),
        ]
    );
    assert_eq!(annotations[0].title, "missing-migration: api in staging, production");
    let help = report.targets[0].findings[2].facts.help();
    let message = "api in staging, production: migration 7 was applied, but the source has no file for it (seven)";
    assert_eq!(annotations[0].message, format!("{message}\n{help}\nDeclared in deploy.yml:12."));
    assert_eq!(annotations[2].message.matches("\n\n").count(), 1, "{}", annotations[2].message);
    assert!(!annotations[1].message.contains("Declared"), "it stands there");
}

#[test]
fn a_command_holds_nothing_that_ends_it_or_begins_another() {
    let odd = "a\n::error::b%0A, c: d\r##[x]\u{202e}";
    let commands = github(&report(vec![target("e,f:g\n::warning::", vec![missing(1, odd)])]));
    assert_eq!(commands.lines().count(), 1, "{commands}");
    assert!(
        commands
            .starts_with("::error file=migrations/1_a.sql,line=1,title=missing-migration%3A api in e%2Cf%3Ag\\u{a}"),
        "{commands}"
    );
    assert!(commands.contains("(a\\u{a}::error::b%250A, c: d\\u{d}##\\u{5b}x]\\u{202e})%0A"), "{commands}");
}

#[test]
fn the_runner_gets_ten_of_each_level_and_is_told_of_the_rest() {
    let facts = (0..13).map(|n| missing(n, "a")).chain((20..33).map(pending)).collect();
    let commands = github(&report(vec![target("staging", facts)]));
    for (level, more) in [("::error", "%0A%0A3 annotations more in other files"), ("::notice", "3 annotations more")] {
        let of_level: Vec<_> = commands.lines().filter(|line| line.starts_with(level)).collect();
        assert_eq!(of_level.len(), 10);
        assert!(of_level[9].contains(more) && of_level[..9].iter().all(|line| !line.contains("more in")));
    }
}

#[test]
fn nothing_exceeds_the_limits_of_github() {
    let report = report(vec![target(&"ä".repeat(400), vec![missing(1, &"ö".repeat(50_000))])]);
    let annotation = &annotations(&report)[0];
    assert_eq!(annotation.title.chars().count(), MOST_TITLE);
    assert!((MOST_MESSAGE - 5..=MOST_MESSAGE).contains(&annotation.message.len()) && annotation.message.ends_with('…'));
    let message = github(&report).split_once("::").unwrap().1.split_once("::").unwrap().1.len();
    assert!((MOST_COMMAND_MESSAGE - 5..=MOST_COMMAND_MESSAGE + 10).contains(&message), "{message}");
}

#[test]
fn a_text_is_cut_between_letters_and_only_where_it_has_to_be() {
    assert_eq!(cut("äöü", 6, str::len), "äöü");
    assert_eq!(cut("äöü", 5, str::len), "ä…");
    assert_eq!(cut("äöü", 2, |text| text.chars().count()), "ä…");
}

#[test]
fn what_stands_outside_of_the_repository_is_told_where_its_target_is_declared() {
    for file in ["", "/srv/7_a.sql", "../7_a.sql", "a/../../7_a.sql"] {
        let facts = Facts::IgnoredFile { file: file.into(), reason: crate::source::IgnoredReason::NotAFile };
        let places: Vec<_> = annotations(&report(vec![target("staging", vec![facts])]));
        assert_eq!(
            places.iter().map(|a| (a.path.as_str(), a.line)).collect::<Vec<_>>(),
            [("deploy.yml", 12)],
            "{file}"
        );
    }
}

#[test]
fn a_path_in_a_command_is_fit_to_be_shown() {
    let facts =
        Facts::IgnoredFile { file: "a\u{1b}[31m\n\u{202e},b".into(), reason: crate::source::IgnoredReason::NotAFile };
    let command = github(&report(vec![target("staging", vec![facts])]));
    assert!(command.starts_with("::warning file=a\\u{1b}[31m\\u{a}\\u{202e}%2Cb,line=1,"), "{command}");
}
