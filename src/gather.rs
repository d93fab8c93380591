//! The stage that reads both sides of every target: side by side, bounded, and in the order of the plan.
//!
//! What cannot be read becomes part of the state; nothing here stops a run.

mod agreement;
mod answer;
pub mod artifact;
pub mod base;
pub mod binary;
pub mod builds;
mod command;
mod content;
pub mod database;
mod directories;
pub mod directory;
pub mod group;
pub mod image;
mod io_error;
mod limit;
mod login;
mod mysql;
mod older;
mod percent;
mod postgres;
mod queue;
mod reading;
mod redact;
mod revision;
mod server_url;
mod snapshot;
mod sqlite;
mod table;
mod tls;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream;
use indexmap::{IndexMap, IndexSet};
use tracing::Instrument;

use crate::crates::Embedders;
use crate::finding::Rule;
use crate::history::{DatabaseError, LookUp, Record};
use crate::policy::ignores;
use crate::source::{Defined, Source, SourceError};
use crate::sqlx_toml::{self, SqlxToml};
use crate::target::{Target, TargetState};
use crate::tenants::Tenants;
use agreement::{Applied, Histories, alone};
use queue::Queue;
use revision::Revision;

pub use directories::Directories;
pub use reading::{Limits, Reading, secrets};

/// How many directories are read at a time.
const DIRECTORIES: usize = 8;

/// Reads both sides of every target below `root`.
pub async fn gather(targets: Vec<Target>, root: &Path, reading: &Reading<'_>) -> Vec<TargetState> {
    let texts = read_settings(&targets, root).await;
    // Of what is not built here nobody asks who builds it.
    let asks = |target: &Target| target.source == Source::Directory && !ignores(&target.levels, Rule::StaleEmbed);
    let embedders = targets.iter().any(asks).then(|| Arc::new(Embedders::below(root)));
    // All that a history needs of the code side is `sqlx.toml`, so that nobody waits for the migrations.
    let (sources, histories) =
        join(read_texts(&texts, root, embedders), read_histories(&targets, &texts, root, reading)).await;
    let states = |(target, histories): (Target, Histories)| {
        let defined = sources.get(&Place::of(&target)).cloned();
        let defined = defined.unwrap_or_else(|| Err(SourceError::NoDirectory(target.migrations.clone())));
        histories.into_iter().map(move |(tenants, applied)| TargetState {
            target: target.clone(),
            defined: defined.clone(),
            applied,
            tenants,
            base: None,
            group: None,
        })
    };
    targets.into_iter().zip(histories).flat_map(states).collect()
}

/// Why there is no record of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// What says which table the history is in could not be read.
    #[error("which history table it has is not known: {error}\n  help: {}", .error.help())]
    Source {
        /// Why.
        error: SourceError,
    },
    /// The history could not be read.
    #[error("the history could not be read: {error}\n  help: {}", .error.kind.help())]
    Database {
        /// Why.
        error: DatabaseError,
    },
}

impl From<DatabaseError> for Unrecorded {
    fn from(error: DatabaseError) -> Self {
        Self::Database { error }
    }
}

/// What was recorded of a target: one history, or one for those of its tenants that agree.
pub type Recorded = Vec<(Option<Arc<Tenants>>, Result<Record, Unrecorded>)>;

/// Reads the histories alone of every target below `root`, and what they were looked up by.
pub async fn records(targets: &[Target], root: &Path, reading: &Reading<'_>) -> Vec<Recorded> {
    let texts = read_settings(targets, root).await;
    let histories = read_histories(targets, &texts, root, reading).await;
    let recorded = |(target, histories): (&Target, Histories)| {
        let text = texts.get(&Place::of(target));
        let record = |(tenants, applied): (Option<Arc<Tenants>>, Applied)| {
            (tenants.clone(), record(target, text, tenants, applied))
        };
        histories.into_iter().map(record).collect()
    };
    targets.iter().zip(histories).map(recorded).collect()
}

fn record(
    target: &Target,
    text: Option<&Result<Arc<Text>, SourceError>>,
    tenants: Option<Arc<Tenants>>,
    applied: Applied,
) -> Result<Record, Unrecorded> {
    let settings = match text {
        Some(Err(error)) => return Err(Unrecorded::Source { error: error.clone() }),
        Some(Ok(text)) => Some(text.settings()),
        None => None,
    };
    let (history, database) = (applied?, target.database.as_ref().map_err(Clone::clone)?);
    let (service, environment) = (target.service.clone(), target.environment.clone());
    Ok(Record { service, environment, engine: database.engine(), look_up: look_up(target, settings), tenants, history })
}

