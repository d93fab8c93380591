//! The only writers: standard output, standard error and files. A write that fails is told and never changes the
//! verdict. What comes from outside the report, such as the log, passes through `guard`.

mod content;
mod github;
mod guard;
mod log;
mod panic;
mod progress;
mod restore;
mod runner;
mod whole;

pub use content::Content;
pub use guard::guard;
pub use log::{LogError, start_log};
pub use panic::calm_panics;
pub use progress::Progress;
pub use restore::make;
pub use whole::{create, replace};

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use crate::cli::{Format, Output};
use crate::github::Destination;
use crate::render;
use crate::report::Report;
use crate::text::harmless;

/// Writes the report to standard output and to every file that was asked for.
pub fn publish(report: &Report, format: Format, outputs: &[Output]) {
    print(&rendered(report, format));
    for output in outputs {
        let text = anstream::adapter::strip_str(&rendered(report, output.format)).to_string();
        if let Err(error) = fs::write(&output.path, text) {
            complain(&format!("the report could not be written to {}: {error}", output.path.display()));
        }
    }
}

/// Publishes on GitHub, in the way and in the places that were asked for; one request may take as long as `timeout`.
/// Returns how much went wrong, which is told and never changes the verdict.
pub async fn publish_on_github(content: Content<'_>, to: &Destination, timeout: Duration) -> usize {
    let github::Published { annotations_left, mut problems } = github::to_github(content, to, timeout).await;
    if annotations_left {
        print(&content.commands());
    }
    problems.extend(runner::to_runner(content, to));
    for problem in &problems {
        warn(problem);
    }
    problems.len()
}

/// Writes to standard output; colours only where it is a terminal that shows them.
pub fn print(text: &str) {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever read so far has read enough: `migration-preflight | head`.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => complain(&format!("standard output: {error}")),
        _ => {}
    }
}

/// Writes a line to standard output, without a secret and unable to act on a terminal or a runner.
pub fn say(line: &str) {
    print(&(harmless(&guard::redacted(line)) + "\n"));
}

/// Tells on standard error what stands in the way, with all its causes.
pub fn complain(problem: &str) {
    let lines = guard::lines(problem.trim_end());
    // Where standard error is closed there is nobody left to tell.
    let _ = writeln!(anstream::stderr().lock(), "error: {}", lines.join("\n"));
}

/// Tells on standard error what went wrong and does not stand in the way.
pub fn warn(problem: &str) {
    let _ = writeln!(anstream::stderr().lock(), "warning: {}", guard::lines(problem.trim_end()).join("\n"));
}

fn rendered(report: &Report, format: Format) -> String {
    match format {
        Format::Human => render::human(report),
        Format::Json => render::json(report),
        Format::Markdown => render::markdown(report, runner::STEP_SUMMARY),
        Format::Github => render::github(report),
        Format::Sarif => render::sarif(report),
    }
}
