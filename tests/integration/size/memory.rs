//! How much memory the program takes, which Linux tells of a process while it runs.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shared::repository::Repository;

/// The most memory that the program had at a time, in mebibytes, and how it left.
///
/// Asked again and again while it runs, because what `wait4` would tell counts the memory of this process, too: the
/// program's was a copy of it before it became the program.
fn peak(repository: &Repository, arguments: &[&str]) -> (u64, Option<i32>) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_migration-preflight"));
    program.args(arguments).current_dir(repository.path()).env_clear().stdout(Stdio::null());
    let mut program = program.spawn().unwrap();
    let status = format!("/proc/{}/status", program.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let kibibytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = kibibytes.map_or(peak, |kibibytes| kibibytes.parse().unwrap());
        if let Some(ended) = program.try_wait().unwrap() {
            return (peak >> 10, ended.code());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

const ONE: &str = "SELECT 1;\n";
const DATABASE: &str = "defaults: { database-url: 'sqlite:dev.db' }\n";

#[test]
fn ten_thousand_migrations_beside_a_hundred_thousand_rows_take_little_memory() {
    let mut repository = Repository::new().config(DATABASE).database("dev.db", &[(1, "step", ONE)]).execute(
        "dev.db",
        "INSERT INTO _sqlx_migrations \
         WITH RECURSIVE n(version) AS (SELECT 2 UNION ALL SELECT version + 1 FROM n WHERE version < 100000) \
         SELECT n.version, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations, n",
    );
    for version in 1..=10_000 {
        repository = repository.file(&format!("migrations/{version}_step.sql"), ONE);
    }
    // 90,000 findings: in JSON some 70 MiB.
    for (format, most) in [("human", 200), ("json", 260)] {
        let (peak, code) = peak(&repository, &["--format", format]);
        println!("{format}: {peak} MiB");
        assert!(peak < most && code == Some(1), "{format}: {peak} MiB, {code:?}");
    }
}

#[test]
fn a_large_file_is_not_held_in_memory() {
    let large = "-- fifty megabytes\n".repeat((50 << 20) / 19);
    let repository = Repository::new().config(DATABASE).file("migrations/1_large.sql", &large);
    let (peak, code) = peak(&repository.database("dev.db", &[(1, "large", &large)]), &[]);
    println!("{peak} MiB");
    assert!(peak < 40 && code == Some(0), "{peak} MiB, {code:?}");
}

#[test]
fn five_hundred_targets_take_little_memory() {
    let names: Vec<_> = (1..=30).map(|version| format!("migrations/{version}_step.sql")).collect();
    let rows: Vec<_> = (1..=30).map(|version| (version, "step", ONE)).collect();
    let mut config = "defaults: { migrations: 'services/{service}/migrations' }\nservices:\n".to_owned();
    let mut repository = Repository::new().database("dev.db", &rows);
    let database = std::fs::read(repository.path().join("dev.db")).unwrap();
    for service in 0..100 {
        config += &format!("  api-{service}: {{ database-url: 'sqlite:services/api-{service}/{{environment}}.db' }}\n");
        for name in &names {
            repository = repository.file(&format!("services/api-{service}/{name}"), ONE);
        }
        for environment in 0..5 {
            repository = repository.file(&format!("services/api-{service}/e-{environment}.db"), &database);
        }
    }
    config += "environments: { e-0: {}, e-1: {}, e-2: {}, e-3: {}, e-4: {} }\n";
    let (peak, code) = peak(&repository.config(&config), &[]);
    println!("{peak} MiB");
    assert!(peak < 100 && code == Some(0), "{peak} MiB, {code:?}");
}
