//! Names that somebody chose so that they do something.

use super::history::History;
use super::{ALTERED, ONE, TWO};

const NAMES: [&str; 6] = [
    "::error::x",
    "$(touch pwned)",
    "`touch pwned`; touch pwned",
    "##[error]x",
    "\u{1b}[31m\u{202e}x",
    "<img src=x onerror=y> [a](https://x) @all | **b** ``` '\"",
];

/// A migration that was edited and one that only a branch has, with one text wherever somebody may choose one.
fn repository(text: &str) -> History {
    let history = History::new();
    let branch: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "$()`;'\"#@|<>".contains(*c)).collect();
    history.write("migrations/1_one.sql", ONE).commit(text, text);
    history.git(&["switch", "--quiet", "--create", &format!("b{branch}")]);
    let odd = format!("migrations/2_{}.sql", text.replace('/', ""));
    history.write(&odd, TWO).commit(text, &format!("{text}\n\n::error::body"));
    history.git(&["switch", "--quiet", "main"]);
    history.write("migrations/1_one.sql", format!("{ONE}{text}\n```\n{ALTERED}")).commit(text, text);
    history.applied(&[(1, "one", ONE), (2, &text.replace('/', ""), TWO)]);
    history
}

#[test]
fn nothing_that_git_tells_acts_in_any_format() {
    for text in NAMES {
        let history = repository(text);
        for format in ["human", "github", "markdown"] {
            let run = history.check(&["--format", format]);
            assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run}");
            let acts = |line: &&str| {
                let command = line.trim_start().starts_with("::");
                (command && (format != "github" || !line.contains(" file=migrations/")))
                    // Once it is a command the runner looks for no other in a line.
                    || (!command && line.contains("##["))
                    || line.contains(|c: char| c.is_control() || c == '\u{202e}')
            };
            assert_eq!(run.stdout.lines().filter(acts).collect::<Vec<_>>(), [""; 0], "{text:?} as {format}: {run}");
            if format == "markdown" {
                let fences = run.stdout.lines().filter(|line| line.trim_start().starts_with("```")).count();
                assert_eq!(fences % 2, 0, "{run}");
                // Outside of letters of a program, markup is escaped.
                let why = run.stdout.lines().filter(|line| line.contains("<br>"));
                let words =
                    why.map(|line| line.rsplit("<br>").next().unwrap().split('`').step_by(2).collect::<String>());
                let acts = |words: &String| words.contains("<img") || words.contains("**b**") || words.contains("@all");
                assert_eq!(words.filter(acts).collect::<Vec<_>>(), [""; 0], "{run}");
            }
        }
    }
}

#[test]
fn the_printed_commands_do_what_they_say_and_nothing_else() {
    for text in NAMES {
        let history = repository(text);
        let findings = history.findings(&[]);
        assert_eq!(findings.len(), 2, "{findings:#?}");
        for finding in &findings {
            history.mend(finding);
        }
        assert!(!history.path().join("pwned").exists(), "{text:?}");
        // What cannot be copied from a screen has no command, and is left.
        let left = history.findings(&[]);
        let commands = |finding: &serde_json::Value| !finding["explanation"]["fix"].as_array().unwrap().is_empty();
        assert!(!left.iter().any(commands), "{text:?}: {left:#?}");
        assert_eq!(left.len(), usize::from(!findings.iter().all(commands)), "{text:?}: {left:#?}");
        let can_be_copied = !text.contains(['\u{1b}']) && !text.contains("##[");
        assert_eq!(left.is_empty(), can_be_copied, "{text:?}: {left:#?}");
    }
}
