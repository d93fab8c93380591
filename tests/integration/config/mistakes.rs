//! Every kind of mistake, alone and together.

use super::*;

/// The file, the line and message of its only mistake, and whether the schema sees it too.
type Mistake = (&'static str, u32, &'static str, bool);

const FORM: &[Mistake] = &[
    ("rules: {}\na: b: c", 2, "this is no YAML: mapping values are not allowed in this context", false),
    ("rules: {}\nrules: {}", 2, "`rules` stands twice in one mapping", false),
    ("[]", 1, "the file must be a mapping of keys to values, but is a list", true),
    ("servces: {}", 1, "unknown key `servces`", true),
    ("services:\n  a:\n    tabel: x", 3, "unknown key `tabel`", true),
    ("defaults:\n  environments: {}", 2, "unknown key `environments`", true),
    ("? [a]\n: b", 1, "a key must be text", false),
    ("services: [a]", 1, "`services` must be a mapping of keys to values, but is a list", true),
    ("services: { a: x }", 1, "`a` must be a mapping of keys to values, but is text", true),
    ("services: { a: { table: [x] } }", 1, "`table` must be text, but is a list", true),
    ("services: { a: { table: true } }", 1, "`table` must be text, but is a boolean", true),
    ("services:\n  a:\n    table:\n", 3, "`table` must be text, but is empty", true),
    ("defaults: { required: 'no' }", 1, "`required` must be `true` or `false`, but is text", true),
    ("defaults: { ignore-missing: 1 }", 1, "`ignore-missing` must be `true` or `false`, but is a number", true),
    ("defaults: { max-age: [7d] }", 1, "`max-age` must be text, but is a list", true),
    ("defaults: { schemas: tenant_* }", 1, "`schemas` must be a list, but is text", true),
    ("defaults: { databases: [a, [b]] }", 1, "an entry of `databases` must be text, but is a list", true),
    ("accept: {}", 1, "`accept` must be a list, but is a mapping", true),
    ("accept:\n  - x", 2, "an entry of `accept` must be a mapping of keys to values, but is text", true),
    ("rules: error", 1, "`rules` must be a mapping of keys to values, but is text", true),
    ("rules: { out-of-order: [error] }", 1, "`out-of-order` must be text, but is a list", true),
];

const MEANING: &[Mistake] = &[
    ("rules:\n  out-of-ordr: error", 2, "there is no rule `out-of-ordr`", true),
    ("environments: { staging: { max-age: 7 } }", 1, "`7` is no length of time", true),
    ("services: { a: { max-age: 7 days } }", 1, "`7 days` is no length of time", true),
    ("defaults: { schemas: [] }", 1, "`schemas` is empty", true),
    ("defaults:\n  schemas: ['!a']", 2, "`schemas` begins with names that are no tenants", false),
    ("defaults: { schemas: ['{tenant}_*'] }", 1, "unknown placeholder `{tenant}`", false),
    ("defaults: { databases: [''] }", 1, "`databases` is empty", false),
    ("defaults:\n  schemas: [a]\n  databases: [a]", 3, "`schemas` and `databases` stand side by side", false),
    ("rules: { out-of-order: eror }", 1, "there is no level `eror`", true),
    ("rules: { out-of-order: incomplete }", 1, "there is no level `incomplete`", true),
    ("accept:\n  - { rule: out-of-order }", 2, "this entry of `accept` has no `reason`", true),
    ("accept: [{ rule: out-of-order, reason: ' ' }]", 1, "`reason` is empty", true),
    ("accept: [{ reason: x }]", 1, "this entry of `accept` has no `rule`", true),
    ("accept: [{ rule: nope, reason: x }]", 1, "there is no rule `nope`", true),
    ("accept: [{ rule: out-of-order, version: x, reason: x }]", 1, "`x` is no version", true),
    (
        "accept: [{ rule: out-of-order, version: 9223372036854775808, reason: x }]",
        1,
        "`9223372036854775808` is no version",
        false,
    ),
    ("accept: [{ rule: out-of-order, file: /a, reason: x }]", 1, "the path is absolute", true),
    (
        "services: { a: }\naccept: [{ rule: out-of-order, service: b, reason: x }]",
        2,
        "the service `b` is not configured",
        false,
    ),
    (
        "environments: { a: }\naccept: [{ rule: out-of-order, environment: b, reason: x }]",
        2,
        "the environment `b` is not configured",
        false,
    ),
    (
        "environments: { a: }\nservices: { s: { environments: { b: } } }",
        2,
        "the environment `b` is not configured",
        false,
    ),
    ("services: { s: { environments: { b: } } }", 1, "the environment `b` is not configured", false),
    ("matrix:\n  workflow: w.yml", 1, "`matrix` has neither `job` nor `input`", true),
    ("matrix:\n  workflow: w.yml\n  job: a\n  input: b", 4, "`matrix` has both `job` and `input`", true),
    ("matrix:\n  job: a", 1, "`matrix` has no `workflow`", true),
    ("matrix: { workflow: '', job: a }", 1, "`workflow` is empty", true),
    ("matrix: { workflow: /w.yml, job: a }", 1, "the path is absolute", true),
    (
        "matrix: { workflow: w.yml, job: a, service-key: environment }",
        1,
        "`environment` is the key of the service and of the environment",
        false,
    ),
    ("services:\n  '': {}", 2, "the name of the service is empty", true),
    ("environments:\n  ' ': {}", 2, "the name of the environment is empty", true),
    ("services: { a: { environments: { '': } } }", 1, "the name of the environment is empty", true),
    ("services: { \"a\\0\": {} }", 1, "the name of the service holds a control character", false),
];

