//! The JSON report, version 1: types of its own, so that the published format changes only on purpose; and the way back
//! from it to a report.

mod explanation;

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::snapshot::KIND;
use super::tool::{TOOL, ToolV1, schema_of};
use super::{Counts, Report, TargetReport, Verdict};
use explanation::ExplanationV1;

use crate::finding::{Facts, Finding, Location, Rule, Scope, Severity};
use crate::history::{AsOf, written};
use crate::migration::Version;
use crate::source::Origin;
use crate::startup::{Outcome, StartupError};
use crate::tenants::Tenants;
use crate::text::harmless;

/// The version of the format.
const VERSION: u32 = 1;

/// The JSON Schema of the report. `docs/report-v1.schema.json` is a copy of it.
pub fn json_schema() -> Value {
    schema_of::<ReportV1>()
}

/// A report of migration-preflight, version 1. More keys may follow; these stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(title = "migration-preflight report, version 1")]
pub struct ReportV1<'a> {
    /// Always 1.
    schema: u32,
    /// `pass`, `fail` or `incomplete`.
    #[schemars(with = "String", extend("enum" = ["pass", "fail", "incomplete"]))]
    verdict: Verdict,
    /// The verdict and what it rests on, in one line.
    title: String,
    /// What wrote the report.
    tool: ToolV1<'a>,
    /// The repository that it is about, as `owner/name`; absent where no run on GitHub says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<Cow<'a, str>>,
    /// Every target, in order of the plan.
    targets: Vec<TargetV1<'a>>,
    /// Findings that belong to no single target.
    findings: Vec<ScopedFindingV1<'a>>,
    /// Findings that the configuration accepts; they count for nothing.
    accepted: Vec<AcceptedV1<'a>>,
    /// Findings that the base of the change has too, with `gate: introduced`; they count for nothing.
    #[serde(rename = "already-so", default)]
    already_so: Vec<ScopedFindingV1<'a>>,
    /// What else there is to know of the run, of no weight: what could not be looked up, and how it could be.
    #[serde(default)]
    notes: Vec<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct TargetV1<'a> {
    /// The service.
    service: Cow<'a, str>,
    /// The environment.
    environment: Cow<'a, str>,
    /// The tenants that this is said of: a target with tenants stands here once for all that agree, one after the other.
    /// Left out where a target has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenants: Option<TenantsV1<'a>>,
    /// Where the code side was read.
    source: SourceV1<'a>,
    /// The snapshot that the history was read from; null where a database was asked.
    #[serde(default)]
    snapshot: Option<SnapshotV1<'a>>,
    /// Numbers of migrations; null where a side could not be read.
    counts: CountsV1,
    /// What happens when the service starts.
    startup: StartupV1<'a>,
    /// The findings of this target, gravest first.
    findings: Vec<FindingV1<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct SourceV1<'a> {
    /// `directory`, `revision`, `binary` or `image`.
    #[schemars(extend("enum" = ["directory", "revision", "binary", "image"]))]
    kind: Cow<'a, str>,
    /// The directory, relative to the root of the repository; `REVISION:DIRECTORY`; the path of a program; an image.
    location: Cow<'a, str>,
    /// The commit that a revision names.
    commit: Option<Cow<'a, str>>,
    /// The digest of an image.
    digest: Option<Cow<'a, str>>,
    /// When an image was made, as it says itself.
    created: Option<Cow<'a, str>>,
    /// The revision that an image says it was made from (`org.opencontainers.image.revision`).
    revision: Option<Cow<'a, str>>,
    /// The file in an image that the migrations were found in.
    file: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
