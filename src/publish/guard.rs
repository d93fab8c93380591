//! Stands before standard error: knows the secrets of the run, and lets none of them through.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::secret::{Redactor, Secrets};
use crate::text::{command_data, harmless, mask};

/// Hardly any run has anything to redact, so it is made ready only then.
type Known = LazyLock<Redactor, Box<dyn FnOnce() -> Redactor + Send>>;

/// The secrets of the run. The lock is held only for a copy, so that not even a panic can wait for it.
static KNOWN: RwLock<Option<(Secrets, Arc<Known>)>> = RwLock::new(None);

/// From now on none of `secrets` is written to standard error, nor any that came before, and GitHub's runner masks them in
/// the job's log.
pub fn guard(secrets: Secrets) {
    {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = known.take().map(|(before, _)| before).unwrap_or_default();
        all.extend([secrets.clone()]);
        let of_all = all.clone();
        *known = Some((all, Arc::new(LazyLock::new(Box::new(move || of_all.redactor())))));
    }
    // Elsewhere the commands would themselves be what shows the secrets.
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") && !is_file() {
        let commands: String = secrets.masks().map(|mask| format!("::add-mask::{}\n", command_data(mask))).collect();
        // One write, and not through what strips the colours of a terminal: a password may look like one. Where
        // standard error is closed, nothing is shown either.
        let _ = io::stderr().lock().write_all(commands.as_bytes());
    }
}

/// The lines of `text`, each without a secret and unable to act on a terminal or a runner.
pub(super) fn lines(text: &str) -> Vec<String> {
    redacted(text).lines().map(harmless).collect()
}

/// `text` as one such line; and without what looks like the password of a URL, should it be one that nobody knows of.
pub(super) fn line(text: &str) -> String {
    harmless(&mask(&redacted(text), false))
}

/// `text` without the secrets of the run: whatever leaves for GitHub's API or for a file of the runner.
pub(super) fn redacted(text: &str) -> String {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, known)| known.clone());
    known.map_or_else(|| text.to_owned(), |known| known.redact(text).into_owned())
}

/// Whether standard error is redirected into a file: one that holds the commands would hold the secrets, be uploaded as
/// an artifact, and mask nothing, because the runner does not read it.
///
/// The runner reads both streams. Standard error is the better one: `--format json > report.json` takes standard output
/// away, `| jq` would stumble over the commands, and nobody needs standard error to be parsed. A pipe may end in a file
/// too (`2>&1 | tee log`); who does that under a runner is given the commands, as with any action that masks.
fn is_file() -> bool {
    #[cfg(unix)]
    let copy = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned();
    #[cfg(windows)]
    let copy = std::os::windows::io::AsHandle::as_handle(&io::stderr()).try_clone_to_owned();
    copy.and_then(|copy| std::fs::File::from(copy).metadata()).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_no_password_and_gives_no_command() {
        assert_eq!(line("::error::x\n\u{1b}[1m"), "\\u{3a}:error::x\\u{a}\\u{1b}[1m");
        assert_eq!(line("at postgres://u:unknown@h/d"), "at postgres://u:*******@h/d");
    }
}
