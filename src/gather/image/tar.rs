//! The entries of a tar stream, as the container runtimes read them: Go's `archive/tar` is what they all use, so that its
//! reading of odd archives is the right one. Never holds a content, and never more than a little of anything.
//!
//! The `tar` crate is not used for reading because it takes a name of any length into memory, and knows no sparse files
//! but the old ones of GNU.

mod pax;
mod sparse;

use std::io::{self, ErrorKind, Read};

use pax::Pax;
use sparse::Regions;

/// What an archive is made of.
const BLOCK: usize = 512;
/// The longest extension of a header that is read, as in Go.
const MOST_EXTENSION: u64 = 1 << 20;
/// More pieces of a sparse file are not kept: a file of sqlx's, or a program, has none or a few.
const MOST_REGIONS: usize = 1 << 16;
/// How much is read at a time, and so how large a piece of a content is at most.
const BUFFER: usize = 128 << 10;

/// The holes of sparse files.
static ZEROS: [u8; BUFFER] = [0; BUFFER];

/// Why an archive cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// What it is read from failed, or ended.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It ends within an entry.
    #[error("the tar archive ends in the middle of an entry")]
    Truncated,
    /// What stands where a header has to is none.
    #[error("the tar archive is broken: {0}")]
    Broken(&'static str),
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// One more name of a file.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A directory.
    Directory,
    /// A device, a pipe or something unheard of.
    Other,
}

/// An entry of an archive. Its content follows in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path as it is written.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// What a link leads to, as it is written.
    pub target: Vec<u8>,
    /// How large the content is, holes included.
    pub size: u64,
}

/// Reads an archive from start to end.
pub struct Tar<R> {
    input: R,
    buffer: Box<[u8]>,
    /// What of the buffer is filled and not used yet.
    start: usize,
    end: usize,
    /// How much of the entry's content is still to come, and what fills up its last block.
    left: u64,
    padding: u64,
    /// Where the content of a sparse file belongs.
    sparse: Option<Regions>,
}

