//! The report for people: a table of services and environments, then what is to be said of each target.
//!
//! Coloured always; whoever writes it to something that is no terminal strips the colours. Every word reads
//! without them.

use std::fmt::{Display, Write};

use anstyle::{AnsiColor, Effects, Style};
use comfy_table::{Table, presets};
use indexmap::{IndexMap, IndexSet};

use crate::finding::{Explanation, Finding, Rule, Scope, Severity};
use crate::render::outcome::{Sign, agreement, listed, outcome};
use crate::report::{Report, TargetReport, Verdict};
use crate::startup::Outcome;
use crate::target::named;
use crate::text::harmless;

const BOLD: Style = Style::new().effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);

/// The report for a terminal, with ANSI colours.
pub fn human(report: &Report) -> String {
    // One after the other into one text: a report may be long, and copies of it are memory.
    let mut out = styled(verdict_style(report.verdict), report.title());
    let mut section = |text: &str| {
        out.push_str("\n\n");
        out.push_str(text);
    };
    if report.by_target().nth(1).is_some() {
        section(&overview(report));
    }
    let (silent, speaking): (Vec<_>, Vec<_>) = report.by_target().partition(|target| is_silent(target));
    for target in speaking {
        agreement(target).into_iter().for_each(|told| section(&format!("{}: {}", heading(target), harmless(&told))));
        target.iter().for_each(|report| section(of_target(report).trim_end()));
    }
    if !silent.is_empty() {
        section(&silent.into_iter().flatten().map(in_a_line).collect::<Vec<_>>().join("\n"));
    }
    if !report.findings.is_empty() {
        section(&findings(styled(BOLD, "across targets"), &report.findings));
    }
    if !report.accepted.is_empty() {
        section(&accepted(report));
    }
    if !report.already_so.is_empty() {
        section(&already_so(report));
    }
    if !report.notes.is_empty() {
        section(&notes(report));
    }
    out.push('\n');
    out
}

/// Whether a line says all that there is to say of a target.
fn is_silent(target: &[TargetReport]) -> bool {
    matches!(target, [report] if report.findings.is_empty())
}

