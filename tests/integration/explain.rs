//! Who, when and how to mend it: what the program says of repositories whose history is known, and that what it prints
//! mends what it says.

mod branches;
mod bytes;
mod formats;
pub(crate) mod history;
mod hostile;
mod kinds;

use history::{History, explained};
use insta::assert_snapshot;

pub const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
pub const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
pub const ALTERED: &str = "CREATE TABLE two (id INTEGER, name TEXT);\n";

/// Two migrations that two people have added.
pub fn two() -> History {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    history.write("migrations/2_two.sql", TWO).commit("Bob", "add two (#12)");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    history
}

#[test]
fn a_file_that_was_deleted_is_brought_back() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.remove("migrations/2_two.sql").commit("Cid", "Merge pull request #13 from cid/tidy");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in b3e4869a3cf4 on 2026-01-03 (“Merge pull request #13 from cid/tidy”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: b3e4869a3cf4 Cid, 2026-01-03T10:00:00+00:00, Merge pull request #13 from cid/tidy, 13
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_file_that_was_deleted_twice_is_explained_by_the_last_time() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.remove("migrations/2_two.sql").commit("Cid", "delete");
        history.write("migrations/2_two.sql", TWO).commit("Dee", "bring it back");
        history.remove("migrations/2_two.sql").commit("Eve", "delete it again");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Eve in 196fecc1e65d on 2026-01-05 (“delete it again”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 196fecc1e65d Eve, 2026-01-05T10:00:00+00:00, delete it again, null
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_file_that_was_edited_gets_its_old_content_back() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", ALTERED).commit("Cid", "names (#14)");
        history.write("README.md", "x").commit("Dee", "words");
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    it was edited after it was applied by Cid in 9ffcfa9bba14 on 2026-01-03 (“names (#14)”): put the change in a new migration; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: sql
      |-CREATE TABLE two (id INTEGER);
      |+CREATE TABLE two (id INTEGER, name TEXT);
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 9ffcfa9bba14 Cid, 2026-01-03T10:00:00+00:00, names (#14), 14
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'0f2a5931…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", format!("-- why\n{TWO}")).commit("Cid", "a word");
        history.write("migrations/2_two.sql", format!("-- why not\n{TWO}")).commit("Dee", "another word");
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    it was edited after it was applied by Cid in 5d38d1f0d06c on 2026-01-03 (“a word”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: comments
      |+-- why not
      | CREATE TABLE two (id INTEGER);
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 5d38d1f0d06c Cid, 2026-01-03T10:00:00+00:00, a word, null
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'f1e0f212…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn an_edit_that_was_reverted_and_made_again_is_explained_by_the_last_one() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", ALTERED).commit("Cid", "names");
        history.git(&["revert", "--no-edit", "HEAD"]);
        history.git(&["revert", "--no-edit", "HEAD"]);
        history.write("README.md", "x").commit("Dee", "words");
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    it was edited after it was applied by Ann in e81b9d90e977 on 2026-01-03 (“Reapply "names"”): put the change in a new migration; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: sql
      |-CREATE TABLE two (id INTEGER);
      |+CREATE TABLE two (id INTEGER, name TEXT);
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: e81b9d90e977 Ann, 2026-01-03T10:00:00+00:00, Reapply "names", null
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'0f2a5931…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_file_that_was_renumbered_is_named_by_both_names() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.git(&["mv", "migrations/2_two.sql", "migrations/3_two.sql"]);
        history.commit("Cid", "renumber");
        history
    }), @r#"
    missing-migration 2: "renamed"
    it stands here as `3_two.sql`: it was renumbered by Cid in dcabf4571171 on 2026-01-03 (“renumber”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: dcabf4571171 Cid, 2026-01-03T10:00:00+00:00, renumber, null
    $ git mv migrations/3_two.sql migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET version = 3 WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    // Nobody has committed it yet.
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/3_two.sql", TWO).remove("migrations/2_two.sql");
        history
    }), @r#"
    missing-migration 2: "renamed"
    it stands here as `3_two.sql`: it was renumbered; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ mv migrations/3_two.sql migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET version = 3 WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_file_that_was_moved_below_is_moved_back() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/old/2_two.sql", TWO).remove("migrations/2_two.sql").commit("Cid", "tidy");
        history
    }), @r#"
    missing-migration 2: "renamed"
    it stands in `migrations/old/2_two.sql`, where sqlx does not look: it was moved there by Cid in 09790fc56d39 on 2026-01-03 (“tidy”)
    changed: 09790fc56d39 Cid, 2026-01-03T10:00:00+00:00, tidy, null
    $ git mv migrations/old/2_two.sql migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_directory_that_moved_is_followed() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.remove("migrations/2_two.sql").commit("Cid", "delete");
        history.write("api/src/main.rs", "").git(&["mv", "migrations", "api/migrations"]);
        history.commit("Dee", "a workspace");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in c537c01bd151 on 2026-01-03 (“delete”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: c537c01bd151 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show 49d5f674f66c:migrations/2_two.sql > api/migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn two_migrations_of_one_version_are_a_collision() {
    assert_snapshot!(explained(|| {
        let history = History::new();
        history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
        history.git(&["switch", "--quiet", "--create", "feature"]);
        history.write("migrations/2_two.sql", TWO).commit("Bob", "add two");
        history.git(&["switch", "--quiet", "main"]);
        history.write("migrations/2_other.sql", "CREATE TABLE other (id INTEGER);\n").commit("Cid", "add other");
        history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
        history
    }), @r#"
    checksum-mismatch 2: "collision"
    two different migrations took version 2: `2_two.sql` by Bob in 5cacdd9179c8 on 2026-01-02 (“add two”) was applied, and `2_other.sql` by Cid in ba28da447c81 on 2026-01-03 (“add other”) stands here
    difference: sql
      |-CREATE TABLE two (id INTEGER);
      |+CREATE TABLE other (id INTEGER);
    added: 5cacdd9179c8 Bob, 2026-01-02T10:00:00+00:00, add two, null
    changed: ba28da447c81 Cid, 2026-01-03T10:00:00+00:00, add other, null
    branches: feature
    $ git mv migrations/2_other.sql migrations/3_other.sql
    $ git show 5cacdd9179c8:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'c987eb14…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_version_that_was_used_three_times_is_explained_by_content() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.remove("migrations/2_two.sql").write("migrations/002_b.sql", "CREATE TABLE b (x INTEGER);").commit("Cid", "b");
        history.remove("migrations/002_b.sql").write("migrations/02_c.sql", "CREATE TABLE c (x INTEGER);").commit("Dee", "c");
        history
    }), @r#"
    checksum-mismatch 2: "collision"
    two different migrations took version 2: `2_two.sql` by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”) was applied, and `02_c.sql` by Dee in 407e9ae0b9ba on 2026-01-04 (“c”) stands here
    difference: sql
      |-CREATE TABLE two (id INTEGER);
      |+CREATE TABLE c (x INTEGER);
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: 407e9ae0b9ba Dee, 2026-01-04T10:00:00+00:00, c, null
    $ git mv migrations/02_c.sql migrations/03_c.sql
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'5c6b80ca…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_content_that_is_nowhere_has_no_commit() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.repository.path();
        std::fs::remove_file(history.path().join("dev.db")).unwrap();
        history.applied(&[(1, "one", "SELECT 1;"), (2, "two", TWO), (3, "three", "SELECT 3;")]);
        history
    }), @r#"
    missing-migration 3: "unknown"
    no version of this file in this repository has the applied checksum
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 3 AND checksum = x'5637d6c2…';
    checksum-mismatch 1: "unknown"
    no version of this file in this repository has the applied checksum
    UPDATE "_sqlx_migrations" SET checksum = x'e108174f…' WHERE version = 1 AND checksum = x'26e71cc3…';
    "#);
}

#[test]
fn what_was_only_done_in_the_working_tree_is_told_from_a_commit() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", ALTERED);
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    the commit that is checked out has the applied content, and the file was changed since, without a commit: put the change in a new migration; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: sql
      |-CREATE TABLE two (id INTEGER);
      |+CREATE TABLE two (id INTEGER, name TEXT);
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ git stash push -- migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'0f2a5931…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = two();
        history.remove("migrations/2_two.sql");
        history
    }), @r#"
    missing-migration 2: "deleted"
    the commit that is checked out has it; it was deleted in the working tree only; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}
