//! What differs between two contents of a migration: the least that takes in all of it, and a few lines to show it. Pure.

mod lines;
mod tokens;

pub use lines::diff;

use std::borrow::Cow;

use crate::finding::Difference;
use crate::history::Engine;
use tokens::{Comments, tokens};

const BOM: &str = "\u{feff}";
/// At the very start it has sqlx run the file outside of a transaction, and so it is more than a comment.
const NO_TRANSACTION: &str = "-- no-transaction";

/// In what two contents differ; nothing where they are the same.
pub fn difference(applied: &[u8], defined: &[u8], engine: Engine) -> Option<Difference> {
    if applied == defined {
        return None;
    }
    let (Ok(applied), Ok(defined)) = (std::str::from_utf8(applied), std::str::from_utf8(defined)) else {
        return Some(Difference::Sql);
    };
    let [applied, defined] = [applied, defined].map(with_line_feeds);
    if applied == defined {
        return Some(Difference::LineEndings);
    }
    let [applied, defined] = [&applied, &defined].map(|text| text.strip_prefix(BOM).unwrap_or(text));
    if applied == defined {
        return Some(Difference::Bom);
    }
    let [one, other] = [applied, defined].map(|text| text.strip_suffix('\n').unwrap_or(text));
    if one == other {
        return Some(Difference::FinalNewline);
    }
    let same = |comments| {
        applied.starts_with(NO_TRANSACTION) == defined.starts_with(NO_TRANSACTION)
            && tokens(applied, engine, comments) == tokens(defined, engine, comments)
    };
    Some(if same(Comments::Kept) {
        Difference::WhiteSpace
    } else if same(Comments::LeftOut) {
        Difference::Comments
    } else {
        Difference::Sql
    })
}

fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests;
