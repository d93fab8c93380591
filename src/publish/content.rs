//! What leaves for GitHub: a report, or why there is none; and all of it without the secrets of the run.

use super::guard;
use crate::render::{self, Annotation};
use crate::report::{Report, Stop, StopReason, Verdict};

/// What is published.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// A report.
    Report(&'a Report),
    /// Why there is none.
    Stop(&'a Stop),
}

impl Content<'_> {
    /// What it comes down to, in one line.
    pub fn title(self) -> String {
        guard::redacted(&match self {
            Self::Report(report) => report.title(),
            Self::Stop(stop) => stop.title().to_owned(),
        })
    }

    /// A page of at most `limit` bytes.
    pub fn markdown(self, limit: usize) -> String {
        guard::redacted(&match self {
            Self::Report(report) => render::markdown(report, limit),
            Self::Stop(stop) => render::stop_markdown(stop, limit),
        })
    }

    /// What is said at lines of files.
    pub fn annotations(self) -> Vec<Annotation> {
        let Self::Report(report) = self else { return Vec::new() };
        let clean = |annotation: Annotation| Annotation {
            title: guard::redacted(&annotation.title),
            message: guard::redacted(&annotation.message),
            ..annotation
        };
        render::annotations(report).into_iter().map(clean).collect()
    }

    /// The same, and what belongs to no file, as commands for the runner.
    pub fn commands(self) -> String {
        guard::redacted(&match self {
            Self::Report(report) => render::github(report),
            Self::Stop(stop) => render::stop_github(stop),
        })
    }

    /// The conclusion of a check run. Neutral and skipped would pass a required check, and what was not read must not.
    pub fn conclusion(self) -> &'static str {
        match self {
            Self::Report(Report { verdict: Verdict::Pass, .. }) => "success",
            Self::Report(_) | Self::Stop(Stop { reason: StopReason::Unusable, .. }) => "failure",
            Self::Stop(Stop { reason: StopReason::Cancelled, .. }) => "cancelled",
        }
    }

    /// Whether there is nothing that anybody has to look at.
    pub fn is_clean(self) -> bool {
        self.conclusion() == "success"
    }
}