/// What is looked up for `target`. The table is the configured one, else `sqlx.toml`'s.
fn look_up(target: &Target, settings: Option<&SqlxToml>) -> LookUp {
    let migrate = settings.map(|settings| &settings.migrate);
    let of_sqlx_toml = migrate.and_then(|migrate| migrate.table_name.as_deref());
    let create_schemas = migrate.map(|migrate| &migrate.create_schemas).into_iter().flatten();
    LookUp {
        table: target.history_table(of_sqlx_toml).to_owned(),
        create_schemas: create_schemas.map(|schema| schema.to_string()).collect(),
        tenants: target.tenants.clone(),
    }
}

/// Where migrations stand as text: in a directory, as it is checked out or as a revision has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    directory: PathBuf,
    revision: Option<String>,
}

impl Place {
    /// For what is no text, the directory that it was built from.
    fn of(target: &Target) -> Self {
        let revision = match &target.source {
            Source::Revision(revision) => Some(revision.clone()),
            _ => None,
        };
        Self { directory: target.migrations.clone(), revision }
    }
}

/// What is known of a place before its migrations are read: the `sqlx.toml` that governs it.
enum Text {
    CheckedOut(Box<SqlxToml>),
    Committed(Box<Revision>),
}

impl Text {
    fn settings(&self) -> &SqlxToml {
        match self {
            Self::CheckedOut(settings) => settings,
            Self::Committed(revision) => revision.settings(),
        }
    }
}

type Texts = IndexMap<Place, Result<Arc<Text>, SourceError>>;

/// Reads the `sqlx.toml` of every place, however many targets share it.
async fn read_settings(targets: &[Target], root: &Path) -> Texts {
    let places: IndexSet<Place> = targets.iter().map(Place::of).collect();
    let settings = places.into_iter().map(|place| {
        of_place(root, place, |root, place| match &place.revision {
            Some(revision) => {
                Revision::open(root, revision, &place.directory).map(|revision| Text::Committed(Box::new(revision)))
            }
            None => {
                sqlx_toml::of_migrations(root, &place.directory).map(|settings| Text::CheckedOut(Box::new(settings)))
            }
        })
    });
    stream::iter(settings).buffered(DIRECTORIES).collect().await
}

/// Reads the migrations of every place once, and who embeds them where that is asked.
async fn read_texts(
    texts: &Texts,
    root: &Path,
    embedders: Option<Arc<Embedders>>,
) -> HashMap<Place, Result<Arc<Defined>, SourceError>> {
    let sources = texts.iter().map(|(place, text)| {
        let (text, embedders) = (text.clone(), embedders.clone());
        of_place(root, place.clone(), move |root, place| match text?.as_ref() {
            Text::CheckedOut(settings) => {
                let defined = directory::migrations(root, &place.directory, settings)?;
                let unwatched = embedders.map(|embedders| embedders.unwatched(&place.directory)).unwrap_or_default();
                Ok(Defined { unwatched, ..defined })
            }
            Text::Committed(revision) => revision.migrations(),
        })
    });
    stream::iter(sources).buffer_unordered(DIRECTORIES).collect().await
}

/// What `read` makes of a place, on a thread that may wait for a disk.
async fn of_place<T: Send + 'static>(
    root: &Path,
    place: Place,
    read: impl FnOnce(&Path, &Place) -> Result<T, SourceError> + Send + 'static,
) -> (Place, Result<Arc<T>, SourceError>) {
    let (root, there) = (root.to_owned(), place.clone());
    let read = tokio::task::spawn_blocking(move || read(&root, &there)).await;
    let broken = |error: tokio::task::JoinError| {
        Err(SourceError::Unreadable { path: place.directory.clone(), detail: error.to_string() })
    };
    let read = read.unwrap_or_else(broken).map(Arc::new);
    (place, read)
}

/// Reads the histories of every target, in the order of the targets: one of each at least, if only to say why it is none.
async fn read_histories(targets: &[Target], texts: &Texts, root: &Path, reading: &Reading<'_>) -> Vec<Histories> {
    let queue = Queue::new(targets, root, reading);
    let histories = targets.iter().map(|target| {
        let text = texts.get(&Place::of(target)).and_then(|read| read.as_ref().ok());
        let (settings, queue) = (text.map(|text| text.settings()), &queue);
        let span = tracing::info_span!("target", service = target.service, environment = target.environment);
        let histories = async move {
            let histories =
                queue.histories(target, &look_up(target, settings)).await.unwrap_or_else(|error| alone(Err(error)));
            for (tenants, applied) in &histories {
                let tenants = tenants.as_ref().map(|tenants| tenants.names.len());
                match applied {
                    Ok(history) => tracing::info!(tenants, rows = history.rows().len(), "the history was read"),
                    Err(error) => tracing::warn!(tenants, %error, "the history could not be read"),
                }
            }
            (reading.done)();
            histories
        };
        histories.instrument(span)
    });
    join_all(histories).await
}
