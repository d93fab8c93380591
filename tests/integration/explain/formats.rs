//! What people read of explanations.

use insta::assert_snapshot;

use super::{ALTERED, two};

/// A migration that was edited and one that was deleted, in a format.
fn shown(format: &str) -> String {
    let history = two();
    history.write("migrations/2_two.sql", ALTERED).remove("migrations/1_one.sql").commit("Cid", "names (#14)");
    let run = history.check(&["--format", format]).to_string();
    // What keeps GitHub from making links of numbers would be invisible here.
    let run = run.replace('\u{200b}', "");
    run.replace(history.path().file_name().unwrap().to_str().unwrap(), "[folder]")
}

#[test]
fn a_terminal_shows_why_and_the_lines_to_copy() {
    assert_snapshot!(shown("human"), @r#"
    exit code 1
    fail: the target would not start, 2 errors

    [folder] in default
      source    1 defined in migrations
      history   2 applied: 1 missing, 1 mismatched; 0 pending
      start-up  fails: migration 1 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 1 was applied, but the source has no file for it (one)
        --> migrations/1_one.sql:1
        why: `1_one.sql` was deleted on this branch by Cid in 37d9666c0d29 on 2026-01-03 (“names (#14)”); added by Ann in 8e68ac6abd07 on 2026-01-01 (“start”)
        fix:
          git show 8e68ac6abd07:migrations/1_one.sql > migrations/1_one.sql
        or mend the row:
          -- Forgets a migration that ran: what it changed stays as it is.
          DELETE FROM "_sqlx_migrations" WHERE version = 1 AND checksum = x'e108174f780ebd68f0d70c1eef87675452328bc58eacf34c64d747e3a69d2b61b31efab44f23586bd53ccc66b4ac5826';
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

      error[checksum-mismatch]: migration 2 was changed after it was applied: the row has checksum c167fbe69e87…, the file 0f2a5931201d… (two)
        --> migrations/2_two.sql:1
        why: it was edited after it was applied by Cid in 37d9666c0d29 on 2026-01-03 (“names (#14)”): put the change in a new migration; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
          -CREATE TABLE two (id INTEGER);
          +CREATE TABLE two (id INTEGER, name TEXT);
        fix:
          git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
        or mend the row:
          UPDATE "_sqlx_migrations" SET checksum = x'0f2a5931201dacf3484d59a7c50a5dac65ac5d114c09c9c052d65f8f97b6131ad165c2d5e77678598c42a211df640edc' WHERE version = 2 AND checksum = x'c167fbe69e877eb8a2082fa996d49bad75440bd566b2f4dbc936730983ad3c40bbca60b5943974ea9df2b422863eb8d2';
        help: Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.
    "#);
}

#[test]
fn a_page_shows_them_in_blocks() {
    assert_snapshot!(shown("markdown"), @r#"
    exit code 1
    ## ❌ fail: the target would not start, 2 errors

    | service | `default` |
    |---|---|
    | `[folder]` | ❌ fails: 1 missing, 1 mismatched |

    ### Start-up
    - `[folder]` in `default`: `migration 1 was previously applied but is missing in the resolved migrations`

    ### Findings
    - ❌ **error** `missing-migration` `[folder]` in `default`: migration 1 was applied, but the source has no file for it (one)<br>`migrations/1_one.sql:1`<br>\`1\_one.sql\` was deleted on this branch by Cid in 37d9666c0d29 on 2026-01-03 (“names (#14)”); added by Ann in 8e68ac6abd07 on 2026-01-01 (“start”)
      ```sh
      git show 8e68ac6abd07:migrations/1_one.sql > migrations/1_one.sql
      ```
      ```sql
      -- Forgets a migration that ran: what it changed stays as it is.
      DELETE FROM "_sqlx_migrations" WHERE version = 1 AND checksum = x'e108174f780ebd68f0d70c1eef87675452328bc58eacf34c64d747e3a69d2b61b31efab44f23586bd53ccc66b4ac5826';
      ```
    - ❌ **error** `checksum-mismatch` `[folder]` in `default`: migration 2 was changed after it was applied: the row has checksum c167fbe69e87…, the file 0f2a5931201d… (two)<br>`migrations/2_two.sql:1`<br>it was edited after it was applied by Cid in 37d9666c0d29 on 2026-01-03 (“names (#14)”): put the change in a new migration; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
      ```diff
      -CREATE TABLE two (id INTEGER);
      +CREATE TABLE two (id INTEGER, name TEXT);
      ```
      ```sh
      git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
      ```
      ```sql
      UPDATE "_sqlx_migrations" SET checksum = x'0f2a5931201dacf3484d59a7c50a5dac65ac5d114c09c9c052d65f8f97b6131ad165c2d5e77678598c42a211df640edc' WHERE version = 2 AND checksum = x'c167fbe69e877eb8a2082fa996d49bad75440bd566b2f4dbc936730983ad3c40bbca60b5943974ea9df2b422863eb8d2';
      ```

    ### What to do
    - `missing-migration`: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.
    - `checksum-mismatch`: Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.
    "#);
}

#[test]
fn an_annotation_says_why_and_the_commands() {
    assert_snapshot!(shown("github"), @r#"
    exit code 1
    ::error file=migrations/1_one.sql,line=1,title=missing-migration%3A [folder] in default::[folder] in default: migration 1 was applied, but the source has no file for it (one)%0A`1_one.sql` was deleted on this branch by Cid in 37d9666c0d29 on 2026-01-03 (“names (#14)”); added by Ann in 8e68ac6abd07 on 2026-01-01 (“start”)%0A$ git show 8e68ac6abd07:migrations/1_one.sql > migrations/1_one.sql%0AThe source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.
    ::error file=migrations/2_two.sql,line=1,title=checksum-mismatch%3A [folder] in default::[folder] in default: migration 2 was changed after it was applied: the row has checksum c167fbe69e87…, the file 0f2a5931201d… (two)%0Ait was edited after it was applied by Cid in 37d9666c0d29 on 2026-01-03 (“names (#14)”): put the change in a new migration; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)%0A$ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql%0ARestore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.
    "#);
}
