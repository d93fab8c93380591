//! What a program writes to standard error: its end is kept, and of that is told what says why. Pure.

use std::borrow::Cow;

use crate::gather::redact::shortened;
use crate::secret::{Secrets, on_one_line};
use crate::text::mask;

/// How much of it is kept.
const MOST: usize = 64 << 10;

/// How many lines are told where none says that it is the reason.
const LAST_LINES: usize = 3;

/// The end of what a program wrote to standard error.
#[derive(Default)]
pub struct Complaint {
    end: Vec<u8>,
    is_cut: bool,
}

impl Complaint {
    /// Adds what was written next.
    pub fn add(&mut self, piece: &[u8]) {
        self.end.extend_from_slice(piece);
        // Cut seldom, so that it is not moved for each letter.
        if self.end.len() > 2 * MOST {
            let is_inside = |byte: &&u8| (0x80..0xc0).contains(*byte);
            let edge = self.end.len() - MOST;
            let edge = edge + self.end[edge..].iter().take_while(is_inside).count();
            self.end.drain(..edge);
            self.is_cut = true;
        }
    }

    /// The words, with whatever is secret among them.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.end)
    }

    /// What says why the program failed, on one line and without `secrets`.
    pub fn told(&self, secrets: &Secrets) -> String {
        let text = self.text();
        // What is left of a secret across the edge would not be known for one.
        let edge = if self.is_cut { after_edge(&text, secrets.longest()) } else { 0 };
        let start = edge + reason(&text[edge..]);
        // First on one line: what is broken into several would not be recognized.
        let line = on_one_line(&text);
        let clean = secrets.redactor().redact_after(&line, on_one_line(&text[..start]).len()).into_owned();
        shortened(&mask(&clean, false))
    }
}

/// Where the first whole line begins that has no part of a secret, the longest of which has `longest` bytes.
fn after_edge(text: &str, longest: usize) -> usize {
    let edge = text.ceil_char_boundary(longest);
    text[edge..].trim_end().find('\n').map_or(edge, |end| edge + end + 1)
}

/// Where the words begin that say why: the first line with an error, behind what was chattered before it, else the last
/// lines.
fn reason(text: &str) -> usize {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        if says_why(line) {
            return start;
        }
        if !line.trim().is_empty() {
            lines.push(start);
        }
        start += line.len();
    }
    lines.iter().nth_back(LAST_LINES - 1).copied().unwrap_or_default()
}

/// `ERROR:  …`, `Error from server …`, `psql: error: …`, `fatal: …`.
fn says_why(line: &str) -> bool {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| ["error", "fatal"].iter().any(|why| word.eq_ignore_ascii_case(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&str], secret: &str) -> String {
        let mut complaint = Complaint::default();
        pieces.iter().for_each(|piece| complaint.add(piece.as_bytes()));
        let mut secrets = Secrets::default();
        secrets.add_plain_password(secret);
        complaint.told(&secrets)
    }

    #[test]
    fn the_reason_is_told_from_its_line_on() {
        assert_eq!(told(&["hello\nERR", "OR: no\nDETAIL: hunter22\n"], "hunter22"), "ERROR: no DETAIL: ***");
        assert_eq!(told(&["errors\nterror\n\nfatality\nd\n"], "x"), "terror  fatality d");
        assert_eq!(told(&["\n"], "x"), "");
    }

    #[test]
    fn of_a_secret_of_several_lines_none_is_left() {
        assert_eq!(told(&["wrong: key\nerror\nend"], "key\nerror\nend"), "***");
        assert_eq!(told(&["error: hunt\ner22"], "hunt er22"), "error: ***");
    }

    #[test]
    fn what_may_be_a_password_is_hidden_before_it_is_cut() {
        let url = format!("error: postgres://u:{}@h/d", "unknown5".repeat(100));
        assert!(!told(&[&url], "x").contains("unknown5"));
    }

    #[test]
    fn nothing_is_left_of_a_secret_wherever_it_is_cut() {
        let secret = "k1q2".repeat(500);
        for before in 0..8 {
            let start = "ä".repeat(before) + &"x".repeat(before);
            let printed = start + &format!("{secret} ").repeat(100);
            let clean = told(&[&printed, "\nover\n"], &secret);
            assert!(clean.ends_with("over") && !clean.contains("q2"), "{before}: {clean}");
        }
    }
}