struct SnapshotV1<'a> {
    /// The file, as it was named.
    file: Cow<'a, str>,
    /// When the database was read: ISO 8601, in UTC.
    taken: String,
    /// How many seconds ago that was when the report was made.
    age_seconds: i64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct CountsV1 {
    /// Up migrations in the source.
    defined: Option<usize>,
    /// Rows of the history.
    applied: Option<usize>,
    /// Rows without a file, neither of this service nor of another that writes to the same table.
    missing: Option<usize>,
    /// Rows that have no file of this service, but of another that writes to the same table; left out where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shared: Option<usize>,
    /// Rows whose file has another checksum.
    mismatched: Option<usize>,
    /// Versions with an up migration and no row.
    pending: Option<usize>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct StartupV1<'a> {
    /// `starts`, `starts-and-applies`, `fails` or `unknown`.
    #[schemars(extend("enum" = ["starts", "starts-and-applies", "fails", "unknown"]))]
    outcome: Cow<'a, str>,
    /// The error with which it fails; sqlx's own words where they are sqlx's.
    error: Option<String>,
    /// The versions that it applies, in order; with `fails`, those that it applies before.
    applies: Vec<i64>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct FindingV1<'a> {
    /// The id of the rule.
    #[schemars(with = "String")]
    rule: Rule,
    /// `error`, `incomplete`, `warning` or `notice`.
    #[schemars(with = "String", extend("enum" = ["error", "incomplete", "warning", "notice"]))]
    severity: Severity,
    /// The version that the finding is about.
    version: Option<i64>,
    /// The description of that migration.
    description: Option<Cow<'a, str>>,
    /// The file to show it at, relative to the root; for a missing migration its would-be file.
    file: Option<Cow<'a, str>>,
    /// The line in that file, counted from 1.
    line: Option<u32>,
    /// What is the case.
    message: String,
    /// What to do about it.
    help: Cow<'a, str>,
    /// Who, when and how to mend it, where that is known.
    explanation: Option<ExplanationV1<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct ScopedFindingV1<'a> {
    /// The service, unless it is the run as a whole.
    service: Option<Cow<'a, str>>,
    /// The environments.
    environments: Cow<'a, [String]>,
    /// The tenants that are meant, of a target that has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenants: Option<TenantsV1<'a>>,
    #[serde(flatten)]
    finding: FindingV1<'a>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct TenantsV1<'a> {
    /// Their names.
    names: Cow<'a, [String]>,
    /// How many the target has in all.
    total: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct AcceptedV1<'a> {
    /// Why it is accepted.
    reason: Cow<'a, str>,
    #[serde(flatten)]
    finding: ScopedFindingV1<'a>,
}

impl<'a> From<&'a Report> for ReportV1<'a> {
    fn from(report: &'a Report) -> Self {
        let accepted = report.accepted.iter();
        Self {
            schema: VERSION,
            verdict: report.verdict,
            title: report.title(),
            tool: ToolV1::this(),
            repository: report.repository.as_deref().map(Cow::from),
            targets: report.targets.iter().map(target).collect(),
            findings: report.findings.iter().map(scoped).collect(),
            accepted: accepted
                .map(|(finding, reason)| AcceptedV1 { reason: reason.into(), finding: scoped(finding) })
                .collect(),
            already_so: report.already_so.iter().map(scoped).collect(),
            notes: report.notes.iter().map(Cow::from).collect(),
        }
    }
}

impl CountsV1 {
    pub(super) fn of(counts: Counts) -> Self {
        let Counts { defined, applied, missing, shared, mismatched, pending } = counts;
        Self { defined, applied, missing, shared, mismatched, pending }
    }
}

impl<'a> TenantsV1<'a> {
    pub(super) fn of(Tenants { names, total }: &'a Tenants) -> Self {
        Self { names: names.into(), total: *total }
    }

    fn into_tenants(self) -> Arc<Tenants> {
        Arc::new(Tenants { names: self.names.into_owned(), total: self.total })
    }
}

impl<'a> StartupV1<'a> {
    pub(super) fn of(startup: &'a Outcome) -> Self {
        Self {
            outcome: startup.id().into(),
            error: startup.error().map(ToString::to_string),
            applies: startup.applies().iter().map(|version| version.0).collect(),
        }
    }
}

fn target(target: &TargetReport) -> TargetV1<'_> {
    TargetV1 {
        service: (&target.service).into(),
        environment: (&target.environment).into(),
        tenants: target.tenants.as_deref().map(TenantsV1::of),
        source: source(target),
        snapshot: target.as_of.as_ref().map(snapshot),
        counts: CountsV1::of(target.counts),
        startup: StartupV1::of(&target.startup),
        findings: target.findings.iter().map(finding).collect(),
    }
}

