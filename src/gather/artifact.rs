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

use super::{binary, older};
use crate::embedded::Known;
use crate::secret::Learn;
use crate::source::{Defined, Source, SourceError};
use crate::sqlx_toml::{self, SqlxToml};
use crate::target::{Target, TargetState};
use image::Request;

/// How many artifacts are read at a time.
const AT_A_TIME: usize = 2;

/// A service, and the directory of its migrations.
type Service = (String, PathBuf);

fn service(target: &Target) -> Service {
    (target.service.clone(), target.migrations.clone())
}

/// All that is known of services: the rows of their histories, their migrations, and what git has of older ones.
#[derive(Debug)]
pub struct Knowledge {
    root: PathBuf,
    learn: Learn,
    services: HashMap<Service, Result<Arc<OfService>, SourceError>>,
}

/// What is known of one service.
#[derive(Debug)]
struct OfService {
    known: Vec<Known>,
    /// The checkout's.
    settings: SqlxToml,
}

impl Knowledge {
    /// What there is to know of the services of some targets, their histories and the checkout having been read.
    ///
    /// `learn` is told of the secrets by which a registry is asked, before they are used.
    pub async fn of(states: &[&TargetState], root: &Path, learn: Learn) -> Self {
        let services: IndexSet<Service> = states.iter().map(|state| service(&state.target)).collect();
        let looking = services.into_iter().map(|service| {
            let (told, root) = (told(states, &service.0), root.to_owned());
            async {
                let directory = service.1.clone();
                let found = waited(&service.1, move || of_service(&root, &directory, told)).await;
                (service, found.map(Arc::new))
            }
        });
        let services = stream::iter(looking).buffer_unordered(AT_A_TIME).collect().await;
        Self { root: root.to_owned(), learn, services }
    }

    /// What an artifact carries of the migrations of a target's service.
    ///
    /// # Errors
    /// It cannot be read, or leaves open what it carries.
    pub async fn defined(&self, source: &Source, target: &Target) -> Result<Defined, SourceError> {
        let nowhere = || SourceError::NoDirectory(target.migrations.clone());
        let of_service = self.services.get(&service(target)).ok_or_else(nowhere)?.clone()?;
        let OfService { known, settings } = &*of_service;
        match source {
            Source::Image(location) => {
                let request = Request { location, binary: target.binary.as_deref(), known, settings };
                image::read(&request, &self.root, &self.learn).await
            }
            Source::Binary(path) => {
                let (root, path, known) = (self.root.clone(), path.clone(), of_service.clone());
                let read = move || binary::read(&root, &path, &known.known, &known.settings);
                waited(&target.migrations, read).await.map(|binary| binary.defined)
            }
            // What is no artifact was read before.
            Source::Directory | Source::Revision(_) => Err(nowhere()),
        }
    }
}

/// Puts in place of the checkout what was built, for every target that is to be judged by that; each artifact is read
/// once, however many environments it is for.
pub async fn read(states: &mut [TargetState], root: &Path, learn: Learn) {
    let built: Vec<&TargetState> = states.iter().filter(|state| state.target.source.is_artifact()).collect();
    if built.is_empty() {
        return;
    }
    let knowledge = Knowledge::of(&states.iter().collect::<Vec<_>>(), root, learn).await;
    let artifact = |target: &Target| (target.source.clone(), service(target));
    let targets: HashMap<_, &Target> = built.iter().map(|state| (artifact(&state.target), &state.target)).collect();
    let reading = targets.into_iter().map(|(artifact, target)| {
        let knowledge = &knowledge;
        async move {
            let defined = knowledge.defined(&artifact.0, target).await;
            (artifact, defined.map(Arc::new))
        }
    });
    let read: HashMap<_, _> = stream::iter(reading).buffer_unordered(AT_A_TIME).collect().await;
    for state in states {
        if let Some(defined) = read.get(&artifact(&state.target)) {
            state.defined = defined.clone();
        }
    }
}

/// What the histories and the checkout tell of a service.
fn told(states: &[&TargetState], service: &str) -> Vec<Known> {
    let of_service = || states.iter().filter(|state| state.target.service == service);
    let checkout = of_service().find_map(|state| state.defined.as_ref().ok());
    let files = checkout.into_iter().flat_map(|defined| &defined.migrations).map(Known::from);
    let rows = of_service().filter_map(|state| state.applied.as_ref().ok()).flat_map(|history| history.rows());
    files.chain(rows.map(Known::from)).collect()
}

/// Adds what git tells of it.
fn of_service(root: &Path, directory: &Path, told: Vec<Known>) -> Result<OfService, SourceError> {
    let settings = sqlx_toml::of_migrations(root, directory)?;
    let ignored: BTreeSet<char> = settings.migrate.ignored_chars.iter().copied().collect();
    let mut known = told;
    known.extend(older::known(root, directory, &ignored));
    Ok(OfService { known, settings })
}

/// What comes of work on a thread that may be busy for long.
async fn waited<T: Send + 'static>(
    directory: &Path,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let broken = |error: tokio::task::JoinError| {
        Err(SourceError::Unreadable { path: directory.to_owned(), detail: error.to_string() })
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(broken)
}
