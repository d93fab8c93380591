//! The configuration file as its authors meet it: one mistake, every mistake, hostile text, and the whole example.

use migration_preflight::inputs::config::read;

#[test]
fn look() {
    let text = r#"
matrix:
  job: deploy
  input: x
  servce-key: a
defaults: [a]
servces: {}
services:
  1: {migrations: /abs, table: "a;b", ignore-missing: "true", environments: {staging: }}
  content-service:
    migration: x
    migrations: ../x
    database-url: postgres://app:hunter2@db/x
    rules: {out-of-ordr: eror, 5: x}
    required:
  a: {database-url: "${{ secrets.X }}"}
  b: {database-url: "${X", migrations: "{servce}/x"}
  "": {}
accept:
  - rule: missing-migration
  - {reason: "", rule: foo, service: nope, version: 1.5}
  - 5
  - reason: x
"#;
    println!("{}", read(text, ".github/migration-preflight.yml").unwrap_err());
    println!("{}", read("a: &a [*a]", "f.yml").unwrap_err().render(true));
}
