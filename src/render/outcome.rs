//! What becomes of a target at start-up in a few words, that of its tenants taken together. Whoever shows it has signs of its own.

use crate::report::{TargetReport, plural};
use crate::startup::Outcome;

/// How many things of a kind, versions or tenants, are listed.
const MOST_LISTED: usize = 10;

/// The worst that becomes of any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It starts.
    Starts,
    /// Nobody knows.
    Unknown,
    /// It fails.
    Fails,
}

/// The outcome of one target, which `reports` are about: `fails: 2 missing`, `fails for 3 of 415 tenants`.
pub fn outcome(reports: &[TargetReport]) -> (Sign, String) {
    match reports {
        [report] if report.tenants.is_none() => (sign(report), of_one(report)),
        _ => of_tenants(reports),
    }
}

fn sign(report: &TargetReport) -> Sign {
    match report.startup {
        Outcome::Starts | Outcome::StartsAndApplies(_) => Sign::Starts,
        Outcome::Unknown => Sign::Unknown,
        Outcome::Fails { .. } => Sign::Fails,
    }
}

fn of_one(report: &TargetReport) -> String {
    match &report.startup {
        Outcome::Starts => "starts".to_owned(),
        Outcome::StartsAndApplies(versions) => format!("starts, applies {}", versions.len()),
        Outcome::Unknown => "unknown".to_owned(),
        Outcome::Fails { .. } => match report.counts.discrepancies() {
            counted if counted.is_empty() => "fails".to_owned(),
            counted => format!("fails: {counted}"),
        },
    }
}

fn of_tenants(reports: &[TargetReport]) -> (Sign, String) {
    let count = |report: &TargetReport| report.tenants.as_ref().map_or(1, |tenants| tenants.names.len());
    let of = |wanted: Sign| reports.iter().filter(|report| sign(report) == wanted).map(count).sum::<usize>();
    let total = plural(reports.iter().map(count).sum(), "tenant");
    match (of(Sign::Fails), of(Sign::Unknown)) {
        (0, 0) => {
            let applied = reports.iter().map(|report| report.startup.applies().len()).max().unwrap_or_default();
            let applied = if applied == 0 { String::new() } else { format!(", applies up to {applied}") };
            (Sign::Starts, format!("starts for {total}{applied}"))
        }
        (0, unknown) => (Sign::Unknown, format!("unknown for {unknown} of {total}")),
        (fails, _) => (Sign::Fails, format!("fails for {fails} of {total}")),
    }
}

/// How far the tenants of a target agree, those that are most standing first: `412 tenants agree, 3 differ: a, b, c`. Nothing
/// where there are none, or all agree.
pub fn agreement(reports: &[TargetReport]) -> Option<String> {
    let groups: Vec<&[String]> =
        reports.iter().filter_map(|report| Some(report.tenants.as_ref()?.names.as_slice())).collect();
    match groups[..] {
        [] | [_] => None,
        [[_], ..] => Some(format!("no two of {} tenants agree", groups.len())),
        [most, ref others @ ..] => {
            let others = others.concat();
            let differ = if others.len() == 1 { "differs" } else { "differ" };
            Some(format!("{} tenants agree, {} {differ}: {}", most.len(), others.len(), listed(&others)))
        }
    }
}

/// Names or versions, the first of them where they are many.
pub fn listed(things: &[impl ToString]) -> String {
    let shown = things.iter().take(MOST_LISTED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(MOST_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
