//! The JSON report, version 1: private types, so that the published format changes only on purpose.

use serde::Serialize;
use serde_json::Value;

use crate::finding::{Finding, Scope};
use crate::report::{Report, TargetReport};

/// The report as JSON, version 1, indented and ended by a line break.
pub fn json(report: &Report) -> String {
    let report = ReportV1 {
        schema: 1,
        verdict: report.verdict.id(),
        title: report.title(),
        tool: ToolV1 { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        targets: report.targets.iter().map(target).collect(),
        findings: report.findings.iter().map(scoped).collect(),
        accepted: report
            .accepted
            .iter()
            .map(|(finding, reason)| AcceptedV1 { reason, finding: scoped(finding) })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&report);
    // Strings, numbers and lists only: there is nothing in it that could fail.
    text.unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct ReportV1<'a> {
    schema: u32,
    verdict: &'static str,
    title: String,
    tool: ToolV1,
    targets: Vec<TargetV1<'a>>,
    findings: Vec<ScopedFindingV1<'a>>,
    accepted: Vec<AcceptedV1<'a>>,
}

#[derive(Serialize)]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct TargetV1<'a> {
    service: &'a str,
    environment: &'a str,
    source: SourceV1<'a>,
    counts: CountsV1,
    startup: StartupV1,
    findings: Vec<FindingV1<'a>>,
}

#[derive(Serialize)]
struct SourceV1<'a> {
    kind: &'static str,
    location: &'a str,
}

#[derive(Serialize)]
struct CountsV1 {
    defined: Option<usize>,
    applied: Option<usize>,
    missing: Option<usize>,
    mismatched: Option<usize>,
    pending: Option<usize>,
}

#[derive(Serialize)]
struct StartupV1 {
    outcome: &'static str,
    error: Option<String>,
    applies: Vec<i64>,
}

#[derive(Serialize)]
struct FindingV1<'a> {
    rule: &'static str,
    severity: &'static str,
    version: Option<i64>,
    description: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
    message: String,
    help: &'static str,
    explanation: Option<Value>,
}

#[derive(Serialize)]
struct ScopedFindingV1<'a> {
    service: Option<&'a str>,
    environments: &'a [String],
    #[serde(flatten)]
    finding: FindingV1<'a>,
}

#[derive(Serialize)]
struct AcceptedV1<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: ScopedFindingV1<'a>,
}

fn target(target: &TargetReport) -> TargetV1<'_> {
    let counts = target.counts;
    TargetV1 {
        service: &target.service,
        environment: &target.environment,
        source: SourceV1 { kind: "directory", location: &target.location },
        counts: CountsV1 {
            defined: counts.defined,
            applied: counts.applied,
            missing: counts.missing,
            mismatched: counts.mismatched,
            pending: counts.pending,
        },
        startup: StartupV1 {
            outcome: target.startup.id(),
            error: target.startup.error().map(ToString::to_string),
            applies: target.startup.applies().iter().map(|version| version.0).collect(),
        },
        findings: target.findings.iter().map(finding).collect(),
    }
}

fn finding(finding: &Finding) -> FindingV1<'_> {
    FindingV1 {
        rule: finding.rule().id(),
        severity: finding.severity.id(),
        version: finding.facts.version().map(|version| version.0),
        description: finding.facts.description(),
        file: finding.location.as_ref().map(|location| location.file.as_str()),
        line: finding.location.as_ref().map(|location| location.line),
        message: finding.facts.message(),
        help: finding.facts.help(),
        explanation: None,
    }
}

fn scoped(of: &Finding) -> ScopedFindingV1<'_> {
    let environments = match &of.scope {
        Scope::Run => &[],
        scope => scope.environments(),
    };
    ScopedFindingV1 { service: of.scope.service(), environments, finding: finding(of) }
}
