//! Which migrations of which targets.

use std::fs;

use insta::assert_snapshot;

use super::{content, run};
use crate::explain::history::History;
use crate::explain::{ALTERED, ONE, TWO, two};

const THREE: &str = "CREATE TABLE three (id INTEGER);\n";

/// Two services in two environments; of both the second and the third migration are gone, and all is applied everywhere.
fn services() -> History {
    let history = History::new();
    for service in ["api", "web"] {
        for (name, text) in [("1_one", ONE), ("2_two", TWO), ("3_three", THREE)] {
            history.write(&format!("{service}/migrations/{name}.sql"), format!("-- {service}\n{text}"));
        }
    }
    history.write(
        ".github/migration-preflight.yml",
        "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}-{environment}.db' }\n\
         services: { api: {}, web: {} }\nenvironments: { staging: {}, production: {} }\n",
    );
    history.commit("Ann", "start");
    for service in ["api", "web"] {
        let [one, two, three] = [ONE, TWO, THREE].map(|text| format!("-- {service}\n{text}"));
        history.remove(&format!("{service}/migrations/2_two.sql")).remove(&format!("{service}/migrations/3_three.sql"));
        for environment in ["staging", "production"] {
            let rows = [(1, "one", one.as_str()), (2, "two", two.as_str()), (3, "three", three.as_str())];
            history.repository.add_database(&format!("{service}-{environment}.db"), &rows);
        }
    }
    history.commit("Bob", "tidy");
    history
}

#[test]
fn all_of_all_services() {
    let history = services();
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two) of api in staging, production: wrote `api/migrations/2_two.sql` as it was applied
    migration 3 (three) of api in staging, production: wrote `api/migrations/3_three.sql` as it was applied
    migration 2 (two) of web in staging, production: wrote `web/migrations/2_two.sql` as it was applied
    migration 3 (three) of web in staging, production: wrote `web/migrations/3_three.sql` as it was applied
    restored 4 migrations
    "#);
    assert_eq!(history.check(&[]).code, 0);
}

