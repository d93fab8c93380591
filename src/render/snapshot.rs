//! A snapshot as it is written: indented, and a row of the history is a line, so that a migration more is a line more.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::json::escaped;
use crate::report::snapshot::{Records, SnapshotV1};

/// How deep a row stands: in the list of rows of a target of the list of targets of the file.
const ROW: usize = 5;

/// The snapshot as JSON, version 1, ended by a line break.
pub fn snapshot(records: &Records) -> String {
    let mut out = Vec::new();
    let layout = RowALine { pretty: PrettyFormatter::new(), depth: 0 };
    // Strings, numbers and lists only: there is nothing in it that could fail.
    let _ = SnapshotV1::from(records).serialize(&mut Serializer::with_formatter(&mut out, layout));
    escaped(String::from_utf8_lossy(&out).into_owned()) + "\n"
}

/// Indents what is not as deep as a row.
struct RowALine {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

impl RowALine {
    fn is_in_row(&self) -> bool {
        self.depth >= ROW
    }

    /// Separates what stands in one line.
    fn next<W: ?Sized + Write>(out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { CompactFormatter.write_string_fragment(out, ", ") }
    }
}

impl Formatter for RowALine {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_in_row() { CompactFormatter.begin_array(out) } else { self.pretty.begin_array(out) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let was_in_row = self.is_in_row();
        self.depth -= 1;
        if was_in_row { CompactFormatter.end_array(out) } else { self.pretty.end_array(out) }
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if self.is_in_row() { Self::next(out, first) } else { self.pretty.begin_array_value(out, first) }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.is_in_row() { Ok(()) } else { self.pretty.end_array_value(out) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_in_row() { CompactFormatter.begin_object(out) } else { self.pretty.begin_object(out) }
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let was_in_row = self.is_in_row();
        self.depth -= 1;
        if was_in_row { CompactFormatter.end_object(out) } else { self.pretty.end_object(out) }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if self.is_in_row() { Self::next(out, first) } else { self.pretty.begin_object_key(out, first) }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        CompactFormatter.write_string_fragment(out, ": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.is_in_row() { Ok(()) } else { self.pretty.end_object_value(out) }
    }
}
