//! Who has changed what stands at the base, and that what is printed mends it on the branch.

use std::fmt::Write;
use std::process::Command;

use insta::assert_snapshot;

use super::*;

/// The explanation of what the pull request breaks; then its commands are run and committed, and it breaks nothing more.
fn explained(project: &Project) -> String {
    let checked = project.check(&[]);
    let finding = &checked.report["findings"][0];
    let explanation = &finding["explanation"];
    assert!(explanation.is_object(), "{finding:#}");
    let mut told = format!("{}: {}\n", finding["rule"].as_str().unwrap(), explanation["cause"]);
    for key in ["summary", "difference"] {
        writeln!(told, "{key}: {}", explanation[key].as_str().unwrap_or("-")).unwrap();
    }
    for key in ["added", "changed"] {
        writeln!(told, "{key}: {}", explanation[key]["author"].as_str().unwrap_or("-")).unwrap();
    }
    for command in explanation["fix"].as_array().unwrap() {
        let command = command.as_str().unwrap();
        writeln!(told, "$ {command}").unwrap();
        let status = Command::new("sh").args(["-c", command]).current_dir(project.path()).status().unwrap();
        assert!(status.success(), "{command}");
    }
    assert!(explanation["repair-sql"].is_null(), "the rows are right: {explanation:#}");
    assert!(!explanation["fix"].as_array().unwrap().is_empty(), "{explanation:#}");
    project.commit("mend it");
    let mended = project.check(&[]);
    assert_eq!((mended.code, mended.found()), (0, vec![]), "{told}");
    told
}

fn on_feature(edit: &Edit) -> Project {
    let project = Project::new().applied();
    project.on("feature", edit);
    project
}

