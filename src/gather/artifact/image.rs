//! The code side from an image: of its files the one that carries a service's migrations, or the folder that holds them.

use std::path::{Path, PathBuf};

use super::shown::Shown;
use crate::embedded::{Digests, Embedded, Known};
use crate::gather::binary::{self, Binary};
use crate::gather::directory::{governed, put};
use crate::gather::image::{self, CredentialError, Image, ImageError, Location, LocationError, Login, Options};
use crate::secret::Learn;
use crate::source::{Defined, Origin, SourceError};
use crate::sqlx_toml::SqlxToml;

/// How many paths an error names.
const MOST_NAMED: usize = 5;

/// What is to be read of an image.
pub struct Request<'a> {
    /// A reference of a registry, or a path relative to `root`.
    pub location: &'a str,
    /// The program in it, by its path or the end of that.
    pub binary: Option<&'a str>,
    /// What is known of the service.
    pub known: &'a [Known],
    /// The checkout's `sqlx.toml`.
    pub settings: &'a SqlxToml,
}

/// Why an image cannot be read.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Reads an image. `learn` is told of every secret before it is used.
///
/// # Errors
/// It cannot be read, carries nothing that is known of the service, or leaves open what it carries.
pub async fn read(request: &Request<'_>, root: &Path, learn: &Learn) -> Result<Defined, SourceError> {
    let Request { location, binary, known, settings } = *request;
    let failed = |fault: Fault| SourceError::Image { image: location.to_owned(), detail: fault.to_string() };
    let digests = Digests::new(known.iter().map(|known| &known.checksum));
    if digests.is_empty() {
        return Err(SourceError::NothingKnown(location.into()));
    }
    let looked_for = digests.len();
    let (image, shown) = streamed(location, root, learn, Shown::new(digests, binary)).await.map_err(failed)?;
    let details = &image.details;
    let origin = |file: String| Origin {
        digest: details.digest.clone().or_else(|| Some(details.id.clone())),
        created: details.created.clone(),
        revision: details.revision.clone(),
        file: Some(format!("/{file}")),
        ..Origin::default()
    };
    let carriers = carriers(&image, &shown, request)?;
    if let Some((path, carried)) = chosen(carriers, &image, &shown, location)? {
        return Ok(Defined { origin: origin(path.to_owned()), ..carried.defined });
    }
    let folder = binary.is_none().then(|| folder(&shown, known)).flatten();
    let Some(folder) = folder else {
        return Err(SourceError::NothingEmbedded { path: location.into(), known: looked_for, others: 0 });
    };
    let directory = known.iter().find_map(|known| Some(known.path.as_ref()?.parent()?.to_owned())).unwrap_or_default();
    let defined = of_folder(&shown, folder, &directory, settings);
    Ok(Defined { origin: origin(folder.to_owned()), ..defined })
}

async fn streamed(location: &str, root: &Path, learn: &Learn, shown: Shown) -> Result<(Image, Shown), Fault> {
    let location = Location::parse(location, root)?;
    let place = location.clone();
    let find = move || Login::find(&place, &|name| std::env::var(name).ok());
    // A credential helper is a program, and may take a while.
    let login = tokio::task::spawn_blocking(find).await.map_err(|_| ImageError::Interrupted)??;
    learn.tell(&login.secrets());
    let options = Options { login, learn: learn.clone(), ..Options::default() };
    Ok(image::read(&location, &options, shown).await?)
}

type Carrier<'a> = (&'a str, Result<Binary, SourceError>);

/// The files that carry migrations of the service; of those the one that is asked for, where one is.
fn carriers<'a>(image: &Image, shown: &'a Shown, request: &Request) -> Result<Vec<Carrier<'a>>, SourceError> {
    let Request { location, binary, known, settings } = *request;
    let is_meant = |path: &str| match binary {
        None => true,
        Some(name) if name.contains('/') => shown.leads_to(name, path, &image.links) || ends_with(path, name),
        Some(name) => ends_with(path, name),
    };
    let all = shown.programs();
    let meant: Vec<(&str, &Embedded)> = all.iter().filter(|(path, _)| is_meant(path)).copied().collect();
    if let (Some(name), [], [_, ..]) = (binary, meant.as_slice(), all.as_slice()) {
        let paths: Vec<&str> = all.iter().map(|(path, _)| *path).collect();
        let detail = format!("`{name}` carries none of them in it, but {} does", listed(&paths));
        return Err(SourceError::Image { image: location.to_owned(), detail });
    }
    let read = |(path, embedded)| (path, binary::read_embedded(&place(location, path), known, embedded, settings));
    Ok(meant.into_iter().map(read).collect())
}

/// Whether a path is `name`, or ends with it and begins no part of it in the middle.
fn ends_with(path: &str, name: &str) -> bool {
    let name = name.trim_start_matches('/');
    path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// A file in an image, for people.
fn place(image: &str, path: &str) -> PathBuf {
    format!("/{path} in {image}").into()
}

/// The one of the carriers that runs: the only one, one of several that carry the same, or what the image starts.
fn chosen<'a>(
    mut carriers: Vec<Carrier<'a>>,
    image: &Image,
    shown: &Shown,
    location: &str,
) -> Result<Option<(&'a str, Binary)>, SourceError> {
    let carries = |carrier: &Carrier| carrier.1.as_ref().ok().map(|binary| binary.defined.migrations.clone());
    let first = carriers.first().and_then(carries);
    let are_alike = first.is_some() && carriers.iter().all(|carrier| carries(carrier) == first);
    if carriers.len() > 1 && !are_alike {
        let starts = |path: &str| image.details.program().iter().any(|start| shown.leads_to(start, path, &image.links));
        let Some(at) = carriers.iter().position(|(path, _)| starts(path)) else {
            let paths: Vec<&str> = carriers.iter().map(|(path, _)| *path).collect();
            let detail = format!(
                "several files in it carry migrations of this service, and not the same ones: {}; name the one that runs as `binary` in the configuration",
                listed(&paths)
            );
            return Err(SourceError::Image { image: location.to_owned(), detail });
        };
        carriers.swap(0, at);
    }
    let first = carriers.into_iter().next();
    first.map(|(path, binary)| binary.map(|binary| (path, binary))).transpose()
}

fn listed(paths: &[&str]) -> String {
    let shown: Vec<_> = paths.iter().take(MOST_NAMED).map(|path| format!("`/{path}`")).collect();
    let more = paths.len().saturating_sub(MOST_NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    shown.join(", ") + &more
}

/// The folder that holds most of what is known of the service.
fn folder<'a>(shown: &'a Shown, known: &[Known]) -> Option<&'a str> {
    let is_known = |file: &(&str, &Result<_, _>)| known.iter().any(|known| file.1.as_ref() == Ok(&known.checksum));
    let counted =
        shown.folders().into_iter().map(|(path, files)| (files.iter().filter(|file| is_known(file)).count(), path));
    // Of two that hold as many, the first by its path.
    let best = counted.filter(|(count, _)| *count > 0).max_by_key(|(count, path)| (*count, std::cmp::Reverse(*path)));
    best.map(|(_, path)| path)
}

/// The code side of a folder, its files named as they stand, or stood, in the repository.
fn of_folder(shown: &Shown, folder: &str, directory: &Path, settings: &SqlxToml) -> Defined {
    let mut defined = Defined { ignored_chars: Default::default(), ..governed(settings) };
    for (name, checksum) in shown.folders().remove(folder).unwrap_or_default() {
        put(directory.join(name), || checksum.clone(), &mut defined);
    }
    defined.sort();
    defined
}
