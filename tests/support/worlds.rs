//! Random crates with a migrations directory: what the oracle tests lay before sqlx and before us.
//!
//! A world is a pure function of its seed, and knows nothing of how either side resolves it, save which version a
//! well-formed prefix has. Never reads a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use tempfile::TempDir;

use super::names;

/// The seeds of a run. Each case has a seed of its own, which its failure prints.
///
/// `PREFLIGHT_ORACLE_CASES=100000` asks for the long form; `PREFLIGHT_SEED` moves to other cases. The two together,
/// as a failure prints them, run one case again.
pub fn seeds(short_form: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let first = number("PREFLIGHT_SEED").unwrap_or(0);
    first..first + number("PREFLIGHT_ORACLE_CASES").unwrap_or(short_form)
}

/// How to run the case of `seed` again.
pub fn rerun(seed: u64) -> String {
    format!("run it again with PREFLIGHT_SEED={seed} PREFLIGHT_ORACLE_CASES=1")
}

/// A folder for one case, in memory where the system has such a place: the cases are many, and disks are slow.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Chance, with a seed.
pub struct Dice(TestRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Any order of `items`, all equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A crate, and a migrations directory somewhere in it.
#[derive(Debug, Clone)]
pub struct World {
    /// Where the crate's `Cargo.toml` stands, relative to the root.
    pub krate: &'static str,
    /// The migrations directory, relative to the root.
    pub directory: &'static str,
    /// Whether another crate with settings of its own stands around this one.
    pub decoy: bool,
    pub settings: Settings,
    pub entries: BTreeMap<OsString, Entry>,
}

/// The `sqlx.toml` beside the `Cargo.toml`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub ignored_chars: BTreeSet<char>,
    pub table: Option<String>,
    pub create_schemas: BTreeSet<String>,
    /// Text that stands there instead, and that sqlx refuses.
    pub refused: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub struct Entry {
    /// The version that a well-formed prefix stands for.
    pub version: Option<i64>,
    pub what: What,
}

/// The bytes of a file, which print as text.
#[derive(Clone)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.0.iter().take(400).flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
        write!(f, "b\"{text}\", {} bytes", self.0.len())
    }
}

#[derive(Debug, Clone)]
pub enum What {
    File(Bytes),
    LinkToFile(Bytes),
    LinkToNothing,
    LinkToItself,
    /// A regular file that can be stat'ed and opened, and not read, not even by root.
    LinkToUnreadable,
    LinkToDirectory,
    Directory,
    Fifo,
    Socket,
    Device,
}

/// What the files of a world may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    Anything,
    /// SQL that no database refuses, so that only the bookkeeping can fail; perhaps behind a byte order mark.
    Runnable,
}

const CHARS: [char; 10] = [' ', '\t', '\r', '\n', '\u{feff}', 'S', '1', ';', '\u{e9}', '\0'];
const RUNNABLE: [&str; 12] = [
    "",
    "\n",
    " \r\n\t",
    ";",
    "SELECT 1;",
    "SELECT 1;\r\n",
    "SELECT 1;\nSELECT 2;\n",
    "-- nothing\n",
    "/* \u{e9} */ SELECT 1",
    "-- no-transaction\nSELECT 1;",
    "-- no-transaction",
    " -- no-transaction\r\nSELECT 11;;",
];
const REFUSED: [&str; 6] = [
    "[migrate]\nignored-chars = [\"ab\"]\n",
    "[migrate]\nignored_chars = []\n",
    "[migrate\n",
    "[migrations]\n",
    "[migrate]\ntable-name = 7\n",
    "\0",
];

impl World {
    /// Any world. Most can be resolved; in the others anything may be wrong that makes sqlx fail.
    pub fn draw(dice: &mut Dice, contents: Contents) -> Self {
        const PLACES: [(&str, &str); 8] = [
            ("", "migrations"),
            ("", "migrations"),
            ("", "db/migrations"),
            ("", "./migrations"),
            ("crates/api", "crates/api/migrations"),
            ("crates/api", "crates/api/db/sql"),
            ("", ""),
            ("crates/api", "crates/api"),
        ];
        let breaking = dice.one_in(if contents == Contents::Anything { 3 } else { 12 });
        let (krate, directory) = dice.pick(&PLACES);
        let settings = Settings::draw(dice, breaking);
        let mut entries = BTreeMap::new();
        let most = if dice.one_in(20) { 40 } else { 9 };
        for _ in 0..dice.below(most) {
            let broken = breaking && dice.one_in(6);
            let (name, version) = names::draw(dice, broken);
            let what = What::draw(dice, contents, breaking);
            if !["", ".", "..", "Cargo.toml", "sqlx.toml"].map(OsString::from).contains(&name) {
                entries.insert(name, Entry { version, what });
            }
        }
        Self { krate, directory, decoy: dice.one_in(2), settings, entries }
    }

