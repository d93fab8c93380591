//! The command line of migration-preflight.

use std::process::ExitCode;

use clap::Parser;
use migration_preflight::{calmly, cli::Cli, publish, run, unless_interrupted};

fn main() -> ExitCode {
    calmly(|| {
        let cli = Cli::parse();
        tokio::runtime::Runtime::new()
            .and_then(|runtime| {
                let code = unless_interrupted(&runtime, || run(cli));
                // Not waiting for threads that look up a host which nobody answers for.
                runtime.shutdown_background();
                code
            })
            .unwrap_or_else(|error| {
                publish::complain(&format!("no thread could be started: {error}"));
                ExitCode::from(3)
            })
    })
}
