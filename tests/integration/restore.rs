//! `restore`: every cause mended and `check` clean afterwards, in a fresh clone too; and nothing lost that no commit has.

mod bytes;
mod ground;
mod refused;
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use crate::explain::history::{History, shown};
use crate::explain::{ALTERED, ONE, TWO, two};
use crate::shared::repository::Run;

/// What is told of the second migration where nothing is in the way.
const WROTE: &str = "exit code 0\nmigration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied\nrestored 1 migration\n";

/// Everything below a folder, git's own files too.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let read = |entry: walkdir::DirEntry| {
        let content = match entry.file_type() {
            kind if kind.is_file() => fs::read(entry.path()).unwrap(),
            kind if kind.is_symlink() => fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes(),
            _ => Vec::new(),
        };
        (entry.path().to_owned(), (entry.metadata().unwrap().mode(), content))
    };
    entries.map(read).collect()
}

/// A run of `restore`, after a dry one that told the same and wrote nothing.
fn run(history: &History, arguments: &[&str]) -> Run {
    let before = tree(history.repository.path());
    let dry = history.check(&[&["restore", "--dry-run"], arguments].concat());
    assert!(before == tree(history.repository.path()), "a dry run has written: {dry}");
    let run = history.check(&[&["restore"], arguments].concat());
    assert_eq!(dry.code, run.code, "{dry}\n{run}");
    let real = [
        ("would write", "wrote"),
        ("would add", "added"),
        ("would rename", "renamed"),
        ("would be refused", "refused"),
        ("could not be restored", "cannot be restored"),
        ("could be restored", "can be restored"),
        ("would have restored", "restored"),
        ("; this was a dry run, and nothing was written", ""),
    ];
    let told = real.into_iter().fold(dry.stdout, |told, (would, did)| told.replace(would, did));
    assert_eq!((told.as_str(), dry.stderr.as_str()), (run.stdout.as_str(), run.stderr.as_str()));
    named(run, history)
}

/// Without the name of the temporary folder, after which a service without configuration is called.
fn named(run: Run, history: &History) -> Run {
    let folder = history.path().file_name().unwrap().to_str().unwrap().to_owned();
    let name = |text: String| text.replace(&folder, "app");
    Run { code: run.code, stdout: name(run.stdout), stderr: name(run.stderr) }
}

/// What `restore` tells of a repository; then that `check` is clean, and that it is in a clone of what is committed.
fn restored(build: impl Fn() -> History) -> String {
    let history = build();
    let run = run(&history, &[]);
    assert_eq!(shown(&history.findings(&[])), "", "after {run}");
    // Twice is once.
    let again = history.check(&["restore"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "restored nothing\n"), "{again}");
    survives(history);
    run.to_string()
}

