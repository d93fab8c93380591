//! The README's first command shows what the README says.

use std::process::Command;

#[test]
fn the_example_catches_the_incident() {
    // With the features of this very build, so that nothing is built anew.
    let features = [("servers", cfg!(feature = "servers")), ("oracles", cfg!(feature = "oracles"))];
    let features: Vec<_> = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let mut cargo = Command::new(env!("CARGO"));
    // Nor with what cargo tells its tests of the package: a build script of ring's is run again where that differs.
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        cargo.env_remove(name);
    }
    let output = cargo
        .args(["run", "--quiet", "--locked", "--example", "incident", "--features", &features.join(",")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    insta::assert_snapshot!(printed, @"
    fail: 2 of 4 targets would not start, 3 errors

                      staging             production
     content-service  ✗ fails: 2 missing  ✓ starts
     social-service   ✗ fails: 1 missing  ✓ starts

    content-service in staging
      source    11 defined in backend/content-service/migrations
      history   13 applied: 2 missing, 0 mismatched; 0 pending
      start-up  fails: migration 20260107 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 20260107 was applied, but the source has no file for it (add author account type)
        --> backend/content-service/migrations/20260107_add_author_account_type.sql:1
      error[missing-migration]: migration 20260109 was applied, but the source has no file for it (remove unused social tables)
        --> backend/content-service/migrations/20260109_remove_unused_social_tables.sql:1
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

    social-service in staging
      source    6 defined in backend/social-service/migrations
      history   7 applied: 1 missing, 0 mismatched; 0 pending
      start-up  fails: migration 7 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 7 was applied, but the source has no file for it (add author account type)
        --> backend/social-service/migrations/007_add_author_account_type.sql:1
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

    content-service in production: 11 defined, 11 applied; starts, with nothing to apply
    social-service in production: 6 defined, 6 applied; starts, with nothing to apply

    The check left with exit code 1: a deploy step would have stopped here.
    ");

    // The picture in the README is this output: its lines stand there, as far as it goes.
    let readme = include_str!("../../README.md");
    let picture = readme.split("$ migration-preflight\n").nth(1).unwrap().split("\n```").next().unwrap();
    let picture = picture.rsplit_once("\n    help:").unwrap().0;
    assert!(printed.starts_with(picture), "the README shows\n{picture}\nand the example\n{printed}");
}
