//! Where in a tar file each of its files is, so that they can be read in any order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::super::error::ImageError;
use super::super::path::{follow, normalise};
use super::super::tar::{Kind, Tar, TarError};

/// No archive of images has more files, nor longer names: each layer takes three.
const MOST_FILES: usize = 20_000;
const MOST_NAME: usize = 1024;

/// The files of an archive: where each begins and how large it is.
#[derive(Debug, Default)]
pub struct Index {
    files: HashMap<Vec<u8>, (u64, u64)>,
    links: HashMap<Vec<u8>, Vec<u8>>,
}

impl Index {
    /// Looks through the headers of the archive at `path`.
    ///
    /// # Errors
    /// It cannot be read, is no archive, or is compressed as a whole.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let unreadable = |error: io::Error| ImageError::File { path: path.to_owned(), detail: error.to_string() };
        let no_image = |detail: String| ImageError::NoImage { path: path.to_owned(), detail };
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut magic = [0; 4];
        let read = file.read(&mut magic).map_err(unreadable)?;
        if let Some((with, command)) = compression(&magic[..read]) {
            return Err(ImageError::Compressed { path: path.to_owned(), with, command });
        }
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let (mut index, mut tar) = (Self::default(), Tar::new(Skipping { file, size }));
        loop {
            match tar.next() {
                Ok(None) => return Ok(index),
                Ok(Some(entry)) => {
                    let place = (tar.position().map_err(unreadable)?, tar.stored());
                    index
                        .add(entry.kind, &entry.path, entry.target, place)
                        .map_err(|detail| no_image(detail.to_owned()))?;
                    tar.seek().map_err(unreadable)?;
                }
                Err(TarError::Io(error)) => return Err(unreadable(error)),
                Err(error) => return Err(no_image(error.to_string())),
            }
        }
    }

    fn add(&mut self, kind: Kind, path: &[u8], target: Vec<u8>, place: (u64, u64)) -> Result<(), &'static str> {
        if self.files.len() + self.links.len() >= MOST_FILES || path.len().max(target.len()) > MOST_NAME {
            return Err("it holds more files, or longer names, than an image has");
        }
        let path = normalise(path);
        match kind {
            Kind::File => drop(self.files.insert(path, place)),
            Kind::Symlink => drop(self.links.insert(path, target)),
            Kind::HardLink => {
                if let Some(place) = self.find_bytes(&target) {
                    self.files.insert(path, place);
                }
            }
            Kind::Directory | Kind::Other => {}
        }
        Ok(())
    }

    /// Where the file of this name is. Older programs write a layer once, and links to it.
    pub fn find(&self, name: &str) -> Option<(u64, u64)> {
        self.find_bytes(name.as_bytes())
    }

    fn find_bytes(&self, name: &[u8]) -> Option<(u64, u64)> {
        let path = follow(&normalise(name), true, |path| self.links.get(path).map(|target| &target[..]))?;
        self.files.get(&path).copied()
    }
}

/// What a whole archive is compressed with, by its first bytes.
fn compression(magic: &[u8]) -> Option<(&'static str, &'static str)> {
    match magic {
        [0x1f, 0x8b, ..] => Some(("gzip", "gunzip")),
        [0x28, 0xb5, 0x2f, 0xfd] => Some(("zstd", "unzstd")),
        [b'B', b'Z', b'h', ..] => Some(("bzip2", "bunzip2")),
        [0xfd, b'7', b'z', b'X'] => Some(("xz", "unxz")),
        _ => None,
    }
}

/// A file of which large parts are passed over.
pub struct Skipping {
    file: File,
    size: u64,
}

impl Read for Skipping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Tar<Skipping> {
    /// Where in the file the content of the entry begins.
    fn position(&mut self) -> io::Result<u64> {
        let buffered = self.buffered();
        Ok(self.input().file.stream_position()?.saturating_sub(buffered))
    }

    /// Passes over the content of the entry without reading it, where it is large.
    fn seek(&mut self) -> io::Result<()> {
        let beyond = self.unbuffered();
        if beyond == 0 {
            return Ok(());
        }
        let position = self.input().file.stream_position()?;
        // Beyond the end nothing could be read, and nobody would know.
        let step = beyond.min(self.input().size.saturating_sub(position));
        self.input().file.seek_relative(i64::try_from(step).unwrap_or(i64::MAX))?;
        self.jumped(step);
        Ok(())
    }
}
