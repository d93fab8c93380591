//! Contents that other branches have.

use insta::assert_snapshot;

use super::history::{History, explained};
use super::{ALTERED, ONE, TWO, two};

/// A branch `work` that has the first migration only; the second one is on the branch that `name` says.
fn second_on(name: &str) -> History {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    history.git(&["branch", "work"]);
    if name != "main" {
        history.git(&["switch", "--quiet", "--create", name]);
    }
    history.write("migrations/2_two.sql", TWO).commit("Bob", "add two (#12)");
    history.git(&["switch", "--quiet", "work"]);
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    history
}

#[test]
fn a_branch_that_is_behind_is_told_to_merge() {
    assert_snapshot!(explained(|| second_on("main")), @r#"
    missing-migration 2: "behind-base"
    `main` has it, and this branch does not yet: merge `main`; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: main
    $ git merge main
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = second_on("main");
        history.git(&["update-ref", "refs/remotes/origin/trunk", "main"]);
        history.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
        history.git(&["update-ref", "-d", "refs/heads/main"]);
        history.write("README.md", "x").commit("Cid", "work");
        history
    }), @r#"
    missing-migration 2: "behind-base"
    `origin/trunk` has it, and this branch does not yet: merge `origin/trunk`; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: origin/trunk
    $ git merge origin/trunk
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = two();
        history.git(&["branch", "work"]);
        history.write("migrations/2_two.sql", ALTERED).commit("Cid", "names");
        history.git(&["switch", "--quiet", "work"]);
        std::fs::remove_file(history.path().join("dev.db")).unwrap();
        history.applied(&[(1, "one", ONE), (2, "two", ALTERED)]);
        history
    }), @r#"
    checksum-mismatch 2: "behind-base"
    `main` has the applied content, and this branch does not yet: merge `main`; added by Cid in 792ba6f10abd on 2026-01-03 (“names”)
    difference: sql
      |-CREATE TABLE two (id INTEGER, name TEXT);
      |+CREATE TABLE two (id INTEGER);
    added: 792ba6f10abd Cid, 2026-01-03T10:00:00+00:00, names, null
    branches: main
    $ git merge main
    UPDATE "_sqlx_migrations" SET checksum = x'c167fbe6…' WHERE version = 2 AND checksum = x'0f2a5931…';
    "#);
}

#[test]
fn a_revert_that_was_reverted_elsewhere_is_a_branch_that_is_behind() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.remove("migrations/2_two.sql").commit("Cid", "Revert \"add two\"");
        history.git(&["branch", "work"]);
        history.write("migrations/2_two.sql", TWO).commit("Dee", "Revert \"Revert \"add two\"\"");
        history.git(&["switch", "--quiet", "work"]);
        history
    }), @r#"
    missing-migration 2: "behind-base"
    `main` has it, and this branch does not yet: merge `main`; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: main
    $ git merge main
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_branch_that_deletes_what_the_base_has_is_not_behind() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.git(&["switch", "--quiet", "--create", "work"]);
        history.remove("migrations/2_two.sql").commit("Cid", "tidy");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in 8085b2394345 on 2026-01-03 (“tidy”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 8085b2394345 Cid, 2026-01-03T10:00:00+00:00, tidy, null
    branches: main
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn an_unmerged_branch_is_named_and_its_author() {
    assert_snapshot!(explained(|| second_on("feature")), @r#"
    missing-migration 2: "unmerged-branch"
    only the unmerged branch `feature` has it; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”); ask Bob
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: feature
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = second_on("feature");
        history.git(&["update-ref", "refs/remotes/origin/feature", "feature"]);
        history.git(&["tag", "v1", "feature"]);
        history.git(&["update-ref", "refs/remotes/origin/b", "feature"]);
        history.git(&["update-ref", "refs/remotes/origin/c", "feature"]);
        history
    }), @r#"
    missing-migration 2: "unmerged-branch"
    only unmerged branches have it: `feature`, `origin/b`, `origin/c` and 2 more; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”); ask Bob
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: feature, origin/b, origin/c, origin/feature, v1
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    // An edit that only a branch has.
    assert_snapshot!(explained(|| {
        let history = two();
        history.git(&["switch", "--quiet", "--create", "feature"]);
        history.write("migrations/2_two.sql", ALTERED).commit("Cid", "names");
        history.git(&["switch", "--quiet", "main"]);
        std::fs::remove_file(history.path().join("dev.db")).unwrap();
        history.applied(&[(1, "one", ONE), (2, "two", ALTERED)]);
        history
    }), @r#"
    checksum-mismatch 2: "unmerged-branch"
    another content of this file was applied; only the unmerged branch `feature` has it; added by Cid in 792ba6f10abd on 2026-01-03 (“names”); ask Cid
    difference: sql
      |-CREATE TABLE two (id INTEGER, name TEXT);
      |+CREATE TABLE two (id INTEGER);
    added: 792ba6f10abd Cid, 2026-01-03T10:00:00+00:00, names, null
    branches: feature
    $ git show 792ba6f10abd:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'c167fbe6…' WHERE version = 2 AND checksum = x'0f2a5931…';
    "#);
}

