//! The code side from a binary: which of the contents that are known of a service it embeds.
//!
//! Reads the file once, in bounded memory, and never runs it. What `migrate!()` leaves in a binary is found by
//! [`crate::embedded`]; `sqlx.toml`, which it does not leave there, is that of the checkout.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::embedded::{Carried, Digests, Embedded, Known, Search, Stranger, carried};
use crate::gather::directory;
use crate::migration::{Checksum, Migration};
use crate::source::{Defined, SourceError};
use crate::sqlx_toml::SqlxToml;

/// No binary of a service is larger: its code could not reach all of its data.
const MOST_BYTES: u64 = 2 << 30;
/// How much is read at a time.
const PIECE: usize = 64 << 10;
/// The file names of migrations are no longer.
const MOST_DESCRIPTION: u64 = 255;
/// How long a checksum of sqlx's is.
const CHECKSUM: usize = 48;

/// What a binary embeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binary {
    /// The code side. A migration whose content nobody knows has no path.
    pub defined: Defined,
    /// What is known of each of its migrations, in their order: which row, file or commit has the content.
    pub known: Vec<Option<Known>>,
}

/// Reads the binary at `path`, which is relative to `root`.
///
/// `known` are the rows of every history of the service, the migrations of the checkout, and git's older contents of them.
/// `settings` are those of the checkout.
///
/// # Errors
/// The file cannot be read, embeds nothing that is known, or leaves open what it embeds.
pub fn read(root: &Path, path: &Path, known: &[Known], settings: &SqlxToml) -> Result<Binary, SourceError> {
    let digests = Digests::new(known.iter().map(|known| &known.checksum));
    let mut file = open(root, path)?;
    let unreadable = |error: io::Error| unreadable(path, error.to_string());
    let embedded =
        if digests.is_empty() { Embedded::default() } else { search(&mut file, &digests).map_err(unreadable)? };
    let mut carried = of_embedded(path, known, &embedded)?;
    for carried in &mut carried {
        if let Some(stranger) = carried.stranger {
            read_stranger(&mut file, stranger, &mut carried.migration).map_err(unreadable)?;
        }
    }
    Ok(binary(carried, settings))
}

/// What a file at `path` embeds that can be read once only, such as one in an image. Of a content that nobody knows there is
/// neither checksum nor description.
///
/// # Errors
/// It embeds nothing that is known, or leaves open what it embeds.
pub fn read_embedded(
    path: &Path,
    known: &[Known],
    embedded: &Embedded,
    settings: &SqlxToml,
) -> Result<Binary, SourceError> {
    Ok(binary(of_embedded(path, known, embedded)?, settings))
}

/// Searches what is left in `content`.
///
/// # Errors
/// It cannot be read.
pub fn search(mut content: impl Read, digests: &Digests) -> io::Result<Embedded> {
    let mut search = Search::new(digests);
    let mut piece = vec![0; PIECE];
    loop {
        match content.read(&mut piece) {
            Ok(0) => return Ok(search.finish()),
            Ok(read) => search.feed(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn of_embedded(path: &Path, known: &[Known], embedded: &Embedded) -> Result<Vec<Carried>, SourceError> {
    if known.is_empty() {
        return Err(SourceError::NothingKnown(path.to_owned()));
    }
    if embedded.is_empty() {
        let known: BTreeSet<&Checksum> = known.iter().map(|known| &known.checksum).collect();
        let others = embedded.tables().iter().map(|table| table.records.len()).max().unwrap_or_default();
        return Err(SourceError::NothingEmbedded { path: path.to_owned(), known: known.len(), others });
    }
    carried(known, embedded)
        .map_err(|unclear| SourceError::Unclear { path: path.to_owned(), detail: unclear.to_string() })
}

fn binary(carried: Vec<Carried>, settings: &SqlxToml) -> Binary {
    let (migrations, known) = carried.into_iter().map(|carried| (carried.migration, carried.known)).unzip();
    Binary { defined: Defined { migrations, ..directory::governed(settings) }, known }
}

fn unreadable(path: &Path, detail: String) -> SourceError {
    SourceError::Unreadable { path: path.to_owned(), detail }
}

/// Opens what is a regular file: a pipe would never end, and a device might not either.
fn open(root: &Path, path: &Path) -> Result<File, SourceError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceError::NoFile(path.to_owned()),
        _ => unreadable(path, error.to_string()),
    };
    let metadata = std::fs::metadata(root.join(path)).map_err(failed)?;
    let why = match metadata.len() {
        _ if metadata.is_dir() => "it is a directory; name the binary in it",
        _ if !metadata.is_file() => "it is not a regular file",
        0 => "it is empty",
        MOST_BYTES.. => "it has 2 GiB or more, which no binary of a service has",
        _ => return File::open(root.join(path)).map_err(failed),
    };
    Err(unreadable(path, why.to_owned()))
}

/// Reads a content that nobody knows where it stands.
fn read_stranger(file: &mut File, stranger: Stranger, migration: &mut Migration) -> io::Result<()> {
    let mut bytes = [0; CHECKSUM];
    file.seek(SeekFrom::Start(stranger.checksum))?;
    file.read_exact(&mut bytes)?;
    migration.checksum = Checksum::from_bytes(bytes);
    if let Some((place, length)) = stranger.description.filter(|(_, length)| *length <= MOST_DESCRIPTION) {
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(place))?;
        file.take(length).read_to_end(&mut text)?;
        migration.description = String::from_utf8(text).unwrap_or_default();
    }
    Ok(())
}
