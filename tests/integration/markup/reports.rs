//! A report with a finding of every kind that holds text from elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use migration_preflight::finding::{
    Cause, Explanation, Facts, Finding, Location, Rule, Scope, Severity, SharedHistory, Theirs,
};
use migration_preflight::history::{AbsentTable, AsOf, DatabaseError, DatabaseErrorKind, Privilege};
use migration_preflight::migration::{Checksum, Version};
use migration_preflight::report::{Counts, Report, TargetReport, Verdict};
use migration_preflight::source::{IgnoredReason, InvalidReason, Origin, SourceError, Unwatched};
use migration_preflight::startup::{Outcome, StartupError};
use migration_preflight::tenants::Tenants;

/// How many texts a report takes.
pub const TEXTS: usize = 81;

/// A report whose names, paths, descriptions, reasons and errors are these.
pub fn report(texts: &[String]) -> Report {
    let mut rest = texts.iter().cloned();
    let mut text = || rest.next().unwrap();
    let (api, web, production, staging) = (text(), text(), text(), text());
    let mut targets = vec![
        target(&api, &production, text(), of_history(&mut text), broken(&mut text)),
        target(&api, &staging, text(), of_source(&mut text), Outcome::Starts),
        target(&web, &production, text(), of_errors(&mut text), Outcome::Unknown),
    ];
    targets[0].findings[0].explanation = Some(Box::new(explanation(&mut text)));
    let scope = Scope::Service { service: api.clone(), environments: vec![production.clone(), staging.clone()] };
    let names = |count: usize, text: &mut dyn FnMut() -> String| (0..count).map(|_| text()).collect::<Vec<_>>();
    let environments = vec![(checksum(1), names(2, &mut text)), (checksum(2), names(1, &mut text))];
    let drifts = [
        Facts::DriftingChecksum { version: Version(20), description: text(), environments },
        Facts::DriftingRow {
            version: Version(21),
            description: text(),
            environment: text(),
            lacking: names(2, &mut text),
        },
    ];
    let unused = Facts::UnusedAccept { rule: Rule::MissingMigration, reason: text() };
    let accepted = Facts::PendingMigration { version: Version(22), description: text(), file: text() };
    let mut findings: Vec<_> = drifts.into_iter().map(|facts| finding(facts, scope.clone(), None)).collect();
    findings.push(finding(unused, Scope::Run, Some(text())));
    let accepted = vec![(finding(accepted, scope, None), text())];
    let already_so = Facts::PendingMigration { version: Version(23), description: text(), file: text() };
    let (already_so, notes) = (vec![finding(already_so, Scope::Run, None)], vec![text()]);
    let (taken, age) = (DateTime::UNIX_EPOCH, TimeDelta::days(3));
    targets[0].as_of = Some(AsOf { taken, age, file: text() });
    findings.extend(of_sharing(&mut text).into_iter().map(|facts| finding(facts, Scope::Run, None)));
    let unwatched = Unwatched { krate: text(), file: text(), line: 9, path: text(), script: Some(text()) };
    findings.push(finding(Facts::StaleEmbed(unwatched), Scope::Run, None));
    let (one, four) = (vec![text()], names(4, &mut text));
    let others = of_tenants(targets[2].clone(), four);
    targets[2] = of_tenants(targets[2].clone(), one);
    targets.push(others);
    assert_eq!(rest.count(), 0, "TEXTS is too many");
    Report { verdict: Verdict::Fail, targets, findings, accepted, already_so, notes, repository: None }
}

fn checksum(byte: u8) -> Checksum {
    Checksum::from_bytes([byte; 48])
}

fn finding(facts: Facts, scope: Scope, file: Option<String>) -> Finding {
    let file = file.or_else(|| facts.file().map(str::to_owned));
    let (severity, location) = (facts.severity(), file.map(|file| Location { file, line: 1 }));
    Finding { severity, scope, location, facts, explanation: None }
}

fn explanation(text: &mut dyn FnMut() -> String) -> Explanation {
    Explanation {
        cause: Cause::Edited,
        summary: text(),
        difference: None,
        diff: vec![format!("-{}", text()), format!("+{}", text())],
        added: None,
        changed: None,
        branches: Vec::new(),
        fix: vec![text()],
        // Its lines are lines.
        repair_sql: Some(text().replace('\r', "\\u{d}").replace('\n', "\\u{a}")),
    }
}

