//! Tenants of one server: what is read of them together is what is read of each alone, in two round trips; and the real
//! sqlx does with each what is said of it.

mod mysql;

use std::collections::HashMap;
use std::time::Duration;

use migration_preflight::gather::database;
use migration_preflight::history::{DatabaseError, DatabaseUrl, History, LookUp};
use migration_preflight::migration::AppliedMigration;
use migration_preflight::tenants::{Partition, Selection};
use serde_json::{Value, json};
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

use crate::proxy;
use crate::shared::git::git;
use crate::shared::readme;
use crate::shared::repository::{Repository, Run};
use crate::support::{CREATE, Fixture, PIECES, TABLE, TIMEOUT, WITHOUT_TLS, history, variable};

/// What is read of a history: rows in which tenants can agree, or in short why there are none.
type Read = Result<Vec<AppliedMigration>, String>;

fn selection(partition: Partition, patterns: &[&str]) -> Selection {
    Selection { partition, patterns: patterns.iter().map(ToString::to_string).collect() }
}

/// What is read of each tenant, all being read together; and how many of them agree, the most first.
async fn together(url: &Url, selection: &Selection) -> (HashMap<String, Read>, Vec<usize>) {
    let url = DatabaseUrl::parse(url.as_str()).unwrap();
    let histories = database::tenants(&url, &LookUp::of(TABLE), selection, TIMEOUT).await.unwrap();
    let counts = histories.iter().map(|(tenants, _)| tenants.as_ref().unwrap().names.len()).collect();
    let mut read = HashMap::new();
    for (tenants, applied) in histories {
        for name in &tenants.unwrap().names {
            assert!(read.insert(name.clone(), in_common(applied.clone())).is_none(), "{name} was read twice");
        }
    }
    (read, counts)
}

/// What is read of a tenant alone.
async fn alone(url: &Url, table: &str) -> Read {
    let url = DatabaseUrl::parse(url.as_str()).unwrap();
    in_common(database::history(&url, &LookUp::of(table), TIMEOUT).await)
}

fn in_common(applied: Result<History, DatabaseError>) -> Read {
    match applied {
        Ok(History::Present(rows)) => Ok(rows
            .into_iter()
            .map(|row| {
                let execution_time = if row.execution_time == -1 { -1 } else { 0 };
                AppliedMigration { installed_on: None, execution_time, ..row }
            })
            .collect()),
        Ok(History::Absent(_)) => Err("absent".to_owned()),
        Err(error) => {
            let shown = format!("{error:?}");
            assert!(!PIECES.iter().any(|piece| shown.contains(piece)), "{shown}");
            // A grant names all whom it would serve.
            Err(error.kind.to_string())
        }
    }
}

/// A schema that the role may use, with `sql` run in it. `$TABLE` stands for sqlx's table and its columns.
fn tenant(name: &str, sql: &str) -> String {
    let sql = sql.replace("$TABLE", &format!("{TABLE} {CREATE}"));
    let name = name.replace('"', "\"\"");
    format!(
        "CREATE SCHEMA \"{name}\"; SET search_path = \"{name}\"; {sql}; \
         GRANT USAGE ON SCHEMA \"{name}\" TO $ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA \"{name}\" TO $ROLE; \
         SET search_path = public; "
    )
}

const GOOD: &str = "CREATE TABLE $TABLE; INSERT INTO _sqlx_migrations VALUES \
    (1, 'one', now(), true, '\\x00ff5c27', 17), (2, 'two \"2\"', now(), true, '\\x01', -1)";

