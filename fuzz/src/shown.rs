//! What has to hold of everything that is shown, whoever wrote what it was made from.

/// A piece that nothing but a password has: where it is planted, it must not come out.
pub const PLANTED: &str = "hunter22";

/// The planted password as a part of a URL.
const PLANTED_URL: &str = "postgres://app:hunter22@db/";

/// The only sequences with which the report for people colours its text.
const STYLES: [&str; 9] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[35m",
    "\u{1b}[36m",
    "\u{1b}[1;31m",
];

/// Asserts that no line of `text` can act on a terminal or on GitHub's runner, or turn the text around.
pub fn assert_harmless(text: &str) {
    let odd = text.chars().find(|letter| turns(*letter) || letter.is_control() && *letter != '\n');
    assert_eq!(odd, None, "{text:?} steers the terminal");
    assert!(!text.contains("##["), "{text:?} holds a command of the older form");
    assert_calm(text);
}

/// As far as it goes for the text of an error: whoever prints it takes out what turns text around, among other things.
pub fn assert_calm(text: &str) {
    for line in text.split('\n') {
        assert!(!line.contains(|letter: char| letter.is_ascii_control()), "{line:?} steers the terminal");
        assert!(!line.trim_start().starts_with("::"), "{line:?} is a command");
    }
}

/// As [`assert_harmless`], past the colours of a report.
pub fn assert_harmless_but_for_colours(text: &str) {
    let plain = STYLES.iter().fold(text.to_owned(), |text, style| text.replace(style, ""));
    assert_harmless(&plain);
}

/// Asserts that `shown` does not tell the password, where `written` has it in a URL and nowhere else.
pub fn assert_not_told(written: &str, shown: &str) {
    if !written.replace(PLANTED_URL, "").contains(PLANTED) {
        assert!(!shown.contains(PLANTED), "the password of {written:?} is in {shown:?}");
    }
}

/// Line and paragraph separators, and what changes the direction of text.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
