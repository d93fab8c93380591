//! The report as a page of GitHub's Markdown: for a check, a step summary and a comment. Each has a limit of its own.

mod escape;
mod section;

use indexmap::{IndexMap, IndexSet};

use crate::finding::{Explanation, Finding, Rule, Severity};
use crate::history::{AsOf, written};
use crate::render::grouped::{Grouped, grouped, snapshots};
use crate::render::outcome::{Sign, agreement, outcome};
use crate::report::{Report, TargetReport, Verdict};
use crate::text::harmless;
pub(super) use escape::code_block;
use escape::{code, code_cell, inline};
use section::{Section, page};

/// A table with more columns can no longer be read.
const MOST_COLUMNS: usize = 8;

/// The report in at most `limit` bytes of UTF-8. What does not fit is left out row by row, and counted.
///
/// The verdict, then what would happen at start-up by service and environment, of when the histories are that are not of
/// now, the findings with what to do, and at last what was not checked. None of them crowds out those behind it.
pub fn markdown(report: &Report, limit: usize) -> String {
    let (gaps, findings): (Vec<_>, Vec<_>) = grouped(report).into_iter().partition(Grouped::is_gap);
    let title = format!("## {} {}\n", symbol(report.verdict), inline(&report.title()));
    let fails = report.targets.iter().filter_map(failure).collect();
    let sections = [
        overview(report),
        Section::list("Tenants", report.by_target().filter_map(tenants).collect(), "target"),
        Section::list("Start-up", fails, "target"),
        Section::list("Snapshots", snapshots(report).into_iter().map(snapshot).collect(), "snapshot"),
        Section::list("Findings", findings.iter().map(item).collect(), "finding"),
        Section::list("What to do", what_to_do(&findings), "hint"),
        Section::list("Not checked", gaps.iter().map(gap).collect(), "target"),
        Section::list("Accepted", report.accepted.iter().map(accepted).collect(), "accepted finding"),
        Section::list("Already so", report.already_so.iter().map(already_so).collect(), "finding"),
        Section::list("Notes", report.notes.iter().map(|note| format!("- {}", inline(note))).collect(), "note"),
    ];
    page(title, &sections, limit)
}

fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Incomplete => "❓",
    }
}

/// Services by environments; one row a target where there are too many environments for that.
fn overview(report: &Report) -> Section {
    let environments: IndexSet<&str> = report.targets.iter().map(|target| target.environment.as_str()).collect();
    if environments.len() > MOST_COLUMNS {
        let row = |target: &[TargetReport]| {
            let [TargetReport { service, environment, .. }, ..] = target else { return String::new() };
            format!("| {} | {} | {} |", code_cell(service), code_cell(environment), cell(target))
        };
        let rows = report.by_target().map(row).collect();
        return Section::table(&["service", "environment", "start-up"].map(str::to_owned), rows, "target");
    }
    let mut services: IndexMap<&str, IndexMap<&str, String>> = IndexMap::new();
    for target in report.by_target() {
        let [TargetReport { service, environment, .. }, ..] = target else { continue };
        services.entry(service).or_default().insert(environment, cell(target));
    }
    let row = |(service, cells): (&str, IndexMap<&str, String>)| {
        let cells = environments.iter().map(|name| cells.get(name).map_or("–", String::as_str));
        format!("| {} | {} |", code_cell(service), cells.collect::<Vec<_>>().join(" | "))
    };
    let head: Vec<_> = std::iter::once("service".to_owned()).chain(environments.iter().map(|n| code_cell(n))).collect();
    Section::table(&head, services.into_iter().map(row).collect(), "service")
}

fn cell(target: &[TargetReport]) -> String {
    let (sign, told) = outcome(target);
    let sign = match sign {
        Sign::Starts => '✅',
        Sign::Unknown => '❓',
        Sign::Fails => '❌',
    };
    format!("{sign} {told}")
}

/// How far the tenants of a target agree, where they do not.
fn tenants(target: &[TargetReport]) -> Option<String> {
    let [TargetReport { service, environment, .. }, ..] = target else { return None };
    Some(format!("- {} in {}: {}", code(service), code(environment), inline(&agreement(target)?)))
}

