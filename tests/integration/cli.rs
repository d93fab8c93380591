//! The program from outside: what is typed, what is written, with which exit code.

use insta::assert_snapshot;

use crate::shared::repository::Repository;

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
    assert_snapshot!(text, @"
    exit code 0
    pass: the target would start

    [folder] in default: 2 defined, 2 applied; starts, with nothing to apply
    ");
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
    assert_snapshot!(run, @"
    exit code 0
    pass: the target would start

    api in default: 1 defined, 1 applied; starts, with nothing to apply
    ");
}

#[test]
fn several_migrations_directories_are_several_services() {
    let repository = Repository::new()
        .file("api/migrations/1_one.sql", ONE)
        .file("web/migrations/1_one.sql", ONE)
        .file("node_modules/x/migrations/1_no.sql", ONE)
        .database("api.db", &[(1, "one", ONE)]);
    let environment = [("API_DATABASE_URL", "sqlite:api.db"), ("DATABASE_URL", "")];
    assert_snapshot!(repository.run_with(&[], &environment), @"
    exit code 3
    incomplete: 1 of 2 targets could not be checked

          default
     api  ✓ starts
     web  ? unknown

    web in default
      source    1 defined in web/migrations
      history   could not be read
      start-up  unknown: a side could not be read

      incomplete[unreachable-database]: the history could not be read: the environment variable DATABASE_URL is unset or empty
        help: Set the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment.

    api in default: 1 defined, 1 applied; starts, with nothing to apply
    ");
}

#[test]
fn a_matrix_of_services_and_environments() {
    assert_snapshot!(two_services().run(&[]), @"
    exit code 1
    fail: 1 of 4 targets would not start, 1 error

          staging             production
     api  ✗ fails: 1 missing  ✓ starts
     web  ✓ starts            ✓ starts, applies 1

    api in staging
      source    1 defined in backend/api/migrations
      history   2 applied: 1 missing, 0 mismatched; 0 pending
      start-up  fails: migration 2 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 2 was applied, but the source has no file for it (two)
        --> backend/api/migrations/2_two.sql:1
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

    web in production
      source    2 defined in backend/web/migrations
      history   1 applied: 0 missing, 0 mismatched; 1 pending
      start-up  starts, after applying 2

      notice[pending-migration]: migration 2 would be applied when the service starts (two)
        --> backend/web/migrations/2_two.sql:1
        help: Nothing has to be done: this is what a deploy with a new migration looks like.

    web in staging: 2 defined, 2 applied; starts, with nothing to apply
    api in production: 1 defined, 1 applied; starts, with nothing to apply
    ");
}

#[test]
fn the_json_report_has_the_published_keys() {
    let (code, report) = two_services().json(&["--service", "api", "--environment", "staging"]);
    assert_eq!(code, 1);
    assert_snapshot!(format!("{report:#}"), @r#"
    {
      "schema": 1,
      "verdict": "fail",
      "title": "fail: the target would not start, 1 error",
      "tool": {
        "name": "migration-preflight",
        "version": "0.1.0"
      },
      "targets": [
        {
          "service": "api",
          "environment": "staging",
          "source": {
            "kind": "directory",
            "location": "backend/api/migrations",
            "commit": null,
            "digest": null,
            "created": null,
            "revision": null,
            "file": null
          },
          "snapshot": null,
          "counts": {
            "defined": 1,
            "applied": 2,
            "missing": 1,
            "mismatched": 0,
            "pending": 0
          },
          "startup": {
            "outcome": "fails",
            "error": "migration 2 was previously applied but is missing in the resolved migrations",
            "applies": []
          },
          "findings": [
            {
              "rule": "missing-migration",
              "severity": "error",
              "version": 2,
              "description": "two",
              "file": "backend/api/migrations/2_two.sql",
              "line": 1,
              "message": "migration 2 was applied, but the source has no file for it",
              "help": "The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.",
              "explanation": null
            }
          ]
        }
      ],
      "findings": [],
      "accepted": [],
      "already-so": [],
      "notes": []
    }
    "#);
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
fn no_level_and_no_accepted_finding_makes_a_pass_of_what_was_not_read() {
    for policy in [
        "rules: { unreachable-database: ignore, unreadable-source: ignore }",
        "rules: { unreachable-database: notice, unreadable-source: notice }",
        "accept: [{ rule: unreachable-database, reason: x }, { rule: unreadable-source, reason: x }]",
    ] {
        for service in [
            "migrations: none, database-url: 'sqlite:dev.db'",
            "migrations: migrations, database-url: 'sqlite:none.db'",
        ] {
            let config = format!("services: {{ api: {{ {service} }} }}\n{policy}\n");
            let run = crate_with_migrations().database("dev.db", &[]).config(&config).run(&[]);
            assert_eq!(run.code, 3, "{run}");
        }
    }
}

#[test]
fn an_unset_secret_is_reported_and_the_other_target_is_complete() {
    let repository = crate_with_migrations().database("a.db", &[(1, "one", ONE), (2, "two", TWO)]).config(
        "services: { api: { migrations: migrations } }\n\
         environments:\n  staging: { database-url: '${STAGING_URL}' }\n  production: { database-url: 'sqlite:a.db' }\n",
    );
    assert_snapshot!(repository.run(&[]), @"
    exit code 3
    incomplete: 1 of 2 targets could not be checked

          staging    production
     api  ? unknown  ✓ starts

    api in staging
      source    2 defined in migrations
      history   could not be read
      start-up  unknown: a side could not be read

      incomplete[unreachable-database]: the history could not be read: the environment variable STAGING_URL is unset or empty
        --> .github/migration-preflight.yml:1
        help: Set the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment.

    api in production: 2 defined, 2 applied; starts, with nothing to apply
    ");
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
    assert_snapshot!(repository.run(&[]), @r"
    exit code 3
    incomplete: the target could not be checked

    api in default
      source    migrations could not be read
      history   1 applied
      start-up  unknown: a side could not be read

      incomplete[unreadable-source]: the migrations could not be read: `sqlx.toml` is not valid: TOML parse error at line 2, column 1: unknown field `tabel-name`, expected one of `create-schemas`, `table-name`, `migrations-dir`, `ignored-chars`, `defaults`
        --> sqlx.toml:1
        help: Correct the file: sqlx, too, fails on it.
    ");
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
    assert_snapshot!(repository.run(&["--service", "apl"]), @"
    exit code 2
    --- stderr
    error: there is no service `apl`; there is api, web
      help: correct --service or --environment
    ");
    assert_snapshot!(repository.run(&["--job", "deplyo"]), @"
    exit code 2
    --- stderr
    error: .github/workflows/deploy.yml:2: the workflow has no job `deplyo`
      help: did you mean `deploy`? the only job is `deploy`
    ");
    assert_snapshot!(repository.run(&["--workflow", "none.yml", "--job", "x"]), @"
    exit code 2
    --- stderr
    error: the workflow `none.yml` cannot be read: No such file or directory (os error 2)
      help: the path of a workflow is relative to the root of the repository, wherever you stand
    ");
    assert_snapshot!(Repository::new().run(&[]), @"
    exit code 2
    --- stderr
    error: there are no migrations here: no configuration, no service matrix, and no `migrations` directory
      help: run it in a crate that has migrations, or write .github/migration-preflight.yml
    ");
    assert_snapshot!(crate_with_migrations().run(&["--matrix", "{"]), @"
    exit code 2
    --- stderr
    error: --matrix: not valid JSON: EOF while parsing an object at line 1 column 1
      help: give an array of objects, a matrix definition, or `${{ toJSON(matrix) }}`
    ");
}

#[test]
fn every_mistake_in_the_configuration_is_one_error_in_its_line() {
    let repository = crate_with_migrations().config("servces: {}\ndefaults: { required: yes }\n");
    assert_snapshot!(repository.run(&[]), @"
    exit code 2
    --- stderr
    error: unknown key `servces`
     --> .github/migration-preflight.yml:1:1
      |
    1 | servces: {}
      | ^^^^^^^
      |
      = help: did you mean `services`?

    error: `required` must be `true` or `false`, but is text
     --> .github/migration-preflight.yml:2:23
      |
    2 | defaults: { required: yes }
      |                       ^^^
      |
      = help: write `true` or `false`, without quotes
    ");
}

#[test]
fn a_matrix_that_exists_only_at_run_time_says_what_to_pass() {
    let repository = two_services().file(
        ".github/workflows/deploy.yml",
        "jobs:\n  deploy:\n    strategy:\n      matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}\n",
    );
    assert_snapshot!(repository.run(&[]), @"
    exit code 2
    --- stderr
    error: .github/workflows/deploy.yml:4: `${{ fromJSON(needs.plan.outputs.matrix) }}` is only known when the workflow runs
      help: pass the matrix itself: `matrix: ${{ toJSON(matrix) }}` to the action, or `--matrix JSON`
    ");
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
    assert_snapshot!(repository.run(&["--matrix", entries]), @"
    exit code 2
    --- stderr
    error: `migrations` of this matrix entry is not valid: the path leads out of the repository
      help: correct the value in the matrix, or give it in the configuration
    ");
}

#[test]
fn the_catalogue_explains_each_rule() {
    let repository = Repository::new();
    assert!(repository.run(&["rules"]).stdout.starts_with("wrong-database (error)\n"));
    assert_snapshot!(repository.run(&["rules", "out-of-order"]), @"
    exit code 0
    out-of-order

    default  warning
    fires    A pending version lies below the highest applied one, or a new one of the change below the highest of its base branch. sqlx applies it all the same, after migrations that were written later.
    help     If the migration depends on nothing that came later, this is harmless. Otherwise give it a new version above the highest applied one.
    ");
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

#[test]
fn the_committed_schemas_are_those_that_the_program_prints() {
    for (of, committed) in [
        ("config", include_str!("../../docs/migration-preflight.schema.json")),
        ("report", include_str!("../../docs/report-v1.schema.json")),
        ("rollback", include_str!("../../docs/rollback-v1.schema.json")),
        ("snapshot", include_str!("../../docs/snapshot-v1.schema.json")),
    ] {
        let printed = Repository::new().run(&["schema", of]).stdout;
        assert!(printed == committed, "run `migration-preflight schema {of}` again and commit what it prints");
    }
}

#[test]
fn every_report_is_valid_whatever_is_in_it() {
    let repository = two_services().config(
        "matrix: { workflow: .github/workflows/deploy.yml, job: deploy }\n\
         defaults: { migrations: 'backend/{service}/migrations', database-url: 'sqlite:{environment}-{service}.db' }\n\
         environments: { staging: {}, production: {} }\n\
         accept: [{ rule: missing-migration, service: api, reason: known }, { rule: no-history, reason: old }]\n",
    );
    let (code, report) = repository.json(&[]);
    assert_eq!((code, report["accepted"].as_array().unwrap().len()), (0, 1));
    assert_eq!(report["findings"][0]["rule"], "unused-accept");
    assert_eq!(report["targets"][0]["startup"]["outcome"], "fails", "what is accepted fails all the same");
    std::fs::remove_file(repository.path().join("production-api.db")).unwrap();
    std::fs::remove_dir_all(repository.path().join("backend/web/migrations")).unwrap();
    let (code, report) = repository.json(&[]);
    assert_eq!((code, report["verdict"].as_str()), (3, Some("incomplete")));
}
