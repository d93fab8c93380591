//! `action.yml` and `dist`: what they promise is what the program does and the README says, and what is committed is whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use migration_preflight::cli::Cli;
use migration_preflight::inputs::action;
use serde_yaml::{Mapping, Value};

use crate::shared::repository::Repository;

/// The inputs that are no flags: which command, and what only a run of a workflow has.
const NO_FLAGS: [&str; 3] = ["command", "token", "check-run-id"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A mapping of `action.yml`.
fn mapping(name: &str) -> Mapping {
    let action: Value = serde_yaml::from_str(&read("action.yml")).unwrap();
    action[name].as_mapping().unwrap().clone()
}

fn names(name: &str) -> BTreeSet<String> {
    mapping(name).keys().map(|key| key.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_input_is_a_flag_that_the_step_passes_on() {
    let command = Cli::command();
    let flags: BTreeSet<_> =
        command.get_subcommands().flat_map(|c| c.get_arguments().filter_map(clap::Arg::get_long)).collect();
    let inputs = names("inputs");
    for input in inputs.iter().filter(|name| !NO_FLAGS.contains(&name.as_str())) {
        assert!(flags.contains(input.as_str()), "{input} is no flag");
        let variable = format!("INPUT_{}", input.to_ascii_uppercase());
        let passed = action::arguments(&|name| (name == variable).then(|| "true".to_owned())).unwrap();
        let flag = format!("--{input}");
        assert!(
            passed.contains(&flag) || passed.contains(&format!("{flag}=true")),
            "{input} is not passed on: {passed:?}"
        );
    }
    let absent: Vec<_> = action::VALUES
        .iter()
        .chain(&action::LISTS)
        .chain(&action::SWITCHES)
        .filter(|name| !inputs.contains(**name))
        .collect();
    assert_eq!(absent, Vec::<&&str>::new(), "they are no inputs");
    let no_flags: Vec<_> = NO_FLAGS.iter().filter(|name| inputs.contains(**name) && !flags.contains(*name)).collect();
    assert_eq!(no_flags.len(), NO_FLAGS.len());
}

#[test]
fn every_output_is_written() {
    let repository = Repository::new()
        .file("migrations/1_one.sql", "SELECT 1;\n")
        .database("dev.db", &[])
        .config("defaults: { database-url: 'sqlite:dev.db' }\n");
    let outputs = repository.path().join("outputs");
    let environment = [("GITHUB_OUTPUT", outputs.to_str().unwrap()), ("INPUT_REPORT", "annotations")];
    let run = repository.run_with(&["action"], &environment);
    assert_eq!(run.code, 0, "{run}");
    let text = fs::read_to_string(outputs).unwrap();
    let written: BTreeSet<_> =
        text.lines().filter_map(|line| line.split_once("<<")).map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names("outputs"), written);
}

#[test]
fn every_input_and_output_is_described_in_one_sentence_and_stands_in_the_readme() {
    let readme = read("README.md");
    let mut absent = Vec::new();
    for (name, value) in mapping("inputs").iter().chain(&mapping("outputs")) {
        let (name, description) = (name.as_str().unwrap(), value["description"].as_str().unwrap());
        assert!(description.ends_with('.') && !description.contains(". ") && description.len() < 120, "{name}");
        // A flag has a row of its own with two hyphens before it.
        if !readme.lines().any(|line| line.starts_with(&format!("| `{name}` |"))) {
            absent.push(name.to_owned());
        }
    }
    assert_eq!(absent, Vec::<String>::new(), "README.md has no row for them");
}

#[test]
fn no_input_is_required_and_only_the_job_gives_defaults() {
    let defaults: Vec<_> = mapping("inputs")
        .iter()
        .inspect(|(name, input)| assert!(input.get("required").is_none(), "{name:?}"))
        .filter_map(|(name, input)| Some(format!("{}: {}", name.as_str()?, input.get("default")?.as_str()?)))
        .collect();
    let expected = [
        "matrix: ${{ toJSON(matrix) }}",
        "report: auto",
        "token: ${{ github.token }}",
        "check-run-id: ${{ job.check_run_id }}",
    ];
    assert_eq!(defaults, expected);
}

#[test]
fn what_the_runner_starts_is_there() {
    let runs = mapping("runs");
    assert_eq!(runs["using"], "node24");
    for stage in ["main", "post"] {
        assert!(path(runs[stage].as_str().unwrap()).is_file(), "{stage}");
    }
    assert_eq!(read("dist/VERSION").trim(), env!("CARGO_PKG_VERSION"));
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_committed_program_is_the_one_with_the_sum_and_starts() {
    use sha2::{Digest, Sha256};

    let name = "migration-preflight-x86_64-unknown-linux-gnu";
    let program = path("dist").join(name);
    let sum: String = Sha256::digest(fs::read(&program).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
    let sums = read("dist/SHA256SUMS");
    assert!(sums.lines().any(|line| line == format!("{sum}  {name}")), "{sum} is not in\n{sums}");
    let output = std::process::Command::new(program).arg("--version").output().unwrap();
    let version = concat!("migration-preflight ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap().as_str()), (Some(0), version));
}
