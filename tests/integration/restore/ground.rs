//! Where something is written, and every kind of repository.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use insta::assert_snapshot;

use super::{WROTE, applied, content, run, tree};
use crate::explain::history::{History, shown};
use crate::explain::{ALTERED, ONE, TWO, two};
use crate::shared::repository::Run;

/// A second migration, deleted.
fn deleted() -> History {
    let history = two();
    history.remove("migrations/2_two.sql").commit("Cid", "delete");
    history
}

#[test]
fn a_link_to_a_directory_of_the_repository_is_followed() {
    let history = deleted();
    history.git(&["mv", "migrations", "real"]);
    symlink("real", history.path().join("migrations")).unwrap();
    history.commit("Dee", "a link");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    assert_eq!(content(&history, "real/2_two.sql"), TWO);
    assert!(history.path().join("migrations").symlink_metadata().unwrap().is_symlink());
    // What is not committed there stays as well.
    fs::write(history.path().join("real/2_two.sql"), ALTERED).unwrap();
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because git does not know it: move it away, or commit it, and run this again
    refused 1
    "#);
    assert_eq!(content(&history, "real/2_two.sql"), ALTERED);
}

#[test]
fn a_link_out_of_the_repository_is_not() {
    let outside = tempfile::tempdir().unwrap();
    let history = deleted();
    fs::remove_dir_all(history.path().join("migrations")).unwrap();
    fs::write(outside.path().join("1_one.sql"), ONE).unwrap();
    symlink(outside.path(), history.path().join("migrations")).unwrap();
    history.commit("Dee", "a link");
    let before = tree(outside.path());
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not written: a symbolic link on the way to it leads out of the repository
    refused 1
    "#);
    assert!(before == tree(outside.path()));
    // A path that leads out says so itself.
    let history = deleted();
    fs::create_dir(outside.path().join("migrations")).unwrap();
    fs::write(outside.path().join("migrations/1_one.sql"), ONE).unwrap();
    let before = tree(outside.path());
    let there = outside.path().join("migrations");
    let told = run(&history, &["--migrations", there.to_str().unwrap()]).to_string();
    let folder = outside.path().file_name().unwrap().to_str().unwrap();
    let told = told.replace(outside.path().to_str().unwrap(), "[outside]").replace(folder, "[outside]");
    assert_snapshot!(told, @r#"
    exit code 1
    migration 2 (two) of [outside] in default: refused: `[outside]/migrations` does not lie in this repository
    refused 1
    "#);
    assert!(before == tree(outside.path()));
    let run = run(&history, &["--migrations", history.path().join("migrations").to_str().unwrap()]);
    assert_eq!(run.to_string(), WROTE);
}

#[test]
fn a_link_into_what_is_git_s_own_is_not() {
    let history = deleted();
    fs::remove_dir_all(history.path().join("migrations")).unwrap();
    fs::create_dir(history.path().join(".git/hooks2")).unwrap();
    symlink(".git/hooks2", history.path().join("migrations")).unwrap();
    history.commit("Dee", "a link");
    let config =
        "services: { api: { migrations: migrations, database-url: 'sqlite:dev.db' } }\nenvironments: { dev: {} }\n";
    history.write(".github/migration-preflight.yml", config);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 1 (one) of api in dev: refused: `migrations/1_one.sql` is not written: a symbolic link on the way to it leads to what is git's own
    migration 2 (two) of api in dev: refused: `migrations/2_two.sql` is not written: a symbolic link on the way to it leads to what is git's own
    refused 2
    "#);
    assert_eq!(fs::read_dir(history.path().join(".git/hooks2")).unwrap().count(), 0);
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let history = two();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), ALTERED).unwrap();
    history.remove("migrations/2_two.sql");
    symlink(outside.path(), history.path().join("migrations/2_two.sql")).unwrap();
    history.commit("Cid", "a link");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not written: it is a symbolic link, and none is followed
    refused 1
    "#);
    assert_eq!(fs::read_to_string(outside.path()).unwrap(), ALTERED);
    assert!(history.path().join("migrations/2_two.sql").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn another_repository_inside_is_left_to_itself() {
    let history = two();
    let inner = history.path().join("inner/migrations");
    history.git(&["init", "--quiet", "inner"]);
    history.write("inner/migrations/1_one.sql", ONE);
    assert_snapshot!(run(&history, &["--migrations", "inner/migrations"]), @r#"
    exit code 1
    migration 2 (two) of inner in default: refused: `inner/migrations/2_two.sql` is not written: it lies in another repository, `inner`: run this there
    refused 1
    "#);
    assert_eq!(fs::read_dir(inner).unwrap().count(), 1);
}

#[test]
fn a_directory_that_nobody_may_write_to_is_told_and_the_others_go_on() {
    let build = || {
        let history = two();
        history.write("web/migrations/1_web.sql", "SELECT 1;\n").commit("Dee", "web");
        history.write(
            ".github/migration-preflight.yml",
            "defaults: { database-url: 'sqlite:{service}.db' }\nservices: { api: { migrations: migrations }, web: { migrations: web/migrations } }\nenvironments: { dev: {} }\n",
        );
        history.remove("migrations/2_two.sql").remove("web/migrations/1_web.sql").commit("Cid", "delete");
        fs::create_dir_all(history.path().join("web/migrations")).unwrap();
        history.repository.add_database("api.db", &[(1, "one", ONE), (2, "two", TWO)]);
        history.repository.add_database("web.db", &[(1, "web", "SELECT 1;\n")]);
        history
    };
    let history = build();
    let set = |path: &str, mode| {
        fs::set_permissions(history.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    set("", 0o755);
    set("migrations", 0o555);
    set("web/migrations", 0o777);
    // Root may write everywhere, so that nobody does it, with a copy of the program that nobody may execute.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_migration-preflight"), &program).unwrap();
    let mut command = Command::new(program);
    command.arg("restore").current_dir(history.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*")]);
    fs::write(history.path().join("migrations/probe"), "").ok();
    if history.path().join("migrations/probe").exists() {
        fs::remove_file(history.path().join("migrations/probe")).unwrap();
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    set("migrations", 0o755);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run = Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert_snapshot!(run, @r#"
    exit code 1
    migration 2 (two) of api in dev: failed: `migrations/2_two.sql` could not be written: Permission denied (os error 13)
    migration 1 (web) of web in dev: wrote `web/migrations/1_web.sql` as it was applied
    restored 1 migration, could not restore 1
    "#);
    assert_eq!(content(&history, "web/migrations/1_web.sql"), "SELECT 1;\n");
    assert_eq!(fs::read_dir(history.path().join("migrations")).unwrap().count(), 1);
}

#[test]
fn odd_names_are_names() {
    let history = History::new();
    let directory = "it's $(a) größe [x]/migrations";
    history.write(&format!("{directory}/1_one.sql"), ONE).commit("Ann", "start");
    history.write(&format!("{directory}/2_two ☂*?.sql"), TWO.replace('\n', "\r\n")).commit("Bob", "add two");
    history.write(&format!("{directory}/2_two ☂*?.sql"), ALTERED).commit("Cid", "names");
    history.write(&format!("{directory}/2_two ☂xx.sql"), "SELECT 0").remove(&format!("{directory}/2_two ☂xx.sql"));
    history.applied(&[(1, "one", ONE), (2, "two ☂*?", &TWO.replace('\n', "\r\n"))]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two ☂*?) of it's $(a) größe [x] in default: added the line `"/it's $(a) größe \\[x]/migrations/2_two ☂\\*\\?.sql" -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two ☂*?) of it's $(a) größe [x] in default: wrote `it's $(a) größe [x]/migrations/2_two ☂*?.sql` as it was applied
    restored 1 migration
    "#);
    assert_eq!(shown(&history.findings(&[])), "");
    history.commit("Dee", "restore");
    history.git(&["clone", "--quiet", "--config", "core.autocrlf=input", ".", "clone"]);
    let clone = history.path().join("clone").join(directory).join("2_two ☂*?.sql");
    assert_eq!(fs::read_to_string(clone).unwrap(), TWO.replace('\n', "\r\n"));
}

#[test]
fn a_name_that_acts_on_a_terminal_does_not_there() {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    let name = "migrations/2_\u{1b}[31m\n::error::x\u{202e}.sql";
    fs::write(history.path().join("migrations/2_\u{1b}[31m\n::error::x\u{202e}.sql"), TWO).unwrap();
    history.commit("Bob", "odd");
    fs::remove_file(history.path().join(name)).unwrap();
    history.commit("Cid", "delete");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_\u{1b}[31m\u{a}::error::x\u{202e}.sql` as it was applied
    restored 1 migration
    "#);
    assert_eq!(content(&history, name), TWO);
}

#[test]
fn a_shallow_clone_says_what_it_hides() {
    let history = deleted();
    let url = format!("file://{}", history.path().display());
    history.git(&["clone", "--quiet", "--depth=1", &url, "copy"]);
    let history = history.seen_in("copy");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: cannot be restored: no version of this file in this repository has the applied checksum, as far as could be looked: the clone is shallow, and older commits could not be looked at: give `actions/checkout` `fetch-depth: 0`, or run `git fetch --unshallow`
    could not restore 1
    "#);
    history.git(&["fetch", "--quiet", "--unshallow"]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    assert_eq!(content(&history, "migrations/2_two.sql"), TWO);
}

#[test]
fn a_partial_clone_says_what_it_has_left_behind() {
    let history = deleted();
    history.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", history.path().display());
    history.git(&["clone", "--quiet", "--filter=blob:none", &url, "copy"]);
    let history = history.seen_in("copy");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: cannot be restored: no version of this file in this repository has the applied checksum, as far as could be looked: the clone is a partial one, and 1 of the contents could not be looked at: leave `filter` out of `actions/checkout`, or run `git fetch --refetch --no-filter`
    could not restore 1
    "#);
}

#[test]
fn worktrees_submodules_and_other_hashes_are_repositories_like_others() {
    let history = deleted();
    history.git(&["worktree", "add", "--quiet", "--detach", "tree"]);
    let history = history.seen_in("tree");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_eq!(run(&history, &[]).to_string(), WROTE);
    assert_eq!(content(&history, "migrations/2_two.sql"), TWO);
    let history = deleted();
    let url = history.path().display().to_string();
    history.git(&["init", "--quiet", "outer"]);
    let history = history.seen_in("outer");
    history.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "inner"]);
    let history = history.seen_in("outer/inner");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_eq!(run(&history, &[]).to_string().replace("inner", "app"), WROTE);
    assert_eq!(content(&history, "migrations/2_two.sql"), TWO);
    let history = History::with(&["--object-format=sha256"]);
    history.write("migrations/1_one.sql", ONE).write("migrations/2_two.sql", TWO).commit("Ann", "start");
    history.remove("migrations/2_two.sql").commit("Cid", "delete");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_eq!(run(&history, &[]).to_string(), WROTE);
    assert_eq!(content(&history, "migrations/2_two.sql"), TWO);
}

#[test]
fn where_there_is_nobody_to_ask_nothing_is_done() {
    let history = deleted();
    let before = tree(&history.path());
    let without = history.check_with(&["restore"], &[("PATH", "/nonexistent")]);
    assert_snapshot!(super::named(without, &history), @r#"
    exit code 3
    nothing can be restored: the program `git` is not installed
    restored nothing
    "#);
    assert!(before == tree(&history.path()));
    // A bare repository with something like a working tree in it.
    let bare = tempfile::tempdir().unwrap();
    history.git(&["clone", "--quiet", "--bare", ".", bare.path().to_str().unwrap()]);
    let history = history.seen_in(bare.path().to_str().unwrap());
    history.write("migrations/1_one.sql", ONE).applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 3
    nothing can be restored: this is a bare repository, which has no files: run it in a clone or a worktree
    restored nothing
    "#);
    assert!(!history.path().join("migrations/2_two.sql").exists());
    // No repository at all.
    let history = deleted();
    fs::remove_dir_all(history.path().join(".git")).unwrap();
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 3
    nothing can be restored: this is no git repository
    restored nothing
    "#);
    // Nobody is asked where there is nothing to do.
    applied(&history, TWO);
    history.write("migrations/2_two.sql", TWO);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    restored nothing
    "#);
}