/// One of each kind that a tenant's table may be of.
fn kinds() -> Vec<(&'static str, String)> {
    let altered = |change: &str| format!("{GOOD}; {change}");
    vec![
        ("t_good", GOOD.to_owned()),
        ("t_slower", GOOD.replace("17", "4711")),
        ("t_behind", altered("DELETE FROM _sqlx_migrations WHERE version = 2")),
        ("t_edited", altered("UPDATE _sqlx_migrations SET checksum = '\\x02' WHERE version = 1")),
        ("t_renamed", altered("UPDATE _sqlx_migrations SET description = E'a\\nb\\\\ü\\u0001' WHERE version = 1")),
        ("t_dirty", altered("UPDATE _sqlx_migrations SET success = false WHERE version = 2")),
        ("t_confirmed", altered("UPDATE _sqlx_migrations SET execution_time = 5 WHERE version = 2")),
        ("t_minus", altered("UPDATE _sqlx_migrations SET execution_time = -2 WHERE version = 2")),
        ("t_extremes", altered("UPDATE _sqlx_migrations SET version = version * 4611686018427387903")),
        ("t_empty", "CREATE TABLE $TABLE".to_owned()),
        ("t_absent", "SELECT 1".to_owned()),
        ("T_Odd \"name\" ; x", GOOD.to_owned()),
        ("t_view", altered("ALTER TABLE _sqlx_migrations RENAME TO t; CREATE VIEW _sqlx_migrations AS SELECT * FROM t")),
        ("t_column", altered("ALTER TABLE _sqlx_migrations DROP COLUMN checksum")),
        ("t_integer", altered("ALTER TABLE _sqlx_migrations ALTER COLUMN version TYPE integer")),
        ("t_varchar", altered("ALTER TABLE _sqlx_migrations ALTER COLUMN description TYPE varchar(50)")),
        ("t_null", altered("ALTER TABLE _sqlx_migrations ALTER COLUMN checksum DROP NOT NULL; UPDATE _sqlx_migrations SET checksum = NULL")),
        ("t_more", altered("ALTER TABLE _sqlx_migrations ADD COLUMN h text DEFAULT 'x', ADD COLUMN i int DEFAULT 7")),
        ("t_long", altered("UPDATE _sqlx_migrations SET description = repeat('ü', 3000) WHERE version = 1")),
        ("t_large", altered("UPDATE _sqlx_migrations SET checksum = decode(repeat('00', 5000), 'hex') WHERE version = 1")),
        ("t_policy", altered("ALTER TABLE _sqlx_migrations ENABLE ROW LEVEL SECURITY")),
        ("t_partitions", "CREATE TABLE _sqlx_migrations (version BIGINT, description TEXT, installed_on TIMESTAMPTZ, success BOOLEAN, checksum BYTEA, execution_time BIGINT) PARTITION BY LIST (version)".to_owned()),
        ("t_hidden", GOOD.to_owned()),
        ("t_forbidden", GOOD.to_owned()),
        ("t_some", GOOD.to_owned()),
    ]
}

#[tokio::test]
async fn what_is_read_of_tenants_together_is_what_is_read_of_each_alone() {
    let kinds = kinds();
    let sql: String = kinds.iter().map(|(name, sql)| tenant(name, sql)).collect();
    let fixture = Fixture::new(&sql).await;
    let revoked = "REVOKE USAGE ON SCHEMA t_hidden FROM $ROLE; REVOKE SELECT ON t_forbidden._sqlx_migrations FROM $ROLE; \
        REVOKE SELECT ON t_some._sqlx_migrations FROM $ROLE; GRANT SELECT (version) ON t_some._sqlx_migrations TO $ROLE; \
        CREATE SCHEMA t_template; CREATE SCHEMA other";
    fixture.execute(revoked).await;
    let (read, counts) = together(&fixture.url(), &selection(Partition::Schemas, &["t_*", "T_*", "!t_template"])).await;
    let mut names: Vec<&str> = read.keys().map(String::as_str).collect();
    let mut expected: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    for (name, _) in kinds {
        let table = format!("\"{}\".{TABLE}", name.replace('"', "\"\""));
        assert_eq!(read[name], alone(&fixture.url(), &table).await, "{name}");
    }
    assert_eq!(read["t_good"], read["t_slower"], "times are no two tenants' the same");
    assert!(read["t_empty"].as_ref().is_ok_and(Vec::is_empty) && read["t_absent"] == Err("absent".to_owned()));
    // The good ones, the odd name, the view, those with more or other columns; and those that are confirmed.
    assert_eq!(counts[..2], [6, 2], "{read:#?}");
}

/// Tenants by number, all with the same history.
fn many(n: usize) -> String {
    (0..n).map(|n| tenant(&format!("tenant_{n:04}"), GOOD)).collect()
}

