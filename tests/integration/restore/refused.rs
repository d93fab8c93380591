//! What no commit has is never touched, and the others go on.

use std::fs;

use insta::assert_snapshot;

use super::{applied, content, crlf, run};
use crate::explain::history::History;
use crate::explain::{ALTERED, ONE, TWO, two};

const MINE: &str = "-- an hour of work\n";

/// Two edited migrations; what happens to the second file afterwards is not committed, and the first one is restored.
fn kept(happens: impl Fn(&History)) -> String {
    let history = two();
    history.write("migrations/1_one.sql", "SELECT 1;\n").write("migrations/2_two.sql", ALTERED).commit("Cid", "names");
    happens(&history);
    let mine = content(&history, "migrations/2_two.sql");
    let index = history.git(&["ls-files", "--stage"]);
    let run = run(&history, &[]);
    assert_eq!(content(&history, "migrations/2_two.sql"), mine, "{run}");
    assert_eq!(content(&history, "migrations/1_one.sql"), ONE, "{run}");
    assert_eq!(history.git(&["ls-files", "--stage"]), index);
    assert_eq!(run.code, 1);
    run.to_string()
}

#[test]
fn a_file_with_changes_that_are_not_committed_stays() {
    assert_snapshot!(kept(|history| {
        history.write("migrations/2_two.sql", MINE);
    }), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because it has changes that are not committed: commit it, or put it aside with `git stash`, and run this again
    restored 1 migration, refused 1
    "#);
}

#[test]
fn a_file_with_staged_changes_stays() {
    assert_snapshot!(kept(|history| {
        history.write("migrations/2_two.sql", MINE).git(&["add", "migrations/2_two.sql"]);
    }), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because it has staged changes that are not committed: commit it, or put it aside with `git stash`, and run this again
    restored 1 migration, refused 1
    "#);
    // Though the file has the committed content again.
    assert_snapshot!(kept(|history| {
        history.write("migrations/2_two.sql", MINE).git(&["add", "migrations/2_two.sql"]);
        history.write("migrations/2_two.sql", ALTERED);
    }), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because it has staged changes that are not committed: commit it, or put it aside with `git stash`, and run this again
    restored 1 migration, refused 1
    "#);
}

#[test]
fn a_file_that_git_does_not_know_stays() {
    assert_snapshot!(kept(|history| {
        history.git(&["rm", "--quiet", "--cached", "migrations/2_two.sql"]);
        history.commit_index("Dee", "forget it");
    }), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because git does not know it: move it away, or commit it, and run this again
    restored 1 migration, refused 1
    "#);
    assert_snapshot!(kept(|history| {
        history.git(&["rm", "--quiet", "--cached", "migrations/2_two.sql"]);
        history.write(".gitignore", "2_*\n").git(&["add", ".gitignore"]);
        history.commit_index("Dee", "ignore it");
    }), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because git ignores it: move it away, or commit it, and run this again
    restored 1 migration, refused 1
    "#);
}

#[test]
fn a_file_that_git_does_not_look_at_stays() {
    let told = |flag: &str| {
        kept(|history| {
            history.git(&["update-index", flag, "migrations/2_two.sql"]);
            history.write("migrations/2_two.sql", MINE);
        })
    };
    assert_snapshot!(told("--assume-unchanged"), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because git is told not to look at it (`--assume-unchanged` or `--skip-worktree`): have git look at it again with `git update-index --no-assume-unchanged --no-skip-worktree`, and run this again
    restored 1 migration, refused 1
    "#);
    assert_eq!(told("--skip-worktree"), told("--assume-unchanged"));
}

#[test]
fn a_file_in_an_unfinished_merge_stays() {
    assert_snapshot!(kept(|history| {
        history.git(&["switch", "--quiet", "--create", "other", "HEAD^"]);
        history.write("migrations/2_two.sql", MINE).commit("Dee", "mine");
        history.git(&["switch", "--quiet", "main"]);
        history.git_fails(&["merge", "--quiet", "other"]);
    }), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because it is in a merge that is not finished: finish the merge, and run this again
    restored 1 migration, refused 1
    "#);
}

#[test]
fn a_change_of_what_was_applied_is_put_aside_by_who_made_it() {
    let history = two();
    history.write("migrations/2_two.sql", MINE);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not touched, because it has changes that are not committed: commit it, or put it aside with `git stash`, and run this again
    refused 1
    "#);
    assert_eq!(content(&history, "migrations/2_two.sql"), MINE);
}

#[test]
fn attributes_with_changes_that_are_not_committed_stay_and_so_does_the_file() {
    let history = two();
    history.write(".gitattributes", "*.rs text\n").commit("Cid", "attributes");
    history.write(".gitattributes", MINE);
    history.remove("migrations/1_one.sql");
    applied(&history, &crlf(TWO));
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: refused: `.gitattributes` is not touched, because it has changes that are not committed: commit it, or put it aside with `git stash`, and run this again
    restored 1 migration, refused 1
    "#);
    assert_eq!(content(&history, ".gitattributes"), MINE);
    assert_eq!(content(&history, "migrations/2_two.sql"), TWO);
    assert_eq!(content(&history, "migrations/1_one.sql"), ONE);
}

#[test]
fn a_file_that_was_renamed_and_not_committed_stays() {
    let history = two();
    history.write("migrations/3_two.sql", TWO).remove("migrations/2_two.sql");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: refused: `migrations/3_two.sql` is not touched, because git does not know it: move it away, or commit it, and run this again
    refused 1
    "#);
    assert_eq!(content(&history, "migrations/3_two.sql"), TWO);
    assert!(!history.path().join("migrations/2_two.sql").exists());
}

#[test]
fn what_is_in_the_way_of_a_renamed_file_stays() {
    let history = two();
    history.git(&["mv", "migrations/2_two.sql", "migrations/3_two.sql"]);
    history.commit("Cid", "renumber");
    fs::create_dir(history.path().join("migrations/2_two.sql")).unwrap();
    history.write("migrations/2_two.sql/mine", MINE);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: refused: `migrations/2_two.sql` is not written: something that is no file has its name
    refused 1
    "#);
    assert_eq!(content(&history, "migrations/2_two.sql/mine"), MINE);
}

#[test]
fn a_file_that_another_environment_has_applied_is_not_renamed() {
    let history = two();
    history.git(&["mv", "migrations/2_two.sql", "migrations/3_two.sql"]);
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migrations, database-url: 'sqlite:{environment}.db' } }\n\
         environments: { staging: {}, production: {} }\n",
    );
    history.commit("Cid", "renumber");
    history.repository.add_database("staging.db", &[(1, "one", ONE), (2, "two", TWO)]);
    history.repository.add_database("production.db", &[(1, "one", ONE), (3, "two", TWO)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of api in staging: refused: `migrations/3_two.sql` is applied as it stands in api in production
    refused 1
    "#);
    assert!(history.path().join("migrations/3_two.sql").exists());
}