    /// Puts the world into the empty directory `root`.
    pub fn write(&self, root: &Path) {
        let krate = root.join(self.krate);
        fs::create_dir_all(&krate).unwrap();
        if self.decoy {
            fs::write(root.join("Cargo.toml"), "").unwrap();
            fs::write(root.join("sqlx.toml"), "[migrate]\nignored-chars = [\"E\"]\ntable-name = \"decoy\"\n").unwrap();
        }
        fs::write(krate.join("Cargo.toml"), "").unwrap();
        match self.settings.toml() {
            Some(toml) => fs::write(krate.join("sqlx.toml"), toml).unwrap(),
            None => drop(fs::remove_file(krate.join("sqlx.toml"))),
        }
        let elsewhere = root.join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("3_below.sql"), "SELECT 3;").unwrap();
        let directory = root.join(self.directory);
        fs::create_dir_all(&directory).unwrap();
        for (number, (name, entry)) in self.entries.iter().enumerate() {
            entry.what.write(&directory.join(name), &elsewhere.join(number.to_string()));
        }
    }
}

impl Settings {
    fn draw(dice: &mut Dice, breaking: bool) -> Self {
        let chars = if dice.one_in(2) { 0 } else { dice.below(4) };
        Self {
            ignored_chars: (0..chars).map(|_| dice.pick(&CHARS)).collect(),
            refused: (breaking && dice.one_in(8)).then(|| dice.pick(&REFUSED)),
            ..Self::default()
        }
    }

    /// The file's text; no file where everything is as it is without one.
    fn toml(&self) -> Option<String> {
        if let Some(refused) = self.refused {
            return Some(refused.to_owned());
        }
        if self.ignored_chars.is_empty() && self.table.is_none() && self.create_schemas.is_empty() {
            return None;
        }
        let quoted = |text: &str| {
            text.chars().fold(String::from("\""), |mut toml, c| {
                write!(toml, "\\U{:08x}", u32::from(c)).unwrap();
                toml
            }) + "\""
        };
        let chars: Vec<_> = self.ignored_chars.iter().map(|c| quoted(&c.to_string())).collect();
        let schemas: Vec<_> = self.create_schemas.iter().map(|schema| quoted(schema)).collect();
        let mut toml = format!("[migrate]\nignored-chars = [{}]\n", chars.join(","));
        writeln!(toml, "create-schemas = [{}]", schemas.join(",")).unwrap();
        if let Some(table) = &self.table {
            writeln!(toml, "table-name = {}", quoted(table)).unwrap();
        }
        Some(toml)
    }
}

impl What {
    fn draw(dice: &mut Dice, contents: Contents, breaking: bool) -> Self {
        if breaking && dice.one_in(8) {
            let not_utf8 = [b"SELECT '\xff';".to_vec(), b"\xff\xfeS\0E\0".to_vec(), b"SELECT '\xed\xa0\x80'".to_vec()];
            return match dice.below(6) {
                0 => Self::LinkToNothing,
                1 => Self::LinkToItself,
                2 => Self::LinkToUnreadable,
                3 => Self::LinkToFile(Bytes(dice.pick(&not_utf8))),
                _ => Self::File(Bytes(dice.pick(&not_utf8))),
            };
        }
        let content = Bytes(draw_content(dice, contents));
        match dice.below(60) {
            0 => Self::Fifo,
            1 => Self::Socket,
            2 => Self::Device,
            3 | 4 => Self::LinkToDirectory,
            5 | 6 => Self::Directory,
            7..12 => Self::LinkToFile(content),
            _ => Self::File(content),
        }
    }

    /// The bytes that reading it gives.
    pub fn content(&self) -> Option<&[u8]> {
        match self {
            Self::File(content) | Self::LinkToFile(content) => Some(&content.0),
            _ => None,
        }
    }

    /// `aside` is a path that nothing stands at, outside of the migrations directory.
    fn write(&self, path: &Path, aside: &Path) {
        match self {
            Self::File(content) => fs::write(path, &content.0).unwrap(),
            Self::LinkToFile(content) => {
                fs::write(aside, &content.0).unwrap();
                symlink(aside, path).unwrap();
            }
            Self::LinkToNothing => symlink("nothing/there", path).unwrap(),
            Self::LinkToItself => symlink(path.file_name().unwrap(), path).unwrap(),
            // Page zero is never mapped, so that the first read fails.
            Self::LinkToUnreadable => symlink("/proc/self/mem", path).unwrap(),
            Self::LinkToDirectory => symlink(aside.parent().unwrap(), path).unwrap(),
            Self::Directory => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("2_below.sql"), b"\xff").unwrap();
            }
            Self::Fifo => assert!(Command::new("mkfifo").arg("--").arg(path).status().unwrap().success()),
            // A socket's path must be short; the link makes no difference to `stat`.
            Self::Socket => {
                drop(UnixListener::bind(aside).unwrap());
                symlink(aside, path).unwrap();
            }
            Self::Device => symlink("/dev/null", path).unwrap(),
        }
    }
}

fn draw_content(dice: &mut Dice, contents: Contents) -> Vec<u8> {
    let mut text = String::new();
    if dice.one_in(8) {
        text.push('\u{feff}');
    }
    match contents {
        Contents::Runnable => text.push_str(dice.pick(&RUNNABLE)),
        Contents::Anything if dice.one_in(100) => text.push_str(&"SELECT 1;\r\n".repeat(800)),
        Contents::Anything => {
            let alphabet = ['S', 'E', 'x', '1', ';', ' ', '\r', '\n', '\t', '\u{feff}', '\u{e9}', '\0', '\u{1f980}'];
            (0..dice.below(20)).for_each(|_| text.push(dice.pick(&alphabet)));
        }
    }
    text.into_bytes()
}
