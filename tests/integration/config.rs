//! The configuration file as its authors meet it: the whole example, one mistake, every mistake, and hostile text.

mod hostile;
mod mistakes;

use migration_preflight::finding::{Rule, Severity};
use migration_preflight::inputs::config::{Config, DatabaseTemplate, MatrixSource, ServiceFields, read, schema};
use migration_preflight::inputs::diagnostic::Diagnostics;
use migration_preflight::inputs::template::{Template, UrlTemplate};
use migration_preflight::migration::Version;
use migration_preflight::policy::Accept;

const FILE: &str = ".github/migration-preflight.yml";

const EXAMPLE: &str = "\
matrix:                                   # where services and environments come from
  workflow: .github/workflows/deploy.yml
  job: deploy                             # its strategy.matrix (include, exclude, fromJSON of a literal)
  # input: service                        # or the options of a workflow_dispatch choice input
  service-key: service                    # matrix keys; these are the defaults
  environment-key: environment
defaults:                                 # any field of a service
  migrations: backend/{service}/migrations
services:
  content-service:
    migrations: backend/content-service/migrations
    ignore-missing: false                 # mirrors Migrator::set_ignore_missing
    table: _sqlx_migrations               # else sqlx.toml's, else _sqlx_migrations
environments:                             # in order of promotion
  staging:
    database-url: ${STAGING_DATABASE_URL}                  # ${} is an environment variable,
  production:
    database-url: ${PRODUCTION_{SERVICE}_DATABASE_URL}     # {} is filled in first; {SERVICE} is CONTENT_SERVICE
    rules: { out-of-order: error }
