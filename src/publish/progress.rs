//! One line on the terminal while databases are read; nothing where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::level_filters::LevelFilter;

/// The progress of a run. It shows numbers only, so there is nothing in it to hide.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A line for this many targets, hidden where standard error is no terminal.
    pub fn new(targets: usize) -> Self {
        // A log on the same screen says more, and each would write over the other.
        let target = match LevelFilter::current() {
            LevelFilter::OFF => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(targets as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} read {pos} of {len} targets ({elapsed})") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            // Takes a thread.
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// One more target is read.
    pub fn tick(&self) {
        self.0.inc(1);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
