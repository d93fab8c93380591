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
    assert_snapshot!(run, @"");
}

#[test]
fn who_ignores_what_is_missing_starts_and_nothing_is_said() {
    let repository = applied().config("defaults: { ignore-missing: true }\n");
    assert_snapshot!(repository.run_with(&[], &URL), @"");
}

#[test]
fn the_other_service_of_a_deploy_is_known_though_it_is_not_checked() {
    let run = applied().run_with(&["--service", "api"], &URL);
    assert_snapshot!(run, @"");
}

/// With databases that do not say that they are one.
const NAMED: &str = "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}.db' }\n\
     services: { api: { history-group: shop, ignore-missing: true }, web: { history-group: shop } }\n";

#[test]
fn a_named_group_needs_no_url_of_the_others() {
    let rows = [(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)];
    let repository = two_services().config(NAMED).database("api.db", &rows);
    assert_snapshot!(repository.run(&["--service", "api"]), @"");
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
    assert_snapshot!(repository.run_with(&["--service", "api"], &URL), @"");
}

#[test]
fn the_row_of_another_content_names_the_service_that_has_it() {
    let repository = two_services()
        .config("defaults: { ignore-missing: true }\n")
        .file("api/migrations/2_other.sql", ONE)
        .database("dev.db", &[(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)]);
    assert_snapshot!(repository.run_with(&["--service", "api"], &URL), @"");
    let restored = repository.run_with(&["restore", "--service", "api"], &URL);
    assert_snapshot!(restored, @"");
}

#[test]
fn the_counts_agree_with_the_findings_and_the_rule_can_be_accepted() {
    let repository = applied().config(
        "accept:\n  - { rule: shared-history, service: api, reason: it is deployed by hand }\n\
         defaults: { migrations: '{service}/migrations', database-url: 'sqlite:dev.db' }\nservices: { api: {}, web: {} }\n",
    );
    let (code, report) = repository.json(&["--service", "api"]);
    assert_eq!((code, &report["accepted"][0]["rule"]), (0, &"shared-history".into()));
    assert_snapshot!(report["targets"][0]["counts"], @"");
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
