//! One target: everything is applied, and each program is asked whether it is.

use std::path::Path;

use anyhow::Result;

use crate::job::{Job, Measured, side_by_side};
use crate::table::{Table, target, times};
use crate::{Bench, work};

/// From so many migrations on, the program may take half of sqlx's time at most.
const MANY: usize = 4_400;

/// SQLite and PostgreSQL, with few migrations and with many.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let sizes: &[usize] = if bench.quick { &[10, MANY] } else { &[10, 500, MANY, 10_000] };
    for &size in sizes {
        let folder = bench.repository(&format!("one-target-{size}"))?;
        let migrations = folder.join("migrations");
        work::write_migrations(&migrations, size)?;

        work::sqlite(&folder.join("dev.db"), &migrations).await?;
        let query = "sqlite3 -readonly dev.db";
        let measured = side_by_side(&jobs(bench, &folder, size, "sqlite:dev.db", query), bench.rounds())?;
        add(table, &format!("{size} migrations, SQLite"), size, &measured);

        let url = bench.url(&format!("one_target_{size}"));
        work::postgres(&bench.maintenance(), &url, &migrations).await?;
        let query = r#"psql -XAt "$DATABASE_URL" -c"#;
        let measured = side_by_side(&jobs(bench, &folder, size, &url, query), bench.rounds())?;
        add(table, &format!("{size} migrations, PostgreSQL"), size, &measured);
    }
    Ok(())
}

/// The program and its peers; `query` is the command that runs the SQL after it.
fn jobs(bench: &Bench, folder: &Path, size: usize, url: &str, query: &str) -> Vec<Job> {
    let script = format!(
        "files=$(ls migrations/*.sql | grep -v .down.sql | wc -l)
         rows=$({query} 'SELECT count(*) FROM _sqlx_migrations')
         echo \"$files files, $rows rows\"
         test \"$files\" -eq \"$rows\""
    );
    let dbmate = ["--migrations-dir", "migrations", "--no-dump-schema", "status"];
    let jobs = [
        bench.ours("migration-preflight", folder, &[]).answers(&format!("{size} defined, {size} applied;"), 1),
        Job::new("sqlx migrate info", folder, "sqlx", &["migrate", "info"]).answers("/installed ", size),
        Job::new("dbmate status", folder, "dbmate", &dbmate).answers(&format!("Applied: {size}\n"), 1),
        Job::script("shell script", folder, &script).answers(&format!("{size} files, {size} rows"), 1),
    ];
    jobs.into_iter().map(|job| job.variable("DATABASE_URL", url)).collect()
}

fn add(table: &mut Table, work: &str, size: usize, measured: &[Measured]) {
    let [ours, peers @ ..] = measured else { return };
    table.add(work, ours, "1", "");
    for peer in peers {
        let factor = peer.against(ours);
        let wanted = match peer.name.as_str() {
            "sqlx migrate info" if size >= MANY => Some((2.0, "at least 2×")),
            "sqlx migrate info" | "shell script" => Some((1.0, "at least 1×")),
            _ => None,
        };
        let verdict =
            wanted.map_or_else(String::new, |(least, wanted)| target(wanted, factor >= least, &times(factor)));
        table.add(work, peer, &times(factor), &verdict);
    }
}