fn source(target: &TargetReport) -> SourceV1<'_> {
    let Origin { commit, digest, created, revision, file } = &target.origin;
    let [commit, digest, created, revision, file] =
        [commit, digest, created, revision, file].map(|text| text.as_deref().map(Cow::from));
    let (kind, location) = (target.kind.as_str().into(), target.location.as_str().into());
    SourceV1 { kind, location, commit, digest, created, revision, file }
}

fn snapshot(as_of: &AsOf) -> SnapshotV1<'_> {
    let AsOf { taken, age, file } = as_of;
    SnapshotV1 { file: file.into(), taken: written(taken), age_seconds: age.num_seconds() }
}

fn finding(finding: &Finding) -> FindingV1<'_> {
    let location = finding.location.as_ref();
    FindingV1 {
        rule: finding.rule(),
        severity: finding.severity,
        version: finding.facts.version().map(|version| version.0),
        description: finding.facts.description().map(Cow::Borrowed),
        file: location.map(|location| location.file.as_str().into()),
        line: location.map(|location| location.line),
        message: finding.facts.message(),
        help: finding.facts.help(),
        explanation: finding.explanation.as_deref().map(ExplanationV1::of),
    }
}

fn scoped(of: &Finding) -> ScopedFindingV1<'_> {
    ScopedFindingV1 {
        service: of.scope.service().map(Cow::Borrowed),
        environments: of.scope.environments().into(),
        tenants: of.scope.tenants().map(|tenants| TenantsV1::of(tenants)),
        finding: finding(of),
    }
}

/// Why a text is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReport {
    /// It is something else altogether.
    #[error("it is not a report of {TOOL}")]
    Foreign,
    /// A later version of the tool wrote it.
    #[error("it is a report of version {0}, and this is {TOOL} for version {VERSION}")]
    Version(u64),
    /// Another version of the tool wrote it, with something in it that this one does not know.
    #[error("version {0} of {TOOL} wrote it, and this is version {version}, which cannot read it: {1}", version = env!("CARGO_PKG_VERSION"))]
    Other(String, String),
    /// It is damaged.
    #[error("it is a report, but a damaged one: {0}")]
    Damaged(String),
    /// There is no text.
    #[error("{0}")]
    Unreadable(String),
}

/// The report that a JSON text tells of. Where targets are declared is not in it.
///
/// # Errors
/// It is none.
pub fn read(text: &str) -> Result<Report, NoReport> {
    let value: Value = serde_json::from_str(text).map_err(|_| NoReport::Foreign)?;
    if value["tool"]["name"] != TOOL || value["kind"] == KIND {
        return Err(NoReport::Foreign);
    }
    match value["schema"].as_u64() {
        Some(version) if version != u64::from(VERSION) => return Err(NoReport::Version(version)),
        _ => {}
    }
    let writer = value["tool"]["version"].as_str().filter(|version| *version != env!("CARGO_PKG_VERSION"));
    let of_another = |error| match (writer, error) {
        (Some(version), NoReport::Damaged(detail)) => NoReport::Other(harmless(version), detail),
        (_, error) => error,
    };
    let damaged = |error: serde_json::Error| NoReport::Damaged(error.to_string());
    ReportV1::deserialize(&value).map_err(damaged).and_then(ReportV1::into_report).map_err(of_another)
}

impl ReportV1<'_> {
    fn into_report(self) -> Result<Report, NoReport> {
        let accepted = self.accepted.into_iter().map(|AcceptedV1 { reason, finding }| {
            let finding = finding.into_finding();
            (finding, reason.into_owned())
        });
        let targets: Vec<TargetReport> =
            self.targets.into_iter().map(TargetV1::into_target).collect::<Result<_, _>>()?;
        targets.chunk_by(TargetReport::is_of_target).try_for_each(check_tenants)?;
        Ok(Report {
            verdict: self.verdict,
            accepted: accepted.collect(),
            already_so: self.already_so.into_iter().map(ScopedFindingV1::into_finding).collect(),
            notes: self.notes.into_iter().map(Cow::into_owned).collect(),
            repository: self.repository.map(Cow::into_owned),
            findings: self.findings.into_iter().map(ScopedFindingV1::into_finding).collect(),
            targets,
        })
    }
}

