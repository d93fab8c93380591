//! The report as SARIF 2.1.0, for code scanning and for whatever else reads the format:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! A finding that counts is a result, with a fingerprint by which code scanning knows it again. What configuration accepts
//! is none: code scanning knows nothing of suppressions, and would open alerts. What the base has already is a result of the
//! lowest level, so that it is neither held against the change nor taken for mended. What could not be read is a result, and
//! a notification as well. Text from elsewhere is plain text, in which nothing is a link or a placeholder.

mod fingerprint;
mod log;
mod place;

use std::collections::HashMap;

use crate::finding::{Finding, Rule, Severity};
use crate::render::annotations::cut;
use crate::render::grouped::{alone, snapshot_lines};
use crate::render::json::printed;
use crate::report::{Report, TOOL, TargetReport, Verdict, plural};
use crate::text::harmless;
use fingerprint::Fingerprints;
use log::{
    AutomationDetails, Configuration, Descriptor, Driver, Invocation, Item, Log, Markdown, Notification, Partial,
    Place, Properties, RuleReference, Run, Text, Tool,
};

/// Code scanning refuses a run with more results.
const MOST_RESULTS: usize = 25_000;
/// What is longer hardly anybody reads: a message of an explanation has some five hundred bytes.
const MOST_MESSAGE: usize = 16 << 10;

/// The report as SARIF, indented and ended by a line break.
pub fn sarif(report: &Report) -> String {
    printed(&Log::of(run(report, MOST_RESULTS)))
}

/// A finding of the report, and what it is to be told with.
struct Told<'a> {
    finding: &'a Finding,
    target: Option<&'a TargetReport>,
    is_already_so: bool,
}

fn run(report: &Report, most: usize) -> Run {
    let told = told(report);
    let rules: HashMap<Rule, usize> = Rule::all().enumerate().map(|(index, rule)| (rule, index)).collect();
    let mut fingerprints = Fingerprints::default();
    let results = told.iter().take(most).map(|told| {
        let Finding { facts, scope, severity, .. } = told.finding;
        let rule = told.finding.rule();
        let (message, place) = told.message();
        Item {
            rule_id: rule.id(),
            rule_index: rules[&rule],
            level: if told.is_already_so { Level::Note } else { level(*severity) }.id(),
            message,
            locations: [place],
            partial_fingerprints: Partial { primary_location_line_hash: fingerprints.next(told.finding) },
            properties: Properties {
                service: scope.service().map(harmless),
                environments: scope.environments().iter().map(|name| harmless(name)).collect(),
                version: facts.version().map(|version| version.0),
                severity: severity.id(),
                already_so: told.is_already_so,
            },
        }
    });
    Run {
        results: results.collect(),
        tool: Tool { driver: driver() },
        automation_details: AutomationDetails { id: category(&report.targets) },
        original_uri_base_ids: log::base_ids(),
        invocations: [invocation(report, &told, most, &rules)],
    }
}

/// How grave a result is.
#[derive(Clone, Copy)]
enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    fn id(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What could not be read is never a pass, here as in annotations.
fn level(severity: Severity) -> Level {
    match severity {
        Severity::Error | Severity::Incomplete => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Notice => Level::Note,
    }
}

/// The findings that count, the gravest first, and then those that the base has already.
fn told(report: &Report) -> Vec<Told<'_>> {
    let mut of_service: HashMap<&str, &TargetReport> = HashMap::new();
    for target in &report.targets {
        of_service.entry(&target.service).or_insert(target);
    }
    let first_of = |finding: &Finding| finding.scope.service().and_then(|service| of_service.get(service).copied());
    let of_targets =
        report.targets.iter().flat_map(|target| target.findings.iter().map(move |finding| (finding, Some(target))));
    let across = report.findings.iter().map(|finding| (finding, first_of(finding)));
    let open = of_targets.chain(across).map(|(finding, target)| Told { finding, target, is_already_so: false });
    let mut told: Vec<_> = open.collect();
    told.sort_by_key(|told| std::cmp::Reverse(told.finding.severity));
    told.extend(report.already_so.iter().map(|finding| Told {
        finding,
        target: first_of(finding),
        is_already_so: true,
    }));
    told
}

