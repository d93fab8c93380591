//! The only writers: standard output, standard error and files. A write that fails is told and never changes the
//! verdict. What comes from outside the report, such as the log, passes through `guard`.

mod guard;
mod log;
mod panic;
mod progress;

pub use guard::guard;
pub use log::{LogError, start_log};
pub use panic::calm_panics;
pub use progress::Progress;

use std::fs;
use std::io::{self, Write};

use crate::cli::{Format, Output};
use crate::render;
use crate::report::Report;

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

/// Writes to standard output; colours only where it is a terminal that shows them.
pub fn print(text: &str) {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever read so far has read enough: `migration-preflight | head`.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => complain(&format!("standard output: {error}")),
        _ => {}
    }
}

/// Tells on standard error what stands in the way, with all its causes.
pub fn complain(problem: &str) {
    let lines = guard::lines(problem.trim_end());
    // Where standard error is closed there is nobody left to tell.
    let _ = writeln!(anstream::stderr().lock(), "error: {}", lines.join("\n"));
}

fn rendered(report: &Report, format: Format) -> String {
    match format {
        Format::Human => render::human(report),
        Format::Json => render::json(report),
    }
}
