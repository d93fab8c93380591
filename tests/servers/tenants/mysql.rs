//! The same on MariaDB, whose tenants have databases.

use migration_preflight::gather::database;
use migration_preflight::history::{DatabaseUrl, LookUp};
use migration_preflight::tenants::Partition;
use url::Url;

use super::{alone, repository, run, selection, together};
use crate::mysql::support::{CREATE, Fixture};
use crate::support::{TABLE, TIMEOUT};

/// A database that the user may read, with `sql` run in it. `$TABLE` stands for sqlx's table and its columns.
fn tenant(name: &str, sql: &str) -> String {
    let sql = sql.replace("$TABLE", &format!("{TABLE} {CREATE}"));
    format!("CREATE DATABASE `$ROLE_{name}`; USE `$ROLE_{name}`; GRANT SELECT ON `$ROLE_{name}`.* TO $ROLE; {sql}; ")
}

const GOOD: &str = "CREATE TABLE $TABLE; INSERT INTO _sqlx_migrations VALUES \
    (1, 'one', now(), true, x'00ff5c27', 17), (2, 'two \"2\"', now(), true, x'01', -1)";

fn kinds() -> Vec<(&'static str, String)> {
    let altered = |change: &str| format!("{GOOD}; {change}");
    vec![
        ("good", GOOD.to_owned()),
        ("slower", GOOD.replace("17", "4711")),
        ("behind", altered("DELETE FROM _sqlx_migrations WHERE version = 2")),
        ("edited", altered("UPDATE _sqlx_migrations SET checksum = x'02' WHERE version = 1")),
        ("dirty", altered("UPDATE _sqlx_migrations SET success = false WHERE version = 2")),
        ("empty", "CREATE TABLE $TABLE".to_owned()),
        ("absent", "DO 1".to_owned()),
        ("Odd name; `x", GOOD.to_owned()),
        ("view", altered("RENAME TABLE _sqlx_migrations TO t; CREATE VIEW _sqlx_migrations AS SELECT * FROM t")),
        ("column", altered("ALTER TABLE _sqlx_migrations DROP COLUMN checksum")),
        ("integer", altered("ALTER TABLE _sqlx_migrations MODIFY version INTEGER")),
        (
            "null",
            altered(
                "ALTER TABLE _sqlx_migrations MODIFY checksum BLOB NULL; UPDATE _sqlx_migrations SET checksum = NULL",
            ),
        ),
        ("long", altered("UPDATE _sqlx_migrations SET description = repeat('x', 5000) WHERE version = 1")),
        ("more", altered("ALTER TABLE _sqlx_migrations ADD COLUMN i INTEGER DEFAULT 7")),
    ]
}

async fn fixture(kinds: &[(&str, String)]) -> Fixture {
    let sql: String = kinds.iter().map(|(name, sql)| tenant(&name.replace('`', "``"), sql)).collect();
    Fixture::new(&format!("GRANT SELECT ON $ROLE.* TO $ROLE; {sql}")).await
}

#[tokio::test]
async fn what_is_read_of_databases_together_is_what_is_read_of_each_alone() {
    let kinds = kinds();
    let fixture = fixture(&kinds).await;
    let narrow = "CREATE DATABASE `$ROLE_some`; CREATE TABLE `$ROLE_some`._sqlx_migrations (version BIGINT, x INTEGER); \
        GRANT SELECT (x) ON `$ROLE_some`._sqlx_migrations TO $ROLE; CREATE DATABASE `$ROLE_hidden`";
    fixture.execute(narrow).await;
    let own = |name: &str| format!("{}_{name}", fixture.name);
    let pattern = own("*");
    // A URL without a database is enough: nothing of it is read.
    let mut url = fixture.url();
    url.set_path("");
    let (read, counts) = together(&url, &selection(Partition::Databases, &[&pattern])).await;
    assert_eq!(read.len(), kinds.len() + 1, "the one that the user has no right on is not seen: {:?}", read.keys());
    for name in kinds.iter().map(|(name, _)| *name).chain(["some"]) {
        let table = format!("`{}`.{TABLE}", own(name).replace('`', "``"));
        assert_eq!(read[&own(name)], alone(&fixture.url(), &table).await, "{name}");
    }
    // The good ones, the odd name, the view, the one with more columns, and the one whose versions sqlx reads as well.
    assert_eq!(counts[..2], [6, 1], "{read:#?}");
}

#[tokio::test]
async fn hundreds_of_databases_are_read_on_one_connection() {
    let names: Vec<String> = (0..250).map(|n| format!("{n:03}")).collect();
    let mut kinds: Vec<(&str, String)> = names.iter().map(|name| (name.as_str(), GOOD.to_owned())).collect();
    kinds[120].1 = "DO 1".to_owned();
    let fixture = fixture(&kinds).await;
    fixture.execute("ALTER USER $ROLE WITH MAX_CONNECTIONS_PER_HOUR 1").await;
    let pattern = format!("{}_*", fixture.name);
    let (read, counts) = together(&fixture.url(), &selection(Partition::Databases, &[&pattern])).await;
    assert_eq!((read.len(), counts), (250, vec![249, 1]));
    let url = DatabaseUrl::parse(fixture.url().as_str()).unwrap();
    let again = database::history(&url, &LookUp::of(TABLE), TIMEOUT).await.unwrap_err();
    assert!(again.to_string().contains("max_connections_per_hour"), "there was no other connection: {again}");
}

#[tokio::test]
async fn a_database_that_is_locked_keeps_nobody_waiting_for_long() {
    let names = ["a", "b", "c"];
    let fixture = fixture(&names.map(|name| (name, GOOD.to_owned()))).await;
    let mut admin = fixture.admin().await;
    let lock = format!("LOCK TABLES `{}_b`.{TABLE} WRITE", fixture.name);
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut admin).await.unwrap();
    let (read, counts) =
        together(&fixture.url(), &selection(Partition::Databases, &[&format!("{}_*", fixture.name)])).await;
    assert_eq!(counts, [2, 1], "{read:#?}");
    assert!(read[&format!("{}_b", fixture.name)].is_err(), "{read:#?}");
    drop(admin);
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_agree_are_told_as_one() {
    let fixture = fixture(&kinds()).await;
    let repository = repository(&format!("databases: ['{}_*']", fixture.name));
    let told = run(&repository, &fixture.url(), &[]).await;
    assert_eq!(told.code, 1, "{told}");
    let shown = told.to_string().replace(&fixture.name, "shop");
    insta::assert_snapshot!(shown.lines().take(4).collect::<Vec<_>>().join("\n"), @r"
    exit code 1
    fail: the target would not start (9 of 14 tenants), the target could not be checked (3 of 14 tenants), 8 errors, 1 warning

    shop in default: 6 tenants agree; 5 differ: shop_absent, shop_behind, shop_dirty, shop_edited, shop_empty; 3 could not be read: shop_column, shop_long, shop_null
    ");
    let schemas = super::repository("schemas: ['shop_*']");
    let url: Url = fixture.url();
    let told = run(&schemas, &url, &[]).await;
    assert!(told.code == 3 && told.stdout.contains("tenants are configured as `schemas`"), "{told}");
}
