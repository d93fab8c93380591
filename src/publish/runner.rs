//! What GitHub's runner takes from a step: its summary, its outputs, and a file for the steps after it.

use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

use super::guard;
use crate::github::Destination;
use crate::render;
use crate::report::Report;

/// GitHub drops the summary of a step that has more bytes, and one step's is added to that of another of its job.
pub(super) const STEP_SUMMARY: usize = 1_000_000;

/// Writes all of them, as far as the runner asks for them. Returns what went wrong, each in a sentence.
pub fn to_runner(report: &Report, to: &Destination) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |what: &str, done: io::Result<()>| {
        if let Err(error) = done {
            problems.push(format!("{what} could not be written: {error}"));
        }
    };
    if let Some(path) = &to.json {
        note("the JSON report", fs::write(path, guard::redacted(&render::json(report))));
    }
    if let Some(path) = &to.summary {
        note("the summary of the step", append(path, &guard::redacted(&render::markdown(report, STEP_SUMMARY))));
    }
    if let Some(path) = &to.outputs {
        note("the outputs of the step", append(path, &outputs(report, to.json.as_deref())));
    }
    problems
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

/// The outputs that `action.yml` lists.
fn outputs(report: &Report, json: Option<&Path>) -> String {
    let sum = |count: fn(&crate::report::Counts) -> Option<usize>| {
        report.targets.iter().filter_map(|target| count(&target.counts)).sum::<usize>().to_string()
    };
    let values = [
        ("verdict", report.verdict.id().to_owned()),
        ("exit-code", report.verdict.exit_code().to_string()),
        ("missing", sum(|counts| counts.missing)),
        ("mismatched", sum(|counts| counts.mismatched)),
        ("pending", sum(|counts| counts.pending)),
        ("report-path", json.map(|path| path.display().to_string()).unwrap_or_default()),
    ];
    // Nobody who has a say in a value can know what ends it.
    let end = format!("end-{:016x}", RandomState::new().build_hasher().finish());
    values.iter().map(|(name, value)| format!("{name}<<{end}\n{value}\n{end}\n")).collect()
}