#[test]
fn a_force_push_leaves_the_content_in_the_reference_of_the_pull_request() {
    assert_snapshot!(explained(|| {
        let history = second_on("feature");
        history.git(&["update-ref", "refs/pull/7/head", "feature"]);
        history.git(&["update-ref", "refs/heads/feature", "main"]);
        history
    }), @r#"
    missing-migration 2: "unmerged-branch"
    only the unmerged branch `pull/7/head` has it; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”); ask Bob
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: pull/7/head
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    // The branch went on and deleted it: no tip has it.
    assert_snapshot!(explained(|| {
        let history = second_on("feature");
        history.git(&["switch", "--quiet", "feature"]);
        history.remove("migrations/2_two.sql").commit("Bob", "not yet");
        history.git(&["switch", "--quiet", "work"]);
        history
    }), @r#"
    missing-migration 2: "unmerged-branch"
    only the unmerged branch `feature` has it; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”); ask Bob
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    branches: feature
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_merge_that_drops_a_side_is_who_deleted_it() {
    assert_snapshot!(explained(|| {
        let history = second_on("feature");
        history.write("README.md", "x").commit("Cid", "words");
        history.git(&["merge", "--quiet", "--strategy=ours", "--message", "take ours (#15)", "feature"]);
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Ann in edd42f2a7281 on 2026-01-03 (“take ours (#15)”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: edd42f2a7281 Ann, 2026-01-03T10:00:00+00:00, take ours (#15), 15
    branches: feature
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_merge_that_keeps_both_sides_hides_nothing() {
    assert_snapshot!(explained(|| {
        let history = second_on("feature");
        history.write("README.md", "x").commit("Cid", "words");
        history.git(&["merge", "--quiet", "--message", "Merge pull request #12 from bob/two", "feature"]);
        history.remove("migrations/2_two.sql").commit("Dee", "delete");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Dee in 40209267e8ab on 2026-01-04 (“delete”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 40209267e8ab Dee, 2026-01-04T10:00:00+00:00, delete, null
    branches: feature
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_cherry_pick_is_a_commit_of_this_branch() {
    assert_snapshot!(explained(|| {
        let history = second_on("feature");
        history.write("README.md", "x").commit("Cid", "words");
        history.git(&["cherry-pick", "feature"]);
        history.remove("migrations/2_two.sql").commit("Dee", "delete");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Dee in 9717c76c9115 on 2026-01-04 (“delete”); added by Bob in 4438e45d7e10 on 2026-01-02 (“add two (#12)”)
    added: 4438e45d7e10 Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 9717c76c9115 Dee, 2026-01-04T10:00:00+00:00, delete, null
    branches: feature
    $ git show 4438e45d7e10:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}
