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
use migration_preflight::history::{DatabaseUrl, Engine, History, LookUp};
use migration_preflight::migration::Checksum;
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
    defined.migrations.iter().map(Known::from).collect()
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
    let no_price = "ALTER TABLE orders DROP COLUMN price;";
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
        ("shop", insert(20251202, &price) + &gone(20251201) + no_price),
        ("renumbered", insert(20251201, &price) + &gone(20251202) + no_price),
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
    history(&url, &LookUp::of("_sqlx_migrations"), Duration::from_secs(60)).await.unwrap()
}

/// What is said of a start, when what `world` has and the rows are known.
fn predicted(service: &Path, world: &str, history: &History, ignore_missing: bool) -> Result<Start, SourceError> {
    let known: Vec<Known> = checkout(world).into_iter().chain(history.rows().iter().map(Known::from)).collect();
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

/// One start: which service with which database, and whether it ignores what is missing.
struct Case<'a> {
    name: String,
    service: &'a Path,
    world: &'a str,
    history: &'a History,
    ignores: bool,
}

impl Case<'_> {
    /// Whatever is known beside the rows, be it of another service, the binary itself tells what it embeds.
    fn agrees(&self, observed: &Start, worlds: &[&str]) {
        for world in worlds {
            let name = format!("{world} known, {}", self.name);
            match predicted(self.service, world, self.history, self.ignores) {
                Ok(predicted) => assert_eq!(predicted, *observed, "{name}"),
                // Without rows, a service has nothing that another service knows.
                Err(SourceError::NothingEmbedded { others, .. }) => {
                    assert!(self.history.rows().is_empty() && *world != self.world && others > 5, "{name}");
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    /// A binary of which nobody can follow the pointers, as of another system: the same is said of it, or nothing.
    fn agrees_without_pointers(&self, observed: &Start, service: &Path) -> bool {
        match predicted(service, self.world, self.history, self.ignores) {
            Ok(predicted) => assert_eq!(predicted, *observed, "without pointers, {}", self.name),
            Err(SourceError::Unclear { .. }) => return false,
            Err(error) => panic!("without pointers, {}: {error}", self.name),
        }
        true
    }

    /// A binary without an array, as of another architecture: no start is promised that fails.
    fn agrees_without_array(&self, observed: &Start, service: &Path) -> bool {
        match predicted(service, self.world, self.history, self.ignores) {
            Ok(predicted) => assert!(
                predicted.error.is_some() || observed.error.is_none(),
                "without array, {}: {predicted:?} {observed:?}",
                self.name
            ),
            Err(SourceError::Unclear { .. }) => return false,
            Err(error) => panic!("without array, {}: {error}", self.name),
        }
        true
    }
}

/// The same file without what tells where its pointers lead, and without the array of migrations.
fn blinded(folder: &Path, service: &Path) -> [PathBuf; 2] {
    let mut bytes = fs::read(service).unwrap();
    // `e_machine`
    bytes[18] = 0;
    let paths = ["pointers", "array"].map(|name| folder.join(name));
    fs::write(&paths[0], &bytes).unwrap();
    for word in bytes.as_chunks_mut::<8>().0.iter_mut().filter(|word| **word == (1_u64 << 63).to_le_bytes()) {
        word[0] = 1;
    }
    fs::write(&paths[1], &bytes).unwrap();
    paths
}

#[tokio::test]
async fn a_binary_does_what_is_predicted_of_it() {
    let (mut met, mut told, mut asked) = (BTreeSet::new(), [0; 2], 0);
    for version in VERSIONS {
        for (profile, name, world) in SERVICES {
            let (folder, service) = (scratch(), service(version, profile, name));
            let [without_pointers, without_array] = blinded(folder.path(), &service);
            for (change, database) in databases(folder.path(), &service, world).await {
                let history = rows(&database).await;
                let can_ignore = !name.contains("fixed");
                for ignores in [false, true].into_iter().take(1 + usize::from(can_ignore)) {
                    let argument: &[&str] = if ignores { &["ignore-missing"] } else { &[] };
                    let observed = start(&service, &database, argument).await;
                    let name = format!("sqlx {version} {profile} {name} {argument:?}: {change}");
                    let case = Case { name, service: &service, world, history: &history, ignores };
                    // The small ones stand for all: reading takes a while, as this is built.
                    if profile == "release" && !ignores {
                        case.agrees(&observed, &["shop", "twins", "renumbered"]);
                        told[0] += usize::from(case.agrees_without_pointers(&observed, &without_pointers));
                        told[1] += usize::from(case.agrees_without_array(&observed, &without_array));
                        asked += 1;
                    } else {
                        case.agrees(&observed, &[world]);
                    }
                    let words = observed.error.map(|error| error.replace(|c: char| c.is_ascii_digit() || c == '-', ""));
                    met.insert((words, !observed.applied.is_empty()));
                }
            }
        }
    }
    // Starts, applies, dirty, missing, mismatch, and mismatch after applying.
    assert_eq!(met.len(), 6, "{met:#?}");
    // Even then something is told, save of twins.
    assert!(told.iter().all(|told| told * 4 > asked), "{told:?} of {asked}");
}

#[test]
fn a_service_that_reads_its_migrations_at_its_start_embeds_none() {
    for version in VERSIONS {
        let service = service(version, "debug", "at-start");
        let read = binary::read(Path::new("/"), &service, &checkout("shop"), &SqlxToml::default());
        assert!(matches!(read, Err(SourceError::NothingEmbedded { known: 7, others: 0, .. })), "{read:?}");
    }
}

#[test]
fn of_a_content_that_nobody_knows_the_binary_has_checksum_and_description() {
    for version in VERSIONS {
        let known: Vec<Known> = checkout("renumbered").into_iter().take(3).collect();
        let service = service(version, "release", "renumbered");
        let binary = binary::read(Path::new("/"), &service, &known, &SqlxToml::default()).unwrap();
        let all = binary.defined.migrations.iter();
        let all: Vec<_> = all.map(|m| (m.version, m.kind, m.description.clone(), m.checksum.clone())).collect();
        let expected = checkout("renumbered").into_iter().map(|k| (k.version, k.kind, k.description, k.checksum));
        assert_eq!(all, expected.collect::<Vec<_>>(), "{version}");
        assert_eq!(binary.known.iter().flatten().count(), 3);
    }
}
