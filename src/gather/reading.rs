//! How a run reads, and what is secret in what it reads.

use std::time::Duration;

use super::database;
use crate::history::{Command, Database, DatabaseUrl};
use crate::secret::{Learn, Secrets};
use crate::target::Target;

/// How much a run may do at a time, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Databases in all.
    pub jobs: usize,
    /// For one database, once its turn has come.
    pub timeout: Duration,
}

/// Everything secret in reading `targets`: their URLs, and the passwords that drivers find by themselves.
pub fn secrets(targets: &[Target]) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.extend(urls(targets).flat_map(|url| [url.secrets().clone(), database::secrets(url)]));
    secrets.extend(commands(targets).map(|command| command.secrets().clone()));
    secrets
}

/// The URLs of the databases that are asked.
pub(super) fn urls(targets: &[Target]) -> impl Iterator<Item = &DatabaseUrl> {
    targets.iter().filter_map(|target| target.database.as_ref().ok()?.url())
}

/// The commands that are run.
fn commands(targets: &[Target]) -> impl Iterator<Item = &Command> {
    targets.iter().filter_map(|target| match target.database.as_ref().ok()? {
        Database::Url(url) => url.password_command(),
        Database::Command(command) => Some(&command.command),
        Database::Snapshot(_) => None,
    })
}

/// How it is read, and whom to tell of it.
pub struct Reading<'a> {
    /// How much may be done at a time.
    pub limits: Limits,
    /// Called each time a history is read.
    pub done: &'a dyn Fn(),
    /// Told of passwords that commands print.
    pub learn: Learn,
}

impl Reading<'_> {
    /// That nobody waits for.
    pub fn quiet(limits: Limits) -> Self {
        Self { limits, done: &|| {}, learn: Learn::default() }
    }
}
