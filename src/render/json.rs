//! The JSON report, as it is printed.

use serde::Serialize;

use crate::report::rollback::{Rollback, RollbackV1};
use crate::report::{Report, v1};
use crate::text::is_invisible;

/// The report as JSON, version 1, indented and ended by a line break.
pub fn json(report: &Report) -> String {
    printed(&v1::ReportV1::from(report))
}

/// What `rollback` has to say, in the same way.
pub fn rollback(rollback: &Rollback) -> String {
    printed(&RollbackV1::from(rollback))
}

/// A value as it is printed: indented, ended by a line break, and with nothing in it that acts.
pub(super) fn printed(value: &impl Serialize) -> String {
    // Strings, numbers and lists only: there is nothing in it that could fail.
    let mut text = escaped(serde_json::to_string_pretty(value).unwrap_or_default());
    text.push('\n');
    text
}

/// JSON allows these letters bare, and only in strings. A terminal would act on them, and what strips colours from
/// an output would take them away, so that the report would no longer hold what was read. A runner acts on `##[`.
pub(super) fn escaped(json: String) -> String {
    let acts = |c: char| c != '\n' && (c.is_control() || is_invisible(c));
    let json = if json.contains("##[") { json.replace("##[", "##\\u005b") } else { json };
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
