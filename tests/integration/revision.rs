//! `--source git:REV`: a commit is read as its checkout would be, and nothing is checked out.

use std::os::unix::fs::symlink;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::explain::history::History;

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
const THREE: &str = "CREATE TABLE three (id INTEGER);\n";

/// Two versions of a service: `v1` has one migration, and what is checked out has three, which are all applied.
fn released() -> History {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    history.git(&["tag", "v1"]);
    history.write("migrations/2_two.sql", TWO).commit("Bob", "add two (#12)");
    history.write("migrations/1_one.sql", ONE.replace("one", "uno")).commit("Cid", "rename");
    history.git(&["tag", "v2"]);
    history.write("migrations/1_one.sql", ONE).write("migrations/3_three.sql", THREE).commit("Dee", "add three");
    history.applied(&[(1, "one", ONE), (2, "two", TWO), (3, "three", THREE)]);
    history
}

/// What is printed, without the name of the temporary folder.
fn shown(history: &History, source: &str) -> String {
    let folder = history.path().file_name().unwrap().to_str().unwrap().to_owned();
    history.check(&["--source", source]).to_string().replace(&folder, "[service]")
}

#[test]
fn an_old_revision_is_told_by_what_it_lacks_and_who_added_that() {
    let history = released();
    assert_eq!(history.check(&[]).code, 0);
    assert_snapshot!(shown(&history, "git:v1"), @r"
    exit code 1
    fail: the target would not start, 2 errors

    [service] in default
      source    1 defined in v1:migrations (commit 8e68ac6abd07)
      history   3 applied: 2 missing, 0 mismatched; 0 pending
      start-up  fails: migration 2 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 2 was applied, but the source has no file for it (two)
        --> migrations/2_two.sql:1
        why: the revision `v1` lacks it: `2_two.sql` stands on `main`, `v2`, added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”); deploy what is built of a commit that has it
      error[missing-migration]: migration 3 was applied, but the source has no file for it (three)
        --> migrations/3_three.sql:1
        why: the revision `v1` lacks it: `3_three.sql` stands on `main`, added by Dee in 7726ae77c750 on 2026-01-04 (“add three”); deploy what is built of a commit that has it
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.
    ");
    assert_snapshot!(shown(&history, "git:v2"), @r"
    exit code 1
    fail: the target would not start, 2 errors

    [service] in default
      source    2 defined in v2:migrations (commit 998146f8dfb3)
      history   3 applied: 1 missing, 1 mismatched; 0 pending
      start-up  fails: migration 3 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 3 was applied, but the source has no file for it (three)
        --> migrations/3_three.sql:1
        why: the revision `v2` lacks it: `3_three.sql` stands on `main`, added by Dee in 7726ae77c750 on 2026-01-04 (“add three”); deploy what is built of a commit that has it
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

      error[checksum-mismatch]: migration 1 was changed after it was applied: the row has checksum e108174f780e…, the file 2a6e1e8c0865… (one)
        --> migrations/1_one.sql:1
        why: the revision `v2` has another content of it: `1_one.sql` stands on `main`, `v1`, added by Ann in 8e68ac6abd07 on 2026-01-01 (“start”); deploy what is built of a commit that has it; what it has was added by Cid in 998146f8dfb3 on 2026-01-03 (“rename”)
          -CREATE TABLE one (id INTEGER);
          +CREATE TABLE uno (id INTEGER);
        help: Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.
    ");
    let run = history.check(&["--source", "git:HEAD~1", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let source = &report["targets"][0]["source"];
    assert_eq!((source["kind"].as_str(), source["location"].as_str()), (Some("revision"), Some("HEAD~1:migrations")));
    assert_eq!(source["commit"], history.git(&["rev-parse", "v2"]));
    assert_eq!(history.git(&["status", "--porcelain"]), "", "nothing is checked out");
}

/// What a run says of the code side, and of what follows from it.
fn told(run: &crate::shared::repository::Run) -> Value {
    let mut report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let target = report["targets"][0].as_object_mut().unwrap();
    target.remove("source");
    for finding in target["findings"].as_array_mut().unwrap() {
        finding.as_object_mut().unwrap().remove("explanation");
        // Why a link leads nowhere is in the words of whoever followed it.
        let message = finding["message"].as_str().unwrap();
        if message.starts_with("sqlx fails on this file: it cannot be read") {
            finding["message"] = "it cannot be read".into();
        }
    }
    let error = target["startup"]["error"].as_str().map(|error| error.split("it cannot").next().unwrap().to_owned());
    target["startup"]["error"] = error.into();
    Value::Object(target.clone())
}

/// What somebody does to a repository.
type Edit = fn(&History);

fn link(history: &History, to: &str, from: &str) {
    symlink(to, history.path().join(from)).unwrap();
}

fn write(history: &History, files: &[(&str, &str)]) {
    files.iter().for_each(|(path, content)| drop(history.write(&format!("api/{path}"), content).path()));
}

/// One after the other, each on top of those before.
const EDITS: [(&str, Edit); 17] = [
    ("plain", |_| {}),
    ("reversible", |history| {
        write(history, &[("migrations/5_five.up.sql", THREE), ("migrations/5_five.down.sql", "DROP")]);
    }),
    ("link", |history| link(history, "../../shared/two.sql", "api/migrations/2_two.sql")),
    ("link to a link", |history| {
        link(history, "two.sql", "shared/again.sql");
        link(history, "../../shared/again.sql", "api/migrations/3_again.sql");
    }),
    ("link to a folder", |history| link(history, "../../shared", "api/migrations/4_folder.sql")),
    ("twins", |history| write(history, &[("migrations/01_uno.sql", TWO)])),
    ("ignored", |history| {
        write(history, &[("migrations/6-six.sql", ONE), ("migrations/6_six.SQL", ONE)]);
        write(history, &[("migrations/README.md", ""), ("migrations/add.sql", ONE)]);
    }),
    ("misplaced", |history| {
        write(history, &[("migrations/old/b/2_b.sql", ONE), ("migrations/old/1_a.sql", ONE)]);
        write(history, &[("migrations/old/b.sql", ONE), ("migrations/old/c/d/e/f/3_g.sql", ONE)]);
        write(history, &[("migrations/1_folder.sql/x", ""), ("migrations/deep/a/b/c/4_d.sql", ONE)]);
    }),
    ("settings", |history| write(history, &[("sqlx.toml", "[migrate]\nignored-chars = [\"\\r\"]\n")])),
    ("letters", |history| write(history, &[("migrations/7_seven.sql", "SELECT 7;\r\n")])),
    ("not UTF-8", |history| drop(history.write("api/migrations/8_eight.sql", b"SELECT '\xff';").path())),
    ("no version", |history| write(history, &[("migrations/nine_9.sql", "")])),
    ("a dangling link", |history| link(history, "nowhere", "api/migrations/notes")),
    ("bad settings", |history| write(history, &[("sqlx.toml", "[migrate]\nno-such-key = 1\n")])),
    ("nearer settings", |history| write(history, &[("migrations/Cargo.toml", ""), ("migrations/sqlx.toml", "")])),
    ("a link out", |history| link(history, "/etc/hostname", "api/migrations/10_out.sql")),
    ("gone", |history| std::fs::remove_dir_all(history.path().join("api/migrations")).unwrap()),
];

#[test]
fn a_revision_is_read_as_its_checkout_would_be() {
    let history = History::new();
    let path = history.path();
    history.write("api/Cargo.toml", "").write("api/migrations/1_one.sql", ONE).write("shared/two.sql", TWO);
    for (number, (subject, edit)) in EDITS.iter().enumerate() {
        edit(&history);
        history.commit("Ann", subject);
        history.git(&["tag", &format!("t{number}")]);
    }
    history.write("api/migrations/1_one.sql", ONE).applied(&[(1, "one", ONE), (2, "two", TWO), (9, "nine", ONE)]);
    for (number, (subject, _)) in EDITS.iter().enumerate() {
        let tag = format!("t{number}");
        history.git(&["worktree", "add", "--quiet", "--detach", &format!("checkouts/{tag}"), &tag]);
        let database = format!("sqlite:{}", path.join("dev.db").display());
        let arguments = ["--migrations", "api/migrations", "--format", "json"];
        let folder = format!("checkouts/{tag}");
        let environment = [("DATABASE_URL", database.as_str())];
        let checkout = history.repository.run_in(&folder, &arguments, &environment);
        let config = "services: { api: { migrations: api/migrations } }\n";
        std::fs::create_dir_all(path.join(".github")).unwrap();
        std::fs::write(path.join(".github/migration-preflight.yml"), config).unwrap();
        let source = format!("git:{tag}");
        let revision = history.check(&["--source", &source, "--format", "json"]);
        let (mut checkout, mut revision) = (told(&checkout), told(&revision));
        if *subject == "a link out" {
            // A commit has nothing outside of itself, and so what is there counts for nothing.
            for side in [&mut checkout, &mut revision] {
                assert_ne!(side["startup"]["outcome"], "starts");
                side["findings"] = Value::Null;
                side["startup"] = Value::Null;
                side["counts"] = Value::Null;
            }
        }
        if *subject == "gone" {
            // Each says where there is none.
            for side in [&mut checkout, &mut revision] {
                assert_eq!(side["findings"][0]["rule"], "unreadable-source");
                side["findings"] = Value::Null;
            }
        }
        assert_eq!(revision, checkout, "{subject}");
    }
}

#[test]
fn a_directory_that_was_moved_or_a_revision_that_is_not_there_is_incomplete() {
    let history = released();
    history.git(&["mv", "migrations", "db"]);
    history.commit("Eve", "move");
    let run = history.check(&["--migrations", "db", "--source", "git:v1"]);
    assert_eq!(run.code, 2, "a directory and a source are one too many: {run}");
    history.write("sqlx.toml", "[migrate]\nmigrations-dir = \"db\"\n").write("Cargo.toml", "");
    assert_snapshot!(shown(&history, "git:v1"), @r"
    exit code 3
    incomplete: the target could not be checked

    [service] in default
      source    v1:db could not be read
      history   3 applied
      start-up  unknown: a side could not be read

      incomplete[unreadable-source]: the migrations could not be read: there is no directory `db` in v1
        help: Correct `migrations`: that revision may have them in another directory, which `--config` or the configuration can name.
    ");
    assert_snapshot!(shown(&history, "git:v9"), @r"
    exit code 3
    incomplete: the target could not be checked

    [service] in default
      source    v9:db could not be read
      history   3 applied
      start-up  unknown: a side could not be read

      incomplete[unreadable-source]: the migrations could not be read: the revision `v9` cannot be read: it names no commit that is here; fetch it first, or correct the name
        help: Fetch the revision before this step (actions/checkout with `fetch-depth: 0`), or correct its name.
    ");
    let run = history.check_with(&["--source", "git:v1"], &[("PATH", "/nonexistent")]);
    assert!(run.code == 3 && run.stdout.contains("the program `git` is not installed"), "{run}");
}

#[test]
fn a_clone_that_lacks_the_revision_or_its_contents_says_what_to_add() {
    let history = released();
    let from = format!("file://{}", history.path().display());
    history.git(&["config", "uploadpack.allowFilter", "true"]);
    history.git(&["clone", "--quiet", "--depth", "1", &from, "shallow"]);
    history.git(&["clone", "--quiet", "--filter=blob:none", &from, "partial"]);
    for (folder, words) in [("shallow", "`fetch-depth: 0`"), ("partial", "`git fetch --refetch --no-filter`")] {
        let url = format!("sqlite:{}", history.path().join("dev.db").display());
        let path = std::env::var("PATH").unwrap();
        let environment = [("DATABASE_URL", url.as_str()), ("PATH", &path), ("GIT_CONFIG_GLOBAL", "/dev/null")];
        let run = history.repository.run_in(folder, &["--source", "git:v2~0^{commit}"], &environment);
        assert!(run.code == 3 && run.stdout.contains(words), "{run}");
    }
    assert!(Path::new(&history.path().join("partial")).exists());
}
