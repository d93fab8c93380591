//! Whether a build script has cargo look at a directory. Pure: the script is read, and never run.

use std::path::Path;

use super::path::joined;
use super::rust::{Kind, tokens};

/// What tells cargo to look at a file or a folder and everything below.
const CHANGED: &str = "rerun-if-changed=";
/// What every such instruction begins with.
const RERUN: &str = "rerun-if-";

/// Whether cargo compiles the crate in `folder` again when a file is added to `directory`, by its build `script`.
///
/// It does where the script names the directory or one above, and where it names nothing at all: cargo looks at the whole
/// package then. So it does, at every build, where a path is a pattern. A path that is put together is judged by the texts
/// that it may be made of.
pub fn watches(script: &str, folder: &Path, directory: &Path) -> bool {
    let texts: Vec<String> = tokens(script)
        .into_iter()
        .filter_map(|token| if let Kind::Text(text) = token.kind { Some(text) } else { None })
        .collect();
    if !texts.iter().any(|text| text.contains(RERUN)) {
        return directory.starts_with(folder);
    }
    let instructions = texts.iter().flat_map(|text| text.split(CHANGED).skip(1));
    let paths = instructions.map(|rest| rest.lines().next().unwrap_or_default());
    let (made, whole): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_empty() || path.contains('{'));
    // cargo has no patterns: no file is called so, and for one that is not there it compiles every time.
    let is_pattern = |path: &str| path.contains('*');
    let covers = |path: &str| is_pattern(path) || joined(folder, path).is_some_and(|path| directory.starts_with(path));
    whole.iter().any(|path| covers(path))
        || (!made.is_empty() && texts.iter().any(|text| may_name(text, folder, directory)))
}

/// Whether a text may be what a path to `directory` is made of: it leads there, or to a folder above, or is
/// how it ends.
fn may_name(text: &str, folder: &Path, directory: &Path) -> bool {
    // `{}/migrations` after the folder of the crate.
    let path = text.rsplit('}').next().unwrap_or(text).trim_start_matches('/');
    let is_named = path.contains(|c: char| c != '.' && c != '/');
    let leads_there = || joined(folder, path).is_some_and(|path| directory.starts_with(path));
    match text.split_once(CHANGED) {
        Some((_, made)) => may_name(made, folder, directory),
        None => is_named && (leads_there() || directory.ends_with(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watches_db(script: &str, directory: &str) -> bool {
        watches(&format!("fn main() {{ {script} }}"), Path::new("crates/api"), Path::new(directory))
    }

    const OWN: &str = "crates/api/migrations";

    #[test]
    fn a_directory_is_watched_that_is_named_or_lies_below_one() {
        for path in [
            "migrations",
            "./migrations",
            "migrations/",
            ".",
            "../api",
            "../..",
            "./src/../migrations",
            "migrations/*.sql",
        ] {
            assert!(watches_db(&format!("println!(\"cargo:rerun-if-changed={path}\")"), OWN), "{path}");
        }
        for path in ["build.rs", "migrations/1_a.sql", "migration", "../migrations", "src", "/migrations", "../../.."] {
            assert!(!watches_db(&format!("println!(\"cargo::rerun-if-changed={path}\")"), OWN), "{path}");
        }
        assert!(watches_db(
            "print!(\"cargo:rerun-if-changed=a\\ncargo:rerun-if-changed=../../migrations\\n\")",
            "migrations"
        ));
    }

    #[test]
    fn without_an_instruction_cargo_looks_at_the_package_and_no_further() {
        assert!(watches_db("tonic_build::compile()", OWN));
        assert!(!watches_db("tonic_build::compile()", "migrations"));
        // Any instruction ends that.
        assert!(!watches_db("println!(\"cargo:rerun-if-env-changed=GIT_HASH\")", OWN));
        assert!(watches_db("// println!(\"cargo:rerun-if-changed=build.rs\")", OWN));
    }

    #[test]
    fn a_path_that_is_put_together_is_judged_by_its_parts() {
        for script in [
            "println!(\"cargo:rerun-if-changed={}\", \"migrations\")",
            "let d = \"./migrations\"; println!(\"cargo:rerun-if-changed={d}\")",
            "println!(\"cargo:rerun-if-changed={}/migrations\", env!(\"CARGO_MANIFEST_DIR\"))",
            "let d = format!(\"{root}/migrations\"); println!(\"cargo:rerun-if-changed={d}\")",
            "println!(\"cargo:rerun-if-changed={}\", root.join(\"migrations\").display())",
            "println!(concat!(\"cargo:rerun-if-changed=\", \"migrations\"))",
        ] {
            assert!(watches_db(script, OWN), "{script}");
        }
        for script in [
            "println!(\"cargo:rerun-if-changed={}\", \"proto\")",
            "println!(\"cargo:rerun-if-changed={}\", \"../migrations\")",
            "for file in [\"../..\", \".\", \"a.proto\"] { println!(\"cargo:rerun-if-changed={file}\") }",
            "println!(\"cargo:rerun-if-changed=build.rs\"); let a = \"migrations\";",
        ] {
            assert!(!watches_db(script, OWN), "{script}");
        }
    }
}
