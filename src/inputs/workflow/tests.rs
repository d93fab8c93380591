use insta::assert_snapshot;

use super::*;

const FILE: &str = ".github/workflows/deploy.yml";

fn expanded(source: &str) -> Vec<String> {
    show(&service_matrix(source, FILE, "deploy").expect("a matrix"))
}

fn show(matrix: &ServiceMatrix) -> Vec<String> {
    let line = |entry: &MatrixEntry| entry.declared.as_ref().map_or(0, |declared| declared.line);
    let json = |entry: &MatrixEntry| serde_json::to_string(&entry.values).expect("JSON");
    matrix.entries.iter().map(|entry| format!("{}: {}", line(entry), json(entry))).collect()
}

fn refused(source: &str) -> String {
    tell(&service_matrix(source, FILE, "deploy").expect_err("no matrix"))
}

fn tell(error: &WorkflowError) -> String {
    let location = error.location().expect("a location");
    format!("{}:{}: {error}\nhelp: {}", location.file, location.line, error.help())
}

#[test]
fn every_entry_is_declared_where_its_first_value_or_its_include_stands() {
    let source = "
jobs:
  deploy:
    uses: ./.github/workflows/deploy-one.yml
    strategy:
      matrix:
        service:
          - content-service
          - social-service
        environment: [staging, production]
        exclude:
          - { service: social-service, environment: production }
        include:
          - region: eu
          - service: search-service
            environment: staging
";
    assert_eq!(
        expanded(source),
        [
            r#"8: {"service":"content-service","environment":"staging","region":"eu"}"#,
            r#"8: {"service":"content-service","environment":"production","region":"eu"}"#,
            r#"9: {"service":"social-service","environment":"staging","region":"eu"}"#,
            r#"15: {"service":"search-service","environment":"staging"}"#,
        ]
    );
}

#[test]
fn a_matrix_with_merge_keys_equals_its_twin_written_out() {
    let merged = "
x-base: &base
  region: eu
  replicas: 2
jobs:
  deploy:
    strategy:
      matrix:
        include:
          - { <<: *base, service: a }
          - { <<: *base, service: b, replicas: 3 }
";
    let by_hand = "
jobs:
  deploy:
    strategy:
      matrix:
        include:
          - { service: a, region: eu, replicas: 2 }
          - { service: b, replicas: 3, region: eu }
";
    let values =
        |source| service_matrix(source, FILE, "deploy").expect("a matrix").entries.into_iter().map(|e| e.values);
    assert!(values(merged).eq(values(by_hand)));
}

