//! Five workspaces, and what a check says with the files that `init` wrote for them.

use insta::assert_snapshot;

use super::*;
use crate::shared::readme::block;

fn shop() -> Repository {
    let repository = Repository::new()
        .file("Cargo.toml", package("shop", "sqlite"))
        .file("src/main.rs", MAIN)
        .file(".env", "DATABASE_URL=sqlite:dev.db\n");
    migrations(repository, "migrations", &[1, 2, 3])
}

#[test]
fn one_crate() {
    let repository = shop();
    assert_snapshot!(told(&repository, "src"), @r"
    exit code 0
    service shop: 3 migrations in migrations, embedded by `shop` (src/main.rs:5)
      `shop` does not watch migrations: a check warns of that (`stale-embed`)
    environments: staging, production (a guess: no workflow here has a matrix that names any)
    wrote .github/migration-preflight.yml
    wrote .github/workflows/migration-preflight.yml
    next:
      1. look at .github/migration-preflight.yml: whether these are the services and environments that you have
      2. in .github/workflows/migration-preflight.yml, put who has the action in the place of OWNER
      3. set the secrets of the repository: STAGING_DATABASE_URL, PRODUCTION_DATABASE_URL
      4. try it: STAGING_DATABASE_URL=sqlite:… migration-preflight --environment staging
    ");
    assert_snapshot!(read(&repository, CONFIG), @r#"
    # What migration-preflight checks: every service in every environment. `migration-preflight init` has written it from
    # what stands in the repository; change what is otherwise. Paths are relative to the root of the repository.

    services:
      shop:
        # embedded by `shop`, src/main.rs:5
        migrations: migrations

    # In order of promotion; a guess: put yours in their place.
    # `${NAME}` is an environment variable: a secret is named here, and never written.
    # .github/workflows/migration-preflight.yml hands it over.
    environments:
      staging:
        database-url: ${STAGING_DATABASE_URL}
      production:
        database-url: ${PRODUCTION_DATABASE_URL}

    # How grave a rule is: error, warning, notice or ignore. `migration-preflight rules` lists them all.
    # rules:
    #   out-of-order: error

    # Findings that are known and meant.
    # accept:
    #   - { rule: missing-migration, service: NAME, version: 20220709210445, reason: "why" }
    "#);
    applied(&repository, "staging.db", &[1, 2, 3]);
    applied(&repository, "production.db", &[1, 2, 3, 4]);
    let databases =
        [("STAGING_DATABASE_URL", "sqlite:staging.db"), ("PRODUCTION_DATABASE_URL", "sqlite:production.db")];
    assert_snapshot!(checked(&repository, &databases), @r#"
    exit code 1
    shop in staging: starts
    shop in production: fails
      migration 4 was applied, but the source has no file for it
    "migration 4 is applied in production and not in staging, which comes before it" ".github/migration-preflight.yml":5
    "`shop` embeds its migrations, and has no build script watching `migrations`: cargo does not notice a new one" "src/main.rs":5
    "#);
}

#[test]
fn the_workflow_of_one_crate() {
    let repository = shop();
    assert_eq!(repository.run(&["init"]).code, 0);
    assert_snapshot!(read(&repository, WORKFLOW), @r"
    # Would every service start against the databases of every environment? Require the job `migrations` in the ruleset of the
    # branch, and a pull request says so before it is merged. Written by `migration-preflight init`.
    name: migration-preflight
    on:
      pull_request:
      merge_group:
      push:
        branches: [main]
    permissions: {}
    concurrency:
      group: ${{ github.workflow }}-${{ github.ref }}
      cancel-in-progress: ${{ github.event_name == 'pull_request' }}
    jobs:
      migrations:
        name: migrations
        runs-on: ubuntu-latest
        timeout-minutes: 10
        permissions:
          contents: read
          checks: write # for the check with its annotations
        steps:
          # Pin both to the hash of a commit: `uses: actions/checkout@HASH # v7`.
          - uses: actions/checkout@v7
            with:
              fetch-depth: 0 # who changed what, and what the base has
              persist-credentials: false
          - uses: OWNER/migration-preflight@v1
            env:
              # the variables that .github/migration-preflight.yml names
              STAGING_DATABASE_URL: ${{ secrets.STAGING_DATABASE_URL }}
              PRODUCTION_DATABASE_URL: ${{ secrets.PRODUCTION_DATABASE_URL }}
    ");
}

/// The incident's: each service with its own migrations, in a workspace without a package.
#[test]
fn services_of_a_workspace_each_with_its_own_migrations() {
    let mut repository = Repository::new()
        .file("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"backend/*\"]\n\n[workspace.dependencies]\nsqlx = { version = \"0.9\", features = [\"postgres\"] }\n")
        .file("backend/shared/Cargo.toml", "[package]\nname = \"shared\"\n")
        .file("backend/shared/src/lib.rs", "/// Call `sqlx::migrate!()` first.\npub fn nothing() {}\n");
    for (name, versions) in [("content-service", &[20251201, 20260107][..]), ("social-service", &[6, 7])] {
        repository = repository
            .file(
                &format!("backend/{name}/Cargo.toml"),
                format!("[package]\nname = \"{name}\"\n\n[dependencies]\nsqlx.workspace = true\nshared = {{ path = \"../shared\" }}\n"),
            )
            .file(&format!("backend/{name}/src/main.rs"), "mod db;\nfn main() {}\n")
            .file(&format!("backend/{name}/src/db.rs"), "pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!(\"./migrations\");\n");
        repository = migrations(repository, &format!("backend/{name}/migrations"), versions);
    }
    let repository = repository
        .file("backend/social-service/build.rs", "fn main() { println!(\"cargo:rerun-if-changed=migrations\"); }\n");
    let run = told(&repository, "backend/content-service");
    assert!(
        format!("$ migration-preflight init\n{}", run.stdout).starts_with(block("init")),
        "the README shows another"
    );
    assert_snapshot!(run, @r"
    exit code 0
    service content-service: 2 migrations in backend/content-service/migrations, embedded by `content-service` (backend/content-service/src/db.rs:1)
    service social-service: 2 migrations in backend/social-service/migrations, embedded by `social-service` (backend/social-service/src/db.rs:1)
      `content-service` does not watch backend/content-service/migrations: a check warns of that (`stale-embed`)
    environments: staging, production (a guess: no workflow here has a matrix that names any)
    wrote .github/migration-preflight.yml
    wrote .github/workflows/migration-preflight.yml
    next:
      1. look at .github/migration-preflight.yml: whether these are the services and environments that you have
      2. in .github/workflows/migration-preflight.yml, put who has the action in the place of OWNER
      3. set the secrets of the repository: STAGING_CONTENT_SERVICE_DATABASE_URL, STAGING_SOCIAL_SERVICE_DATABASE_URL, PRODUCTION_CONTENT_SERVICE_DATABASE_URL, PRODUCTION_SOCIAL_SERVICE_DATABASE_URL
      4. try it: STAGING_CONTENT_SERVICE_DATABASE_URL=postgres://… STAGING_SOCIAL_SERVICE_DATABASE_URL=postgres://… migration-preflight --environment staging
    ");
    assert_snapshot!(config(&repository), @r"
    services:
      content-service:
        # embedded by `content-service`, backend/content-service/src/db.rs:1
        migrations: backend/content-service/migrations
      social-service:
        # embedded by `social-service`, backend/social-service/src/db.rs:1
        migrations: backend/social-service/migrations

    # In order of promotion; a guess: put yours in their place.
    # `${NAME}` is an environment variable: a secret is named here, and never written.
    # .github/workflows/migration-preflight.yml hands it over.
    environments:
      staging:
        database-url: ${STAGING_{SERVICE}_DATABASE_URL}
      production:
        database-url: ${PRODUCTION_{SERVICE}_DATABASE_URL}
    ");
    assert_snapshot!(workflow(&repository), @r"
    branches: [main]
              # the variables that .github/migration-preflight.yml names
              STAGING_CONTENT_SERVICE_DATABASE_URL: ${{ secrets.STAGING_CONTENT_SERVICE_DATABASE_URL }}
              STAGING_SOCIAL_SERVICE_DATABASE_URL: ${{ secrets.STAGING_SOCIAL_SERVICE_DATABASE_URL }}
              PRODUCTION_CONTENT_SERVICE_DATABASE_URL: ${{ secrets.PRODUCTION_CONTENT_SERVICE_DATABASE_URL }}
              PRODUCTION_SOCIAL_SERVICE_DATABASE_URL: ${{ secrets.PRODUCTION_SOCIAL_SERVICE_DATABASE_URL }}
    ");
    applied(&repository, "content.db", &[20251201, 20260107, 20260109]);
    applied(&repository, "social.db", &[6, 7]);
    let databases = [
        ("STAGING_CONTENT_SERVICE_DATABASE_URL", "sqlite:content.db"),
        ("STAGING_SOCIAL_SERVICE_DATABASE_URL", "sqlite:social.db"),
        ("PRODUCTION_CONTENT_SERVICE_DATABASE_URL", "sqlite:content.db"),
        ("PRODUCTION_SOCIAL_SERVICE_DATABASE_URL", "sqlite:social.db"),
    ];
    assert_snapshot!(checked(&repository, &databases), @r#"
    exit code 1
    content-service in staging: fails
      migration 20260109 was applied, but the source has no file for it
    content-service in production: fails
      migration 20260109 was applied, but the source has no file for it
    social-service in staging: starts
    social-service in production: starts
    "`content-service` embeds its migrations, and has no build script watching `migrations`: cargo does not notice a new one" "backend/content-service/src/db.rs":1
    "#);
}

#[test]
fn programs_that_share_a_crate_with_the_migrations() {
    let binary = |name: &str| format!("[package]\nname = \"{name}\"\n\n[dependencies]\ndb = {{ path = \"../db\" }}\n");
    let repository = Repository::new()
        .file("Cargo.toml", "[workspace]\nmembers = [\"crates/api\", \"crates/worker\"]\n")
        .file("crates/db/Cargo.toml", package("db", "mysql"))
        .file("crates/db/src/lib.rs", "use sqlx::migrate::Migrator;\n\npub static MIGRATOR: Migrator = sqlx::migrate!(\"../../migrations\");\n\n#[cfg(test)]\nmod tests {\n    static OLD: super::Migrator = sqlx::migrate!(\"../../old/migrations\");\n}\n")
        .file("crates/db/build.rs", "fn main() {\n    println!(\"cargo:rerun-if-changed=src\");\n}\n")
        .file("crates/api/Cargo.toml", binary("api"))
        .file("crates/api/src/main.rs", "fn main() { db::MIGRATOR.run(&pool); }\n")
        .file("crates/worker/Cargo.toml", binary("worker"))
        .file("crates/worker/src/main.rs", "fn main() {}\n");
    let repository = migrations(migrations(repository, "migrations", &[1, 2]), "old/migrations", &[1]);
    assert_snapshot!(told(&repository, ""), @r"
    exit code 0
    service db: 2 migrations in migrations, embedded by `db` (crates/db/src/lib.rs:3), in use by `api`, `worker`
      `db` does not watch migrations: a check warns of that (`stale-embed`)
    passed over: `db` (crates/db/src/lib.rs:7) asks for old/migrations in tests only
    environments: staging, production (a guess: no workflow here has a matrix that names any)
    wrote .github/migration-preflight.yml
    wrote .github/workflows/migration-preflight.yml
    next:
      1. look at .github/migration-preflight.yml: whether these are the services and environments that you have
      2. in .github/workflows/migration-preflight.yml, put who has the action in the place of OWNER
      3. set the secrets of the repository: STAGING_DATABASE_URL, PRODUCTION_DATABASE_URL
      4. try it: STAGING_DATABASE_URL=mysql://… migration-preflight --environment staging
    ");
    assert_snapshot!(config(&repository), @r"
    services:
      db:
        # embedded by `db`, crates/db/src/lib.rs:3
        # in use by `api`, `worker`
        migrations: migrations

    # In order of promotion; a guess: put yours in their place.
    # `${NAME}` is an environment variable: a secret is named here, and never written.
    # .github/workflows/migration-preflight.yml hands it over.
    environments:
      staging:
        database-url: ${STAGING_DATABASE_URL}
      production:
        database-url: ${PRODUCTION_DATABASE_URL}
    ");
    assert_snapshot!(workflow(&repository), @r"
    branches: [main]
              # the variables that .github/migration-preflight.yml names
              STAGING_DATABASE_URL: ${{ secrets.STAGING_DATABASE_URL }}
              PRODUCTION_DATABASE_URL: ${{ secrets.PRODUCTION_DATABASE_URL }}
    ");
    applied(&repository, "app.db", &[1]);
    let databases = [("STAGING_DATABASE_URL", "sqlite:app.db"), ("PRODUCTION_DATABASE_URL", "sqlite:app.db")];
    assert_snapshot!(checked(&repository, &databases), @r#"
    exit code 0
    db in staging: starts-and-applies
      migration 2 would be applied when the service starts
    db in production: starts-and-applies
      migration 2 would be applied when the service starts
    "`db` embeds its migrations, and has a build script (crates/db/build.rs) that does not watch `../../migrations`: cargo does not notice a new one" "crates/db/src/lib.rs":3
    "#);
}

#[test]
fn settings_of_sqlx_and_another_name_for_it() {
    let repository = Repository::new()
        .file("Cargo.toml", "[workspace]\nmembers = [\"services/*\"]\n\n[workspace.dependencies]\ndatabase = { package = \"sqlx\", version = \"0.9\", features = [\"sqlite\", \"sqlx-toml\"] }\n")
        .file("services/ledger/Cargo.toml", "[package]\nname = \"acme-ledger\"\ndefault-run = \"ledger\"\n\n[[bin]]\nname = \"ledger\"\npath = \"bin/ledger.rs\"\n\n[dependencies]\ndatabase = { workspace = true }\n")
        .file("services/ledger/bin/ledger.rs", "fn main() {\n    let mut migrations = database::migrate!();\n    migrations.set_ignore_missing(true);\n}\n")
        .file("services/ledger/sqlx.toml", "[migrate]\nmigrations-dir = \"db/sql\"\ntable-name = \"ledger_migrations\"\n")
        .file("services/other/Cargo.toml", "[package]\nname = \"other\"\n\n[dependencies]\nrefinery = \"0.8\"\n")
        .file("services/other/src/main.rs", "fn main() { refinery::embed_migrations!(\"migrations\"); other::migrate!(); }\n");
    let repository = migrations(repository, "services/ledger/db/sql", &[1, 2]);
    assert_snapshot!(told(&repository, ""), @r"
    exit code 0
    service acme-ledger: 2 migrations in services/ledger/db/sql, embedded by `acme-ledger` (services/ledger/bin/ledger.rs:2)
      `acme-ledger` does not watch services/ledger/db/sql: a check warns of that (`stale-embed`)
    environments: staging, production (a guess: no workflow here has a matrix that names any)
    wrote .github/migration-preflight.yml
    wrote .github/workflows/migration-preflight.yml
    next:
      1. look at .github/migration-preflight.yml: whether these are the services and environments that you have
      2. in .github/workflows/migration-preflight.yml, put who has the action in the place of OWNER
      3. set the secrets of the repository: STAGING_DATABASE_URL, PRODUCTION_DATABASE_URL
      4. try it: STAGING_DATABASE_URL=sqlite:… migration-preflight --environment staging
    ");
    assert_snapshot!(config(&repository), @r"
    services:
      acme-ledger:
        # embedded by `acme-ledger`, services/ledger/bin/ledger.rs:2
        # the history table is that of services/ledger/sqlx.toml: ledger_migrations
        migrations: services/ledger/db/sql
        ignore-missing: true # it calls `set_ignore_missing(true)`

    # In order of promotion; a guess: put yours in their place.
    # `${NAME}` is an environment variable: a secret is named here, and never written.
    # .github/workflows/migration-preflight.yml hands it over.
    environments:
      staging:
        database-url: ${STAGING_DATABASE_URL}
      production:
        database-url: ${PRODUCTION_DATABASE_URL}
    ");
    applied(&repository, "app.db", &[1, 2, 3]);
    let repository = repository.execute("app.db", "ALTER TABLE _sqlx_migrations RENAME TO ledger_migrations");
    let databases = [("STAGING_DATABASE_URL", "sqlite:app.db"), ("PRODUCTION_DATABASE_URL", "sqlite:app.db")];
    assert_snapshot!(checked(&repository, &databases), @r#"
    exit code 0
    acme-ledger in staging: starts
      migration 3 was applied, but the source has no file for it; the service ignores that (`ignore-missing`)
    acme-ledger in production: starts
      migration 3 was applied, but the source has no file for it; the service ignores that (`ignore-missing`)
    "`acme-ledger` embeds its migrations, and has no build script watching `db/sql`: cargo does not notice a new one" "services/ledger/bin/ledger.rs":2
    "#);
}

fn packages() -> Repository {
    let deploy = "on: workflow_dispatch\njobs:\n  lint:\n    strategy:\n      matrix: { os: [a, b] }\n  deploy:\n    strategy:\n      matrix:\n        service: [accounts, billing]\n        environment: [test, live]\n        exclude:\n          - { service: billing, environment: test }\n";
    let repository = Repository::new()
        .file("accounts/Cargo.toml", package("acme-accounts", "postgres"))
        .file("accounts/src/main.rs", MAIN)
        .file("accounts/build.rs", "fn main() {\n    println!(\"cargo::rerun-if-changed={}\", \"migrations\");\n}\n")
        .file("billing/Cargo.toml", package("acme-billing", "postgres"))
        .file("billing/src/main.rs", "fn main() {\n    let migrator = sqlx::migrate::Migrator::new(std::path::Path::new(\"./migrations\"));\n}\n")
        .file("harness/Cargo.toml", package("harness", "postgres"))
        .file("harness/tests/all.rs", "#[test]\nfn migrates() {\n    sqlx::migrate!();\n}\n")
        .file("broken/Cargo.toml", "[package\n")
        .file(".github/workflows/deploy.yml", deploy)
        .file("billing/migrations/1_step_1.up.sql", sql(1))
        .file("billing/migrations/1_step_1.down.sql", "DROP TABLE t1;\n");
    migrations(migrations(repository, "accounts/migrations", &[1]), "harness/migrations", &[1])
}

#[test]
fn packages_of_their_own_and_a_workflow_that_deploys_them() {
    let repository = packages();
    assert_snapshot!(told(&repository, ""), @r"
    exit code 0
    service accounts: 1 migration in accounts/migrations, embedded by `acme-accounts` (accounts/src/main.rs:5)
    service billing: 1 migration in billing/migrations, read at run time by `acme-billing` (billing/src/main.rs:2)
    passed over: `harness` (harness/tests/all.rs:3) asks for harness/migrations in tests only
    environments: test, live (.github/workflows/deploy.yml, job `deploy`)
    wrote .github/migration-preflight.yml
    wrote .github/workflows/migration-preflight.yml
    next:
      1. look at .github/migration-preflight.yml: whether these are the services and environments that you have
      2. in .github/workflows/migration-preflight.yml, put who has the action in the place of OWNER
      3. set the secrets of the repository: TEST_ACCOUNTS_DATABASE_URL, LIVE_ACCOUNTS_DATABASE_URL, LIVE_BILLING_DATABASE_URL
      4. try it: TEST_ACCOUNTS_DATABASE_URL=postgres://… migration-preflight --environment test
    --- stderr
    warning: `broken/Cargo.toml` was not read: invalid table header expected `.`, `]`
    ");
    assert_snapshot!(config(&repository), @r"
    # Which service is checked in which environment comes from this matrix; what is below adds to it.
    matrix:
      workflow: .github/workflows/deploy.yml
      job: deploy

    services:
      accounts:
        # embedded by `acme-accounts`, accounts/src/main.rs:5
        migrations: accounts/migrations
      billing:
        # read at run time by `acme-billing`, billing/src/main.rs:2
        migrations: billing/migrations

    # In order of promotion; as job `deploy` of .github/workflows/deploy.yml has them.
    # `${NAME}` is an environment variable: a secret is named here, and never written.
    # .github/workflows/migration-preflight.yml hands it over.
    environments:
      test:
        database-url: ${TEST_{SERVICE}_DATABASE_URL}
      live:
        database-url: ${LIVE_{SERVICE}_DATABASE_URL}
    ");
    assert_snapshot!(workflow(&repository), @r"
    branches: [main]
              # the variables that .github/migration-preflight.yml names
              TEST_ACCOUNTS_DATABASE_URL: ${{ secrets.TEST_ACCOUNTS_DATABASE_URL }}
              LIVE_ACCOUNTS_DATABASE_URL: ${{ secrets.LIVE_ACCOUNTS_DATABASE_URL }}
              LIVE_BILLING_DATABASE_URL: ${{ secrets.LIVE_BILLING_DATABASE_URL }}
    ");
    applied(&repository, "app.db", &[1]);
    let databases = [
        ("TEST_ACCOUNTS_DATABASE_URL", "sqlite:app.db"),
        ("LIVE_ACCOUNTS_DATABASE_URL", "sqlite:app.db"),
        ("LIVE_BILLING_DATABASE_URL", "sqlite:app.db"),
    ];
    assert_snapshot!(checked(&repository, &databases), @r"
    exit code 0
    accounts in test: starts
    accounts in live: starts
    billing in live: starts
    ");
}
