//! The program from outside: what is typed, what is written, with which exit code.

use insta::assert_snapshot;

use crate::support::Repository;

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";

/// A crate with two migrations, and nothing configured.
fn crate_with_migrations() -> Repository {
    Repository::new().file("migrations/1_one.sql", ONE).file("migrations/2_two.sql", TWO)
}

/// Two services in two environments, from a workflow.
fn two_services() -> Repository {
    Repository::new()
        .config(
            "matrix: { workflow: .github/workflows/deploy.yml, job: deploy }\n\
             defaults: { migrations: 'backend/{service}/migrations', database-url: 'sqlite:{environment}-{service}.db' }\n\
             environments: { staging: {}, production: {} }\n",
        )
        .file(
            ".github/workflows/deploy.yml",
            "on: push\njobs:\n  deploy:\n    strategy:\n      matrix:\n        environment: [staging, production]\n        service:\n          - api\n          - web\n",
        )
        .file("backend/api/migrations/1_one.sql", ONE)
        .file("backend/web/migrations/1_one.sql", ONE)
        .file("backend/web/migrations/2_two.sql", TWO)
        .database("staging-api.db", &[(1, "one", ONE), (2, "two", TWO)])
        .database("production-api.db", &[(1, "one", ONE)])
        .database("staging-web.db", &[(1, "one", ONE), (2, "two", TWO)])
        .database("production-web.db", &[(1, "one", ONE)])
}

#[test]
fn nothing_configured_means_the_crate_here_and_database_url() {
    let repository = crate_with_migrations().database("dev.db", &[(1, "one", ONE), (2, "two", TWO)]);
    let run = repository.run_with(&[], &[("DATABASE_URL", "sqlite:dev.db")]);
    let text = run.to_string().replace(repository.path().file_name().unwrap().to_str().unwrap(), "[folder]");
    assert_snapshot!(text, @"");
}

#[test]
fn a_crate_below_the_root_is_found_from_its_own_folder() {
    let repository = Repository::new()
        .file("crates/api/Cargo.toml", "")
        .file("crates/api/sqlx.toml", "[migrate]\nmigrations-dir = \"db\"\n")
        .file("crates/api/db/1_one.sql", ONE)
        .file("crates/web/migrations/1_one.sql", ONE)
        .database("dev.db", &[(1, "one", ONE)]);
    let run = repository.run_in("crates/api", &[], &[("DATABASE_URL", "sqlite:../../dev.db")]);
    assert_snapshot!(run, @"");
}

#[test]
fn several_migrations_directories_are_several_services() {
    let repository = Repository::new()
        .file("api/migrations/1_one.sql", ONE)
        .file("web/migrations/1_one.sql", ONE)
        .file("node_modules/x/migrations/1_no.sql", ONE)
        .database("api.db", &[(1, "one", ONE)]);
    let environment = [("API_DATABASE_URL", "sqlite:api.db"), ("DATABASE_URL", "")];
    assert_snapshot!(repository.run_with(&[], &environment), @"");
}

#[test]
fn a_matrix_of_services_and_environments() {
    assert_snapshot!(two_services().run(&[]), @"");
}

#[test]
fn the_json_report_has_the_published_keys() {
    let (code, report) = two_services().json(&["--service", "api", "--environment", "staging"]);
    assert_eq!(code, 1);
    assert_snapshot!(format!("{report:#}"), @"");
}

