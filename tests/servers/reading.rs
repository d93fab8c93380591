//! What is read, by whom, and what the server sees of it.

use migration_preflight::history::{AbsentTable, DatabaseErrorKind, History, Privilege};
use migration_preflight::migration::{AppliedMigration, Checksum, Version};
use sqlx::migrate::{Migrator, ResolveWith};
use sqlx::{AssertSqlSafe, Row};

use crate::proxy;
use crate::support::{CREATE, Fixture, TABLE, TIMEOUT, good, history, present, read, variable};

#[tokio::test]
async fn what_sqlx_wrote_comes_back_column_by_column() {
    let fixture = Fixture::new("").await;
    let migrations = tempfile::tempdir().unwrap();
    let files = [
        ("-5_before.sql", "SELECT 1"),
        ("007_first_one.sql", "CREATE TABLE a (x int)"),
        ("20260107_Größe.up.sql", "--\r\n"),
    ];
    for (name, content) in files {
        std::fs::write(migrations.path().join(name), content).unwrap();
    }
    let migrator = Migrator::new(ResolveWith(migrations.path(), Default::default())).await.unwrap();
    let mut admin = fixture.admin().await;
    migrator.run_direct(None, &mut admin, false).await.unwrap();
    fixture.execute("GRANT SELECT ON _sqlx_migrations TO $ROLE").await;
    let query = "SELECT to_char(installed_on AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') AS second, \
        execution_time FROM _sqlx_migrations ORDER BY version";
    let written = sqlx::query(query).fetch_all(&mut admin).await.unwrap();

    let rows = fixture.rows(TABLE).await;

    let expected = [(-5, "before"), (7, "first one"), (20_260_107, "Größe")].into_iter().zip(files).zip(&written);
    assert_eq!(rows.len(), 3);
    for (row, (((version, description), (_, content)), written)) in rows.iter().zip(expected) {
        let installed_on = row.installed_on.clone().unwrap();
        assert!(installed_on.starts_with(written.get::<&str, _>("second")) && installed_on.ends_with('Z'));
        let expected = AppliedMigration {
            version: Version(version),
            description: description.into(),
            installed_on: Some(installed_on),
            success: true,
            checksum: Checksum::of(content),
            execution_time: written.get("execution_time"),
        };
        assert_eq!(*row, expected);
        assert!(row.execution_time > 0);
    }
}

#[tokio::test]
async fn a_role_that_may_only_select_is_enough() {
    let fixture = Fixture::with_history().await;
    assert_eq!(fixture.rows(TABLE).await, [good()]);
}

#[tokio::test]
async fn no_row_is_a_history_too() {
    let fixture = Fixture::new(&format!("CREATE TABLE {TABLE} {CREATE}; GRANT SELECT ON {TABLE} TO $ROLE")).await;
    assert_eq!(fixture.rows(TABLE).await, []);
}

#[tokio::test]
async fn a_role_that_may_not_select_is_told_so() {
    let fixture = Fixture::new(&history(TABLE)).await;
    let error = fixture.failure(TABLE).await;
    let grant = format!("GRANT SELECT ON \"public\".\"_sqlx_migrations\" TO \"{}\";", fixture.name);
    assert_eq!(error.kind, DatabaseErrorKind::NotGranted { privilege: Privilege::Select, grant });
    assert_eq!(error.detail, "permission denied for table _sqlx_migrations");
}

#[tokio::test]
async fn a_table_out_of_the_search_path_is_absent_and_elsewhere() {
    let sql = format!(
        "CREATE SCHEMA app; CREATE SCHEMA ops; {} {}",
        history("app._sqlx_migrations"),
        history("ops._sqlx_migrations")
    );
    let fixture = Fixture::new(&(sql + "GRANT USAGE ON SCHEMA app TO $ROLE")).await;
    let expected =
        AbsentTable { table: TABLE.into(), elsewhere: vec!["app".into(), "ops".into()], absent_schema: None };
    assert_eq!(fixture.absent(TABLE).await, expected);

    // A schema in the search path that the role may not use is passed over in silence by the server, not by us.
    fixture.execute("ALTER ROLE $ROLE SET search_path = ops, public").await;
    assert_eq!(fixture.absent(TABLE).await, expected);
    let grant = format!("GRANT USAGE ON SCHEMA \"ops\" TO \"{}\";", fixture.name);
    let forbidden = fixture.failure("ops._sqlx_migrations").await.kind;
    assert_eq!(forbidden, DatabaseErrorKind::NotGranted { privilege: Privilege::Usage, grant });

    fixture.execute("GRANT USAGE ON SCHEMA ops TO $ROLE; GRANT SELECT ON ops._sqlx_migrations TO $ROLE").await;
    assert_eq!(fixture.rows(TABLE).await, [good()]);
}

