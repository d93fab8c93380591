//! `rollback`: which older commits and tags would still start against the databases.

use insta::assert_snapshot;
use serde_json::Value;

use crate::explain::history::History;
use crate::shared::repository::Run;

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
const THREE: &str = "CREATE TABLE three (id INTEGER);\n";

/// A service with three migrations of which two are applied, a bad edit that was reverted, and tags.
fn released() -> History {
    let history = History::new();
    history.write("README.md", "x").commit("Ann", "start");
    history.write("migrations/1_one.sql", ONE).commit("Ann", "add one");
    history.git(&["tag", "v1"]);
    history.write("README.md", "y").commit("Ann", "words");
    history.write("migrations/2_two.sql", TWO).commit("Bob", "add two (#12)");
    history.git(&["tag", "--annotate", "--message", "two", "v2"]);
    history.write("migrations/1_one.sql", ONE.replace("one", "uno")).commit("Cid", "rename");
    history.git(&["revert", "--no-edit", "HEAD"]);
    history.write("README.md", "z").commit("Ann", "more words");
    history.write("migrations/3_three.sql", THREE).commit("Dee", "add three");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    history
}

fn rollback(history: &History, arguments: &[&str]) -> Run {
    history.check(&[&["rollback"], arguments].concat())
}

/// What is printed, without the name of the temporary folder.
fn shown(history: &History, arguments: &[&str]) -> String {
    let folder = history.path().file_name().unwrap().to_str().unwrap().to_owned();
    rollback(history, arguments).to_string().replace(&folder, "[service]")
}

fn json(history: &History, arguments: &[&str]) -> Value {
    let run = rollback(history, &[arguments, &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let schema = include_str!("../../docs/rollback-v1.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let mistakes: Vec<_> = schema.iter_errors(&told).map(|error| error.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new(), "{told:#}");
    told
}

#[test]
fn commits_are_judged_from_the_newest_to_the_oldest_and_the_last_that_starts_is_named() {
    let history = released();
    assert_snapshot!(shown(&history, &[]), @r"
    exit code 0
    [service] in default: 2 migrations applied
        2026-01-07               ed9062896157                     ✓ starts, applies 1                                                                    add three
        2026-01-06 … 2026-01-05  4208c830b17f … 5019e699f74d (2)  ✓ starts
        2026-01-05               bd8e541355ae                     ✗ fails: migration 1 was previously applied but has been modified                      rename
        2026-01-04               17f0e0b42b8d                     ✓ starts                                                                               add two (#12)
        2026-01-03 … 2026-01-02  bef2ef55f217 … 6bae3fce80ab (2)  ✗ fails: migration 2 was previously applied but is missing in the resolved migrations
        2026-01-01               208f12597101                     ? unknown: there is no directory `migrations` in the commit                            start
    the oldest that would start: 17f0e0b42b8d
    ");
    assert_snapshot!(shown(&history, &["--from", "v2", "--last", "2"]), @r"
    exit code 0
    [service] in default: 2 migrations applied
        2026-01-04  17f0e0b42b8d  ✓ starts                                                                               add two (#12)
        2026-01-03  bef2ef55f217  ✗ fails: migration 2 was previously applied but is missing in the resolved migrations  words
    the oldest that would start: 17f0e0b42b8d
    ");
}

#[test]
fn every_verdict_is_that_of_a_check_of_the_commit() {
    let history = released();
    let told = json(&history, &[]);
    let candidates = told["targets"][0]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 8);
    for candidate in candidates {
        let source = format!("git:{}", candidate["name"].as_str().unwrap());
        let run = history.check(&["--source", &source, "--format", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        for key in ["startup", "counts"] {
            assert_eq!(candidate[key], report["targets"][0][key], "{candidate:#}");
        }
    }
    assert_eq!(told["targets"][0]["oldest"], history.git(&["rev-parse", "v2^{commit}"]));
}

#[test]
fn tags_are_looked_at_by_their_date_and_a_pattern_leaves_some_out() {
    let history = released();
    history.git(&["tag", "other", "HEAD"]);
    let names = |arguments: &[&str]| {
        let told = json(&history, arguments);
        let names = told["targets"][0]["candidates"].as_array().unwrap().iter();
        names.map(|candidate| candidate["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--tags"]), ["other", "v2", "v1"]);
    assert_eq!(names(&["--tags=v*"]), ["v2", "v1"]);
    assert_eq!(names(&["--tags", "--last", "1"]), ["other"]);
    assert_snapshot!(shown(&history, &["--tags=v*"]), @r"
    exit code 0
    [service] in default: 2 migrations applied
        2026-01-04  v2  ✓ starts                                                                               add two (#12)
        2026-01-02  v1  ✗ fails: migration 2 was previously applied but is missing in the resolved migrations  add one
    the oldest that would start: v2
    ");
    assert_snapshot!(shown(&history, &["--tags=x*"]), @r"
    exit code 1
    [service] in default: 2 migrations applied

    there is no build to look at
    ");
}

#[test]
fn where_nothing_starts_or_nothing_can_be_read_the_exit_code_says_so() {
    let history = released();
    history.repository.add_database("other.db", &[(7, "seven", ONE)]);
    let other = [("DATABASE_URL", "sqlite:other.db")];
    let run = history.check_with(&["rollback", "--last", "3"], &other);
    assert!(run.code == 1 && run.stdout.ends_with("none of them would start\n"), "{run}");
    let run = history.check_with(&["rollback"], &[("DATABASE_URL", "sqlite:absent.db")]);
    assert!(run.code == 3 && run.stdout.contains("the history could not be read"), "{run}");
    let run = rollback(&history, &["--from", "v9"]);
    assert_snapshot!(run, @r"
    exit code 2
    --- stderr
    error: --from `v9` names no commit that is here
      help: fetch it first, or name a branch, tag or commit of this clone
    ");
    let run = history.check_with(&["rollback"], &[("PATH", "/nonexistent")]);
    assert!(run.code == 2 && run.stderr.contains("the program `git` is not installed"), "{run}");
}

#[test]
fn another_table_than_the_one_that_was_read_is_no_answer() {
    let history = released();
    history
        .write("Cargo.toml", "")
        .write("sqlx.toml", "[migrate]\ntable-name = \"elsewhere\"\n")
        .commit("Eve", "table");
    history.write("sqlx.toml", "").commit("Eve", "and back");
    let told = json(&history, &["--last", "3"]);
    let outcomes: Vec<_> = told["targets"][0]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| (candidate["startup"]["outcome"].as_str().unwrap(), candidate["problem"].as_str()))
        .collect();
    let problem = "its sqlx.toml names the table `elsewhere`, which was not read";
    assert_eq!(outcomes, [("starts-and-applies", None), ("unknown", Some(problem)), ("starts-and-applies", None)]);
}

#[test]
fn a_shallow_clone_says_that_there_is_more() {
    let history = released();
    let from = format!("file://{}", history.path().display());
    history.git(&["clone", "--quiet", "--depth", "2", &from, "shallow"]);
    std::fs::copy(history.path().join("dev.db"), history.path().join("shallow/dev.db")).unwrap();
    let history = history.seen_in("shallow");
    let told = json(&history, &[]);
    assert_eq!(told["targets"][0]["candidates"].as_array().unwrap().len(), 2);
    assert!(told["notes"][0].as_str().unwrap().contains("`fetch-depth: 0`"), "{told:#}");
    assert!(rollback(&history, &[]).stdout.contains("\nnote: the clone is shallow"));
}