const TEMPLATES: &[Mistake] = &[
    ("defaults: { migrations: /srv/migrations }", 1, "the path is absolute", true),
    ("defaults: { migrations: ../migrations }", 1, "the path leads out of the repository", true),
    ("defaults: { migrations: a/../../b }", 1, "the path leads out of the repository", false),
    ("defaults: { migrations: 'a\\b' }", 1, "the path is written with `\\`", true),
    ("defaults: { migrations: '' }", 1, "the value is empty", true),
    ("defaults: { migrations: '{servce}/m' }", 1, "unknown placeholder `{servce}`", false),
    ("defaults: { migrations: '{service/m' }", 1, "a `{` has no closing `}`", false),
    ("defaults: { migrations: '{}/m' }", 1, "`{}` names no placeholder", false),
    ("defaults: { migrations: 'service}/m' }", 1, "a `}` has no opening `{`", false),
    (
        "defaults: { migrations: '${HOME}/m' }",
        1,
        "an environment variable `${…}` is read only in `database-url`",
        false,
    ),
    ("defaults: { table: '' }", 1, "`table` is empty", true),
    (
        "defaults: { table: 'a; drop table b' }",
        1,
        "this is not the name of a table: ';' cannot stand where it does",
        false,
    ),
    ("defaults: { table: \"a\\0\" }", 1, "this is not the name of a table: '\\0' cannot stand where it does", false),
    ("defaults: { database-url: '' }", 1, "the value is empty", true),
    ("defaults: { database-url: 'postgres://a:b@c/d' }", 1, "a password is written in this file", true),
    ("defaults: { database-url: 'postgres://c/d?password=b' }", 1, "a password is written in this file", false),
    (
        "defaults: { database-url: '${{ secrets.X }}' }",
        1,
        "a GitHub expression `${{ … }}` is not evaluated in this file",
        true,
    ),
    (
        "services: { '${{ matrix.service }}': }",
        1,
        "a GitHub expression `${{ … }}` is not evaluated in this file",
        false,
    ),
    (
        "accept: [{ rule: out-of-order, reason: '${{ x }}' }]",
        1,
        "a GitHub expression `${{ … }}` is not evaluated in this file",
        false,
    ),
    (
        "matrix: { workflow: '${{ x }}', job: a }",
        1,
        "a GitHub expression `${{ … }}` is not evaluated in this file",
        false,
    ),
    ("defaults: { database-url: '${{FOO}_URL}' }", 1, "unknown placeholder `{FOO}`", false),
    ("defaults: { database-url: '${X' }", 1, "a `${` has no closing `}`", false),
    ("defaults: { database-url: '${}' }", 1, "`${}` names no environment variable", false),
    (
        "defaults: { database-url: '${A:-b}' }",
        1,
        "the name of an environment variable has letters, digits and `_` only",
        false,
    ),
    ("defaults: { database-url: $A }", 1, "a `$` without a `{` stands for nothing", false),
    ("defaults: { database-url: DATABASE_URL }", 1, "this is no URL of a database", false),
    ("defaults: { database-url: 'mssql://h/d' }", 1, "this is no URL of a database", false),
    ("defaults: { database-url: 'postgres://h/a b' }", 1, "a URL has no blanks and no control characters", false),
];

