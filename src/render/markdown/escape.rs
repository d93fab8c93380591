//! Text from elsewhere in a page of GitHub's Markdown: it is shown as it is, and nothing in it acts.

use crate::text::harmless;

/// Between two letters it keeps GitHub from seeing more in them than two letters, and nobody sees it.
const NOTHING: char = '\u{200b}';

/// Text among our own words: no markup, no HTML, no cell, no mention, no link.
///
/// A backslash is enough for the markup. Mentions, references and addresses are found by GitHub in the finished page,
/// where no backslash is left.
pub fn inline(text: &str) -> String {
    let text = harmless(text);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for (index, c) in text.char_indices() {
        let rest = &text[index + c.len_utf8()..];
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // What begins a block does so at the start of a line, and there stand our own words.
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
        if is_seen(&text[..index], c, rest) {
            out.push(NOTHING);
        }
    }
    out
}

/// Whether GitHub looks for what begins with `before` and `c`, and goes on with `rest`, in finished text.
fn is_seen(before: &str, c: char, rest: &str) -> bool {
    let is_after = |start: &str| {
        let at = before.len().checked_sub(start.len());
        at.and_then(|at| before.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(start))
    };
    match c {
        '@' | '#' => true,
        // An address, or an emoji: `:tada:`.
        ':' => {
            let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_')));
            rest.starts_with("//") || name.is_some_and(|end| end > 0 && rest[end..].starts_with(':'))
        }
        'w' | 'W' => is_after("ww") && rest.starts_with('.'),
        '-' => is_after("gh") && rest.starts_with(|c: char| c.is_ascii_digit()),
        _ => false,
    }
}

/// A name or a path, in the letters of a program, outside of a table.
pub fn code(text: &str) -> String {
    let text = harmless(text);
    let fence = "`".repeat(longest_ticks(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Lines of harmless text in a block of their own, which nothing in them ends.
pub fn code_block(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_ticks(text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// A name or a path in a cell of a table, which a bare `|` would end even between backticks.
pub fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_among_words_is_shown_and_does_nothing() {
        assert_eq!(
            inline("a `b` *c* [d](e) <f> & g|h $x$"),
            "a \\`b\\` \\*c\\* \\[d\\](e) &lt;f&gt; &amp; g\\|h \\$x\\$"
        );
        assert_eq!(inline("@everyone #12"), "@\u{200b}everyone #\u{200b}12");
        assert_eq!(inline("https://x WWW.y new.z"), "https:\u{200b}//x WWW\u{200b}.y new.z");
        assert_eq!(inline("GH-12 a-1 :tada: a::b: c:"), "GH-\u{200b}12 a-1 :\u{200b}tada: a::\u{200b}b: c:");
        assert_eq!(inline("a\n# b\u{1b}\u{202e}"), "a\\\\u{a}#\u{200b} b\\\\u{1b}\\\\u{202e}");
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!(code("a_b.sql"), "`a_b.sql`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code(""), "`  `");
        assert_eq!(code_cell("a|b"), "`a\\|b`");
    }
}
