//! How large the program is, and how much memory 500 targets take.

use std::fs;

use anyhow::Result;

use crate::job::side_by_side;
use crate::table::{Table, mebibytes, target};
use crate::{Bench, work};

/// Services, each with a directory of migrations.
const SERVICES: usize = 50;
/// Environments, each with a database of every service.
const ENVIRONMENTS: usize = 10;
/// How many migrations a service has.
const MIGRATIONS: usize = 50;
/// No more memory than this for 500 targets, in KiB: 100 MB.
const MOST_MEMORY: u64 = 100_000_000 / 1024;
/// No larger program than this, in bytes.
const MOST_BYTES: u64 = 10_000_000;

/// 500 SQLite files, 500 histories on one PostgreSQL server, and the program's file.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let folder = bench.repository("footprint")?;
    for service in 0..SERVICES {
        work::write_migrations(&folder.join(format!("backend/api_{service}/migrations")), MIGRATIONS)?;
    }
    let migrations = folder.join("backend/api_0/migrations");
    work::sqlite(&folder.join("model.db"), &migrations).await?;
    fs::create_dir_all(folder.join("databases"))?;
    for (service, environment) in pairs() {
        fs::copy(folder.join("model.db"), folder.join(format!("databases/api_{service}_e{environment}.db")))?;
    }
    work::postgres(&bench.maintenance(), &bench.url("footprint"), &migrations).await?;
    // What the program holds of a history is the same wherever it stands, so that all may read one database.
    let urls = [
        ("SQLite", "sqlite:databases/{service}_{environment}.db".to_owned()),
        ("PostgreSQL", "${DATABASE_URL}".to_owned()),
    ];
    for (engine, url) in urls {
        fs::write(folder.join(".github/migration-preflight.yml"), config(&url))?;
        let job = bench.ours("migration-preflight", &folder, &[]).variable("DATABASE_URL", &bench.url("footprint"));
        let job = job.answers("pass: all 500 targets would start", 1);
        for measured in side_by_side(&[job], bench.rounds())? {
            let peak = measured.peak;
            let verdict = target("below 100 MB of memory", peak < MOST_MEMORY, &mebibytes(peak));
            table.add(&format!("500 targets, {engine}"), &measured, "", &verdict);
        }
    }
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_migration-preflight"))?.len();
    let megabytes = format!("{:.2} MB", bytes as f64 / 1e6);
    let verdict = target("below 10 MB", bytes < MOST_BYTES, &megabytes);
    table.note("size of the release binary", "migration-preflight", &megabytes, &verdict);
    Ok(())
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..SERVICES).flat_map(|service| (0..ENVIRONMENTS).map(move |environment| (service, environment)))
}

fn config(url: &str) -> String {
    let mut config =
        format!("defaults: {{ migrations: 'backend/{{service}}/migrations', database-url: '{url}' }}\nservices:\n");
    config.extend((0..SERVICES).map(|service| format!("  api_{service}: {{}}\n")));
    config += "environments:\n";
    config.extend((0..ENVIRONMENTS).map(|environment| format!("  e{environment}: {{}}\n")));
    config
}