#[test]
fn each_mistake_alone_is_told_in_its_line_and_nothing_else_is() {
    for (text, line, message, _) in [FORM, MEANING, TEMPLATES].concat() {
        assert_eq!(told(text), [(line, message.to_owned())], "{text}");
    }
}

#[test]
fn the_schema_refuses_what_a_schema_can() {
    for (text, _, _, refused) in [FORM, MEANING, TEMPLATES].concat() {
        if migration_preflight::yaml::parse(text)
            .is_ok_and(|it| it.root.entries().iter().all(|(key, _)| key.as_str().is_some()))
        {
            assert_eq!(!schema_accepts(text), refused, "{text}");
        }
    }
}

/// Every mistake at once: what is expected of a line stands behind `#~` at its end.
const EVERYTHING: &str = r##"
matrix:                                     #~ `matrix` has no `workflow`
  job: deploy
  input: service                            #~ `matrix` has both `job` and `input`
  servce-key: a                             #~ unknown key `servce-key`
  environment-key: service                  #~ `service` is the key of the service and of the environment
defaults: [a]                               #~ `defaults` must be a mapping of keys to values, but is a list
servces: {}                                 #~ unknown key `servces`
services:
  1:
    migrations: /absolute                   #~ the path is absolute
    table: "a;b"                            #~ this is not the name of a table: ';' cannot stand where it does
    ignore-missing: "true"                  #~ `ignore-missing` must be `true` or `false`, but is text
    required:                               #~ `required` must be `true` or `false`, but is empty
  content-service:
    migration: x                            #~ unknown key `migration`
    migrations: ../x                        #~ the path leads out of the repository
    migrations: y                           #~ `migrations` stands twice in one mapping
    database-url: postgres://a:b@c/d        #~ a password is written in this file
    rules:
      out-of-ordr: eror                     #~ there is no rule `out-of-ordr` #~ there is no level `eror`
      ignored-file: [error]                 #~ `ignored-file` must be text, but is a list
    environments:
      "": {}                                #~ the name of the environment is empty
      staging: { database-url: "${}" }      #~ `${}` names no environment variable
  web: { database-url: "${{ secrets.X }}" } #~ a GitHub expression `${{ … }}` is not evaluated in this file
  job: { database-url: "${X" }              #~ a `${` has no closing `}`
  bad: { migrations: "{a b}" }              #~ unknown placeholder `{a b}`
  "": {}                                    #~ the name of the service is empty
  list: []                                  #~ `list` must be a mapping of keys to values, but is a list
environments: 5                             #~ `environments` must be a mapping of keys to values, but is a number
rules:
  foo: x                                    #~ there is no rule `foo` #~ there is no level `x`
accept:
  - 5                                       #~ an entry of `accept` must be a mapping of keys to values, but is a number
  - rule: out-of-order                      #~ this entry of `accept` has no `reason`
  - { rule: foo, reason: "" }               #~ there is no rule `foo` #~ `reason` is empty
  - { rule: foo, reason: x, more: y }       #~ there is no rule `foo` #~ unknown key `more`
  - [x]                                     #~ an entry of `accept` must be a mapping of keys to values, but is a list
  - { reason: x, version: 1.5 }             #~ this entry of `accept` has no `rule` #~ `1.5` is no version
"##;

#[test]
fn all_mistakes_are_told_at_once_each_in_its_line() {
    let expected: Vec<(u32, String)> = EVERYTHING
        .lines()
        .zip(1..)
        .flat_map(|(text, line)| text.split("#~ ").skip(1).map(move |message| (line, message.trim().to_owned())))
        .collect();
    assert_eq!(told(EVERYTHING), expected);
}