/// What sqlx would say where the service does not start.
fn failure(target: &TargetReport) -> Option<String> {
    let error = target.startup.error()?;
    Some(format!("- {} in {}: {}", code(&target.service), code(&target.whereabouts()), code(&error.to_string())))
}

/// Of when the histories are that are not of now.
fn snapshot((as_of, targets): (&AsOf, Vec<&TargetReport>)) -> String {
    let name = |target: &&TargetReport| format!("{} in {}", code(&target.service), code(&target.whereabouts()));
    let (taken, file) = (code(&written(&as_of.taken)), code(&as_of.file));
    format!(
        "- as of {taken}, {}, from {file}: {}",
        as_of.ago(),
        targets.iter().map(name).collect::<Vec<_>>().join(", ")
    )
}

fn item(group: &Grouped) -> String {
    let label = match group.finding.severity {
        Severity::Error => "❌ **error**",
        Severity::Incomplete => "❓ **incomplete**",
        Severity::Warning => "⚠️ **warning**",
        Severity::Notice => "ℹ️ notice",
    };
    let place = group.finding.location.as_ref().map(|location| format!("<br>{}", code(&location.to_string())));
    let rule = code(group.finding.rule().id());
    let explanation = group.finding.explanation.as_deref().map(explained).unwrap_or_default();
    let (message, place) = (inline(&group.message()), place.unwrap_or_default());
    format!("- {label} {rule}{} {message}{place}{explanation}", whose(group))
}

/// Who, when and how to mend it, below a finding and as far in as it is.
fn explained(explanation: &Explanation) -> String {
    let block = |language: &str, lines: &mut dyn Iterator<Item = &str>| {
        let text = lines.map(harmless).collect::<Vec<_>>().join("\n");
        let block = if text.is_empty() { String::new() } else { code_block(language, &text) };
        block.lines().map(|line| format!("\n  {line}")).collect::<String>()
    };
    let diff = block("diff", &mut explanation.diff.iter().map(String::as_str));
    let fix = block("sh", &mut explanation.fix.iter().map(String::as_str));
    let sql = block("sql", &mut explanation.repair_sql.iter().flat_map(|sql| sql.lines()));
    format!("<br>{}{diff}{fix}{sql}", inline(&explanation.summary))
}

/// What was not looked at, and why, with what to do about it: no two need the same.
fn gap(group: &Grouped) -> String {
    format!("{}<br>{}", item(group), inline(&group.finding.facts.help()))
}

fn whose(group: &Grouped) -> String {
    let places: Vec<_> = group.places.told().map(|place| code(&place)).collect();
    match (group.service, places.is_empty()) {
        (Some(service), false) => format!(" {} in {}:", code(service), places.join(", ")),
        (Some(service), true) => format!(" {}:", code(service)),
        (None, _) => String::new(),
    }
}

/// The help for each kind of finding, once.
fn what_to_do(findings: &[Grouped]) -> Vec<String> {
    let hints: IndexSet<(Rule, _)> =
        findings.iter().map(|group| (group.finding.rule(), group.finding.facts.help())).collect();
    hints.into_iter().map(|(rule, help)| format!("- {}: {}", code(rule.id()), inline(&help))).collect()
}

fn accepted((finding, reason): &(Finding, String)) -> String {
    let service = finding.scope.service().map(|service| format!(" {}:", code(service))).unwrap_or_default();
    format!("- {}{service} {} — {}", code(finding.rule().id()), inline(&finding.facts.message()), inline(reason))
}

/// What the base of the change has too.
fn already_so(finding: &Finding) -> String {
    let places: Vec<_> = finding.scope.places().iter().map(|place| code(place)).collect();
    let of_service = |service: &str| format!(" {} in {}:", code(service), places.join(", "));
    let whose = finding.scope.service().map(of_service).unwrap_or_default();
    let (severity, rule) = (finding.severity.id(), code(finding.rule().id()));
    format!("- {severity} {rule}{whose} {}", inline(&finding.facts.message()))
}

#[cfg(test)]
mod tests;
