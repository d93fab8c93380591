//! The command line of migration-preflight.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    migration_preflight::run(migration_preflight::cli::Cli::parse()).await
}
