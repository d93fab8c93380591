//! Text from pull requests, databases and servers in everything that is published: it is shown, and nothing in it acts.
//! Whatever it is, a page has the structure that it has with harmless names.

pub mod page;
mod published;
pub mod reports;

use migration_preflight::render;
use migration_preflight::report::{Stop, StopReason};
use migration_preflight::text::{harmless, is_invisible};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use page::Page;
use reports::{TEXTS, report};

/// Pieces that each mean something to Markdown, to GitHub, to its runner or to a terminal.
pub const PIECES: [&str; 96] = [
    "`",
    "``",
    "```",
    "````",
    "`````",
    "|",
    "||",
    "\\",
    "\\|",
    "\\`",
    "@everyone",
    "@octo",
    "@octo/team",
    "#123",
    "GH-12",
    "gh-1",
    "octo/demo#1",
    "<img src=x>",
    "<!--",
    "-->",
    "</details>",
    "<details>",
    "<br>",
    "<",
    ">",
    "[x](http://a.b)",
    "![x](http://a.b)",
    "[x]: http://a.b",
    "[",
    "]",
    "(",
    ")",
    "https://a.b/c",
    "HTTP://A.B",
    "ftp://a.b",
    "://",
    "www.a.b",
    "WWW.A.B",
    "a@b.cc",
    "mailto:a@b.cc",
    "xmpp:a@b.cc",
    "**",
    "__",
    "*",
    "_",
    "~~",
    "~",
    "$",
    "$$",
    "$`",
    "`$",
    "&lt;",
    "&#64;",
    "&amp;",
    "&",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\n# x",
    "\n- x",
    "\n> x",
    "\n---\n",
    "\n    x",
    "\n| a |\n|---|\n",
    "::error::",
    "::error file=x::",
    "##[error]",
    "##",
    "%0A",
    "%0D",
    "%25",
    "%",
    ",",
    ":",
    "::add-mask::x",
    "\u{1b}[31m",
    "\u{9b}31m",
    "\u{1b}]8;;http://a.b\u{7}",
    "\u{202e}",
    "\u{200b}",
    "\u{2028}",
    "\u{feff}",
    "\0",
    "\t",
    " ",
    "[^1]",
    "- [ ] ",
    "1. ",
    ":+1:",
    ":tada:",
    "\u{fffd}",
    "ä",
    "漢",
    "[!NOTE]",
    "x",
];

pub fn nasty() -> impl Strategy<Value = String> {
    // Of a path that leads out of the repository nothing is annotated.
    let inside = |text: String| text.replace("..", ".").trim_start_matches('/').to_owned();
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(&PIECES[..]), 0..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
    .prop_map(inside)
}

/// The texts, told apart by a mark which leaves the start to some and the end to others.
pub fn marked(texts: &[String]) -> Vec<String> {
    let mark = |(index, text): (usize, &String)| match index % 2 {
        0 => format!("{text}漢{index}字"),
        _ => format!("漢{index}字{text}"),
    };
    texts.iter().enumerate().map(mark).collect()
}

/// Text as it can be compared: parsers are not of one mind about a backslash before a `|` in a cell.
fn plain(text: &str) -> String {
    let text = text.replace("\\u{3a}", ":").replace("\\u{5b}", "[");
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\\')).collect()
}

pub fn search() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40);
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(4), ..ProptestConfig::default() }
}

fn expect_same_structure(texts: &[String]) -> Result<(), TestCaseError> {
    let (hostile, names) = (marked(texts), marked(&vec![String::new(); TEXTS]));
    let page = render::markdown(&report(&hostile), usize::MAX);
    let (found, expected) = (Page::read(&page), Page::read(&render::markdown(&report(&names), usize::MAX)));
    prop_assert_eq!(&found.structure, &expected.structure, "{}", page);
    prop_assert_eq!(found.acting(), expected.acting(), "{}", page);
    let mut shown = plain(&expected.shown);
    for (name, text) in names.iter().zip(&hostile) {
        shown = shown.replace(name, &plain(&harmless(text)));
    }
    prop_assert_eq!(plain(&found.shown), shown, "{}", page);
    Ok(())
}

#[test]
fn no_piece_of_markup_changes_the_structure_of_a_page() {
    for piece in PIECES {
        expect_same_structure(&vec![piece.to_owned(); TEXTS]).unwrap();
    }
}

