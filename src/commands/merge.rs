//! `merge`: the reports of several runs as one, which names the targets that none of them is about.

use super::stages::{conclude, destination, planned};
use crate::cli::MergeArgs;
use crate::github::{Destination, Run};
use crate::inputs::reports;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::report::{self, Report};

/// Said where reports are all that there is.
const NO_PLAN: &str =
    "without a plan it is not known which targets ought to have reported: one that never did is not told";
/// Where there is not even that.
const NOTHING: &str = "there is no report, and nothing says which there ought to be\n  help: correct the path of --reports, or leave `--without-plan` out";

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
    let plan = if args.without_plan {
        Plan { targets: Vec::new(), beside: Vec::new(), policy: Policy::default() }
    } else {
        planned(&args.plan, destination)?.1
    };
    let parts = reports::read(&args.reports);
    if args.without_plan && parts.is_empty() {
        anyhow::bail!(NOTHING);
    }
    let mut report = report::merge(&plan.targets, &plan.policy, parts, args.report.fail_on, here.as_deref());
    report.notes.extend(args.without_plan.then(|| NO_PLAN.to_owned()));
    Ok(report)
}
