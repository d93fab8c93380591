//! `action`: the step of a workflow.

use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::stages::{destination, stopped, variable};
use crate::cli::{Cli, Command, PublishArgs};
use crate::commands;
use crate::github::{Destination, ReportTo};
use crate::inputs::action;
use crate::publish::{Content, publish_on_github};
use crate::report::{Stop, StopReason};

/// How long GitHub may take to take what is said without a report.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command that the inputs of the action stand for, as if they were flags.
///
/// # Errors
/// Usage or configuration, as for the command itself.
pub async fn action() -> anyhow::Result<u8> {
    let error = match command() {
        Ok(Command::Merge(args)) => return commands::merge(&args).await,
        Ok(Command::Check(args)) => return commands::check(&args).await,
        Ok(Command::Snapshot(args)) => return commands::snapshot(&args).await,
        Ok(_) => anyhow::anyhow!("the action has no such command"),
        Err(error) => error,
    };
    Err(stopped(error, &destination(&publish_args()), TIMEOUT).await)
}

/// Publishes that the step was cancelled, where its check is one of our own: nobody else completes that one. Always
/// succeeds, because a step that cleans up has nothing to judge.
pub async fn abandoned() -> u8 {
    let destination = destination(&publish_args());
    let is_own = match destination.report {
        ReportTo::CheckRun => true,
        ReportTo::Auto => destination.job_check.is_none(),
        _ => false,
    };
    if is_own {
        let to =
            Destination { report: ReportTo::CheckRun, comment: false, summary: None, outputs: None, ..destination };
        let stop = Stop { reason: StopReason::Cancelled, detail: String::new() };
        publish_on_github(Content::Stop(&stop), &to, TIMEOUT).await;
    }
    0
}

fn command() -> anyhow::Result<Command> {
    let arguments = action::arguments(&variable)?;
    let program = std::iter::once(env!("CARGO_PKG_NAME").to_owned());
    let cli = Cli::try_parse_from(program.chain(arguments)).map_err(|error| {
        let text = error.to_string();
        anyhow::anyhow!("{}", text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned())
    })?;
    Ok(cli.command.unwrap_or(Command::Check(Box::new(cli.check))))
}

/// Where to publish, from inputs that need not make a command line.
fn publish_args() -> PublishArgs {
    let report = action::input(&variable, "report").and_then(|way| ReportTo::from_str(&way, false).ok());
    let is_check = action::input(&variable, "command").is_none_or(|command| command != "snapshot");
    PublishArgs {
        report: if is_check { report.unwrap_or(ReportTo::Auto) } else { ReportTo::None },
        check_name: action::input(&variable, "check-name").unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        comment: false,
        fail_on_publish_error: false,
    }
}