#[tokio::test]
async fn an_absent_table_and_an_absent_schema_are_told_apart() {
    let fixture =
        Fixture::new("CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO $ROLE; CREATE TABLE other (x int)").await;
    let absent = |table: &str| AbsentTable { table: table.into(), ..AbsentTable::default() };
    assert_eq!(fixture.absent(TABLE).await, absent(TABLE));
    assert_eq!(fixture.absent("app.history").await, absent("app.history"));
    let schema = AbsentTable { absent_schema: Some("nowhere".into()), ..absent("Nowhere.other") };
    assert_eq!(fixture.absent("Nowhere.other").await, AbsentTable { elsewhere: vec!["public".into()], ..schema });
}

#[tokio::test]
async fn names_are_found_as_postgresql_finds_them() {
    let sql = format!(
        "CREATE SCHEMA \"Mixed Case\"; {} {} {}
         GRANT USAGE ON SCHEMA \"Mixed Case\" TO $ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA \"Mixed Case\", public TO $ROLE",
        history("\"Mixed Case\".\"T'\\\"\"x\""),
        history("\"größe\""),
        history("lower"),
    );
    let fixture = Fixture::new(&sql).await;
    for table in ["\"Mixed Case\".\"T'\\\"\"x\"", "\"größe\"", "Größe", "LOWER", "Public . \"lower\""] {
        assert_eq!(fixture.rows(table).await, [good()], "{table}");
    }
    assert_eq!(fixture.absent("\"LOWER\"").await.elsewhere, Vec::<String>::new());
    let hostile = fixture.failure("lower; DROP TABLE lower").await;
    assert_eq!(hostile.kind, DatabaseErrorKind::TableName);
    assert_eq!(fixture.rows("lower").await, [good()]);
}

#[tokio::test]
async fn a_name_is_cut_where_the_server_cuts_it() {
    let long = "x".repeat(80);
    let fixture = Fixture::new(&(history(&long) + &format!("GRANT SELECT ON {long} TO $ROLE"))).await;
    assert_eq!(fixture.rows(&long).await, [good()]);
}

#[tokio::test]
async fn a_view_and_a_partitioned_table_are_histories_too() {
    let sql = format!(
        "{} CREATE VIEW seen AS SELECT * FROM t; CREATE TABLE parts {CREATE} PARTITION BY RANGE (version);
         CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts SELECT * FROM t;
         GRANT SELECT ON seen, parts TO $ROLE",
        history("t")
    );
    let fixture = Fixture::new(&sql).await;
    assert_eq!(fixture.rows("seen").await, [good()]);
    assert_eq!(fixture.rows("parts").await, [good()]);
}

#[tokio::test]
async fn the_settings_of_a_role_change_nothing() {
    let fixture = Fixture::with_history().await;
    fixture
        .execute(
            "ALTER ROLE $ROLE SET bytea_output = escape; ALTER ROLE $ROLE SET standard_conforming_strings = off;
             ALTER ROLE $ROLE SET DateStyle = German; ALTER ROLE $ROLE SET TimeZone = 'Asia/Kolkata';
             ALTER ROLE $ROLE SET default_transaction_isolation = serializable; ALTER ROLE $ROLE SET array_nulls = off",
        )
        .await;
    assert_eq!(fixture.rows(TABLE).await, [good()]);
    assert_eq!(fixture.absent("\"a\\'b\"").await.table, "\"a\\'b\"");
}

#[tokio::test]
async fn a_row_is_dirty_where_sqlx_finds_it_dirty() {
    let sql = format!(
        "CREATE TABLE {TABLE} (version bigint, description text, installed_on timestamptz, success boolean, checksum bytea,
         execution_time bigint); INSERT INTO {TABLE} VALUES (3, '', NULL, NULL, '', -1), (2, '', 'infinity', false, '', 0),
         (1, E'a\n::error::\t\\\\', '2020-01-01', true, '', 0); GRANT SELECT ON {TABLE} TO $ROLE"
    );
    let rows = Fixture::new(&sql).await.rows(TABLE).await;
    let seen: Vec<_> = rows.iter().map(|row| (row.version.0, row.success, row.installed_on.as_deref())).collect();
    assert_eq!(
        seen,
        [(1, true, Some("2020-01-01T00:00:00Z")), (2, false, Some("infinity")), (3, true, None)],
        "`success = false` is the predicate, and NULL is not false"
    );
    assert_eq!(rows[0].description, "a\n::error::\t\\");
    assert_eq!(rows[2].execution_time, -1);
}

