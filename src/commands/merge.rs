//! `merge`: the reports of several runs as one, which names the targets that none of them is about.

use super::stages::{conclude, destination, planned};
use crate::cli::MergeArgs;
use crate::github::Destination;
use crate::inputs::reports;
use crate::report::{self, Report};

/// Reads the reports and the plan, writes every output, and returns the exit code that the whole gives.
///
/// # Errors
/// Usage or configuration: there is no report then. A report that cannot be read stands in the whole.
pub async fn merge(args: &MergeArgs) -> anyhow::Result<u8> {
    let destination = destination(&args.report.publish);
    conclude(merged(args, &destination), &args.report, &destination).await
}

fn merged(args: &MergeArgs, destination: &Destination) -> anyhow::Result<Report> {
    let (_, plan) = planned(&args.plan, destination)?;
    Ok(report::merge(&plan.targets, &plan.policy, reports::read(&args.reports), args.report.fail_on))
}
