//! What GitHub's runner takes from a step: its summary, its outputs, and a file for the steps after it.

use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

use super::{Content, guard};
use crate::github::Destination;
use crate::render;
use crate::report::{Counts, Report, USAGE};

/// GitHub drops the summary of a step that has more bytes, and one step's is added to that of another of its job.
pub(super) const STEP_SUMMARY: usize = 1_000_000;

/// Writes all of them, as far as the runner asks for them. Returns what went wrong, each in a sentence.
pub fn to_runner(content: Content, to: &Destination) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |what: &str, done: io::Result<()>| {
        if let Err(error) = done {
            problems.push(format!("{what} could not be written: {error}"));
        }
    };
    if let (Some(path), Content::Report(report)) = (&to.json, content) {
        note("the JSON report", fs::write(path, guard::redacted(&render::json(report))));
    }
    if let Some(path) = &to.summary {
        note("the summary of the step", append(path, &content.markdown(STEP_SUMMARY)));
    }
    if let Some(path) = &to.outputs {
        note("the outputs of the step", append(path, &outputs(content, to.json.as_deref())));
    }
    problems
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

/// The outputs that `action.yml` lists. Without a report there is nothing to tell but the exit code.
fn outputs(content: Content, json: Option<&Path>) -> String {
    let report = match content {
        Content::Report(report) => Some(report),
        Content::Stop(_) => None,
    };
    let sum = |count: fn(&Counts) -> Option<usize>| {
        let sum = |report: &Report| report.targets.iter().filter_map(|target| count(&target.counts)).sum::<usize>();
        report.map(|report| sum(report).to_string())
    };
    let path = report.and(json).map(|path| path.display().to_string());
    let values = [
        ("verdict", report.map(|report| report.verdict.id().to_owned())),
        ("exit-code", Some(report.map_or(USAGE, |report| report.verdict.exit_code()).to_string())),
        ("missing", sum(|counts| counts.missing)),
        ("mismatched", sum(|counts| counts.mismatched)),
        ("pending", sum(|counts| counts.pending)),
        ("report-path", path),
    ];
    // Nobody who has a say in a value can know what ends it.
    let end = format!("end-{:016x}", RandomState::new().build_hasher().finish());
    let line = |(name, value): (&str, Option<String>)| format!("{name}<<{end}\n{}\n{end}\n", value.unwrap_or_default());
    values.into_iter().map(line).collect()
}