impl<R: Read> Tar<R> {
    /// Reads from the start of `input`.
    pub fn new(input: R) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { input, buffer, start: 0, end: 0, left: 0, padding: 0, sparse: None }
    }

    /// What the archive is read from.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// What the archive is read from.
    pub fn input(&mut self) -> &mut R {
        &mut self.input
    }

    /// How many bytes of the entry's content the archive still holds: those of a sparse file without its holes.
    pub fn stored(&self) -> u64 {
        self.left
    }

    /// How much of the input is in the buffer, from the start of the entry's content on.
    pub fn buffered(&self) -> u64 {
        (self.end - self.start) as u64
    }

    /// How much of the entry's content is not in the buffer.
    pub fn unbuffered(&self) -> u64 {
        self.left.saturating_sub(self.buffered())
    }

    /// So much of the content behind the buffer was passed over in the input.
    pub fn jumped(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(self.buffered().saturating_add(bytes));
        (self.start, self.end) = (0, 0);
    }

    /// The next entry; what is left of the one before is passed over.
    ///
    /// # Errors
    /// A broken archive, or one that ends too early.
    pub fn next(&mut self) -> Result<Option<Entry>, TarError> {
        self.sparse = None;
        let (mut pax, mut long_name, mut long_target) = (Pax::default(), None, None);
        loop {
            self.skip(self.left.saturating_add(self.padding))?;
            let Some(header) = self.header()? else {
                let whole = pax == Pax::default() && long_name.is_none() && long_target.is_none();
                return if whole { Ok(None) } else { Err(TarError::Truncated) };
            };
            match header.flag() {
                b'x' => pax = Pax::parse(&self.extension(&header)?)?,
                // Runtimes pass over what is meant for all entries.
                b'g' => drop(self.extension(&header)?),
                b'L' => long_name = Some(until_nul(&self.extension(&header)?).to_vec()),
                b'K' => long_target = Some(until_nul(&self.extension(&header)?).to_vec()),
                _ => {
                    let mut entry = header.entry()?;
                    pax.apply(&mut entry);
                    entry.path = long_name.filter(|name| !name.is_empty()).unwrap_or(entry.path);
                    entry.target = long_target.filter(|name| !name.is_empty()).unwrap_or(entry.target);
                    self.begin(if entry.kind == Kind::File { entry.size } else { 0 });
                    self.spread(&header, &pax, &mut entry)?;
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// The next piece of the content; none at its end.
    ///
    /// # Errors
    /// An archive that ends too early.
    pub fn piece(&mut self) -> Result<Option<&[u8]>, TarError> {
        let (hole, most) = match &mut self.sparse {
            Some(regions) => match regions.advance(BUFFER as u64) {
                Some(step) => step,
                None => return Ok(None),
            },
            None => (false, self.left),
        };
        if hole {
            return Ok(Some(&ZEROS[..usize::try_from(most).unwrap_or(BUFFER).min(BUFFER)]));
        }
        if most == 0 {
            return Ok(None);
        }
        if self.start == self.end && self.fill()? == 0 {
            return Err(TarError::Truncated);
        }
        let available = &self.buffer[self.start..self.end];
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(available.len());
        (self.start, self.left) = (self.start + length, self.left - length as u64);
        if let Some(regions) = &mut self.sparse {
            regions.took(length as u64);
        }
        Ok(Some(&self.buffer[self.start - length..self.start]))
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Finds out where the pieces of a sparse file belong.
    fn spread(&mut self, header: &Header, pax: &Pax, entry: &mut Entry) -> Result<(), TarError> {
        let (regions, size) = if header.flag() == b'S' {
            self.old_regions(header)?
        } else if let Some(sparse) = pax.sparse(entry) {
            let regions = match sparse.regions {
                Some(regions) => regions,
                None => self.listed_regions()?,
            };
            (regions, sparse.size)
        } else {
            return Ok(());
        };
        if entry.kind != Kind::File {
            return Err(TarError::Broken("a sparse entry is no file"));
        }
        entry.size = size;
        self.sparse = Some(Regions::new(regions, size, self.left)?);
        Ok(())
    }

    /// The regions of GNU's old form: four in the header, more in the blocks behind it.
    fn old_regions(&mut self, header: &Header) -> Result<(Vec<(u64, u64)>, u64), TarError> {
        let mut regions = Vec::new();
        sparse::collect(&header.0[386..482], &mut regions)?;
        let mut more = header.0[482] != 0;
        while more {
            let block = self.block()?.ok_or(TarError::Truncated)?;
            sparse::collect(&block[..504], &mut regions)?;
            more = block[504] != 0;
        }
        Ok((regions, number(&header.0[483..495])?))
    }

    /// The regions of GNU's new form, which are listed at the start of the content.
    fn listed_regions(&mut self) -> Result<Vec<(u64, u64)>, TarError> {
        let mut list = sparse::List::default();
        while !list.is_complete() {
            let left = self.left.checked_sub(BLOCK as u64).ok_or(TarError::Broken("its list of regions is cut off"))?;
            let block = self.block()?.ok_or(TarError::Truncated)?;
            self.left = left;
            list.add(&block)?;
        }
        Ok(list.regions())
    }

    /// What extends the header of the next entry.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, TarError> {
        let size = header.size()?;
        if size > MOST_EXTENSION {
            return Err(TarError::Broken("the extension of a header takes more than 1 MiB"));
        }
        self.begin(size);
        let mut content = Vec::new();
        while let Some(piece) = self.piece()? {
            content.extend_from_slice(piece);
        }
        Ok(content)
    }

    /// The next header, or none at the end of the archive: two blocks of zeros, or the end of the input.
    fn header(&mut self) -> Result<Option<Header>, TarError> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().any(|byte| *byte != 0) {
            return Header::new(block).map(Some);
        }
        match self.block()? {
            Some(block) if block.iter().any(|byte| *byte != 0) => Err(TarError::Broken("an empty header stands in it")),
            _ => Ok(None),
        }
    }

    /// The next block; none where the input ends before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let (mut block, mut filled) = ([0; BLOCK], 0);
        while filled < BLOCK {
            if self.start == self.end && self.fill()? == 0 {
                return if filled == 0 { Ok(None) } else { Err(TarError::Truncated) };
            }
            let length = (BLOCK - filled).min(self.end - self.start);
            block[filled..filled + length].copy_from_slice(&self.buffer[self.start..self.start + length]);
            (filled, self.start) = (filled + length, self.start + length);
        }
        Ok(Some(block))
    }

    fn skip(&mut self, mut bytes: u64) -> Result<(), TarError> {
        (self.left, self.padding) = (0, 0);
        while bytes > 0 {
            if self.start == self.end && self.fill()? == 0 {
                return Err(TarError::Truncated);
            }
            let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.end - self.start);
            (self.start, bytes) = (self.start + length, bytes - length as u64);
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.input.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(read) => {
                    (self.start, self.end) = (0, read);
                    return Ok(read);
                }
            }
        }
    }
}

