//! `check`: the migrations in code beside the applied ones, for every target.

use std::cell::RefCell;

use crate::cli::CheckArgs;
use crate::compare::compare;
use crate::gather::{self, Limits};
use crate::inputs::{self, Inputs, action};
use crate::plan::{Plan, plan};
use crate::publish::{Progress, guard, publish, publish_on_github};
use crate::report::{Report, Verdict};
use crate::secret::Secrets;

/// Runs every stage, writes every output, and returns the exit code that the report gives.
///
/// # Errors
/// Usage or configuration: there is no report then. What cannot be read of a target stands in the report.
pub async fn check(args: &CheckArgs) -> anyhow::Result<u8> {
    let variable = |name: &str| std::env::var(name).ok();
    let destination = action::destination(&args.publish, &variable, &inputs::event);
    let inputs = Inputs::load(args, destination.run.as_ref())?;
    // Whatever the plan reads of the environment is a secret, whether or not it makes a URL.
    let values = RefCell::new(Vec::new());
    let read = |name: &str| variable(name).inspect(|value| values.borrow_mut().push(value.clone()));
    let planned = plan(&inputs, &read);
    let mut secrets = Secrets::of_values(&values.into_inner());
    if let Ok(plan) = &planned {
        secrets.extend([gather::secrets(&plan.targets)]);
    }
    if let Some(token) = &destination.token {
        secrets.add_plain_password(token.expose());
    }
    guard(secrets);
    let Plan { targets, policy } = planned?;
    let progress = Progress::new(targets.len());
    let limits = Limits { jobs: args.jobs.get(), timeout: args.timeout };
    let states = gather::gather(targets, &inputs.root, limits, &|| progress.tick()).await;
    progress.finish();
    let report = Report::new(&states, compare(&states, &policy), args.fail_on);
    publish(&report, args.format, &args.output);
    let problems = publish_on_github(&report, &destination, args.timeout).await;
    Ok(match report.verdict {
        Verdict::Pass if problems > 0 && args.publish.fail_on_publish_error => Verdict::Incomplete.exit_code(),
        verdict => verdict.exit_code(),
    })
}