/// Whether what is said of one target is said of all its tenants.
fn check_tenants(reports: &[TargetReport]) -> Result<(), NoReport> {
    let tenants = || reports.iter().filter_map(|report| report.tenants.as_deref());
    let count: usize = tenants().map(|tenants| tenants.names.len()).sum();
    match (tenants().find(|tenants| tenants.total != count), reports) {
        (Some(Tenants { total, .. }), [TargetReport { service, environment, .. }, ..]) => {
            Err(NoReport::Damaged(format!("of {service} in {environment} it has {count} of {total} tenants")))
        }
        _ => Ok(()),
    }
}

impl TargetV1<'_> {
    fn into_target(self) -> Result<TargetReport, NoReport> {
        let CountsV1 { defined, applied, missing, shared, mismatched, pending } = self.counts;
        let (service, environment) = (self.service.into_owned(), self.environment.into_owned());
        let tenants = self.tenants.map(TenantsV1::into_tenants);
        let scope =
            Scope::Target { service: service.clone(), environment: environment.clone(), tenants: tenants.clone() };
        let findings = self.findings.into_iter().map(|finding| finding.into_finding(scope.clone())).collect();
        Ok(TargetReport {
            service,
            environment,
            tenants,
            kind: self.source.kind.into_owned(),
            location: self.source.location.into_owned(),
            origin: Origin {
                commit: self.source.commit.map(Cow::into_owned),
                digest: self.source.digest.map(Cow::into_owned),
                created: self.source.created.map(Cow::into_owned),
                revision: self.source.revision.map(Cow::into_owned),
                file: self.source.file.map(Cow::into_owned),
            },
            as_of: self.snapshot.map(SnapshotV1::into_as_of).transpose()?,
            counts: Counts { defined, applied, missing, shared, mismatched, pending },
            declared: None,
            startup: self.startup.into_outcome()?,
            findings,
        })
    }
}

impl SnapshotV1<'_> {
    fn into_as_of(self) -> Result<AsOf, NoReport> {
        let taken = DateTime::parse_from_rfc3339(&self.taken).map(|taken| taken.to_utc());
        let age = TimeDelta::try_seconds(self.age_seconds);
        let no_time = || NoReport::Damaged(format!("`{}`, {} seconds ago, is no time", self.taken, self.age_seconds));
        let (taken, age) = taken.ok().zip(age).ok_or_else(no_time)?;
        Ok(AsOf { taken, age, file: self.file.into_owned() })
    }
}

impl StartupV1<'_> {
    fn into_outcome(self) -> Result<Outcome, NoReport> {
        let applies = self.applies.into_iter().map(Version).collect();
        Ok(match (self.outcome.as_ref(), self.error) {
            ("starts", _) => Outcome::Starts,
            ("starts-and-applies", _) => Outcome::StartsAndApplies(applies),
            ("fails", error) => Outcome::Fails { error: StartupError::Reported(error.unwrap_or_default()), applies },
            ("unknown", _) => Outcome::Unknown,
            (other, _) => return Err(NoReport::Damaged(format!("there is no outcome `{other}`"))),
        })
    }
}

impl FindingV1<'_> {
    fn into_finding(self, scope: Scope) -> Finding {
        let location = self.file.map(|file| Location { file: file.into_owned(), line: self.line.unwrap_or(1).max(1) });
        let facts = Facts::Reported {
            rule: self.rule,
            version: self.version.map(Version),
            description: self.description.map(Cow::into_owned),
            message: self.message,
            help: self.help.into_owned(),
        };
        let explanation = self.explanation.map(|explanation| Box::new(explanation.into_explanation()));
        Finding { facts, severity: self.severity, scope, location, explanation }
    }
}

impl ScopedFindingV1<'_> {
    fn into_finding(self) -> Finding {
        let tenants = self.tenants.map(TenantsV1::into_tenants);
        let scope = match (self.service.map(Cow::into_owned), self.environments.into_owned()) {
            (None, _) => Scope::Run,
            (Some(service), environments) => match <[String; 1]>::try_from(environments) {
                Ok([environment]) => Scope::Target { service, environment, tenants },
                Err(environments) => Scope::Service { service, environments },
            },
        };
        self.finding.into_finding(scope)
    }
}
