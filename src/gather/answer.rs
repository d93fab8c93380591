//! What a client prints of the answer to a query, in whichever form: each row is one text, between marks that stand in
//! no query, and of letters that no form quotes or escapes. Pure.

use memchr::memmem;

use crate::gather::limit::{MOST_ROWS, Meter, too_many_rows};
use crate::history::{DatabaseError, DatabaseErrorKind as Kind, History, LookUp};
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::table_name::TableName;
use crate::text::from_hexadecimal;

/// Begins each part of an answer.
const MARK: &str = "preflight-";

/// No part is longer: the two texts of a row have 4 KiB at most, which is 8 in hexadecimal digits.
const MOST_PART: usize = 16 << 10;

/// No history fills more: it is what 200,000 rows of sqlx's take, printed in hexadecimal digits. Blanks do not count, with
/// which an aligned form fills each row up to the longest.
const MOST_PRINTED: usize = 64 << 20;

/// How an engine puts texts together: `CONCAT(a, b)`, `a || b`.
pub type Concatenate = fn(&[String]) -> String;

/// An SQL expression of a text, put together of `parts`, each an expression of its own. `kind` says what it is.
///
/// The mark is cut in two, for a client may well print the query itself.
pub fn part(kind: &str, parts: &[String], concatenate: Concatenate) -> String {
    let mut pieces = vec!["'pre'".to_owned(), format!("'flight-{kind}'")];
    pieces.extend(parts.iter().flat_map(|part| ["'~'".to_owned(), part.clone()]));
    pieces.push("';'".to_owned());
    concatenate(&pieces)
}

/// Asks for the rows of `table`: behind the answer to `place` each as a text of the columns `row`, and how many there are.
pub fn rows(place: &str, row: &[String], table: &str, concatenate: Concatenate) -> String {
    format!(
        "{} UNION ALL SELECT {} FROM {table} UNION ALL SELECT {} FROM {table};",
        place.trim_end_matches(';'),
        part("row", row, concatenate),
        part("end", &["count(*)".to_owned()], concatenate),
    )
}

/// Puts texts together as the standard has it.
pub fn with_bars(texts: &[String]) -> String {
    texts.join(" || ")
}

/// The answer to a query, as far as it was printed.
#[derive(Debug, Default)]
pub struct Answer {
    /// What is said of where the table is.
    place: Option<Vec<String>>,
    /// The rows.
    rows: Vec<AppliedMigration>,
    /// How many rows there are.
    count: Option<usize>,
    /// What was printed and not looked through yet.
    rest: Vec<u8>,
    printed: usize,
    meter: Meter,
}

