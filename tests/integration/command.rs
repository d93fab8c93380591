//! `database-command` and `password-command` where the command does not do what it ought to, and where it may not be run.

mod faults;
#[cfg(unix)]
mod interrupted;
#[cfg(unix)]
mod words;

use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::shared::repository::{Repository, Run};

const PATH: (&str, &str) = ("PATH", "/usr/local/bin:/usr/bin:/bin");

/// A service whose database a script stands for.
fn service(script: &str) -> Repository {
    Repository::new().file("migrations/1_one.sql", "SELECT 1;\n").file("client.sh", script).config(
        "services: { api: { migrations: migrations } }\n\
         defaults: { database-command: { run: [sh, client.sh, '{environment}'], engine: postgres } }\n",
    )
}

/// What is said of the one target, and the exit code.
fn told(repository: &Repository, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let run = repository.run_with(&[&["--allow-commands"], arguments].concat(), &[&[PATH], environment].concat());
    (run.code, finding(&run))
}

fn finding(run: &Run) -> String {
    let line = run.stdout.lines().find(|line| line.contains("could not be read:") || line.contains("not-checked"));
    line.unwrap_or_else(|| panic!("{run}")).trim().to_owned()
}

#[test]
fn nothing_is_run_that_nobody_allows() {
    let repository = service("touch ran\n");
    let refused = repository.run_with(&[], &[PATH]);
    assert!(!repository.path().join("ran").exists());
    assert_snapshot!(refused, @r"
    exit code 3
    incomplete: the target could not be checked

    api in default
      source    1 defined in migrations
      history   could not be read
      start-up  unknown: a side could not be read

      incomplete[unreachable-database]: the history could not be read: the command that the configuration names is not run, because nothing allows it
        --> .github/migration-preflight.yml:1
        help: Give `--allow-commands` (the input `allow-commands: true`) where everybody who can change the configuration may run programs here; or put a `database-url` or a snapshot in its place. For the pull request of a fork that runs with secrets (`pull_request_target`, `workflow_run`) nothing allows it.
    ");
    repository.run_with(&["--allow-commands"], &[PATH]);
    assert!(repository.path().join("ran").exists(), "the script is one that would be seen");
}

/// The environment of a run on GitHub for a pull request of somebody's fork.
fn event(repository: &Repository, name: &str) -> Vec<(String, String)> {
    let path = repository.path().join("event.json");
    let event = r#"{"pull_request": {"head": {"repo": {"full_name": "ann/demo"}}, "base": {"repo": {"full_name": "octo/demo"}}},
        "workflow_run": {"head_repository": {"full_name": "ann/demo"}, "repository": {"full_name": "octo/demo"}}}"#;
    std::fs::write(&path, event).unwrap();
    [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "octo/demo"),
        ("GITHUB_SHA", "1111111111111111111111111111111111111111"),
        ("GITHUB_EVENT_NAME", name),
        ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
        PATH,
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[test]
fn a_fork_has_nothing_run() {
    for (name, code, words) in [
        ("pull_request", 0, "GitHub gives a pull request from a fork no secrets, and the command"),
        ("pull_request_target", 3, "nothing allows it: this run has secrets, and what is checked out may be a fork's"),
        ("workflow_run", 3, "nothing allows it: this run has secrets, and what is checked out may be a fork's"),
    ] {
        let repository = service("touch ran\n");
        let environment = event(&repository, name);
        let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let run = repository.run_with(&["--allow-commands"], &environment);
        assert!(!repository.path().join("ran").exists(), "{name}: {run}");
        assert!(run.code == code && finding(&run).contains(words), "{name}: {run}");
    }
}

/// What is said of the services of a configuration.
fn mistakes(services: &[&str]) -> Run {
    let services: String = services.iter().map(|service| format!("  {service}\n")).collect();
    Repository::new().config(&format!("services:\n{services}")).run(&[])
}

#[test]
fn a_command_that_leads_nowhere_is_a_mistake() {
    let run = mistakes(&[
        "a: { migrations: a, database-url: '${A}', database-command: { run: [psql, -c] } }",
        "b: { migrations: b, database-command: { run: [], query: pipe, engine: oracle } }",
        "e: { migrations: e, database-command: { run: [psql, '{nothing}', mysql] } }",
        "g: { migrations: g, password-command: [''] }",
    ]);
    assert_snapshot!(run, @r"
    exit code 2
    --- stderr
    error: `database-url` and `database-command` stand side by side
     --> .github/migration-preflight.yml:2:45
      |
    2 |   a: { migrations: a, database-url: '${A}', database-command: { run: [psql, -c] } }
      |                                             ^^^^^^^^^^^^^^^^
      |
      = help: keep the one that leads to the database

    error: `run` names no program
     --> .github/migration-preflight.yml:3:48
      |
    3 |   b: { migrations: b, database-command: { run: [], query: pipe, engine: oracle } }
      |                                                ^
      |
      = help: write the program first, then its arguments, as a list

    error: there is no way of handing over the query `pipe`
     --> .github/migration-preflight.yml:3:59
      |
    3 |   b: { migrations: b, database-command: { run: [], query: pipe, engine: oracle } }
      |                                                           ^^^^
      |
      = help: known here: `argument`, `stdin`

    error: there is no database system `oracle`
     --> .github/migration-preflight.yml:3:73
      |
    3 |   b: { migrations: b, database-command: { run: [], query: pipe, engine: oracle } }
      |                                                                         ^^^^^^
      |
      = help: known here: `postgres`, `sqlite`, `mysql`

    error: `run` names several clients
     --> .github/migration-preflight.yml:4:48
      |
    4 |   e: { migrations: e, database-command: { run: [psql, '{nothing}', mysql] } }
      |                                                ^
      |
      = help: say whose SQL the database speaks: `engine: postgres`, `engine: mysql` or `engine: sqlite`

    error: unknown placeholder `{nothing}`
     --> .github/migration-preflight.yml:4:55
      |
    4 |   e: { migrations: e, database-command: { run: [psql, '{nothing}', mysql] } }
      |                                                       ^^^^^^^^^^^
      |
      = help: known here: `service`, `SERVICE`, `environment`, `ENVIRONMENT`

    error: `password-command` names no program
     --> .github/migration-preflight.yml:5:41
      |
    5 |   g: { migrations: g, password-command: [''] }
      |                                         ^
      |
      = help: write the program first, then its arguments, as a list
    ");
}

#[test]
fn what_no_command_may_have_is_a_mistake() {
    let run = mistakes(&[
        "c: { migrations: c, database-command: { env: { PGPASSWORD: hunter22 } } }",
        "d: { migrations: d, database-command: { run: [ssh, jump, 'psql ${URL}'] } }",
        "f: { migrations: f, database-command: psql, password-command: aws }",
        "g: { migrations: g, password-command: [vault, '${TOKEN}'] }",
    ]);
    assert_snapshot!(run, @r"
    exit code 2
    --- stderr
    error: `database-command` has no `run`
     --> .github/migration-preflight.yml:2:41
      |
    2 |   c: { migrations: c, database-command: { env: { PGPASSWORD: ******** } } }
      |                                         ^^
      |
      = help: write the program and its arguments, such as `[psql, --csv, -c]`

    error: a password is written in this file
     --> .github/migration-preflight.yml:2:62
      |
    2 |   c: { migrations: c, database-command: { env: { PGPASSWORD: ******** } } }
      |                                                              ^^^^^^^^
      |
      = help: a secret is named, never written: put the URL into a secret and write `${NAME}`, the environment variable that holds it; and change this password, for it is in the repository's history

    error: `run` names no client whose SQL is known
     --> .github/migration-preflight.yml:3:48
      |
    3 |   d: { migrations: d, database-command: { run: [ssh, jump, 'psql ${URL}'] } }
      |                                                ^
      |
      = help: say whose SQL the database speaks: `engine: postgres`, `engine: mysql` or `engine: sqlite`

    error: an environment variable `${…}` cannot stand among the arguments of a program
     --> .github/migration-preflight.yml:3:60
      |
    3 |   d: { migrations: d, database-command: { run: [ssh, jump, 'psql ${URL}'] } }
      |                                                            ^^^^^^^^^^^^^
      |
      = help: write it under `env` of `database-command`: a client that runs here finds it there, as `psql` does `PGPASSWORD`. `ssh` and `kubectl exec` do not pass it on: behind them the client takes its password from what is there, such as its `.pgpass`

    error: `database-command` must be a mapping of keys to values, but is text
     --> .github/migration-preflight.yml:4:41
      |
    4 |   f: { migrations: f, database-command: psql, password-command: aws }
      |                                         ^^^^

    error: `password-command` must be a list, but is text
     --> .github/migration-preflight.yml:4:65
      |
    4 |   f: { migrations: f, database-command: psql, password-command: aws }
      |                                                                 ^^^
      |
      = help: begin each entry with `- `

    error: an environment variable `${…}` cannot stand among the arguments of a program
     --> .github/migration-preflight.yml:5:49
      |
    5 |   g: { migrations: g, password-command: [vault, '${TOKEN}'] }
      |                                                 ^^^^^^^^^^
      |
      = help: leave it out: the program has the environment of this run, and reads the variable by itself, or in a script of yours
    ");
    assert!(!run.stderr.contains("hunter22"));
}
