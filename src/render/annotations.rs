//! What a report says of a file, at its line: for a check run, and as commands for GitHub's runner.

use indexmap::IndexMap;

use crate::finding::{Location, Severity};
use crate::render::grouped::{Grouped, grouped, snapshot_lines};
use crate::report::{Report, plural};
use crate::text::{command_data, harmless};

/// GitHub's limits: <https://docs.github.com/rest/checks/runs#create-a-check-run>. Characters, and bytes.
const MOST_TITLE: usize = 255;
const MOST_MESSAGE: usize = 64 << 10;
/// The runner's limits: annotations of one level in one step, and the length of a message.
const MOST_COMMANDS: usize = 10;
pub(super) const MOST_COMMAND_MESSAGE: usize = 4_000;

/// How grave an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For information.
    Notice,
    /// Deserves a look.
    Warning,
    /// Stands in the way.
    Failure,
}

/// What is said at a line of a file. Every text is harmless, and within GitHub's limits for a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file, relative to the root of the repository; it need not exist.
    pub path: String,
    /// Its line, from 1.
    pub line: u32,
    /// How grave the worst of it is.
    pub level: Level,
    /// The worst of it in a few words, without a line break.
    pub title: String,
    /// All of it: a paragraph for each finding.
    pub message: String,
}

/// The annotations of a report, the worst first: one for each line that something is said of.
pub fn annotations(report: &Report) -> Vec<Annotation> {
    let mut places: IndexMap<&Location, Vec<Grouped>> = IndexMap::new();
    for group in grouped(report) {
        let known = [group.finding.location.as_ref(), group.declared];
        if let Some(location) = known.into_iter().flatten().find(|location| is_inside(&location.file)) {
            places.entry(location).or_default().push(group);
        }
    }
    places.into_iter().filter_map(|(location, groups)| annotation(location, &groups)).collect()
}

/// Whether a path leads to a file of the repository: GitHub takes no other, and with it none of the annotations.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| part != "..")
}

/// The annotations as commands for GitHub's runner, one a line. Of each level the runner takes ten a step.
pub fn github(report: &Report) -> String {
    let annotations = annotations(report);
    let mut out = String::new();
    for level in [Level::Failure, Level::Warning, Level::Notice] {
        let of_level: Vec<_> = annotations.iter().filter(|annotation| annotation.level == level).collect();
        for (index, annotation) in of_level.iter().take(MOST_COMMANDS).enumerate() {
            let left_out = of_level.len().saturating_sub(MOST_COMMANDS);
            let is_last = index + 1 == MOST_COMMANDS && left_out > 0;
            let more = if is_last {
                format!("\n\n{} more in other files", plural(left_out, "annotation"))
            } else {
                String::new()
            };
            out.push_str(&command(annotation, &more));
        }
    }
    // They belong to no file, so that a check run has them in its page alone.
    let was_so = report.already_so.len();
    let was_so = (was_so > 0).then(|| format!("{} already so: the base has the same", plural(was_so, "finding")));
    for note in snapshot_lines(report).chain(report.notes.iter().cloned()).chain(was_so) {
        let note = cut(&harmless(&note), MOST_COMMAND_MESSAGE, str::len);
        out.push_str(&format!("::notice title=migration-preflight::{}\n", command_data(&note)));
    }
    out
}

fn annotation(location: &Location, groups: &[Grouped]) -> Option<Annotation> {
    let worst = groups.first()?;
    let level = match worst.finding.severity {
        Severity::Error | Severity::Incomplete => Level::Failure,
        Severity::Warning => Level::Warning,
        Severity::Notice => Level::Notice,
    };
    let whose = worst.whose().map(|whose| format!(": {whose}")).unwrap_or_default();
    let title = harmless(&format!("{}{whose}", worst.finding.rule()));
    let paragraphs: Vec<_> = groups.iter().map(|group| group.paragraph(location)).collect();
    Some(Annotation {
        path: location.file.clone(),
        line: location.line,
        level,
        title: cut(&title, MOST_TITLE, |text| text.chars().count()),
        message: cut(&paragraphs.join("\n\n"), MOST_MESSAGE, str::len),
    })
}

fn command(annotation: &Annotation, more: &str) -> String {
    let name = match annotation.level {
        Level::Failure => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let message = cut(&annotation.message, MOST_COMMAND_MESSAGE - more.len(), str::len) + more;
    // Of a file whose name holds what acts on a terminal no line is shown; it has to be harmless in a log.
    let [file, title] = [&annotation.path, &annotation.title].map(|text| property(&harmless(text)));
    format!("::{name} file={file},line={},title={title}::{}\n", annotation.line, command_data(&message))
}

fn property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// As much of `text` as fits in `most`, by the measure that counts, with a sign that it was cut.
pub(super) fn cut(text: &str, most: usize, measure: impl Fn(&str) -> usize) -> String {
    if measure(text) <= most {
        return text.to_owned();
    }
    const SIGN: &str = "…";
    let fits = |end: usize| measure(&text[..end]) + measure(SIGN) <= most;
    let ends: Vec<_> = text.char_indices().map(|(index, _)| index).collect();
    let end = ends[ends.partition_point(|end| fits(*end)).saturating_sub(1)];
    text[..end].to_owned() + SIGN
}

#[cfg(test)]
mod tests;
