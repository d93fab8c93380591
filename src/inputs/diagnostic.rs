//! Mistakes in a file, each with its place: all of them at once, and no password in any of them.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::text::{mask, stars};
use crate::yaml::Span;

/// The most mistakes that one file is told of; a person mends a hundred and runs again.
const MAX_MISTAKES: usize = 100;
/// The longest piece of the file's own text that a message quotes, in characters.
const MAX_QUOTED: usize = 60;
/// How much of a line is shown on either side of a mistake, in bytes.
const MARGIN: usize = 100;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: a lowercase fragment that never quotes a value which may be a secret.
    pub message: String,
    /// Where it stands.
    pub span: Span,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake without a hint.
    pub fn new(span: &Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span: span.clone(), hint: None }
    }

    /// The same mistake with the advice that mends it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All the mistakes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The file, relative to the root of the repository.
    pub file: String,
    /// Its text with every password masked byte for byte, so that spans still fit.
    text: String,
    list: Vec<Diagnostic>,
    left_out: bool,
}

impl Diagnostics {
    /// No mistakes yet in `file`, which holds `text`.
    pub fn new(file: impl Into<String>, text: &str) -> Self {
        let text = text.split_inclusive('\n').map(|line| mask(line, false)).collect();
        Self { file: file.into(), text, list: Vec::new(), left_out: false }
    }

    /// Adds a mistake. What an alias repeats is told once, where it was written.
    pub fn push(&mut self, mistake: Diagnostic) {
        if self.list.contains(&mistake) {
            return;
        }
        if self.list.len() >= MAX_MISTAKES {
            self.left_out = true;
            return;
        }
        let key = |it: &Diagnostic| (it.span.line, it.span.column);
        let index = self.list.partition_point(|earlier| key(earlier) <= key(&mistake));
        self.list.insert(index, mistake);
    }

    /// Whether mistakes were left out, so that there is no use in looking for more.
    pub fn is_overfull(&self) -> bool {
        self.left_out
    }

    /// Says that there are more mistakes than those listed.
    pub fn leave_out(&mut self) {
        self.left_out = true;
    }

    /// Hides what is secret in `value`, which stands at `range` and may be written there with escapes and line breaks.
    pub fn conceal(&mut self, range: &Range<usize>, value: &str) {
        let Some(piece) = self.text.get(range.clone()) else { return };
        // An alias shows nothing; what it stands for is told where it was anchored.
        if piece.starts_with('*') {
            return;
        }
        let hidden = mask(value, true);
        if piece.contains(&hidden) {
            return;
        }
        let masked = if piece.contains(value) { piece.replace(value, &hidden) } else { stars(piece) };
        self.text.replace_range(range.clone(), &masked);
    }

    /// Hides all of `range`.
    pub fn hide(&mut self, range: &Range<usize>) {
        if let Some(piece) = self.text.get(range.clone()).filter(|piece| !piece.starts_with('*')) {
            let masked = stars(piece);
            self.text.replace_range(range.clone(), &masked);
        }
    }

    /// The mistakes in the order of the file.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `value`, or all the mistakes there are.
    ///
    /// # Errors
    /// There is at least one.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    fn block(&self, mistake: &Diagnostic) -> String {
        let (line, span, whole) = self.excerpt(&mistake.span.range);
        let (start, column) = (mistake.span.line as usize, mistake.span.column as usize);
        let snippet = Snippet::source(line).line_start(start).annotation(AnnotationKind::Primary.span(span));
        let title = Level::ERROR.no_name().primary_title(mistake.message.as_str());
        // A snippet counts the column in what it shows, which is wrong for a piece of a line.
        let mut group = if whole {
            title.element(snippet.path(self.file.as_str()))
        } else {
            title.element(Origin::path(self.file.as_str()).line(start).char_column(column)).element(snippet)
        };
        if let Some(hint) = &mistake.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let block = Renderer::plain().render(&[group]);
        // Between a place and a snippet without a path of its own the renderer leaves a line for that path, `:::`.
        block.lines().filter(|line| line.trim() != ":::").collect::<Vec<_>>().join("\n")
    }

    /// The first line of `range`, or the piece of it around `range` where it is very long; `range` in it; and whether
    /// that is the whole beginning of the line.
    fn excerpt(&self, range: &Range<usize>) -> (&str, Range<usize>, bool) {
        let text = self.text.as_str();
        let start = text.floor_char_boundary(range.start);
        let (before, after) = text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        let line_end = after.find('\n').map_or(text.len(), |index| start + index);
        let end = text.floor_char_boundary(range.end).clamp(start, line_end);
        let from = text.ceil_char_boundary(start.saturating_sub(MARGIN)).max(line_start);
        let to = text.floor_char_boundary((start + MARGIN).min(line_end)).max(start);
        let line = text.get(from..to).unwrap_or_default();
        let line = line.trim_end_matches('\r');
        (line, (start - from).min(line.len())..(end.min(to) - from).min(line.len()), from == line_start)
    }
}

