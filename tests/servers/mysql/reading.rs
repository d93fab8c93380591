//! What is read, by whom, and what the server sees of it.

use migration_preflight::history::{AbsentTable, DatabaseErrorKind, Privilege};
use migration_preflight::migration::{AppliedMigration, Checksum, Version};
use sqlx::migrate::{MigrateError, Migrator, ResolveWith};
use sqlx::{Connection, Row};

use super::support::{CREATE, Fixture, history};
use crate::support::{TABLE, good, variable};

/// A migrator over files of these names and contents.
async fn migrator(files: &[(&str, &str)]) -> Migrator {
    let migrations = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(migrations.path().join(name), content).unwrap();
    }
    Migrator::new(ResolveWith(migrations.path(), Default::default())).await.unwrap()
}

#[tokio::test]
async fn what_sqlx_wrote_comes_back_column_by_column() {
    let fixture = Fixture::new("").await;
    let files = [
        ("-5_before.sql", "SELECT 1"),
        ("007_first_one.sql", "CREATE TABLE a (x int)"),
        ("20260107_Größe.up.sql", "-- \r\nSELECT 2"),
    ];
    let mut admin = fixture.admin().await;
    migrator(&files).await.run_direct(None, &mut admin, false).await.unwrap();
    fixture.execute("GRANT SELECT ON $ROLE._sqlx_migrations TO $ROLE").await;
    let query = "SELECT DATE_FORMAT(CONVERT_TZ(installed_on, @@session.time_zone, '+00:00'), '%Y-%m-%dT%TZ') AS utc, \
        execution_time FROM _sqlx_migrations ORDER BY version";
    let written = sqlx::query(query).fetch_all(&mut admin).await.unwrap();

    let rows = fixture.rows(TABLE).await;

    let expected = [(-5, "before"), (7, "first one"), (20_260_107, "Größe")].into_iter().zip(files).zip(&written);
    assert_eq!(rows.len(), 3);
    for (row, (((version, description), (_, content)), written)) in rows.iter().zip(expected) {
        let expected = AppliedMigration {
            version: Version(version),
            description: description.into(),
            installed_on: Some(written.get("utc")),
            success: true,
            checksum: Checksum::of(content),
            execution_time: written.get("execution_time"),
        };
        assert_eq!(*row, expected);
        assert!(row.execution_time > 0);
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_a_dirty_row_after_a_change_of_schema_and_none_before() {
    let fixture = Fixture::new("").await;
    fixture.execute("GRANT SELECT ON $ROLE.* TO $ROLE").await;
    let mut admin = fixture.admin().await;
    let broken = migrator(&[("1_data.sql", "SELECT 1"), ("2_data.sql", "INSERT INTO absent VALUES (1)")]).await;
    broken.run_direct(None, &mut admin, false).await.unwrap_err();
    let versions = |rows: &[AppliedMigration]| -> Vec<_> {
        rows.iter().map(|row| (row.version.0, row.success, row.execution_time > 0)).collect()
    };
    assert_eq!(versions(&fixture.rows(TABLE).await), [(1, true, true)], "InnoDB took the row back");

    // sqlx's rollback waits for the next use of the connection, and the row's lock with it.
    admin.close().await.unwrap();
    let mut admin = fixture.admin().await;
    let broken = migrator(&[("1_data.sql", "SELECT 1"), ("2_ddl.sql", "CREATE TABLE a (x int); SELECT nowhere")]).await;
    let error = broken.run_direct(None, &mut admin, false).await.unwrap_err();
    assert!(matches!(error, MigrateError::ExecuteMigration(_, 2)), "{error}");
    let rows = fixture.rows(TABLE).await;
    assert_eq!(versions(&rows), [(1, true, true), (2, false, false)]);
    assert_eq!(rows[1].execution_time, -1);
    let again = broken.run_direct(None, &mut admin, false).await;
    assert!(matches!(again, Err(MigrateError::Dirty(2))), "{again:?}");
}

#[tokio::test]
async fn a_user_that_may_only_select_is_enough() {
    let fixture = Fixture::with_history().await;
    assert_eq!(fixture.rows(TABLE).await, [good()]);
}

#[tokio::test]
async fn no_row_is_a_history_too() {
    let fixture = Fixture::new(&format!("CREATE TABLE {TABLE} {CREATE}; GRANT SELECT ON $ROLE.* TO $ROLE")).await;
    assert_eq!(fixture.rows(TABLE).await, []);
}

#[tokio::test]
async fn a_user_that_may_not_select_is_told_so() {
    let fixture = Fixture::new(&(history(TABLE) + "CREATE TABLE t (x int); GRANT SELECT ON $ROLE.t TO $ROLE")).await;
    let error = fixture.failure(TABLE).await;
    let grant = format!("GRANT SELECT ON `{0}`.`{TABLE}` TO `{0}`@'%';", fixture.name);
    assert_eq!(error.kind, DatabaseErrorKind::NotGranted { privilege: Privilege::Select, grant: grant.clone() });
    assert!(error.detail.starts_with("SELECT command denied to user "), "{error}");
    fixture.execute(&format!("GRANT SELECT (version) ON $ROLE.{TABLE} TO $ROLE")).await;
    // A right on one of the columns is no better.
    let expected = DatabaseErrorKind::NotGranted { privilege: Privilege::Select, grant: grant.clone() };
    assert_eq!(fixture.failure(TABLE).await.kind, expected);
    fixture.execute(&grant).await;
    assert_eq!(fixture.rows(TABLE).await, [good()]);
}

#[tokio::test]
async fn an_absent_table_and_an_absent_schema_are_told_apart() {
    let fixture = Fixture::new("GRANT SELECT ON *.* TO $ROLE").await;
    let absent = |table: &str| AbsentTable { table: table.into(), ..AbsentTable::default() };
    assert_eq!(fixture.absent(TABLE).await, absent(TABLE));
    let qualified = format!("{}.history", fixture.name);
    assert_eq!(fixture.absent(&qualified).await, absent(&qualified));
    let schema = AbsentTable { absent_schema: Some("Nowhere".into()), ..absent("Nowhere.other") };
    assert_eq!(fixture.absent("Nowhere.other").await, schema);
    let schema = AbsentTable { absent_schema: Some("Mysql".into()), ..absent("Mysql.other") };
    assert_eq!(fixture.absent("Mysql.other").await, schema, "on this server `mysql` is another");
}

#[tokio::test]
async fn names_are_found_as_the_server_finds_them() {
    let sql = ["`Mixed Case`", "`T'\\\"``x`", "größe", "1x"].map(history).concat();
    let fixture = Fixture::new(&(sql + "GRANT SELECT ON $ROLE.* TO $ROLE")).await;
    let qualified = format!("`{}` . größe", fixture.name);
    for table in ["`Mixed Case`", "`T'\\\"``x`", "größe", "`größe`", "1x", qualified.as_str()] {
        assert_eq!(fixture.rows(table).await, [good()], "{table}");
    }
    assert_eq!(fixture.absent("`mixed case`").await.table, "`mixed case`");
    for hostile in ["größe; DROP TABLE größe", "größe -- ", "\"größe\""] {
        assert_eq!(fixture.failure(hostile).await.kind, DatabaseErrorKind::TableName, "{hostile}");
    }
    for refused in ["x".repeat(65), "`x `".to_owned(), "`x\u{1f980}`".to_owned()] {
        assert_eq!(fixture.failure(&refused).await.kind, DatabaseErrorKind::TableName, "{refused}");
    }
    assert_eq!(fixture.rows("größe").await, [good()]);
}

#[tokio::test]
async fn a_view_is_a_history_too() {
    let fixture =
        Fixture::new(&(history("t") + "CREATE VIEW seen AS SELECT * FROM t; GRANT SELECT ON $ROLE.seen TO $ROLE"))
            .await;
    assert_eq!(fixture.rows("seen").await, [good()]);
}

#[tokio::test]
async fn a_row_is_dirty_where_sqlx_finds_it_dirty() {
    let sql = format!(
        "CREATE TABLE {TABLE} (version bigint, description text, installed_on varchar(9), success int, checksum blob,
         execution_time int); INSERT INTO {TABLE} VALUES (3, '', NULL, NULL, '', -1), (2, '', 'never', 0, '', 0),
         (4, '', '', 2, '', 0), (1, 'a\\n::error::\\t\\\\', '', 1, '', 0); GRANT SELECT ON $ROLE.* TO $ROLE"
    );
    let rows = Fixture::new(&sql).await.rows(TABLE).await;
    let seen: Vec<_> = rows.iter().map(|row| (row.version.0, row.success, row.installed_on.as_deref())).collect();
    assert_eq!(seen, [(1, true, None), (2, false, None), (3, true, None), (4, true, None)]);
    assert_eq!(rows[0].description, "a\n::error::\t\\");
    assert_eq!(rows[2].execution_time, -1);
}

#[tokio::test]
async fn what_is_no_history_names_its_column() {
    let fixture = Fixture::with_history().await;
    let cases = [
        ("MODIFY version BIGINT UNSIGNED", "the column `version` is of type BIGINT UNSIGNED, not BIGINT"),
        ("MODIFY version VARCHAR(9)", "the column `version` is of type VARCHAR, not BIGINT"),
        ("MODIFY version DECIMAL(9)", "the column `version` is of type DECIMAL, not BIGINT"),
        ("MODIFY version SMALLINT, MODIFY checksum INT NULL", "the column `checksum` is of type INT, not BLOB"),
        ("DROP checksum", "Unknown column 'checksum' in 'SELECT'"),
        ("ADD checksum TEXT NULL", "the column `checksum` is NULL in a row"),
    ];
    for (change, detail) in cases {
        fixture.execute(&format!("SET sql_mode = ''; ALTER TABLE {TABLE} {change}")).await;
        let error = fixture.failure(TABLE).await;
        assert_eq!(error.kind, DatabaseErrorKind::WrongShape, "{change}");
        assert_eq!(error.detail, detail);
    }
    fixture.execute(&format!("UPDATE {TABLE} SET checksum = 'ab'")).await;
    assert_eq!(fixture.rows(TABLE).await[0].checksum, Checksum::from_bytes(*b"ab"), "sqlx reads a text as bytes, too");
}

#[tokio::test]
async fn a_view_that_writes_is_stopped_by_the_server() {
    let sql = history("t")
        + "CREATE FUNCTION wipe() RETURNS BIGINT MODIFIES SQL DATA BEGIN DELETE FROM t; RETURN 1; END;
           CREATE VIEW seen AS SELECT wipe() AS version, description, installed_on, success, checksum, execution_time
           FROM t; GRANT SELECT ON $ROLE.* TO $ROLE; GRANT EXECUTE ON $ROLE.* TO $ROLE";
    let fixture = Fixture::new(&sql).await;
    let error = fixture.failure("seen").await;
    assert_eq!(error.kind, DatabaseErrorKind::WrongShape, "{error}");
    assert_eq!(error.detail, "Cannot execute statement in a READ ONLY transaction");
    assert_eq!(fixture.rows("t").await, [good()]);
}

/// What the server's general log holds of the user's connection, which has come to its end.
async fn logged(fixture: &Fixture) -> Vec<String> {
    let user = format!("{}@", fixture.name);
    loop {
        let log = std::fs::read(variable("PREFLIGHT_TEST_MARIADB_LOG")).unwrap();
        // `time \t id command \t argument`
        let entries: Vec<_> = String::from_utf8_lossy(&log).lines().filter_map(entry).collect();
        let is_ours = |id: &str| {
            entries.iter().any(|(other, command, who)| other == id && command == "Connect" && who.starts_with(&user))
        };
        let ours = entries.iter().filter(|(id, ..)| is_ours(id));
        let ours: Vec<_> = ours.map(|(_, command, argument)| format!("{command} {argument}")).collect();
        // Nobody waits for an answer to the farewell.
        if ours.last().is_some_and(|last| last == "Quit ") {
            return ours;
        }
        tokio::task::yield_now().await;
    }
}

fn entry(line: &str) -> Option<(String, String, String)> {
    let (head, argument) = line.rsplit_once('\t')?;
    let mut words = head.split_whitespace().rev();
    let (command, id) = (words.next()?, words.next()?);
    Some((id.to_owned(), command.to_owned(), argument.to_owned()))
}

#[tokio::test]
async fn the_server_sees_one_read_only_transaction_and_nothing_else() {
    let fixture = Fixture::with_history().await;
    fixture.rows(TABLE).await;
    let logged = logged(&fixture).await;
    assert_eq!(logged.len(), 3, "{logged:#?}");
    assert!(logged[0].starts_with("Connect "));
    let batch = logged[1].strip_prefix("Query ").unwrap();
    let starts: Vec<_> =
        batch.split("; ").map(|one| one.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        starts,
        [
            "SET /*!50708 max_execution_time",
            "SET TRANSACTION ISOLATION",
            "START TRANSACTION READ",
            "SELECT @@lower_case_table_names <>",
            "SELECT version, description,",
            "COMMIT",
        ]
    );
}

#[tokio::test]
async fn the_server_sees_a_roll_back_where_the_table_is_absent() {
    let fixture = Fixture::new("GRANT SELECT ON $ROLE.* TO $ROLE").await;
    fixture.absent(TABLE).await;
    let logged = logged(&fixture).await;
    assert_eq!(logged.len(), 4, "{logged:#?}");
    assert_eq!(logged[2], "Query ROLLBACK");
}

#[tokio::test]
async fn many_targets_are_read_at_once() {
    let fixture = Fixture::with_history().await;
    let url = fixture.url();
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { crate::support::read(url.as_str(), TABLE).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(crate::support::present(task.await.unwrap()), [good()]);
    }
}

#[tokio::test]
async fn a_long_history_comes_whole_and_in_order() {
    let sql = format!(
        "CREATE TABLE {TABLE} {CREATE}; INSERT INTO {TABLE} SELECT seq, repeat('x', 200), now(), true, sha2('x', 384), seq
         FROM seq_5000_to_1; GRANT SELECT ON $ROLE.* TO $ROLE"
    );
    let rows = Fixture::new(&sql).await.rows(TABLE).await;
    assert_eq!(rows.len(), 5000);
    assert!(rows.iter().zip(1..).all(|(row, version)| row.version.0 == version));
}

#[tokio::test]
async fn a_reader_neither_locks_rows_nor_waits_for_them() {
    let fixture = Fixture::with_history().await;
    let mut writer = fixture.admin().await;
    let sql = format!("BEGIN; UPDATE {TABLE} SET description = 'two', version = 2");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut writer).await.unwrap();
    assert_eq!(fixture.rows(TABLE).await, [good()]);
    sqlx::raw_sql("COMMIT").execute(&mut writer).await.unwrap();
    assert_eq!(fixture.rows(TABLE).await[0].version, Version(2));
}

#[tokio::test]
async fn a_row_larger_than_any_that_sqlx_writes_is_not_taken_in() {
    let fixture = Fixture::with_history().await;
    fixture.execute(&format!("UPDATE {TABLE} SET description = repeat('x', 5000)")).await;
    let error = fixture.failure(TABLE).await;
    assert_eq!(error.kind, DatabaseErrorKind::WrongShape);
    assert!(error.detail.ends_with("holds more than 4096 bytes"), "{error}");
}
