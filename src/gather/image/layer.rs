//! Unpacks a layer, and shows the files of it that a container sees.

mod unpack;

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::Visit;
use super::digest::{Digest, Hasher};
use super::error::{ImageError, LayerFault};
use super::limits::Meter;
use super::overlay::{Content, Overlay};
use super::stream::Stream;
use super::tar::{Tar, TarError};
use unpack::{UnpackError, Unpacked};

/// A layer on its way.
pub struct Layer {
    /// What errors call it.
    pub name: String,
    /// Its number: newer layers have higher ones.
    pub number: u32,
    /// What it hashes to once it is unpacked, where no manifest says what it hashes to before.
    pub diff_id: Option<Digest>,
    /// Its bytes.
    pub stream: Stream,
}

/// What reads the layers of an image, one after the other.
pub struct Reader<V> {
    /// What is seen of which layer.
    pub overlay: Overlay,
    /// Who looks at the files.
    pub visit: V,
    /// What was unpacked so far.
    pub meter: Meter,
}

impl<V: Visit> Reader<V> {
    /// Reads a layer. Gives the files back that have to be read in another pass over it, by [`Reader::again`].
    ///
    /// # Errors
    /// The layer is broken, or not what it should be: then nothing counts that was shown.
    pub fn read(&mut self, layer: Layer) -> Result<BTreeMap<u64, Vec<String>>, ImageError> {
        let name = layer.name.clone();
        self.overlay.begin(layer.number);
        let Self { overlay, visit, meter } = self;
        walk(layer, meter, visit, |entry, ordinal, visit| {
            overlay.entry(entry, ordinal, visit).map_err(|fault| fault.of(&name))
        })?;
        overlay.end().map_err(|fault| fault.of(&name))?;
        Ok(overlay.missed())
    }

    /// Reads a layer once more, for the sake of the files with these numbers.
    ///
    /// # Errors
    /// As for [`Reader::read`].
    pub fn again(&mut self, layer: Layer, mut files: BTreeMap<u64, Vec<String>>) -> Result<(), ImageError> {
        walk(layer, &mut self.meter, &mut self.visit, |_, ordinal, _| {
            Ok(files.remove(&ordinal).map_or(Content::Passed, Content::Shown))
        })
    }
}

/// Asks `judge` about each entry of a layer, shows what it wants shown, and makes sure of the digest.
fn walk<V: Visit>(
    layer: Layer,
    meter: &mut Meter,
    visit: &mut V,
    judge: impl FnMut(&super::tar::Entry, u64, &mut V) -> Result<Content, ImageError>,
) -> Result<(), ImageError> {
    meter.begin();
    let Layer { name, diff_id, mut stream, .. } = layer;
    let walked = Unpacked::new(&mut stream)
        .map_err(Stop::Unpack)
        .and_then(|unpacked| entries(unpacked, &Way { name: &name, diff_id }, meter, visit, judge));
    let walked = walked.map_err(|stop| stop.of(&name));
    if let Err(error @ (ImageError::Limit(_) | ImageError::Interrupted)) = walked {
        return Err(error);
    }
    // A broken content is most often a damaged one, and its digest knows.
    stream.verify()?;
    walked
}

/// What is the same for every byte of a layer.
struct Way<'a> {
    name: &'a str,
    diff_id: Option<Digest>,
}

/// Why a layer is not read any further.
enum Stop {
    /// It cannot be unpacked.
    Unpack(UnpackError),
    /// It is no archive.
    Tar(TarError),
    /// Something else.
    Image(ImageError),
}

impl Stop {
    fn of(self, layer: &str) -> ImageError {
        let fault = match self {
            Self::Image(error) => return error,
            Self::Unpack(error) => error.fault(),
            Self::Tar(TarError::Io(error)) => match error.downcast::<Counted>() {
                Ok(Counted(error)) => return error,
                Err(error) => UnpackError::from(error).fault(),
            },
            Self::Tar(error) => LayerFault::Broken(error.to_string()),
        };
        ImageError::Layer { layer: layer.to_owned(), fault }
    }
}

/// Walks through the entries, and then to the very end: it is where checksums stand.
fn entries<V: Visit>(
    unpacked: Unpacked<'_>,
    way: &Way<'_>,
    meter: &mut Meter,
    visit: &mut V,
    mut judge: impl FnMut(&super::tar::Entry, u64, &mut V) -> Result<Content, ImageError>,
) -> Result<(), Stop> {
    let mut tar =
        Tar::new(Counter { unpacked, meter, name: way.name, hasher: way.diff_id.as_ref().map(Digest::hasher) });
    let mut each = || {
        let mut ordinal = 0;
        while let Some(entry) = tar.next().map_err(Stop::Tar)? {
            if let Content::Shown(names) = judge(&entry, ordinal, visit).map_err(Stop::Image)? {
                show(&mut tar, &names, entry.size, visit)?;
            }
            ordinal += 1;
        }
        Ok(())
    };
    let walked = each();
    let mut rest = tar.into_inner();
    if matches!(walked, Err(Stop::Image(ImageError::Limit(_) | ImageError::Interrupted))) {
        return walked;
    }
    let drained = io::copy(&mut rest, &mut io::sink()).map_err(|error| Stop::Tar(TarError::Io(error)));
    let actual = rest.hasher.map(Hasher::finish);
    match (&way.diff_id, actual) {
        // What is no archive is most often a damaged one.
        (Some(expected), Some(actual)) if drained.is_ok() && *expected != actual => {
            let fault = LayerFault::Mismatch { actual: actual.to_string() };
            Err(Stop::Image(ImageError::Layer { layer: way.name.to_owned(), fault }))
        }
        _ => walked.and(drained.map(drop)),
    }
}

fn show(tar: &mut Tar<Counter<'_, '_>>, names: &[String], size: u64, visit: &mut impl Visit) -> Result<(), Stop> {
    let Some((name, others)) = names.split_first() else { return Ok(()) };
    let holes = size.saturating_sub(tar.stored());
    if visit.file(name, size) {
        tar.input().meter.hole(holes).map_err(Stop::Image)?;
        while let Some(piece) = tar.piece().map_err(Stop::Tar)? {
            visit.piece(piece);
        }
        visit.end();
    }
    others.iter().for_each(|other| visit.link(other, name));
    Ok(())
}

/// Counts, and perhaps hashes, what is unpacked.
struct Counter<'a, 'm> {
    unpacked: Unpacked<'a>,
    meter: &'m mut Meter,
    name: &'a str,
    hasher: Option<Hasher>,
}

/// An error that passes through what reads an archive.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Counted(ImageError);

impl Read for Counter<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.unpacked.read(buffer)?;
        let counted = self.meter.count(read as u64, self.unpacked.packed(), self.name);
        counted.map_err(|error| io::Error::other(Counted(error)))?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        Ok(read)
    }
}