fn target(service: &str, environment: &str, declared: String, findings: Vec<Facts>, startup: Outcome) -> TargetReport {
    let scope = Scope::Target { service: service.to_owned(), environment: environment.to_owned(), tenants: None };
    let mut findings: Vec<_> = findings.into_iter().map(|facts| finding(facts, scope.clone(), None)).collect();
    findings.sort_by_key(|finding: &Finding| std::cmp::Reverse::<Severity>(finding.severity));
    TargetReport {
        service: service.to_owned(),
        environment: environment.to_owned(),
        tenants: None,
        kind: "directory".to_owned(),
        location: "migrations".to_owned(),
        origin: Origin::default(),
        as_of: None,
        counts: Counts { missing: Some(1), mismatched: Some(1), ..Counts::default() },
        declared: Some(Location { file: declared, line: 7 }),
        startup,
        findings,
    }
}

/// The same of some tenants alone.
fn of_tenants(target: TargetReport, names: Vec<String>) -> TargetReport {
    let tenants = Some(Arc::new(Tenants { names, total: 5 }));
    let (service, environment) = (target.service.clone(), target.environment.clone());
    let scope = Scope::Target { service, environment, tenants: tenants.clone() };
    let findings = target.findings.into_iter().map(|finding| Finding { scope: scope.clone(), ..finding }).collect();
    TargetReport { tenants, findings, ..target }
}

fn of_history(text: &mut dyn FnMut() -> String) -> Vec<Facts> {
    let (applied, defined) = (checksum(1), checksum(2));
    let missing = |description, file, applied| Facts::MissingMigration {
        version: Version(2),
        description,
        file,
        applied,
        ignored: false,
        unread: Vec::new(),
    };
    vec![
        Facts::WrongDatabase { other: text(), fitting: 1, rows: 2 },
        Facts::DirtyMigration { version: Version(1), description: text() },
        missing(text(), text(), checksum(3)),
        Facts::ChecksumMismatch {
            version: Version(3),
            description: text(),
            file: text(),
            applied,
            defined,
            theirs: None,
        },
        Facts::DescriptionChanged { version: Version(4), file: text(), applied: text(), defined: text() },
        Facts::ExecutionUnconfirmed { version: Version(5), description: text() },
    ]
}

fn of_source(text: &mut dyn FnMut() -> String) -> Vec<Facts> {
    vec![
        Facts::DuplicateVersion { version: Version(6), files: vec![text(), text()] },
        Facts::InvalidMigration { file: text(), reason: InvalidReason::Version { prefix: text() } },
        Facts::InvalidMigration { file: text(), reason: InvalidReason::Unreadable(text()) },
        Facts::OutOfOrder { version: Version(7), description: text(), file: text(), highest: Version(8) },
        Facts::IgnoredFile { file: text(), reason: IgnoredReason::NoUnderscore },
    ]
}

fn of_sharing(text: &mut dyn FnMut() -> String) -> Vec<Facts> {
    let shared =
        SharedHistory { services: vec![text(), text()], migrations: 2, is_applied: true, error: "missing".to_owned() };
    let version = Version(9);
    vec![
        Facts::SharedHistory(shared),
        Facts::SharedVersion {
            version,
            description: text(),
            file: text(),
            theirs: Theirs { service: text(), file: text() },
        },
        Facts::ChecksumMismatch {
            version,
            description: text(),
            file: text(),
            applied: checksum(1),
            defined: checksum(2),
            theirs: Some(Theirs { service: text(), file: text() }),
        },
        Facts::MissingMigration {
            version,
            description: text(),
            file: text(),
            applied: checksum(3),
            ignored: false,
            unread: vec![text()],
        },
    ]
}

fn of_errors(text: &mut dyn FnMut() -> String) -> Vec<Facts> {
    let granting = DatabaseErrorKind::NotGranted { privilege: Privilege::Select, grant: text() };
    let absent = AbsentTable { table: text(), elsewhere: vec![text()], absent_schema: None };
    vec![
        Facts::UnreachableDatabase(DatabaseError::new(granting, text())),
        Facts::NotChecked(DatabaseError::new(DatabaseErrorKind::SecretNotSet { variable: text() }, "")),
        Facts::UnreadableSource(SourceError::Settings { path: PathBuf::from(text()), detail: text() }),
        Facts::UnreadableReport { path: text(), detail: text() },
        Facts::NoHistory { absent, elsewhere_applied: None, uncreated: None },
    ]
}

fn broken(text: &mut dyn FnMut() -> String) -> Outcome {
    let error = StartupError::BrokenDirectory { file: text(), reason: text() };
    Outcome::Fails { error, applies: Vec::new() }
}
