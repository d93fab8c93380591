//! Ends of lines, byte order marks and the last line break.

use insta::assert_snapshot;

use super::history::{History, explained};
use super::{ONE, TWO, two};

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// The second migration was applied with this content.
fn applied(history: &History, content: &str) {
    let _ = std::fs::remove_file(history.path().join("dev.db"));
    history.applied(&[(1, "one", ONE), (2, "two", content)]);
}

#[test]
fn a_checkout_that_changes_the_ends_of_lines_is_told_not_to() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.git(&["config", "core.autocrlf", "true"]);
        history.remove("migrations/2_two.sql").git(&["checkout", "--", "migrations/2_two.sql"]);
        assert_eq!(std::fs::read_to_string(history.path().join("migrations/2_two.sql")).unwrap(), crlf(TWO));
        history
    }), @r#"
    checksum-mismatch 2: "line-endings"
    the commit has the applied content, but the checkout changed the ends of its lines (`core.autocrlf` or `.gitattributes`); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: line-endings
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ printf '\n%s\n' '/migrations/2_two.sql -text' >> .gitattributes
    $ git add .gitattributes
    $ rm migrations/2_two.sql && git checkout -- migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'4e4df4ea…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = two();
        history.write(".gitattributes", "*.sql text eol=crlf\n").commit("Cid", "attributes");
        history.remove("migrations/2_two.sql").git(&["checkout", "--", "migrations/2_two.sql"]);
        history
    }), @r#"
    checksum-mismatch 2: "line-endings"
    the commit has the applied content, but the checkout changed the ends of its lines (`core.autocrlf` or `.gitattributes`); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: line-endings
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ printf '\n%s\n' '/migrations/2_two.sql -text' >> .gitattributes
    $ git add .gitattributes
    $ rm migrations/2_two.sql && git checkout -- migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'4e4df4ea…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_commit_that_changed_the_ends_of_lines_is_named() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", crlf(TWO)).commit("Cid", "my editor");
        history
    }), @r#"
    checksum-mismatch 2: "line-endings"
    the ends of its lines were changed after it was applied by Cid in df15410adbe9 on 2026-01-03 (“my editor”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: line-endings
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: df15410adbe9 Cid, 2026-01-03T10:00:00+00:00, my editor, null
    $ printf '\n%s\n' '/migrations/2_two.sql -text' >> .gitattributes
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'4e4df4ea…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn what_a_build_on_windows_applied_is_recognised() {
    assert_snapshot!(explained(|| {
        let history = two();
        applied(&history, &crlf(TWO));
        history
    }), @r#"
    checksum-mismatch 2: "line-endings"
    what was applied is this very file with lines that end in CRLF, as a checkout on Windows makes them; no commit has it so; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: line-endings
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ printf '\n%s\n' '/migrations/2_two.sql text eol=crlf' >> .gitattributes
    $ git add .gitattributes
    $ rm migrations/2_two.sql && git checkout -- migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'c167fbe6…' WHERE version = 2 AND checksum = x'4e4df4ea…';
    "#);
    // And when the file is gone since.
    assert_snapshot!(explained(|| {
        let history = two();
        applied(&history, &crlf(TWO));
        history.remove("migrations/2_two.sql").commit("Cid", "delete");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in c537c01bd151 on 2026-01-03 (“delete”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: c537c01bd151 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ printf '\n%s\n' '/migrations/2_two.sql -text' >> .gitattributes
    $ git show 49d5f674f66c:migrations/2_two.sql | perl -0777 -pe 's/\r?\n/\r\n/g' > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'4e4df4ea…';
    "#);
    // And the other way round, where CRLF was committed.
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", format!("{}SELECT 1;\r\n", crlf(TWO))).commit("Cid", "crlf");
        applied(&history, &format!("{TWO}SELECT 1;\n"));
        history
    }), @r#"
    checksum-mismatch 2: "line-endings"
    what was applied is this very file with lines that end in LF; no commit has it so; added by Cid in 7cb756c4cc5d on 2026-01-03 (“crlf”)
    difference: line-endings
    added: 7cb756c4cc5d Cid, 2026-01-03T10:00:00+00:00, crlf, null
    $ git show 7cb756c4cc5d:migrations/2_two.sql | perl -0777 -pe 's/\r\n/\n/g' > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'c7010b1d…' WHERE version = 2 AND checksum = x'be251020…';
    "#);
}

#[test]
fn a_byte_order_mark_and_a_last_line_break_are_recognised() {
    assert_snapshot!(explained(|| {
        let history = two();
        applied(&history, &format!("\u{feff}{TWO}"));
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    what was applied is this very file with a byte order mark more or less; no commit has it so; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: bom
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ git show 49d5f674f66c:migrations/2_two.sql | perl -0777 -pe 's/^\xEF\xBB\xBF// or s/^/\xEF\xBB\xBF/' > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'c167fbe6…' WHERE version = 2 AND checksum = x'aef92039…';
    "#);
    assert_snapshot!(explained(|| {
        let history = two();
        applied(&history, TWO.trim_end());
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    what was applied is this very file with a final line break more or less; no commit has it so; added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: final-newline
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    $ git show 49d5f674f66c:migrations/2_two.sql | perl -0777 -pe 's/\r?\n\z// or s/\z/\n/' > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'c167fbe6…' WHERE version = 2 AND checksum = x'3269e549…';
    "#);
    // A commit that took the line break off.
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("migrations/2_two.sql", TWO.trim_end()).commit("Cid", "trim");
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    it was edited after it was applied by Cid in bbc935cf3da8 on 2026-01-03 (“trim”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: final-newline
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: bbc935cf3da8 Cid, 2026-01-03T10:00:00+00:00, trim, null
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    UPDATE "_sqlx_migrations" SET checksum = x'3269e549…' WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn letters_that_sqlx_ignores_are_no_difference() {
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("Cargo.toml", "").write("sqlx.toml", "[migrate]\nignored-chars = [\"\\r\"]\n");
        history.write("migrations/2_two.sql", crlf(TWO)).commit("Cid", "crlf, which is ignored");
        history.remove("migrations/2_two.sql").commit("Dee", "delete");
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Dee in e0b1f8e85dd9 on 2026-01-04 (“delete”); added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    added: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    changed: e0b1f8e85dd9 Dee, 2026-01-04T10:00:00+00:00, delete, null
    $ git show 49d5f674f66c:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    // They were not ignored yet when it was applied.
    assert_snapshot!(explained(|| {
        let history = two();
        history.write("Cargo.toml", "").write("sqlx.toml", "[migrate]\nignored-chars = [\"\\r\"]\n");
        history.write("migrations/2_two.sql", crlf(TWO)).commit("Cid", "crlf, which is ignored");
        applied(&history, &crlf(TWO));
        history
    }), @r#"
    checksum-mismatch 2: "edited"
    the bytes are those that were applied, but `ignored-chars` in sqlx.toml leaves letters out of the checksum which counted then
    added: e0a9e2e6a591 Cid, 2026-01-03T10:00:00+00:00, crlf, which is ignored, null
    UPDATE "_sqlx_migrations" SET checksum = x'c167fbe6…' WHERE version = 2 AND checksum = x'4e4df4ea…';
    "#);
}
