//! Random file names: those of migrations, those that are nearly so, and those that break a directory.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::worlds::Dice;

/// What sqlx takes for a version, and which one.
const PREFIXES: [(&str, i64); 24] = [
    ("1", 1),
    ("2", 2),
    ("3", 3),
    ("4", 4),
    ("5", 5),
    ("6", 6),
    ("7", 7),
    ("01", 1),
    ("007", 7),
    ("+7", 7),
    ("+02", 2),
    ("-7", -7),
    ("-0", 0),
    ("0", 0),
    ("000", 0),
    ("10", 10),
    ("20260107", 20_260_107),
    ("20260109", 20_260_109),
    ("20251228120000", 20_251_228_120_000),
    ("9223372036854775807", i64::MAX),
    ("-9223372036854775808", i64::MIN),
    ("00000000000000000000000000000007", 7),
    ("-1", -1),
    ("4294967296", 4_294_967_296),
];
const BAD_PREFIXES: [&str; 18] = [
    "",
    " 1",
    "1 ",
    "\u{667}",
    "\u{ff17}",
    "1e3",
    "0x7",
    "9223372036854775808",
    "-9223372036854775809",
    "+-7",
    "--7",
    "7.",
    "V7",
    "1-2",
    "\n1",
    "+",
    "-",
    "\u{feff}1",
];
const DESCRIPTIONS: [&str; 22] = [
    "a",
    "b",
    "a",
    "add_users",
    "",
    "_x",
    "__",
    "\u{fc}n\u{ef}",
    "a.b",
    "a b",
    "up",
    "down",
    "x.up",
    "x.down",
    "a\nb",
    ".",
    "a.sql",
    "a.sql.b",
    "A",
    "\u{1f980}",
    " ",
    "..",
];
const SUFFIXES: [&str; 3] = [".sql", ".up.sql", ".down.sql"];
const ODD_SUFFIXES: [&str; 24] = [
    ".sql.sql",
    ".sql.sql.sql",
    ".up.sql.up.sql",
    ".down.sql.down.sql",
    ".down.up.sql",
    ".up.down.sql",
    ".down.sql.up.sql",
    ".up.sql.down.sql",
    ".up.sql.sql",
    ".down.sql.sql",
    ".sql.up.sql",
    ".up.up.sql",
    ".UP.sql",
    ".Down.sql",
    ".SQL",
    ".up.SQL",
    "",
    ".sql ",
    ".sql~",
    ".sql\n",
    ".txt",
    ".up",
    "sql",
    "up.sql",
];

/// A file name, and the version that its prefix stands for.
pub fn draw(dice: &mut Dice, broken: bool) -> (OsString, Option<i64>) {
    // The small versions come up more often, so that they meet.
    let known = if dice.one_in(3) { &PREFIXES[..7] } else { &PREFIXES };
    let (prefix, version) = match dice.pick(known) {
        _ if broken => (dice.pick(&BAD_PREFIXES), None),
        (prefix, version) => (prefix, Some(version)),
    };
    let separator = if dice.one_in(15) { dice.pick(&["", "-", "__", " _", "\u{ff3f}"]) } else { "_" };
    // A separator that makes the prefix a bad one stands only where that is wanted.
    let separator = if separator == " _" && !broken { "-" } else { separator };
    let suffix = if dice.one_in(4) { dice.pick(&ODD_SUFFIXES) } else { dice.pick(&SUFFIXES) };
    let description = dice.pick(&DESCRIPTIONS);
    // Without a separator, or behind another one, the first `_` of the description ends the prefix.
    let description =
        if separator.contains('_') || broken { description.to_owned() } else { description.replace('_', "") };
    let mut name = format!("{prefix}{separator}{description}").into_bytes();
    if dice.one_in(40) {
        name.push(b'\xff');
    }
    name.extend(suffix.as_bytes());
    (OsString::from_vec(name), version)
}
