//! `sqlx.toml`, through sqlx's own parser, which reads nothing but files.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;

use migration_preflight::history::Engine;
use migration_preflight::sqlx_toml::of_crate;

use super::shown::{assert_harmless, assert_not_told};
use super::table_name;

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

pub fn body(data: &[u8]) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(scratch);
        fs::write(folder.path().join("sqlx.toml"), data).expect("a file");
        judge(data, folder.path());
    });
}

fn judge(data: &[u8], root: &Path) {
    match of_crate(root, Path::new("")) {
        Ok(settings) => {
            let names = settings.migrate.table_name.iter().map(|name| &**name);
            for name in names.chain(settings.migrate.create_schemas.iter().map(|name| &**name)) {
                for engine in [Engine::Postgres, Engine::Sqlite, Engine::MySql] {
                    table_name::check(name, engine);
                }
            }
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains('\n'), "{shown}");
            assert_not_told(&String::from_utf8_lossy(data), &shown);
            assert_harmless(&migration_preflight::text::harmless(&shown));
        }
    }
}

/// In memory where the system has such a place: the runs are many, and disks are slow.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}