#[tokio::test]
async fn hundreds_of_tenants_take_one_connection_and_two_round_trips() {
    let fixture = Fixture::new(&(many(305) + &tenant("tenant_x", "CREATE TABLE $TABLE"))).await;
    let url = fixture.url();
    let upstream = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let (port, messages) = proxy::counting(upstream).await;
    let mut counted = url.clone();
    counted.set_host(Some("127.0.0.1")).unwrap();
    counted.set_port(Some(port)).unwrap();
    let (read, counts) = together(&counted, &selection(Partition::Schemas, &["tenant_*"])).await;
    assert_eq!((read.len(), counts), (306, vec![305, 1]));
    let messages: String = messages.lock().unwrap().iter().filter(|kind| !"pX".contains(**kind)).collect();
    assert_eq!(messages, "SQQ", "a start and two queries");
}

#[tokio::test]
async fn one_tenant_that_nobody_can_read_keeps_nobody_from_reading_the_others() {
    let fixture = Fixture::new(&many(305)).await;
    fixture.execute("ALTER ROLE $ROLE SET lock_timeout = '300ms'").await;
    let mut admin = fixture.admin().await;
    let lock = "BEGIN; LOCK TABLE tenant_0000._sqlx_migrations, tenant_0150._sqlx_migrations, tenant_0304._sqlx_migrations \
        IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut admin).await.unwrap();
    let (read, counts) = together(&fixture.url(), &selection(Partition::Schemas, &["tenant_*"])).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut admin).await.unwrap();
    assert_eq!((read.len(), counts), (305, vec![302, 3]));
    let mut failed: Vec<_> = read.iter().filter(|(_, read)| read.is_err()).map(|(name, _)| name.as_str()).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["tenant_0000", "tenant_0150", "tenant_0304"]);
}

#[tokio::test]
async fn a_tenant_that_is_locked_keeps_nobody_waiting_for_long() {
    let fixture = Fixture::new(&many(3)).await;
    let mut admin = fixture.admin().await;
    let lock = "BEGIN; LOCK TABLE tenant_0001._sqlx_migrations IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut admin).await.unwrap();
    let url = DatabaseUrl::parse(fixture.url().as_str()).unwrap();
    let (timeout, selection) = (Duration::from_secs(4), selection(Partition::Schemas, &["tenant_*"]));
    let histories = database::tenants(&url, &LookUp::of(TABLE), &selection, timeout).await.unwrap();
    let [(others, Ok(_)), (locked, Err(error))] = &histories[..] else { panic!("{histories:?}") };
    assert_eq!(others.as_ref().unwrap().names, ["tenant_0000", "tenant_0002"]);
    assert_eq!(locked.as_ref().unwrap().names, ["tenant_0001"]);
    assert!(error.to_string().starts_with("the database did not hand out the history within the timeout"), "{error}");
    drop(admin);
}

const FILES: [(&str, &str); 3] = [
    ("migrations/1_one.sql", "CREATE TABLE one (id INTEGER);\n"),
    ("migrations/2_two.sql", "CREATE TABLE two (id INTEGER);\n"),
    ("migrations/3_three.sql", "CREATE TABLE three (id INTEGER);\n"),
];

fn repository(tenants: &str) -> Repository {
    let config = format!("services: {{ shop: {{ migrations: migrations, database-url: '${{URL}}', {tenants} }} }}\n");
    FILES.iter().fold(Repository::new().config(&config), |all, (path, content)| all.file(path, content))
}