impl Told<'_> {
    /// Whose it is, what is the case, why, and what to do; and where that is shown.
    fn message(&self) -> (Text, Place) {
        let location = place::place(self.finding, self.target);
        (text(&alone(self.finding, self.target).paragraph(&location)), Place::of(&location))
    }
}

/// Plain text in which a reader of the format sees no link (`[text](place)`) and no placeholder (`{0}`).
fn text(text: &str) -> Text {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let is_taken_for_more = match c {
            '}' => {
                let before = plain.trim_end_matches(|c: char| c.is_ascii_digit());
                before.len() < plain.len() && before.ends_with('{')
            }
            '(' => plain.ends_with(']'),
            _ => false,
        };
        if is_taken_for_more {
            plain.push(' ');
        }
        plain.push(c);
    }
    Text { text: cut(&plain, MOST_MESSAGE, str::len) }
}

fn driver() -> Driver {
    let version = env!("CARGO_PKG_VERSION");
    Driver { name: TOOL, version, semantic_version: version, rules: Rule::all().map(descriptor).collect() }
}

/// A rule, in the words of `rules RULE`.
fn descriptor(rule: Rule) -> Descriptor {
    let summary = rule.summary();
    let first = summary.split_inclusive(". ").next().unwrap_or(summary).trim_end();
    let markdown =
        format!("**{rule}**\n\n- Default: {}\n- Fires: {summary}\n\n{}\n", rule.default_severity(), rule.help());
    Descriptor {
        id: rule.id(),
        short_description: Text { text: first.to_owned() },
        full_description: Text { text: summary.to_owned() },
        help: Markdown { text: super::rule(rule), markdown },
        default_configuration: Configuration { level: level(rule.severity()).id() },
    }
}

/// What tells the analyses of one commit apart, for code scanning keeps the last of each: what all targets share, so that
/// the legs of a matrix, and what was checked of a checkout and of an image, do not take each other's place.
fn category(targets: &[TargetReport]) -> String {
    let shared = |of: fn(&TargetReport) -> &str| {
        let first = of(targets.first()?);
        targets.iter().all(|target| of(target) == first).then(|| harmless(first))
    };
    let parts = [
        shared(|target| &target.kind).filter(|kind| kind != "directory").map(|kind| format!("source:{kind}/")),
        shared(|target| &target.service).map(|service| format!("service:{service}/")),
        shared(|target| &target.environment).map(|environment| format!("environment:{environment}/")),
    ];
    format!("{TOOL}/{}", parts.into_iter().flatten().collect::<String>())
}

/// What became of the run: whether everything was read, and what was not.
fn invocation(report: &Report, told: &[Told], most: usize, rules: &HashMap<Rule, usize>) -> Invocation {
    let gaps: Vec<_> = told.iter().filter(|told| told.finding.severity == Severity::Incomplete).collect();
    let of_gap = |told: &&Told| {
        let (rule, (message, place)) = (told.finding.rule(), told.message());
        let associated_rule = Some(RuleReference { id: rule.id(), index: rules[&rule] });
        Notification { level: Level::Error.id(), message, locations: vec![place], associated_rule }
    };
    let said = |level: Level, message: &str| Notification {
        level: level.id(),
        message: text(&harmless(message)),
        locations: Vec::new(),
        associated_rule: None,
    };
    let left_out = told.len().saturating_sub(most);
    let left_out = (left_out > 0).then(|| {
        let left_out = plural(left_out, "finding");
        said(Level::Warning, &format!("{left_out} more, which the JSON report has: code scanning takes {most} results"))
    });
    let notes = snapshot_lines(report).chain(report.notes.iter().cloned()).map(|note| said(Level::Note, &note));
    Invocation {
        execution_successful: report.verdict != Verdict::Incomplete && gaps.is_empty(),
        exit_code: report.verdict.exit_code(),
        exit_code_description: harmless(&report.title()),
        tool_execution_notifications: gaps.iter().take(most).map(of_gap).chain(left_out).chain(notes).collect(),
    }
}

#[cfg(test)]
mod tests;
