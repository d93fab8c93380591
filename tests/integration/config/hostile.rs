//! Text that was written to hurt, or pasted by accident.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn rendered(text: &str) -> String {
    let mistakes = invalid(text);
    // Whatever is printed of it, in whatever way.
    format!("{mistakes}\n{mistakes:?}")
}

#[test]
fn no_password_is_shown_wherever_it_was_written() {
    for text in [
        "defaults: { database-url: 'postgres://app:hunter2@db/x' }",
        "defaults:\n  database-url: postgres://app:hunter2@db/x\n  tabel: x",
        "defaults: { database-url: 'postgres://app:hun@hunter2@db/x' }",
        "defaults: { database-url: 'postgres://app:a/hunter2@db/x' }",
        "defaults: { database-url: 'app:hunter2@db/x' }",
        "defaults: { database-url: hunter2 }",
        "defaults: { database-url: 'hunter2 hunter2' }",
        "defaults: { database-url: '$hunter2' }",
        "defaults: { database-url: ':hunter2' }",
        "defaults: { database-url: 'mssql://app:hunter2@db/x' }",
        "defaults: { database-url: 'postgres://db/x?password=a\"b hunter2' }",
        "defaults: { database-url: \"postgres:\\x2f/app:hunter2\\x40db/x\" }",
        "defaults: { database-url: \"postgres://app:hun\\\n  ter2@db/x\" }",
        "defaults:\n  database-url: >-\n    postgres://app:hunter2@db/x\n",
        "defaults:\n  database-url: [postgres://app:hunter2@db/x]",
        "defaults: { database-url: { 'postgres://app:hunter2@db/x': 1 } }",
        "postgres://app:hunter2@db/x",
        "postgres://app:hunter2@db/x: 1",
        "app:hunter2@db: 1",
        "rules: { 'postgres://app:hunter2@db/x': error }",
        "rules: { out-of-order: 'postgres://app:hunter2@db/x' }",
        "services: { a: { environments: { 'postgres://app:hunter2@db/x': } } }",
        "accept: [{ rule: 'postgres://app:hunter2@db/x', version: 'postgres://app:hunter2@db/x', reason: x }]",
        "accept: postgres://app:hunter2@db/x",
        "defaults: { required: postgres://app:hunter2@db/x }",
        "defaults: { migrations: 'postgres://app:hunter2@db/{x}' }",
        "x: [ # postgres://app:hunter2@db/x",
        "x: [postgres://app:hunter2@db/x",
        "a: 1\nb: postgres://app:hunter2@db/x\na: postgres://app:hunter2@db/x",
    ] {
        let shown = rendered(text);
        for secret in ["hunter2", "ter2"] {
            assert!(!shown.contains(secret), "{text}\n{shown}");
        }
    }
}

#[test]
fn a_masked_line_still_shows_where_the_password_is() {
    let text = "defaults:\n  database-url: postgres://app:hunter2@db/x\n";
    let shown = invalid(text).to_string();
    assert!(shown.contains("2 |   database-url: postgres://app:*******@db/x"), "{shown}");
    let shown = invalid("defaults: { database-url: STAGING_URL }").to_string();
    assert!(shown.contains("database-url: STAGING_URL"), "{shown}");
}

#[test]
fn nothing_in_a_file_steers_the_terminal() {
    for text in [
        "\"a\\e[31m\\u202eb\\0\\nc`\": 1",
        "a\u{202e}b: 1",
        "\"a\u{2066}b\": 1",
        "services: { \"\\r\\n::error::x\": { x: 1 } }",
        "rules: { \"\\e]0;x\\a\": \"\\u200f\" }",
        "accept: [{ rule: \"a\\nb\", version: \"\\u0085\", reason: x }]",
        "a: \0",
        "a: \u{1b}[31m",
        "\u{1}: 1",
    ] {
        let shown = invalid(text).to_string();
        let bad = shown.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{200f}".contains(*c));
        assert_eq!(bad, None, "{shown}");
        assert!(!shown.lines().any(|line| line.starts_with("::")), "{shown}");
    }
}

