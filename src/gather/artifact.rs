//! The code side of what was built: which of all that is known of a service a program or an image carries.
//!
//! Comes after the histories and the checkout were read, for these are what is known.

mod image;
mod shown;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use indexmap::IndexSet;

use super::image::Learn;
use super::{binary, older};
use crate::embedded::Known;
use crate::migration::MigrationKind;
use crate::source::{Defined, Source, SourceError};
use crate::sqlx_toml;
use crate::target::TargetState;
use image::Request;

/// How many artifacts are read at a time.
const AT_A_TIME: usize = 2;

/// What is read once, however many environments it is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Artifact {
    source: Source,
    service: String,
    directory: PathBuf,
}

impl Artifact {
    fn of(state: &TargetState) -> Option<Self> {
        let target = &state.target;
        let (source, service, directory) = (target.source.clone(), target.service.clone(), target.migrations.clone());
        target.source.is_artifact().then_some(Self { source, service, directory })
    }
}

/// Puts in place of the checkout what was built, for every target that is to be judged by that.
///
/// `learn` is told of the secrets by which a registry is asked, before they are used.
pub async fn read(states: &mut [TargetState], root: &Path, learn: &Learn) {
    let artifacts: IndexSet<Artifact> = states.iter().filter_map(Artifact::of).collect();
    let reading = artifacts.into_iter().map(|artifact| {
        let told = told(states, &artifact);
        async {
            let defined = defined(artifact.clone(), told, root, learn).await;
            (artifact, defined.map(Arc::new))
        }
    });
    let read: HashMap<_, _> = stream::iter(reading).buffer_unordered(AT_A_TIME).collect().await;
    for state in states {
        if let Some(defined) = Artifact::of(state).and_then(|artifact| read.get(&artifact)) {
            state.defined = defined.clone();
        }
    }
}

/// What the histories and the checkout tell of the service that an artifact is of.
fn told(states: &[TargetState], artifact: &Artifact) -> Vec<Known> {
    let of_service = || states.iter().filter(|state| state.target.service == artifact.service);
    let checkout = of_service().filter_map(|state| state.defined.as_ref().ok()).take(1);
    let files = checkout.flat_map(|defined| &defined.migrations).map(|migration| Known {
        version: migration.version,
        description: migration.description.clone(),
        kind: migration.kind,
        checksum: migration.checksum.clone(),
        path: Some(migration.path.clone()),
        commit: None,
    });
    let rows = of_service().filter_map(|state| state.applied.as_ref().ok()).flat_map(|history| history.rows());
    let rows = rows.map(|row| Known {
        version: row.version,
        description: row.description.clone(),
        kind: MigrationKind::Simple,
        checksum: row.checksum.clone(),
        path: None,
        commit: None,
    });
    files.chain(rows).collect()
}

/// What an artifact carries.
async fn defined(
    artifact: Artifact,
    mut known: Vec<Known>,
    root: &Path,
    learn: &Learn,
) -> Result<Defined, SourceError> {
    let (known, settings) = {
        let (root, directory) = (root.to_owned(), artifact.directory.clone());
        waited(&artifact, move || {
            let settings = sqlx_toml::of_migrations(&root, &directory)?;
            let ignored: BTreeSet<char> = settings.migrate.ignored_chars.iter().copied().collect();
            known.extend(older::known(&root, &directory, &ignored));
            Ok((known, settings))
        })
        .await?
    };
    match &artifact.source {
        Source::Image { location, binary } => {
            let request = Request { location, binary: binary.as_deref(), known: &known, settings: &settings };
            image::read(&request, root, learn).await
        }
        Source::Binary(path) => {
            let (root, path) = (root.to_owned(), path.clone());
            let read = move || binary::read(&root, &path, &known, &settings).map(|binary| binary.defined);
            waited(&artifact, read).await
        }
        // What is no artifact was read before.
        Source::Directory | Source::Revision(_) => Err(SourceError::NoDirectory(artifact.directory.clone())),
    }
}

/// What comes of work on a thread that may be busy for long.
async fn waited<T: Send + 'static>(
    artifact: &Artifact,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let broken = |error: tokio::task::JoinError| {
        Err(SourceError::Unreadable { path: artifact.directory.clone(), detail: error.to_string() })
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(broken)
}
