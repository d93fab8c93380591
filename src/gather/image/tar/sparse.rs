//! Files with holes: where in the file the pieces belong that the archive holds. Pure.

use super::pax::decimal;
use super::{MOST_REGIONS, TarError, number, until_nul};

const BROKEN: TarError = TarError::Broken("the regions of a sparse file are malformed");

/// Walks through a file with holes.
pub struct Regions {
    regions: std::vec::IntoIter<(u64, u64)>,
    /// The piece that comes next.
    next: Option<(u64, u64)>,
    position: u64,
    size: u64,
}

impl Regions {
    /// `regions` are offsets and lengths, of a file of `size` bytes, of which the archive holds `stored`.
    pub fn new(regions: Vec<(u64, u64)>, size: u64, stored: u64) -> Result<Self, TarError> {
        let (mut end, mut sum) = (0_u64, 0_u64);
        for (offset, length) in &regions {
            if *offset < end {
                return Err(BROKEN);
            }
            end = offset.checked_add(*length).ok_or(BROKEN)?;
            sum += length;
        }
        if end > size || sum != stored {
            return Err(BROKEN);
        }
        let mut regions = regions.into_iter();
        let next = regions.next();
        Ok(Self { regions, next, position: 0, size })
    }

    /// What comes next: whether it is a hole, of which `most` bytes are passed at once, and how long it is; none at the end.
    pub fn advance(&mut self, most: u64) -> Option<(bool, u64)> {
        while let Some((_, 0)) = self.next {
            self.next = self.regions.next();
        }
        let until = self.next.map_or(self.size, |(offset, _)| offset);
        if self.position < until {
            let length = (until - self.position).min(most);
            self.position += length;
            return Some((true, length));
        }
        self.next.map(|(_, length)| (false, length))
    }

    /// So many bytes of the present piece were taken.
    pub fn took(&mut self, bytes: u64) {
        self.position += bytes;
        self.next = self.next.map(|(offset, length)| (offset + bytes, length.saturating_sub(bytes)));
    }
}

/// Adds the regions of a block of the old form, up to the first that is empty.
pub fn collect(fields: &[u8], regions: &mut Vec<(u64, u64)>) -> Result<(), TarError> {
    for field in fields.chunks_exact(24).take_while(|field| field[0] != 0) {
        if regions.len() >= MOST_REGIONS {
            return Err(BROKEN);
        }
        regions.push((number(&field[..12])?, number(&field[12..])?));
    }
    Ok(())
}

/// Numbers on lines of their own: how many regions, and then offset and length of each.
#[derive(Default)]
pub struct List {
    numbers: Vec<u64>,
    digits: Vec<u8>,
}

impl List {
    pub fn is_complete(&self) -> bool {
        self.numbers.first().is_some_and(|count| self.numbers.len() as u64 > count.saturating_mul(2))
    }

    pub fn add(&mut self, block: &[u8]) -> Result<(), TarError> {
        for byte in block {
            match byte {
                _ if self.is_complete() => break,
                b'\n' => {
                    self.numbers.push(decimal(until_nul(&self.digits))?);
                    self.digits.clear();
                }
                _ if self.digits.len() < 20 => self.digits.push(*byte),
                _ => return Err(BROKEN),
            }
        }
        if self.numbers.len() > 2 * MOST_REGIONS { Err(BROKEN) } else { Ok(()) }
    }

    pub fn regions(&self) -> Vec<(u64, u64)> {
        let pairs = self.numbers.get(1..).unwrap_or_default();
        pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    }
}
