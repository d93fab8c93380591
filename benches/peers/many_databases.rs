//! A hundred databases on one server: beside a loop of sqlx-cli, and beside a program that connects and does nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::job::{Job, side_by_side};
use crate::table::{Table, target, times};
use crate::{Bench, work};

/// Services, each with a directory of migrations.
const SERVICES: usize = 10;
/// Environments, each with a database of every service.
const ENVIRONMENTS: usize = 10;
/// How many migrations a service has.
const MIGRATIONS: usize = 20;
/// No more rounds than this.
pub const MOST_ROUNDS: usize = 7;
/// How many connections pgbench opens at a time: as many as the program does on one server.
const CLIENTS: usize = 16;
/// How many it opens in all, one after the other in each client.
const CONNECTIONS: usize = CLIENTS * 7;

/// Ten services in ten environments, each with a database of its own, on one server.
pub struct Databases {
    /// The root of the repository.
    pub folder: PathBuf,
    /// The names of the databases.
    pub names: Vec<String>,
}

impl Databases {
    /// Makes them, unless another section has already.
    pub async fn make(bench: &Bench) -> Result<Self> {
        let folder = bench.repository("many-databases")?;
        let each = |service| (0..ENVIRONMENTS).map(move |environment| format!("api_{service}_e{environment}"));
        let names: Vec<String> = (0..SERVICES).flat_map(each).collect();
        if !folder.join("backend").exists() {
            let migrations = |service| folder.join(format!("backend/api_{service}/migrations"));
            for service in 0..SERVICES {
                work::write_migrations(&migrations(service), MIGRATIONS)?;
            }
            work::postgres(&bench.maintenance(), &bench.url("model"), &migrations(0)).await?;
            for name in &names {
                work::execute(&bench.maintenance(), &format!("CREATE DATABASE {name} TEMPLATE model")).await?;
            }
        }
        Ok(Self { folder, names })
    }

    /// The program, checking all of them; environment number `n` is reached through the variable `SERVER_n`.
    pub fn job(&self, bench: &Bench, name: &str, servers: &[String]) -> Result<Job> {
        fs::write(self.folder.join(".github/migration-preflight.yml"), config())?;
        let answer = format!("pass: all {} targets would start", self.names.len());
        let job = bench.ours(name, &self.folder, &[]).answers(&answer, 1);
        let numbered = (0..ENVIRONMENTS).map(|n| (format!("SERVER_{n}"), &servers[n % servers.len()]));
        Ok(numbered.fold(job, |job, (name, server)| job.variable(&name, server)))
    }
}

fn config() -> String {
    let mut config = "defaults: { migrations: 'backend/{service}/migrations' }\nservices:\n".to_owned();
    config.extend((0..SERVICES).map(|service| format!("  api_{service}: {{}}\n")));
    config += "environments:\n";
    let url = |n| format!("  e{n}: {{ database-url: '${{SERVER_{n}}}/{{service}}_{{environment}}' }}\n");
    config.extend((0..ENVIRONMENTS).map(url));
    config
}

/// As the server is, with TLS, and again without.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let databases = Databases::make(bench).await?;
    for (mode, work) in [("prefer", "100 databases, TLS"), ("disable", "100 databases, no TLS")] {
        let jobs = [
            databases
                .job(bench, "migration-preflight", std::slice::from_ref(&bench.server))?
                .variable("PGSSLMODE", mode),
            connect_only(bench, &databases.folder)?.variable("PGSSLMODE", mode),
            loop_of_sqlx(bench, &databases).variable("PGSSLMODE", mode),
        ];
        // A round takes many seconds, most of them in the loop.
        let measured = side_by_side(&jobs, bench.rounds().min(MOST_ROUNDS))?;
        let [ours, limit, peer] = &measured[..] else { continue };
        let per_database = databases.names.len() as f64 / CONNECTIONS as f64;
        let throughput = limit.against(ours) * per_database;
        let reached = format!("{:.0} %", throughput * 100.0);
        table.add(work, ours, "1", "");
        table.add(work, peer, &times(peer.against(ours)), "");
        let verdict = target("at least 80 % of its connections a second", throughput >= 0.8, &reached);
        table.add(work, limit, &format!("{reached} of its connections a second"), &verdict);
    }
    Ok(())
}

/// What no program of one process can do without: `CLIENTS` threads that log in, ask for nothing, and leave.
fn connect_only(bench: &Bench, folder: &Path) -> Result<Job> {
    let script = folder.join("nothing.sql");
    fs::write(&script, "SELECT 1;\n")?;
    let (clients, each) = (CLIENTS.to_string(), (CONNECTIONS / CLIENTS).to_string());
    let script = script.to_string_lossy();
    let arguments = ["-C", "-n", "-f", &script, "-c", &clients, "-j", &clients, "-t", &each, &bench.url("model")];
    let name = format!("pgbench -C, {CONNECTIONS} connections");
    let answer = format!("actually processed: {CONNECTIONS}/{CONNECTIONS}");
    Ok(Job::new(&name, folder, "pgbench", &arguments).answers(&answer, 1))
}

fn loop_of_sqlx(bench: &Bench, databases: &Databases) -> Job {
    let script = format!(
        "for name in {}; do
             DATABASE_URL=$SERVER/$name sqlx migrate info --source backend/${{name%_*}}/migrations
         done",
        databases.names.join(" ")
    );
    let answers = databases.names.len() * MIGRATIONS;
    let job = Job::script("sqlx migrate info, in a loop", &databases.folder, &script);
    job.variable("SERVER", &bench.server).answers("/installed ", answers)
}
