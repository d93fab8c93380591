//! A small mutator with a fixed seed, for runs without libFuzzer.

use crate::shared::worlds::Dice;

/// No mutation is longer; what takes long inputs to show has a test of its own.
const MAX_BYTES: usize = 4096;

pub struct Mutator<'a> {
    dice: Dice,
    corpus: &'a [Vec<u8>],
    dictionary: Vec<Vec<u8>>,
}

impl<'a> Mutator<'a> {
    pub fn new(corpus: &'a [Vec<u8>], dictionary: Vec<Vec<u8>>) -> Self {
        Self { dice: Dice::new(0), corpus, dictionary }
    }

    /// One input of the corpus, changed in a few places.
    pub fn mutation(&mut self) -> Vec<u8> {
        let mut data = self.dice.pick(self.corpus);
        for _ in 0..=self.dice.below(6) {
            self.change(&mut data);
        }
        data.truncate(MAX_BYTES);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>) {
        let range = self.range(data.len());
        match self.dice.below(8) {
            0 => drop(data.drain(range)),
            1 => data[range].iter_mut().for_each(|byte| *byte ^= 1 << self.dice.below(8)),
            2 => {
                let bytes: Vec<u8> = (0..=self.dice.below(4)).map(|_| self.dice.below(256) as u8).collect();
                self.insert(data, bytes);
            }
            // Many times the same: what is nested, doubled or merely long.
            3 => {
                let piece = data[range].repeat(1 + self.dice.below(30));
                self.insert(data, piece);
            }
            4 => {
                let other = self.dice.pick(self.corpus);
                let piece = other[self.range(other.len())].to_vec();
                self.insert(data, piece);
            }
            _ if self.dictionary.is_empty() => {}
            5 => {
                let word = self.dice.pick(&self.dictionary);
                drop(data.splice(range, word));
            }
            _ => {
                let word = self.dice.pick(&self.dictionary);
                self.insert(data, word);
            }
        }
    }

    fn insert(&mut self, data: &mut Vec<u8>, piece: Vec<u8>) {
        let place = self.dice.below(data.len() + 1);
        drop(data.splice(place..place, piece));
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.dice.below(length + 1);
        start..start + self.dice.below((length - start).min(40) + 1)
    }
}

/// The words of a dictionary in libFuzzer's format: each in quotes on a line of its own, odd bytes as `\xAB`.
pub fn dictionary(text: &str) -> Vec<Vec<u8>> {
    text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(unescaped).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), word.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', digits @ ..]) => {
                let (digits, after) = digits.split_at(2);
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    bytes
}