impl Answer {
    /// Looks the next `piece` through of what is printed.
    ///
    /// # Errors
    /// It is more than any answer, or a part of it makes no sense.
    pub fn read(&mut self, piece: &[u8]) -> Result<(), DatabaseError> {
        let blanks = memchr::memchr_iter(b' ', piece).count();
        self.printed = self.printed.saturating_add(piece.len() - blanks);
        if self.printed > MOST_PRINTED {
            return Err(odd(format!("it printed more than {} MiB", MOST_PRINTED >> 20)));
        }
        let mut rest = std::mem::take(&mut self.rest);
        rest.extend_from_slice(piece);
        let mut from = 0;
        while let Some(start) = memmem::find(&rest[from..], MARK.as_bytes()).map(|at| from + at) {
            let inside = start + MARK.len();
            let is_end = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"~-".contains(byte));
            let Some(length) = rest[inside..].iter().position(is_end) else {
                if rest.len() - start > MOST_PART {
                    return Err(odd("a row of it has no end"));
                }
                self.rest = rest.split_off(start);
                return Ok(());
            };
            // What ends otherwise was cut, or wrapped to be looked at.
            if rest[inside + length] == b';' {
                self.take(&String::from_utf8_lossy(&rest[inside..inside + length]))?;
            }
            from = inside + length;
        }
        // The beginning of a mark may stand at the end.
        let keep = (rest.len() - from).min(MARK.len() - 1);
        self.rest = rest.split_off(rest.len() - keep);
        Ok(())
    }

    fn take(&mut self, part: &str) -> Result<(), DatabaseError> {
        // One that was cut may stand before it.
        let part = part.rsplit(MARK).next().unwrap_or_default();
        let mut fields = part.split('~');
        let kind = fields.next().unwrap_or_default();
        let fields: Vec<&str> = fields.collect();
        match kind {
            "row" if self.rows.len() == MOST_ROWS => return Err(too_many_rows()),
            "row" => self.rows.push(self.meter.admit(row(&fields)?)?),
            // Two histories that are one: that of no database.
            "place" if self.place.is_some() => return Err(second_answer()),
            "end" if self.count.is_some() => return Err(second_answer()),
            "end" => self.count = fields.first().and_then(|count| count.parse().ok()),
            "place" => self.place = Some(fields.into_iter().map(str::to_owned).collect()),
            _ => {}
        }
        Ok(())
    }

    /// Whether anything was answered.
    pub fn is_one(&self) -> bool {
        self.place.is_some()
    }

    /// What is said of where the table is. Its fields mean something to the engine alone.
    ///
    /// # Errors
    /// Nothing is said, or something else.
    pub fn place<const N: usize>(&self) -> Result<&[String; N], DatabaseError> {
        let place = self.place.as_deref().ok_or_else(|| self.nothing())?;
        place.try_into().map_err(|_| odd("a row of it has more or fewer columns than were asked for"))
    }

    fn nothing(&self) -> DatabaseError {
        match self.printed {
            0 => odd("it printed nothing"),
            printed => odd(format!("none of the {printed} bytes that it printed is the end of an answer")),
        }
    }

    /// All the rows, in order of version.
    ///
    /// # Errors
    /// There is no end, there are more or fewer rows than there ought to be, or two of one version.
    pub fn into_rows(mut self) -> Result<Vec<AppliedMigration>, DatabaseError> {
        match self.count {
            Some(count) if count == self.rows.len() => self.rows.sort_by_key(|row| row.version),
            Some(count) => return Err(odd(format!("there are {count} rows, and it printed {}", self.rows.len()))),
            None => return Err(self.nothing()),
        }
        match self.rows.array_windows().find(|[row, next]| row.version == next.version) {
            Some([row, _]) => Err(odd(format!("it printed two rows of version {}", row.version))),
            None => Ok(self.rows),
        }
    }
}

/// The history that the rows come to, wherever the table is.
///
/// # Errors
/// They make no sense.
pub fn present(answer: Answer, _: &LookUp, _: &TableName) -> Result<History, DatabaseError> {
    answer.into_rows().map(History::Present)
}

/// What cannot be understood of what was printed.
pub fn odd(detail: impl Into<String>) -> DatabaseError {
    DatabaseError::new(Kind::CommandAnswer, detail)
}

/// What a script prints that asks several databases, or one of them twice.
fn second_answer() -> DatabaseError {
    odd("it printed more than one answer; each target has a command of its own")
}

/// A row: its version, whether it is dirty, its time of execution; and in hexadecimal digits its checksum, its
/// description and its time.
fn row(fields: &[&str]) -> Result<AppliedMigration, DatabaseError> {
    let [version, dirty, execution_time, checksum, description, installed_on] = fields else {
        return Err(odd("a row of it has more or fewer columns than were asked for"));
    };
    let wrong = |name: &str, value: &str| {
        let what = if value == "null" { "is NULL" } else { "holds a value of an unexpected type" };
        DatabaseError::new(Kind::WrongShape, format!("the column `{name}` {what} in a row"))
    };
    let integer = |name, value: &str| value.parse().map_err(|_| wrong(name, value));
    let bytes = |name, value: &str| from_hexadecimal(value).ok_or_else(|| wrong(name, value));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(AppliedMigration {
        version: Version(integer("version", version)?),
        description: text(bytes("description", description)?),
        // Only shown, so that what is no text may as well be no time.
        installed_on: from_hexadecimal(installed_on).map(text),
        success: integer("success", dirty)? == 0,
        checksum: Checksum::from_bytes(bytes("checksum", checksum)?),
        execution_time: integer("execution_time", execution_time)?,
    })
}

