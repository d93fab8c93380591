use proptest::prelude::*;

use super::*;

const ENGINES: [Engine; 3] = [Engine::Postgres, Engine::MySql, Engine::Sqlite];

fn kind(one: &str, other: &str, engine: Engine) -> Option<Difference> {
    let kind = difference(one.as_bytes(), other.as_bytes(), engine);
    assert_eq!(
        difference(other.as_bytes(), one.as_bytes(), engine),
        kind,
        "{one:?} and {other:?}, the other way round"
    );
    kind
}

#[test]
fn the_least_that_takes_in_the_difference_is_named() {
    for engine in ENGINES {
        for (one, other, expected) in [
            ("a;\nb;\n", "a;\nb;\n", None),
            ("a;\nb;\n", "a;\r\nb;\r\n", Some(Difference::LineEndings)),
            ("a;\n", "\u{feff}a;\n", Some(Difference::Bom)),
            ("a;\n", "\u{feff}a;\r\n", Some(Difference::Bom)),
            ("a;\n", "a;", Some(Difference::FinalNewline)),
            ("a;\r\n", "a;", Some(Difference::FinalNewline)),
            ("a;\n", "a ;\n\n", Some(Difference::WhiteSpace)),
            ("a(b, c);", "a (\n  b,\n  c\n);", Some(Difference::WhiteSpace)),
            ("a;\n", "-- why\na;\n", Some(Difference::Comments)),
            ("a /* b */;", "a/* c */ ;", Some(Difference::Comments)),
            ("a;", "A;", Some(Difference::Sql)),
            ("ab;", "a b;", Some(Difference::Sql)),
            ("a <= b", "a < = b", Some(Difference::Sql)),
            ("a;", "", Some(Difference::Sql)),
        ] {
            assert_eq!(kind(one, other, engine), expected, "{one:?} and {other:?} for {engine:?}");
        }
    }
}

#[test]
fn what_stands_in_quotes_is_no_comment_and_no_white_space() {
    for engine in ENGINES {
        for (one, other) in [
            ("x 'a  b'", "x 'a b'"),
            ("x 'a--b'", "x 'a--c'"),
            ("x 'it''s -- a'", "x 'it''s -- b'"),
            ("x \"a /* b */\"", "x \"a /* c */\""),
            ("x 'a' 'b'", "x 'a''b'"),
            ("x 'open -- a", "x 'open -- b"),
        ] {
            assert_eq!(kind(one, other, engine), Some(Difference::Sql), "{one:?} and {other:?} for {engine:?}");
        }
        assert_eq!(kind("x 'a' -- b\ny", "x 'a' -- c\ny", engine), Some(Difference::Comments));
    }
    assert_eq!(kind("`a -- b`", "`a -- c`", Engine::MySql), Some(Difference::Sql));
    assert_eq!(kind("[a -- b]", "[a -- c]", Engine::Sqlite), Some(Difference::Sql));
    assert_eq!(kind("a[1 -- b\n]", "a[1 -- c\n]", Engine::Postgres), Some(Difference::Comments));
}

#[test]
fn each_engine_has_its_own_comments() {
    use Difference::{Comments, Sql};
    for (one, other, postgres, mysql, sqlite) in [
        ("a # b", "a # c", Sql, Comments, Sql),
        ("a /* b /* c */ d */ e", "a /* c */ e", Comments, Sql, Sql),
        ("a --b", "a --c", Comments, Sql, Comments),
        ("a /*! b */", "a /*! c */", Comments, Sql, Comments),
        ("a /*+ b */", "a /*+ c */", Comments, Sql, Comments),
        ("'a\\' -- b", "'a\\' -- c", Comments, Sql, Comments),
        ("E'a\\' -- b", "E'a\\' -- c", Sql, Sql, Comments),
        ("$$ -- b\n$$", "$$ -- c\n$$", Sql, Comments, Comments),
        ("$f$ -- $$ b\n$f$", "$f$ -- $$ c\n$f$", Sql, Comments, Comments),
        ("a$b -- c$b", "a$b -- d$b", Comments, Comments, Comments),
        ("a <-- b\n", "a <-- c\n", Comments, Comments, Comments),
    ] {
        for (engine, expected) in ENGINES.into_iter().zip([postgres, mysql, sqlite]) {
            assert_eq!(kind(one, other, engine), Some(expected), "{one:?} and {other:?} for {engine:?}");
        }
    }
}

