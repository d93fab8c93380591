//! `merge`, the reports of a matrix's legs as one: what is there, what is damaged, and what never came.

use std::fs;

use crate::shared::repository::Repository;

const ONE: &str = "SELECT 1;\n";
const MATRIX: &str = "on: push
jobs:
  preflight:
    strategy:
      matrix:
        service: [api, web]
        environment: [staging, production]
";

/// Two services in two environments; `web` in production has a row without a file.
fn repository() -> Repository {
    let rows = [(1, "step", ONE), (2, "later", ONE)];
    let mut repository = Repository::new()
        .file("api/migrations/1_step.sql", ONE)
        .file("web/migrations/1_step.sql", ONE)
        .file(".github/workflows/ci.yml", MATRIX)
        .config(
            "matrix: { workflow: .github/workflows/ci.yml, job: preflight }\n\
             defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}-{environment}.db' }\n",
        );
    for database in ["api-staging", "api-production", "web-staging", "web-production"] {
        let applied = if database == "web-production" { 2 } else { 1 };
        repository = repository.database(&format!("{database}.db"), &rows[..applied]);
    }
    repository
}

/// Runs the legs, each with a report in a folder of its own, as downloaded artifacts have it.
fn legs(repository: &Repository, legs: &[(&str, &str)]) {
    for (service, environment) in legs {
        let leg = format!(r#"{{"service": "{service}", "environment": "{environment}"}}"#);
        let report = format!("json=reports/{service}-{environment}/report.json");
        fs::create_dir_all(repository.path().join(format!("reports/{service}-{environment}"))).unwrap();
        let run = repository.run(&["--matrix", &leg, "--output", &report]);
        assert!(matches!(run.code, 0 | 1), "{run}");
    }
}

const ALL: [(&str, &str); 4] = [("web", "staging"), ("web", "production"), ("api", "production"), ("api", "staging")];

#[test]
fn all_legs_give_the_report_of_one_run_over_all() {
    let repository = repository();
    legs(&repository, &ALL);
    let (code, merged) = repository.json(&["merge", "--reports", "reports"]);
    let (alone, whole) = repository.json(&[]);
    assert_eq!((code, alone), (1, 1));
    for key in ["verdict", "title", "targets"] {
        assert_eq!(merged[key], whole[key], "{key}");
    }
}

#[test]
fn a_leg_that_never_reported_is_named_and_makes_the_whole_incomplete() {
    let repository = repository();
    legs(&repository, &[ALL[0], ALL[2], ALL[3]]);
    let run = repository.run(&["merge", "--reports", "reports"]);
    insta::assert_snapshot!(run, @r###"
    exit code 3
    incomplete: 1 of 4 targets could not be checked

          staging   production
     api  ✓ starts  ✓ starts
     web  ✓ starts  ? unknown

    web in production
      source    web/migrations could not be read
      history   could not be read
      start-up  unknown: a side could not be read

      incomplete[missing-report]: no run has reported on this target: its job was skipped or cancelled, or ended before it could report
        --> .github/workflows/ci.yml:6
        help: Look at the job that ought to have reported: one that was skipped, cancelled or ended early has not checked its target. Let it upload its report even when it fails (`if: always()`), under a name that no other leg uses, and let this run download all of them.

    api in staging: 1 defined, 1 applied; starts, with nothing to apply
    api in production: 1 defined, 1 applied; starts, with nothing to apply
    web in staging: 1 defined, 1 applied; starts, with nothing to apply
    "###);
}

#[test]
fn no_report_at_all_names_every_target() {
    let repository = repository();
    for paths in [vec!["--reports", "reports"], vec!["--reports", "."]] {
        let (code, report) = repository.json(&[vec!["merge"], paths.clone()].concat());
        assert_eq!((code, report["verdict"].as_str()), (3, Some("incomplete")), "{paths:?}");
        let rules: Vec<_> = report["targets"].as_array().unwrap().iter().map(|t| &t["findings"][0]["rule"]).collect();
        assert_eq!(rules, ["missing-report"; 4]);
    }
}

#[test]
fn what_is_damaged_is_told_and_what_is_something_else_passed_by() {
    let repository = repository();
    legs(&repository, &ALL);
    let path = |name: &str| repository.path().join("reports").join(name);
    fs::write(path("package.json"), r#"{"name": "other"}"#).unwrap();
    fs::write(path("notes.txt"), "no report").unwrap();
    let (code, report) = repository.json(&["merge", "--reports", "reports", "--fail-on", "never"]);
    assert_eq!((code, report["verdict"].as_str()), (1, Some("fail")), "never better than a leg");
    fs::remove_file(path("web-production/report.json")).unwrap();
    let whole = fs::read_to_string(path("api-staging/report.json")).unwrap();
    fs::write(path("api-staging/report.json"), whole.replace("\"verdict\"", "\"verdikt\"")).unwrap();
    fs::write(path("web-staging/report.json"), &whole[..whole.len() / 2]).unwrap();
    let (code, report) = repository.json(&["merge", "--reports", "reports"]);
    assert_eq!((code, report["verdict"].as_str()), (3, Some("incomplete")));
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("api-staging/report.json` could not be read: it is a report, but a damaged one"));
    let unknown = report["targets"].as_array().unwrap().iter().filter(|t| t["startup"]["outcome"] == "unknown");
    assert_eq!(unknown.count(), 3);
}

#[test]
fn filters_hold_for_the_plan_and_for_the_reports() {
    let repository = repository();
    legs(&repository, &ALL);
    let (code, report) = repository.json(&["merge", "--reports", "reports", "--environment", "staging"]);
    assert_eq!((code, report["targets"].as_array().unwrap().len()), (0, 2));
}

/// The environment of a run in a repository on GitHub.
fn on_github(repository: &str) -> [(&str, &str); 3] {
    let commit = "0123456789012345678901234567890123456789";
    [("GITHUB_ACTIONS", "true"), ("GITHUB_REPOSITORY", repository), ("GITHUB_SHA", commit)]
}

/// A repository with the service `api` and what its database has applied, and its report as a run on GitHub writes it.
fn of_github(name: &str, applied: &[(i64, &str, &str)], report: &str) -> Repository {
    let repository = Repository::new()
        .file("api/migrations/1_step.sql", ONE)
        .database("dev.db", applied)
        .config("services: { api: { migrations: api/migrations, database-url: 'sqlite:dev.db' } }\n");
    let run = repository.run_with(&["--output", &format!("json={report}")], &on_github(name));
    assert!(matches!(run.code, 0 | 1), "{run}");
    repository
}

#[test]
fn a_service_of_another_repository_is_none_of_ours_and_neither_is_its_file() {
    let other = of_github("o/other", &[(1, "step", ONE), (2, "later", ONE)], "report.json");
    let ours = of_github("o/ours", &[(1, "step", ONE)], "ours.json");
    fs::copy(other.path().join("report.json"), ours.path().join("other.json")).unwrap();
    let reports = ["merge", "--reports", "ours.json", "--reports", "other.json"];
    let merged = |more: &[&str]| ours.run_with(&[&reports[..], more].concat(), &on_github("o/ours"));
    insta::assert_snapshot!(merged(&[]), @r"
    exit code 1
    fail: 1 of 2 targets would not start, 1 error

                  default
     api          ✓ starts
     o/other:api  ✗ fails: 1 missing

    o/other:api in default
      source    1 defined in ../o/other/api/migrations
      history   2 applied: 1 missing, 0 mismatched; 0 pending
      start-up  fails: migration 2 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 2 was applied, but the source has no file for it (later)
        --> ../o/other/api/migrations/2_later.sql:1
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

    api in default: 1 defined, 1 applied; starts, with nothing to apply
    --- stderr
    ::add-mask::sqlite:dev.db
    ");
    let commands = merged(&["--format", "github"]).stdout;
    assert_eq!(commands, "", "nothing is said at a file of ours");
    let log: serde_json::Value = serde_json::from_str(&merged(&["--format", "sarif"]).stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], ".github/migration-preflight.yml");
}

#[test]
fn without_a_plan_reports_are_all_that_there_is_and_that_is_said() {
    let one = of_github("o/one", &[(1, "step", ONE)], "report.json");
    let two = of_github("o/two", &[(1, "step", ONE)], "report.json");
    let empty = Repository::new();
    for (name, repository) in [("one", &one), ("two", &two)] {
        fs::create_dir_all(empty.path().join("reports").join(name)).unwrap();
        let to = empty.path().join("reports").join(name).join("report.json");
        fs::copy(repository.path().join("report.json"), to).unwrap();
    }
    // A job that forgot its checkout never passes by that.
    let forgotten = empty.run(&["merge", "--reports", "reports"]);
    assert_eq!(forgotten.code, 2, "{forgotten}");
    insta::assert_snapshot!(empty.run(&["merge", "--reports", "reports", "--without-plan"]), @r"
    exit code 0
    pass: all 2 targets would start

                default
     o/one:api  ✓ starts
     o/two:api  ✓ starts

    o/one:api in default: 1 defined, 1 applied; starts, with nothing to apply
    o/two:api in default: 1 defined, 1 applied; starts, with nothing to apply

    note: without a plan it is not known which targets ought to have reported: one that never did is not told
    ");
    let filtered = empty.run(&["merge", "--reports", "reports", "--without-plan", "--service", "api"]);
    assert_eq!(filtered.code, 2, "{filtered}");
    insta::assert_snapshot!(Repository::new().run(&["merge", "--reports", ".", "--without-plan"]), @r"
    exit code 2
    --- stderr
    error: there is no report, and nothing says which there ought to be
      help: correct the path of --reports, or leave `--without-plan` out
    ");
}

#[test]
fn a_report_of_another_version_is_read_as_far_as_it_can_be() {
    let repository = repository();
    legs(&repository, &ALL);
    let path = repository.path().join("reports/web-staging/report.json");
    let text = fs::read_to_string(&path).unwrap();
    let later = text.replace(env!("CARGO_PKG_VERSION"), "9.9.9").replacen('{', "{ \"more\": 1,", 1);
    fs::write(&path, &later).unwrap();
    assert_eq!(repository.run(&["merge", "--reports", "reports", "--environment", "staging"]).code, 0);
    fs::write(&path, later.replace("\"starts\"", "\"hovers\"")).unwrap();
    let (code, report) = repository.json(&["merge", "--reports", "reports", "--environment", "staging"]);
    assert_eq!(code, 3);
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("version 9.9.9 of migration-preflight wrote it, and this is version"), "{message}");
}
