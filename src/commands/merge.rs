//! `merge`: the reports of several runs as one, which names the targets that none of them is about.

use super::stages::{conclude, destination, planned};
use crate::cli::MergeArgs;
use crate::github::{Destination, Run};
use crate::inputs::reports;
use crate::plan::{Plan, PlanErrors};
use crate::policy::Policy;
use crate::report::{self, Report};

/// Said where reports are all that there is.
const NO_PLAN: &str = "there is no configuration, no service matrix and no `migrations` directory here, so that it is not known which targets ought to have reported: one that never did is not told";
/// Where there is not even that.
const NOTHING: &str = "there is no report, and nothing here says which there ought to be\n  help: correct the path of --reports, or check out the configuration";

/// Reads the reports and the plan, writes every output, and returns the exit code that the whole gives.
///
/// # Errors
/// Usage or configuration: there is no report then. A report that cannot be read stands in the whole.
pub async fn merge(args: &MergeArgs) -> anyhow::Result<u8> {
    let destination = destination(&args.report.publish);
    conclude(merged(args, &destination), &args.report, &destination).await
}

fn merged(args: &MergeArgs, destination: &Destination) -> anyhow::Result<Report> {
    let here = destination.run.as_ref().map(Run::full_name);
    let is_filtered = !args.plan.service.is_empty() || !args.plan.environment.is_empty();
    let (plan, note) = match planned(&args.plan, destination) {
        Ok((_, plan)) => (plan, None),
        Err(error) if !is_filtered && error.downcast_ref().is_some_and(PlanErrors::is_nothing_here) => {
            (Plan { targets: Vec::new(), policy: Policy::default() }, Some(NO_PLAN.to_owned()))
        }
        Err(error) => return Err(error),
    };
    let parts = reports::read(&args.reports);
    if note.is_some() && parts.is_empty() {
        anyhow::bail!(NOTHING);
    }
    let mut report = report::merge(&plan.targets, &plan.policy, parts, args.report.fail_on, here.as_deref());
    report.notes.extend(note);
    Ok(report)
}
