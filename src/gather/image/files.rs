//! Images on the disk: OCI layouts, the same in a tar file, and the archives of `docker save`. Only reads, and only what
//! the layout or the archive itself holds.

mod archive;
mod docker;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::config::{self, Config};
use super::error::{ImageError, LayerFault, Limit};
use super::location::Stored;
use super::manifest::{self, Descriptor, Manifest};
use super::stream::{Check, Piece};
use archive::Index;

/// How much is read at a time.
const CHUNK: usize = 256 << 10;

/// A folder or an archive that holds images.
#[derive(Debug, Clone)]
pub struct Files {
    path: PathBuf,
    /// Where the files of an archive are; none for a folder.
    index: Option<Arc<Index>>,
}

/// What there is to be read.
pub enum Root {
    /// An index of OCI, of which one entry is meant.
    Oci(Vec<Descriptor>),
    /// What `docker save` writes: a configuration and layers.
    Docker {
        /// How it is run.
        config: Box<Config>,
        /// Its files, the lowest layer first, each with what it hashes to once it is unpacked.
        layers: Vec<String>,
    },
}

impl Files {
    /// The folder of a layout.
    pub fn folder(stored: &Stored) -> Self {
        Self { path: stored.path.clone(), index: None }
    }

    /// An archive, whose entries are looked through once.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn archive(stored: &Stored) -> Result<Self, ImageError> {
        let index = Index::read(&stored.path)?;
        Ok(Self { path: stored.path.clone(), index: Some(Arc::new(index)) })
    }

    /// What it holds, of which `name` is meant.
    ///
    /// # Errors
    /// It holds no image, or several and not the one.
    pub fn root(&self, name: Option<&str>) -> Result<Root, ImageError> {
        if self.has("oci-layout") || self.has("index.json") {
            let bytes = self.document("index.json", manifest::MOST_BYTES)?;
            let Manifest::Index(entries) = Manifest::parse(&bytes, &self.path.display().to_string())? else {
                return Err(self.no_image("its index.json is no index"));
            };
            return self.named(entries, name).map(Root::Oci);
        }
        if self.has("manifest.json") {
            return docker::root(self, name);
        }
        Err(self.no_image("it has neither an index.json nor a manifest.json"))
    }

    /// The entries that `name` means; all of them, where they have at most one name.
    fn named(&self, entries: Vec<Descriptor>, name: Option<&str>) -> Result<Vec<Descriptor>, ImageError> {
        let keys = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];
        let mut names: Vec<_> =
            entries.iter().filter_map(|entry| keys.iter().find_map(|key| entry.annotation(key))).collect();
        names.sort_unstable();
        names.dedup();
        let names = names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        match name {
            None if names.len() > 1 => Err(self.ambiguous(names)),
            None => Ok(entries),
            Some(name) => {
                let fits = |entry: &Descriptor| {
                    keys.iter().any(|key| entry.annotation(key) == Some(name)) || entry.digest.to_string() == name
                };
                let found: Vec<_> = entries.into_iter().filter(fits).collect();
                if found.is_empty() { Err(self.no_name(name, names)) } else { Ok(found) }
            }
        }
    }

    /// A small file that hashes to what its descriptor says.
    ///
    /// # Errors
    /// It is not there, too large or something else.
    pub fn blob(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>, ImageError> {
        let bytes = self.document(&descriptor.digest.path(), most)?;
        let fits = bytes.len() as u64 == descriptor.size && descriptor.digest.fits(&bytes);
        if fits { Ok(bytes) } else { Err(ImageError::Mismatch { digest: descriptor.digest.to_string() }) }
    }

    /// Sends a layer into a queue, holding it against its digest.
    pub fn send_blob(&self, descriptor: &Descriptor, queue: &Sender<Piece>, given_up: &AtomicBool) {
        let check = Check::blob(&descriptor.digest, descriptor.size);
        self.send(&descriptor.digest.path(), check, queue, given_up);
    }

    /// Sends a file of an archive of `docker save` into a queue.
    pub fn send_file(&self, name: &str, queue: &Sender<Piece>, given_up: &AtomicBool) {
        let size = self.open(name).map_or(0, |(_, size)| size);
        self.send(name, Check::later(name, size), queue, given_up);
    }

    fn send(&self, name: &str, check: Check, queue: &Sender<Piece>, given_up: &AtomicBool) {
        let end = match self.pour(name, check, queue, given_up) {
            Ok(()) => Piece::Verified,
            Err(error) => Piece::Failed(error),
        };
        // Whoever does not read on needs no end either.
        let _ = queue.blocking_send(end);
    }

    fn pour(
        &self,
        name: &str,
        mut check: Check,
        queue: &Sender<Piece>,
        given_up: &AtomicBool,
    ) -> Result<(), ImageError> {
        let Ok((mut file, _)) = self.open(name) else { return Err(check.fault(LayerFault::Missing)) };
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
            read.map_err(|error| check.fault(LayerFault::Unreadable(error.to_string())))?;
            if chunk.is_empty() {
                return check.finish();
            }
            check.update(&chunk)?;
            if given_up.load(Relaxed) || queue.blocking_send(Piece::Data(Bytes::from(chunk))).is_err() {
                return Err(ImageError::Interrupted);
            }
        }
    }

    /// A small file.
    fn document(&self, name: &str, most: u64) -> Result<Vec<u8>, ImageError> {
        let (mut file, _) = self.open(name)?;
        let mut bytes = Vec::new();
        file.by_ref()
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreadable(name, &error.to_string()))?;
        if bytes.len() as u64 > most {
            return Err(ImageError::Limit(Limit::Document { what: name.to_owned(), most }));
        }
        Ok(bytes)
    }

    fn has(&self, name: &str) -> bool {
        self.index.as_ref().map_or_else(|| self.path.join(name).exists(), |index| index.find(name).is_some())
    }

    /// A file, and how large it is.
    fn open(&self, name: &str) -> Result<(Box<dyn Read + Send>, u64), ImageError> {
        let broken = |error: std::io::Error| self.unreadable(name, &error.to_string());
        let Some(index) = &self.index else {
            let path = self.path.join(name);
            let metadata = std::fs::metadata(&path).map_err(broken)?;
            // Opening a pipe would wait for ever.
            if !metadata.is_file() {
                return Err(self.unreadable(name, "it is no file"));
            }
            return Ok((Box::new(File::open(&path).map_err(broken)?), metadata.len()));
        };
        let (offset, size) = index.find(name).ok_or_else(|| self.no_image(&format!("it has no {name}")))?;
        let mut file = File::open(&self.path).map_err(broken)?;
        file.seek(SeekFrom::Start(offset)).map_err(broken)?;
        Ok((Box::new(file.take(size)), size))
    }

    fn unreadable(&self, name: &str, detail: &str) -> ImageError {
        let path = if self.index.is_some() { self.path.clone() } else { self.path.join(name) };
        ImageError::File { path, detail: detail.to_owned() }
    }

    fn no_image(&self, detail: &str) -> ImageError {
        ImageError::NoImage { path: self.path.clone(), detail: detail.to_owned() }
    }

    fn ambiguous(&self, names: Vec<String>) -> ImageError {
        ImageError::Ambiguous { path: self.path.clone(), names: few(names) }
    }

    fn no_name(&self, name: &str, names: Vec<String>) -> ImageError {
        ImageError::NoName { path: self.path.clone(), name: name.to_owned(), names: few(names) }
    }

    /// The configuration in a file whose name tells its digest.
    fn config(&self, name: &str) -> Result<Config, ImageError> {
        let bytes = self.document(name, config::MOST_BYTES)?;
        let actual = super::digest::Digest::of(&bytes);
        let stem = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let named = super::digest::Digest::parse(&format!("sha256:{}", stem.trim_end_matches(".json")));
        match named {
            Some(named) if named != actual => Err(ImageError::Mismatch { digest: named.to_string() }),
            _ => Config::parse(&bytes, &actual),
        }
    }
}

/// As many names as an error lists.
fn few(mut names: Vec<String>) -> Vec<String> {
    names.truncate(manifest::MOST_NAMED);
    names.into_iter().filter_map(|name| config::short(&name)).collect()
}
