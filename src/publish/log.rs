//! The log: events of this program and its libraries, on standard error, only where they are asked for.

use std::env::{self, VarError};
use std::io::{self, Write};

use tracing_subscriber::filter::{ParseError, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::guard;

/// What a debug run on GitHub shows: our own events. Those of libraries are many, and few help.
const DEBUG_RUN: &str = "migration_preflight=debug";

/// Never shown, whatever the filter says: events with pieces of files that may hold a secret which is none of the run.
/// The first quotes a line of a password file that it does not understand, the second all of `sqlx.toml`.
const SILENT: [&str; 2] = ["sqlx_postgres::options::pgpass", "sqlx_core::config"];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No filter.
    #[error(
        "RUST_LOG is not a filter for a log: {0}\n  help: write a level (error, warn, info, debug, trace), or one for each library: migration_preflight=debug,sqlx_core=info"
    )]
    Filter(#[from] ParseError),
    /// No text.
    #[error("RUST_LOG is not UTF-8\n  help: write a level (error, warn, info, debug, trace)")]
    NotUtf8,
}

/// Starts the log as the environment asks for it: `RUST_LOG` as for other Rust programs, but for what those filter by
/// spans and fields, else `RUNNER_DEBUG=1`, which GitHub sets where somebody re-runs a job with debug logging. With neither
/// there is none.
///
/// Libraries that speak to the `log` crate are heard too: it is where the TLS of the drivers tells that the system's
/// certificates could not be loaded, which is why a certificate is not trusted.
///
/// # Errors
/// A `RUST_LOG` that is no filter.
pub fn start_log() -> Result<(), LogError> {
    let Some(filter) = filter()? else { return Ok(()) };
    // A filter of its own: no directive of the other can overrule it.
    let fit = filter_fn(|event| !SILENT.iter().any(|target| event.target().starts_with(target)));
    let lines = fmt::layer().with_ansi(false).with_writer(|| Line).with_filter(fit);
    // Fails only where there is a log already, as in a program that uses this library.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}

fn filter() -> Result<Option<Targets>, LogError> {
    match env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => Ok(Some(text.parse()?)),
        Err(VarError::NotUnicode(_)) => Err(LogError::NotUtf8),
        _ if env::var("RUNNER_DEBUG").is_ok_and(|value| value == "1") => Ok(Some(DEBUG_RUN.parse()?)),
        _ => Ok(None),
    }
}

/// Writes an event, which comes in one piece, as one guarded line.
struct Line;

impl Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = guard::line(String::from_utf8_lossy(event).trim_end());
        writeln!(io::stderr().lock(), "{line}")?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
