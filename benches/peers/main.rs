//! Times the program, as it is released, beside its peers, and prints one table. `scripts/bench` starts this with all
//! that it needs: a private PostgreSQL, the peers on the path, and a folder to work in.

mod explain;
mod far_servers;
mod footprint;
mod job;
mod many_databases;
mod one_target;
mod proxy;
mod start;
mod table;
mod tenants;
mod work;

use std::fs;
use std::io::{Write, stderr, stdout};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use job::Job;
use table::Table;

/// The parts of the table, in order.
const SECTIONS: [&str; 7] = ["one-target", "many-databases", "far-servers", "tenants", "start", "explain", "footprint"];

/// What every section has at hand.
struct Bench {
    /// Fewer sizes and fewer rounds.
    quick: bool,
    /// Where everything is written.
    folder: PathBuf,
    /// A PostgreSQL server, up to the name of the database.
    server: String,
}

impl Bench {
    /// How many rounds: an odd number, so that the median is one of them.
    fn rounds(&self) -> usize {
        if self.quick { 5 } else { 15 }
    }

    /// A new folder that the program takes for the root of a repository.
    fn repository(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(folder.join(".git"))?;
        fs::create_dir_all(folder.join(".github"))?;
        Ok(folder)
    }

    /// The URL of a database of the server.
    fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.server)
    }

    /// The URL of the database that every server has.
    fn maintenance(&self) -> String {
        self.url("postgres")
    }

    /// The program itself, in `folder`.
    fn ours(&self, name: &str, folder: &std::path::Path, arguments: &[&str]) -> Job {
        Job::new(name, folder, env!("CARGO_BIN_EXE_migration-preflight"), arguments)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo bench` says `--bench` to whatever it starts.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (quick, sections): (Vec<_>, Vec<_>) = arguments.iter().map(String::as_str).partition(|word| *word == "quick");
    let unknown: Vec<_> = sections.iter().filter(|name| !SECTIONS.contains(name)).collect();
    ensure!(unknown.is_empty(), "{unknown:?}: the sections are {SECTIONS:?}, and `quick` is the short form");
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set: start scripts/bench"));
    let url = variable("PREFLIGHT_TEST_POSTGRES_URL")?;
    let bench = Bench {
        quick: !quick.is_empty(),
        folder: variable("PREFLIGHT_BENCH_FOLDER")?.into(),
        server: url.rsplit_once('/').map(|(server, _)| server.to_owned()).context("no URL of a database")?,
    };
    let mut table = Table::default();
    for section in SECTIONS.into_iter().filter(|name| sections.is_empty() || sections.contains(name)) {
        writeln!(stderr(), "==> {section}")?;
        match section {
            "one-target" => one_target::measure(&bench, &mut table).await?,
            "many-databases" => many_databases::measure(&bench, &mut table).await?,
            "far-servers" => far_servers::measure(&bench, &mut table).await?,
            "tenants" => tenants::measure(&bench, &mut table).await?,
            "start" => start::measure(&bench, &mut table).await?,
            "explain" => explain::measure(&bench, &mut table).await?,
            _ => footprint::measure(&bench, &mut table).await?,
        }
    }
    writeln!(stdout(), "\n{}\n\n{}", conditions(&bench)?, table.finish())?;
    Ok(())
}

/// On what the numbers stand, in one line.
fn conditions(bench: &Bench) -> Result<String> {
    let version = |program: &str| -> Result<String> {
        let output = Command::new(program).arg("--version").output().with_context(|| program.to_owned())?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().replace(" version", ""))
    };
    let cores = std::thread::available_parallelism()?;
    let (sqlx, dbmate, postgres) = (version("sqlx")?, version("dbmate")?, version("pgbench")?);
    let (rounds, fewer) = (bench.rounds(), bench.rounds().min(many_databases::MOST_ROUNDS));
    Ok(format!(
        "{cores} cores; {sqlx}, {dbmate}, {postgres}; medians of {rounds} rounds ({fewer} with many databases) in which \
         all take turns."
    ))
}
