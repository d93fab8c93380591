use std::fs;

use super::*;
use crate::source::Unwatched;

/// A repository with these files.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

const API: &str = "[package]\nname = 'api'\n[dependencies]\nsqlx = '0.9'\n";
const MAIN: &str = "fn main() {\n    sqlx::migrate!()\n}\n";

/// The crates that do not watch `directory`, as `crate file:line path`.
fn unwatched(files: &[(&str, &str)], directory: &str) -> Vec<String> {
    let root = repository(files);
    let shown = |Unwatched { krate, file, line, path, script }: Unwatched| {
        format!("{krate} {file}:{line} {path}{}", script.map(|script| format!(" not {script}")).unwrap_or_default())
    };
    Embedders::below(root.path()).unwatched(Path::new(directory)).into_iter().map(shown).collect()
}

#[test]
fn a_crate_without_a_build_script_does_not_watch_its_migrations() {
    assert_eq!(
        unwatched(&[("Cargo.toml", API), ("src/main.rs", MAIN)], "migrations"),
        ["api src/main.rs:2 migrations"]
    );
    let script = |text| unwatched(&[("Cargo.toml", API), ("src/main.rs", MAIN), ("build.rs", text)], "./migrations");
    assert_eq!(script("fn main() { println!(\"cargo:rerun-if-changed=migrations\") }"), [""; 0]);
    assert_eq!(script("fn main() {}"), [""; 0]);
    assert_eq!(
        script("fn main() { println!(\"cargo:rerun-if-changed=proto\") }"),
        ["api src/main.rs:2 migrations not build.rs"]
    );
    let elsewhere = format!("{API}[package.metadata]\n").replace("'api'", "'api'\nbuild = 'b/main.rs'");
    let files = [("Cargo.toml", &*elsewhere), ("src/main.rs", MAIN), ("b/main.rs", "fn main() {}"), ("build.rs", "x")];
    assert_eq!(unwatched(&files, "migrations"), [""; 0]);
    let none = API.replace("'api'", "'api'\nbuild = false");
    let files = [("Cargo.toml", &*none), ("src/main.rs", MAIN), ("build.rs", "fn main() {}")];
    assert_eq!(unwatched(&files, "migrations").len(), 1);
}

#[test]
fn only_what_runs_counts_and_only_where_sqlx_is_used() {
    let call = |path: &str| unwatched(&[("Cargo.toml", API), (path, MAIN)], "migrations").len();
    assert_eq!((call("src/deep/er.rs"), call("tests/a.rs"), call("examples/a.rs"), call("benches/a.rs")), (1, 0, 0, 0));
    assert_eq!((call("target/a.rs"), call("src/a.txt")), (0, 0));
    let main = "#[cfg(test)]\nmod checks;\nfn main() {}\n";
    let of_tests =
        |path: &str| unwatched(&[("Cargo.toml", API), ("src/main.rs", main), (path, MAIN)], "migrations").len();
    assert_eq!((of_tests("src/checks.rs"), of_tests("src/checks/mod.rs"), of_tests("src/other.rs")), (0, 0, 1));
    let without = "[package]\nname = 'api'\n";
    assert_eq!(unwatched(&[("Cargo.toml", without), ("src/main.rs", MAIN)], "migrations"), [""; 0]);
    assert_eq!(unwatched(&[("src/main.rs", MAIN)], "migrations"), [""; 0]);
    let program = format!("{API}[[bin]]\nname = 'x'\npath = 'cmd/x.rs'\n");
    assert_eq!(unwatched(&[("Cargo.toml", &program), ("cmd/x.rs", MAIN)], "migrations").len(), 1);
    let beside =
        |path: &str| unwatched(&[("Cargo.toml", &program), ("cmd/x.rs", ""), (path, MAIN)], "migrations").len();
    assert_eq!((beside("cmd/db.rs"), beside("cmd/db/mod.rs"), beside("db.rs"), beside("other/db.rs")), (1, 1, 0, 0));
    let of_tests = format!("{API}[[bin]]\nname = 'x'\npath = 'tests/x.rs'\n");
    let beside = |path: &str| unwatched(&[("Cargo.toml", &of_tests), (path, MAIN)], "migrations").len();
    assert_eq!((beside("tests/x.rs"), beside("tests/y.rs")), (1, 0));
}