#[test]
fn one_run_writes_any_number_of_outputs_and_a_failing_one_changes_nothing() {
    let repository = two_services();
    let outputs = ["--output", "json=a.json", "--output", "human=b.txt", "--output", "json=no/such/folder.json"];
    let run = repository.run(&outputs);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: the report could not be written to no/such/folder.json: "), "{run}");
    let json = std::fs::read_to_string(repository.path().join("a.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["verdict"], "fail");
    assert_eq!(std::fs::read_to_string(repository.path().join("b.txt")).unwrap(), run.stdout);
}

#[test]
fn the_exit_code_is_0_1_2_or_3() {
    let repository = two_services();
    let code = |arguments: &[&str]| repository.run(arguments).code;
    assert_eq!(code(&["--environment", "production"]), 0);
    assert_eq!(code(&["--environment", "production", "--fail-on", "notice"]), 1, "web has a pending migration");
    assert_eq!(code(&["--environment", "staging"]), 1);
    assert_eq!(code(&["--environment", "staging", "--fail-on", "never"]), 0);
    assert_eq!(code(&["--nonsense"]), 2);
    assert_eq!(code(&["--service", "nobody"]), 2);
    std::fs::remove_file(repository.path().join("production-api.db")).unwrap();
    assert_eq!(code(&["--environment", "production"]), 3);
    assert_eq!(code(&["--environment", "production", "--fail-on", "never"]), 3, "unread is never a pass");
    assert_eq!(code(&[]), 1, "an error outweighs what is incomplete");
}

#[test]
fn an_unset_secret_is_reported_and_the_other_target_is_complete() {
    let repository = crate_with_migrations().database("a.db", &[(1, "one", ONE), (2, "two", TWO)]).config(
        "services: { api: { migrations: migrations } }\n\
         environments:\n  staging: { database-url: '${STAGING_URL}' }\n  production: { database-url: 'sqlite:a.db' }\n",
    );
    assert_snapshot!(repository.run(&[]), @"");
}

#[test]
fn a_hostile_table_name_reaches_no_database() {
    let hostile = "[migrate]\ntable-name = '_sqlx_migrations; DROP TABLE _sqlx_migrations; --'\n";
    let repository = crate_with_migrations()
        .file("Cargo.toml", "")
        .file("sqlx.toml", hostile)
        .database("dev.db", &[(1, "one", ONE)]);
    let run = repository.run_with(&["--service", ""], &[]);
    assert_eq!(run.code, 2);
    let run = repository.run_with(&["--format", "json"], &[("DATABASE_URL", "sqlite:dev.db")]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stdout.contains("the name of the history table is not a plain or quoted identifier"), "{run}");
    std::fs::remove_file(repository.path().join("sqlx.toml")).unwrap();
    let run = repository.run_with(&[], &[("DATABASE_URL", "sqlite:dev.db")]);
    assert_eq!(run.code, 0, "the table is still there: {run}");
}

#[test]
fn a_sqlx_toml_that_sqlx_would_refuse_makes_the_source_unreadable() {
    let repository = crate_with_migrations()
        .file("Cargo.toml", "")
        .file("sqlx.toml", "[migrate]\ntabel-name = 'x'\n")
        .database("dev.db", &[(1, "one", ONE)])
        .config("services: { api: { migrations: migrations, database-url: 'sqlite:dev.db' } }\n");
    assert_snapshot!(repository.run(&[]), @"");
}

#[test]
fn what_comes_from_files_and_rows_cannot_act_on_the_terminal() {
    let repository = Repository::new()
        .file("migrations/1_one.sql", ONE)
        .file("migrations/x_\u{1b}[31m\n::error::pwned.sql", ONE)
        .database("dev.db", &[(1, "one", ONE), (2, "\u{1b}]0;title\u{7}\n::error::rows", TWO)]);
    let run = repository.run_with(&[], &[("DATABASE_URL", "sqlite:dev.db")]);
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'), "{run}");
    assert!(!run.stdout.lines().any(|line| line.trim_start().starts_with("::")), "{run}");
}

#[test]
fn usage_mistakes_say_what_there_is() {
    let repository = two_services();
    assert_snapshot!(repository.run(&["--service", "apl"]), @"");
    assert_snapshot!(repository.run(&["--job", "deplyo"]), @"");
    assert_snapshot!(repository.run(&["--workflow", "none.yml", "--job", "x"]), @"");
    assert_snapshot!(Repository::new().run(&[]), @"");
    assert_snapshot!(crate_with_migrations().run(&["--matrix", "{"]), @"");
}

#[test]
fn a_matrix_that_exists_only_at_run_time_says_what_to_pass() {
    let repository = two_services().file(
        ".github/workflows/deploy.yml",
        "jobs:\n  deploy:\n    strategy:\n      matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}\n",
    );
    assert_snapshot!(repository.run(&[]), @"");
    let leg = r#"{"service": "web", "environment": "production"}"#;
    assert_eq!(repository.run(&["--matrix", leg]).code, 0);
    let definition = r#"{"service": ["web", "api"], "environment": ["production"]}"#;
    assert_eq!(repository.json(&["--matrix", definition]).1["targets"].as_array().unwrap().len(), 2);
}

#[test]
fn a_matrix_entry_may_carry_the_fields_of_its_service() {
    let repository = crate_with_migrations().database("dev.db", &[(1, "one", ONE), (9, "nine", "")]);
    let entries = r#"[{"service": "api", "environment": "e", "migrations": "migrations",
        "database-secret": "API_URL", "ignore-missing": true}]"#;
    let run = repository.run_with(&["--matrix", entries], &[("API_URL", " sqlite:dev.db\n")]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("notice[missing-migration]"), "{run}");
    let entries = r#"[{"service": "api", "migrations": "../up", "required": "maybe"}]"#;
    assert_snapshot!(repository.run(&["--matrix", entries]), @"");
}

#[test]
fn the_catalogue_explains_each_rule() {
    let repository = Repository::new();
    assert!(repository.run(&["rules"]).stdout.starts_with("wrong-database (error)\n"));
    assert_snapshot!(repository.run(&["rules", "out-of-order"]), @"");
    assert_eq!(repository.run(&["rules", "no-such-rule"]).code, 2);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let run = std::process::Command::new("sh")
        .args(["-c", "\"$0\" rules | head -n 1", env!("CARGO_BIN_EXE_migration-preflight")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(run.stderr).unwrap(), "");
}
