//! How long the action takes to start: node, the launcher and the program, beside node alone and the program alone.

use std::path::Path;

use anyhow::Result;

use crate::job::{Job, side_by_side};
use crate::table::{Table, target};
use crate::{Bench, work};

/// No longer than this from the start of node to the first line of the program, in milliseconds.
const MOST: f64 = 100.0;

/// The committed action, on the least that there is to check; its end stands for its first line, and comes after it.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let folder = bench.repository("start")?;
    let migrations = folder.join("migrations");
    work::write_migrations(&migrations, 1)?;
    work::sqlite(&folder.join("dev.db"), &migrations).await?;
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    let answer = "pass: the target would start";
    let launcher = dist.join("index.js").display().to_string();
    let program = dist.join("migration-preflight-x86_64-unknown-linux-gnu");
    let jobs = [
        Job::new("node dist/index.js", &folder, "node", &[&launcher]).answers(answer, 1),
        Job::new("node -e 0", &folder, "node", &["-e", "0"]),
        Job::new("migration-preflight", &folder, program, &["action"]).answers(answer, 1),
    ];
    let jobs = jobs.map(|job| job.variable("DATABASE_URL", "sqlite:dev.db").variable("INPUT_COMMAND", "check"));
    let measured = side_by_side(&jobs, bench.rounds())?;
    let [action, parts @ ..] = &measured[..] else { return Ok(()) };
    let median = action.median();
    let verdict = target("below 100 ms", median < MOST, &format!("{median:.0} ms"));
    table.add("start of the action", action, "1", &verdict);
    for part in parts {
        table.add("start of the action", part, &crate::table::times(part.against(action)), "");
    }
    Ok(())
}