#[test]
fn a_strategy_and_its_parts_may_be_constant_expressions() {
    let strategy = r#"{ jobs: { deploy: { strategy: "${{ fromJSON('{\"matrix\":{\"s\":[1]}}') }}" } } }"#;
    assert_eq!(expanded(strategy), [r#"1: {"s":1}"#]);
    let parts = "
jobs:
  deploy:
    strategy:
      matrix:
        s: ${{ fromJSON('[\"a\", \"b\"]') }}
        exclude: ${{ fromJSON('[{\"s\":\"A\"}]') }}
        include:
          - ${{ fromJSON('{\"s\":\"c\"}') }}
";
    assert_eq!(expanded(parts), [r#"6: {"s":"b"}"#, r#"9: {"s":"c"}"#]);
}

#[test]
fn a_matrix_that_only_a_run_knows_says_what_to_pass_instead() {
    let source = "
jobs:
  deploy:
    strategy:
      matrix:
        service: ${{ fromJSON(needs.changes.outputs.services) }}
";
    assert_snapshot!(refused(source), @r#"
    .github/workflows/deploy.yml:6: `${{ fromJSON(needs.changes.outputs.services) }}` is only known when the workflow runs
    help: pass the matrix itself: `matrix: ${{ toJSON(matrix) }}` to the action, or `--matrix JSON`
    "#);
}

#[test]
fn a_job_that_is_not_there_or_has_no_matrix_is_told_with_the_others() {
    assert_snapshot!(refused("jobs:\n  build: {}\n  Deploy: {}\n"), @r#"
    .github/workflows/deploy.yml:1: the workflow has no job `deploy`
    help: did you mean `Deploy`? the jobs are `build` and `Deploy`
    "#);
    assert_snapshot!(refused("jobs:\n  build: {}\n"), @r#"
    .github/workflows/deploy.yml:1: the workflow has no job `deploy`
    help: the only job is `build`
    "#);
    assert_snapshot!(refused("jobs:\n  build: {}\n  deploy:\n    strategy: {fail-fast: false}\n"), @r#"
    .github/workflows/deploy.yml:3: the job `deploy` has no matrix
    help: name the job that has one, or give `deploy` a `strategy.matrix`
    "#);
    assert_snapshot!(refused("jobs: {deploy: }"), @r#"
    .github/workflows/deploy.yml:1: the job `deploy` has no matrix
    help: name the job that has one, or give `deploy` a `strategy.matrix`
    "#);
    assert_snapshot!(refused("name: x\njobs:\n"), @r#"
    .github/workflows/deploy.yml:1: the workflow has no jobs
    help: name a workflow file, as `.github/workflows/deploy.yml`
    "#);
    assert_snapshot!(refused("- x"), @r#"
    .github/workflows/deploy.yml:1: the workflow has no jobs
    help: name a workflow file, as `.github/workflows/deploy.yml`
    "#);
}

#[test]
fn a_workflow_that_is_malformed_is_told_with_its_line() {
    let matrix = |matrix: &str| refused(&format!("jobs:\n  deploy:\n    strategy:\n      matrix:\n        {matrix}\n"));
    assert_snapshot!(refused("jobs:\n  deploy: ["), @r#"
    .github/workflows/deploy.yml:3: not valid YAML: while parsing a node, did not find expected node content
    help: GitHub cannot read this file either; mend it first
    "#);
    assert_snapshot!(refused("jobs: {}\non: push\njobs: {}\n"), @r#"
    .github/workflows/deploy.yml:3: the key `jobs` stands here a second time
    help: remove one of the two; GitHub ignores the case of keys
    "#);
    assert_snapshot!(matrix("{service: [a], SERVICE: [b]}"), @r#"
    .github/workflows/deploy.yml:5: the key `SERVICE` stands here a second time
    help: remove one of the two; GitHub ignores the case of keys
    "#);
    assert_snapshot!(matrix("service: ${{ fromJSON('[') }}"), @r#"
    .github/workflows/deploy.yml:5: `fromJSON('[')` cannot be evaluated: not valid JSON: EOF while parsing a list at line 1 column 1
    help: GitHub would refuse this workflow; mend the expression
    "#);
    assert_snapshot!(matrix("service: ['${{ 1 ']"), @r#"
    .github/workflows/deploy.yml:5: `${{ 1` cannot be evaluated: it is not closed by `}}`
    help: GitHub would refuse this workflow; mend the expression
    "#);
    assert_snapshot!(matrix("service: [0x123456789]"), @r#"
    .github/workflows/deploy.yml:5: `0x123456789` is not a number that GitHub can read
    help: quote it if it is meant as a string
    "#);
    assert_snapshot!(matrix("{[a]: [b]}"), @r#"
    .github/workflows/deploy.yml:5: a key must be a scalar
    help: write the key as a plain word
    "#);
    assert_snapshot!(matrix("service: content-service"), @r#"
    .github/workflows/deploy.yml:5: `service` of the matrix is a string, not a sequence
    help: write `service: [value, …]`
    "#);
    assert_snapshot!(matrix("service: []"), @r#"
    .github/workflows/deploy.yml:5: `service` of the matrix has no values
    help: add a value, or remove `service`: GitHub refuses an empty one
    "#);
    assert_snapshot!(matrix("include: {service: a}"), @r#"
    .github/workflows/deploy.yml:5: `include` of the matrix is a mapping, not a sequence
    help: write `include:` and below it items as `- service: content-service`
    "#);
    assert_snapshot!(matrix("include:\n          - a"), @r#"
    .github/workflows/deploy.yml:6: an item of `include` is a string, not a mapping
    help: every item maps keys to values, as `- service: content-service`
    "#);
    assert_snapshot!(matrix("service: [a]\n        exclude:\n          - svc: a"), @r#"
    .github/workflows/deploy.yml:7: `exclude` names `svc`, which is no key of the matrix
    help: the matrix has `service`
    "#);
    assert_snapshot!(matrix("${{ 'x' }}"), @r#"
    .github/workflows/deploy.yml:5: the matrix is a string, not a mapping
    help: a matrix maps each of its keys to a sequence of values
    "#);
}

const DISPATCH: &str = "
on:
  workflow_dispatch:
    inputs:
      service:
        type: choice
        options:
          - content-service
          - 1.10
      note: { type: string }
      bare: { type: choice }
      none: { type: choice, options: [] }
      flat: { type: choice, options: a }
      deep: { type: choice, options: [[a]] }
";

#[test]
fn the_options_of_a_choice_are_entries() {
    let matrix = input_options(DISPATCH, FILE, "Service", "svc").expect("options");
    assert_eq!(show(&matrix), [r#"8: {"svc":"content-service"}"#, r#"9: {"svc":"1.1"}"#]);
}

#[test]
fn an_input_without_options_is_told_with_its_line() {
    let refused =
        |source: &str, input: &str| tell(&input_options(source, FILE, input, "service").expect_err("no options"));
    assert_snapshot!(refused(DISPATCH, "services"), @r#"
    .github/workflows/deploy.yml:4: `workflow_dispatch` has no input `services`
    help: did you mean `service`? the inputs are `service`, `note`, `bare`, `none`, `flat` and `deep`
    "#);
    assert_snapshot!(refused(DISPATCH, "note"), @r#"
    .github/workflows/deploy.yml:10: the input `note` is not of the type `choice`
    help: only an input with `type: choice` lists its options
    "#);
    assert_snapshot!(refused(DISPATCH, "bare"), @r#"
    .github/workflows/deploy.yml:11: the input `bare` has no options
    help: add the services under `options`
    "#);
    assert_snapshot!(refused(DISPATCH, "none"), @r#"
    .github/workflows/deploy.yml:12: the input `none` has no options
    help: add the services under `options`
    "#);
    assert_snapshot!(refused(DISPATCH, "flat"), @r#"
    .github/workflows/deploy.yml:13: `options` of the input `flat` is not a sequence of strings
    help: write `options: [content-service, …]`
    "#);
    assert_snapshot!(refused(DISPATCH, "deep"), @r#"
    .github/workflows/deploy.yml:14: `options` of the input `deep` is not a sequence of strings
    help: write `options: [content-service, …]`
    "#);
    assert_snapshot!(refused("on: push", "service"), @r#"
    .github/workflows/deploy.yml:1: the workflow has no `on.workflow_dispatch`
    help: name the workflow whose `on.workflow_dispatch.inputs` has the input
    "#);
    assert_snapshot!(refused("on: [push, workflow_dispatch]", "service"), @r#"
    .github/workflows/deploy.yml:1: `workflow_dispatch` has no input `service`
    help: there is no input
    "#);
    assert_snapshot!(refused("on:\n  workflow_dispatch:", "service"), @r#"
    .github/workflows/deploy.yml:2: `workflow_dispatch` has no input `service`
    help: there is no input
    "#);
    assert_snapshot!(refused("jobs: {}", "service"), @r#"
    .github/workflows/deploy.yml:1: the workflow has no `on.workflow_dispatch`
    help: name the workflow whose `on.workflow_dispatch.inputs` has the input
    "#);
}

#[test]
fn no_input_makes_it_panic() {
    for source in [
        "",
        "\u{feff}jobs:",
        "jobs: {deploy: {strategy: {matrix: &a [*a]}}}",
        "jobs: {deploy: {strategy: {matrix: ~}}}",
        "${{",
        "{{{",
        "jobs: {deploy: {strategy: '${{ }}'}}",
    ] {
        assert!(service_matrix(source, FILE, "deploy").is_err(), "{source}");
        assert!(input_options(source, FILE, "x", "y").is_err(), "{source}");
    }
}
