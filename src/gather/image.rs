//! Reads images of containers: shows every regular file that a container would see, as it streams by, from a registry, an
//! archive or a folder. Never writes anything, holds neither a layer nor a file, and believes nothing that does not match
//! its digest.
//!
//! ```text
//! text ─parse→ Location ─manifest, configuration→ layers, newest first ─unpack→ entries ─overlay→ files → Visit
//! ```

mod config;
pub mod credentials;
mod digest;
mod error;
mod files;
mod layer;
mod limits;
mod location;
mod manifest;
mod overlay;
mod path;
mod platform;
mod reference;
mod registry;
mod stream;
mod tar;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::mpsc::Sender;
use tokio::task::{JoinError, JoinSet, spawn_blocking};

use config::{Config, REVISION};
use digest::Digest;
use files::{Files, Root};
use layer::{Layer, Reader};
use limits::Meter;
use manifest::{Descriptor, ImageManifest, Manifest};
use overlay::Overlay;
use registry::Registry;
use stream::{Piece, Stream, queue};

use crate::secret::Learn;

pub use config::Details;
pub use credentials::{CredentialError, Login};
pub use error::{ImageError, LayerFault, Limit, RegistryFault};
pub use limits::Limits;
pub use location::{Location, LocationError, Stored};
pub use path::Links;
pub use platform::Platform;
pub use reference::{Reference, ReferenceError};

/// So often may an index lead to an index.
const MOST_INDEXES: usize = 4;

/// Looks at the files of an image, one after the other.
///
/// Paths have no leading `/`, and what is no Unicode in them is replaced. What was shown counts only when [`read`] has
/// come to its end without an error: a layer is known to be what its digest names only once all of it went by.
pub trait Visit: Send + 'static {
    /// A file begins, of `size` bytes. Whether its content is wanted: else neither [`Visit::piece`] nor [`Visit::end`]
    /// follow.
    fn file(&mut self, path: &str, size: u64) -> bool;

    /// The next bytes of the file that began last; at most 128 KiB.
    fn piece(&mut self, piece: &[u8]);

    /// The file that began last is complete.
    fn end(&mut self);

    /// `path` is another name of the file that was shown as `shown`, which has just gone by or went by before.
    fn link(&mut self, path: &str, shown: &str);

    /// What was shown as `path`, as a file or as another name of one, is not in the image after all: an odd archive
    /// had something else at the same path later on. It may be shown anew. What [`Visit::link`] told of other names stays.
    fn removed(&mut self, path: &str);

    /// Whether older layers do not matter any more. Asked after each layer.
    fn is_done(&self) -> bool {
        false
    }
}

/// How an image is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For which platform, where there are images for several; else for linux/amd64, or the only one.
    pub platform: Option<Platform>,
    /// How much is read at most.
    pub limits: Limits,
    /// Who asks a registry.
    pub login: Login,
    /// Whom to tell of secrets that turn up on the way: the tokens that a registry hands out.
    pub learn: Learn,
}

/// An image that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What is said of it.
    pub details: Details,
    /// Its symbolic links: they are not shown, but paths lead through them. Those of older layers are missing where
    /// [`Visit::is_done`] has said that they do not matter.
    pub links: Links,
}

/// Reads the image at `location`, and shows its files to `visit`, which it gives back.
///
/// # Errors
/// The image cannot be read as a whole. Then nothing counts that was shown.
pub async fn read<V: Visit>(location: &Location, options: &Options, visit: V) -> Result<(Image, V), ImageError> {
    // What still runs when nobody waits any more, because it cannot be ended from outside, looks here.
    let given_up = GivenUp(Arc::default());
    let time = options.limits.time;
    let reading = async {
        let store = Arc::new(Store::open(location, options).await?);
        let chosen = store.choose(location, options).await?;
        let meter = Meter::new(options.limits, given_up.0.clone());
        let reader = Reader { overlay: Overlay::new(options.limits), visit, meter };
        let reader = layers(&store, &chosen.layers, reader, &given_up.0).await?;
        let name = location.to_string();
        let links = if reader.visit.is_done() {
            reader.overlay.so_far()
        } else {
            reader.overlay.finish().map_err(|fault| fault.of(&name))?
        };
        Ok((Image { details: chosen.details, links }, reader.visit))
    };
    tokio::time::timeout(time, reading).await.unwrap_or(Err(ImageError::TimedOut(time)))
}

/// Shows the layers to `reader`, the newest first, on a thread that may be busy for long.
async fn layers<V: Visit>(
    store: &Arc<Store>,
    layers: &[Part],
    mut reader: Reader<V>,
    given_up: &Arc<AtomicBool>,
) -> Result<Reader<V>, ImageError> {
    for (index, part) in layers.iter().enumerate().rev() {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        // Ends what sends when this function is left.
        let mut sending = JoinSet::new();
        let mut begin = || part.layer(number, store.clone().send(part, &mut sending, given_up));
        let layer = begin();
        let read = spawn_blocking(move || reader.read(layer).map(|missed| (reader, missed)));
        let (mut after, missed) = read.await.map_err(interrupted)??;
        if !missed.is_empty() {
            let layer = begin();
            let again = spawn_blocking(move || after.again(layer, missed).map(|()| after));
            after = again.await.map_err(interrupted)??;
        }
        reader = after;
        if reader.visit.is_done() {
            break;
        }
    }
    Ok(reader)
}

