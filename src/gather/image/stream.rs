//! A blob on its way from where it is kept to where it is unpacked: pieces in a short queue, so that one thread reads and
//! hashes while another unpacks; and the word that it was what its digest names, without which nothing in it counts.

use std::io::{self, BufRead, Read};

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::digest::{Digest, Hasher};
use super::error::{ImageError, LayerFault};

/// How many pieces wait at a time.
const WAITING: usize = 4;

/// What comes through the queue.
#[derive(Debug)]
pub enum Piece {
    /// Bytes.
    Data(Bytes),
    /// There are no more, and all of them together are what the digest names.
    Verified,
    /// Why there are no more.
    Failed(ImageError),
}

/// A queue: what is sent into the one end is read from the other.
pub fn queue() -> (Sender<Piece>, Stream) {
    let (sender, receiver) = channel(WAITING);
    (sender, Stream { receiver, piece: Bytes::new(), taken: 0, end: None })
}

/// The end of the queue from which a blob is read.
pub struct Stream {
    receiver: Receiver<Piece>,
    piece: Bytes,
    taken: u64,
    end: Option<Result<(), ImageError>>,
}

impl Stream {
    /// How many bytes came so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Passes over what is left, and tells whether the blob was what its digest names.
    ///
    /// # Errors
    /// It was not, or did not come to its end.
    pub fn verify(&mut self) -> Result<(), ImageError> {
        loop {
            if let Some(end) = &self.end {
                return end.clone();
            }
            self.piece.clear();
            self.next();
        }
    }

    /// The first `length` bytes of what is left, or all where there are fewer.
    ///
    /// # Errors
    /// The blob does not come to its end.
    pub fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.piece.len() < length && self.end.is_none() {
            let start = std::mem::take(&mut self.piece);
            self.next();
            if !start.is_empty() {
                self.piece = [&start[..], &self.piece[..]].concat().into();
            }
        }
        self.fill_buf()
    }

    /// Waits for the next piece.
    fn next(&mut self) {
        match self.receiver.blocking_recv() {
            Some(Piece::Data(piece)) => {
                self.taken += piece.len() as u64;
                self.piece = piece;
            }
            Some(Piece::Verified) => self.end = Some(Ok(())),
            Some(Piece::Failed(error)) => self.end = Some(Err(error)),
            None => self.end = Some(Err(ImageError::Interrupted)),
        }
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() && self.end.is_none() {
            self.next();
        }
        match &self.end {
            // The error itself is told by `verify`.
            Some(Err(_)) if self.piece.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(&self.piece),
        }
    }

    fn consume(&mut self, amount: usize) {
        let _ = self.piece.split_to(amount.min(self.piece.len()));
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

/// Holds a blob against its digest and its size while it is sent.
pub struct Check {
    layer: String,
    expected: Expected,
    seen: u64,
}

/// What a blob has to be.
enum Expected {
    /// What a manifest says of it.
    Blob { digest: Digest, size: u64, hasher: Box<Hasher> },
    /// Nothing: it is checked once it is unpacked.
    Later { size: u64 },
}

impl Check {
    /// For a blob of so many bytes that hashes to `digest`.
    pub fn blob(digest: &Digest, size: u64) -> Self {
        let expected = Expected::Blob { digest: digest.clone(), size, hasher: Box::new(digest.hasher()) };
        Self { layer: digest.to_string(), expected, seen: 0 }
    }

    /// For a file of so many bytes, of whose content nothing is known.
    pub fn later(layer: &str, size: u64) -> Self {
        Self { layer: layer.to_owned(), expected: Expected::Later { size }, seen: 0 }
    }

    /// How many bytes came so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// There are more bytes than there should be.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), ImageError> {
        self.seen += piece.len() as u64;
        let (Expected::Blob { size: expected, .. } | Expected::Later { size: expected }) = self.expected;
        if self.seen > expected {
            return Err(self.fault(LayerFault::Long { expected }));
        }
        if let Expected::Blob { hasher, .. } = &mut self.expected {
            hasher.update(piece);
        }
        Ok(())
    }

    /// The end of the blob.
    ///
    /// # Errors
    /// It is not what it should be.
    pub fn finish(self) -> Result<(), ImageError> {
        let (Expected::Blob { size: expected, .. } | Expected::Later { size: expected }) = self.expected;
        if self.seen < expected {
            return Err(self.fault(LayerFault::Short { expected, actual: self.seen }));
        }
        if let Expected::Blob { digest, hasher, .. } = &self.expected {
            let actual = hasher.clone().finish();
            if actual != *digest {
                return Err(self.fault(LayerFault::Mismatch { actual: actual.to_string() }));
            }
        }
        Ok(())
    }

    /// The error for this blob.
    pub fn fault(&self, fault: LayerFault) -> ImageError {
        ImageError::Layer { layer: self.layer.clone(), fault }
    }
}
