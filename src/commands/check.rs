//! `check`: the migrations in code beside the applied ones, for every target.

use std::panic::resume_unwind;
use std::path::PathBuf;

use super::stages::{conclude, destination, planned};
use crate::cli::CheckArgs;
use crate::compare::compare;
use crate::explain::explain;
use crate::finding::Findings;
use crate::gather::{self, Limits};
use crate::github::Destination;
use crate::plan::Plan;
use crate::publish::Progress;
use crate::report::Report;
use crate::target::TargetState;

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
    let findings = compare(&states, &policy);
    let (states, findings) = explained(states, findings, inputs.root).await?;
    Ok(Report::new(&states, findings, args.report.fail_on))
}

/// Has the repository's history explain the findings, on a thread that may wait for git.
async fn explained(
    states: Vec<TargetState>,
    findings: Findings,
    root: PathBuf,
) -> anyhow::Result<(Vec<TargetState>, Findings)> {
    let explaining = tokio::task::spawn_blocking(move || {
        let findings = explain(findings, &states, &root, None);
        (states, findings)
    });
    explaining.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => error.into(),
    })
}