/// Whether the words of a client name the table or its schema: it has come so far then.
pub fn names(complaint: &str, name: &TableName) -> bool {
    let complaint = complaint.to_lowercase();
    let parts = std::iter::once(&name.table).chain(&name.schema);
    parts.into_iter().any(|part| complaint.contains(&part.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_printed_means_the_same_in_however_many_pieces(
            parts in prop::collection::vec(prop_oneof![
                Just(ROW.to_owned()),
                Just("preflight-end~1;".to_owned()),
                "(preflight-|pre|flight|-row~|~|;|[0-9a-f]{0,4}|\\PC){0,6}",
            ], 0..6),
            size in 1_usize..40,
        ) {
            let printed = parts.concat();
            prop_assert_eq!(answer(&printed, size), answer(&printed, usize::MAX));
        }
    }

    const ROW: &str = "preflight-row~7~0~12~00ff~6120ff~323032352d31322d3238;";

    fn answer(printed: &str, size: usize) -> Result<Vec<AppliedMigration>, DatabaseError> {
        let mut answer = Answer::default();
        for piece in printed.as_bytes().chunks(size) {
            answer.read(piece)?;
        }
        answer.into_rows()
    }

    #[test]
    fn a_row_is_found_in_whatever_form_it_is_printed() {
        let forms = [
            "{}\n{end}\n",
            "?column?\n\"{}\"\n\"{end}\"\nCOMMIT\n",
            "[{\"line\":\"{}\"},{\"line\":\"{end}\"}]",
            " line \n-----\n {} \n {end} \n(2 rows)",
            "preflight-\npreflight-row~1\n{}preflight-{end}",
        ];
        for form in forms {
            let printed = form.replace("{}", ROW).replace("{end}", "preflight-end~1;");
            for size in [1, 2, 3, 7, 1000] {
                let rows = answer(&printed, size).unwrap();
                let [row] = &rows[..] else { panic!("{rows:?}") };
                assert_eq!((row.version, row.success, row.execution_time), (Version(7), true, 12));
                assert_eq!((row.description.as_str(), row.checksum.as_bytes()), ("a \u{fffd}", &[0, 255][..]));
                assert_eq!(row.installed_on.as_deref(), Some("2025-12-28"));
            }
        }
    }

    #[test]
    fn what_is_no_whole_answer_is_none() {
        let told = |printed: &str| answer(printed, 5).unwrap_err().to_string();
        let no_answer = "what the command printed is not what it was asked for: ";
        let is = |printed: &str, detail: &str| assert_eq!(told(printed), format!("{no_answer}{detail}"), "{printed}");
        is("", "it printed nothing");
        is("rubbish", "none of the 7 bytes that it printed is the end of an answer");
        is(ROW, "none of the 54 bytes that it printed is the end of an answer");
        is("preflight-end~1;", "there are 1 rows, and it printed 0");
        is(&format!("{ROW}{ROW}preflight-end~1;"), "there are 1 rows, and it printed 2");
        is(&format!("{ROW}{ROW}preflight-end~2;"), "it printed two rows of version 7");
        let second = "it printed more than one answer; each target has a command of its own";
        is(&format!("preflight-place~1;{ROW}preflight-end~1;preflight-place~1;"), second);
        is(&format!("{ROW}preflight-end~1;preflight-end~1;"), second);
        is("preflight-row~7;preflight-end~1;", "a row of it has more or fewer columns than were asked for");
        is(&format!("preflight-{}", "a".repeat(20_000)), "a row of it has no end");
        assert_eq!(told("preflight-end~x;"), told("xpreflight-end~;"));
    }

    #[test]
    fn a_column_that_sqlx_did_not_write_is_named() {
        let told = |from: &str, to: &str| answer(&ROW.replace(from, to), 9).unwrap_err().detail;
        assert_eq!(told("~7~", "~null~"), "the column `version` is NULL in a row");
        assert_eq!(told("00ff", "null"), "the column `checksum` is NULL in a row");
        assert_eq!(told("00ff", "0"), "the column `checksum` holds a value of an unexpected type in a row");
        assert_eq!(told("~12~", "~1x~"), "the column `execution_time` holds a value of an unexpected type in a row");
    }

    #[test]
    fn rows_that_are_filled_up_to_the_longest_are_read() {
        let mut answer = Answer::default();
        let wide = " ".repeat(1 << 20);
        for _ in 0..MOST_PRINTED >> 20 {
            answer.read(wide.as_bytes()).unwrap();
        }
        answer.read(format!("{ROW}{wide}preflight-end~1;").as_bytes()).unwrap();
        assert_eq!(answer.into_rows().unwrap().len(), 1);
    }

    #[test]
    fn rows_are_put_in_order() {
        let printed = format!("{ROW}{}preflight-end~2;", ROW.replace("~7~", "~-3~"));
        let versions: Vec<_> = answer(&printed, 11).unwrap().iter().map(|row| row.version.0).collect();
        assert_eq!(versions, [-3, 7]);
    }

    #[test]
    fn the_mark_stands_in_no_query() {
        let sql = part("row", &["version".to_owned()], with_bars);
        assert_eq!(sql, "'pre' || 'flight-row' || '~' || version || ';'");
    }
}
