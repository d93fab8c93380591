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
    let count = |report: &TargetReport| report.tenants.as_ref().map_or(0, |tenants| tenants.names.len());
    let of = |wanted: Sign| reports.iter().filter(|report| sign(report) == wanted).map(count).sum::<usize>();
    let total = plural(reports.iter().map(count).sum(), "tenant");
    let is_short = reports.iter().any(|report| report.tenants.is_none());
    match (of(Sign::Fails), of(Sign::Unknown)) {
        (0, 0) if is_short => (Sign::Unknown, "unknown for some tenants".to_owned()),
        (0, 0) => {
            let applied = reports.iter().map(|report| report.startup.applies().len()).max().unwrap_or_default();
            let applied = if applied == 0 { String::new() } else { format!(", applies up to {applied}") };
            (Sign::Starts, format!("starts for {total}{applied}"))
        }
        (0, unknown) => (Sign::Unknown, format!("unknown for {unknown} of {total}")),
        (fails, _) => (Sign::Fails, format!("fails for {fails} of {total}")),
    }
}

/// How far the tenants of a target agree: `412 tenants agree, 3 differ: a, b, c`. Nothing where there are none, or all agree.
pub fn agreement(reports: &[TargetReport]) -> Option<String> {
    let names = |report: &TargetReport| report.tenants.as_ref().map(|tenants| tenants.names.clone());
    let (read, unread): (Vec<_>, Vec<_>) = reports.iter().partition(|report| report.counts.applied.is_some());
    let mut read: Vec<Vec<String>> = read.into_iter().filter_map(names).collect();
    let unread = unread.into_iter().filter_map(names).collect::<Vec<_>>().concat();
    if read.len() + usize::from(!unread.is_empty()) < 2 {
        return None;
    }
    // The first of those that are most.
    read.sort_by_key(|names| std::cmp::Reverse(names.len()));
    let mut told = Vec::new();
    match &read[..] {
        [] => {}
        [one] if one.len() == 1 => told.push("1 tenant could be read".to_owned()),
        [one, _, ..] if one.len() == 1 => told.push(format!("no two of {} tenants agree", read.len())),
        [most, others @ ..] => {
            told.push(format!("{} tenants agree", most.len()));
            let others = others.concat();
            let differ = if others.len() == 1 { "differs" } else { "differ" };
            told.extend((!others.is_empty()).then(|| format!("{} {differ}: {}", others.len(), listed(&others))));
        }
    }
    let could_not = || format!("{} could not be read: {}", unread.len(), listed(&unread));
    told.extend((!unread.is_empty()).then(could_not));
    Some(told.join(if unread.is_empty() { ", " } else { "; " }))
}

/// Names or versions, the first of them where they are many.
pub fn listed(things: &[impl ToString]) -> String {
    let shown = things.iter().take(MOST_LISTED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(MOST_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
