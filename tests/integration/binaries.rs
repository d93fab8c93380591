//! What is predicted from a binary against what that binary does: services with sqlx 0.7, 0.8 and 0.9, as `cargo build` makes
//! them and as small as can be (`tests/oracles/binaries`), started against copies of a database.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use migration_preflight::embedded::Known;
use migration_preflight::gather::database::history;
use migration_preflight::gather::{binary, directory};
use migration_preflight::history::{DatabaseUrl, Engine, History};
use migration_preflight::migration::{AppliedMigration, Checksum, MigrationKind};
use migration_preflight::source::SourceError;
use migration_preflight::sqlx_toml::SqlxToml;
use migration_preflight::startup::{Outcome, predict};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection};

use crate::shared::worlds::scratch;

const VERSIONS: [&str; 3] = ["0.7", "0.8", "0.9"];
const ORACLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/binaries/worlds");

/// A service: how it is built, its name, and the folder that its migrations are in.
const SERVICES: [(&str, &str, &str); 8] = [
    ("debug", "inline", "shop"),
    ("debug", "fixed", "shop"),
    ("debug", "twins-inline", "twins"),
    ("debug", "twins-fixed", "twins"),
    ("debug", "renumbered", "renumbered"),
    ("release", "inline", "shop"),
    ("release", "twins-fixed", "twins"),
    ("release", "renumbered", "renumbered"),
];

fn service(version: &str, profile: &str, name: &str) -> PathBuf {
    let path = format!("{}/target/oracles/binaries/sqlx-{version}/{profile}/{name}", env!("CARGO_MANIFEST_DIR"));
    assert!(Path::new(&path).is_file(), "{path} is not there: tests/oracles/binaries/run.sh builds it");
    path.into()
}

/// What the checkout of a service whose migrations are in `world` knows.
fn checkout(world: &str) -> Vec<Known> {
    let defined = directory::read(Path::new(ORACLES), Path::new(world)).unwrap();
    let known = |migration: migration_preflight::migration::Migration| Known {
        version: migration.version,
        description: migration.description,
        kind: migration.kind,
        checksum: migration.checksum,
        path: Some(migration.path),
        commit: None,
    };
    defined.migrations.into_iter().map(known).collect()
}

fn row(row: &AppliedMigration) -> Known {
    Known {
        version: row.version,
        description: row.description.clone(),
        kind: MigrationKind::Simple,
        checksum: row.checksum.clone(),
        path: None,
        commit: None,
    }
}

fn checksum(world: &str, name: &str) -> Checksum {
    Checksum::of(fs::read(format!("{ORACLES}/{world}/{name}")).unwrap())
}

/// What somebody does to a database in which everything is applied, by the world that the service is of. `*` is any world.
fn changes() -> Vec<(&'static str, String)> {
    let insert = |version: i64, checksum: &Checksum| {
        format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, 'row', TRUE, X'{checksum}', 1);"
        )
    };
    let becomes = |version: i64, checksum: &dyn std::fmt::Display| {
        format!("UPDATE _sqlx_migrations SET checksum = X'{checksum}' WHERE version = {version};")
    };
    let gone = |version: i64| format!("DELETE FROM _sqlx_migrations WHERE version = {version};");
    let no_currency = gone(20251228093015) + "ALTER TABLE orders DROP COLUMN currency;";
    let dirty = |version: i64| format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {version};");
    let price = checksum("shop", "20251201_add_price.sql");
    let [nothing, empty] = ["2_nothing.sql", "20251201_empty.sql"].map(|name| checksum("twins", name));
    vec![
        ("*", String::new()),
        ("*", insert(20260401, &Checksum::of("nobody has it"))),
        ("*", insert(-1, &Checksum::of("nobody has it"))),
        ("*", becomes(1, &Checksum::of("nobody has it"))),
        ("*", becomes(1, &"00".repeat(48))),
        ("*", becomes(1, &"")),
        ("*", dirty(1) + &insert(20260401, &price)),
        // Nobody but the database knows that there was another one, and the binary has its content under other versions.
        ("*", insert(20260401, &price)),
        ("*", insert(4, &nothing)),
        ("*", insert(4, &empty)),
        ("shop", gone(20260107101500) + "DROP TABLE notes;"),
        ("shop", no_currency.clone()),
        ("shop", no_currency + &becomes(20260107101500, &price)),
        ("shop", becomes(7, &checksum("shop", "007_orders.down.sql"))),
        ("shop", becomes(20251201, &checksum("shop", "1_customers.sql"))),
        ("shop", insert(20251202, &price) + &gone(20251201)),
        ("renumbered", insert(20251201, &price) + &gone(20251202)),
        ("renumbered", insert(20251201, &price)),
        ("renumbered", insert(20260107101500, &Checksum::of("of a down file nobody asks"))),
        ("renumbered", becomes(20251228093015, &checksum("shop", "20251228093015_add_currency.sql"))),
        ("renumbered", gone(20260201000000) + "DROP TABLE strange;"),
        ("renumbered", becomes(20260201000000, &price)),
        ("twins", gone(3)),
        ("twins", gone(20251201) + &gone(20251202)),
        ("twins", becomes(3, &empty)),
        ("twins", becomes(20251201, &nothing)),
        ("twins", becomes(20260107101500, &checksum("twins", "20260107101500_nothing.down.sql"))),
    ]
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn versions(path: &Path) -> Vec<i64> {
    let mut database = open(path).await;
    let select = "SELECT version FROM _sqlx_migrations ORDER BY rowid";
    let versions = sqlx::query_scalar(select).fetch_all(&mut database).await.unwrap_or_default();
    database.close().await.unwrap();
    versions
}

