//! `snapshot` and `check --snapshot`: histories that are written down, and what stands in for a database.

mod age;
mod files;
mod fork;

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::shared::repository::{Repository, Run};

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
const FILE: &str = "snapshot.json";
/// The schema of SQLite that no database has.
const ELSEWHERE: &str = "table: nowhere._sqlx_migrations";

/// A service in one environment for each kind of history that there is.
fn all_kinds() -> Repository {
    let config = format!(
        "services: {{ api: {{ migrations: migrations }} }}\n\
         defaults: {{ database-url: 'sqlite:{{environment}}.db' }}\n\
         environments:\n  well: {{}}\n  behind: {{}}\n  odd: {{}}\n  dirty: {{}}\n  empty: {{}}\n  absent: {{}}\n  elsewhere: {{ {ELSEWHERE} }}\n"
    );
    Repository::new()
        .file("migrations/1_one.sql", ONE)
        .file("migrations/2_two.sql", TWO)
        .file("migrations/3-three.sql", "")
        .config(&config)
        .database("well.db", &[(1, "one", ONE), (2, "two", TWO)])
        .database("behind.db", &[(1, "one", ONE)])
        .database("odd.db", &[(-1, "minus", ""), (1, "uno", "changed"), (2, "zwei", TWO), (9, "nine", "9")])
        .execute("odd.db", "UPDATE _sqlx_migrations SET execution_time = -1, checksum = x'' WHERE version = 9")
        .database("dirty.db", &[(1, "one", ONE), (2, "two\u{1b}[31m\n##[error]\u{202e}", TWO)])
        .execute("dirty.db", "UPDATE _sqlx_migrations SET success = false, installed_on = '' WHERE version = 2")
        .database("empty.db", &[])
        .database("absent.db", &[])
        .execute("absent.db", "DROP TABLE _sqlx_migrations")
        .database("elsewhere.db", &[])
}

/// One service in staging and in production, whose databases secrets name.
fn with_secrets() -> Repository {
    Repository::new()
        .file("migrations/1_one.sql", ONE)
        .file("migrations/2_two.sql", TWO)
        .config(
            "services: { api: { migrations: migrations } }\n\
             environments: { staging: { database-url: '${STAGING_URL}' }, production: { database-url: '${PRODUCTION_URL}' } }\n",
        )
        .database("staging.db", &[(1, "one", ONE), (7, "seven", "7")])
        .database("production.db", &[(1, "one", ONE)])
}

const STAGING: (&str, &str) = ("STAGING_URL", "sqlite:staging.db");
const PRODUCTION: (&str, &str) = ("PRODUCTION_URL", "sqlite:production.db");

/// Writes a snapshot to a file, and says what was written.
fn written(repository: &Repository, environment: &[(&str, &str)]) -> Value {
    let run = repository.run_with(&["snapshot", "--output", FILE], environment);
    assert_eq!(run.code, 0, "{run}");
    read(repository, FILE)
}