/// Commits all that there is, and checks a clone whose git changes the ends of lines as it does for many on Windows.
fn survives(history: History) {
    history.commit("Zoe", "restore");
    for (clone, settings) in [("clone", "core.autocrlf=false"), ("other", "core.autocrlf=input")] {
        history.git(&["-c", settings, "clone", "--quiet", "--config", settings, ".", clone]);
        fs::copy(history.path().join("dev.db"), history.path().join(clone).join("dev.db")).unwrap();
    }
    let history = history.seen_in("clone");
    assert_eq!(shown(&history.findings(&[])), "", "in a clone");
    let history = history.seen_in("other");
    assert_eq!(shown(&history.findings(&[])), "", "in another clone");
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// The second migration was applied with this content.
fn applied(history: &History, content: &str) {
    let _ = fs::remove_file(history.path().join("dev.db"));
    history.applied(&[(1, "one", ONE), (2, "two", content)]);
}

fn content(history: &History, path: &str) -> String {
    fs::read_to_string(history.path().join(path)).unwrap()
}

#[test]
fn what_was_deleted_comes_back() {
    assert_snapshot!(restored(|| {
        let history = two();
        history.remove("migrations/2_two.sql").commit("Cid", "tidy");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // In the working tree only: no bytes are lost by undoing that.
    assert_snapshot!(restored(|| {
        let history = two();
        history.remove("migrations/2_two.sql");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    assert_snapshot!(restored(|| {
        let history = two();
        history.git(&["rm", "--quiet", "migrations/2_two.sql"]);
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
}

#[test]
fn a_directory_that_is_gone_is_made_again() {
    assert_snapshot!(restored(|| {
        let history = two();
        history.write(
            ".github/migration-preflight.yml",
            "services: { api: { migrations: migrations, database-url: 'sqlite:dev.db' } }\nenvironments: { dev: {} }\n",
        );
        fs::remove_dir_all(history.path().join("migrations")).unwrap();
        history.commit("Cid", "tidy");
        history
    }), @r#"
    exit code 0
    migration 1 (one) of api in dev: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of api in dev: wrote `migrations/2_two.sql` as it was applied
    restored 2 migrations
    "#);
}

#[test]
fn what_was_edited_is_as_it_was() {
    for altered in [ALTERED, "CREATE TABLE two (id  INTEGER);\n", &format!("-- why\n{TWO}")] {
        let build = || {
            let history = two();
            history.write("migrations/2_two.sql", altered).commit("Cid", "names");
            history
        };
        assert_eq!(restored(build), WROTE);
    }
}

#[test]
fn a_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let history = two();
    history.write("migrations/2_two.sql", ALTERED);
    fs::set_permissions(history.path().join("migrations/2_two.sql"), PermissionsExt::from_mode(0o755)).unwrap();
    history.commit("Cid", "names");
    assert_eq!(run(&history, &[]).code, 0);
    let mode = fs::metadata(history.path().join("migrations/2_two.sql")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, content(&history, "migrations/2_two.sql").as_str()), (0o755, TWO));
}

#[test]
fn what_moved_is_where_sqlx_looks() {
    assert_snapshot!(restored(|| {
        let history = two();
        history.write("migrations/old/2_two.sql", TWO).remove("migrations/2_two.sql").commit("Cid", "tidy");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: renamed `migrations/old/2_two.sql` to `migrations/2_two.sql`
    restored 1 migration
    "#);
    // A checkout has changed its ends of lines there.
    let history = two();
    history.write("migrations/old/2_two.sql", TWO).remove("migrations/2_two.sql").commit("Cid", "tidy");
    history.git(&["config", "core.autocrlf", "true"]);
    history.remove("migrations/old/2_two.sql").git(&["checkout", "--", "migrations/old/2_two.sql"]);
    assert_eq!(content(&history, "migrations/old/2_two.sql"), crlf(TWO));
    assert_eq!(run(&history, &[]).code, 0);
    assert_eq!(content(&history, "migrations/2_two.sql"), TWO);
    assert!(!history.path().join("migrations/old/2_two.sql").exists());
    // The directory itself has moved since.
    assert_snapshot!(restored(|| {
        let history = two();
        history.remove("migrations/2_two.sql").commit("Cid", "delete");
        history.write("api/src/main.rs", "").git(&["mv", "migrations", "api/migrations"]);
        history.commit("Dee", "a workspace");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of api in default: wrote `api/migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
}

#[test]
fn what_another_branch_has_is_brought_here() {
    let on = |branch: &'static str| {
        let history = History::new();
        history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
        history.git(&["branch", "work"]);
        if branch != "main" {
            history.git(&["switch", "--quiet", "--create", branch]);
        }
        history.write("migrations/2_two.sql", TWO).commit("Bob", "add two (#12)");
        history.git(&["switch", "--quiet", "work"]);
        history.write("README.md", "x").commit("Cid", "work");
        history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
        history
    };
    assert_snapshot!(restored(|| on("feature")), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    assert_snapshot!(restored(|| on("main")), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // The merge that is to come finds the same content.
    let history = on("main");
    assert_eq!(run(&history, &[]).code, 0);
    history.commit("Dee", "restore");
    history.git(&["merge", "--quiet", "--no-edit", "main"]);
    assert_eq!(history.check(&[]).code, 0, "{}", history.check(&[]));
    // So it is with a content that is older here.
    let history = two();
    history.git(&["branch", "work"]);
    history.write("migrations/2_two.sql", ALTERED).commit("Cid", "names");
    history.git(&["switch", "--quiet", "work"]);
    history.write("README.md", "x").commit("Dee", "work");
    applied(&history, ALTERED);
    assert_snapshot!(run(&history, &["--base", "main"]), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    history.commit("Dee", "restore");
    history.git(&["merge", "--quiet", "--no-edit", "main"]);
    assert_eq!(history.check(&[]).code, 0);
}

#[test]
fn a_version_that_was_changed_is_changed_back() {
    assert_snapshot!(restored(|| {
        let history = two();
        history.git(&["mv", "migrations/2_two.sql", "migrations/3_two.sql"]);
        history.commit("Cid", "renumber");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: renamed `migrations/3_two.sql` to `migrations/2_two.sql`
    restored 1 migration
    "#);
    // Not where the new one is applied as well.
    let history = two();
    history.git(&["mv", "migrations/2_two.sql", "migrations/3_two.sql"]);
    history.commit("Cid", "renumber");
    fs::remove_file(history.path().join("dev.db")).unwrap();
    history.applied(&[(1, "one", ONE), (2, "two", TWO), (3, "two", TWO)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: cannot be restored: it stands here as `3_two.sql`: it was renumbered by Cid in dcabf4571171 on 2026-01-03 (“renumber”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”); that version is applied as well, and `migration-preflight check` prints the SQL that mends the row
    could not restore 1
    "#);
}

#[test]
fn versions_that_were_moved_up_come_down_one_after_the_other_and_nothing_is_there_twice() {
    let history = two();
    history.git(&["mv", "migrations/2_two.sql", "migrations/3_two.sql"]);
    history.git(&["mv", "migrations/1_one.sql", "migrations/2_one.sql"]);
    history.commit("Cid", "make room");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 1 (one) of app in default: cannot be restored: it stands here as `2_one.sql`: it was renumbered by Cid in b152e39de670 on 2026-01-03 (“make room”); added by Ann in 8e68ac6abd07 on 2026-01-01 (“start”); that version is applied as well, and `migration-preflight check` prints the SQL that mends the row
    migration 2 (two) of app in default: renamed `migrations/2_one.sql` to `migrations/4_one.sql`
    migration 2 (two) of app in default: renamed `migrations/3_two.sql` to `migrations/2_two.sql`
    restored 1 migration, could not restore 1
    "#);
    history.commit("Dee", "restore");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 1 (one) of app in default: renamed `migrations/4_one.sql` to `migrations/1_one.sql`
    restored 1 migration
    "#);
    let check = history.check(&[]);
    assert!(check.code == 0 && check.stdout.contains("starts, with nothing to apply"), "{check}");
}

/// Two versions that were taken twice: what stands here is not what was applied.
fn collisions() -> History {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    history.git(&["switch", "--quiet", "--create", "feature"]);
    history.write("migrations/2_two.sql", TWO).write("migrations/3_three.sql", "SELECT 3;\n").commit("Bob", "more");
    history.git(&["switch", "--quiet", "main"]);
    history.write("migrations/2_other.sql", "CREATE TABLE other (id INTEGER);\n").commit("Cid", "add other");
    history.write("migrations/3_else.sql", "CREATE TABLE other_still (x INTEGER);\n").commit("Cid", "add another");
    history.applied(&[(1, "one", ONE), (2, "two", TWO), (3, "three", "SELECT 3;\n")]);
    history
}

#[test]
fn of_two_migrations_with_one_version_the_one_that_was_not_applied_gives_way() {
    assert_snapshot!(restored(collisions), @r#"
    exit code 0
    migration 2 (two) of app in default: renamed `migrations/2_other.sql` to `migrations/4_other.sql`
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    migration 3 (three) of app in default: renamed `migrations/3_else.sql` to `migrations/5_else.sql`
    migration 3 (three) of app in default: wrote `migrations/3_three.sql` as it was applied
    restored 2 migrations
    "#);
    // The printed commands give each a version of its own as well.
    let history = collisions();
    history.findings(&[]).iter().for_each(|finding| history.mend(finding));
    assert_eq!(history.check(&["--fail-on", "warning"]).code, 0, "{}", history.check(&[]));
}

#[test]
fn a_long_migration_comes_back_whole() {
    let long = "-- größe\n".repeat(400_000);
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).write("migrations/2_long.sql", &long).commit("Ann", "start");
    history.remove("migrations/2_long.sql").commit("Bob", "delete");
    history.applied(&[(1, "one", ONE), (2, "long", &long)]);
    assert_eq!(run(&history, &[]).code, 0);
    assert!(content(&history, "migrations/2_long.sql") == long);
}
