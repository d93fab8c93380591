use super::*;
use crate::finding::{Facts, Finding, Location, Scope};
use crate::history::{DatabaseError, DatabaseErrorKind};
use crate::migration::{Checksum, Version};
use crate::report::Counts;
use crate::source::Origin;
use crate::startup::{Outcome, StartupError};

const DECLARED: &str = "deploy.yml";

fn finding(environment: &str, facts: Facts) -> Finding {
    let scope = Scope::Target { service: "api|x".into(), environment: environment.into(), tenants: None };
    let location = facts.file().unwrap_or(DECLARED).to_owned();
    Finding {
        severity: facts.severity(),
        facts,
        scope,
        location: Some(Location { file: location, line: 1 }),
        explanation: None,
    }
}

fn missing(version: i64) -> Facts {
    let file = format!("migrations/{version}_add.sql");
    Facts::MissingMigration {
        version: Version(version),
        description: "add @everyone".into(),
        file,
        applied: Checksum::of(""),
        ignored: false,
        unread: Vec::new(),
    }
}

fn target(environment: &str, startup: Outcome, findings: Vec<Facts>) -> TargetReport {
    let missing = findings.iter().filter(|facts| matches!(facts, Facts::MissingMigration { .. })).count();
    TargetReport {
        service: "api|x".into(),
        environment: environment.into(),
        tenants: None,
        kind: "directory".into(),
        origin: Origin::default(),
        as_of: None,
        location: "migrations".into(),
        counts: Counts { missing: Some(missing), ..Counts::default() },
        declared: Some(Location { file: DECLARED.into(), line: 12 }),
        startup,
        findings: findings.into_iter().map(|facts| finding(environment, facts)).collect(),
    }
}

fn fails() -> Outcome {
    Outcome::Fails { error: StartupError::Missing(Version(7)), applies: Vec::new() }
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

#[test]
fn the_page_has_the_verdict_the_targets_the_findings_and_at_last_what_was_not_checked() {
    let away = Facts::UnreachableDatabase(DatabaseError::new(DatabaseErrorKind::Refused, ""));
    let report = report(vec![
        target("staging", fails(), vec![missing(7)]),
        target("production", fails(), vec![missing(7)]),
        target("preview", Outcome::Unknown, vec![away]),
    ]);
    let page = markdown(&report, 65_535).replace('\u{200b}', "·");
    insta::assert_snapshot!(page, @r"
    ## ❌ fail: 2 of 3 targets would not start, 1 of 3 targets could not be checked, 2 errors

    | service | `staging` | `production` | `preview` |
    |---|---|---|---|
    | `api\|x` | ❌ fails: 1 missing | ❌ fails: 1 missing | ❓ unknown |

    ### Start-up
    - `api|x` in `staging`: `migration 7 was previously applied but is missing in the resolved migrations`
    - `api|x` in `production`: `migration 7 was previously applied but is missing in the resolved migrations`

    ### Findings
    - ❌ **error** `missing-migration` `api|x` in `staging`, `production`: migration 7 was applied, but the source has no file for it (add @·everyone)<br>`migrations/7_add.sql:1`

    ### What to do
    - `missing-migration`: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

    ### Not checked
    - ❓ **incomplete** `unreachable-database` `api|x` in `preview`: the history could not be read: the connection was refused<br>`deploy.yml:1`<br>Check host and port, and that the database runs and may be reached from here.
    ");
}

#[test]
fn a_page_of_any_report_keeps_its_limit() {
    let many: Vec<_> = (0..3000).map(missing).collect();
    let targets = (0..200).map(|n| target(&format!("environment-{n}"), fails(), vec![missing(n)]));
    let report = report(targets.chain([target("all", fails(), many)]).collect());
    for limit in [2_000, 65_535, 1 << 20] {
        let page = markdown(&report, limit);
        assert!(page.len() <= limit && page.len() > limit / 3, "{limit}: {}", page.len());
        for section in ["## ❌ fail", "| service", "### Start-up", "### Findings", "### What to do"] {
            assert!(page.contains(section), "{limit}: no {section}");
        }
    }
}
