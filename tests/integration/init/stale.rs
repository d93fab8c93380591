//! `stale-embed` in a whole run.

use std::time::Duration;

use insta::assert_snapshot;
use migration_preflight::finding::Rule;
use migration_preflight::gather::{Limits, Reading, gather};
use migration_preflight::history::History;
use migration_preflight::policy::Levels;
use migration_preflight::target::Target;

use super::*;
use crate::shared::repository::block_on;
use crate::size::state;

/// A crate that embeds its migrations, applied in `dev.db`.
fn embedding() -> Repository {
    let repository = Repository::new().file("Cargo.toml", package("api", "sqlite")).file("src/main.rs", MAIN);
    let repository = migrations(repository, "migrations", &[1]);
    applied(&repository, "dev.db", &[1]);
    repository.config(
        "services: { api: { migrations: migrations } }\nenvironments: { a: { database-url: 'sqlite:dev.db' }, b: { database-url: 'sqlite:dev.db' } }\n",
    )
}

#[test]
fn it_is_told_once_a_service_with_the_lines_that_mend_it() {
    assert_snapshot!(embedding().run(&[]), @r#"
    exit code 0
    pass: all 2 targets would start, 1 warning

          a         b
     api  ✓ starts  ✓ starts

    api in a: 1 defined, 1 applied; starts, with nothing to apply
    api in b: 1 defined, 1 applied; starts, with nothing to apply

    across targets
      warning[stale-embed]: api: `api` embeds its migrations, and has no build script watching `migrations`: cargo does not notice a new one
        --> src/main.rs:5
        help: Give `api` a `build.rs`: `fn main() { println!("cargo:rerun-if-changed=migrations"); }` (in the folder of the crate, `sqlx migrate build-script --source migrations` writes it). `migrate!()` has cargo look at the files that it finds: an edited one is noticed, and a new one is not, so that a build from a cache goes out without it.
    "#);
    assert_eq!(embedding().run(&["--fail-on", "warning"]).code, 1);
    let watched = embedding().file("build.rs", "fn main() { println!(\"cargo:rerun-if-changed=migrations\"); }\n");
    assert!(!watched.run(&[]).stdout.contains("stale-embed"));
    let other = embedding().file("build.rs", "fn main() { println!(\"cargo:rerun-if-changed=proto\"); }\n");
    assert!(other.run(&[]).stdout.contains("Add `println!(\"cargo:rerun-if-changed=migrations\");` to build.rs."));
}

#[test]
fn it_can_be_ignored_and_accepted_by_its_file() {
    let with = |more: &str| {
        let repository = embedding();
        let config = read(&repository, CONFIG) + more;
        repository.config(&config).run(&["--fail-on", "warning"])
    };
    assert_eq!(with("rules: { stale-embed: ignore }\n").code, 0);
    let run = with("accept: [{ rule: stale-embed, file: src/main.rs, reason: built without a cache }]\n");
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(with("rules: { stale-embed: error }\n").code, 1);
    let both = with(
        "rules: { stale-embed: ignore }\naccept: [{ rule: stale-embed, file: src/main.rs, reason: built without a cache }]\n",
    );
    assert_eq!(both.code, 0, "nothing was looked for that the entry could match: {both}");
}

#[test]
fn nobody_looks_for_the_crates_where_every_target_ignores_it() {
    let repository = embedding();
    let target = |levels: &Levels| Target {
        levels: levels.clone(),
        ..state(1, 1, Vec::new(), History::Present(Vec::new())).target
    };
    let unwatched = |levels: &[Levels]| {
        let limits = Limits { jobs: 1, timeout: Duration::from_secs(60) };
        let targets = levels.iter().map(target).collect();
        let states = block_on(gather(targets, repository.path(), &Reading::quiet(limits)));
        states[0].defined.as_ref().unwrap().unwatched.len()
    };
    let ignoring = Levels::from([(Rule::StaleEmbed, None)]);
    assert_eq!(unwatched(&[ignoring.clone(), Levels::new()]), 1);
    assert_eq!(unwatched(&[ignoring.clone(), ignoring]), 0);
}
