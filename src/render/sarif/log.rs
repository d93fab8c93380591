//! The parts of a SARIF log that are written, named and ordered as the standard has them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::finding::Location;

/// What files are relative to.
const ROOT: &str = "%SRCROOT%";
/// Everything in a path that is not allowed to stand in a relative reference by itself.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The whole of it.
#[derive(Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

/// One run of the tool.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub tool: Tool,
    pub automation_details: AutomationDetails,
    pub invocations: [Invocation; 1],
    pub original_uri_base_ids: Value,
    pub results: Vec<Item>,
}

#[derive(Serialize)]
pub struct Tool {
    pub driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Driver {
    pub name: &'static str,
    pub version: &'static str,
    pub semantic_version: &'static str,
    pub rules: Vec<Descriptor>,
}

/// A rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub id: &'static str,
    pub short_description: Text,
    pub full_description: Text,
    pub help: Markdown,
    pub default_configuration: Configuration,
}

#[derive(Serialize)]
pub struct Configuration {
    pub level: &'static str,
}

#[derive(Serialize)]
pub struct Text {
    pub text: String,
}

#[derive(Serialize)]
pub struct Markdown {
    pub text: String,
    pub markdown: String,
}

/// What the run is one of; up to the last `/` code scanning calls it a category.
#[derive(Serialize)]
pub struct AutomationDetails {
    pub id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    pub execution_successful: bool,
    pub exit_code: u8,
    pub exit_code_description: String,
    pub tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub level: &'static str,
    pub message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associated_rule: Option<RuleReference>,
}

#[derive(Serialize)]
pub struct RuleReference {
    pub id: &'static str,
    pub index: usize,
}

/// A finding: a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub rule_id: &'static str,
    pub rule_index: usize,
    pub level: &'static str,
    pub message: Text,
    pub locations: [Place; 1],
    pub partial_fingerprints: Partial,
    pub properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Partial {
    pub primary_location_line_hash: String,
}

/// What the standard has no place for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Properties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub environments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    pub severity: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub already_so: bool,
}

/// A line of a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

impl Log {
    pub fn of(run: Run) -> Self {
        Self {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [run],
        }
    }
}

impl Place {
    pub fn of(location: &Location) -> Self {
        let uri = utf8_percent_encode(&location.file, ESCAPED).to_string();
        let artifact_location = ArtifactLocation { uri, uri_base_id: ROOT };
        let region = Region { start_line: location.line.max(1) };
        Self { physical_location: PhysicalLocation { artifact_location, region } }
    }
}

/// What the root is, without saying where it is: that differs from one machine to the next.
pub fn base_ids() -> Value {
    json!({ ROOT: { "description": { "text": "The root of the repository." } } })
}
