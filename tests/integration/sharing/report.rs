//! What is told of services that write to one history table.

use insta::assert_snapshot;

use crate::shared::repository::Repository;

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
const THREE: &str = "CREATE TABLE three (id INTEGER);\n";

/// `api` with migrations 1 and 3, `web` with 2; all are applied.
fn two_services() -> Repository {
    Repository::new()
        .file("api/migrations/1_one.sql", ONE)
        .file("api/migrations/3_three.sql", THREE)
        .file("web/migrations/2_two.sql", TWO)
}

fn applied() -> Repository {
    two_services().database("dev.db", &[(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)])
}

const URL: [(&str, &str); 1] = [("DATABASE_URL", "sqlite:dev.db")];

#[test]
fn one_database_url_for_several_directories_is_a_group() {
    let run = applied().run_with(&[], &URL);
    assert_snapshot!(run, @r"
    exit code 1
    fail: 2 of 2 targets would not start, 2 errors

          default
     api  ✗ fails: 1 of others
     web  ✗ fails: 2 of others

    api in default
      source    2 defined in api/migrations
      history   3 applied: 0 missing, 1 of others, 0 mismatched; 0 pending
      start-up  fails: migration 2 was previously applied but is missing in the resolved migrations

      error[shared-history]: the history table is shared with `web`, and 1 of its rows is a migration of theirs: this service does not start (migration 2 was previously applied but is missing in the resolved migrations)
        help: If the table is meant to be shared, let the service ignore what is missing: `set_ignore_missing(true)` in its code, and `ignore-missing: true` here. Otherwise give it a table of its own: `table-name` in sqlx.toml.

    web in default
      source    1 defined in web/migrations
      history   3 applied: 0 missing, 2 of others, 0 mismatched; 0 pending
      start-up  fails: migration 1 was previously applied but is missing in the resolved migrations

      error[shared-history]: the history table is shared with `api`, and 2 of its rows are migrations of theirs: this service does not start (migration 1 was previously applied but is missing in the resolved migrations)
        help: If the table is meant to be shared, let the service ignore what is missing: `set_ignore_missing(true)` in its code, and `ignore-missing: true` here. Otherwise give it a table of its own: `table-name` in sqlx.toml.
    ");
}

#[test]
fn who_ignores_what_is_missing_starts_and_nothing_is_said() {
    let repository = applied().config("defaults: { ignore-missing: true }\n");
    assert_snapshot!(repository.run_with(&[], &URL), @r"
    exit code 0
    pass: all 2 targets would start

          default
     api  ✓ starts
     web  ✓ starts

    api in default: 2 defined, 3 applied; starts, with nothing to apply
    web in default: 1 defined, 3 applied; starts, with nothing to apply
    ");
}

#[test]
fn the_other_service_of_a_deploy_is_known_though_it_is_not_checked() {
    let run = applied().run_with(&["--service", "api"], &URL);
    assert_snapshot!(run, @r"
    exit code 1
    fail: the target would not start, 1 error

    api in default
      source    2 defined in api/migrations
      history   3 applied: 0 missing, 1 of others, 0 mismatched; 0 pending
      start-up  fails: migration 2 was previously applied but is missing in the resolved migrations

      error[shared-history]: the history table is shared with `web`, and 1 of its rows is a migration of theirs: this service does not start (migration 2 was previously applied but is missing in the resolved migrations)
        help: If the table is meant to be shared, let the service ignore what is missing: `set_ignore_missing(true)` in its code, and `ignore-missing: true` here. Otherwise give it a table of its own: `table-name` in sqlx.toml.
    ");
}

/// With databases that do not say that they are one.
const NAMED: &str = "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}.db' }\n\
     services: { api: { history-group: shop, ignore-missing: true }, web: { history-group: shop } }\n";

#[test]
fn a_named_group_needs_no_url_of_the_others() {
    let rows = [(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)];
    let repository = two_services().config(NAMED).database("api.db", &rows);
    assert_snapshot!(repository.run(&["--service", "api"]), @r"
    exit code 0
    pass: the target would start

    api in default: 2 defined, 3 applied; starts, with nothing to apply
    ");
    let leg = repository.run(&["--matrix", r#"{ "service": "api" }"#]);
    assert!(leg.code == 0 && leg.stdout.contains("3 applied"), "{leg}");
    // Without the name, the row is nobody's.
    let alone = NAMED.replace("history-group: shop, ", "");
    let repository = two_services().config(&alone).database("api.db", &rows);
    let run = repository.run(&["--service", "api"]);
    assert!(run.stdout.contains("notice[missing-migration]: migration 2 was applied"), "{run}");
}

#[test]
fn the_legs_of_a_workflow_know_of_each_other() {
    let workflow = "on: push\njobs:\n  check:\n    strategy:\n      matrix:\n        service: [api, web]\n";
    let config = "matrix: { workflow: .github/workflows/check.yml, job: check }\n\
         defaults: { migrations: '{service}/migrations', database-url: '${DATABASE_URL}', history-group: shop, ignore-missing: true }\n\
         environments: { production: {} }\n";
    let repository = applied().config(config).file(".github/workflows/check.yml", workflow);
    let run = repository.run_with(&[r#"--leg={ "service": "api" }"#], &URL);
    assert!(run.code == 0 && !run.stdout.contains("missing-migration"), "{run}");
}

#[test]
fn what_is_to_come_is_a_warning_and_what_is_taken_twice_an_error() {
    let repository = two_services()
        .file("web/migrations/4_four.sql", ONE)
        .file("api/migrations/4_four.sql", TWO)
        .database("dev.db", &[(1, "one", ONE), (3, "three", THREE)]);
    assert_snapshot!(repository.run_with(&["--service", "api"], &URL), @r"
    exit code 1
    fail: the target would start, 1 error, 1 warning

    api in default
      source    3 defined in api/migrations
      history   2 applied: 0 missing, 0 mismatched; 1 pending
      start-up  starts, after applying 4

      error[shared-history]: the history table is shared with `web`, which has another migration 4 (web/migrations/4_four.sql): whichever of the two services starts second fails (four)
        --> api/migrations/4_four.sql:1
        help: Give the migration of one of the two services another version, one that is not applied; or give one of them a history table of its own: `table-name` in sqlx.toml. Ignoring missing migrations does not help here.

      warning[shared-history]: the history table is shared with `web`, and 1 migration of theirs is to come: once it is applied, this service does not start (migration 2 was previously applied but is missing in the resolved migrations)
        help: If the table is meant to be shared, let the service ignore what is missing: `set_ignore_missing(true)` in its code, and `ignore-missing: true` here. Otherwise give it a table of its own: `table-name` in sqlx.toml.

      notice[pending-migration]: migration 4 would be applied when the service starts (four)
        --> api/migrations/4_four.sql:1
        help: Nothing has to be done: this is what a deploy with a new migration looks like.
    ");
}

#[test]
fn the_row_of_another_content_names_the_service_that_has_it() {
    let repository = two_services()
        .config("defaults: { ignore-missing: true }\n")
        .file("api/migrations/2_other.sql", ONE)
        .database("dev.db", &[(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)]);
    assert_snapshot!(repository.run_with(&["--service", "api"], &URL), @r"
    exit code 1
    fail: the target would not start, 1 error

    api in default
      source    3 defined in api/migrations
      history   3 applied: 0 missing, 1 mismatched; 0 pending
      start-up  fails: migration 2 was previously applied but has been modified

      error[checksum-mismatch]: migration 2 was applied as `web` has it, which shares the history table (web/migrations/2_two.sql): the row has checksum c167fbe69e87…, the file e108174f780e… (two)
        --> api/migrations/2_other.sql:1
        help: Give the migration of one of the two services another version, one that is not applied; or give one of them a history table of its own: `table-name` in sqlx.toml. Ignoring missing migrations does not help here.
    ");
    let restored = repository.run_with(&["restore", "--service", "api"], &URL);
    assert_snapshot!(restored, @r"
    exit code 1
    migration 2 (two) of api in default: refused: the row is that of another service, which writes to the same history table
    refused 1
    ");
    let named = repository.run_with(&["restore", "2", "--service", "api"], &URL);
    assert_eq!(named.stdout, restored.stdout);
    let theirs = applied().run_with(&["restore", "2", "--service", "api"], &URL);
    assert_snapshot!(theirs, @r"
    exit code 1
    migration 2 of api in default: refused: the row is that of another service, which writes to the same history table
    refused 1
    ");
    assert_eq!(applied().run_with(&["restore", "--service", "api"], &URL).stdout, "restored nothing\n");
}

#[test]
fn the_counts_agree_with_the_findings_and_the_rule_can_be_accepted() {
    let repository = applied().config(
        "accept:\n  - { rule: shared-history, service: api, reason: it is deployed by hand }\n\
         defaults: { migrations: '{service}/migrations', database-url: 'sqlite:dev.db' }\nservices: { api: {}, web: {} }\n",
    );
    let (code, report) = repository.json(&["--service", "api"]);
    assert_eq!((code, &report["accepted"][0]["rule"]), (0, &"shared-history".into()));
    assert_snapshot!(report["targets"][0]["counts"], @r#"
    {"defined":2,"applied":3,"missing":0,"shared":1,"mismatched":0,"pending":0}
    "#);
    assert_eq!(report["targets"][0]["startup"]["outcome"], "fails");
}

#[test]
fn a_service_that_cannot_be_read_may_have_the_row() {
    let repository =
        applied().config(NAMED).file("web/sqlx.toml", "[migrate]\nignored-chars = 7\n").file("web/Cargo.toml", "");
    let repository = repository.database("api.db", &[(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)]);
    let run = repository.run(&["--service", "api"]);
    assert!(run.stdout.contains("or it is one of `web`, of which not all could be read"), "{run}");
}
