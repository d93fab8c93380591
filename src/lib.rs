//! Will this build start against that database?
//!
//! migration-preflight compares the migrations that a service embeds (sqlx's `migrate!()`) with the ones that
//! its databases have applied, for every service in every environment, and says what would happen when the
//! service starts.
//!
//! A run is one stream of values:
//!
//! ```text
//! arguments ─inputs→ Inputs ─plan→ Plan{targets} ─gather→ Vec<TargetState{target, defined, applied}>
//!    ─compare→ Findings ─explain→ Findings ─report→ Report ─render→ text│JSON ─publish→ the world      Report → exit code
//!                              └ of the command `restore`: ─restore→ edits ─publish→ files of the repository
//! ```
//!
//! What was built (a program, an image) is read once the histories and the checkout are known, for that is what is looked
//! for in it. `rollback` judges many builds against one history, and has a report of its own.
//! `init` reads no history: it proposes a configuration and a workflow for the crates that it finds ([`crates`]).
//! A target may have tenants, each with a history of its own. Those whose histories are the same are one state, and so one
//! part of the report.
//!
//! `snapshot` writes the histories down, and a snapshot stands in for a database as one more kind of it.
//!
//! The vocabulary ([`text`], [`secret`], [`github`], [`migration`], [`source`], [`embedded`], [`tenants`], [`history`], [`table_name`], [`finding`],
//! [`policy`], [`target`]) is plain data without I/O, and [`parallel`] shares work among the cores; each stage is a module that takes one value and gives the next; [`commands`] put stages together.
//!
//! # Invariants
//! - [`compare`], [`startup`], [`plan`], [`init`], [`report`] and [`render`] do no I/O, never await, and read neither clock
//!   nor environment.
//! - Only [`publish`] writes.
//! - Nothing creates, locks or changes an object of a database.
//! - A target that cannot be read never stops another: it becomes part of the report.
//! - The exit code comes from the report alone, whichever outputs were asked for and whether or not they worked.
//! - No secret is ever in a value that can be printed; `Debug` of what holds one is written by hand ([`secret`]).
//! - Whatever is written beside the report, such as the log and panics, is redacted with all secrets of the run.

pub mod cli;
pub mod commands;
pub mod compare;
pub mod crates;
pub mod embedded;
mod ending;
pub mod explain;
mod file;
pub mod finding;
pub mod gather;
pub mod git;
pub mod github;
pub mod group;
pub mod history;
pub mod init;
pub mod inputs;
pub mod migration;
pub mod parallel;
pub mod plan;
pub mod policy;
pub mod publish;
pub mod render;
pub mod report;
pub mod restore;
pub mod secret;
pub mod source;
pub mod sqlx_toml;
pub mod startup;
pub mod table_name;
pub mod target;
pub mod tenants;
pub mod text;
pub mod yaml;

use std::process::ExitCode;

use cli::{Cli, Command};
use report::USAGE;

pub use ending::{calmly, unless_interrupted};

/// Runs the command that the arguments ask for. Every error that gets here is one of usage or configuration.
pub async fn run(cli: Cli) -> ExitCode {
    if let Err(error) = publish::start_log() {
        publish::complain(&error.to_string());
        return ExitCode::from(USAGE);
    }
    let done = match cli.command.unwrap_or(Command::Check(Box::new(cli.check))) {
        Command::Check(args) => commands::check(&args).await,
        Command::Restore(args) => commands::restore(&args).await,
        Command::Rollback(args) => commands::rollback(&args).await,
        Command::Snapshot(args) => commands::snapshot(&args).await,
        Command::Init(args) => commands::init(&args),
        Command::Rules { rule } => Ok(commands::rules(rule)),
        Command::Schema { of } => Ok(commands::schema(of)),
        Command::Merge(args) => commands::merge(&args).await,
        Command::Action { abandoned: true } => Ok(commands::abandoned().await),
        Command::Action { abandoned: false } => commands::action().await,
    };
    done.map_or_else(
        |error| {
            publish::complain(&format!("{error:#}"));
            ExitCode::from(USAGE)
        },
        ExitCode::from,
    )
}
