//! SQLite files: which are read at all, and nothing on the disk is ever changed.

mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use migration_preflight::gather::database;
use migration_preflight::history::{AbsentTable, DatabaseError, DatabaseErrorKind, DatabaseUrl, History, LookUp};
use migration_preflight::migration::{AppliedMigration, Checksum, Version};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

const TABLE: &str = "_sqlx_migrations";
const TIMEOUT: Duration = Duration::from_secs(20);
const CREATE: &str = "(version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
    execution_time BIGINT NOT NULL)";

/// A folder with one database in it.
struct Database {
    folder: tempfile::TempDir,
}

impl Database {
    async fn new(sql: &str) -> Self {
        let database = Self { folder: tempfile::tempdir().unwrap() };
        database.execute(sql).await;
        database
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    async fn writer(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        options.foreign_keys(false).connect().await.unwrap()
    }

    async fn execute(&self, sql: &str) {
        let mut connection = self.writer().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn read(&self, table: &str) -> Result<History, DatabaseError> {
        read(&format!("sqlite:{}", self.path().display()), table).await
    }

    async fn rows(&self, table: &str) -> Vec<AppliedMigration> {
        present(self.read(table).await)
    }

    /// Every file of the folder, with its bytes.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(self.folder.path())
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

async fn read(url: &str, table: &str) -> Result<History, DatabaseError> {
    database::history(&DatabaseUrl::parse(url).unwrap(), &LookUp::of(table), TIMEOUT).await
}

fn present(history: Result<History, DatabaseError>) -> Vec<AppliedMigration> {
    match history.unwrap() {
        History::Present(rows) => rows,
        History::Absent(absent) => panic!("{absent:?}"),
    }
}

fn absent(history: Result<History, DatabaseError>) -> AbsentTable {
    match history.unwrap() {
        History::Absent(absent) => absent,
        History::Present(rows) => panic!("{rows:?}"),
    }
}

/// A table with one row of these values.
fn with_row(table: &str, values: &str) -> String {
    format!("CREATE TABLE {table} {CREATE}; INSERT INTO {table} VALUES ({values})")
}

const GOOD: &str = "1, 'one', '2025-12-28 10:00:00', true, x'00ff', 17";

fn good() -> AppliedMigration {
    AppliedMigration {
        version: Version(1),
        description: "one".into(),
        installed_on: Some("2025-12-28 10:00:00".into()),
        success: true,
        checksum: Checksum::from_bytes([0, 255]),
        execution_time: 17,
    }
}

#[tokio::test]
async fn reading_leaves_no_trace() {
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    let before = database.files();
    assert_eq!(database.rows(TABLE).await, [good()]);
    assert!(database.read("other").await.is_ok());
    assert_eq!(database.files(), before);
    assert_eq!(before.len(), 1);
}

#[tokio::test]
async fn reading_in_wal_mode_sees_the_log_and_changes_neither_file() {
    let database = Database::new("").await;
    let options = SqliteConnectOptions::new().filename(database.path()).journal_mode(SqliteJournalMode::Wal);
    // Left open, so that the rows stay in the log.
    let mut writer = options.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(with_row(TABLE, GOOD))).execute(&mut writer).await.unwrap();
    let before = database.files();
    assert!(before["app.db-wal"].len() > 1000);

    assert_eq!(database.rows(TABLE).await, [good()]);

    let after = database.files();
    assert_eq!(after.keys().collect::<Vec<_>>(), ["app.db", "app.db-shm", "app.db-wal"]);
    assert_eq!(after["app.db"], before["app.db"]);
    assert_eq!(after["app.db-wal"], before["app.db-wal"]);
    writer.close().await.unwrap();
}

#[tokio::test]
async fn reading_a_wal_database_at_rest_leaves_at_most_sqlites_own_files() {
    let database = Database::new(&format!("PRAGMA journal_mode = WAL; {}", with_row(TABLE, GOOD))).await;
    let before = database.files();
    assert_eq!(database.rows(TABLE).await, [good()]);
    let mut after = database.files();
    assert_eq!(after.remove("app.db"), before.get("app.db").cloned());
    assert!(after.keys().all(|name| ["app.db-shm", "app.db-wal"].contains(&&**name)), "{:?}", after.keys());
    assert!(after.get("app.db-wal").is_none_or(Vec::is_empty));
}

#[tokio::test]
async fn a_log_left_by_a_crash_is_read_and_not_checkpointed() {
    let database = Database::new("").await;
    let options = SqliteConnectOptions::new().filename(database.path()).journal_mode(SqliteJournalMode::Wal);
    let mut writer = options.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(with_row(TABLE, GOOD))).execute(&mut writer).await.unwrap();
    let crashed = Database { folder: tempfile::tempdir().unwrap() };
    for name in ["app.db", "app.db-wal"] {
        std::fs::copy(database.folder.path().join(name), crashed.folder.path().join(name)).unwrap();
    }
    let before = crashed.files();

    assert_eq!(crashed.rows(TABLE).await, [good()]);

    let after = crashed.files();
    assert_eq!(after["app.db"], before["app.db"]);
    assert_eq!(after["app.db-wal"], before["app.db-wal"]);
}

#[tokio::test]
async fn an_absent_file_is_no_such_database_and_is_never_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent.db");
    for query in ["", "?mode=rwc", "?mode=rw", "?mode=ro&cache=shared", "?immutable=true", "?vfs=memdb"] {
        let error = read(&format!("sqlite:{}{query}", path.display()), TABLE).await.unwrap_err();
        assert_eq!(error.kind, DatabaseErrorKind::NoSuchDatabase, "{query}");
        assert_eq!(error.detail, format!("{} does not exist", path.display()));
    }
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn the_url_cannot_make_it_write_or_read_wrong_rows() {
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    let before = database.files();
    let queries = ["mode=rwc", "mode=rw", "immutable=1", "vfs=unix-none", "vfs=memdb", "cache=shared&mode=rwc"];
    for query in queries {
        let url = format!("sqlite://{}?{query}", database.path().display());
        assert_eq!(present(read(&url, TABLE).await), [good()], "{query}");
    }
    assert_eq!(database.files(), before);
}

#[tokio::test]
async fn an_in_memory_database_has_no_history() {
    let urls = [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite:%3Amemory%3A",
        "sqlite:app.db?mode=memory",
        "sqlite://?mode=memory",
    ];
    for url in urls {
        let error = read(url, TABLE).await.unwrap_err();
        assert_eq!(error.kind, DatabaseErrorKind::MalformedUrl, "{url}");
        assert_eq!(error.detail, "an in-memory database has no history");
    }
}

#[tokio::test]
async fn malformed_urls_are_named_so_without_quoting_them() {
    let urls = [
        "sqlite:",
        "sqlite://",
        "sqlite:app.db?key=hunter22",
        "sqlite:app.db?mode=hunter22",
        "sqlite:a%00b.db",
        "sqlite:file:app.db%3Fimmutable=1",
        "sqlite:file:app.db",
    ];
    for url in urls {
        let error = read(url, TABLE).await.unwrap_err();
        assert_eq!(error.kind, DatabaseErrorKind::MalformedUrl, "{url}");
        assert!(!error.to_string().contains("hunter"), "{error}");
    }
    assert_eq!(read("sqlite:%ff.db", TABLE).await.unwrap_err().kind, DatabaseErrorKind::NotUtf8);
}

#[tokio::test]
async fn a_path_with_odd_letters_is_one_path() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    std::fs::copy(database.path(), folder.path().join("a ?#%ä.db")).unwrap();
    let url = format!("sqlite:{}/a %3F%23%25ä.db", folder.path().display());
    assert_eq!(present(read(&url, TABLE).await), [good()]);
}