proptest! {
    #![proptest_config(search())]

    #[test]
    fn a_page_has_the_structure_that_it_has_with_harmless_names(texts in prop::collection::vec(nasty(), TEXTS)) {
        expect_same_structure(&texts)?;
    }

    #[test]
    fn what_keeps_a_check_from_running_is_shown_and_does_nothing(texts in prop::collection::vec(nasty(), 1..4)) {
        let detail = format!("error: {}", texts.concat());
        let stop = Stop { reason: StopReason::Unusable, detail: detail.clone() };
        let page = render::stop_markdown(&stop, 65_535);
        let found = Page::read(&page);
        prop_assert_eq!(&found.structure, &["0 Document", "1 Heading 2", "2 Text", "1 CodeBlock"], "{}", page);
        prop_assert_eq!(found.acting(), ["1 CodeBlock"], "{}", page);
        let lines: Vec<_> = detail.lines().map(harmless).collect();
        prop_assert!(plain(&found.shown).ends_with(&plain(&lines.concat())), "{}", page);
        let command = render::stop_github(&stop);
        prop_assert!(command.starts_with("::error title=migration-preflight::"), "{}", command);
        prop_assert!(!command.trim_end_matches('\n').contains(|c: char| c.is_control() || is_invisible(c)), "{:?}", command);
    }

    #[test]
    fn the_log_has_the_lines_that_it_has_with_harmless_names(texts in prop::collection::vec(nasty(), TEXTS)) {
        let (hostile, names) = (report(&marked(&texts)), report(&marked(&vec![String::new(); TEXTS])));
        for (format, render) in [("human", render::human as fn(&_) -> _), ("markdown", |report| render::markdown(report, usize::MAX))] {
            let text: String = render(&hostile);
            let text = anstream::adapter::strip_str(&text).to_string();
            prop_assert_eq!(text.lines().count(), render(&names).lines().count(), "{}: {}", format, text);
            for line in text.lines() {
                let acts = line.trim_start().starts_with("::") || line.contains("##[");
                let hides = |c: char| c.is_control() || (c != '\u{200b}' && is_invisible(c));
                prop_assert!(!acts && !line.contains(hides), "{}: {:?}", format, line);
            }
        }
    }

    #[test]
    fn commands_are_read_as_they_are_meant(texts in prop::collection::vec(nasty(), TEXTS)) {
        let (hostile, names) = (report(&marked(&texts)), report(&marked(&vec![String::new(); TEXTS])));
        let commands = |report: &_| render::github(report).split_inclusive('\n').map(Command::read).collect::<Option<Vec<_>>>();
        let (Some(found), Some(expected)) = (commands(&hostile), commands(&names)) else {
            return Err(TestCaseError::fail(render::github(&hostile)));
        };
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!((&found.name, &found.line), (&expected.name, &expected.line));
            prop_assert_eq!(found.message.lines().count(), expected.message.lines().count(), "{}", found.message);
            let acts = |c: char| c != '\n' && (c.is_control() || is_invisible(c));
            for text in [&found.file, &found.title, &found.message] {
                prop_assert!(!text.contains(acts), "{:?}", text);
            }
        }
    }
}

/// A command as the runner reads it.
#[derive(Debug)]
struct Command {
    name: String,
    file: String,
    line: String,
    title: String,
    message: String,
}

impl Command {
    /// `None` where there is anything in the line that is no command of ours. After
    /// <https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>.
    fn read(line: &str) -> Option<Self> {
        let line = line.strip_suffix('\n')?;
        let (head, data) = line.strip_prefix("::")?.split_once("::")?;
        let (name, properties) = head.split_once(' ')?;
        let unescape =
            |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        let mut values = properties.split(',').map(|pair| pair.split_once('='));
        let mut value = |name: &str| {
            let (key, value) = values.next()??;
            (key == name).then(|| unescape(value).replace("%25", "%"))
        };
        // What is said of no file has a title alone.
        let is_of_a_file = properties.starts_with("file=");
        let mut of_file = |name| if is_of_a_file { value(name) } else { Some(String::new()) };
        let (file, place, title) = (of_file("file")?, of_file("line")?, value("title")?);
        let message = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
        let is_whole = values.next().is_none() && !line.contains(['\r', '\n']);
        is_whole.then_some(Self { name: name.to_owned(), file, line: place, title, message })
    }
}
