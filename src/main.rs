//! The command line of migration-preflight.

use std::process::ExitCode;

use clap::Parser;
use migration_preflight::{calmly, cli::Cli, publish, run};

fn main() -> ExitCode {
    calmly(|| match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let code = runtime.block_on(run(Cli::parse()));
            // Not waiting for threads that look up a host which nobody answers for.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            publish::complain(&format!("no thread could be started: {error}"));
            ExitCode::from(3)
        }
    })
}
