//! `check`: the migrations in code beside the applied ones, for every target.

use crate::cli::CheckArgs;
use crate::compare::compare;
use crate::gather::{Limits, gather};
use crate::inputs::Inputs;
use crate::plan::{Plan, plan};
use crate::publish::{Progress, publish};
use crate::report::Report;

/// Runs every stage, writes every output, and returns the exit code that the report gives.
///
/// # Errors
/// Usage or configuration: there is no report then. What cannot be read of a target stands in the report.
pub async fn check(args: &CheckArgs) -> anyhow::Result<u8> {
    let inputs = Inputs::load(args)?;
    let Plan { targets, policy } = plan(&inputs, &|name| std::env::var(name).ok())?;
    let progress = Progress::new(targets.len());
    let limits = Limits { jobs: args.jobs.get(), timeout: args.timeout };
    let states = gather(targets, &inputs.root, limits, &|| progress.tick()).await;
    progress.finish();
    let report = Report::new(&states, compare(&states, &policy), args.fail_on);
    publish(&report, args.format, &args.output);
    Ok(report.verdict.exit_code())
}
