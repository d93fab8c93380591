//! One pass over a stream of bytes.

use std::collections::BTreeMap;

use super::Embedded;
use super::digests::{Digests, LENGTH, STEP};
use super::elf::{Elf, HEAD};
use super::table::{Candidate, MARK, PARTS, Pointers, tables};
use crate::migration::Checksum;

/// How much is looked at at a time. A processor's cache holds it beside the tables of the checksums.
const BLOCK: usize = 128 << 10;
/// How many bytes around a position its surroundings take: a checksum, or a migration with what stands beside it.
const AROUND: usize = 128;
/// The largest type of a relative relocation, and so the largest small word that is looked at.
const LARGEST_TYPE: u64 = 1027;

/// How much is kept of one file at most. A larger one has so much of it for other reasons.
const MOST_CANDIDATES: usize = 100_000;
const MOST_RELOCATIONS: usize = 2_000_000;
const MOST_PLACES: usize = 100_000;

/// One pass over a stream that comes in pieces of any size.
pub struct Search<'a> {
    digests: &'a Digests,
    /// The end of what has come. Before `looked_at`, it is there only to be looked around in.
    block: Vec<u8>,
    /// Where in the stream the block begins.
    offset: u64,
    looked_at: usize,
    traces: Traces,
}

/// What a pass has come across.
#[derive(Default)]
struct Traces {
    elf: Elf,
    /// How often each checksum was found.
    counts: BTreeMap<u32, usize>,
    /// Where, in the order of the stream.
    places: Vec<(u64, u32)>,
    candidates: Vec<Candidate>,
    relocations: Vec<(u64, u64)>,
}

impl<'a> Search<'a> {
    /// Begins a stream.
    pub fn new(digests: &'a Digests) -> Self {
        Self { digests, block: Vec::new(), offset: 0, looked_at: 0, traces: Traces::default() }
    }

    /// Takes the next piece.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while !self.digests.is_empty() && !piece.is_empty() {
            let (taken, rest) = piece.split_at(piece.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(taken);
            piece = rest;
            if self.block.len() == BLOCK {
                self.look(BLOCK - AROUND);
                let gone = BLOCK - 2 * AROUND;
                self.block.copy_within(gone.., 0);
                self.block.truncate(BLOCK - gone);
                self.offset += gone as u64;
                self.looked_at -= gone;
            }
        }
    }

    /// Ends the stream, and says what was in it.
    pub fn finish(mut self) -> Embedded {
        self.look(self.block.len());
        let Traces { elf, counts, mut places, candidates, mut relocations } = self.traces;
        let counts: BTreeMap<Checksum, usize> =
            counts.into_iter().map(|(place, count)| (self.digests.checksums[place as usize].clone(), count)).collect();
        relocations.sort_unstable();
        places.sort_unstable();
        let checksum_at = |offset: u64| {
            let found = places.binary_search_by_key(&offset, |(place, _)| *place).ok()?;
            self.digests.checksums.get(places[found].1 as usize)
        };
        let is_complete = places.len() < MOST_PLACES;
        let pointers = Pointers { elf: &elf, relocations: &relocations, checksum_at: &checksum_at, is_complete };
        Embedded { counts, tables: tables(&candidates, &pointers) }
    }

    /// Looks at the block up to `end`.
    fn look(&mut self, end: usize) {
        if self.offset == 0 && self.looked_at == 0 {
            self.traces.elf = Elf::read(&self.block[..self.block.len().min(HEAD)]);
        }
        let seen = Block { bytes: &self.block, offset: self.offset, from: self.looked_at, end };
        seen.checksums(self.digests, &mut self.traces);
        seen.words(&mut self.traces);
        self.looked_at = end;
    }
}

/// A part of the stream, of which the positions from `from` up to `end` are looked at.
struct Block<'a> {
    bytes: &'a [u8],
    offset: u64,
    from: usize,
    end: usize,
}

impl Block<'_> {
    /// The first position of those that is a multiple of `step` in the stream.
    fn first(&self, step: usize) -> usize {
        let past = ((self.offset + self.from as u64) % step as u64) as usize;
        if past == 0 { self.from } else { self.from + step - past }
    }

    fn checksums(&self, digests: &Digests, traces: &mut Traces) {
        for position in (self.first(STEP)..self.end).step_by(STEP) {
            let Some(window) = self.bytes[position..].first_chunk() else { break };
            if !digests.may_be(*window) {
                continue;
            }
            for offset in digests.offsets(*window) {
                let start = position.checked_sub(usize::from(*offset));
                let found = start.and_then(|start| Some((start, self.bytes.get(start..start + LENGTH)?)));
                if let Some((start, place)) = found.and_then(|(start, bytes)| Some((start, digests.place(bytes)?))) {
                    traces.found(self.offset + start as u64, place);
                }
            }
        }
    }

    /// Looks at the words, for the marks of a migration and for relocations.
    fn words(&self, traces: &mut Traces) {
        let first = self.first(8);
        // The last word may reach beyond the end.
        let end = first + self.end.saturating_sub(first).next_multiple_of(8);
        let Some(bytes) = self.bytes.get(first..end.min(self.bytes.len())) else { return };
        for (index, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
            // Both at once: the mark becomes 1, a small word one that is not much larger, and 0 the largest of all.
            if u64::from_le_bytes(*word).rotate_left(1).wrapping_sub(1) < 2 * LARGEST_TYPE {
                self.word(first + 8 * index, traces);
            }
        }
    }

    #[inline(never)]
    fn word(&self, position: usize, traces: &mut Traces) {
        let around = |words: isize| {
            let start = position.checked_add_signed(8 * words)?;
            Some(u64::from_le_bytes(*self.bytes.get(start..)?.first_chunk()?))
        };
        match around(0) {
            Some(MARK) if traces.candidates.len() < MOST_CANDIDATES => {
                traces.candidates.extend(Candidate::read(self.offset + position as u64, around));
            }
            // The type of a relocation, and beside it another one of the same type: they come in thousands.
            Some(word) if word == traces.elf.relative && traces.relocations.len() < MOST_RELOCATIONS => {
                if around(3) == Some(word) || around(-3) == Some(word) {
                    traces.relocations.extend(around(-1).zip(around(1)));
                }
            }
            _ => {}
        }
    }
}

impl Traces {
    fn found(&mut self, offset: u64, place: u32) {
        let count = self.counts.entry(place).or_default();
        *count = count.saturating_add(1);
        if self.places.len() < MOST_PLACES {
            self.places.push((offset, place));
        }
    }
}

// A migration with what stands on both sides of it, and a checksum, fit into what is kept around a position.
const _: () = assert!(AROUND >= 8 * (PARTS + 2) && AROUND >= LENGTH + 8 && BLOCK > HEAD && BLOCK > 4 * AROUND);
