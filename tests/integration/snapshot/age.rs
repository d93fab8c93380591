//! How old a snapshot is, how old it may be, and of which table it is.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::*;

const HOUR: i64 = 3_600;

/// A snapshot that seems to have been taken so many hours ago.
fn aged(repository: &Repository, hours: i64) -> Value {
    let mut snapshot = written(repository, &[STAGING, PRODUCTION]);
    let offset = Duration::from_secs(u64::try_from((hours * HOUR).abs()).unwrap());
    let time = if hours < 0 { SystemTime::now() + offset } else { SystemTime::now() - offset };
    snapshot["taken"] = migration_preflight::history::written(&DateTime::<Utc>::from(time)).into();
    write(repository, FILE, &snapshot);
    snapshot
}

fn with_max_age(fields: &str) -> Repository {
    with_secrets().config(&format!(
        "services: {{ api: {{ migrations: migrations }} }}\n\
         environments: {{ staging: {{ max-age: 12h }}, production: {{ {fields} }} }}\n"
    ))
}

/// What is said of the target in production.
fn of_production(repository: &Repository, arguments: &[&str]) -> (i32, String) {
    let (code, report) = repository.json(&[&["--snapshot", FILE, "--environment", "production"], arguments].concat());
    (code, report["targets"][0]["findings"][0]["message"].as_str().unwrap().to_owned())
}

#[test]
fn a_snapshot_that_is_too_old_makes_its_target_incomplete_and_no_other() {
    let repository = with_secrets().config(
        "services: { api: { migrations: migrations } }\n\
         environments: { staging: { max-age: 1w, database-url: '${STAGING_URL}' }, production: { max-age: 2d, database-url: '${PRODUCTION_URL}' } }\n",
    );
    let snapshot = aged(&repository, 73);
    assert_snapshot!(timeless(&repository.run(&["--snapshot", FILE, "--fail-on", "never"]), &snapshot), @r"
    exit code 3
    incomplete: 1 of 2 targets would not start, 1 of 2 targets could not be checked, 1 error, 1 warning, 2 targets from a snapshot

          staging             production
     api  ✗ fails: 1 missing  ? unknown

    api in staging
      source    2 defined in migrations
      history   2 applied: 1 missing, 0 mismatched; 1 pending
                as of [taken], 3 days ago, from snapshot.json
      start-up  fails: migration 7 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 7 was applied, but the source has no file for it (seven)
        --> migrations/7_seven.sql:1
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

      warning[out-of-order]: migration 2 is pending, though 7 is applied already (two)
        --> migrations/2_two.sql:1
        help: If the migration depends on nothing that came later, this is harmless. Otherwise give it a new version above the highest applied one.

      notice[pending-migration]: migration 2 would be applied when the service starts (two)
        --> migrations/2_two.sql:1
        help: Nothing has to be done: this is what a deploy with a new migration looks like.

    api in production
      source    2 defined in migrations
      history   could not be read
                as of [taken], 3 days ago, from snapshot.json
      start-up  unknown: a side could not be read

      incomplete[unreachable-database]: the history could not be read: the snapshot is too old: it is as of [taken], 3 days ago, from snapshot.json, and `max-age` is 2 days
        --> .github/migration-preflight.yml:1
        help: Take a new one where the database can be reached, with `migration-preflight snapshot`; or raise `max-age`, if a history of that age says enough.
    ");
}

#[test]
fn without_a_greatest_age_it_is_told_how_old_a_snapshot_is() {
    let repository = with_secrets();
    aged(&repository, 24 * 400);
    let run = repository.run(&["--snapshot", FILE, "--environment", "production"]);
    assert!(run.code == 0 && run.stdout.contains("Z, 400 days ago, from snapshot.json"), "{run}");
}

#[test]
fn the_flag_goes_before_the_configuration_and_what_is_more_specific_before_the_rest() {
    let repository = with_secrets();
    aged(&repository, 30);
    let read = |repository: &Repository, arguments: &[&str]| {
        let (_, report) = repository.json(&[&["--snapshot", FILE, "--environment", "production"], arguments].concat());
        report["targets"][0]["counts"]["applied"].is_number()
    };
    assert!(
        read(&repository, &[]) && read(&repository, &["--max-age", "2d"]) && !read(&repository, &["--max-age", "1d"])
    );
    let repository = repository.config(
        "services: { api: { migrations: migrations, environments: { production: { max-age: 1d } } } }\n\
         defaults: { max-age: 3d }\nenvironments: { staging: {}, production: { max-age: 2d } }\n",
    );
    assert!(!read(&repository, &[]) && read(&repository, &["--max-age", "2d"]));
}

#[test]
fn of_an_environment_that_is_not_required_an_old_snapshot_is_a_notice() {
    let repository = with_secrets();
    aged(&repository, 30);
    let repository = repository.config(
        "services: { api: { migrations: migrations } }\n\
         environments: { staging: {}, production: { required: false, max-age: 1d } }\n",
    );
    let (code, message) = of_production(&repository, &[]);
    assert_eq!(code, 0);
    assert!(
        message.starts_with("not checked, and not required to be: the snapshot is too old: it is as of "),
        "{message}"
    );
}

#[test]
fn a_snapshot_of_the_future_is_never_fresh() {
    let repository = with_secrets();
    aged(&repository, -2);
    let (code, message) = of_production(&repository, &[]);
    assert!(
        code == 3 && message.contains("the snapshot is of a time to come: snapshot.json has that of "),
        "{message}"
    );
}

#[test]
fn a_snapshot_of_another_table_is_not_compared() {
    let repository = with_secrets();
    written(&repository, &[STAGING, PRODUCTION]);
    let repository =
        repository.file("Cargo.toml", "").file("sqlx.toml", "[migrate]\ntable-name = '\"_sqlx_migrations\"'\n");
    let (code, report) = repository.json(&["--snapshot", FILE]);
    assert!(matches!(code, 0 | 1), "the same name in quotation marks: {report:#}");
    let repository = repository.file("sqlx.toml", "[migrate]\ntable-name = 'other'\ncreate-schemas = ['app']\n");
    let (code, message) = of_production(&repository, &[]);
    assert_eq!(code, 3);
    assert_snapshot!(message, @"the history could not be read: the snapshot is of another history table: snapshot.json has the table `_sqlx_migrations`, and sqlx would read the table `other` (`create-schemas`: app)");
}

#[test]
fn an_age_that_is_none_and_an_age_of_nothing_are_mistakes() {
    let repository = with_max_age("max-age: soon");
    let run = repository.run(&["--snapshot", FILE]);
    assert!(run.code == 2 && run.stderr.contains("`soon` is no length of time"), "{run}");
    for arguments in [&["--max-age", "7d"][..], &["--snapshot", FILE, "--max-age", "7 days"]] {
        assert_eq!(repository.run(arguments).code, 2, "{arguments:?}");
    }
}
