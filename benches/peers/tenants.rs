//! Two thousand tenants in one database, read together on one connection; beside as many targets with a connection each.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::job::{Job, side_by_side};
use crate::table::{Table, times};
use crate::{Bench, proxy, work};

/// Schemas, each with a history of its own.
const TENANTS: usize = 2_000;
/// How many migrations each has applied; but for some, which lack the last one.
const MIGRATIONS: usize = 50;
/// Every so many-th tenant lacks one.
const BEHIND: usize = 700;
/// How many schemas one transaction makes: a server has only so many locks.
const AT_A_TIME: usize = 100;
/// How long a message to a far server and its answer take together.
const ROUND_TRIP: Duration = Duration::from_millis(50);
const DATABASE: &str = "tenants";
/// A round takes many seconds, most of them for the connections.
const MOST_ROUNDS: usize = 5;

/// With TLS and without, and far away.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let (together, apart) = (bench.repository("tenants")?, bench.repository("tenants-apart")?);
    for folder in [&together, &apart] {
        work::write_migrations(&folder.join("migrations"), MIGRATIONS)?;
    }
    make(bench, &together).await?;
    fs::write(together.join(".github/migration-preflight.yml"), TOGETHER)?;
    fs::write(apart.join(".github/migration-preflight.yml"), config_apart()?)?;
    let url = bench.url(DATABASE);
    for (mode, work) in [("prefer", "2,000 tenants, TLS"), ("disable", "2,000 tenants, no TLS")] {
        let one = job(bench, "one connection", &together).variable("DATABASE_URL", &url).variable("PGSSLMODE", mode);
        let each = bench.ours("a connection for each", &apart, &["--timeout", "120"]);
        let each = each.answers("pass: all 2000 targets would start", 1);
        let jobs = [one, each.variable("DATABASE_URL", &url).variable("PGSSLMODE", mode)];
        let measured = side_by_side(&jobs, bench.rounds().min(MOST_ROUNDS))?;
        let [one, each] = &measured[..] else { continue };
        table.add(work, one, "1", "");
        table.add(work, each, &times(each.against(one)), "");
    }
    far(bench, table, &together, &url).await
}

/// What a far server takes longer than a near one is what is waited for, and tells the round trips.
async fn far(bench: &Bench, table: &mut Table, folder: &Path, url: &str) -> Result<()> {
    let (login, rest) = url.rsplit_once('@').unwrap_or_default();
    let port = proxy::far(rest.split('/').next().unwrap_or_default().to_owned(), ROUND_TRIP).await?;
    let far = format!("{login}@127.0.0.1:{port}/{DATABASE}");
    let jobs = [("near", url), ("far", &far)].map(|(name, url)| {
        let name = format!("one connection, {name}");
        job(bench, &name, folder).variable("DATABASE_URL", url).variable("PGSSLMODE", "disable")
    });
    let measured = side_by_side(&jobs, bench.rounds().min(MOST_ROUNDS))?;
    let [near, far] = &measured[..] else { return Ok(()) };
    let trips = (far.median() - near.median()) / (ROUND_TRIP.as_secs_f64() * 1e3);
    let work = format!("2,000 tenants, {} ms away", ROUND_TRIP.as_millis());
    table.add(&work, near, "1", "");
    table.add(&work, far, &times(far.against(near)), &format!("{trips:.1} round trips, with connecting"));
    Ok(())
}

const TOGETHER: &str =
    "services: { shop: { migrations: migrations, database-url: '${DATABASE_URL}', schemas: ['tenant_*'] } }\n";

fn job(bench: &Bench, name: &str, folder: &Path) -> Job {
    bench.ours(name, folder, &["--timeout", "120"]).answers("1997 tenants agree, 3 differ", 1)
}

/// Every tenant as an environment, whose history table is that of its schema.
fn config_apart() -> Result<String> {
    let mut config = "services: { shop: { migrations: migrations, database-url: '${DATABASE_URL}' } }\n\
        environments:\n"
        .to_owned();
    for tenant in 1..=TENANTS {
        writeln!(config, "  t{tenant}: {{ table: tenant_{tenant}._sqlx_migrations }}")?;
    }
    Ok(config)
}

async fn make(bench: &Bench, folder: &Path) -> Result<()> {
    let url = bench.url(DATABASE);
    work::postgres(&bench.maintenance(), &url, &folder.join("migrations")).await?;
    let tenants: Vec<usize> = (1..=TENANTS).collect();
    for some in tenants.chunks(AT_A_TIME) {
        let mut sql = String::new();
        for tenant in some {
            let behind = usize::from((tenant + BEHIND / 2).is_multiple_of(BEHIND));
            writeln!(
                sql,
                "CREATE SCHEMA tenant_{tenant}; \
                 CREATE TABLE tenant_{tenant}._sqlx_migrations (LIKE public._sqlx_migrations INCLUDING ALL); \
                 INSERT INTO tenant_{tenant}._sqlx_migrations SELECT * FROM public._sqlx_migrations \
                 ORDER BY version LIMIT {};",
                MIGRATIONS - behind
            )?;
        }
        work::execute(&url, &sql).await?;
    }
    work::execute(&url, "VACUUM ANALYZE").await
}
