//! The JSON report, version 1: private types, so that the published format changes only on purpose.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::finding::Finding;
use crate::report::{Report, TargetReport};
use crate::text::is_invisible;

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
    // Strings, numbers and lists only: there is nothing in it that could fail.
    let mut text = escaped(serde_json::to_string_pretty(&report).unwrap_or_default());
    text.push('\n');
    text
}

/// JSON allows these letters bare, and only in strings. A terminal would act on them, and what strips colours from
/// an output would take them away, so that the report would no longer hold what was read.
fn escaped(json: String) -> String {
    let acts = |c: char| c != '\n' && (c.is_control() || is_invisible(c));
    if !json.contains(acts) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if acts(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
        out
    })
}

/// The JSON Schema of the report. `docs/report-v1.schema.json` is a copy of it.
pub fn json_schema() -> Value {
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    settings.into_generator().into_root_schema_for::<ReportV1>().to_value()
}

/// A report of migration-preflight, version 1. More keys may follow; these stay.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "migration-preflight report, version 1")]
struct ReportV1<'a> {
    /// Always 1.
    schema: u32,
    /// `pass`, `fail` or `incomplete`.
    #[schemars(extend("enum" = ["pass", "fail", "incomplete"]))]
    verdict: &'static str,
    /// The verdict and what it rests on, in one line.
    title: String,
    /// What wrote the report.
    tool: ToolV1,
    /// Every target, in order of the plan.
    targets: Vec<TargetV1<'a>>,
    /// Findings that belong to no single target.
    findings: Vec<ScopedFindingV1<'a>>,
    /// Findings that the configuration accepts; they count for nothing.
    accepted: Vec<AcceptedV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct ToolV1 {
    /// Its name.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct TargetV1<'a> {
    /// The service.
    service: &'a str,
    /// The environment.
    environment: &'a str,
    /// Where the code side was read.
    source: SourceV1<'a>,
    /// Numbers of migrations; null where a side could not be read.
    counts: CountsV1,
    /// What happens when the service starts.
    startup: StartupV1,
    /// The findings of this target, gravest first.
    findings: Vec<FindingV1<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct SourceV1<'a> {
    /// `directory`.
    #[schemars(extend("enum" = ["directory"]))]
    kind: &'static str,
    /// The directory, relative to the root of the repository.
    location: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct CountsV1 {
    /// Up migrations in the source.
    defined: Option<usize>,
    /// Rows of the history.
    applied: Option<usize>,
    /// Rows without a file.
    missing: Option<usize>,
    /// Rows whose file has another checksum.
    mismatched: Option<usize>,
    /// Versions with an up migration and no row.
    pending: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct StartupV1 {
    /// `starts`, `starts-and-applies`, `fails` or `unknown`.
    #[schemars(extend("enum" = ["starts", "starts-and-applies", "fails", "unknown"]))]
    outcome: &'static str,
    /// The error with which it fails; sqlx's own words where they are sqlx's.
    error: Option<String>,
    /// The versions that it applies, in order; with `fails`, those that it applies before.
    applies: Vec<i64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct FindingV1<'a> {
    /// The id of the rule.
    rule: &'static str,
    /// `error`, `incomplete`, `warning` or `notice`.
    #[schemars(extend("enum" = ["error", "incomplete", "warning", "notice"]))]
    severity: &'static str,
    /// The version that the finding is about.
    version: Option<i64>,
    /// The description of that migration.
    description: Option<&'a str>,
    /// The file to show it at, relative to the root; for a missing migration its would-be file.
    file: Option<&'a str>,
    /// The line in that file, counted from 1.
    line: Option<u32>,
    /// What is the case.
    message: String,
    /// What to do about it.
    help: Cow<'static, str>,
    /// Who, when and how to mend it, where that is known.
    explanation: Option<Value>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct ScopedFindingV1<'a> {
    /// The service, unless it is the run as a whole.
    service: Option<&'a str>,
    /// The environments.
    environments: &'a [String],
    #[serde(flatten)]
    finding: FindingV1<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct AcceptedV1<'a> {
    /// Why it is accepted.
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
    ScopedFindingV1 { service: of.scope.service(), environments: of.scope.environments(), finding: finding(of) }
}