#[test]
fn huge_and_deep_files_are_judged_in_short_time() {
    let long = "x".repeat(1 << 20);
    let mut bomb = String::from("a0: &a0 { services: {} }\n");
    for i in 1..9 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
    }
    let many: String = (0..20_000).map(|i| format!("key{i}: x\n")).collect();
    let services: String = (0..20_000).map(|i| format!("  s{i}: {{ tabel: x }}\n")).collect();
    let list = "accept:\n".to_owned() + &"  - 5\n".repeat(20_000);
    let aliases = "services:\n  a: &a { tabel: x }\n".to_owned()
        + &(0..20_000).map(|i| format!("  s{i}: *a\n")).collect::<String>();
    let wide = format!("accept: [{}]", vec!["{ rule: x, reason: y }"; 20_000].join(", "));
    for text in [
        format!("{long}: 1"),
        format!("rules: {{ {long}: error }}"),
        format!("defaults: {{ migrations: '{{{long}}}' }}"),
        format!("defaults: {{ database-url: '{long}' }}"),
        format!("defaults: {{ database-url: 'postgres://{}' }}", ":@".repeat(1 << 18)),
        format!("x: {}", "password=".repeat(1 << 14)),
        format!("x: {}", "password=&".repeat(1 << 16)),
        format!("{}: 1", "\u{202e}".repeat(1 << 18)),
        format!("{{{long}: 1, {long}: 2, y: 3}}"),
        bomb,
        many,
        "services:\n".to_owned() + &services,
        list,
        aliases,
        wide,
        "[".repeat(100_000),
        "{a: ".repeat(127) + &"}".repeat(127),
    ] {
        let start = Instant::now();
        let shown = invalid(&text).to_string();
        let (bytes, took) = (shown.len(), start.elapsed());
        assert!(bytes < 100_000, "{bytes} bytes for {:.40}", text);
        assert!(took < Duration::from_secs(20), "{took:?} for {:.40}", text);
    }
}

#[test]
fn more_mistakes_than_anyone_reads_are_cut_short_and_that_is_said() {
    let text: String = (0..150).map(|i| format!("key{i}: x\n")).collect();
    let mistakes = invalid(&text);
    assert_eq!(mistakes.list().len(), 100);
    assert!(mistakes.to_string().ends_with("further mistakes are not listed"), "{mistakes}");
}

#[test]
fn line_ends_and_marks_of_other_systems_do_not_move_places() {
    for text in ["\u{feff}rules: {}\r\nfoo: 1\r\n", "rules: {}\r\nfoo: 1", "# ä𝄞\nfoo: 1"] {
        let mistakes = invalid(text);
        assert_eq!((mistakes.list()[0].span.line, mistakes.list()[0].span.column), (2, 1));
        assert!(mistakes.to_string().contains("2 | foo: 1\n  | ^^^"), "{mistakes}");
    }
}

/// Pieces of configurations, and pieces of trouble.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "services",
        "environments",
        "matrix",
        "rules",
        "accept",
        "defaults",
        "migrations",
        "database-url",
        "required",
        "reason",
        "rule",
        "version",
        "out-of-order",
        "error",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a",
        "<<: ",
        "'",
        "\"",
        "|\n",
        ">-\n",
        "? ",
        "!!str ",
        "~",
        "true",
        "1",
        "007",
        "${",
        "${{",
        "}}",
        "{service}",
        "postgres://a:b@c",
        "#",
        "---",
        "\t",
        "\r",
        "\0",
        "é",
        "\u{202e}",
        "\u{feff}",
        "\\",
        "@",
        "`",
    ];
    prop_oneof![8 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_a_configuration_or_mistakes_that_can_be_shown(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        if let Err(mistakes) = read(&text, FILE) {
            prop_assert!(!mistakes.is_empty());
            prop_assert!(!mistakes.to_string().is_empty());
        }
    }
}