#[test]
fn one_of_several_versions() {
    let history = services();
    assert_snapshot!(run(&history, &["3", "--service", "web"]), @r#"
    exit code 0
    migration 3 (three) of web in staging, production: wrote `web/migrations/3_three.sql` as it was applied
    restored 1 migration
    "#);
    assert_eq!(content(&history, "web/migrations/3_three.sql"), format!("-- web\n{THREE}"));
    assert!(!history.path().join("web/migrations/2_two.sql").exists());
    assert!(!history.path().join("api/migrations/3_three.sql").exists());
    // As it is already, nowhere applied, and one that there is.
    assert_snapshot!(run(&history, &["1", "3", "9", "-1", "002", "2", "--service=web"]), @r#"
    exit code 1
    migration 1 of web in staging, production: nothing to do, its file is as it was applied
    migration 3 of web in staging, production: nothing to do, its file is as it was applied
    migration 9: cannot be restored: no target has applied it
    migration -1: cannot be restored: no target has applied it
    migration 2 (two) of web in staging, production: wrote `web/migrations/2_two.sql` as it was applied
    restored 1 migration, could not restore 2
    "#);
}

#[test]
fn the_words_of_a_dry_run() {
    let history = services();
    history.write("api/migrations/2_two.sql", "-- mine\n");
    assert_snapshot!(history.check(&["restore", "--dry-run", "2", "9", "--service", "api,web"]), @r#"
    exit code 1
    migration 9: could not be restored: no target has applied it
    migration 2 (two) of api in staging, production: would be refused: `api/migrations/2_two.sql` is not touched, because git does not know it: move it away, or commit it, and run this again
    migration 2 (two) of web in staging, production: would write `web/migrations/2_two.sql` as it was applied
    would have restored 1 migration, refused 1, could not restore 1; this was a dry run, and nothing was written
    "#);
}

#[test]
fn what_is_no_version_is_refused() {
    let history = two();
    assert_snapshot!(history.check(&["restore", "two"]), @r#"
    exit code 2
    --- stderr
    error: invalid value 'two' for '[VERSION]...': give the version of a migration, a whole number

    For more information, try '--help'.
    "#);
    assert_snapshot!(history.check(&["restore", "--gate", "introduced"]), @r#"
    exit code 2
    --- stderr
    error: unexpected argument '--gate' found

      tip: to pass '--gate' as a value, use '-- --gate'

    Usage: migration-preflight restore [OPTIONS] [VERSION]...

    For more information, try '--help'.
    "#);
    assert_snapshot!(history.check(&["restore", "--base", "nowhere"]), @r#"
    exit code 2
    --- stderr
    error: --base `nowhere` names no commit that is here
      help: fetch it first, or name a branch, tag or commit of this clone; actions/checkout fetches all of them with the line `fetch-depth: 0`
    "#);
    assert_snapshot!(super::named(history.check(&["restore", "--service", "nobody"]), &history), @r#"
    exit code 2
    --- stderr
    error: there is no service `nobody`; there is app
      help: correct --service or --environment
    "#);
}

#[test]
fn environments_that_disagree_are_both_named() {
    let history = services();
    fs::remove_file(history.path().join("api-production.db")).unwrap();
    let other = format!("-- api\n{ALTERED}");
    history.write("api/migrations/2_two.sql", &other).commit("Cid", "names");
    let one = format!("-- api\n{ONE}");
    history.repository.add_database("api-production.db", &[(1, "one", &one), (2, "two", &other)]);
    // What production has stands here: giving staging its own would take it away.
    assert_snapshot!(run(&history, &["2", "--service", "api"]), @r#"
    exit code 1
    migration 2 (two) of api in staging: refused: it was applied with different contents, and no file can have both: checksum d1d1760b140f… in api in staging, 3d1d36321113… in api in production; say which with --environment
    refused 1
    "#);
    assert_eq!(content(&history, "api/migrations/2_two.sql"), other);
    assert_snapshot!(run(&history, &["2", "--service", "api", "--environment", "staging"]), @r#"
    exit code 0
    migration 2 (two) of api in staging: wrote `api/migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
    assert_eq!(content(&history, "api/migrations/2_two.sql"), format!("-- api\n{TWO}"));
}

#[test]
fn services_that_share_a_directory_and_disagree_are_both_named() {
    let history = two();
    history.write(
        ".github/migration-preflight.yml",
        "defaults: { migrations: migrations, database-url: 'sqlite:{service}.db' }\n\
         services: { api: {}, web: {} }\nenvironments: { dev: {} }\n",
    );
    history.remove("migrations/2_two.sql").commit("Cid", "delete");
    history.repository.add_database("api.db", &[(1, "one", ONE), (2, "two", TWO)]);
    history.repository.add_database("web.db", &[(1, "one", ONE), (2, "two", ALTERED)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of api in dev: refused: it was applied with different contents, and no file can have both: checksum c167fbe69e87… in api in dev, 0f2a5931201d… in web in dev; say which with --service and --environment
    migration 2 (two) of web in dev: refused: it was applied with different contents, and no file can have both: checksum c167fbe69e87… in api in dev, 0f2a5931201d… in web in dev; say which with --service and --environment
    refused 2
    "#);
    assert_snapshot!(run(&history, &["--service", "api"]), @r#"
    exit code 0
    migration 2 (two) of api in dev: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_go_on() {
    let history = services();
    fs::remove_file(history.path().join("api-staging.db")).unwrap();
    fs::write(history.path().join("web-production.db"), "no database at all, but a file that is long enough to look")
        .unwrap();
    assert_snapshot!(run(&history, &["3"]), @r#"
    exit code 3
    api in staging: the history could not be read: there is no such database: [root]/*** does not exist
    web in production: the history could not be read: the answer could not be understood: [root]/***: file is not a database
    migration 3 (three) of api in production: wrote `api/migrations/3_three.sql` as it was applied
    migration 3 (three) of web in staging: wrote `web/migrations/3_three.sql` as it was applied
    restored 2 migrations, 2 targets could not be read
    "#);
    assert_snapshot!(run(&history, &["4"]), @r#"
    exit code 3
    api in staging: the history could not be read: there is no such database: [root]/*** does not exist
    web in production: the history could not be read: the answer could not be understood: [root]/***: file is not a database
    migration 4: no target that could be read has applied it
    restored nothing, 2 targets could not be read
    "#);
    // Something worse was found.
    history.write("api/migrations/2_two.sql", "-- mine\n");
    assert_snapshot!(run(&history, &["2", "--service", "api", "--environment", "production,staging"]), @r#"
    exit code 1
    api in staging: the history could not be read: there is no such database: [root]/*** does not exist
    migration 2 (two) of api in production: refused: `api/migrations/2_two.sql` is not touched, because git does not know it: move it away, or commit it, and run this again
    refused 1, 1 target could not be read
    "#);
}

#[test]
fn the_database_of_another_service_has_nothing_that_belongs_here() {
    let history = services();
    fs::copy(history.path().join("web-staging.db"), history.path().join("api-staging.db")).unwrap();
    history.git(&["revert", "--no-edit", "HEAD"]);
    history.remove("api/migrations/3_three.sql").commit("Cid", "tidy");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    api in staging: refused: this looks like the database of `web`: 3 of its 3 rows are migrations of `web`, and none is one of this service
    migration 3 (three) of api in production: wrote `api/migrations/3_three.sql` as it was applied
    restored 1 migration, refused 1
    "#);
    assert_eq!(fs::read_dir(history.path().join("api/migrations")).unwrap().count(), 3);
}

#[test]
fn what_is_accepted_or_ignored_is_restored_only_by_name() {
    let history = two();
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migrations, database-url: 'sqlite:dev.db' } }\nenvironments: { dev: {} }\n\
         rules: { checksum-mismatch: ignore }\n\
         accept: [ { rule: missing-migration, version: 2, reason: 'squashed in #7' } ]\n",
    );
    history.write("migrations/1_one.sql", "SELECT 1;").remove("migrations/2_two.sql").commit("Cid", "squash");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two) of api in dev: left as it is: it is accepted: squashed in #7; name the version to restore it all the same
    restored nothing
    "#);
    assert_snapshot!(run(&history, &["2", "1"]), @r#"
    exit code 0
    migration 1 (one) of api in dev: wrote `migrations/1_one.sql` as it was applied
    migration 2 (two) of api in dev: wrote `migrations/2_two.sql` as it was applied
    restored 2 migrations
    "#);
    // A service that ignores what is missing.
    let history = two();
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migrations, database-url: 'sqlite:dev.db', ignore-missing: true } }\n\
         environments: { dev: {} }\n",
    );
    history.remove("migrations/2_two.sql").commit("Cid", "squash");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    migration 2 (two) of api in dev: left as it is: the service ignores that it is missing (`ignore-missing`); name the version to restore it all the same
    restored nothing
    "#);
    assert_snapshot!(run(&history, &["2"]), @r#"
    exit code 0
    migration 2 (two) of api in dev: wrote `migrations/2_two.sql` as it was applied
    restored 1 migration
    "#);
}

#[test]
fn a_database_that_may_be_away_is_away() {
    let history = two();
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migrations, database-url: '${AWAY_URL}', required: false } }\nenvironments: { dev: {} }\n",
    );
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 0
    api in dev: not checked, and not required to be: the environment variable AWAY_URL is unset or empty
    restored nothing
    "#);
    assert_snapshot!(run(&history, &["2"]), @r#"
    exit code 0
    api in dev: not checked, and not required to be: the environment variable AWAY_URL is unset or empty
    migration 2: no target that could be read has applied it
    restored nothing
    "#);
}

#[test]
fn a_content_that_is_nowhere_is_said_to_be_and_the_others_go_on() {
    let history = two();
    history.remove("migrations/2_two.sql").commit("Cid", "tidy");
    fs::remove_file(history.path().join("dev.db")).unwrap();
    history.applied(&[(1, "one", "SELECT 1;"), (2, "two", TWO), (3, "three", "SELECT 3;")]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 1 (one) of app in default: cannot be restored: no version of this file in this repository has the applied checksum
    migration 2 (two) of app in default: wrote `migrations/2_two.sql` as it was applied
    migration 3 (three) of app in default: cannot be restored: no version of this file in this repository has the applied checksum
    restored 1 migration, could not restore 2
    "#);
}

#[test]
fn a_directory_that_never_was_is_not_filled_from_another() {
    let history = two();
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migratoins, database-url: 'sqlite:dev.db' } }\nenvironments: { dev: {} }\n",
    );
    history.commit("Cid", "a slip of the pen");
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 1 (one) of api in dev: refused: there is no directory `migratoins`, nor was its file ever there: correct `migrations`, or make the directory
    migration 2 (two) of api in dev: refused: there is no directory `migratoins`, nor was its file ever there: correct `migrations`, or make the directory
    refused 2
    "#);
    assert!(!history.path().join("migratoins").exists() && history.path().join("migrations/2_two.sql").exists());
}

#[test]
fn the_readme_shows_what_is_told() {
    let (author, index) = ("ALTER TABLE post ADD author TEXT;\n", "CREATE INDEX post_author ON post (author);\n");
    let history = History::new();
    history.write("migrations/006_post.sql", ONE).write("migrations/007_add_author.sql", author);
    history.write("migrations/008_add_index.sql", index);
    history.write(
        ".github/migration-preflight.yml",
        "services: { api: { migrations: migrations, database-url: 'sqlite:{environment}.db' } }\n\
         environments: { staging: {}, production: {} }\n",
    );
    history.commit("Ann", "start");
    history.remove("migrations/007_add_author.sql").commit("Cid", "tidy (#31)");
    history.write("migrations/008_add_index.sql", "-- not done yet\n");
    let rows = [(6, "post", ONE), (7, "add author", author), (8, "add index", index)];
    history.repository.add_database("staging.db", &rows);
    history.repository.add_database("production.db", &rows[..2]);
    let shown = crate::shared::readme::block("restore");
    assert_eq!(
        shown,
        format!("$ migration-preflight restore --dry-run\n{}", history.check(&["restore", "--dry-run"]).stdout)
    );
}

#[test]
fn what_another_service_has_stays_there() {
    let build = || {
        let history = History::new();
        history.write("api/migrations/1_init.sql", ONE).write("web/migrations/1_init.sql", ONE);
        history.write("api/migrations/2_api.sql", TWO).write("web/migrations/2_web.sql", THREE);
        history.write("api/migrations/3_own.sql", ALTERED).commit("Ann", "start");
        history.write(
            ".github/migration-preflight.yml",
            "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}.db' }\n\
             services: { api: {}, web: {} }\nenvironments: { dev: {} }\n",
        );
        history.remove("api/migrations/1_init.sql").commit("Cid", "tidy");
        history.repository.add_database("api.db", &[(1, "init", ONE), (2, "web", THREE), (3, "own", ALTERED)]);
        history.repository.add_database("web.db", &[(1, "init", ONE), (2, "web", THREE)]);
        history
    };
    let history = build();
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 1 (init) of api in dev: wrote `api/migrations/1_init.sql` as it was applied
    migration 2 (web) of api in dev: cannot be restored: nothing that ever was one of this service's migrations has the applied checksum, but `web/migrations/2_web.sql` has it
    restored 1 migration, could not restore 1
    "#);
    // Nothing is known of the other service then.
    let history = build();
    assert_snapshot!(run(&history, &["--service", "api"]), @r#"
    exit code 0
    migration 1 (init) of api in dev: wrote `api/migrations/1_init.sql` as it was applied
    migration 2 (web) of api in dev: renamed `api/migrations/2_api.sql` to `api/migrations/4_api.sql`
    migration 2 (web) of api in dev: wrote `api/migrations/2_web.sql` as it was applied
    restored 2 migrations
    "#);
    let names = ["web/migrations/1_init.sql", "web/migrations/2_web.sql", "api/migrations/1_init.sql"];
    assert_eq!(names.map(|path| content(&history, path)), [ONE, THREE, ONE]);
}

#[test]
fn a_directory_with_two_names_is_one() {
    let history = two();
    history.write(
        ".github/migration-preflight.yml",
        "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}.db' }\n\
         services: { api: {}, web: {} }\nenvironments: { dev: {} }\n",
    );
    fs::create_dir(history.path().join("web")).unwrap();
    history.write("api/src/main.rs", "").git(&["mv", "migrations", "api/migrations"]);
    std::os::unix::fs::symlink("../api/migrations", history.path().join("web/migrations")).unwrap();
    history.write("api/migrations/2_two.sql", ALTERED).commit("Cid", "names");
    history.repository.add_database("api.db", &[(1, "one", ONE), (2, "two", TWO)]);
    // It has what stands here, and would lose it.
    history.repository.add_database("web.db", &[(1, "one", ONE), (2, "two", ALTERED)]);
    assert_snapshot!(run(&history, &[]), @r#"
    exit code 1
    migration 2 (two) of api in dev: refused: it was applied with different contents, and no file can have both: checksum c167fbe69e87… in api in dev, 0f2a5931201d… in web in dev; say which with --service and --environment
    refused 1
    "#);
    assert_eq!(content(&history, "api/migrations/2_two.sql"), ALTERED);
}