#[test]
fn a_directory_outside_of_its_crate_is_found_through_the_workspace() {
    let embedding = "static M: M = db::migrate!(\"../../migrations\");";
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['crates/*']\n[workspace.dependencies]\ndb = { package = 'sqlx', version = '0.9' }\n",
        ),
        ("crates/store/Cargo.toml", "[package]\nname = 'store'\n[dependencies]\ndb.workspace = true\n"),
        ("crates/store/src/lib.rs", embedding),
        ("crates/api/Cargo.toml", "[package]\nname = 'api'\n[dependencies]\nstore = { path = '../store' }\n"),
        ("crates/api/src/main.rs", "fn main() {}"),
    ];
    assert_eq!(unwatched(&files, "migrations"), ["store crates/store/src/lib.rs:1 ../../migrations"]);
    assert_eq!(unwatched(&files, "crates/store/migrations"), [""; 0]);
    let script = [("crates/store/build.rs", "fn main() { println!(\"cargo:rerun-if-changed=../../migrations\") }")];
    assert_eq!(unwatched(&[&files[..], &script].concat(), "migrations"), [""; 0]);
    // A script that says nothing has cargo look at its package, and the directory is outside of that.
    let silent = [("crates/store/build.rs", "fn main() {}")];
    assert_eq!(
        unwatched(&[&files[..], &silent].concat(), "migrations"),
        ["store crates/store/src/lib.rs:1 ../../migrations not crates/store/build.rs"]
    );
}

#[test]
fn the_default_directory_is_that_of_sqlx_toml() {
    let files = [("Cargo.toml", API), ("src/main.rs", MAIN), ("sqlx.toml", "[migrate]\nmigrations-dir = 'db/sql'\n")];
    assert_eq!(unwatched(&files, "db/sql"), ["api src/main.rs:2 db/sql"]);
    assert_eq!(unwatched(&files, "migrations"), [""; 0]);
}

#[test]
fn what_cannot_be_read_stops_nothing() {
    let root = repository(&[
        ("Cargo.toml", API),
        ("src/main.rs", MAIN),
        ("broken/Cargo.toml", "[package"),
        ("broken/a.sql", ""),
    ]);
    fs::write(root.path().join("src/latin.rs"), b"// \xe9\nsqlx::migrate!()").unwrap();
    fs::write(root.path().join("src/long.rs"), " ".repeat(2 << 20)).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", root.path().join("src/loop")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.path().join("src/zero.rs")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.path().join("build.rs")).unwrap();
    }
    let embedders = Embedders::below(root.path());
    assert_eq!(embedders.unwatched(Path::new("migrations")).len(), 1);
    for directory in ["broken/migrations", "../migrations", "/migrations", "."] {
        assert!(embedders.unwatched(Path::new(directory)).is_empty(), "{directory}");
    }
    let found = every_crate(root.path());
    assert_eq!(found.crates.len(), 1);
    let [(file, why)] = &found.unread[..] else { panic!("{found:?}") };
    assert_eq!(file, "broken/Cargo.toml");
    assert!(!why.contains('\n') && !why.is_empty(), "{why}");
}

#[test]
fn every_crate_is_found_with_what_it_asks_for() {
    let root = repository(&[
        ("a/Cargo.toml", &API.replace("sqlx = '0.9'", "sqlx = { version = '0.9', features = ['mysql'] }")),
        ("a/src/main.rs", "fn main() { Migrator::new(Path::new(\"./db\")).set_ignore_missing(true) }"),
        ("a/tests/a.rs", MAIN),
        ("a/sqlx.toml", "[migrate]\ntable-name = 'other'\n"),
        ("db/1_a.sql", ""),
        ("b/Cargo.toml", "[package]\nname = 'b'\n[dependencies]\nx = { package = 'api', path = '../a' }\n"),
        ("target/c/Cargo.toml", API),
        ("node_modules/d/Cargo.toml", API),
    ]);
    let found = every_crate(root.path()).crates;
    let calls = [
        Call { directory: "db".into(), file: "a/src/main.rs".into(), line: 1, way: Way::Reads },
        Call { directory: "a/migrations".into(), file: "a/tests/a.rs".into(), line: 2, way: Way::InTests },
    ];
    assert_eq!(
        found,
        [
            Crate {
                name: "api".into(),
                folder: "a".into(),
                packages: BTreeSet::from(["sqlx".into()]),
                engines: vec![Engine::MySql],
                calls: calls.into(),
                handed_on: Vec::new(),
                ignores_missing: true,
                table: Some("other".into()),
                script: None,
            },
            Crate {
                name: "b".into(),
                folder: "b".into(),
                packages: BTreeSet::from(["api".into()]),
                ..Crate::default()
            },
        ]
    );
}
