//! What is said of build scripts, held against cargo: whether it compiles a crate again when a file is added to a directory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use migration_preflight::crates::build_script::watches;

/// Scripts of the crate `api`, which has migrations in its folder and beside it.
const SCRIPTS: [&str; 8] = [
    "",
    "println!(\"cargo:rerun-if-changed=migrations\");",
    "println!(\"cargo::rerun-if-changed=./migrations/\");",
    "println!(\"cargo:rerun-if-changed={}\", \"../migrations\");",
    "println!(\"cargo:rerun-if-changed=..\");",
    "println!(\"cargo:rerun-if-changed=build.rs\");",
    "println!(\"cargo:rerun-if-changed=migrations/1_a.sql\\ncargo:rerun-if-changed=../migrations\");",
    "println!(\"cargo:rerun-if-env-changed=NOBODY_HAS_SET_THIS\");",
];
const DIRECTORIES: [&str; 2] = ["api/migrations", "migrations"];

/// Builds the crate, and tells whether anything was compiled.
fn compiles(root: &Path) -> bool {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--verbose", "--manifest-path", "api/Cargo.toml"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.with_extension("target"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    told.contains("Compiling api ")
}

/// For each directory, whether the crate with a script is compiled again for a new file.
fn of_cargo(folder: &Path, script: Option<&str>) -> Vec<bool> {
    let root: PathBuf = folder.join("root");
    for directory in ["api/src"].iter().chain(&DIRECTORIES) {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::write(root.join("api/Cargo.toml"), "[package]\nname = \"api\"\nedition = \"2024\"\n[workspace]\n").unwrap();
    fs::write(
        root.join("api/src/main.rs"),
        "const A: &str = include_str!(\"../migrations/1_a.sql\");\nfn main() { assert_eq!(A, \"\") }\n",
    )
    .unwrap();
    DIRECTORIES.iter().for_each(|directory| fs::write(root.join(directory).join("1_a.sql"), "").unwrap());
    if let Some(script) = script {
        fs::write(root.join("api/build.rs"), format!("fn main() {{ {script} }}\n")).unwrap();
    }
    assert!(compiles(&root) && !compiles(&root), "it is built once");
    let added = |directory: &&str| {
        fs::write(root.join(directory).join("2_b.sql"), "").unwrap();
        compiles(&root)
    };
    DIRECTORIES.iter().map(added).collect()
}

#[test]
fn cargo_compiles_a_crate_again_for_a_new_file_exactly_where_it_is_said_to() {
    thread::scope(|scope| {
        let cases = SCRIPTS.map(Some).into_iter().chain([None]).map(|script| {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let ours = DIRECTORIES.map(|directory| {
                    let text = script.map(|script| format!("fn main() {{ {script} }}\n"));
                    text.is_some_and(|text| watches(&text, Path::new("api"), Path::new(directory)))
                });
                assert_eq!(of_cargo(folder.path(), script), ours, "{script:?}");
            })
        });
        // Each is started before the first is waited for.
        let cases: Vec<_> = cases.collect();
        cases.into_iter().for_each(|case| case.join().unwrap());
    });
}