rules: { ignored-file: error }
accept:                                   # known and meant, each with a reason
  - { rule: missing-migration, service: content-service, version: 20220709210445, reason: \"removed in #1585\" }
";

fn valid(text: &str) -> Config {
    read(text, FILE).map_err(|mistakes| mistakes.to_string()).expect("no mistake")
}

fn invalid(text: &str) -> Diagnostics {
    read(text, FILE).expect_err("a mistake")
}

/// Line and message of every mistake.
fn told(text: &str) -> Vec<(u32, String)> {
    invalid(text).list().iter().map(|mistake| (mistake.span.line, mistake.message.clone())).collect()
}

fn schema_accepts(text: &str) -> bool {
    let document = migration_preflight::yaml::parse(text).expect("valid YAML").root.to_value();
    jsonschema::is_valid(&schema(), &serde_json::to_value(document).expect("json"))
}

#[test]
fn the_whole_example_is_read_as_it_is_meant() {
    let config = valid(EXAMPLE);
    let matrix = config.matrix.expect("a matrix");
    assert_eq!(matrix.workflow, ".github/workflows/deploy.yml");
    assert_eq!(matrix.source, MatrixSource::Job("deploy".into()));
    assert_eq!((matrix.service_key.as_str(), matrix.environment_key.as_str()), ("service", "environment"));
    assert_eq!((matrix.location.file.as_str(), matrix.location.line), (FILE, 1));

    let migrations = |text: &str| Some(Template::parse_path(text).expect("a path"));
    let url = |text: &str| Some(DatabaseTemplate::Url(UrlTemplate::parse(text).expect("a URL")));
    assert_eq!(
        config.defaults,
        ServiceFields { migrations: migrations("backend/{service}/migrations"), ..ServiceFields::default() }
    );
    let service = &config.services["content-service"];
    assert_eq!(
        service.fields,
        ServiceFields {
            migrations: migrations("backend/content-service/migrations"),
            ignore_missing: Some(false),
            table: Some("_sqlx_migrations".into()),
            ..ServiceFields::default()
        }
    );
    assert_eq!((service.location.line, service.environments.len()), (10, 0));
    assert_eq!(config.environments.keys().collect::<Vec<_>>(), ["staging", "production"]);
    assert_eq!(config.environments["staging"].fields.database, url("${STAGING_DATABASE_URL}"));
    let production = &config.environments["production"];
    assert_eq!(production.fields.database, url("${PRODUCTION_{SERVICE}_DATABASE_URL}"));
    assert_eq!(production.fields.levels, [(Rule::OutOfOrder, Some(Severity::Error))].into());
    assert_eq!(production.location.line, 17);
    assert_eq!(config.levels, [(Rule::IgnoredFile, Some(Severity::Error))].into());
    let accept = Accept {
        rule: Rule::MissingMigration,
        service: Some("content-service".into()),
        environment: None,
        version: Some(Version(20_220_709_210_445)),
        file: None,
        reason: "removed in #1585".into(),
        location: migration_preflight::finding::Location { file: FILE.into(), line: 22 },
    };
    assert_eq!(config.accept, [accept]);
}

#[test]
fn the_schema_and_the_committed_schema_accept_the_whole_example() {
    let committed = include_str!("../../docs/migration-preflight.schema.json");
    let committed: serde_json::Value = serde_json::from_str(committed).expect("json");
    assert_eq!(committed, schema());
    assert!(jsonschema::meta::is_valid(&committed));
    assert!(schema_accepts(EXAMPLE));
}

#[test]
fn nothing_configured_is_a_configuration() {
    for text in ["", "# nothing\n", "---\n", "{}", "\u{feff}", "services:\nenvironments:\nrules:\naccept:\nmatrix:\n"] {
        assert_eq!(valid(text), Config::default(), "{text:?}");
    }
}

#[test]
fn a_service_says_what_is_different_in_one_environment() {
    let text = "\
environments: { staging: , production: { required: false } }
services:
  api:
    database-url: postgres://app@localhost/api
    environments:
      production: { database-url: \"${{SERVICE}_URL}\", migrations: old, rules: { out-of-order: ignore } }
";
    let config = valid(text);
    assert!(schema_accepts(text));
    let production = &config.services["api"].environments["production"];
    assert_eq!(production.fields.levels, [(Rule::OutOfOrder, None)].into());
    assert_eq!(production.location.line, 6);
    assert_eq!(config.environments["production"].fields.required, Some(false));
}

#[test]
fn numbers_are_names_as_they_are_written() {
    let text = "\
services: { 1: , 007: , 1.10: , 0x10: , true: }
environments: { 2: }
accept:
  - { rule: missing-migration, service: 1, environment: 2, version: 007, reason: 5 }
  - { rule: missing-migration, service: 007, version: '+8', reason: x }
  - { rule: missing-migration, service: 1.10, version: -9, reason: x }
  - { rule: missing-migration, service: 0x10, version: 9223372036854775807, reason: x }
";
    let config = valid(text);
    assert!(schema_accepts(text));
    assert_eq!(config.services.keys().collect::<Vec<_>>(), ["1", "007", "1.10", "0x10", "true"]);
    let accepted: Vec<_> =
        config.accept.iter().map(|it| (it.service.as_deref(), it.version.map(|version| version.0))).collect();
    assert_eq!(
        accepted,
        [(Some("1"), Some(7)), (Some("007"), Some(8)), (Some("1.10"), Some(-9)), (Some("0x10"), Some(i64::MAX))]
    );
    assert_eq!(config.accept[0].reason, "5");
}

#[test]
fn aliases_and_merge_keys_stand_for_what_they_name() {
    let config = valid(
        "\
services:
  api: &api { table: app._sqlx_migrations, required: true }
  web: { <<: *api, required: false }
  job: *api
",
    );
    assert_eq!(config.services["web"].fields.table.as_deref(), Some("app._sqlx_migrations"));
    assert_eq!(config.services["web"].fields.required, Some(false));
    assert_eq!(config.services["job"].fields, config.services["api"].fields);
}

#[test]
fn a_mistake_behind_an_anchor_is_told_once_where_it_was_written() {
    let text = "services:\n  a: &a { table: 'x;', tabel: y }\n  b: { <<: *a }\n  c: { <<: *a }\n";
    let list = told(text);
    assert_eq!(
        list,
        [
            (2, "this is not the name of a table: ';' cannot stand where it does".into()),
            (2, "unknown key `tabel`".into())
        ]
    );
}

#[test]
fn with_a_matrix_names_and_placeholders_come_from_elsewhere() {
    let text = "\
matrix: { workflow: w.yml, input: service, service-key: app, environment-key: stage }
services: { a: { environments: { anywhere: { migrations: '{region}/{APP}' } } } }
environments: { staging: }
accept: [{ rule: out-of-order, service: b, environment: c, file: a/1_a.sql, reason: x }]
";
    let matrix = valid(text).matrix.expect("a matrix");
    assert_eq!(matrix.source, MatrixSource::Input("service".into()));
    assert_eq!((matrix.service_key.as_str(), matrix.environment_key.as_str()), ("app", "stage"));
}

#[test]
fn a_mistake_in_the_matrix_does_not_make_names_unknown() {
    let text = "matrix: { job: deploy }\nservices: { a: }\naccept: [{ rule: out-of-order, service: b, reason: x }]\n";
    assert_eq!(told(text), [(1, "`matrix` has no `workflow`".into())]);
}

#[test]
fn mistakes_are_shown_in_their_lines_with_what_to_do() {
    let text = "services:\n  api: { tabel: x }\nrules:\n  out-of-ordr: error\n";
    insta::assert_snapshot!(invalid(text), @"
    unknown key `tabel`
     --> .github/migration-preflight.yml:2:10
      |
    2 |   api: { tabel: x }
      |          ^^^^^
      |
      = help: did you mean `table`?

    error: there is no rule `out-of-ordr`
     --> .github/migration-preflight.yml:4:3
      |
    4 |   out-of-ordr: error
      |   ^^^^^^^^^^^
      |
      = help: did you mean `out-of-order`?
    ");
}
