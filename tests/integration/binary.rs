//! The code side from a file that may be anything: what it embeds of what is known, or why nothing can be said.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use migration_preflight::embedded::Known;
use migration_preflight::gather::binary::{self, Binary};
use migration_preflight::migration::{Checksum, MigrationKind, Version};
use migration_preflight::source::SourceError;
use migration_preflight::sqlx_toml;

use crate::shared::worlds::scratch;

/// Three migrations of the checkout.
fn known() -> Vec<Known> {
    let known = |version: i64| Known {
        version: Version(version),
        description: "add".to_owned(),
        kind: MigrationKind::Simple,
        checksum: Checksum::of(version.to_string()),
        path: Some(PathBuf::from(format!("migrations/{version}_add.sql"))),
        commit: None,
    };
    (1..=3).map(known).collect()
}

fn read(root: &Path, path: &str, known: &[Known]) -> Result<Binary, SourceError> {
    let settings = sqlx_toml::of_crate(root, Path::new("")).unwrap();
    binary::read(root, Path::new(path), known, &settings)
}

fn said(root: &Path, path: &str) -> String {
    read(root, path, &known()).unwrap_err().to_string()
}

#[test]
fn what_is_found_in_a_file_is_its_code_side_by_the_settings_of_the_checkout() {
    let root = scratch();
    let [first, _, third] = &known()[..] else { unreachable!() };
    fs::write(root.path().join("sqlx.toml"), "[migrate]\ntable-name = 'history'\nignored-chars = [\"\\r\"]\n").unwrap();
    let bytes = [b"xyz", third.checksum.as_bytes(), b"more", first.checksum.as_bytes()].concat();
    fs::write(root.path().join("app"), bytes).unwrap();
    symlink("app", root.path().join("link")).unwrap();
    let binary = read(root.path(), "link", &known()).unwrap();
    assert_eq!(binary.known, [Some(first.clone()), Some(third.clone())]);
    let defined = binary.defined;
    let paths: Vec<_> = defined.migrations.iter().map(|migration| migration.path.display().to_string()).collect();
    assert_eq!(paths, ["migrations/1_add.sql", "migrations/3_add.sql"]);
    assert_eq!((defined.table.as_deref(), defined.ignored_chars.len()), (Some("history"), 1));
}

#[test]
fn whatever_is_no_binary_is_told_so_without_reading_it() {
    let root = scratch();
    let path = |name: &str| root.path().join(name);
    fs::write(path("empty"), "").unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink("loop", path("loop")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    File::create(path("sparse")).unwrap().set_len(4 << 30).unwrap();
    for (name, expected) in [
        ("absent", "there is no file `absent`"),
        ("empty/below", "there is no file `empty/below`"),
        ("empty", "`empty` cannot be read: it is empty"),
        ("folder", "`folder` cannot be read: it is a directory; name the binary in it"),
        ("loop", "`loop` cannot be read: Too many levels of symbolic links (os error 40)"),
        ("pipe", "`pipe` cannot be read: it is not a regular file"),
        ("/dev/zero", "`/dev/zero` cannot be read: it is not a regular file"),
        ("sparse", "`sparse` cannot be read: it has 2 GiB or more, which no binary of a service has"),
    ] {
        assert_eq!(said(root.path(), name), expected);
    }
}

#[test]
fn a_file_that_embeds_nothing_known_is_told_with_the_likely_reasons() {
    let root = scratch();
    fs::write(root.path().join("app"), "#!/bin/sh\nexec other\n").unwrap();
    insta::assert_snapshot!(
        said(root.path(), "app"),
        @"`app` embeds none of the 3 contents of migrations that are known: it may have been built without sqlx's `migrate!()`, be compressed (as by UPX: give the original), read its migrations from a directory when it starts (then check that), or be another service's binary"
    );
    insta::assert_snapshot!(
        read(root.path(), "app", &[]).unwrap_err(),
        @"`app` was not searched, because nothing is known of this service: no database has a row, and neither the checkout nor git has a migration; check out the service's migrations, or give their directory"
    );
}

#[test]
fn what_two_versions_share_is_no_start() {
    let root = scratch();
    let mut known = known();
    known[1].checksum = known[0].checksum.clone();
    fs::write(root.path().join("app"), known[0].checksum.as_bytes()).unwrap();
    insta::assert_snapshot!(
        read(root.path(), "app", &known).unwrap_err(),
        @"`app` cannot be judged: nothing in it tells whether these versions are embedded, or with which contents: 1, 2; check what it was built from instead (`--source git:REV`)"
    );
}
