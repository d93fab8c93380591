//! Random starts: a crate with migrations, and a database that holds a history which almost fits it.
//!
//! Everything about the database is text, as SQL of the engine would have it, so that a failure prints what to type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use migration_preflight::history::Engine;
use migration_preflight::migration::Checksum;
use sha2::{Digest, Sha384};

use super::worlds::{Contents, Dice, World};

/// A service that starts against a database.
#[derive(Clone)]
pub struct Start {
    pub engine: Engine,
    pub world: World,
    pub ignore_missing: bool,
    pub place: Place,
    /// The rows of the history table, by version; no table where there is nothing.
    pub rows: Option<BTreeMap<String, Row>>,
    /// Whether somebody else made the history table: without constraints, save the primary key.
    pub loose: bool,
    /// Whether that somebody gave `version` a type that sqlx does not read.
    pub unreadable: bool,
}

/// Where the history table is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// `table-name`
    pub table: &'static str,
    /// What exists before the table does.
    pub setup: &'static str,
    /// Where PostgreSQL looks for a table without a schema, and creates one; the server's default where it is empty.
    pub search_path: &'static str,
    /// `create-schemas`
    pub create_schemas: &'static [&'static str],
    /// Whether a table can be there before the service starts.
    pub holds_rows: bool,
    /// Whether sqlx creates a schema that comes before that table's, and so never sees its rows.
    pub overtaken: bool,
}

/// One row, its values as SQL.
#[derive(Debug, Clone)]
pub struct Row {
    pub success: &'static str,
    pub checksum: Checksum,
    pub execution_time: i64,
}

const fn place(table: &'static str, setup: &'static str, create_schemas: &'static [&'static str]) -> Place {
    Place { table, setup, search_path: "", create_schemas, holds_rows: true, overtaken: false }
}

const fn empty(table: &'static str, setup: &'static str, create_schemas: &'static [&'static str]) -> Place {
    Place { holds_rows: false, ..place(table, setup, create_schemas) }
}

const fn along(search_path: &'static str, place: Place) -> Place {
    Place { search_path, ..place }
}

const fn overtaken(place: Place) -> Place {
    Place { overtaken: true, ..place }
}

const DEFAULT: Place = place("_sqlx_migrations", "", &[]);
const POSTGRES: [Place; 36] = [
    place("History", "", &[]),
    place("\"History\"", "", &["public"]),
    place("\"a \"\"b\"\" c\"", "", &[]),
    place("public._sqlx_migrations", "", &["app"]),
    place("app.history", "CREATE SCHEMA app", &[]),
    place("APP.History", "CREATE SCHEMA app", &["App", "other"]),
    place("\"App\".\"History\"", "CREATE SCHEMA \"App\"", &["\"App\""]),
    place("\"a.b\".c", "CREATE SCHEMA \"a.b\"", &[]),
    empty("app.history", "", &["app"]),
    empty("app.history", "", &["APP", "\"App\""]),
    empty("App.history", "", &["\"app\""]),
    empty("\"App\".history", "", &["\"App\""]),
    empty("\"a\"\"b\".history", "", &["\"a\"\"b\""]),
    // None of these exists after the schemas are created.
    empty("app.history", "", &[]),
    empty("app.history", "", &["\"App\""]),
    empty("\"App\".history", "", &["App"]),
    empty("\"App\".history", "CREATE SCHEMA app", &[]),
    empty("app.history", "CREATE SCHEMA \"App\"", &["other"]),
    // The first schema of the path that exists is where sqlx creates the table, and so where it reads.
    along("app", place("history", "CREATE SCHEMA app", &[])),
    along("absent, app", place("history", "CREATE SCHEMA app", &["other"])),
    along("app, public", empty("history", "CREATE SCHEMA app; CREATE TABLE public.history (LIKE pg_class)", &[])),
    along("app, public", place("app.history", "CREATE SCHEMA app; CREATE TABLE public.history (LIKE pg_class)", &[])),
    // Nowhere to create it.
    along("app", empty("history", "", &[])),
    along("app", empty("history", "", &["app"])),
    along("app", empty("history", "", &["other"])),
    along("public, app", place("history", "", &["app"])),
    along("app, other", empty("history", "", &["other"])),
    // What sqlx creates comes before the history that there was.
    overtaken(along("app, public", place("history", "", &["app"]))),
    overtaken(along("app, public", place("history", "", &["App", "other"]))),
    along("app, public", place("history", "", &["\"App\""])),
    // The server keeps `pg_` to itself, whether or not such a schema exists.
    place("_sqlx_migrations", "", &["pg_catalog"]),
    place("_sqlx_migrations", "", &["PG_app"]),
    place("_sqlx_migrations", "", &["\"PG_app\""]),
    // No identifiers.
    place("_sqlx_migrations", "", &["my-app"]),
    place("_sqlx_migrations", "", &["a.b"]),
    place("_sqlx_migrations", "", &[""]),
];
const SQLITE: [Place; 18] = [
    place("History", "", &[]),
    place("\"History\"", "", &["main"]),
    place("\"a \"\"b\"\" c\"", "", &["MAIN", "temp"]),
    place("main._sqlx_migrations", "", &["\"main\""]),
    place("MAIN.History", "", &["Temp"]),
    place("\"main\".\"History\"", "", &[]),
    place("_sqlx_migrations", "", &["[main]"]),
    place("_sqlx_migrations", "", &["`main`"]),
    place("_sqlx_migrations", "", &["'main'"]),
    empty("temp.history", "", &["temp"]),
    empty("\"temp\".history", "", &[]),
    // None of these is attached, and nothing creates it.
    empty("app.history", "", &[]),
    empty("app.history", "", &["app"]),
    place("_sqlx_migrations", "", &["app"]),
    place("_sqlx_migrations", "", &["main", "\"App\""]),
    place("_sqlx_migrations", "", &[""]),
    place("_sqlx_migrations", "", &["a-b"]),
    place("_sqlx_migrations", "", &["[app]"]),
];