/// Every mistake with the line that it stands in, as a compiler would print it. Whoever prints this writes the first
/// `error: ` before it, as before every error.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n\nerror: " };
            write!(f, "{separator}{}", self.block(mistake))?;
        }
        if self.left_out { f.write_str("\n\nfurther mistakes are not listed") } else { Ok(()) }
    }
}

impl std::error::Error for Diagnostics {}

/// A piece of the file's own text for a message: masked, cut short, and without characters that steer a terminal.
pub fn quote(text: &str) -> String {
    let masked = mask(text, true);
    let mut shown: String = masked.chars().take(MAX_QUOTED).map(visible).collect();
    if masked.chars().nth(MAX_QUOTED).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn visible(character: char) -> String {
    match character {
        '\'' | '"' | '\\' => character.to_string(),
        '`' => "'".to_owned(),
        _ => character.escape_debug().to_string(),
    }
}

/// `did you mean …?` for a misspelt name, or all the names where none is close and they are few.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    // A name longer than any that exists is no misspelling, and measuring it would cost its square.
    let closest = known
        .iter()
        .filter(|_| name.len() <= 4 * MAX_QUOTED)
        .map(|candidate| (strsim::damerau_levenshtein(&plain(name), &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    match closest {
        Some((_, candidate)) => Some(format!("did you mean {}?", quote(candidate))),
        None if known.is_empty() || known.len() > 12 => None,
        None => Some(format!(
            "known here: {}",
            known.iter().map(|candidate| quote(candidate)).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// Whether `text` may hold a password that `mask` would hide.
pub fn has_secret(text: &str) -> bool {
    mask(text, true) != text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, piece: &str) -> Span {
        let start = text.find(piece).expect("a piece of the text");
        let before = &text[..start];
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let line = before.matches('\n').count() + 1;
        Span { line: line as u32, column: column as u32, range: start..start + piece.len() }
    }

    fn told(text: &str, pieces: &[&str]) -> Diagnostics {
        let mut mistakes = Diagnostics::new("f.yml", text);
        for piece in pieces {
            mistakes.push(Diagnostic::new(&span(text, piece), format!("about {piece}")));
        }
        mistakes
    }

    #[test]
    fn mistakes_are_told_once_and_in_the_order_of_the_file() {
        let mistakes = told("a b\nc d\n", &["d", "a", "d", "c", "b"]);
        let messages: Vec<_> = mistakes.list().iter().map(|mistake| mistake.message.as_str()).collect();
        assert_eq!(messages, ["about a", "about b", "about c", "about d"]);
    }

    #[test]
    fn a_long_line_is_shown_around_the_mistake_with_its_true_column() {
        let text = format!("{}here{}", "ä".repeat(5000), "x".repeat(5000));
        let shown = told(&text, &["here"]).to_string();
        assert!(shown.contains("f.yml:1:5001") && shown.contains("ähere") && shown.len() < 1000, "{shown}");
        assert!(!shown.contains(":::"), "{shown}");
    }

    #[test]
    fn a_place_outside_the_text_is_shown_without_harm() {
        for (start, end) in [(0, 0), (3, 3), (2, 1), (4, 5), (1, 99), (99, 100), (0, usize::MAX)] {
            let range = start..end;
            let mut mistakes = Diagnostics::new("f.yml", "ä\n\u{1d11e}");
            mistakes.conceal(&range, "x");
            mistakes.hide(&range);
            mistakes.push(Diagnostic::new(&Span { line: 0, column: 0, range }, "m"));
            assert!(mistakes.to_string().starts_with("m\n"));
        }
    }

    #[test]
    fn a_quoted_piece_is_masked_before_it_is_cut() {
        let long = format!("postgres://a:{}@c", "s".repeat(100));
        assert_eq!(quote(&long), format!("`postgres://a:{}…`", "*".repeat(47)));
        assert_eq!(quote("a`b\n\u{202e}'\"\\"), "`a'b\\n\\u{202e}'\"\\`");
        assert_eq!(quote(&"ä".repeat(61)), format!("`{}…`", "ä".repeat(60)));
    }

    #[test]
    fn a_misspelt_name_is_recognised_and_another_one_is_not() {
        let known = ["migrations", "database-url", "job"];
        assert_eq!(suggest("migration", known).as_deref(), Some("did you mean `migrations`?"));
        assert_eq!(suggest("DATABASE_URL", known).as_deref(), Some("did you mean `database-url`?"));
        assert_eq!(suggest("xyz", known).as_deref(), Some("known here: `migrations`, `database-url`, `job`"));
        assert_eq!(suggest("x", []), None);
    }
}
