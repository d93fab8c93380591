//! Snapshots of histories on real servers: a check says the same of them, and nothing secret is in them.

use serde_json::Value;

use crate::mysql;
use crate::shared::repository::Repository;
use crate::support::{self, Fixture, PIECES, TABLE};

const FILE: &str = "snapshot.json";

/// The report of a run, and its exit code.
fn report(repository: &Repository, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, Value) {
    let run = repository.run_with(&[arguments, &["--format", "json"]].concat(), environment);
    (run.code, serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}")))
}

#[tokio::test]
async fn a_check_of_a_snapshot_says_what_a_check_of_the_servers_says() {
    let rows = support::history(TABLE)
        + "INSERT INTO _sqlx_migrations VALUES (-3, 'minus', now(), true, '', -1), (9, 'nine', now(), false, 'x', 1);";
    let rows = Fixture::new(&(rows + "GRANT SELECT ON _sqlx_migrations TO $ROLE")).await;
    let elsewhere = "CREATE SCHEMA aside; GRANT USAGE ON SCHEMA aside TO $ROLE;".to_owned()
        + &support::history("aside._sqlx_migrations")
        + "GRANT SELECT ON aside._sqlx_migrations TO $ROLE";
    let elsewhere = Fixture::new(&elsewhere).await;
    let absent = Fixture::new("").await;
    let maria = mysql::support::Fixture::with_history().await;
    let urls = [
        ("ROWS_URL", rows.url().to_string()),
        ("ELSEWHERE_URL", elsewhere.url().to_string()),
        ("ABSENT_URL", absent.url().to_string()),
        ("MARIA_URL", maria.url().to_string()),
    ];
    let config = "services: { api: { migrations: migrations } }\n\
        defaults: { database-url: '${{ENVIRONMENT}_URL}' }\n\
        environments: { rows: {}, elsewhere: {}, absent: { table: nowhere._sqlx_migrations }, maria: {} }\n";
    let repository = Repository::new().file("migrations/1_one.sql", "SELECT 1;\n").config(config);
    tokio::task::spawn_blocking(move || {
        let urls: Vec<_> = urls.iter().map(|(name, url)| (*name, url.as_str())).collect();
        let asked = report(&repository, &[], &urls);
        let run = repository.run_with(&["snapshot", "--output", FILE], &urls);
        assert_eq!(run.code, 0, "{run}");
        let (code, mut told) = report(&repository, &["--snapshot", FILE], &[]);
        for target in told["targets"].as_array_mut().unwrap() {
            assert_eq!(target["snapshot"].take()["file"], FILE);
        }
        told["title"] = asked.1["title"].clone();
        assert_eq!(asked, (code, told));
        let rules = asked.1.to_string();
        for rule in ["checksum-mismatch", "missing-migration", "dirty-migration", "no-history", "nowhere", "aside"] {
            assert!(rules.contains(rule), "{rule}: {:#}", asked.1);
        }
        let written = std::fs::read_to_string(repository.path().join(FILE)).unwrap();
        let names = [rows.name.as_str(), &maria.name, "127.0.0.1", "localhost", "://", "_URL"];
        for secret in PIECES.into_iter().chain(names) {
            assert!(!written.contains(secret), "{secret}: {written}");
        }
    })
    .await
    .unwrap();
}