#[tokio::test]
async fn what_is_no_history_names_its_column() {
    let fixture = Fixture::with_history().await;
    let cases = [
        ("ALTER TABLE _sqlx_migrations ALTER version TYPE int", "the column `version` is of type INT4, not INT8"),
        ("ALTER TABLE _sqlx_migrations ALTER version TYPE text", "the column `version` is of type TEXT, not INT8"),
        (
            "ALTER TABLE _sqlx_migrations ALTER version TYPE bigint USING 1, ALTER checksum TYPE text",
            "the column `checksum` is of type TEXT, not BYTEA",
        ),
        (
            "ALTER TABLE _sqlx_migrations ALTER checksum TYPE bytea USING '', ALTER success TYPE int USING 1",
            "the column `success` is not of type boolean: operator does not exist: integer = boolean",
        ),
        (
            "ALTER TABLE _sqlx_migrations ALTER success TYPE boolean USING true, ALTER description TYPE bytea USING ''",
            "the column `description` is of type BYTEA, not TEXT or VARCHAR or CHAR or NAME",
        ),
        (
            "ALTER TABLE _sqlx_migrations ALTER description TYPE text USING '', ALTER checksum DROP NOT NULL;
             UPDATE _sqlx_migrations SET checksum = NULL",
            "the column `checksum` is NULL in a row",
        ),
        ("ALTER TABLE _sqlx_migrations DROP checksum", "column \"checksum\" does not exist"),
    ];
    for (sql, detail) in cases {
        fixture.execute(sql).await;
        let error = fixture.failure(TABLE).await;
        assert_eq!(error.kind, DatabaseErrorKind::WrongShape, "{sql}");
        assert_eq!(error.detail, detail);
    }
}

#[tokio::test]
async fn rows_that_a_policy_hides_are_an_error_and_no_empty_history() {
    let fixture = Fixture::with_history().await;
    fixture.execute("ALTER TABLE _sqlx_migrations ENABLE ROW LEVEL SECURITY").await;
    assert_eq!(fixture.failure(TABLE).await.kind, DatabaseErrorKind::PermissionDenied);
}

#[tokio::test]
async fn a_view_that_writes_is_stopped_by_the_server() {
    let fixture = Fixture::new(&format!(
        "{} CREATE FUNCTION wipe() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
         'WITH gone AS (DELETE FROM t RETURNING version) SELECT version FROM gone';
         CREATE VIEW seen AS SELECT wipe() AS version, description, installed_on, success, checksum, execution_time FROM t;
         GRANT SELECT ON seen, t TO $ROLE",
        history("t")
    ))
    .await;
    let error = fixture.failure("seen").await;
    assert_eq!(error.kind, DatabaseErrorKind::WrongShape);
    assert!(error.detail.ends_with("in a read-only transaction"), "{error}");
    assert_eq!(fixture.rows("t").await, [good()]);
}

