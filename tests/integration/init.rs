//! `init` over workspaces as they are found in the world, then `check` with what it wrote; and `stale-embed` in a checkout.

#[cfg(feature = "oracles")]
mod cargo;
#[cfg(feature = "oracles")]
mod lint;
mod stale;
mod worlds;

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::shared::repository::{Repository, Row, Run};

const CONFIG: &str = ".github/migration-preflight.yml";
const WORKFLOW: &str = ".github/workflows/migration-preflight.yml";

/// The manifest of a package that depends on sqlx with the features of an engine.
fn package(name: &str, engine: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\n\n[dependencies]\nsqlx = {{ version = \"0.9\", features = [\"{engine}\", \"migrate\"] }}\n"
    )
}

/// A program that embeds its migrations in line 5.
const MAIN: &str = "use sqlx::PgPool;\n\n#[tokio::main]\nasync fn main() -> anyhow::Result<()> {\n    sqlx::migrate!().run(&pool).await?;\n    Ok(())\n}\n";

/// What a migration does, by its version.
fn sql(version: i64) -> String {
    format!("CREATE TABLE t{version} (id BIGINT);\n")
}

/// Adds migrations `N_step_N.sql`.
fn migrations(repository: Repository, directory: &str, versions: &[i64]) -> Repository {
    versions.iter().fold(repository, |repository, version| {
        repository.file(&format!("{directory}/{version}_step_{version}.sql"), sql(*version))
    })
}

/// Adds a database in which these have been applied.
fn applied(repository: &Repository, path: &str, versions: &[i64]) {
    let texts: Vec<_> = versions.iter().map(|version| (format!("step {version}"), sql(*version))).collect();
    let rows: Vec<Row> =
        versions.iter().zip(&texts).map(|(version, (name, sql))| (*version, &**name, &**sql)).collect();
    repository.add_database(path, &rows);
}

fn read(repository: &Repository, path: &str) -> String {
    fs::read_to_string(repository.path().join(path)).unwrap()
}

/// What `init` tells, after a dry run that has told the same and written nothing.
fn told(repository: &Repository, folder: &str) -> Run {
    let dry = repository.run_in(folder, &["init", "--dry-run"], &[]);
    assert!(!repository.path().join(".github").join("migration-preflight.yml").exists());
    let run = repository.run_in(folder, &["init"], &[]);
    let (found, _) = dry.stdout.split_once(&format!("--- {CONFIG}\n")).unwrap();
    assert!(run.stdout.starts_with(found), "{dry}\n{run}");
    let files = [CONFIG, WORKFLOW].map(|path| format!("--- {path}\n{}", read(repository, path)));
    assert_eq!(dry.stdout, format!("{found}{}", files.concat()));
    let schema = serde_json::from_str(include_str!("../../docs/migration-preflight.schema.json")).unwrap();
    let config: serde_json::Value = serde_yaml::from_str(&read(repository, CONFIG)).unwrap();
    assert!(jsonschema::is_valid(&schema, &config), "{config:#}");
    #[cfg(feature = "oracles")]
    lint::workflow(&repository.path().join(WORKFLOW));
    again(repository);
    run
}

/// `init` once more leaves everything as it is.
fn again(repository: &Repository) {
    let before = [CONFIG, WORKFLOW].map(|path| read(repository, path));
    let run = repository.run(&["init"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout.ends_with(&format!(
            "left {CONFIG} as it is: it is there already\nleft {WORKFLOW} as it is: it is there already\n"
        )),
        "{run}"
    );
    assert_eq!([CONFIG, WORKFLOW].map(|path| read(repository, path)), before);
}

/// What differs from one workflow to another: the branch, and the variables.
fn workflow(repository: &Repository) -> String {
    let text = read(repository, WORKFLOW);
    let (branch, rest) = text.split_once("  push:\n").unwrap().1.split_once('\n').unwrap();
    let (_, variables) = rest.split_once("        env:\n").unwrap();
    format!("{}\n{variables}", branch.trim())
}

/// What the configuration says, its first and its last comments aside.
fn config(repository: &Repository) -> String {
    let text = read(repository, CONFIG);
    let (_, rest) = text.split_once("\n\n").unwrap();
    rest.split_once("\n\n# How grave").unwrap().0.to_owned()
}

/// The targets of a check and what is found, by its report.
fn checked(repository: &Repository, environment: &[(&str, &str)]) -> String {
    let run = repository.run_with(&["--format", "json"], environment);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let mut lines = vec![format!("exit code {}", run.code)];
    for target in report["targets"].as_array().unwrap() {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        lines.push(format!(
            "{} in {}: {}",
            text(&target["service"]),
            text(&target["environment"]),
            text(&target["startup"]["outcome"])
        ));
        let findings = target["findings"].as_array().unwrap().iter();
        lines.extend(findings.map(|finding| format!("  {}", text(&finding["message"]))));
    }
    let findings = report["findings"].as_array().unwrap().iter();
    lines.extend(findings.map(|finding| format!("{} {}:{}", finding["message"], finding["file"], finding["line"])));
    lines.join("\n")
}

#[test]
fn where_nothing_has_migrations_nothing_is_written() {
    let empty = Repository::new();
    assert_snapshot!(empty.run(&["init"]), @r"
    exit code 2
    --- stderr
    error: nothing here has migrations: no crate calls sqlx's `migrate!()`, and no directory called `migrations` holds any
      help: run this in the repository of the services; where migrations stand elsewhere, write `services` into .github/migration-preflight.yml yourself
    ");
    assert!(!empty.path().join(".github").exists());
    let tests = Repository::new()
        .file("Cargo.toml", package("api", "postgres"))
        .file("tests/db.rs", MAIN.replace("!()", "!(\"tests/migrations\")"))
        .file("tests/migrations/1_a.sql", "");
    assert_snapshot!(tests.run(&["init"]), @r"
    exit code 2
    --- stderr
    error: nothing here has migrations: no crate calls sqlx's `migrate!()`, and no directory called `migrations` holds any
      help: run this in the repository of the services; where migrations stand elsewhere, write `services` into .github/migration-preflight.yml yourself
      note: `api` (tests/db.rs:5) asks for tests/migrations in tests only
    ");
    let absent = Repository::new().file("Cargo.toml", package("api", "postgres")).file("src/main.rs", MAIN);
    assert_snapshot!(absent.run(&["init"]), @r"
    exit code 2
    --- stderr
    error: nothing here has migrations: no crate calls sqlx's `migrate!()`, and no directory called `migrations` holds any
      help: run this in the repository of the services; where migrations stand elsewhere, write `services` into .github/migration-preflight.yml yourself
      note: `api` (src/main.rs:5) asks for migrations, and there is no such directory
    ");
    assert!(!absent.path().join(".github").exists());
    let given =
        "macro_rules! run {\n    ($path:literal) => { sqlx::migrate!($path) };\n}\nfn main() { run!(\"sql\"); }\n";
    let given = Repository::new().file("Cargo.toml", package("api", "postgres")).file("src/main.rs", given);
    let run = migrations(given, "sql", &[1]).run(&["init"]);
    assert!(
        run.stderr.ends_with("  note: a macro of `api` (src/main.rs:2) is given the path of migrations\n"),
        "{run}"
    );
}

#[test]
fn a_directory_that_nothing_but_tests_ask_for_is_a_service_where_there_is_no_other() {
    let repository = Repository::new()
        .file("api/Cargo.toml", package("api", "postgres"))
        .file("api/src/main.rs", "fn main() {}\n")
        .file("api/tests/db.rs", MAIN);
    let repository = migrations(repository, "api/migrations", &[1]);
    let run = told(&repository, "");
    assert!(
        run.stdout
            .starts_with("service api: 1 migration in api/migrations, which no program here is seen to ask for\n"),
        "{run}"
    );
    assert_eq!(repository.run(&["--format", "json"]).code, 3, "the secrets are not set, and nothing else is wrong");
    let without_cargo = migrations(Repository::new(), "db/migrations", &[1, 2]);
    assert!(
        told(&without_cargo, "db").stdout.starts_with("service db: 2 migrations in db/migrations, which no program")
    );
}

#[test]
fn what_is_there_is_left_and_the_other_file_is_written() {
    let with = |path: &str| {
        let repository = Repository::new().file("Cargo.toml", package("api", "postgres")).file("src/main.rs", MAIN);
        migrations(repository, "migrations", &[1]).file(path, "mine")
    };
    let repository = with(CONFIG);
    assert_snapshot!(repository.run(&["init"]), @r"
    exit code 0
    service api: 1 migration in migrations, embedded by `api` (src/main.rs:5)
      `api` does not watch migrations: a check warns of that (`stale-embed`)
    environments: staging, production (a guess: no workflow here has a matrix that names any)
    left .github/migration-preflight.yml as it is: it is there already
    wrote .github/workflows/migration-preflight.yml
    next:
      1. hold the variables in .github/workflows/migration-preflight.yml against those that your .github/migration-preflight.yml names
      2. in .github/workflows/migration-preflight.yml, put who has the action in the place of OWNER
      3. set the secrets of the repository: STAGING_DATABASE_URL, PRODUCTION_DATABASE_URL
    ");
    assert_eq!(read(&repository, CONFIG), "mine");
    assert!(read(&repository, WORKFLOW).contains("OWNER/migration-preflight@v1"));
    let repository = with(WORKFLOW);
    assert_snapshot!(repository.run(&["init"]), @r"
    exit code 0
    service api: 1 migration in migrations, embedded by `api` (src/main.rs:5)
      `api` does not watch migrations: a check warns of that (`stale-embed`)
    environments: staging, production (a guess: no workflow here has a matrix that names any)
    wrote .github/migration-preflight.yml
    left .github/workflows/migration-preflight.yml as it is: it is there already
    next:
      1. look at .github/migration-preflight.yml: whether these are the services and environments that you have
      2. try it: STAGING_DATABASE_URL=postgres://… migration-preflight --environment staging
    ");
    assert_eq!(read(&repository, WORKFLOW), "mine");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let elsewhere = tempfile::tempdir().unwrap();
    let repository = Repository::new().file("Cargo.toml", package("api", "postgres")).file("src/main.rs", MAIN);
    let repository = migrations(repository, "migrations", &[1]);
    std::os::unix::fs::symlink(elsewhere.path(), repository.path().join(".github")).unwrap();
    let run = repository.run(&["init"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.stderr, format!("error: `{CONFIG}` cannot be written: its folder is a link, or is in one\n"));
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn names_from_the_repository_stay_names() {
    // Of a crate, a folder and a table: none of them may end a line, a comment or a text, or command a runner.
    let odd = "a\\n::error::x #{b}: \\u001b[31m";
    let manifest = package("x", "sqlite").replace("\"x\"", &format!("\"{odd}\""));
    let repository = Repository::new()
        .file("a #b/Cargo.toml", manifest)
        .file("a #b/sqlx.toml", "[migrate]\ntable-name = \"\"\"a\n::error::b\"\"\"\n")
        .file("a #b/src/main.rs", MAIN)
        .file("{c}/Cargo.toml", package("braces", "sqlite"))
        .file("{c}/src/main.rs", MAIN);
    let repository = migrations(migrations(repository, "a #b/migrations", &[1]), "{c}/migrations", &[1]);
    let run = repository.run(&["init"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("passed over: {c}/migrations is no path that a configuration can name\n"), "{run}");
    for text in [run.stdout, read(&repository, CONFIG), read(&repository, WORKFLOW)] {
        assert!(!text.contains('\u{1b}') && !text.contains("\n::"), "{text}");
    }
    #[cfg(feature = "oracles")]
    lint::workflow(&repository.path().join(WORKFLOW));
    applied(&repository, "s.db", &[1]);
    let run = repository.run_with(&["--environment", "staging"], &[("STAGING_DATABASE_URL", "sqlite:s.db")]);
    assert!(run.code != 2, "{run}");
}

#[test]
fn services_and_their_secrets_are_kept_apart_and_are_such_as_github_has() {
    let workflow = "on:\n  workflow_dispatch:\n    inputs:\n      environment:\n        type: choice\n        options: [1-eu, github]\njobs: {}\n";
    let both = "fn main() {\n    sqlx::migrate!(\"migrations/pg\");\n    sqlx::migrate!(\"migrations/sqlite\");\n}\n";
    let repository = Repository::new()
        .file("Cargo.toml", package("api", "postgres"))
        .file("src/main.rs", both)
        .file("one/Cargo.toml", package("a-b", "postgres"))
        .file("one/src/main.rs", MAIN)
        .file("two/Cargo.toml", package("a_b", "postgres"))
        .file("two/src/main.rs", MAIN)
        .file(".github/workflows/deploy.yml", workflow);
    let directories = ["migrations/pg", "migrations/sqlite", "one/migrations", "two/migrations"];
    let repository = directories.iter().fold(repository, |repository, path| migrations(repository, path, &[1]));
    told(&repository, "");
    assert_snapshot!(self::workflow(&repository), @r"
    branches: [main]
              # the variables that .github/migration-preflight.yml names
              ENV_1_EU_API_PG_DATABASE_URL: ${{ secrets.ENV_1_EU_API_PG_DATABASE_URL }}
              ENV_1_EU_API_SQLITE_DATABASE_URL: ${{ secrets.ENV_1_EU_API_SQLITE_DATABASE_URL }}
              ENV_1_EU_ONE_DATABASE_URL: ${{ secrets.ENV_1_EU_ONE_DATABASE_URL }}
              ENV_1_EU_TWO_DATABASE_URL: ${{ secrets.ENV_1_EU_TWO_DATABASE_URL }}
              ENV_GITHUB_API_PG_DATABASE_URL: ${{ secrets.ENV_GITHUB_API_PG_DATABASE_URL }}
              ENV_GITHUB_API_SQLITE_DATABASE_URL: ${{ secrets.ENV_GITHUB_API_SQLITE_DATABASE_URL }}
              ENV_GITHUB_ONE_DATABASE_URL: ${{ secrets.ENV_GITHUB_ONE_DATABASE_URL }}
              ENV_GITHUB_TWO_DATABASE_URL: ${{ secrets.ENV_GITHUB_TWO_DATABASE_URL }}
    ");
    let checked = checked(&repository, &[]);
    assert!(checked.starts_with("exit code 3\napi-pg in 1-eu: unknown\n"), "{checked}");
}

#[test]
fn the_branch_is_the_one_that_the_remote_repository_calls_its_default() {
    let repository = Repository::new().file("Cargo.toml", package("api", "postgres")).file("src/main.rs", MAIN);
    let repository = migrations(repository, "migrations", &[1]);
    fs::remove_dir(repository.path().join(".git")).unwrap();
    for arguments in
        [&["init", "--quiet"][..], &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/a/trunk"]]
    {
        assert!(Command::new("git").args(arguments).current_dir(repository.path()).status().unwrap().success());
    }
    let path = std::env::var("PATH").unwrap();
    let run = repository.run_with(&["init"], &[("PATH", &path)]);
    assert_eq!(run.code, 0, "{run}");
    assert!(workflow(&repository).starts_with("branches: [a/trunk]\n"), "{}", workflow(&repository));
}

/// The workflow is one that our own reader of workflows takes for one, with the very rights that the README gives it.
#[test]
fn the_workflow_has_the_rights_and_the_steps_of_the_one_in_the_readme() {
    let repository = Repository::new().file("Cargo.toml", package("api", "postgres")).file("src/main.rs", MAIN);
    let repository = migrations(repository, "migrations", &[1]);
    repository.run(&["init"]);
    let parse = |text: &str| serde_json::to_value(serde_yaml::from_str::<serde_yaml::Value>(text).unwrap()).unwrap();
    let written = parse(&read(&repository, WORKFLOW));
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let block = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let (ours, theirs) = (&written["jobs"]["migrations"], &parse(block)["jobs"]["migrations"]);
    for key in ["runs-on", "timeout-minutes", "permissions"] {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    assert_eq!(ours["steps"][0], theirs["steps"][0]);
    assert_eq!(ours["steps"][1]["uses"], theirs["steps"][1]["uses"]);
    assert_eq!(written["permissions"], parse(block)["permissions"]);
}