const MYSQL: [Place; 26] = [
    place("History", "", &[]),
    place("`History`", "", &["other"]),
    place("`a ``b`` c`", "", &["`app`"]),
    place("größe$1", "", &["größe"]),
    place("1x", "", &[]),
    place("app.history", "CREATE SCHEMA app", &[]),
    place("App.History", "CREATE SCHEMA App", &["App", "other"]),
    place("`a.b`.`c`", "CREATE SCHEMA `a.b`", &[]),
    place("app.12", "CREATE SCHEMA app", &["`app`"]),
    place("`app`. 1x", "CREATE SCHEMA app", &[]),
    empty("app.history", "", &["app"]),
    empty("app.history", "", &["`app`", "APP"]),
    empty("`App`.history", "", &["App"]),
    // None of these exists after the schemas are created.
    empty("app.history", "", &[]),
    empty("app.history", "", &["App"]),
    empty("App.history", "CREATE SCHEMA app", &["other"]),
    // The catalogue is nobody's, and what else the server has is there already.
    place("_sqlx_migrations", "", &["information_schema"]),
    place("_sqlx_migrations", "", &["`INFORMATION_SCHEMA`"]),
    place("_sqlx_migrations", "", &["mysql", "performance_schema"]),
    // No identifiers, or none that a schema may have.
    place("_sqlx_migrations", "", &["my-app"]),
    place("_sqlx_migrations", "", &["a.b"]),
    place("_sqlx_migrations", "", &["app", ""]),
    place("_sqlx_migrations", "", &["`app `"]),
    place("_sqlx_migrations", "", &["5"]),
    place("_sqlx_migrations", "", &["\"app\""]),
    place("_sqlx_migrations", "", &["#app"]),
];

/// Values of `success`: those that PostgreSQL has too, and NULL, where there is no constraint; then those that MySQL
/// has too; then those that SQLite takes as they are, of which only the text that is a zero equals FALSE.
const SUCCESS: [&str; 14] =
    ["NULL", "TRUE", "TRUE", "FALSE", "FALSE", "FALSE", "2", "-1", "'0'", "0.0", "0.5", "'false'", "X'00'", "x''"];

fn successes(engine: Engine, loose: bool) -> &'static [&'static str] {
    let end = match engine {
        Engine::Postgres => 6,
        Engine::MySql => 9,
        Engine::Sqlite => SUCCESS.len(),
    };
    &SUCCESS[usize::from(!loose)..end]
}

impl Start {
    pub fn draw(dice: &mut Dice, engine: Engine) -> Self {
        let mut world = World::draw(dice, Contents::Runnable);
        let places = match engine {
            Engine::Postgres => &POSTGRES[..],
            Engine::Sqlite => &SQLITE,
            Engine::MySql => &MYSQL,
        };
        let place = if dice.one_in(3) { dice.pick(places) } else { DEFAULT };
        world.settings.table = (place.table != DEFAULT.table || dice.one_in(4)).then(|| place.table.to_owned());
        world.settings.create_schemas = place.create_schemas.iter().map(|schema| (*schema).to_owned()).collect();
        let loose = dice.one_in(5);
        let unreadable = loose && dice.one_in(5);
        let rows = (place.holds_rows && !dice.one_in(10)).then(|| draw_rows(dice, &world, successes(engine, loose)));
        make_runnable(&mut world, rows.as_ref().filter(|_| !place.overtaken), engine);
        Self { engine, world, ignore_missing: dice.one_in(4), place, rows, loose, unreadable }
    }

