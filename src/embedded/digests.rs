//! The checksums that are looked for, and the tables by which they are found.
//!
//! Wherever 48 bytes stand, exactly one of the 41 windows of eight bytes in them begins at a multiple of 41. So the tables
//! have all windows of all checksums, and a search looks at every 41st position only. A filter of bits, which a
//! processor's cache holds, turns nearly all of them away.

use std::collections::HashMap;

use crate::migration::Checksum;

/// How long a checksum of sqlx's is.
pub(super) const LENGTH: usize = 48;
/// How many windows a checksum has, and how far the positions lie apart that are looked at.
pub(super) const STEP: usize = LENGTH - WINDOW + 1;
/// How long a window is.
const WINDOW: usize = 8;

/// Fewer different bytes than these, or differences between neighbours, are no hash. The chance of SHA-384 to make such a
/// checksum is below 10⁻³⁰.
const FEWEST_VALUES: usize = 16;
/// An odd number of no pattern: multiplying by it is one to one, and spreads windows over the upper bits.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
/// Bits of the filter for each window: one in sixteen of strange windows passes.
const FILTER_BITS: usize = 16;

/// The checksums that are looked for, for any number of files.
///
/// Those that are not 48 bytes long are left out: a row may hold anything, and they can't be found. So are those that are
/// no hash by their looks, since they stand in binaries for other reasons: 48 zeros, a text, bytes that count upwards.
/// sqlx computes no such checksum, so no binary embeds one.
pub struct Digests {
    /// Place in `checksums`.
    places: HashMap<[u8; LENGTH], u32>,
    pub(super) checksums: Vec<Checksum>,
    /// A bit for what the upper bits of a spread window may be.
    filter: Vec<u64>,
    filter_shift: u32,
    /// Spread windows in order, and where in a checksum each stands; those of one checksum or of several.
    windows: Vec<u64>,
    offsets: Vec<u8>,
    /// Where in `windows` those begin whose upper bits are the index.
    buckets: Vec<u32>,
    bucket_shift: u32,
}

impl Digests {
    /// Prepares the search for `checksums`.
    pub fn new<'a>(checksums: impl IntoIterator<Item = &'a Checksum>) -> Self {
        let mut places = HashMap::new();
        let mut found = Vec::new();
        for checksum in checksums {
            let Ok(bytes) = <[u8; LENGTH]>::try_from(checksum.as_bytes()) else { continue };
            // More would not fit the memory either.
            let Ok(place) = u32::try_from(found.len()) else { break };
            if looks_like_a_hash(&bytes) && !places.contains_key(&bytes) {
                places.insert(bytes, place);
                found.push(checksum.clone());
            }
        }
        let mut windows: Vec<(u64, u8)> = places.keys().flat_map(windows_of).collect();
        windows.sort_unstable();
        windows.dedup();
        Self::index(places, found, &windows)
    }

    fn index(places: HashMap<[u8; LENGTH], u32>, checksums: Vec<Checksum>, sorted: &[(u64, u8)]) -> Self {
        let bits = |of: usize| of.max(64).next_power_of_two().trailing_zeros();
        let filter_bits = bits(sorted.len() * FILTER_BITS);
        let (filter_shift, bucket_shift) = (u64::BITS - filter_bits, u64::BITS - bits(sorted.len()));
        let mut filter = vec![0; 1 << (filter_bits - 6)];
        let mut buckets = vec![0_u32; (1 << (u64::BITS - bucket_shift)) + 1];
        for (window, _) in sorted {
            let bit = window >> filter_shift;
            filter[(bit >> 6) as usize] |= 1 << (bit & 63);
            buckets[(window >> bucket_shift) as usize + 1] += 1;
        }
        for bucket in 1..buckets.len() {
            buckets[bucket] += buckets[bucket - 1];
        }
        let (windows, offsets) = sorted.iter().copied().unzip();
        Self { places, checksums, filter, filter_shift, windows, offsets, buckets, bucket_shift }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.checksums.is_empty()
    }

    /// How many checksums are looked for.
    pub fn len(&self) -> usize {
        self.checksums.len()
    }

    /// Whether a window with these bytes may be one of a checksum: quick, and nearly always right.
    #[inline]
    pub(super) fn may_be(&self, bytes: [u8; WINDOW]) -> bool {
        let bit = spread(bytes) >> self.filter_shift;
        self.filter[(bit >> 6) as usize] & 1 << (bit & 63) != 0
    }

    /// Where in a checksum a window with these bytes stands: 41 places at most, however many checksums have it.
    pub(super) fn offsets(&self, bytes: [u8; WINDOW]) -> &[u8] {
        let window = spread(bytes);
        let bucket = (window >> self.bucket_shift) as usize;
        let (start, end) = (self.buckets[bucket] as usize, self.buckets[bucket + 1] as usize);
        let bucket = &self.windows[start..end];
        // Windows may be made to share a bucket.
        let first = bucket.partition_point(|other| *other < window);
        let after = bucket.partition_point(|other| *other <= window);
        &self.offsets[start + first..start + after]
    }

    /// The place of the checksum that has these bytes.
    pub(super) fn place(&self, bytes: &[u8]) -> Option<u32> {
        self.places.get(bytes).copied()
    }
}

fn spread(window: [u8; WINDOW]) -> u64 {
    u64::from_le_bytes(window).wrapping_mul(SPREAD)
}

fn windows_of(digest: &[u8; LENGTH]) -> impl Iterator<Item = (u64, u8)> {
    let window = |(offset, bytes): (u8, &[u8])| Some((spread(bytes.try_into().ok()?), offset));
    (0..).zip(digest.windows(WINDOW)).filter_map(window)
}

/// Whether there is as little order in `bytes` as a hash leaves: many values, many differences between neighbours, and not
/// ASCII alone.
fn looks_like_a_hash(bytes: &[u8; LENGTH]) -> bool {
    let values = different(bytes.iter().copied());
    let differences = different(bytes.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])));
    values >= FEWEST_VALUES && differences >= FEWEST_VALUES && !bytes.is_ascii()
}

/// How many values `bytes` have.
fn different(bytes: impl Iterator<Item = u8>) -> usize {
    let mut seen = [false; 256];
    bytes.for_each(|byte| seen[usize::from(byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_hash_is_not_looked_for() {
        let counting: Vec<u8> = (0..48).collect();
        let text = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL".to_vec();
        let bit: Vec<u8> = (0..48).map(|place| u8::from(place == 40) << 7).collect();
        let short = Checksum::of("a").as_bytes()[..47].to_vec();
        let long = [Checksum::of("a").as_bytes(), &[0]].concat();
        for bytes in [vec![], vec![0; 48], vec![0xff; 48], counting, text, bit, short, long] {
            let digests = Digests::new([&Checksum::from_bytes(bytes.clone())]);
            assert!(digests.is_empty(), "{bytes:?}");
        }
    }

    #[test]
    fn every_hash_is_looked_for_and_once() {
        let all: Vec<Checksum> = (0_u32..5_000).map(|seed| Checksum::of(seed.to_le_bytes())).collect();
        assert_eq!(Digests::new(all.iter().chain(&all)).len(), all.len());
    }
}
