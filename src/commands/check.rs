//! `check`: the migrations in code beside the applied ones, for every target.

use super::stages::{change, conclude, destination, gathered, learn, limits, now, planned_from};
use crate::cli::CheckArgs;
use crate::compare::compare;
use crate::explain::{self, explain};
use crate::gather::{artifact, base, group};
use crate::github::{Destination, Run};
use crate::inputs::snapshots;
use crate::plan::{Plan, stand_in};
use crate::policy::{Gate, Policy};
use crate::report::Report;

/// Said where it is not known, for all targets or for some, what the base has against the same histories.
const EVERYTHING_COUNTS: &str = "everything counts, as with `gate: all`, where the base is unknown, or where the change touches what says how it is read: the configuration, the workflow, sqlx.toml or .gitattributes";

/// Runs every stage, writes every output, and returns the exit code that the report gives.
///
/// # Errors
/// Usage or configuration: there is no report then. What cannot be read of a target stands in the report.
pub async fn check(args: &CheckArgs) -> anyhow::Result<u8> {
    let destination = destination(&args.report.publish);
    conclude(report(args, &destination).await, &args.report, &destination).await
}

async fn report(args: &CheckArgs, destination: &Destination) -> anyhow::Result<Report> {
    let (inputs, Plan { mut targets, beside, policy }) = planned_from(&args.plan, args.source.as_ref(), destination)?;
    let unused = stand_in(&mut targets, snapshots::read(&args.snapshot, now())?, args.max_age);
    let policy = Policy { gate: args.gate, ..policy };
    let (change, hidden) = change(&inputs.root, args.reading.base.as_deref(), destination)?;
    let mut notes = Vec::from_iter(hidden);
    let limits = limits(args.reading.jobs, args.report.patience.timeout);
    let mut states = gathered(targets, &inputs.root, limits).await;
    artifact::read(&mut states, &inputs.root, learn()).await;
    group::read(&mut states, &beside, &inputs.root);
    if let Some(change) = &change {
        notes.extend(base::read(change, &inputs.root, &inputs.read, &mut states));
    }
    if args.gate == Gate::Introduced && (!notes.is_empty() || base::touched(&states)) {
        notes.push(EVERYTHING_COUNTS.to_owned());
    }
    notes.extend(unused);
    let findings = compare(&states, &policy);
    let onto = change.map(|change| explain::Base { name: change.name, commit: change.tip });
    // Nothing else is going on: git may be waited for here, as for the base.
    let findings = explain(findings, &states, &inputs.root, onto);
    let repository = destination.run.as_ref().map(Run::full_name);
    Ok(Report { notes, repository, ..Report::new(&states, findings, args.report.fail_on) })
}
