//! The table that is printed: one row for each program and each piece of work.

use std::fmt::Write;

use crate::job::Measured;

/// The rows so far, in Markdown.
#[derive(Default)]
pub struct Table(String);

const HEAD: &str = "\
| work | program | median | range | beside ours | peak memory | target |
|---|---|---:|---:|---:|---:|---|
";

impl Table {
    /// Adds what was measured of `measured`, how it compares, and whether that is good enough.
    pub fn add(&mut self, work: &str, measured: &Measured, beside: &str, target: &str) {
        let (least, most) = measured.range();
        let [median, least, most] = [measured.median(), least, most].map(milliseconds);
        let (name, peak) = (&measured.name, mebibytes(measured.peak));
        let _ = writeln!(self.0, "| {work} | {name} | {median} ms | {least}–{most} | {beside} | {peak} | {target} |");
    }

    /// Adds something that has no time.
    pub fn note(&mut self, work: &str, program: &str, value: &str, target: &str) {
        let _ = writeln!(self.0, "| {work} | {program} | {value} | | | | {target} |");
    }

    /// The whole table.
    pub fn finish(self) -> String {
        format!("{HEAD}{}", self.0)
    }
}

/// Whether a target was reached; and if not, by how much.
pub fn target(wanted: &str, reached: bool, actual: &str) -> String {
    if reached { format!("{wanted}: reached") } else { format!("{wanted}: **not reached**, {actual}") }
}

/// `1.53×`
pub fn times(factor: f64) -> String {
    if factor < 10.0 { format!("{factor:.2}×") } else { format!("{factor:.0}×") }
}

/// KiB as MiB.
pub fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}

fn milliseconds(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
