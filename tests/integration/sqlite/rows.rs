//! What is read from an SQLite history: what sqlx itself would read.

use migration_preflight::history::{AbsentTable, DatabaseErrorKind};
use migration_preflight::migration::{AppliedMigration, Checksum, Version};
use sqlx::migrate::{Migrator, ResolveWith};
use sqlx::{Connection, Row};

use super::{Database, GOOD, TABLE, absent, good, with_row};

#[tokio::test]
async fn what_sqlx_wrote_comes_back_column_by_column() {
    let database = Database::new("").await;
    let migrations = tempfile::tempdir().unwrap();
    let files = [
        ("-5_before.sql", "SELECT 1"),
        ("007_first_one.sql", "CREATE TABLE a (x)"),
        ("20260107_Größe.up.sql", "--\r\n"),
    ];
    for (name, content) in files {
        std::fs::write(migrations.path().join(name), content).unwrap();
    }
    let migrator = Migrator::new(ResolveWith(migrations.path(), Default::default())).await.unwrap();
    let mut writer = database.writer().await;
    migrator.run_direct(None, &mut writer, false).await.unwrap();
    let written = sqlx::query("SELECT installed_on AS i, execution_time AS e FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut writer)
        .await
        .unwrap();
    writer.close().await.unwrap();

    let rows = database.rows(TABLE).await;

    let expected: Vec<_> = [(-5, "before"), (7, "first one"), (20_260_107, "Größe")]
        .into_iter()
        .zip(files)
        .zip(&written)
        .map(|(((version, description), (_, content)), row)| AppliedMigration {
            version: Version(version),
            description: description.into(),
            installed_on: row.get_unchecked("i"),
            success: true,
            checksum: Checksum::of(content),
            execution_time: row.get("e"),
        })
        .collect();
    assert_eq!(rows, expected);
    assert!(rows.iter().all(|row| row.execution_time > 0 && row.installed_on.is_some()));
}

#[tokio::test]
async fn table_names_are_found_as_sqlite_finds_them() {
    let database = Database::new(&with_row("\"Ops \"\"M\"", GOOD)).await;
    for table in ["\"Ops \"\"M\"", "[ops \"m]", "`OPS \"M`", "main.\"Ops \"\"M\"", "MAIN . [Ops \"M]"] {
        assert_eq!(database.rows(table).await, [good()], "{table}");
    }
    for table in ["ops", "temp.[Ops \"M]", "\"Ops \"\"\""] {
        let found = absent(database.read(table).await);
        assert_eq!(found, AbsentTable { table: table.into(), ..AbsentTable::default() });
    }
    let unknown = absent(database.read("other.[Ops \"M]").await);
    assert_eq!(unknown.absent_schema.as_deref(), Some("other"));
    let hostile = database.read("x; DROP TABLE y").await.unwrap_err();
    assert_eq!(hostile.kind, DatabaseErrorKind::TableName);
}

#[tokio::test]
async fn a_view_is_a_table_and_an_index_is_none() {
    let sql = format!("{}; CREATE VIEW history AS SELECT * FROM t; CREATE INDEX i ON t (success)", with_row("t", GOOD));
    let database = Database::new(&sql).await;
    assert_eq!(database.rows("history").await, [good()]);
    assert_eq!(absent(database.read("i").await).table, "i");
}

#[tokio::test]
async fn a_row_is_dirty_where_sqlx_finds_it_dirty() {
    let sql = format!(
        "CREATE TABLE {TABLE} (version, description, installed_on, success BOOLEAN, checksum, execution_time);
         INSERT INTO {TABLE} VALUES (1,'',0,false,x'',0), (2,'',0,0.0,x'',0), (3,'',0,'0',x'',0), (4,'',0,'false',x'',0),
         (5,'',0,2,x'',0), (6,'',0,NULL,x'',0), (7,'',0,true,x'',0), (8,'',0,x'00',x'',0)"
    );
    let database = Database::new(&sql).await;
    let mut writer = database.writer().await;
    let query = format!("SELECT version FROM {TABLE} WHERE success = false ORDER BY version");
    let dirty: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(&mut writer).await.unwrap();
    let rows = database.rows(TABLE).await;
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.iter().filter(|row| !row.success).map(|row| row.version.0).collect::<Vec<_>>(), dirty);
    assert_eq!(dirty, [1, 2, 3]);
}

#[tokio::test]
async fn hostile_values_come_back_as_they_are() {
    let values = "-9223372036854775808, 'a' || char(10) || '::error::' || char(0) || 'b', 'no time', true, x'', -1";
    let rows = Database::new(&with_row(TABLE, values)).await.rows(TABLE).await;
    assert_eq!(
        rows,
        [AppliedMigration {
            version: Version(i64::MIN),
            description: "a\n::error::\0b".into(),
            installed_on: Some("no time".into()),
            success: true,
            checksum: Checksum::from_bytes([]),
            execution_time: -1,
        }]
    );
    let text = Database::new(&with_row(TABLE, "1, x'ff41', 7, 1, 'text', 0")).await.rows(TABLE).await;
    assert_eq!((&*text[0].description, text[0].checksum.as_bytes()), ("\u{fffd}A", &b"text"[..]));
}

#[tokio::test]
async fn a_value_that_is_no_history_names_its_column() {
    let cases = [
        ("version", "'abc', '', 0, true, x'', 0"),
        ("version", "1.5, '', 0, true, x'', 0"),
        ("version", "NULL, '', 0, true, x'', 0"),
        ("checksum", "1, '', 0, true, 17, 0"),
        ("execution_time", "1, '', 0, true, x'', 'long'"),
    ];
    for (column, values) in cases {
        let error = Database::new(&with_row(TABLE, values)).await.read(TABLE).await.unwrap_err();
        assert_eq!(error.kind, DatabaseErrorKind::WrongShape, "{values}");
        assert!(error.detail.contains(&format!("`{column}`")), "{error}");
    }
}

#[tokio::test]
async fn a_table_of_another_shape_names_the_column() {
    let error = Database::new(&format!("CREATE TABLE {TABLE} (version)")).await.read(TABLE).await.unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::WrongShape);
    assert!(error.detail.ends_with("no such column: description"), "{error}");
}

#[tokio::test]
async fn a_row_larger_than_any_that_sqlx_writes_is_not_taken_in() {
    let long = with_row(TABLE, "1, hex(zeroblob(3000)), 0, true, x'', 0");
    let error = Database::new(&long).await.read(TABLE).await.unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::WrongShape);
    assert_eq!(error.detail, "the row of version 1 holds more than 4096 bytes");
}
