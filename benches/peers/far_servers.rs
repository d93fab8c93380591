//! A hundred targets on ten servers that are far away, beside one target on one of them: what is far is waited for once.

use std::time::Duration;

use anyhow::Result;

use crate::job::side_by_side;
use crate::many_databases::Databases;
use crate::table::{Table, target, times};
use crate::{Bench, proxy};

/// How long a message to a server and its answer take together.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// How many ports stand for a server each.
const SERVERS: usize = 10;

/// One target and a hundred.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let databases = Databases::make(bench).await?;
    let (login, host) = bench.server.rsplit_once('@').unwrap_or_default();
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        let port = proxy::far(host.to_owned(), ROUND_TRIP).await?;
        servers.push(format!("{login}@127.0.0.1:{port}"));
    }
    for (mode, tls) in [("prefer", "TLS"), ("disable", "no TLS")] {
        let hundred = databases.job(bench, "migration-preflight, 100 targets on 10 servers", &servers)?;
        let one = ["--service", "api_3", "--environment", "e7"];
        let one = bench.ours("migration-preflight, 1 target", &databases.folder, &one);
        let one = one.variable("SERVER_7", &servers[7]).answers("pass: the target would start", 1);
        let jobs = [one.variable("PGSSLMODE", mode), hundred.variable("PGSSLMODE", mode)];
        let measured = side_by_side(&jobs, bench.rounds())?;
        let [one, hundred] = &measured[..] else { continue };
        let work = format!("{} ms away, {tls}", ROUND_TRIP.as_millis());
        let factor = hundred.against(one);
        table.add(&work, one, "1", "");
        table.add(&work, hundred, &times(factor), &target("below 1.5×", factor < 1.5, &times(factor)));
    }
    Ok(())
}
