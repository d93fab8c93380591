//! One pass over a stream of bytes.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::Embedded;
use super::digests::{Digests, LENGTH, STEP};
use super::elf::{Elf, HEAD};
use super::table::{Candidate, MARK, PARTS, Pointers, tables};
use crate::migration::Checksum;

/// How much is looked at at a time. A processor's cache holds it beside the filter of the checksums.
pub(super) const BLOCK: usize = 128 << 10;
/// How many bytes around a position its surroundings take: a checksum, or a migration with what stands beside it.
const AROUND: usize = 128;

/// Shorter pieces are collected.
const LARGE: usize = 8 * AROUND;
/// How far the places lie apart at which three words are looked at: nine words.
const SAMPLE: usize = 72;

/// How much is kept of one file at most. A larger one has so much of it for other reasons.
const MOST_CANDIDATES: usize = 100_000;
const MOST_RELOCATIONS: usize = 2_000_000;
const MOST_PLACES: usize = 100_000;

/// One pass over a stream that comes in pieces of any size.
pub struct Search<D> {
    digests: D,
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
    /// Relocations that begin before this have been taken.
    after_relocation: u64,
}

impl<D: Borrow<Digests>> Search<D> {
    /// Begins a stream.
    pub fn new(digests: D) -> Self {
        Self { digests, block: Vec::new(), offset: 0, looked_at: 0, traces: Traces::default() }
    }