/// A header whose checksum is right.
struct Header([u8; BLOCK]);

impl Header {
    fn new(block: [u8; BLOCK]) -> Result<Self, TarError> {
        let own = octal(&block[148..156])?;
        let others = || block[..148].iter().chain(b"        ").chain(&block[156..]);
        let unsigned: u64 = others().map(|byte| u64::from(*byte)).sum();
        // Some old programs took the bytes for signed ones.
        let signed: i64 = others().map(|byte| i64::from(byte.cast_signed())).sum();
        if own == unsigned || i64::try_from(own) == Ok(signed) {
            Ok(Self(block))
        } else {
            Err(TarError::Broken("the checksum of a header is wrong"))
        }
    }

    fn flag(&self) -> u8 {
        self.0[156]
    }

    fn size(&self) -> Result<u64, TarError> {
        number(&self.0[124..136])
    }

    fn entry(&self) -> Result<Entry, TarError> {
        let mut path = until_nul(&self.0[..100]).to_vec();
        let prefix = until_nul(self.prefix());
        if !prefix.is_empty() {
            path = [prefix, b"/", &path].concat();
        }
        let kind = match self.flag() {
            // Before there were directories, they were files whose name ends so.
            0 if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'5' => Kind::Directory,
            b'3' | b'4' | b'6' => Kind::Other,
            _ => return Err(TarError::Broken("an entry is of a kind that no runtime unpacks")),
        };
        Ok(Entry { path, kind, target: until_nul(&self.0[157..257]).to_vec(), size: self.size()? })
    }

    /// What stands before the name, in the formats that split it.
    fn prefix(&self) -> &[u8] {
        match (&self.0[257..263], &self.0[508..512]) {
            (b"ustar\0", b"tar\0") => &self.0[345..476],
            (b"ustar\0", _) => &self.0[345..500],
            _ => &[],
        }
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number of a header: octal, or binary where it would not fit.
fn number(field: &[u8]) -> Result<u64, TarError> {
    let Some((first, rest)) = field.split_first() else { return Ok(0) };
    if first & 0x80 == 0 {
        return octal(field);
    }
    let negative = first & 0x40 != 0;
    let bytes = std::iter::once(first & 0x7f).chain(rest.iter().copied());
    let add = |value: u64, byte| value.checked_mul(256).map(|value| value + u64::from(byte));
    let value = bytes.into_iter().try_fold(0, add).filter(|value| !negative && i64::try_from(*value).is_ok());
    value.ok_or(TarError::Broken("a number of a header is out of range"))
}

fn octal(field: &[u8]) -> Result<u64, TarError> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    until_nul(&field[start..end])
        .iter()
        .try_fold(0_u64, |value, byte| match byte {
            b'0'..=b'7' => value.checked_mul(8).map(|value| value + u64::from(byte - b'0')),
            _ => None,
        })
        .ok_or(TarError::Broken("a number of a header is none"))
}