/// A world in which most tenants agree and some do not, made by the real sqlx and by what befell some of them.
async fn world() -> (Fixture, Repository) {
    let repository = repository("schemas: ['tenant_*', '!tenant_template']");
    let fixture = Fixture::new("").await;
    let mut admin = fixture.admin().await;
    let names = ["a", "b", "c", "d", "e", "behind", "edited", "dirty", "ahead", "new", "template"];
    for name in names {
        let sql = format!("CREATE SCHEMA tenant_{name}; SET search_path = tenant_{name}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        if name != "new" {
            Migrator::new(repository.path().join("migrations")).await.unwrap().run(&mut admin).await.unwrap();
        }
    }
    sqlx::raw_sql(
        "DELETE FROM tenant_behind._sqlx_migrations WHERE version = 3; DROP TABLE tenant_behind.three; \
         UPDATE tenant_edited._sqlx_migrations SET checksum = '\\x07' WHERE version = 2; \
         UPDATE tenant_dirty._sqlx_migrations SET success = false WHERE version = 3; \
         INSERT INTO tenant_ahead._sqlx_migrations VALUES (4, 'four', now(), true, '\\x04', 1)",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    for name in names {
        let sql = format!(
            "GRANT USAGE ON SCHEMA tenant_{name} TO $ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA tenant_{name} TO $ROLE"
        );
        fixture.execute(&sql).await;
    }
    (fixture, repository)
}

/// What a run says, without the times that a test cannot know.
async fn run(repository: &Repository, url: &Url, arguments: &'static [&'static str]) -> Run {
    let url = url.to_string();
    tokio::task::block_in_place(|| repository.run_with(arguments, &[("URL", &url)]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_sqlx_does_with_each_tenant_what_is_said_of_it() {
    let (fixture, repository) = world().await;
    let run = run(&repository, &fixture.url(), &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let mut told = HashMap::new();
    for target in report["targets"].as_array().unwrap() {
        assert_eq!(target["tenants"]["total"], 10, "{target:#}");
        for name in target["tenants"]["names"].as_array().unwrap() {
            told.insert(name.as_str().unwrap().to_owned(), target["startup"].clone());
        }
    }
    assert_eq!(told.len(), 10, "{report:#}");
    let mut admin = fixture.admin().await;
    for (name, startup) in told {
        let sql = format!("SET search_path = {name}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        let migrator = Migrator::new(repository.path().join("migrations")).await.unwrap();
        let before = admin.list_applied_migrations(TABLE).await.map_or(0, |applied| applied.len());
        let error = migrator.run(&mut admin).await.err().map(|error| error.to_string());
        // An error leaves sqlx's lock behind.
        sqlx::raw_sql("SELECT pg_advisory_unlock_all()").execute(&mut admin).await.unwrap();
        let after = admin.list_applied_migrations(TABLE).await.unwrap().len();
        assert_eq!(startup["error"], json!(error), "{name}");
        assert_eq!(startup["applies"].as_array().unwrap().len(), after - before, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_that_agree_are_told_as_one() {
    let (fixture, repository) = world().await;
    let told = run(&repository, &fixture.url(), &[]).await;
    insta::assert_snapshot!(told.to_string(), @r"
exit code 1
fail: the target would not start (3 of 10 tenants), 3 errors, 1 warning

shop in default: 5 tenants agree, 5 differ: tenant_ahead, tenant_behind, tenant_dirty, tenant_edited, tenant_new

shop in default (5 tenants)
  tenants   tenant_a, tenant_b, tenant_c, tenant_d, tenant_e
  source    3 defined in migrations
  history   3 applied: 0 missing, 0 mismatched; 0 pending
  start-up  starts, with nothing to apply

shop in default (tenant_ahead)
  source    3 defined in migrations
  history   4 applied: 1 missing, 0 mismatched; 0 pending
  start-up  fails: migration 4 was previously applied but is missing in the resolved migrations

  error[missing-migration]: migration 4 was applied, but the source has no file for it (four)
    --> migrations/4_four.sql:1
    help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

shop in default (tenant_behind)
  source    3 defined in migrations
  history   2 applied: 0 missing, 0 mismatched; 1 pending
  start-up  starts, after applying 3

  notice[pending-migration]: migration 3 would be applied when the service starts (three)
    --> migrations/3_three.sql:1
    help: Nothing has to be done: this is what a deploy with a new migration looks like.

shop in default (tenant_dirty)
  source    3 defined in migrations
  history   3 applied: 0 missing, 0 mismatched; 0 pending
  start-up  fails: migration 3 is partially applied; fix and remove row from `_sqlx_migrations` table

  error[dirty-migration]: migration 3 was begun and never finished (`success = false`) (three)
    --> .github/migration-preflight.yml:1
    help: Find out how far the migration came, bring the schema to a known state by hand, then delete the row (to have sqlx run the migration again) or set `success = true` (if all of it is in place).

shop in default (tenant_edited)
  source    3 defined in migrations
  history   3 applied: 0 missing, 1 mismatched; 0 pending
  start-up  fails: migration 2 was previously applied but has been modified

  error[checksum-mismatch]: migration 2 was changed after it was applied: the row has checksum 07…, the file c167fbe69e87… (two)
    --> migrations/2_two.sql:1
    help: Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.

shop in default (tenant_new)
  source    3 defined in migrations
  history   0 applied: 0 missing, 0 mismatched; 3 pending
  start-up  starts, after applying 1, 2, 3

  notice[no-history]: there is no table `_sqlx_migrations`: nothing has been applied yet
    --> .github/migration-preflight.yml:1
    help: For a new database this is normal: the service creates the table when it starts. Otherwise check the URL, on PostgreSQL its `search_path`, and the configured `table`.

  notice[pending-migration]: migration 1 would be applied when the service starts (one)
    --> migrations/1_one.sql:1
  notice[pending-migration]: migration 2 would be applied when the service starts (two)
    --> migrations/2_two.sql:1
  notice[pending-migration]: migration 3 would be applied when the service starts (three)
    --> migrations/3_three.sql:1
    help: Nothing has to be done: this is what a deploy with a new migration looks like.

across targets
  warning[environment-drift]: shop: migration 2 was applied with different contents: checksum c167fbe69e87… in default (8 tenants), 07… in default (tenant_edited) (two)
    --> .github/migration-preflight.yml:1
    help: The environments were migrated from different files, so a test in one says little about the other. Apply the same files to both; an earlier environment that is ahead is normal and never reported.
");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_how_far_tenants_agree() {
    let (fixture, repository) = world().await;
    let told = run(&repository, &fixture.url(), &["--format", "markdown"]).await;
    insta::assert_snapshot!(told.stdout, @r"
        ## ❌ fail: the target would not start (3 of 10 tenants), 3 errors, 1 warning

        | service | `default` |
        |---|---|
        | `shop` | ❌ fails for 3 of 10 tenants |

        ### Tenants
        - `shop` in `default`: 5 tenants agree, 5 differ: tenant\_ahead, tenant\_behind, tenant\_dirty, tenant\_edited, tenant\_new

        ### Start-up
        - `shop` in `default (tenant_ahead)`: `migration 4 was previously applied but is missing in the resolved migrations`
        - `shop` in `default (tenant_dirty)`: ``migration 3 is partially applied; fix and remove row from `_sqlx_migrations` table``
        - `shop` in `default (tenant_edited)`: `migration 2 was previously applied but has been modified`

        ### Findings
        - ❌ **error** `missing-migration` `shop` in `default (tenant_ahead)`: migration 4 was applied, but the source has no file for it (four)<br>`migrations/4_four.sql:1`
        - ❌ **error** `dirty-migration` `shop` in `default (tenant_dirty)`: migration 3 was begun and never finished (\`success = false\`) (three)<br>`.github/migration-preflight.yml:1`
        - ❌ **error** `checksum-mismatch` `shop` in `default (tenant_edited)`: migration 2 was changed after it was applied: the row has checksum 07…, the file c167fbe69e87… (two)<br>`migrations/2_two.sql:1`
        - ⚠️ **warning** `environment-drift` `shop` in `default`: migration 2 was applied with different contents: checksum c167fbe69e87… in default (8 tenants), 07… in default (tenant\_edited) (two)<br>`.github/migration-preflight.yml:1`
        - ℹ️ notice `pending-migration` `shop` in `default (tenant_behind, tenant_new)`: migration 3 would be applied when the service starts (three)<br>`migrations/3_three.sql:1`
        - ℹ️ notice `no-history` `shop` in `default (tenant_new)`: there is no table \`\_sqlx\_migrations\`: nothing has been applied yet<br>`.github/migration-preflight.yml:1`
        - ℹ️ notice `pending-migration` `shop` in `default (tenant_new)`: migration 1 would be applied when the service starts (one)<br>`migrations/1_one.sql:1`
        - ℹ️ notice `pending-migration` `shop` in `default (tenant_new)`: migration 2 would be applied when the service starts (two)<br>`migrations/2_two.sql:1`

        ### What to do
        - `missing-migration`: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.
        - `dirty-migration`: Find out how far the migration came, bring the schema to a known state by hand, then delete the row (to have sqlx run the migration again) or set \`success = true\` (if all of it is in place).
        - `checksum-mismatch`: Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.
        - `environment-drift`: The environments were migrated from different files, so a test in one says little about the other. Apply the same files to both; an earlier environment that is ahead is normal and never reported.
        - `pending-migration`: Nothing has to be done: this is what a deploy with a new migration looks like.
        - `no-history`: For a new database this is normal: the service creates the table when it starts. Otherwise check the URL, on PostgreSQL its \`search\_path\`, and the configured \`table\`.
        ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_tenants_says_of_them_what_the_server_says() {
    let (fixture, repository) = world().await;
    let asked = run(&repository, &fixture.url(), &["--format", "json"]).await;
    let taken = run(&repository, &fixture.url(), &["snapshot", "--output", "snapshot.json"]).await;
    assert_eq!(taken.code, 0, "{taken}");
    let told = run(&repository, &fixture.url(), &["--snapshot", "snapshot.json", "--format", "json"]).await;
    let [asked, mut told] = [&asked, &told].map(|run| serde_json::from_str::<Value>(&run.stdout).unwrap());
    for target in told["targets"].as_array_mut().unwrap() {
        assert_eq!(target["snapshot"].take()["file"], "snapshot.json");
    }
    told["title"] = asked["title"].clone();
    assert_eq!(asked, told);
    let written = std::fs::read_to_string(repository.path().join("snapshot.json")).unwrap();
    assert!(!written.contains(&fixture.name) && !written.contains("tenant_template\","), "{written}");
    let others = repository.path().join(".github/migration-preflight.yml");
    let config = std::fs::read_to_string(&others).unwrap().replace("tenant_*", "tenant_?");
    std::fs::write(others, config).unwrap();
    let told = run(&repository, &fixture.url(), &["--snapshot", "snapshot.json"]).await;
    assert!(told.code == 3 && told.stdout.contains("schemas: tenant_?, !tenant_template"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_judged_for_each_tenant() {
    let (fixture, repository) = world().await;
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "all"]] {
        git(repository.path(), arguments);
    }
    let told = run(&repository, &fixture.url(), &["rollback", "--last", "1"]).await;
    let commit = told.stdout.split("2026-01-09  ").nth(1).unwrap()[..12].to_owned();
    insta::assert_snapshot!(told.to_string().replace(&commit, "[commit]"), @r"
    exit code 1
    shop in default (5 tenants): 3 migrations applied
        2026-01-09  [commit]  ✓ starts  all
    the oldest that would start: [commit]

    shop in default (tenant_ahead): 4 migrations applied
        2026-01-09  [commit]  ✗ fails: migration 4 was previously applied but is missing in the resolved migrations  all
    none of them would start

    shop in default (tenant_behind): 2 migrations applied
        2026-01-09  [commit]  ✓ starts, applies 1  all
    the oldest that would start: [commit]

    shop in default (tenant_dirty): 3 migrations applied
        2026-01-09  [commit]  ✗ fails: migration 3 is partially applied; fix and remove row from `_sqlx_migrations` table  all
    none of them would start

    shop in default (tenant_edited): 3 migrations applied
        2026-01-09  [commit]  ✗ fails: migration 2 was previously applied but has been modified  all
    none of them would start

    shop in default (tenant_new): 0 migrations applied
        2026-01-09  [commit]  ✓ starts, applies 3  all
    the oldest that would start: [commit]

    shop in default: none of them would start for every tenant
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_that_are_not_there_are_told() {
    let fixture = Fixture::new(&(history(TABLE) + &tenant("acme", GOOD))).await;
    let failure = async |tenants: &str| {
        let told = run(&repository(tenants), &fixture.url(), &[]).await;
        let from = told.stdout.find("incomplete[").unwrap_or_else(|| panic!("{told}"));
        let lines: Vec<&str> = told.stdout[from..].lines().filter(|line| !line.contains("-->")).collect();
        format!("{}: {}", told.code, lines.join("\n"))
    };
    insta::assert_snapshot!(failure("schemas: ['tenant_*']").await, @r"
    3: incomplete[unreachable-database]: the history could not be read: a pattern finds no tenant: no schema here is called `tenant_*`
        help: Check the patterns in `schemas` (MySQL: `databases`): `*` stands for any letters, `?` for one, and upper and lower case are not the same. MySQL shows only databases on which the user has a privilege.
    ");
    insta::assert_snapshot!(failure("schemas: [acme, globex]").await, @r"
    1: incomplete[unreachable-database]: the history could not be read: a pattern finds no tenant: no schema here is called `globex`
        help: Check the patterns in `schemas` (MySQL: `databases`): `*` stands for any letters, `?` for one, and upper and lower case are not the same. MySQL shows only databases on which the user has a privilege.
    ");
    insta::assert_snapshot!(failure("schemas: [acme], table: public._sqlx_migrations").await, @r"
    3: incomplete[unreachable-database]: the history could not be read: the history table is named with its schema, so that no tenant has one of its own: `public._sqlx_migrations`
        help: Leave the schema out of `table`, and of sqlx.toml's `table-name`, if each tenant has a history; leave out `schemas` (MySQL: `databases`) if they have one in common.
    ");
    insta::assert_snapshot!(failure("databases: [acme]").await, @r"
    3: incomplete[unreachable-database]: the history could not be read: tenants are configured as `databases`, and this database keeps none in such
        help: `schemas` are those of one PostgreSQL database, and `databases` those of a MySQL or MariaDB server. On SQLite, and where each tenant has a PostgreSQL database, a tenant is an environment or a service with a `database-url` of its own.
    ");
    let mut nowhere = fixture.url();
    nowhere.set_path("/nowhere");
    nowhere.set_query(Some(WITHOUT_TLS));
    let told = run(&repository("schemas: [acme]"), &nowhere, &[]).await;
    assert!(told.code == 3 && told.stdout.contains("there is no such database"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_the_readme_reads_tenants_that_come_later() {
    let fixture = Fixture::new("").await;
    let role = format!("{}_reader", fixture.name);
    let own =
        |sql: &str| sql.replace("preflight", &role).replace("shop", &fixture.name).replace("content", &fixture.name);
    let whole = readme::block("the role of PostgreSQL");
    let (without_the_last, _) = whole.trim_end().rsplit_once('\n').unwrap();
    fixture.execute(&(own(without_the_last) + &own(readme::block("the role for tenants")))).await;
    let create = "SET ROLE $ROLE; RESET ROLE; GRANT CREATE ON DATABASE $ROLE TO $ROLE; SET ROLE $ROLE; \
        CREATE SCHEMA tenant_1; SET search_path = tenant_1; ";
    fixture.execute(&(create.to_owned() + &history(TABLE))).await;
    let repository =
        FILES.iter().fold(Repository::new(), |all, (path, content)| all.file(&format!("backend/shop/{path}"), content));
    let repository = repository.config(readme::block("tenants"));
    let mut url = fixture.url();
    url.set_username(&role).unwrap();
    url.set_password(Some("a%20long%20random%20one")).unwrap();
    let url = url.to_string();
    let told = tokio::task::block_in_place(|| repository.run_with(&[], &[("SHOP_DATABASE_URL", &url)]));
    assert!(told.code == 1 && told.stdout.contains("shop in default (tenant_1)"), "{told}");
    assert!(told.stdout.contains("error[checksum-mismatch]"), "{told}");
}

#[tokio::test]
async fn letters_that_are_none_are_told_of_the_tenant_that_has_them() {
    let fixture = Fixture::new("").await;
    let name = format!("{}_ascii", fixture.name);
    let create = format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    fixture.execute(&create).await;
    let mut url = Url::parse(&variable("PREFLIGHT_TEST_POSTGRES_URL")).unwrap();
    url.set_path(&name);
    url.set_query(Some(WITHOUT_TLS));
    let mut admin = PgConnection::connect(url.as_str()).await.unwrap();
    let broken = format!("{GOOD}; UPDATE _sqlx_migrations SET description = convert_from('\\xe4', 'SQL_ASCII')");
    let sql = many(2) + &tenant("tenant_broken", &broken);
    sqlx::raw_sql(AssertSqlSafe(sql.replace("$ROLE", &fixture.name))).execute(&mut admin).await.unwrap();
    let mut url = fixture.url();
    url.set_path(&name);
    let (read, counts) = together(&url, &selection(Partition::Schemas, &["tenant_*"])).await;
    assert_eq!(counts, [2, 1], "{read:#?}");
    assert_eq!(read["tenant_broken"], alone(&url, "tenant_broken._sqlx_migrations").await);
    assert!(read["tenant_broken"].is_err(), "{read:#?}");
}