#[test]
fn what_a_change_does_to_an_applied_migration_is_explained_and_mended_on_its_branch() {
    let told: Vec<_> = EDITS.iter().map(|(_, edit)| explained(&on_feature(edit))).collect();
    assert_snapshot!(told.join("\n"), @r#"
    edited-migration: "edited"
    summary: it was edited after it was applied by Ann in 83ac9cc79b67 on 2026-01-09 (“on feature”): put the change in a new migration; added by Ann in 822c548674aa on 2026-01-09 (“begin”)
    difference: sql
    added: Ann
    changed: Ann
    $ git show 822c548674aa:api/migrations/2_two.sql > api/migrations/2_two.sql

    deleted-migration: "deleted"
    summary: `2_two.sql` was deleted on this branch by Ann in 233cf059cb44 on 2026-01-09 (“on feature”); added by Ann in 822c548674aa on 2026-01-09 (“begin”)
    difference: -
    added: Ann
    changed: Ann
    $ git show 822c548674aa:api/migrations/2_two.sql > api/migrations/2_two.sql

    renumbered-migration: "renamed"
    summary: it stands here as `3_two.sql`: it was renumbered by Ann in d87c71f02eb6 on 2026-01-09 (“on feature”); added by Ann in 822c548674aa on 2026-01-09 (“begin”)
    difference: -
    added: Ann
    changed: Ann
    $ git mv api/migrations/3_two.sql api/migrations/2_two.sql

    version-collision: "collision"
    summary: two different migrations take version 2: `2_two.sql` by Ann in 822c548674aa on 2026-01-09 (“begin”), and `2_twin.sql` by Ann in b251932650cc on 2026-01-09 (“on feature”), which is to have another one
    difference: -
    added: Ann
    changed: Ann
    $ git mv api/migrations/2_twin.sql api/migrations/3_twin.sql
    "#);
}

#[test]
fn where_nobody_knows_what_is_applied_the_base_is_what_counts() {
    let withheld = CONFIG.replace("'sqlite:staging.db' }", "'${STAGING_URL}', required: false }");
    let withheld = withheld.replace("'sqlite:production.db' }", "'${PRODUCTION_URL}', required: false }");
    let of = |edit: &Edit| {
        let project = Project::new();
        project.on("main", |project| project.write(".github/migration-preflight.yml", &withheld));
        project.git("checkout --quiet -B feature main");
        project.on("feature", edit);
        explained(&project)
    };
    let told: Vec<_> = EDITS.iter().map(|(_, edit)| of(edit)).collect();
    assert_snapshot!(told.join("\n"), @r#"
    edited-migration: "edited"
    summary: it was edited on this branch by Ann in c4346c2de187 on 2026-01-09 (“on feature”): put the change in a new migration; added by Ann in 822c548674aa on 2026-01-09 (“begin”)
    difference: sql
    added: Ann
    changed: Ann
    $ git show 822c548674aa:api/migrations/2_two.sql > api/migrations/2_two.sql

    deleted-migration: "deleted"
    summary: `2_two.sql` was deleted on this branch by Ann in df24bd5b9672 on 2026-01-09 (“on feature”); added by Ann in 822c548674aa on 2026-01-09 (“begin”)
    difference: -
    added: Ann
    changed: Ann
    $ git show 822c548674aa:api/migrations/2_two.sql > api/migrations/2_two.sql

    renumbered-migration: "renamed"
    summary: it stands here as `3_two.sql`: it was renumbered by Ann in 7e241ac3b67a on 2026-01-09 (“on feature”); added by Ann in 822c548674aa on 2026-01-09 (“begin”)
    difference: -
    added: Ann
    changed: Ann
    $ git mv api/migrations/3_two.sql api/migrations/2_two.sql

    version-collision: "collision"
    summary: two different migrations take version 2: `2_two.sql` by Ann in 822c548674aa on 2026-01-09 (“begin”), and `2_twin.sql` by Ann in 5ccb6f92466d on 2026-01-09 (“on feature”), which is to have another one
    difference: -
    added: Ann
    changed: Ann
    $ git mv api/migrations/2_twin.sql api/migrations/3_twin.sql
    "#);
}

#[test]
fn what_is_applied_nowhere_needs_no_mending() {
    let project = Project::new().databases(&[(1, "one", ONE)], &[(1, "one", ONE)]);
    for (_, edit) in &EDITS[..3] {
        project.git("checkout --quiet -B feature main");
        project.on("feature", edit);
        let checked = project.check(&[]);
        assert!(checked.report["findings"][0]["explanation"].is_null(), "{checked:?}");
    }
}

#[test]
fn a_version_that_was_taken_meanwhile_gives_way_to_the_one_that_is_free_on_both_branches() {
    let project = Project::new().applied();
    project.on("main", |project| {
        project.write("api/migrations/3_theirs.sql", "SELECT 33;\n");
        project.write("api/migrations/4_more.sql", ONE);
    });
    project.on("feature", |project| project.write("api/migrations/3_ours.sql", "SELECT 333;\n"));
    assert_snapshot!(explained(&project), @r#"
    version-collision: "collision"
    summary: two different migrations take version 3: `3_theirs.sql` by Ann in 3a82ab52c33c on 2026-01-09 (“on main”), and `3_ours.sql` by Ann in 18ec8d787249 on 2026-01-09 (“on feature”), which is to have another one
    difference: -
    added: Ann
    changed: Ann
    $ git mv api/migrations/3_ours.sql api/migrations/5_ours.sql
    "#);
    // Whatever white space makes two contents alike, they are two files.
    let project = Project::new().applied();
    project.on("main", |project| project.write("api/migrations/3_theirs.sql", "SELECT  33;\n"));
    project.on("feature", |project| project.write("api/migrations/3_ours.sql", "SELECT 33;\n")).merged();
    assert_snapshot!(explained(&project), @r#"
    version-collision: "collision"
    summary: two different migrations take version 3: `3_theirs.sql` by Ann in 597aed8633cf on 2026-01-09 (“on main”), and `3_ours.sql` by Ann in 98fd06987a4e on 2026-01-09 (“on feature”), which is to have another one
    difference: -
    added: Ann
    changed: Ann
    $ git mv api/migrations/3_ours.sql api/migrations/4_ours.sql
    "#);
}

#[test]
fn of_two_environments_the_one_where_nothing_is_meant_is_explained() {
    let accept = "accept: [{ rule: checksum-mismatch, environment: staging, version: 2, reason: 'mended by hand' }]\n";
    let project = Project::new().applied();
    project.on("main", |project| {
        project.write(".github/migration-preflight.yml", &format!("{CONFIG}{accept}"));
    });
    project.git("checkout --quiet -B feature main");
    project.on("feature", EDITS[0].1);
    let checked = project.check(&[]);
    assert_eq!(checked.found(), ["error edited-migration staging,production"]);
    let fix = checked.report["findings"][0]["explanation"]["fix"].as_array().unwrap().len();
    assert_eq!(fix, 1, "{checked:?}");
}