/// Services down, environments across, the outcome in each cell.
fn overview(report: &Report) -> String {
    let environments: IndexSet<&str> = report.targets.iter().map(|target| target.environment.as_str()).collect();
    let mut rows: IndexMap<&str, IndexMap<&str, String>> = IndexMap::new();
    for target in report.by_target() {
        let [TargetReport { service, environment, .. }, ..] = target else { continue };
        rows.entry(service).or_default().insert(environment, cell(target));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(std::iter::once(String::new()).chain(environments.iter().map(|name| harmless(name))));
    for (service, cells) in rows {
        let outcome = |name: &&str| cells.get(name).cloned().unwrap_or_else(|| "-".to_owned());
        table.add_row(std::iter::once(harmless(service)).chain(environments.iter().map(outcome)));
    }
    table.to_string().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The outcome of one target in a few words.
fn cell(target: &[TargetReport]) -> String {
    let (sign, told) = outcome(target);
    let sign = match sign {
        Sign::Starts => '✓',
        Sign::Unknown => '?',
        Sign::Fails => '✗',
    };
    format!("{sign} {told}")
}

/// A target of which nothing else has to be said.
fn in_a_line(target: &TargetReport) -> String {
    let name = heading_of(target);
    let (defined, applied) = (number(target.counts.defined), number(target.counts.applied));
    let as_of = target.as_of.as_ref().map(|as_of| format!(" ({})", harmless(&as_of.to_string()))).unwrap_or_default();
    format!("{name}: {defined} defined, {applied} applied; {}{as_of}", startup(&target.startup))
}

fn number(n: Option<usize>) -> String {
    n.map_or_else(|| "?".to_owned(), |n| n.to_string())
}

/// The name of a target, of which `reports` are.
fn heading(reports: &[TargetReport]) -> String {
    let name = reports.first().map(|report| named(&report.service, &report.environment)).unwrap_or_default();
    styled(BOLD, harmless(&name))
}

/// The name of a target, and of its tenants.
fn heading_of(report: &TargetReport) -> String {
    styled(BOLD, harmless(&named(&report.service, &report.whereabouts())))
}

/// A target with its numbers, its outcome and its findings.
fn of_target(target: &TargetReport) -> String {
    let counts = target.counts;
    let source = match counts.defined {
        Some(defined) => format!("{defined} defined in {}", harmless(&target.place())),
        None => format!("{} could not be read", harmless(&target.place())),
    };
    let history = match (counts.applied, counts.missing, counts.mismatched, counts.pending) {
        (Some(applied), Some(missing), Some(mismatched), Some(pending)) => {
            let shared = counts.shared.filter(|n| *n > 0).map(|n| format!(" {n} of others,")).unwrap_or_default();
            format!("{applied} applied: {missing} missing,{shared} {mismatched} mismatched; {pending} pending")
        }
        (Some(applied), ..) => format!("{applied} applied"),
        (None, ..) => "could not be read".to_owned(),
    };
    let as_of = target.as_of.as_ref().map(|as_of| format!("\n            {}", harmless(&as_of.to_string())));
    let as_of = as_of.unwrap_or_default();
    let heading = heading_of(target);
    let startup = startup(&target.startup);
    let tenants = tenants(target).unwrap_or_default();
    let facts =
        format!("{heading}\n{tenants}  source    {source}\n  history   {history}{as_of}\n  start-up  {startup}\n");
    findings(facts, &target.findings)
}

/// Who the tenants are, where that is not all and the heading does not say it.
fn tenants(report: &TargetReport) -> Option<String> {
    let tenants = report.tenants.as_ref()?;
    let is_told = tenants.are_few() || tenants.names.len() == tenants.total;
    (!is_told).then(|| format!("  tenants   {}\n", harmless(&listed(&tenants.names))))
}

fn startup(outcome: &Outcome) -> String {
    let green = Style::new().fg_color(Some(AnsiColor::Green.into()));
    match outcome {
        Outcome::Starts => styled(green, "starts, with nothing to apply"),
        Outcome::StartsAndApplies(versions) => {
            format!("{} {}", styled(green, "starts, after applying"), listed(versions))
        }
        Outcome::Unknown => "unknown: a side could not be read".to_owned(),
        Outcome::Fails { error, applies: before } => {
            let head = styled(severity_style(Severity::Error), "fails:");
            let before = if before.is_empty() {
                String::new()
            } else {
                format!("\n            before that, it would apply {}", listed(before))
            };
            format!("{head} {}{before}", harmless(&error.to_string()))
        }
    }
}

/// A heading with findings below it: those of one rule together, with what to do said once.
fn findings(mut out: String, findings: &[Finding]) -> String {
    for (number, group) in findings.chunk_by(is_of_one_kind).enumerate() {
        out.push_str(if number == 0 { "\n" } else { "\n\n" });
        for (number, finding) in group.iter().enumerate() {
            let label = format!("{}[{}]", finding.severity.id(), finding.rule());
            let _ = writeln!(out, "  {}: {}", styled(severity_style(finding.severity), label), one_line(finding));
            if let Some(location) = &finding.location {
                let place = format!("--> {}", harmless(&location.to_string()));
                let _ = writeln!(out, "    {}", styled(DIM, place));
            }
            // What several in a row have in common is said once, below the last of them.
            let is_next = group.get(number + 1).is_some_and(|next| next.explanation == finding.explanation);
            if let Some(explanation) = finding.explanation.as_deref().filter(|_| !is_next) {
                out.push_str(&explained(explanation));
            }
        }
        if let Some(finding) = group.first() {
            let _ = write!(out, "    {} {}", styled(BOLD, "help:"), harmless(&finding.facts.help()));
        }
    }
    out
}

/// Who, when and how to mend it. The lines to copy stand by themselves.
fn explained(explanation: &Explanation) -> String {
    let mut out = format!("    {} {}\n", styled(BOLD, "why:"), harmless(&explanation.summary));
    for line in &explanation.diff {
        let _ = writeln!(out, "      {}", styled(diff_style(line), harmless(line)));
    }
    let mut block = |label: &str, lines: &mut dyn Iterator<Item = &str>| {
        for (number, line) in lines.enumerate() {
            let label = if number == 0 { styled(BOLD, label) + "\n" } else { String::new() };
            let indent = if number == 0 { "    " } else { "" };
            let _ = writeln!(out, "{indent}{label}      {}", harmless(line));
        }
    };
    block("fix:", &mut explanation.fix.iter().map(String::as_str));
    block("or mend the row:", &mut explanation.repair_sql.iter().flat_map(|sql| sql.lines()));
    out
}

fn diff_style(line: &str) -> Style {
    match line.as_bytes().first() {
        Some(b'-') => Style::new().fg_color(Some(AnsiColor::Red.into())),
        Some(b'+') => Style::new().fg_color(Some(AnsiColor::Green.into())),
        _ => DIM,
    }
}

fn is_of_one_kind(a: &Finding, b: &Finding) -> bool {
    a.severity == b.severity && a.facts.help() == b.facts.help()
}

fn one_line(finding: &Finding) -> String {
    // Where descriptions are what the finding is about, the message has them.
    let description = finding.facts.description().filter(|_| finding.rule() != Rule::DescriptionChanged);
    let description = description.map(|text| format!(" ({})", harmless(text))).unwrap_or_default();
    let service = match &finding.scope {
        Scope::Service { service, .. } => format!("{}: ", harmless(service)),
        Scope::Target { .. } | Scope::Run => String::new(),
    };
    format!("{service}{}{description}", harmless(&finding.facts.message()))
}

fn accepted(report: &Report) -> String {
    let mut out = styled(BOLD, "accepted");
    for (finding, reason) in &report.accepted {
        let _ = write!(out, "\n  {} ({})", in_short(finding), harmless(reason));
    }
    out
}

/// What the base of the change has too.
fn already_so(report: &Report) -> String {
    let mut out = styled(BOLD, "already so");
    for finding in &report.already_so {
        let _ = write!(out, "\n  {} {}", finding.severity.id(), in_short(finding));
    }
    out
}

/// A finding that counts for nothing.
fn in_short(finding: &Finding) -> String {
    let places = finding.scope.places().join(", ");
    let place = finding.scope.service().map(|service| format!(" for {service} in {places}"));
    let (place, message) = (harmless(&place.unwrap_or_default()), harmless(&finding.facts.message()));
    format!("{}{place}: {message}", finding.rule())
}

fn notes(report: &Report) -> String {
    let label = styled(BOLD, "note:");
    report.notes.iter().map(|note| format!("{label} {}", harmless(note))).collect::<Vec<_>>().join("\n")
}

fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => Style::new().fg_color(Some(AnsiColor::Green.into())).bold(),
        Verdict::Fail => severity_style(Severity::Error),
        Verdict::Incomplete => severity_style(Severity::Incomplete),
    }
}

fn severity_style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Incomplete => AnsiColor::Magenta,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Notice => AnsiColor::Cyan,
    };
    Style::new().fg_color(Some(color.into())).bold()
}

#[cfg(test)]
mod tests;
