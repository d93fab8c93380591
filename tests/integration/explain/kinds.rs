//! Every kind of repository there is, and what cannot be looked at.

use insta::assert_snapshot;

use super::history::{History, explained, shown};
use super::{ONE, TWO, two};

/// A second migration, deleted.
fn deleted(history: History) -> History {
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    history.write("migrations/2_two.sql", TWO).commit("Bob", "add two");
    history.remove("migrations/2_two.sql").commit("Cid", "delete");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    history
}

/// A clone of a repository whose second migration was deleted.
fn cloned(arguments: &[&str]) -> History {
    let history = deleted(History::new());
    history.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", history.path().display());
    history.git(&[&["clone", "--quiet"], arguments, &[&url, "clone"]].concat());
    let history = history.seen_in("clone");
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    history
}

#[test]
fn a_shallow_clone_says_so_and_how_to_deepen_it() {
    let history = cloned(&["--depth=1"]);
    let findings = history.findings(&[]);
    assert_snapshot!(shown(&findings), @r#"
    missing-migration 2: "unknown"
    no version of this file in this repository has the applied checksum, as far as could be looked: the clone is shallow, and older commits could not be looked at: give `actions/checkout` `fetch-depth: 0`, or run `git fetch --unshallow`
    $ git fetch --unshallow
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    history.mend(&findings[0]);
    assert_snapshot!(shown(&history.findings(&[])), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in a37545e31448 on 2026-01-03 (“delete”); added by Bob in 5cacdd9179c8 on 2026-01-02 (“add two”)
    added: 5cacdd9179c8 Bob, 2026-01-02T10:00:00+00:00, add two, null
    changed: a37545e31448 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show 5cacdd9179c8:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn where_a_shallow_clone_ends_nobody_added_anything() {
    // The commit at its end seems to have brought in all that was there.
    let history = cloned(&["--depth=2"]);
    assert_snapshot!(shown(&history.findings(&[])), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in a37545e31448 on 2026-01-03 (“delete”)
    changed: a37545e31448 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show 5cacdd9179c8:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_partial_clone_says_so_and_how_to_fill_it() {
    let history = cloned(&["--filter=blob:none"]);
    let findings = history.findings(&[]);
    assert_snapshot!(shown(&findings), @r#"
    missing-migration 2: "unknown"
    no version of this file in this repository has the applied checksum, as far as could be looked: the clone is a partial one, and 1 of the contents could not be looked at: leave `filter` out of `actions/checkout`, or run `git fetch --refetch --no-filter`
    $ git fetch --refetch --no-filter
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    history.mend(&findings[0]);
    assert_snapshot!(shown(&history.findings(&[])), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in a37545e31448 on 2026-01-03 (“delete”); added by Bob in 5cacdd9179c8 on 2026-01-02 (“add two”)
    added: 5cacdd9179c8 Bob, 2026-01-02T10:00:00+00:00, add two, null
    changed: a37545e31448 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show 5cacdd9179c8:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn nobody_to_ask_changes_no_verdict() {
    let history = deleted(History::new());
    let before = history.check(&[]);
    let without = history.check_with(&[], &[("PATH", "/nonexistent")]);
    assert_eq!((before.code, without.code), (1, 1));
    assert_snapshot!(shown(&history.findings(&[("PATH", "/nonexistent")])), @r#"
    missing-migration 2: "unknown"
    cannot be explained, because the program `git` is not installed
    "#);
    std::fs::remove_dir_all(history.path().join(".git")).unwrap();
    std::fs::create_dir(history.path().join(".git")).unwrap();
    let run = history.check(&[]);
    assert!(run.code == 1 && !run.stdout.contains("why:"), "{run}");
}

#[test]
fn a_repository_without_a_commit_has_nothing() {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_snapshot!(shown(&history.findings(&[])), @r#"
    missing-migration 2: "unknown"
    no version of this file in this repository has the applied checksum
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn worktrees_submodules_and_other_hashes_are_repositories_like_others() {
    let expected = explained(|| deleted(History::new()));
    assert_snapshot!(expected, @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in a37545e31448 on 2026-01-03 (“delete”); added by Bob in 5cacdd9179c8 on 2026-01-02 (“add two”)
    added: 5cacdd9179c8 Bob, 2026-01-02T10:00:00+00:00, add two, null
    changed: a37545e31448 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show 5cacdd9179c8:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    let worktree = || {
        let history = deleted(History::new());
        history.git(&["worktree", "add", "--quiet", "--detach", "tree"]);
        let history = history.seen_in("tree");
        history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
        history
    };
    assert_eq!(explained(worktree), expected);
    let submodule = || {
        let history = deleted(History::new());
        let url = history.path().display().to_string();
        history.git(&["init", "--quiet", "outer"]);
        let history = history.seen_in("outer");
        history.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "inner"]);
        let history = history.seen_in("outer/inner");
        history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
        history
    };
    assert_eq!(explained(submodule), expected);
    assert_snapshot!(explained(|| deleted(History::with(&["--object-format=sha256"]))), @r#"
    missing-migration 2: "deleted"
    `2_two.sql` was deleted on this branch by Cid in e35c331b6ac4 on 2026-01-03 (“delete”); added by Bob in 058894eaf6c0 on 2026-01-02 (“add two”)
    added: 058894eaf6c0 Bob, 2026-01-02T10:00:00+00:00, add two, null
    changed: e35c331b6ac4 Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show 058894eaf6c0:migrations/2_two.sql > migrations/2_two.sql
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn a_bare_repository_has_no_files_and_breaks_nothing() {
    let history = deleted(History::new());
    history.git(&["clone", "--quiet", "--bare", ".", "bare"]);
    let history = history.seen_in("bare");
    history.write("migrations/1_one.sql", ONE).applied(&[(1, "one", ONE), (2, "two", TWO)]);
    let run = history.check(&[]);
    assert!(run.code == 1 && run.stdout.contains("error[missing-migration]"), "{run}");
}

#[test]
fn odd_paths_are_found_and_quoted() {
    assert_snapshot!(explained(|| {
        let history = History::new();
        let directory = "it's $(a) größe [x]/migrations";
        history.write(&format!("{directory}/1_one.sql"), ONE).commit("Ann", "start");
        history.write(&format!("{directory}/2_two ☂.sql"), TWO).commit("Bob", "add two");
        history.remove(&format!("{directory}/2_two ☂.sql")).commit("Cid", "delete");
        history.applied(&[(1, "one", ONE), (2, "two ☂", TWO)]);
        history
    }), @r#"
    missing-migration 2: "deleted"
    `2_two ☂.sql` was deleted on this branch by Cid in bc4eac091fbc on 2026-01-03 (“delete”); added by Bob in 7b3fcf4c6edf on 2026-01-02 (“add two”)
    added: 7b3fcf4c6edf Bob, 2026-01-02T10:00:00+00:00, add two, null
    changed: bc4eac091fbc Cid, 2026-01-03T10:00:00+00:00, delete, null
    $ git show '7b3fcf4c6edf:it'\''s $(a) größe [x]/migrations/2_two ☂.sql' > 'it'\''s $(a) größe [x]/migrations/2_two ☂.sql'
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
    assert_snapshot!(explained(|| {
        let history = History::new();
        let directory = "a \"b\" [c]*/migrations";
        history.write(&format!("{directory}/1_one.sql"), ONE).commit("Ann", "start");
        history.git(&["config", "core.autocrlf", "true"]);
        std::fs::remove_file(history.path().join(directory).join("1_one.sql")).unwrap();
        history.git(&["checkout", "--", "."]);
        history.applied(&[(1, "one", ONE)]);
        history
    }), @r#"
    checksum-mismatch 1: "line-endings"
    the commit has the applied content, but the checkout changed the ends of its lines (`core.autocrlf` or `.gitattributes`); added by Ann in c9234477f329 on 2026-01-01 (“start”)
    difference: line-endings
    added: c9234477f329 Ann, 2026-01-01T10:00:00+00:00, start, null
    $ printf '\n%s\n' '"/a \"b\" \\[c]\\*/migrations/1_one.sql" -text' >> .gitattributes
    $ git add .gitattributes
    $ rm 'a "b" [c]*/migrations/1_one.sql' && git checkout -- 'a "b" [c]*/migrations/1_one.sql'
    UPDATE "_sqlx_migrations" SET checksum = x'79229d03…' WHERE version = 1 AND checksum = x'e108174f…';
    "#);
}

#[test]
fn environments_that_disagree_are_told_whose_content_each_has() {
    let history = two();
    history.write("migrations/2_two.sql", super::ALTERED).commit("Cid", "names");
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migrations, database-url: 'sqlite:{environment}.db' } }\n\
         environments: { staging: {}, production: {} }\n",
    );
    history.repository.add_database("staging.db", &[(1, "one", ONE), (2, "two", super::ALTERED)]);
    history.repository.add_database("production.db", &[(1, "one", ONE), (2, "two", TWO), (3, "three", "x")]);
    let findings = history.findings(&[]);
    let drift: Vec<_> = findings.into_iter().filter(|finding| finding["rule"] == "environment-drift").collect();
    assert_snapshot!(shown(&drift), @r#"
    environment-drift 2: "edited"
    staging has `2_two.sql`, added by Cid in 792ba6f10abd on 2026-01-03 (“names”); production has `2_two.sql`, added by Bob in 49d5f674f66c on 2026-01-02 (“add two (#12)”)
    difference: sql
      |-CREATE TABLE two (id INTEGER, name TEXT);
      |+CREATE TABLE two (id INTEGER);
    added: 792ba6f10abd Cid, 2026-01-03T10:00:00+00:00, names, null
    changed: 49d5f674f66c Bob, 2026-01-02T10:00:00+00:00, add two (#12), 12
    environment-drift 3: "unknown"
    no version of this file in this repository has the applied checksum
    "#);
}

#[test]
fn what_another_service_has_is_no_file_of_this_one() {
    let history = History::new();
    history.write("api/migrations/1_one.sql", ONE).write("web/migrations/1_one.sql", ONE);
    history.write("web/migrations/2_two.sql", TWO).commit("Ann", "start");
    history.write(
        ".github/migration-preflight.yml",
        "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:dev.db' }\n\
         services: { api: {}, web: { database-url: 'sqlite:web.db' } }\nenvironments: { staging: {} }\n",
    );
    history.repository.add_database("web.db", &[(1, "one", ONE), (2, "two", TWO)]);
    history.applied(&[(1, "one", ONE), (2, "two", TWO)]);
    assert_snapshot!(shown(&history.findings(&[])), @r#"
    missing-migration 2: "unknown"
    nothing that ever was one of this service's migrations has the applied checksum, but `web/migrations/2_two.sql` has it
    -- Forgets a migration that ran: what it changed stays as it is.
    DELETE FROM "_sqlx_migrations" WHERE version = 2 AND checksum = x'c167fbe6…';
    "#);
}

#[test]
fn what_an_older_commit_lacks_stays_missing_though_others_share_the_table() {
    let history = History::new();
    history.write("api/migrations/1_one.sql", ONE).write("web/migrations/5_five.sql", ONE);
    history.write(".github/migration-preflight.yml", "defaults: { database-url: 'sqlite:dev.db' }\n");
    history.commit("Ann", "start");
    // By chance the other service has the very file as well.
    history.write("api/migrations/2_two.sql", TWO).write("web/migrations/2_two.sql", TWO).commit("Bob", "add two");
    history.applied(&[(1, "one", ONE), (2, "two", TWO), (5, "five", ONE)]);
    let rules = |arguments: &[&str]| {
        let report = history.repository.json(arguments).1;
        let targets = report["targets"].as_array().unwrap().iter();
        let findings = targets.flat_map(|target| target["findings"].as_array().unwrap());
        findings.map(|finding| format!("{} {}", finding["rule"], finding["version"])).collect::<Vec<_>>()
    };
    let older = rules(&["--service", "api", "--source", "git:HEAD~1"]);
    assert_eq!(older, ["\"shared-history\" null", "\"missing-migration\" 2"]);
    assert_eq!(rules(&["--service", "api"]), ["\"shared-history\" null"]);
    // As it is deployed the other one lacks what its checkout has.
    assert_eq!(rules(&["--source", "git:HEAD~1"]).iter().filter(|rule| rule.contains("missing")).count(), 2);
}
