//! The stages that commands share: from the flags to the plan, and from the report to the exit code.

use std::cell::RefCell;
use std::env;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use crate::cli::{PlanArgs, PublishArgs, ReportArgs};
use crate::gather::base::{self, Ends};
use crate::gather::{self, Limits, Reading, Recorded};
use crate::github::Destination;
use crate::inputs::{self, Inputs, action};
use crate::plan::{Plan, plan};
use crate::publish::{self, Content, Progress, guard, publish_on_github};
use crate::report::{Report, Stop, StopReason, Verdict};
use crate::secret::{Learn, Secrets};
use crate::source::SourceChoice;
use crate::target::{Target, TargetState};

/// The value of an environment variable.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// The time of now, which whatever judges by it is given.
pub fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Where this run publishes. From then on its token is not printed, though nothing else may ever be planned.
pub fn destination(args: &PublishArgs) -> Destination {
    let destination = action::destination(args, &variable, &inputs::event);
    if destination.token.is_some() {
        guard(secrets(&destination));
    }
    destination
}

/// What is secret in where a run publishes.
fn secrets(destination: &Destination) -> Secrets {
    let mut secrets = Secrets::default();
    if let Some(token) = &destination.token {
        secrets.add_plain_password(token.expose());
    }
    secrets
}

/// Reads what the flags lead to, and plans. From then on no secret of the plan is printed.
///
/// # Errors
/// Usage or configuration.
pub fn planned(args: &PlanArgs, destination: &Destination) -> anyhow::Result<(Inputs, Plan)> {
    planned_from(args, None, destination)
}

/// The same, with a source.
///
/// # Errors
/// Usage or configuration.
pub fn planned_from(
    args: &PlanArgs,
    source: Option<&SourceChoice>,
    destination: &Destination,
) -> anyhow::Result<(Inputs, Plan)> {
    let inputs = Inputs::load(args, source, destination.run.as_ref())?;
    // Whatever the plan reads of the environment is a secret, whether or not it makes a URL.
    let values = RefCell::new(Vec::new());
    let read = |name: &str| variable(name).inspect(|value| values.borrow_mut().push(value.clone()));
    let planned = plan(&inputs, &read);
    let mut secrets = Secrets::of_values(&values.into_inner());
    if let Ok(plan) = &planned {
        secrets.extend([gather::secrets(&plan.targets), gather::secrets(&plan.beside)]);
    }
    secrets.extend([self::secrets(destination)]);
    guard(secrets);
    Ok((inputs, planned?))
}

/// How much is read at a time, and for how long.
pub fn limits(jobs: NonZeroUsize, timeout: Duration) -> Limits {
    Limits { jobs: jobs.get(), timeout }
}

/// Reads both sides of every target, and shows how far it is.
pub async fn gathered(targets: Vec<Target>, root: &Path, limits: Limits) -> Vec<TargetState> {
    let progress = Progress::new(targets.len());
    let states = gather::gather(targets, root, &reading(limits, &|| progress.tick())).await;
    progress.finish();
    states
}

/// Reads the history alone of every target, and shows how far it is.
pub async fn recorded(targets: &[Target], root: &Path, limits: Limits) -> Vec<Recorded> {
    let progress = Progress::new(targets.len());
    let records = gather::records(targets, root, &reading(limits, &|| progress.tick())).await;
    progress.finish();
    records
}

fn reading(limits: Limits, done: &dyn Fn()) -> Reading<'_> {
    Reading { limits, done, learn: learn() }
}

/// The change that the run is about: since the commit that `base` names, else on GitHub since the base of the pull request.
/// Beside it a note where that is hidden.
///
/// # Errors
/// `base` names nothing.
pub fn change(
    root: &Path,
    base: Option<&str>,
    destination: &Destination,
) -> anyhow::Result<(Option<Ends>, Option<String>)> {
    match base::find(root, base, destination.run.as_ref().and_then(|run| run.proposal.as_ref())) {
        Ok(change) => Ok((change, None)),
        Err(hidden) if hidden.is_usage() => Err(hidden.into()),
        Err(hidden) => Ok((None, Some(hidden.to_string()))),
    }
}

/// Has whatever secret turns up on the way not printed.
pub fn learn() -> Learn {
    Learn::new(|secrets| guard(secrets.clone()))
}

/// Tells GitHub why there is no report: who waits for a check waits no longer. Gives the reason back.
pub async fn stopped(error: anyhow::Error, destination: &Destination, timeout: Duration) -> anyhow::Error {
    let stop = Stop { reason: StopReason::Unusable, detail: format!("{error:#}") };
    publish_on_github(Content::Stop(&stop), destination, timeout).await;
    error
}

/// Writes every output, and returns the exit code that the report gives.
///
/// # Errors
/// There is no report, and GitHub is told why.
pub async fn conclude(
    report: anyhow::Result<Report>,
    args: &ReportArgs,
    destination: &Destination,
) -> anyhow::Result<u8> {
    let report = match report {
        Ok(report) => report,
        Err(error) => return Err(stopped(error, destination, args.patience.timeout).await),
    };
    publish::publish(&report, args.format, &args.output);
    let problems = publish_on_github(Content::Report(&report), destination, args.patience.timeout).await;
    Ok(match report.verdict {
        Verdict::Pass if problems > 0 && args.publish.fail_on_publish_error => Verdict::Incomplete.exit_code(),
        verdict => verdict.exit_code(),
    })
}
