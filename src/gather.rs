//! The stage that reads both sides of every target: side by side, bounded, and in the order of the plan.
//!
//! What cannot be read becomes part of the state; nothing here stops a run.

mod content;
pub mod database;
pub mod directory;
mod io_error;
mod limit;
mod mysql;
mod percent;
mod postgres;
mod redact;
mod server_url;
mod sqlite;
mod tls;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use indexmap::IndexSet;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::history::{DatabaseError, DatabaseErrorKind, History};
use crate::secret::Secrets;
use crate::source::{Defined, SourceError};
use crate::target::{Target, TargetState};

/// The table that sqlx uses when nothing else is said.
const DEFAULT_TABLE: &str = "_sqlx_migrations";
/// How many connections one server gets at a time, whatever `--jobs` says.
const PER_SERVER: usize = 16;
/// How many directories are read at a time.
const DIRECTORIES: usize = 8;

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
    let urls = targets.iter().filter_map(|target| target.database.as_ref().ok());
    let mut secrets = Secrets::default();
    secrets.extend(urls.flat_map(|url| [url.secrets().clone(), database::secrets(url)]));
    secrets
}

/// Reads both sides of every target below `root`, and calls `done` each time one is finished.
pub async fn gather(targets: Vec<Target>, root: &Path, limits: Limits, done: &dyn Fn()) -> Vec<TargetState> {
    let sources = read_directories(&targets, root).await;
    let queue = Queue::new(&targets, limits);
    let read = |(index, target): (usize, Target)| {
        let (defined, queue) = (sources.get(&target.migrations).cloned(), &queue);
        let span = tracing::info_span!("target", service = target.service, environment = target.environment);
        let reading = async move {
            let defined = defined.unwrap_or_else(|| Err(SourceError::NoDirectory(target.migrations.clone())));
            let applied = queue.history(&target, defined.as_deref().ok()).await;
            match &applied {
                Ok(history) => tracing::info!(rows = history.rows().len(), "the history was read"),
                Err(error) => tracing::warn!(%error, "the history could not be read"),
            }
            done();
            (index, TargetState { target, defined, applied })
        };
        reading.instrument(span)
    };
    let mut states: Vec<_> =
        stream::iter(targets.into_iter().enumerate()).map(read).buffer_unordered(usize::MAX).collect().await;
    states.sort_by_key(|(index, _)| *index);
    states.into_iter().map(|(_, state)| state).collect()
}

type Source = Result<Arc<Defined>, SourceError>;

/// Reads every directory once, however many targets share it.
async fn read_directories(targets: &[Target], root: &Path) -> HashMap<PathBuf, Source> {
    let directories: IndexSet<&PathBuf> = targets.iter().map(|target| &target.migrations).collect();
    let read = |directory: PathBuf| {
        let root = root.to_owned();
        async move {
            let path = directory.clone();
            let defined = tokio::task::spawn_blocking(move || directory::read(&root, &path)).await;
            let broken = |error: tokio::task::JoinError| {
                Err(SourceError::Unreadable { path: directory.clone(), detail: error.to_string() })
            };
            let defined = defined.unwrap_or_else(broken).map(Arc::new);
            (directory, defined)
        }
    };
    stream::iter(directories.into_iter().cloned()).map(read).buffer_unordered(DIRECTORIES).collect().await
}

/// Lets only so many connections be open at a time, in all and on one server.
struct Queue {
    limits: Limits,
    all: Semaphore,
    servers: HashMap<String, Semaphore>,
}

impl Queue {
    fn new(targets: &[Target], limits: Limits) -> Self {
        let urls = targets.iter().filter_map(|target| target.database.as_ref().ok());
        let servers = urls.map(|url| (database::server(url), Semaphore::new(PER_SERVER)));
        Self { limits, all: Semaphore::new(limits.jobs), servers: servers.collect() }
    }

    /// The history of `target`, once its turn has come. The table is the configured one, else `sqlx.toml`'s.
    async fn history(&self, target: &Target, defined: Option<&Defined>) -> Result<History, DatabaseError> {
        let url = target.database.as_ref().map_err(Clone::clone)?;
        let of_sqlx_toml = defined.and_then(|defined| defined.table.as_deref());
        let table = target.table.as_deref().or(of_sqlx_toml).unwrap_or(DEFAULT_TABLE);
        // First the server's turn, then the run's: those who wait for a dead server hold up nobody else.
        let closed = |_| DatabaseError::new(DatabaseErrorKind::ConnectionLost, "the run is ending");
        let server = self.servers.get(&database::server(url));
        let _server = match server {
            Some(server) => Some(server.acquire().await.map_err(closed)?),
            None => None,
        };
        let _all = self.all.acquire().await.map_err(closed)?;
        let create_schemas = defined.map_or(&[][..], |defined| &defined.create_schemas);
        database::history(url, table, create_schemas, self.limits.timeout).await
    }
}
