//! The checksum of a migration's content as sqlx computes it, without holding a large file in memory.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};

use crate::migration::{Checksum, ChecksumDigest};
use crate::source::InvalidReason;

/// Nearly every migration is read at once.
const BUFFER: usize = 64 << 10;

/// Reads the contents of migrations, one after the other.
pub struct ContentReader<'a> {
    ignored_chars: &'a BTreeSet<char>,
    buffer: Vec<u8>,
}

impl<'a> ContentReader<'a> {
    /// For contents of which `sqlx.toml` leaves `ignored_chars` out of the checksum.
    pub fn new(ignored_chars: &'a BTreeSet<char>) -> Self {
        Self { ignored_chars, buffer: vec![0; BUFFER] }
    }

    /// The checksum of what is left in `content`.
    ///
    /// # Errors
    /// What cannot be read, or is not UTF-8: sqlx fails on it.
    pub fn checksum(&mut self, mut content: impl Read) -> Result<Checksum, InvalidReason> {
        let mut digest = ChecksumDigest::default();
        // Behind `kept` bytes of a letter whose end has not come yet; `done` bytes came before them.
        let (mut kept, mut done) = (0, 0);
        loop {
            let read = match content.read(&mut self.buffer[kept..]) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(InvalidReason::Unreadable(error.to_string())),
            };
            let filled = kept + read;
            let valid = match std::str::from_utf8(&self.buffer[..filled]) {
                Ok(text) => text.len(),
                Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
                Err(error) => return Err(InvalidReason::NotUtf8 { offset: done + error.valid_up_to() }),
            };
            self.add(&mut digest, valid);
            self.buffer.copy_within(valid..filled, 0);
            (kept, done) = (filled - valid, done + valid);
            if read == 0 {
                return Ok(digest.finish());
            }
        }
    }

    /// Adds the first `valid` bytes of the buffer, which are UTF-8, to the digest.
    fn add(&self, digest: &mut ChecksumDigest, valid: usize) {
        let bytes = &self.buffer[..valid];
        match std::str::from_utf8(bytes) {
            Ok(text) if !self.ignored_chars.is_empty() => {
                digest.update_less(text, self.ignored_chars);
            }
            _ => digest.update(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives no more than so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    proptest! {
        #[test]
        fn a_content_in_pieces_is_what_it_is_at_once(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..30), ".{0,30}".prop_map(String::into_bytes)
            ],
            most in 1_usize..5,
            ignored in proptest::collection::btree_set(any::<char>(), 0..3),
        ) {
            let whole = match std::str::from_utf8(&bytes) {
                Ok(text) => Ok(Checksum::of(text.chars().filter(|c| !ignored.contains(c)).collect::<String>())),
                Err(error) => Err(InvalidReason::NotUtf8 { offset: error.valid_up_to() }),
            };
            prop_assert_eq!(ContentReader::new(&ignored).checksum(Drip(&bytes, most)), whole);
        }
    }

    #[test]
    fn a_content_longer_than_the_buffer_is_read_to_its_end() {
        let ignored = BTreeSet::from(['\r']);
        for (ending, ignored) in [("\n", &BTreeSet::new()), ("\r\n", &ignored)] {
            let content = "-- größer".repeat(BUFFER / 5);
            let read = ContentReader::new(ignored).checksum((content.clone() + ending).as_bytes());
            assert_eq!(read, Ok(Checksum::of(content.clone() + "\n")));
            let broken = [content.as_bytes(), b"\xff"].concat();
            let reason = InvalidReason::NotUtf8 { offset: content.len() };
            assert_eq!(ContentReader::new(ignored).checksum(broken.as_slice()), Err(reason));
        }
    }
}