#[tokio::test]
async fn what_is_no_database_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, "no database at all. ".repeat(100)).unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let at = |path: &Path| format!("sqlite:{}", path.display());

    let directory = read(&at(folder.path()), TABLE).await.unwrap_err();
    assert_eq!(directory.kind, DatabaseErrorKind::Unintelligible);
    assert!(directory.detail.ends_with("is a directory"), "{directory}");
    let device = read("sqlite:/dev/null", TABLE).await.unwrap_err();
    assert_eq!(device.detail, "/dev/null is not a regular file");
    let below = read(&at(&garbage.join("app.db")), TABLE).await.unwrap_err();
    assert_eq!(below.kind, DatabaseErrorKind::NoSuchDatabase);
    let error = read(&at(&garbage), TABLE).await.unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::Unintelligible);
    assert_eq!(error.detail, format!("{}: file is not a database", garbage.display()));
    // SQLite and sqlx take a file without a byte for a database without a table.
    assert_eq!(absent(read(&at(&empty), TABLE).await).table, TABLE);
    assert_eq!(std::fs::read(&empty).unwrap(), b"");
}

#[tokio::test]
async fn a_truncated_database_is_unintelligible() {
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    let bytes = std::fs::read(database.path()).unwrap();
    for length in [50, 100, 4096, bytes.len() - 1] {
        std::fs::write(database.path(), &bytes[..length]).unwrap();
        if let Err(error) = database.read(TABLE).await {
            assert_eq!(error.kind, DatabaseErrorKind::Unintelligible, "{length}: {error}");
        }
    }
}

