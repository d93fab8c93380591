//! The SQL that explanations print does on a real server what it says, and nothing where the row is another one by now.

use std::path::Path;
use std::time::Duration;

use migration_preflight::compare::compare;
use migration_preflight::explain::explain;
use migration_preflight::finding::{Findings, Rule};
use migration_preflight::gather::{Limits, Reading, gather};
use migration_preflight::history::{Database, DatabaseUrl};
use migration_preflight::migration::{AppliedMigration, Checksum};
use migration_preflight::policy::{Levels, Policy};
use migration_preflight::source::Source;
use migration_preflight::target::Target;
use url::Url;

use crate::shared::git::git;
use crate::{mysql, support};

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
const THREE: &str = "CREATE TABLE three (id INTEGER);\n";

/// The first migration was edited after it was applied, the second one deleted, the third one is the fourth now.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join("migrations").join(name);
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    for (name, content) in [("1_one.sql", ONE), ("2_two.sql", TWO), ("3_three.sql", THREE)] {
        std::fs::write(file(name), content).unwrap();
    }
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "--message", "start"]);
    std::fs::write(file("1_one.sql"), "SELECT 1;\n").unwrap();
    std::fs::remove_file(file("2_two.sql")).unwrap();
    std::fs::rename(file("3_three.sql"), file("4_three.sql")).unwrap();
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "mischief"]);
    folder
}

async fn findings(root: &Path, url: &Url, table: &str) -> (Findings, Vec<AppliedMigration>) {
    let target = Target {
        service: "api".into(),
        environment: "test".into(),
        migrations: "migrations".into(),
        source: Source::Directory,
        binary: None,
        database: DatabaseUrl::parse(url.as_str()).map(Database::Url),
        max_age: None,
        tenants: None,
        table: Some(table.into()),
        history_group: None,
        ignore_missing: false,
        required: true,
        levels: Levels::default(),
        declared: None,
    };
    let limits = Limits { jobs: 1, timeout: Duration::from_secs(60) };
    let states = gather(vec![target], root, &Reading::quiet(limits)).await;
    let rows = states[0].applied.as_ref().unwrap().rows().to_vec();
    (explain(compare(&states, &Policy::default()), &states, root, None), rows)
}

/// The SQL that is printed for the three rows.
async fn printed(root: &Path, url: &Url, table: &str) -> Vec<String> {
    let (findings, _) = findings(root, url, table).await;
    let explained = findings.open.iter().filter_map(|finding| finding.explanation.as_deref());
    let sql: Vec<String> = explained.filter_map(|explanation| explanation.repair_sql.clone()).collect();
    assert_eq!(sql.len(), 3, "{findings:#?}");
    sql
}

/// Whether rows and files fit now, and only the first and the third row are left.
async fn assert_mended(root: &Path, url: &Url, table: &str) {
    let (findings, rows) = findings(root, url, table).await;
    let rules: Vec<Rule> = findings.open.iter().map(|finding| finding.rule()).collect();
    assert_eq!(rules, [], "{findings:#?}");
    let rows: Vec<_> = rows.into_iter().map(|row| (row.version.0, row.checksum)).collect();
    assert_eq!(rows, [(1, Checksum::of("SELECT 1;\n")), (4, Checksum::of(THREE))]);
}

/// The three rows as SQL, with `bytes` around the digits of a checksum.
fn insert(table: &str, bytes: impl Fn(String) -> String) -> String {
    let row = |(version, description, content): (i64, &str, &str)| {
        format!(
            "({version}, '{description}', CURRENT_TIMESTAMP, TRUE, {}, 7)",
            bytes(Checksum::of(content).to_string())
        )
    };
    let rows = [(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)].map(row).join(", ");
    format!("INSERT INTO {table} VALUES {rows};")
}

#[tokio::test]
async fn the_printed_sql_mends_the_rows_on_postgres() {
    let (root, table) = (repository(), "\"Odd \"\"table\"");
    let bytes = |digits| format!("decode('{digits}', 'hex')");
    let grant = format!("GRANT SELECT ON {table} TO $ROLE;");
    let create = format!("CREATE TABLE {table} {}; {grant} {}", support::CREATE, insert(table, bytes));
    let fixture = support::Fixture::new(&create).await;
    let sql = printed(root.path(), &fixture.url(), table).await;
    // Once with other rows, which it must leave alone.
    fixture.execute(&format!("UPDATE {table} SET checksum = '\\x00'")).await;
    fixture.execute(&sql.concat()).await;
    assert_eq!(fixture.rows(table).await.len(), 3);
    fixture.execute(&format!("DELETE FROM {table}; {}", insert(table, bytes))).await;
    fixture.execute(&sql.concat()).await;
    assert_mended(root.path(), &fixture.url(), table).await;
}

#[tokio::test]
async fn the_printed_sql_mends_the_rows_on_mariadb() {
    let (root, table) = (repository(), "`Odd ``table`");
    let bytes = |digits| format!("x'{digits}'");
    let grant = format!("GRANT SELECT ON $ROLE.{table} TO $ROLE;");
    let create = format!("CREATE TABLE {table} {}; {} {grant}", mysql::support::CREATE, insert(table, bytes));
    let fixture = mysql::support::Fixture::new(&create).await;
    let sql = printed(root.path(), &fixture.url(), table).await;
    fixture.execute(&format!("UPDATE {table} SET checksum = x'00'")).await;
    fixture.execute(&sql.concat()).await;
    assert_eq!(fixture.rows(table).await.len(), 3);
    fixture.execute(&format!("DELETE FROM {table}; {}", insert(table, bytes))).await;
    fixture.execute(&sql.concat()).await;
    assert_mended(root.path(), &fixture.url(), table).await;
}
