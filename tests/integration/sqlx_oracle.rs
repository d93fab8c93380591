//! Our resolver and our prediction against those of sqlx itself: any directory, and any start on SQLite.
//!
//! `PREFLIGHT_ORACLE_CASES=100000 cargo test --release --test integration sqlx_oracle` runs the long form;
//! see [`crate::shared::worlds::seeds`].

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use migration_preflight::gather::directory;
use migration_preflight::history::{DatabaseUrl, Engine};
use migration_preflight::migration::{Checksum, MigrationKind};
use migration_preflight::source::{Defined, SourceError};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection};

use crate::shared::oracle::{Met, OUTCOMES, Observed, agree, migrators, predicted, resolve};
use crate::shared::starts::Start;
use crate::shared::worlds::{Contents, Dice, World, rerun, scratch, seeds};

/// What both sides must say of a migration.
type Resolved = (i64, u8, String, Checksum);

fn ours(defined: &Defined) -> Vec<Resolved> {
    let rank = |kind| match kind {
        MigrationKind::Simple => 0,
        MigrationKind::ReversibleUp => 1,
        MigrationKind::ReversibleDown => 2,
    };
    let all = defined.migrations.iter();
    all.map(|m| (m.version.0, rank(m.kind), m.description.clone(), m.checksum.clone())).collect()
}

fn theirs(migrations: &[Migration]) -> Vec<Resolved> {
    let rank = |kind| match kind {
        MigrationType::Simple => 0,
        MigrationType::ReversibleUp => 1,
        MigrationType::ReversibleDown => 2,
    };
    let all = migrations.iter();
    all.map(|m| {
        (m.version, rank(m.migration_type), m.description.to_string(), Checksum::from_bytes(m.checksum.to_vec()))
    })
    .collect()
}

/// Whether two resolutions agree: the same multiset, in the same order of version and kind.
fn same(mut ours: Vec<Resolved>, mut theirs: Vec<Resolved>) -> bool {
    let order = |all: &[Resolved]| all.iter().map(|resolved| (resolved.0, resolved.1)).collect::<Vec<_>>();
    let ordered = order(&ours) == order(&theirs);
    ours.sort();
    theirs.sort();
    ordered && ours == theirs
}

fn check_directory(
    ours_read: Result<Defined, SourceError>,
    theirs_read: Result<Vec<Migration>, sqlx::error::BoxDynError>,
) -> Result<&'static str, String> {
    match (ours_read, theirs_read) {
        (Ok(defined), Ok(migrations)) if defined.invalid.is_empty() => {
            let (ours, theirs) = (ours(&defined), theirs(&migrations));
            if !same(ours.clone(), theirs.clone()) {
                return Err(format!("ours: {ours:?}\nsqlx: {theirs:?}"));
            }
            Ok(if ours.is_empty() { "empty" } else { "resolved" })
        }
        (Ok(defined), Err(_)) if !defined.invalid.is_empty() => Ok("invalid"),
        (Err(_), Err(_)) => Ok("unreadable"),
        (ours, theirs) => Err(format!("ours: {ours:?}\nsqlx: {theirs:?}")),
    }
}

#[tokio::test]
async fn a_directory_resolves_as_sqlx_resolves_it() {
    let mut met = Met::default();
    for seed in seeds(4_000) {
        let world = World::draw(&mut Dice::new(seed), Contents::Anything);
        let root = scratch();
        world.write(root.path());
        let ours = directory::read(root.path(), Path::new(world.directory));
        let theirs = resolve(root.path(), &world).await;
        match check_directory(ours, theirs) {
            Ok(kind) => met.count(kind),
            Err(difference) => panic!("{}\n{world:?}\n{difference}", rerun(seed)),
        }
    }
    met.assert_every(&["empty", "resolved", "invalid", "unreadable"]);
}

#[tokio::test]
async fn what_is_no_directory_is_none_for_sqlx() {
    let root = scratch();
    let path = |name: &str| root.path().join(name);
    fs::write(path("file"), "").unwrap();
    fs::create_dir(path("real")).unwrap();
    fs::write(path("real/1_a.sql"), "SELECT 1;").unwrap();
    symlink("nothing", path("dangling")).unwrap();
    symlink("real", path("link")).unwrap();
    symlink("loop", path("loop")).unwrap();
    for (name, expected) in [
        ("absent", "unreadable"),
        ("file", "unreadable"),
        ("file/below", "unreadable"),
        ("dangling", "unreadable"),
        ("loop", "unreadable"),
        ("link", "resolved"),
        ("link/../real/.", "resolved"),
    ] {
        let theirs = Migrator::new(path(name)).await.map(|migrator| migrator.migrations.into_owned());
        let kind = check_directory(directory::read(root.path(), Path::new(name)), theirs.map_err(Into::into));
        assert_eq!(kind.as_deref(), Ok(expected), "{name}");
    }
}

/// A database file that nothing waits for a disk for.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
}

async fn versions(database: &mut SqliteConnection, table: &str) -> Vec<i64> {
    let select = AssertSqlSafe(format!("SELECT CAST(version AS BIGINT) FROM {table} ORDER BY rowid"));
    sqlx::query_scalar(select).fetch_all(database).await.unwrap_or_default()
}

async fn run(path: &Path, start: &Start, migrator: Result<Migrator, MigrateError>) -> Observed {
    let mut database = options(path).connect().await.unwrap();
    let before: BTreeSet<i64> = versions(&mut database, start.place.table).await.into_iter().collect();
    let error = match migrator {
        Ok(migrator) => migrator.run(&mut database).await.err(),
        Err(error) => Some(error),
    };
    let after = versions(&mut database, start.place.table).await;
    database.close().await.unwrap();
    Observed { error, applied: after.into_iter().filter(|version| !before.contains(version)).collect() }
}

async fn check_start(root: &Path, start: &Start, dice: &mut Dice) -> Result<&'static str, String> {
    start.world.write(root);
    let prepared = root.join("prepared.db");
    let mut database = options(&prepared).connect().await.unwrap();
    database.execute(AssertSqlSafe(start.sql())).await.unwrap();
    database.close().await.unwrap();
    let url = DatabaseUrl::parse(format!("sqlite:{}", prepared.display())).unwrap();
    let predicted = predicted(root, start, &url).await;
    let mut kind = Err("no run".to_owned());
    for migrator in migrators(start, resolve(root, &start.world).await, dice) {
        let copy = root.join("copy.db");
        fs::copy(&prepared, &copy).unwrap();
        let observed = run(&copy, start, migrator).await;
        kind = agree(&predicted, &observed);
        if kind.is_err() {
            return kind.map_err(|why| format!("{why}\nsqlx: {observed:?}\nours: {predicted:?}"));
        }
    }
    kind
}

#[tokio::test]
async fn a_start_on_sqlite_comes_to_what_is_predicted() {
    let mut met = Met::default();
    for seed in seeds(1_500) {
        let mut dice = Dice::new(seed);
        let start = Start::draw(&mut dice, Engine::Sqlite);
        let root = scratch();
        match check_start(root.path(), &start, &mut dice).await {
            Ok(kind) => met.count(kind),
            Err(difference) => panic!("{}\n{start}\n{difference}", rerun(seed)),
        }
    }
    met.assert_every(&OUTCOMES);
}