/// The statements that the server logged for the role, each with the name of the application.
fn logged(fixture: &Fixture) -> Vec<(String, String)> {
    let log = String::from_utf8_lossy(&std::fs::read(variable("PREFLIGHT_TEST_POSTGRES_LOG")).unwrap()).into_owned();
    let mine = format!("] [{}] [", fixture.name);
    log.lines()
        .filter(|line| line.contains(&mine) && (line.contains("LOG:  statement:") || line.contains("LOG:  execute")))
        .map(|line| {
            let application = line.trim_start_matches('[').split(']').next().unwrap();
            (application.to_owned(), line.split_once("LOG:  ").unwrap().1.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_server_sees_one_read_only_batch_and_nothing_else() {
    let fixture = Fixture::with_history().await;
    fixture.rows(TABLE).await;
    let logged = logged(&fixture);
    assert_eq!(logged.len(), 1, "{logged:#?}");
    let (application, statement) = &logged[0];
    assert_eq!(application, "migration-preflight");
    let batch = statement.strip_prefix("statement: ").unwrap();
    let starts: Vec<_> =
        batch.split("; ").map(|one| one.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        starts,
        [
            "BEGIN TRANSACTION ISOLATION",
            "SET LOCAL statement_timeout",
            "SET LOCAL row_security",
            "SET LOCAL bytea_output",
            "SELECT pg_catalog.current_setting('search_path'), pg_catalog.set_config('search_path',",
            "SELECT pg_catalog.to_regclass(E'\"_sqlx_migrations\"') IS",
            "SELECT version, description,",
            "COMMIT",
        ]
    );
    assert!(batch.starts_with("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"));
}

#[tokio::test]
async fn the_server_sees_a_roll_back_where_the_table_is_absent() {
    let fixture = Fixture::new("").await;
    fixture.absent(TABLE).await;
    let logged = logged(&fixture);
    assert_eq!(logged.len(), 2, "{logged:#?}");
    assert_eq!(logged[1].1, "statement: ROLLBACK");
}

#[tokio::test]
async fn a_history_takes_one_round_trip_after_logging_in() {
    let fixture = Fixture::with_history().await;
    let mut url = fixture.url();
    let (port, messages) = proxy::counting(format!("127.0.0.1:{}", url.port().unwrap())).await;
    url.set_port(Some(port)).unwrap();
    url.set_query(Some("sslmode=disable"));
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
    // Start-up, two messages of SCRAM, one query, and a farewell that is not answered.
    while messages.lock().unwrap().last() != Some(&'X') {
        tokio::task::yield_now().await;
    }
    assert_eq!(*messages.lock().unwrap(), ['S', 'p', 'p', 'Q', 'X']);
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_serves_and_keeps_its_connection() {
    let fixture = Fixture::with_history().await;
    let url = fixture.url_on("PREFLIGHT_TEST_PGBOUNCER_URL");
    let mut admin = fixture.admin().await;
    let query = format!("SELECT pid FROM pg_stat_activity WHERE usename = '{}' AND state = 'idle'", fixture.name);
    let mut pids = Vec::new();
    for _ in 0..3 {
        assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
        assert!(read(url.as_str(), "nowhere.absent").await.is_ok());
        pids.push(sqlx::query_scalar::<_, i32>(AssertSqlSafe(query.as_str())).fetch_all(&mut admin).await.unwrap());
    }
    assert_eq!(pids[0].len(), 1, "{pids:?}");
    assert!(pids.iter().all(|found| *found == pids[0]), "the pooler threw its connection away: {pids:?}");
}

#[tokio::test]
async fn a_replica_in_recovery_serves() {
    let fixture = Fixture::with_history().await;
    let url = fixture.url_on("PREFLIGHT_TEST_REPLICA_URL");
    // What was just written arrives a moment later.
    let arrives = async {
        while !matches!(read(url.as_str(), TABLE).await, Ok(History::Present(_))) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, arrives).await.unwrap();
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
}

#[tokio::test]
async fn many_targets_are_read_at_once() {
    let fixture = Fixture::with_history().await;
    let url = fixture.url_on("PREFLIGHT_TEST_PGBOUNCER_URL");
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { read(url.as_str(), TABLE).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(present(task.await.unwrap()), [good()]);
    }
}

#[tokio::test]
async fn a_long_history_comes_whole_and_in_order() {
    let sql = format!(
        "CREATE TABLE {TABLE} {CREATE}; INSERT INTO {TABLE} SELECT n, repeat('x', 200), now(), true, sha384('x'), n
         FROM generate_series(5000, 1, -1) n; GRANT SELECT ON {TABLE} TO $ROLE"
    );
    let rows = Fixture::new(&sql).await.rows(TABLE).await;
    assert_eq!(rows.len(), 5000);
    assert!(rows.iter().zip(1..).all(|(row, version)| row.version.0 == version && row.checksum == Checksum::of("x")));
}

#[tokio::test]
async fn a_row_larger_than_any_that_sqlx_writes_is_not_taken_in() {
    let fixture = Fixture::with_history().await;
    fixture.execute(&format!("UPDATE {TABLE} SET description = repeat('x', 5000)")).await;
    let error = fixture.failure(TABLE).await;
    assert_eq!(error.kind, DatabaseErrorKind::WrongShape);
    assert!(error.detail.ends_with("holds more than 4096 bytes"), "{error}");
}