#[tokio::test]
async fn a_locked_database_times_out() {
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    let mut writer = database.writer().await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut writer).await.unwrap();
    let url = DatabaseUrl::parse(format!("sqlite:{}", database.path().display())).unwrap();
    let start = Instant::now();
    let error = database::history(&url, &LookUp::of(TABLE), Duration::from_millis(1200)).await.unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::Slow, "{error}");
    assert!(error.detail.ends_with("database is locked"), "{error}");
    assert!((800..4000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    sqlx::raw_sql("ROLLBACK").execute(&mut writer).await.unwrap();
    assert_eq!(database.rows(TABLE).await, [good()]);
}

#[tokio::test]
async fn a_writer_at_work_does_not_keep_a_reader_out() {
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    let mut writer = database.writer().await;
    sqlx::raw_sql("BEGIN IMMEDIATE; DELETE FROM _sqlx_migrations").execute(&mut writer).await.unwrap();
    assert_eq!(database.rows(TABLE).await, [good()]);
}

#[tokio::test]
async fn a_view_without_end_times_out() {
    let endless = format!(
        "CREATE VIEW {TABLE} AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS version, \
         '' AS description, '' AS installed_on, true AS success, x'' AS checksum, count(*) AS execution_time FROM r"
    );
    let database = Database::new(&endless).await;
    let url = DatabaseUrl::parse(format!("sqlite:{}", database.path().display())).unwrap();
    let error = database::history(&url, &LookUp::of(TABLE), Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(error.kind, DatabaseErrorKind::Slow, "{error}");
}

/// Root may read and write everything, so that this runs again as nobody, from a copy that nobody may execute.
#[cfg(unix)]
#[test]
fn permissions_are_respected() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    const MARK: &str = "PREFLIGHT_TEST_AS_NOBODY";
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let probe = folder.path().join("probe");
    std::fs::write(&probe, "").unwrap();
    std::fs::set_permissions(&probe, PermissionsExt::from_mode(0o0)).unwrap();
    if std::fs::read(&probe).is_err() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(permissions_as_an_ordinary_user());
    }
    assert!(std::env::var_os(MARK).is_none(), "nobody can read everything");
    let copy = folder.path().join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let mut command = std::process::Command::new(copy);
    command.args(["--exact", "sqlite::permissions_are_respected"]).env(MARK, "1").env("TMPDIR", "/tmp");
    let output = command.current_dir("/").uid(65534).gid(65534).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{output:?}");
}

#[cfg(unix)]
async fn permissions_as_an_ordinary_user() {
    use std::os::unix::fs::PermissionsExt;

    let set = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let database = Database::new(&with_row(TABLE, GOOD)).await;
    // A read-only file in a read-only directory is enough.
    set(&database.path(), 0o444);
    set(database.folder.path(), 0o555);
    assert_eq!(database.rows(TABLE).await, [good()]);
    set(&database.path(), 0);
    assert_eq!(database.read(TABLE).await.unwrap_err().kind, DatabaseErrorKind::FileForbidden);
    set(database.folder.path(), 0);
    assert_eq!(database.read(TABLE).await.unwrap_err().kind, DatabaseErrorKind::FileForbidden);
    set(database.folder.path(), 0o755);
    set(&database.path(), 0o644);
    // In WAL mode SQLite wants to write beside the file.
    database.execute("PRAGMA journal_mode = WAL").await;
    set(database.folder.path(), 0o555);
    let error = database.read(TABLE).await.unwrap_err();
    set(database.folder.path(), 0o755);
    assert_eq!(error.kind, DatabaseErrorKind::FileForbidden);
    assert!(error.kind.help().contains("WAL"), "{error}");
}
