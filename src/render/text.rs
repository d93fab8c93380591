//! Text that came from elsewhere, made harmless for a terminal.

/// `text` with every control character, line break and direction mark replaced by its escape.
///
/// File names come from pull requests and descriptions from databases: neither may move the cursor, recolour
/// the screen, start a line of its own (which a runner could take for a command) or turn the text around.
pub fn harmless(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_unicode())
        } else {
            out.push(c)
        }
        out
    })
}

/// Line and paragraph separators, and the marks that change the direction of text or hide in it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_could_act_on_a_terminal_is_escaped_and_the_rest_is_kept() {
        assert_eq!(harmless("añb\u{1b}[31m\n::error::\u{202e}x"), "añb\\u{1b}[31m\\u{a}::error::\\u{202e}x");
    }
}
