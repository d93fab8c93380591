//! `--format sarif`: what code scanning is given, as the program writes it, held against the schema of the format, and
//! with whatever text from elsewhere in it.

#[cfg(feature = "oracles")]
mod schema;

use std::collections::HashSet;

use migration_preflight::finding::Rule;
use migration_preflight::render;
use migration_preflight::text::is_invisible;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::Value;

use crate::markup::reports::{TEXTS, report};
use crate::markup::{PIECES, marked, nasty, search};
use crate::shared::repository::Repository;

/// A repository with a missing migration, a pending one, and an environment that is away.
fn repository() -> Repository {
    Repository::new()
        .file("my api/migrations/1_step.sql", "SELECT 1;\n")
        .file("my api/migrations/3_later.sql", "SELECT 3;\n")
        .database("dev.db", &[(1, "step", "SELECT 1;\n"), (2, "add author", "x")])
        .config(
            "services: { api: { migrations: 'my api/migrations' } }\n\
             environments: { staging: { database-url: 'sqlite:dev.db' }, production: { database-url: '${DB}' } }\n",
        )
}

#[test]
fn the_log_of_a_run() {
    let repository = repository();
    let run = repository.run(&["--format", "sarif"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run}");
    let mut log: Value = serde_json::from_str(&run.stdout).unwrap();
    // The catalogue is the same in every log.
    let rules = log["runs"][0]["tool"]["driver"]["rules"].take();
    assert_eq!(rules.as_array().unwrap().len(), Rule::all().count());
    let results = log["runs"][0]["results"].take();
    let lines: Vec<_> = std::iter::once(&log).chain(results.as_array().unwrap()).map(Value::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":{"name":"migration-preflight","version":"0.1.0","semanticVersion":"0.1.0","rules":null}},"automationDetails":{"id":"migration-preflight/service:api/"},"invocations":[{"executionSuccessful":false,"exitCode":1,"exitCodeDescription":"fail: 1 of 2 targets would not start, 1 of 2 targets could not be checked, 1 error","toolExecutionNotifications":[{"level":"error","message":{"text":"api in production: the history could not be read: the environment variable DB is unset or empty\nSet the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":".github/migration-preflight.yml","uriBaseId":"%SRCROOT%"},"region":{"startLine":1}}}],"associatedRule":{"id":"unreachable-database","index":1}}]}],"originalUriBaseIds":{"%SRCROOT%":{"description":{"text":"The root of the repository."}}},"results":null}]}
    {"ruleId":"missing-migration","ruleIndex":11,"level":"error","message":{"text":"api in staging: migration 2 was applied, but the source has no file for it (add author)\nThe source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.\nDeclared in .github/migration-preflight.yml:1."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"my%20api/migrations/2_add_author.sql","uriBaseId":"%SRCROOT%"},"region":{"startLine":1}}}],"partialFingerprints":{"primaryLocationLineHash":"da088192df3e9eee:1"},"properties":{"service":"api","environments":["staging"],"version":2,"severity":"error"}}
    {"ruleId":"unreachable-database","ruleIndex":1,"level":"error","message":{"text":"api in production: the history could not be read: the environment variable DB is unset or empty\nSet the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":".github/migration-preflight.yml","uriBaseId":"%SRCROOT%"},"region":{"startLine":1}}}],"partialFingerprints":{"primaryLocationLineHash":"fe696e020d732399:1"},"properties":{"service":"api","environments":["production"],"severity":"incomplete"}}
    {"ruleId":"pending-migration","ruleIndex":25,"level":"note","message":{"text":"api in staging: migration 3 would be applied when the service starts (later)\nNothing has to be done: this is what a deploy with a new migration looks like.\nDeclared in .github/migration-preflight.yml:1."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"my%20api/migrations/3_later.sql","uriBaseId":"%SRCROOT%"},"region":{"startLine":1}}}],"partialFingerprints":{"primaryLocationLineHash":"3ee8b95acbff4e79:1"},"properties":{"service":"api","environments":["staging"],"version":3,"severity":"notice"}}
    "#);
}

#[test]
fn a_file_is_written_beside_what_is_printed() {
    let repository = repository();
    let run = repository.run(&["--output", "sarif=report.sarif"]);
    assert!(run.code == 1 && run.stdout.starts_with("fail: "), "{run}");
    let written = std::fs::read_to_string(repository.path().join("report.sarif")).unwrap();
    assert_eq!(written, repository.run(&["--format", "sarif"]).stdout);
}

/// What is the case whatever the texts are: as many results as there are findings, each a finding of its own, its place
/// the one that the finding has, and nothing that acts.
fn expect_sound(texts: &[String]) -> Result<Value, TestCaseError> {
    let report = report(&marked(texts));
    let text = render::sarif(&report);
    let acts = |c: char| c != '\n' && (c.is_control() || is_invisible(c));
    prop_assert!(!text.contains(acts) && !text.contains("##["), "{}", text);
    let log: Value = serde_json::from_str(&text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    prop_assert_eq!(results.len(), report.all_findings().count() + report.already_so.len());
    let fingerprints: HashSet<_> = results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
    prop_assert_eq!(fingerprints.len(), results.len());
    let mut files = HashSet::new();
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        let is_escaped = uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte));
        prop_assert!(is_escaped && !uri.starts_with('/') && !uri.is_empty(), "{}", uri);
        files.insert(percent_decode_str(uri).decode_utf8().unwrap().into_owned());
        let message = result["message"]["text"].as_str().unwrap();
        prop_assert!(!message.contains("](") && !message.contains("{0}"), "{}", message);
    }
    for file in report.all_findings().filter_map(|finding| Some(&finding.location.as_ref()?.file)) {
        prop_assert!(files.contains(file), "{}", file);
    }
    Ok(log)
}

#[test]
fn no_piece_of_markup_does_anything() {
    for piece in PIECES.into_iter().chain(["{0}", "](x", "{"]) {
        expect_sound(&vec![piece.to_owned(); TEXTS]).unwrap();
    }
}

proptest! {
    #![proptest_config(search())]

    #[test]
    fn whatever_is_found_is_told_where_it_is(texts in prop::collection::vec(nasty(), TEXTS)) {
        expect_sound(&texts)?;
    }
}
