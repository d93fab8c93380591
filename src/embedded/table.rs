//! The array of `sqlx::migrate::Migration`s as it stands in the data of an executable, on 64-bit little-endian machines.
//!
//! Eleven words make a migration, in sqlx 0.7 to 0.9: three borrowed `Cow`s (description, checksum and SQL in some order),
//! each a mark, a pointer and a length, and beside them the version and a word of two small fields. The compiler
//! chooses the order, and sqlx 0.7, 0.8 and 0.9 differ in it. So every way of reading an array is kept that makes sense, and
//! which one does is decided where more is known. Where a pointer leads can be seen in ELF only.

use super::digests::LENGTH;
use super::elf::Elf;
use crate::migration::{Checksum, MigrationKind, Version};

/// The first word of a borrowed `Cow`: a capacity that no vector has.
pub(super) const MARK: u64 = 1 << 63;
/// How many words a migration has, and how many of them are its three `Cow`s.
pub(super) const WORDS: u64 = 11;
pub(super) const PARTS: usize = 9;

/// An array of migrations, read in one of the ways in which it may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Where in the file it stands.
    pub offset: u64,
    /// The migrations, by version.
    pub records: Vec<Record>,
}

impl Table {
    /// Whether both are ways of reading the same bytes.
    pub fn overlaps(&self, other: &Self) -> bool {
        let end = |table: &Self| table.offset + 8 * WORDS * table.records.len() as u64;
        self.offset < end(other) && other.offset < end(self)
    }
}

/// One migration of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its version.
    pub version: Version,
    /// Its kind. An up file may be told to be a simple one, and the other way round.
    pub kind: MigrationKind,
    /// Its checksum.
    pub content: Content,
    /// Where its description is, and how long.
    pub description: Option<(u64, u64)>,
}

/// Where the pointer to a checksum leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// To one that is looked for.
    Known(Checksum),
    /// To another one, which stands there in the file.
    Strange(u64),
    /// Nobody knows.
    Untold,
}

/// What looks like a migration: the words of its `Cow`s, and those on both sides of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Where in the file the first mark stands.
    pub offset: u64,
    pub parts: [Part; 3],
    /// Version and small fields, as they would be if they came before, and after.
    pub before: [u64; 2],
    pub after: [u64; 2],
}

/// Pointer and length of a `Cow`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub pointer: u64,
    pub length: u64,
}

impl Candidate {
    /// Reads the words at `offset`, of which the first is a mark; `word` gives the one so many words on.
    pub(super) fn read(offset: u64, word: impl Fn(isize) -> Option<u64>) -> Option<Self> {
        let part = |first: isize| {
            let mark = word(first)?;
            (mark == MARK).then_some(Part { pointer: word(first + 1)?, length: word(first + 2)? })
        };
        let parts = [part(0)?, part(3)?, part(6)?];
        parts.iter().any(Part::may_be_checksum).then_some(())?;
        // Nothing that makes sense, where the file begins or ends.
        let pair = |first: isize| [word(first).unwrap_or(u64::MAX), word(first + 1).unwrap_or(u64::MAX)];
        Some(Self { offset, parts, before: pair(-2), after: pair(PARTS as isize) })
    }
}

impl Part {
    fn may_be_checksum(&self) -> bool {
        self.length == LENGTH as u64
    }
}

/// What pointers lead to.
pub(super) struct Pointers<'a> {
    pub elf: &'a Elf,
    /// Relocations in order: where an address is written to, and which.
    pub relocations: &'a [(u64, u64)],
    /// The checksum that was found there.
    pub checksum_at: &'a dyn Fn(u64) -> Option<&'a Checksum>,
    /// Whether all places are known at which there is one.
    pub is_complete: bool,
}

impl Pointers<'_> {
    /// Where in the file the pointer leads that stands at `place` in it.
    fn target(&self, place: u64, pointer: u64) -> Option<u64> {
        if pointer != 0 {
            return self.elf.offset(pointer);
        }
        let slot = self.elf.address(place)?;
        let found = self.relocations.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        self.elf.offset(self.relocations[found].1)
    }

    fn content(&self, candidate: &Candidate, part: usize) -> Content {
        match self.part(candidate, part) {
            Some(offset) => match (self.checksum_at)(offset) {
                Some(checksum) => Content::Known(checksum.clone()),
                None if self.is_complete => Content::Strange(offset),
                None => Content::Untold,
            },
            None => Content::Untold,
        }
    }

    fn part(&self, candidate: &Candidate, part: usize) -> Option<u64> {
        self.target(candidate.offset + 8 * (3 * part as u64 + 1), candidate.parts[part].pointer)
    }
}

/// Every way of reading arrays of migrations from `candidates`, which are in the order of the file.
pub(super) fn tables(candidates: &[Candidate], pointers: &Pointers) -> Vec<Table> {
    let runs = candidates.chunk_by(|a, b| b.offset - a.offset == 8 * WORDS);
    let mut tables = Vec::new();
    for run in runs {
        for is_before in [true, false] {
            for column in 0..3 {
                read(run, is_before, column, pointers, &mut tables);
            }
        }
    }
    tables
}

/// Reads neighbours in one way. Migrations are sorted, so that another array begins where a version is lower than the one
/// before it.
fn read(run: &[Candidate], is_before: bool, column: usize, pointers: &Pointers, tables: &mut Vec<Table>) {
    let mut last = None;
    for candidate in run {
        let [version, fields] = if is_before { candidate.before } else { candidate.after };
        let kind = kind(fields).filter(|_| candidate.parts[column].may_be_checksum());
        let Some(kind) = kind else {
            last = None;
            continue;
        };
        let version = Version(version.cast_signed());
        // The description comes first, or after the checksum.
        let text = usize::from(column == 0);
        let record = Record {
            version,
            kind,
            content: pointers.content(candidate, column),
            description: pointers.part(candidate, text).map(|offset| (offset, candidate.parts[text].length)),
        };
        match tables.last_mut() {
            Some(table) if last.is_some_and(|last| last <= version) => table.records.push(record),
            _ => tables.push(Table { offset: candidate.offset, records: vec![record] }),
        }
        last = Some(version);
    }
}

/// What the word of small fields tells: the kind, of three, and since sqlx 0.8 whether there is to be a transaction. Either
/// may come first, and the rest is padding.
fn kind(fields: u64) -> Option<MigrationKind> {
    let [first, second, rest @ ..] = fields.to_le_bytes();
    match (first.max(second), first.min(second)) {
        _ if rest != [0; 6] => None,
        (2, 0 | 1) => Some(MigrationKind::ReversibleDown),
        (1, _) => Some(MigrationKind::ReversibleUp),
        (0, _) => Some(MigrationKind::Simple),
        _ => None,
    }
}