/// What a start came to: its error, and the versions that it applied.
#[derive(Debug, PartialEq)]
struct Start {
    error: Option<String>,
    applied: Vec<i64>,
}

/// Starts a service with a copy of the database.
async fn start(service: &Path, prepared: &Path, arguments: &[&str]) -> Start {
    let copy = prepared.with_file_name("copy.db");
    fs::copy(prepared, &copy).unwrap();
    let before: BTreeSet<i64> = versions(&copy).await.into_iter().collect();
    let output = Command::new(service).arg(&copy).args(arguments).output().unwrap();
    let error = (!output.status.success()).then(|| String::from_utf8(output.stderr).unwrap());
    let applied = versions(&copy).await.into_iter().filter(|version| !before.contains(version)).collect();
    Start { error, applied }
}

async fn rows(prepared: &Path) -> History {
    let url = DatabaseUrl::parse(format!("sqlite:{}", prepared.display())).unwrap();
    history(&url, "_sqlx_migrations", &[], Duration::from_secs(60)).await.unwrap()
}

/// What is said of a start, when what `world` has and the rows are known.
fn predicted(service: &Path, world: &str, history: &History, ignore_missing: bool) -> Result<Start, SourceError> {
    let known: Vec<Known> = checkout(world).into_iter().chain(history.rows().iter().map(row)).collect();
    let binary = binary::read(Path::new("/"), service, &known, &SqlxToml::default())?;
    let outcome = predict(&binary.defined, history, Engine::Sqlite, ignore_missing);
    assert_ne!(outcome, Outcome::Unknown);
    let applied = outcome.applies().iter().map(|version| version.0).collect();
    Ok(Start { error: outcome.error().map(ToString::to_string), applied })
}

/// A database in which `service` has applied everything, changed by `change`.
async fn prepare(folder: &Path, service: &Path, change: &str) -> PathBuf {
    let path = folder.join("prepared.db");
    fs::write(&path, "").unwrap();
    assert!(Command::new(service).arg(&path).status().unwrap().success(), "{}", service.display());
    let mut database = open(&path).await;
    database.execute(AssertSqlSafe(change)).await.unwrap();
    database.close().await.unwrap();
    path
}

/// The databases that a service of `world` is started with.
async fn databases(folder: &Path, service: &Path, world: &str) -> Vec<(String, PathBuf)> {
    let changes = changes().into_iter().filter(|(of, _)| [world, "*"].contains(of));
    let mut databases = Vec::new();
    for (number, (_, change)) in changes.enumerate() {
        let folder = folder.join(number.to_string());
        fs::create_dir(&folder).unwrap();
        databases.push((change.clone(), prepare(&folder, service, &change).await));
    }
    let empty = folder.join("empty.db");
    fs::write(&empty, "").unwrap();
    databases.push(("an empty database".to_owned(), empty));
    databases
}

#[tokio::test]
async fn a_binary_does_what_is_predicted_of_it() {
    let mut met = BTreeSet::new();
    for version in VERSIONS {
        for (profile, name, world) in SERVICES {
            let (folder, service) = (scratch(), service(version, profile, name));
            for (change, database) in databases(folder.path(), &service, world).await {
                let history = rows(&database).await;
                let can_ignore = !name.contains("fixed");
                for ignores in [false, true].into_iter().take(1 + usize::from(can_ignore)) {
                    let argument: &[&str] = if ignores { &["ignore-missing"] } else { &[] };
                    let observed = start(&service, &database, argument).await;
                    for known in [world, "shop", "twins", "renumbered"] {
                        let predicted = predicted(&service, known, &history, ignores);
                        let case = format!("sqlx {version} {profile} {name}, {known} known, {ignores}: {change}");
                        match predicted {
                            Ok(predicted) => assert_eq!(predicted, observed, "{case}"),
                            // Without rows, a service has nothing that another service knows.
                            Err(SourceError::NothingEmbedded { others, .. }) => {
                                assert!(history.rows().is_empty() && known != world && others > 5, "{case}");
                            }
                            Err(error) => panic!("{case}: {error}"),
                        }
                    }
                    let words = observed.error.map(|error| error.replace(|c: char| c.is_ascii_digit() || c == '-', ""));
                    met.insert((words, !observed.applied.is_empty()));
                }
            }
        }
    }
    // Starts, applies, dirty, missing, mismatch, and mismatch after applying.
    assert_eq!(met.len(), 6, "{met:#?}");
}