/// The thread has ended early: by a mistake in this program, or because the program ends.
fn interrupted(_: JoinError) -> ImageError {
    ImageError::Interrupted
}

/// Tells that nobody waits any more when it is dropped.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// A layer of the image that was chosen, and how it is told from a wrong one.
#[derive(Debug, Clone)]
enum Part {
    /// What a manifest says of it.
    Blob(Descriptor),
    /// A file of `docker save`, and what it hashes to without its compression.
    File(String, Digest),
}

impl Part {
    fn layer(&self, number: u32, stream: Stream) -> Layer {
        let (name, diff_id) = match self {
            Self::Blob(descriptor) => (descriptor.digest.to_string(), None),
            Self::File(name, diff_id) => (name.clone(), Some(diff_id.clone())),
        };
        Layer { name, number, diff_id, stream }
    }
}

/// The image that is meant.
struct Chosen {
    details: Details,
    layers: Vec<Part>,
}

/// Where blobs come from.
enum Store {
    Registry(Box<Registry>),
    Files(Files),
}

impl Store {
    async fn open(location: &Location, options: &Options) -> Result<Self, ImageError> {
        let stored = match location {
            Location::Registry(reference) => return Ok(Self::Registry(Box::new(Registry::new(reference, options)?))),
            Location::Layout(stored) => return Ok(Self::Files(Files::folder(stored))),
            Location::Archive(stored) => stored.clone(),
        };
        let files = spawn_blocking(move || Files::archive(&stored)).await.map_err(interrupted)??;
        Ok(Self::Files(files))
    }

    /// Finds the image that is meant, through as many indexes as there are.
    async fn choose(&self, location: &Location, options: &Options) -> Result<Chosen, ImageError> {
        let name = location.to_string();
        let (mut manifest, mut digest) = match (self, location) {
            (Self::Registry(registry), Location::Registry(reference)) => {
                let bytes = registry.manifest(&reference.version(), reference.digest.as_ref(), None).await?;
                (Manifest::parse(&bytes, &name)?, reference.digest.clone().unwrap_or_else(|| Digest::of(&bytes)))
            }
            (Self::Files(files), Location::Archive(stored) | Location::Layout(stored)) => {
                match files.root(stored.name.as_deref())? {
                    Root::Oci(entries) => (Manifest::Index(entries), Digest::of(b"")),
                    Root::Docker { config, layers } => return Ok(Chosen::of_docker(*config, layers)),
                }
            }
            _ => return Err(ImageError::Interrupted),
        };
        for _ in 0..=MOST_INDEXES {
            let entries = match manifest {
                Manifest::Image(image) => return self.image(image, &digest).await,
                Manifest::Index(entries) => entries,
            };
            let entry = manifest::choose(&entries, options.platform.as_ref(), &name)?;
            let bytes = self.manifest(entry).await?;
            (manifest, digest) = (Manifest::parse(&bytes, &name)?, entry.digest.clone());
        }
        Err(ImageError::Limit(Limit::Depth))
    }

    async fn image(&self, image: ImageManifest, digest: &Digest) -> Result<Chosen, ImageError> {
        let ImageManifest { config, layers, annotations } = image;
        let bytes = match self {
            Self::Registry(registry) => registry.blob(&config, config::MOST_BYTES).await?,
            Self::Files(files) => files.blob(&config, config::MOST_BYTES)?,
        };
        let Config { mut details, .. } = Config::parse(&bytes, &config.digest)?;
        details.digest = Some(digest.to_string());
        details.revision = details.revision.or_else(|| annotations.get(REVISION).and_then(|text| config::short(text)));
        Ok(Chosen { details, layers: layers.into_iter().map(Part::Blob).collect() })
    }

    async fn manifest(&self, entry: &Descriptor) -> Result<Vec<u8>, ImageError> {
        match self {
            Self::Files(files) => files.blob(entry, manifest::MOST_BYTES),
            Self::Registry(registry) => {
                registry.manifest(&entry.digest.to_string(), Some(&entry.digest), Some(entry.size)).await
            }
        }
    }

    /// Begins to send a layer, and gives the end from which it is read.
    fn send(self: Arc<Self>, part: &Part, sending: &mut JoinSet<()>, given_up: &Arc<AtomicBool>) -> Stream {
        let (sender, stream) = queue();
        let (part, given_up) = (part.clone(), given_up.clone());
        match &*self {
            Self::Registry(_) => drop(sending.spawn(async move { self.send_blob(&part, &sender).await })),
            Self::Files(files) => {
                let files = files.clone();
                drop(sending.spawn_blocking(move || match part {
                    Part::Blob(descriptor) => files.send_blob(&descriptor, &sender, &given_up),
                    Part::File(name, _) => files.send_file(&name, &sender, &given_up),
                }));
            }
        }
        stream
    }

    async fn send_blob(&self, part: &Part, queue: &Sender<Piece>) {
        if let (Self::Registry(registry), Part::Blob(descriptor)) = (self, part) {
            registry.send(descriptor, queue).await;
        }
    }
}

impl Chosen {
    fn of_docker(config: Config, layers: Vec<String>) -> Self {
        let layers = layers.into_iter().zip(config.diff_ids).map(|(name, diff_id)| Part::File(name, diff_id)).collect();
        Self { details: config.details, layers }
    }
}
