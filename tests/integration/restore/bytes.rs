//! Ends of lines, byte order marks, the last line break, and letters that do not count.

use insta::assert_snapshot;

use super::{WROTE, applied, content, crlf, restored, run, survives};
use crate::explain::{TWO, two};

#[test]
fn ends_of_lines_that_a_checkout_changed_are_kept_from_now_on() {
    assert_snapshot!(restored(|| {
        let history = two();
        history.git(&["config", "core.autocrlf", "true"]);
        history.remove("migrations/2_two.sql").git(&["checkout", "--", "migrations/2_two.sql"]);
        assert_eq!(content(&history, "migrations/2_two.sql"), crlf(TWO));
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    assert_snapshot!(restored(|| {
        let history = two();
        history.write(".gitattributes", "*.sql text eol=crlf").commit("Cid", "attributes");
        history.remove("migrations/2_two.sql").git(&["checkout", "--", "migrations/2_two.sql"]);
        history.remove("migrations/1_one.sql").git(&["checkout", "--", "migrations/1_one.sql"]);
        history
    }), @r#"
    exit code 0
    migration 1 (one) of app in default: added the line `/migrations/1_one.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 2 migrations
    "#);
}

#[test]
fn a_line_goes_to_the_attributes_that_nothing_overrules() {
    let build = || {
        let history = two();
        history.write("migrations/.gitattributes", "*.sql text eol=crlf\n").commit("Cid", "attributes");
        history.remove("migrations/2_two.sql").git(&["checkout", "--", "migrations/2_two.sql"]);
        history.git(&["config", "core.autocrlf", "false"]);
        applied(&history, TWO);
        history.remove("migrations/1_one.sql").git(&["checkout", "--", "migrations/1_one.sql"]);
        history
    };
    assert_snapshot!(restored(build), @r#"
    exit code 0
    migration 1 (one) of app in default: added the line `/1_one.sql -text` to `migrations/.gitattributes`, so that git keeps the ends of its lines
    migration 1 (one) of app in default: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of app in default: added the line `/2_two.sql -text` to `migrations/.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 2 migrations
    "#);
    // The printed commands do the same.
    let history = build();
    history.findings(&[]).iter().for_each(|finding| history.mend(finding));
    survives(history);
}

#[test]
fn ends_of_lines_that_were_applied_are_kept_from_now_on() {
    // The file stands with LF.
    assert_snapshot!(restored(|| {
        let history = two();
        applied(&history, &crlf(TWO));
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql text eol=crlf` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // It is gone.
    assert_snapshot!(restored(|| {
        let history = two();
        applied(&history, &crlf(TWO));
        history.remove("migrations/2_two.sql").commit("Cid", "delete");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // It was committed with CRLF, and whoever commits it again would change it.
    assert_snapshot!(restored(|| {
        let history = two();
        history.write("migrations/2_two.sql", crlf(TWO)).commit("Cid", "crlf");
        applied(&history, &crlf(TWO));
        history.remove("migrations/2_two.sql").commit("Dee", "delete");
        history.git(&["config", "core.autocrlf", "true"]);
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // It was committed with CRLF, and LF was applied.
    assert_snapshot!(restored(|| {
        let history = two();
        history.write("migrations/2_two.sql", format!("{}SELECT 1;\r\n", crlf(TWO))).commit("Cid", "crlf");
        applied(&history, &format!("{TWO}SELECT 1;\n"));
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // Somebody's editor changed them in a commit.
    assert_snapshot!(restored(|| {
        let history = two();
        history.write("migrations/2_two.sql", crlf(TWO)).commit("Cid", "my editor");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
}

#[test]
fn a_byte_order_mark_and_a_last_line_break_come_and_go() {
    for content in [format!("\u{feff}{TWO}"), TWO.trim_end().to_owned(), format!("{}\n", TWO.trim_end())] {
        let build = || {
            let history = two();
            let other = if content == TWO { TWO.trim_end() } else { TWO };
            history.write("migrations/2_two.sql", other).commit("Cid", "trim");
            applied(&history, &content);
            history
        };
        assert_eq!(restored(build), WROTE);
    }
}

#[test]
fn letters_that_sqlx_ignores_may_differ() {
    assert_snapshot!(restored(|| {
        let history = two();
        history.write("Cargo.toml", "").write("sqlx.toml", "[migrate]\nignored-chars = [\"\\r\"]\n");
        history.write("migrations/2_two.sql", crlf(&format!("{TWO}SELECT 2;\n"))).commit("Cid", "crlf, which is ignored");
        applied(&history, &format!("{TWO}SELECT 2;\n"));
        history.remove("migrations/2_two.sql").commit("Dee", "delete");
        history
    }), @r#"
    exit code 0
    migration 2 (two) of app in default: added the line `/migrations/2_two.sql -text` to `.gitattributes`, so that git keeps the ends of its lines
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    // They counted when it was applied: no file has that checksum now.
    let history = two();
    history.write("Cargo.toml", "").write("sqlx.toml", "[migrate]\nignored-chars = [\"\\r\"]\n");
    history.write("migrations/2_two.sql", crlf(TWO)).commit("Cid", "crlf, which is ignored");
    applied(&history, &crlf(TWO));
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: cannot be restored: no file mends it: the bytes are those that were applied, but `ignored-chars` in sqlx.toml leaves letters out of the checksum which counted then; `migration-preflight check` prints the SQL that mends the row
    could not restore 1
    "#);
    history.remove("migrations/2_two.sql").commit("Dee", "delete");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of app in default: cannot be restored: what was applied is here, but `ignored-chars` in sqlx.toml leaves letters out of the checksum which counted then, so that no file has it
    could not restore 1
    "#);
}
