//! `action`: the step of a workflow.

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::commands;
use crate::inputs::action;

/// Runs the command that the inputs of the action stand for, as if they were flags.
///
/// # Errors
/// Usage or configuration, as for the command itself.
pub async fn action() -> anyhow::Result<u8> {
    let arguments = action::arguments(&|name| std::env::var(name).ok())?;
    let cli = Cli::try_parse_from(std::iter::once("migration-preflight".to_owned()).chain(arguments))?;
    match cli.command {
        Some(Command::Check(args)) => commands::check(&args).await,
        _ => anyhow::bail!("the action has no such command\n  help: leave the input `command` out, or write check"),
    }
}