/// A snapshot, held against its published schema.
fn read(repository: &Repository, file: &str) -> Value {
    let snapshot = serde_json::from_str(&fs::read_to_string(repository.path().join(file)).unwrap()).unwrap();
    let schema = include_str!("../../docs/snapshot-v1.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let mistakes: Vec<_> = schema.iter_errors(&snapshot).map(|error| error.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new(), "{snapshot:#}");
    snapshot
}

fn write(repository: &Repository, file: &str, snapshot: &Value) {
    fs::write(repository.path().join(file), snapshot.to_string()).unwrap();
}

/// What a run says, without the time that a snapshot was taken at.
fn timeless(run: &Run, snapshot: &Value) -> String {
    run.to_string().replace(snapshot["taken"].as_str().unwrap(), "[taken]")
}

#[test]
fn a_check_of_a_snapshot_says_what_a_check_of_the_databases_says_and_where_it_has_it_from() {
    let repository = all_kinds();
    let (code, asked) = repository.json(&[]);
    let snapshot = written(&repository, &[]);
    for name in ["well", "behind", "odd", "dirty", "empty", "absent", "elsewhere"] {
        fs::remove_file(repository.path().join(format!("{name}.db"))).unwrap();
    }
    let (code_of_snapshot, mut told) = repository.json(&["--snapshot", FILE]);
    for target in told["targets"].as_array_mut().unwrap() {
        let as_of = target["snapshot"].take();
        assert_eq!((&as_of["file"], &as_of["taken"]), (&FILE.into(), &snapshot["taken"]));
        assert!((0..60).contains(&as_of["age-seconds"].as_i64().unwrap()), "{as_of}");
    }
    let title = format!("{}, 7 targets from a snapshot", asked["title"].as_str().unwrap());
    assert_eq!(std::mem::replace(&mut told["title"], asked["title"].clone()), title);
    assert_eq!((code, &asked), (code_of_snapshot, &told));
    let rules = asked.to_string();
    for rule in ["missing-migration", "checksum-mismatch", "dirty-migration", "no-history", "execution-unconfirmed"] {
        assert!(rules.contains(rule), "the test is about more than it looks: {rule}");
    }
}

#[test]
fn a_snapshot_has_a_line_for_each_row_and_the_same_order_whatever_that_of_the_plan() {
    let repository = all_kinds();
    let snapshot = written(&repository, &[]);
    let text = |repository: &Repository| {
        let text = fs::read_to_string(repository.path().join(FILE)).unwrap();
        text.replace(read(repository, FILE)["taken"].as_str().unwrap(), "[taken]")
    };
    let first = text(&repository);
    let config = fs::read_to_string(repository.path().join(".github/migration-preflight.yml")).unwrap();
    let (head, environments) = config.split_once("environments:\n").unwrap();
    let turned: Vec<_> = environments.lines().rev().collect();
    let repository = repository.config(&format!("{head}environments:\n{}\n", turned.join("\n")));
    written(&repository, &[]);
    assert_eq!(text(&repository), first);
    let rows: usize = snapshot["targets"].as_array().unwrap().iter().map(|t| t["rows"].as_array().unwrap().len()).sum();
    assert_eq!(first.lines().filter(|line| line.starts_with("        {\"version\": ")).count(), rows);
    let of_dirty = first.split("\"environment\": \"dirty\"").nth(1).unwrap().split("\"environment\"").next().unwrap();
    let installed = snapshot["targets"][2]["rows"][0]["installed-on"].as_str().unwrap();
    assert_snapshot!(of_dirty.replace(installed, "[time]").rsplit_once("]\n").unwrap().0, @r#"
    ,
          "engine": "sqlite",
          "table": "_sqlx_migrations",
          "create-schemas": [],
          "absent": null,
          "rows": [
            {"version": 1, "description": "one", "installed-on": "[time]", "success": true, "checksum": "e108174f780ebd68f0d70c1eef87675452328bc58eacf34c64d747e3a69d2b61b31efab44f23586bd53ccc66b4ac5826", "execution-time": 7},
            {"version": 2, "description": "two\u001b[31m\n##\u005berror]\u202e", "installed-on": "", "success": false, "checksum": "c167fbe69e877eb8a2082fa996d49bad75440bd566b2f4dbc936730983ad3c40bbca60b5943974ea9df2b422863eb8d2", "execution-time": 7}
    "#);
}

#[test]
fn without_a_file_the_snapshot_is_printed_and_nothing_else_is() {
    let repository = with_secrets();
    let run = repository.run_with(&["snapshot", "--environment", "staging"], &[STAGING]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed["targets"].as_array().unwrap().len(), 1);
    assert_eq!(printed["targets"][0]["environment"], "staging");
    for secret in ["STAGING_URL", "staging.db", "sqlite:", repository.path().to_str().unwrap()] {
        assert!(!run.stdout.contains(secret), "{run}");
    }
}

#[test]
fn a_database_that_cannot_be_read_is_told_and_the_others_are_written() {
    let repository = with_secrets();
    let run = repository.run_with(&["snapshot", "--output", FILE], &[STAGING]);
    assert_snapshot!(run, @r"
    exit code 3
    wrote the histories of 1 target to snapshot.json
    --- stderr
    error: api in production is not in the snapshot: the history could not be read: the environment variable PRODUCTION_URL is unset or empty
      help: Set the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment.
    ");
    let targets = &read(&repository, FILE)["targets"];
    assert_eq!((targets.as_array().unwrap().len(), &targets[0]["environment"]), (1, &"staging".into()));
}

#[test]
fn where_no_database_can_be_read_what_was_written_before_stays() {
    let repository = with_secrets();
    let before = written(&repository, &[STAGING, PRODUCTION]);
    let run = repository.run_with(&["snapshot", "--output", FILE], &[]);
    assert!(run.code == 3 && run.stderr.ends_with("nothing is written, because no history could be read\n"), "{run}");
    assert_eq!(read(&repository, FILE), before);
}

#[test]
fn a_database_that_may_be_away_fails_nothing() {
    let repository = with_secrets().config(
        "services: { api: { migrations: migrations } }\n\
         environments: { staging: { database-url: '${STAGING_URL}' }, preview: { database-url: '${PREVIEW_URL}', required: false } }\n",
    );
    let run = repository.run_with(&["snapshot", "--output", FILE], &[STAGING]);
    assert!(run.code == 0 && run.stderr.starts_with("warning: api in preview is not in the snapshot: "), "{run}");
}

#[test]
fn a_table_that_is_not_known_is_never_taken_for_the_default_one() {
    let repository = with_secrets().file("sqlx.toml", "[migrate]\ntabel-name = 'x'\n").file("Cargo.toml", "");
    let run = repository.run_with(&["snapshot", "--output", FILE], &[STAGING, PRODUCTION]);
    assert!(run.code == 3 && run.stderr.contains("which history table it has is not known: `sqlx.toml`"), "{run}");
    assert!(!repository.path().join(FILE).exists());
}

#[test]
fn a_file_that_cannot_be_written_is_a_mistake_of_who_named_it() {
    let repository = with_secrets();
    for path in ["absent/snapshot.json", "migrations"] {
        let run = repository.run_with(&["snapshot", "--output", path], &[STAGING, PRODUCTION]);
        let told = format!("error: the snapshot cannot be written to `{path}`: ");
        assert!(run.code == 2 && run.stderr.starts_with(&told), "{run}");
    }
}

#[test]
fn a_target_with_a_snapshot_is_not_asked_and_one_without_is() {
    let repository = with_secrets();
    let mut snapshot = written(&repository, &[STAGING, PRODUCTION]);
    snapshot["targets"].as_array_mut().unwrap().retain(|target| target["environment"] == "staging");
    write(&repository, FILE, &snapshot);
    let wrong = ("STAGING_URL", "sqlite:absent.db");
    let run = repository.run_with(&["--snapshot", FILE], &[wrong, PRODUCTION]);
    assert_snapshot!(timeless(&run, &snapshot), @r"
    exit code 1
    fail: 1 of 2 targets would not start, 1 error, 1 warning, 1 target from a snapshot

          staging             production
     api  ✗ fails: 1 missing  ✓ starts, applies 1

    api in staging
      source    2 defined in migrations
      history   2 applied: 1 missing, 0 mismatched; 1 pending
                as of [taken], just now, from snapshot.json
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
      history   1 applied: 0 missing, 0 mismatched; 1 pending
      start-up  starts, after applying 2

      notice[pending-migration]: migration 2 would be applied when the service starts (two)
        --> migrations/2_two.sql:1
        help: Nothing has to be done: this is what a deploy with a new migration looks like.
    ");
}

#[test]
fn a_page_and_the_log_of_a_runner_say_where_the_histories_are_from() {
    let repository = with_secrets();
    let snapshot = written(&repository, &[STAGING, PRODUCTION]);
    let page = repository.run(&["--snapshot", FILE, "--format", "markdown"]);
    let page = timeless(&page, &snapshot);
    let section = page.split("### Snapshots\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_snapshot!(section, @"- as of `[taken]`, just now, from `snapshot.json`: `api` in `staging`, `api` in `production`");
    let commands = repository.run(&["--snapshot", FILE, "--format", "github"]);
    let commands = timeless(&commands, &snapshot);
    assert_snapshot!(commands.lines().last().unwrap(), @"::notice title=migration-preflight::api in staging, api in production: as of [taken], just now, from snapshot.json");
}

#[test]
fn a_merged_report_still_says_where_the_histories_are_from() {
    let repository = with_secrets();
    written(&repository, &[STAGING, PRODUCTION]);
    fs::create_dir(repository.path().join("reports")).unwrap();
    let run = repository.run(&["--snapshot", FILE, "--output", "json=reports/report.json"]);
    assert_eq!(run.code, 1, "{run}");
    // What stands beside the reports and is a snapshot is none of them.
    fs::rename(repository.path().join(FILE), repository.path().join("reports").join(FILE)).unwrap();
    let (code, merged) = repository.json(&["merge", "--reports", "reports"]);
    let whole = fs::read_to_string(repository.path().join("reports/report.json")).unwrap();
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!((code, &merged["targets"], &merged["findings"]), (1, &whole["targets"], &whole["findings"]));
    assert_eq!(merged["targets"][0]["snapshot"]["file"], FILE);
}
