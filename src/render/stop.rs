//! Why there is no report, for GitHub: as a page, and as a command for its runner.

use super::annotations::{MOST_COMMAND_MESSAGE, cut};
use super::markdown::code_block;
use crate::report::{Stop, StopReason};
use crate::text::{command_data, harmless};

/// What a block costs beside its text and the ticks in it.
const FENCE: usize = 16;

/// The reason in at most `limit` bytes of Markdown.
pub fn markdown(stop: &Stop, limit: usize) -> String {
    let symbol = match stop.reason {
        StopReason::Unusable => "❌",
        StopReason::Cancelled => "🚫",
    };
    let title = format!("## {symbol} {}\n", stop.title());
    if stop.detail.is_empty() {
        return title;
    }
    let detail: Vec<_> = stop.detail.lines().map(harmless).collect();
    // The fences around it are as long as the longest within, and that may be all of it.
    let detail = cut(&detail.join("\n"), limit.saturating_sub(title.len() + FENCE) / 3, str::len);
    format!("{title}\n{}", code_block("text", &detail))
}

/// The reason as an annotation of the step.
pub fn github(stop: &Stop) -> String {
    let text: Vec<_> = std::iter::once(stop.title()).chain(stop.detail.lines()).map(harmless).collect();
    format!(
        "::error title=migration-preflight::{}\n",
        command_data(&cut(text.join("\n").trim_end(), MOST_COMMAND_MESSAGE, str::len))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(detail: &str) -> Stop {
        Stop { reason: StopReason::Unusable, detail: detail.to_owned() }
    }

    #[test]
    fn the_detail_stands_in_a_block_that_nothing_in_it_ends() {
        let page = markdown(&stop("a: ````\n```\n<img> @octo"), 1000);
        let title = "## ❌ fail: nothing was checked, because the configuration or an input cannot be used\n";
        assert_eq!(page, format!("{title}\n`````text\na: ````\n```\n<img> @octo\n`````\n"));
    }

    #[test]
    fn a_long_detail_is_cut() {
        for limit in [200, 1000, 65_535] {
            assert!(markdown(&stop(&"`".repeat(100_000)), limit).len() <= limit, "{limit}");
        }
    }

    #[test]
    fn the_command_is_one_line() {
        let command = github(&stop("line\n::error::x"));
        assert!(command.starts_with("::error title=migration-preflight::fail: nothing was checked"), "{command}");
        assert_eq!(command.trim_end().lines().count(), 1);
    }
}
