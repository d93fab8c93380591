//! `check`: the migrations in code beside the applied ones, for every target.

use super::stages::{conclude, destination, planned};
use crate::cli::CheckArgs;
use crate::compare::compare;
use crate::gather::{self, Limits};
use crate::github::Destination;
use crate::plan::Plan;
use crate::publish::Progress;
use crate::report::Report;

/// Runs every stage, writes every output, and returns the exit code that the report gives.
///
/// # Errors
/// Usage or configuration: there is no report then. What cannot be read of a target stands in the report.
pub async fn check(args: &CheckArgs) -> anyhow::Result<u8> {
    let destination = destination(&args.report.publish);
    conclude(report(args, &destination).await, &args.report, &destination).await
}

async fn report(args: &CheckArgs, destination: &Destination) -> anyhow::Result<Report> {
    let (inputs, Plan { targets, policy }) = planned(&args.plan, destination)?;
    let progress = Progress::new(targets.len());
    let limits = Limits { jobs: args.jobs.get(), timeout: args.report.timeout };
    let states = gather::gather(targets, &inputs.root, limits, &|| progress.tick()).await;
    progress.finish();
    Ok(Report::new(&states, compare(&states, &policy), args.report.fail_on))
}