#[test]
fn a_line_break_that_joins_strings_and_the_word_for_no_transaction_are_more_than_they_look() {
    assert_eq!(kind("x 'a'\n'b'", "x 'a' 'b'", Engine::Postgres), Some(Difference::Sql));
    assert_eq!(kind("x 'a'\n 'b'", "x 'a'\n\n'b'", Engine::Postgres), Some(Difference::WhiteSpace));
    assert_eq!(kind("-- no-transaction\na", "a", Engine::Postgres), Some(Difference::Sql));
    assert_eq!(
        kind("-- no-transaction\na", "-- no-transaction, because\na", Engine::Postgres),
        Some(Difference::Comments)
    );
    assert_eq!(difference(b"a\xff", b"a", Engine::Sqlite), Some(Difference::Sql));
}

#[test]
fn a_diff_shows_what_went_and_what_came_with_a_line_around() {
    let shown = |old: &str, new: &str| diff(old.as_bytes(), new.as_bytes());
    assert_eq!(shown("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n"), [" b", "-c", "+X", " d"]);
    assert_eq!(shown("a\n", "a\nb\n"), [" a", "+b"]);
    assert_eq!(shown("", "b"), ["+b"]);
    assert_eq!(shown("1\n2\n3\n4\n5\n6\n7\n", "X\n2\n3\n4\n5\n6\nY\n"), ["-1", "+X", " 2", " 6", "-7", "+Y"]);
    assert_eq!(shown("a\r\n", "a\n"), [""; 0]);
    let many: String = (0..40).map(|n| format!("{n}\n")).collect();
    let lines = shown("", &many);
    assert_eq!((lines.len(), lines[9].as_str(), lines[10].as_str()), (11, "+9", "… and 30 more"));
    assert_eq!(shown(&"x".repeat(500), "")[0].chars().count(), 162);
    let long = |sign: &str| (0..2000).map(|n| format!("{sign}{n}\n")).collect::<String>();
    assert_eq!(shown(&long("a"), &long("b")).len(), 11);
}

/// The lines before and after that a whole diff tells of.
fn told(lines: &[(char, &str)], sign: char) -> String {
    lines.iter().filter(|(of, _)| *of == ' ' || *of == sign).map(|(_, line)| format!("{line}\n")).collect()
}

proptest! {
    #[test]
    fn no_text_breaks_it(one in ".{0,60}", other in "[-/*#'\"$a \n\\\\E\\[`é]{0,40}", engine in 0..3_usize) {
        let engine = ENGINES[engine];
        prop_assert_eq!(difference(one.as_bytes(), one.as_bytes(), engine), None);
        let _ = (kind(&one, &other, engine), diff(one.as_bytes(), other.as_bytes()));
        let _ = kind(&other, &format!("{other} "), engine);
    }

    #[test]
    fn a_short_diff_tells_of_every_line(old in "([abc]\n){0,4}", new in "([abc]\n){0,4}") {
        let shown = diff(old.as_bytes(), new.as_bytes());
        prop_assert_eq!(shown.is_empty(), old == new);
        let lines: Vec<(char, &str)> = shown.iter().filter_map(|line| Some((line.chars().next()?, &line[1..]))).collect();
        prop_assert!(old.contains(&told(&lines, '-')) || lines.len() > 2, "{:?}", lines);
        let gone = lines.iter().filter(|(sign, _)| *sign == '-').count();
        let came = lines.iter().filter(|(sign, _)| *sign == '+').count();
        prop_assert_eq!(old.lines().count() + came, new.lines().count() + gone);
    }
}