    /// Takes the next piece.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while !self.digests.borrow().is_empty() && !piece.is_empty() {
            // The headers are in the first block.
            if self.offset > 0 && piece.len() >= LARGE {
                return self.pass_over(piece);
            }
            let (taken, rest) = piece.split_at(piece.len().min(BLOCK.saturating_sub(self.block.len())));
            self.block.extend_from_slice(taken);
            piece = rest;
            if self.block.len() >= BLOCK {
                self.look(self.block.len() - AROUND);
                self.forget();
            }
        }
    }

    /// Looks at a piece where it is, and keeps the end of it: copying takes as long as looking does.
    fn pass_over(&mut self, piece: &[u8]) {
        self.block.extend_from_slice(&piece[..2 * AROUND]);
        self.look(self.block.len() - AROUND);
        let offset = self.offset + (self.block.len() - 2 * AROUND) as u64;
        let seen = Block { bytes: piece, offset, from: AROUND, end: piece.len() - AROUND };
        seen.look(self.digests.borrow(), &mut self.traces);
        let kept = piece.len() - 2 * AROUND;
        self.block.clear();
        self.block.extend_from_slice(&piece[kept..]);
        (self.offset, self.looked_at) = (offset + kept as u64, AROUND);
    }

    /// Keeps what is not looked at yet, and as much before it as it takes to look around.
    fn forget(&mut self) {
        let gone = self.looked_at - AROUND;
        self.block.drain(..gone);
        self.offset += gone as u64;
        self.looked_at -= gone;
    }

    /// Ends the stream, and says what was in it.
    pub fn finish(mut self) -> Embedded {
        self.look(self.block.len());
        let Traces { elf, counts, mut places, candidates, mut relocations, .. } = self.traces;
        let checksums = &self.digests.borrow().checksums;
        let counts: BTreeMap<Checksum, usize> =
            counts.into_iter().map(|(place, count)| (checksums[place as usize].clone(), count)).collect();
        if relocations.len() == MOST_RELOCATIONS {
            relocations.clear();
        }
        relocations.sort_unstable();
        places.sort_unstable();
        let checksum_at = |offset: u64| {
            let found = places.binary_search_by_key(&offset, |(place, _)| *place).ok()?;
            checksums.get(places[found].1 as usize)
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
        seen.look(self.digests.borrow(), &mut self.traces);
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
    /// Looks for everything, in parts that a processor's cache still holds the second time.
    fn look(&self, digests: &Digests, traces: &mut Traces) {
        for from in (self.from..self.end).step_by(BLOCK) {
            let part = Block { from, end: self.end.min(from + BLOCK), ..*self };
            part.checksums(digests, traces);
            part.words(traces);
        }
    }

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

    /// Looks for migrations and relocations. Both have what tells them every third word: three neighbours have one of it. Of
    /// a migration it stands three times, so that nine words further on are not too far.
    fn words(&self, traces: &mut Traces) {
        let relative = traces.elf.relative.unwrap_or(MARK);
        for position in (self.first(SAMPLE)..self.end).step_by(SAMPLE) {
            let Some(words) = self.bytes[position..].first_chunk::<24>() else { break };
            let is_telling = |word: &[u8; 8]| {
                let word = u64::from_le_bytes(*word);
                (word == MARK) | (word == relative)
            };
            let [first, second, third] = words.as_chunks::<8>().0 else { break };
            if is_telling(first) | is_telling(second) | is_telling(third) {
                // All of them: a length may be what the type of a relocation is.
                let all = [position, position + 8, position + 16].into_iter().zip([first, second, third]);
                all.filter(|(_, word)| is_telling(word)).for_each(|(place, word)| {
                    // Nearly always it is neither, but some other small number.
                    if u64::from_le_bytes(*word) == MARK || self.has_like(place, word) {
                        self.around(place, traces);
                    }
                });
            }
        }
    }

    /// Whether the word three before or after the one at `position` is the same: relocations come in thousands.
    #[inline]
    fn has_like(&self, position: usize, word: &[u8; 8]) -> bool {
        let is_same = |start: usize| self.bytes.get(start..start + 8).is_some_and(|other| other == word);
        is_same(position + 24) || position >= 24 && is_same(position - 24)
    }

    /// Looks at the word at `position` and at those before and after it that tell the same.
    #[inline(never)]
    fn around(&self, position: usize, traces: &mut Traces) {
        let word = |position: usize, words: isize| {
            let start = position.checked_add_signed(8 * words)?;
            Some(u64::from_le_bytes(*self.bytes.get(start..)?.first_chunk()?))
        };
        let told = word(position, 0);
        let is_relocation = told.is_some() && told == traces.elf.relative;
        for third in -2..=2 {
            let Some(position) = position.checked_add_signed(24 * third) else { continue };
            if word(position, 0) != told {
                continue;
            }
            let offset = self.offset + position as u64;
            let around = |words| word(position, words);
            if is_relocation {
                if around(3) == told || around(-3) == told {
                    traces.relocation(offset, around(-1).zip(around(1)));
                }
            } else if third <= 0 {
                traces.candidate(offset, Candidate::read(offset, around));
            }
        }
    }
}

impl Traces {
    /// Takes what stands at `offset` and is no further back than what was taken before.
    fn candidate(&mut self, offset: u64, candidate: Option<Candidate>) {
        let is_new = self.candidates.last().is_none_or(|last| last.offset < offset);
        if is_new && self.candidates.len() < MOST_CANDIDATES {
            self.candidates.extend(candidate);
        }
    }

    fn relocation(&mut self, offset: u64, relocation: Option<(u64, u64)>) {
        if self.after_relocation <= offset && self.relocations.len() < MOST_RELOCATIONS {
            self.relocations.extend(relocation);
            self.after_relocation = offset + 1;
        }
    }

    fn found(&mut self, offset: u64, place: u32) {
        let count = self.counts.entry(place).or_default();
        *count = count.saturating_add(1);
        if self.places.len() < MOST_PLACES {
            self.places.push((offset, place));
        }
    }
}

// A migration with what stands on both sides of it fits into what is kept around a sample, and so does a checksum.
const _: () = assert!(AROUND >= 16 + 8 * (PARTS + 2) && AROUND >= 48 + 16 && AROUND >= LENGTH + 8);
const _: () = assert!(BLOCK > HEAD && BLOCK > 4 * AROUND);
