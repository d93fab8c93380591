//! The house: which module may import which, held against the `crate::` paths of the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Plain data: each may use those before it in this list.
const VOCABULARY: [&str; 14] = [
    "text",
    "parallel",
    "secret",
    "github",
    "migration",
    "source",
    "embedded",
    "tenants",
    "history",
    "table_name",
    "finding",
    "policy",
    "group",
    "target",
];

/// What each other module may import beside the vocabulary. The order is that of the stream.
const MAY_IMPORT: [(&str, &[&str]); 19] = [
    ("file", &[]),
    ("yaml", &[]),
    ("sqlx_toml", &["file"]),
    ("cli", &[]),
    ("git", &[]),
    ("startup", &[]),
    ("report", &["startup"]),
    ("crates", &["file", "sqlx_toml"]),
    ("inputs", &["file", "cli", "yaml", "sqlx_toml", "crates", "report"]),
    ("plan", &["inputs"]),
    ("init", &["crates", "inputs"]),
    ("gather", &["git", "sqlx_toml", "crates"]),
    ("compare", &["startup"]),
    ("explain", &["git"]),
    ("restore", &["git", "explain"]),
    ("render", &["report", "startup", "restore"]),
    ("publish", &["cli", "report", "render", "restore"]),
    ("ending", &["publish"]),
    (
        "commands",
        &[
            "cli", "git", "inputs", "plan", "init", "gather", "compare", "explain", "restore", "report", "render",
            "publish",
        ],
    ),
];

/// The modules that do no I/O, and what none of them may name.
const PURE: [&str; 7] = ["compare", "startup", "plan", "init", "report", "render", "yaml"];
const IMPURE: [&str; 9] =
    ["std::fs", "std::env", "std::time", "Utc::now", "std::net", "std::process", "tokio::", ".await", "sqlx::"];

/// The top-level modules with their source, tests left out.
fn modules() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules: BTreeMap<String, String> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap) {
        let path = entry.path().strip_prefix(&root).unwrap();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.extension().is_none_or(|extension| extension != "rs") || is_test {
            continue;
        }
        let module = path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(entry.path()).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        modules.entry(module).or_default().extend(code.map(|line| format!("{line}\n")));
    }
    modules.remove("main");
    modules.remove("lib");
    modules
}

/// The top-level modules that `code` names after `crate::`.
fn imports(code: &str) -> BTreeSet<&str> {
    let name = |rest: &'_ str| rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    code.split("crate::").skip(1).map(|rest| &rest[..name(rest)]).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_module_imports_only_what_the_house_allows() {
    let modules = modules();
    let mut wrong = Vec::new();
    for (module, code) in &modules {
        let allowed: Vec<&str> = match VOCABULARY.iter().position(|name| name == module) {
            Some(rank) => VOCABULARY[..rank].to_vec(),
            None => match MAY_IMPORT.iter().find(|(name, _)| name == module) {
                Some((_, allowed)) => [&VOCABULARY[..], allowed].concat(),
                None => panic!("`{module}` has no place in the table of this test: give it one"),
            },
        };
        let foreign = imports(code).into_iter().filter(|name| *name != module && !allowed.contains(name));
        wrong.extend(foreign.map(|name| format!("{module} → {name}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(modules.len(), VOCABULARY.len() + MAY_IMPORT.len(), "the table names a module that is gone");
}

#[test]
fn the_table_itself_has_no_cycle() {
    for (index, (module, allowed)) in MAY_IMPORT.iter().enumerate() {
        let later = MAY_IMPORT[index..].iter().map(|(name, _)| name);
        let cycle: Vec<_> = later.filter(|name| allowed.contains(name)).collect();
        assert!(cycle.is_empty(), "{module} may import {cycle:?}, which stands after it");
    }
}

#[test]
fn pure_modules_name_nothing_impure_and_only_publish_writes() {
    for (module, code) in modules() {
        let pure = VOCABULARY.contains(&module.as_str()) || PURE.contains(&module.as_str());
        for name in IMPURE.iter().filter(|_| pure) {
            assert!(!code.contains(name), "{module} names {name}");
        }
        for name in ["fs::write", "File::create", "io::stdout", "anstream::stdout", "write_all", "create_dir"] {
            assert!(module == "publish" || !code.contains(name), "{module} names {name}");
        }
    }
}

#[test]
fn every_rule_has_a_row_in_the_readme_with_its_default() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for rule in migration_preflight::finding::Rule::all() {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{rule}` |")));
        let row = row.unwrap_or_else(|| panic!("README.md has no row for {rule}"));
        assert!(row.contains(rule.default_severity()), "{row}: the default is {}", rule.default_severity());
    }
}

#[test]
fn there_is_one_provider_of_cryptography_and_it_is_ring() {
    // Not the lock file: it names what a feature that nobody has asked for would bring. Crates of other systems may have
    // to be fetched for it.
    let arguments = "tree --locked --target all --edges normal,build --prefix none --format {p}";
    let tree = Command::new(env!("CARGO")).args(arguments.split(' ')).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let tree = String::from_utf8(tree.unwrap().stdout).unwrap();
    let has = |name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(has("ring") && has("sqlx"), "{tree}");
    for other in ["aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls"] {
        assert!(!has(other), "{other} is built");
    }
}