    /// The SQL that makes the database what it is before the service starts.
    pub fn sql(&self) -> String {
        let mut sql = format!("{};\n", self.place.setup);
        let Some(rows) = &self.rows else { return sql };
        let (id, bytes, time) = match self.engine {
            Engine::Postgres if self.unreadable => ("NUMERIC", "BYTEA", "TIMESTAMPTZ"),
            Engine::Postgres => ("BIGINT", "BYTEA", "TIMESTAMPTZ"),
            Engine::Sqlite if self.unreadable => ("TEXT", "BLOB", "TIMESTAMP"),
            Engine::MySql if self.unreadable => ("DECIMAL(20)", "BLOB", "TIMESTAMP"),
            Engine::Sqlite | Engine::MySql => ("BIGINT", "BLOB", "TIMESTAMP"),
        };
        let required = if self.loose { "" } else { "NOT NULL" };
        let table = self.place.table;
        writeln!(
            sql,
            "CREATE TABLE {table} (version {id} PRIMARY KEY, description TEXT {required}, installed_on {time} {required} \
             DEFAULT CURRENT_TIMESTAMP, success BOOLEAN {required}, checksum {bytes} {required}, \
             execution_time BIGINT {required});"
        )
        .unwrap();
        for (version, row) in rows {
            let Row { success, checksum, execution_time } = row;
            let escape = if self.engine == Engine::Postgres { r"'\x" } else { "X'" };
            writeln!(
                sql,
                "INSERT INTO {table} (version, description, success, checksum, execution_time) \
                 VALUES ({version}, 'row {version}', {success}, {escape}{checksum}', {execution_time});"
            )
            .unwrap();
        }
        sql
    }
}

/// Everything that it takes to see a failure by hand.
impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { world, ignore_missing, place, .. } = self;
        writeln!(f, "ignore_missing: {ignore_missing}\nsearch_path: {:?}\n{place:?}\n{world:?}", place.search_path)?;
        f.write_str(&self.sql())
    }
}

/// A history that fits the first few migrations, and then a few things that may be wrong with it.
fn draw_rows(dice: &mut Dice, world: &World, successes: &[&'static str]) -> BTreeMap<String, Row> {
    let mut files: Vec<(i64, Checksum)> = Vec::new();
    for entry in world.entries.values() {
        if let (Some(version), Some(content)) = (entry.version, entry.what.content()) {
            files.push((version, checksum(content, &world.settings.ignored_chars)));
        }
    }
    dice.shuffle(&mut files);
    files.sort_by_key(|(version, _)| *version);
    let applied = if dice.one_in(3) { files.len() } else { dice.below(files.len() + 1) };
    let fits = |checksum: &Checksum| Row { success: "TRUE", checksum: checksum.clone(), execution_time: 1 };
    let mut rows: BTreeMap<i64, Row> =
        files[..applied].iter().map(|(version, bytes)| (*version, fits(bytes))).collect();
    for _ in 0..dice.below(4) {
        let versions: Vec<i64> = rows.keys().copied().collect();
        let any = |dice: &mut Dice| (!versions.is_empty()).then(|| dice.pick(&versions));
        match dice.below(5) {
            0 => {
                any(dice).map(|version| rows.remove(&version));
            }
            1 => {
                if let Some(row) = any(dice).and_then(|version| rows.get_mut(&version)) {
                    row.success = dice.pick(successes);
                }
            }
            2 => {
                if let Some(row) = any(dice).and_then(|version| rows.get_mut(&version)) {
                    row.checksum = spoil(dice, &row.checksum);
                }
            }
            3 => {
                let version = dice.pick(&[1, 3, 7, 8, -3, i64::MIN, i64::MAX, 20_260_108]);
                rows.entry(version).or_insert_with(|| fits(&Checksum::from_bytes([7; 48])));
            }
            _ if files.is_empty() => {}
            _ => {
                let (version, bytes) = dice.pick(&files);
                rows.insert(version, Row { execution_time: -1, ..fits(&bytes) });
            }
        }
    }
    rows.into_iter().map(|(version, row)| (version.to_string(), row)).collect()
}

/// Another checksum, of the same length or of another one.
fn spoil(dice: &mut Dice, checksum: &Checksum) -> Checksum {
    let mut bytes = checksum.as_bytes().to_vec();
    match dice.below(5) {
        0 => bytes.truncate(47),
        1 => bytes.push(0),
        2 => bytes.clear(),
        3 => bytes.reverse(),
        _ => bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1),
    }
    Checksum::from_bytes(bytes)
}

/// The checksum that sqlx is to find, computed in another way than ours.
fn checksum(content: &[u8], ignored_chars: &BTreeSet<char>) -> Checksum {
    let text = String::from_utf8_lossy(content);
    let rest: String = text.chars().filter(|c| !ignored_chars.contains(c)).collect();
    Checksum::from_bytes(Sha384::digest(rest).to_vec())
}

/// Makes what the service may apply something that the engine runs: PostgreSQL and MySQL know no byte order mark, and
/// MySQL no statement that is empty.
fn make_runnable(world: &mut World, rows: Option<&BTreeMap<String, Row>>, engine: Engine) {
    use super::worlds::What::{File, LinkToFile};
    for entry in world.entries.values_mut() {
        let applied =
            entry.version.is_some_and(|version| rows.is_some_and(|rows| rows.contains_key(&version.to_string())));
        if let (false, File(content) | LinkToFile(content)) = (applied, &mut entry.what) {
            content.0 = match engine {
                Engine::Sqlite => continue,
                Engine::Postgres => content.0.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content.0).to_vec(),
                Engine::MySql => b"SELECT 1; -- once\n".to_vec(),
            };
        }
    }
}
