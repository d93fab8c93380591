//! Tenants in what follows from their histories: findings, annotations, accepted ones, environments and the reports of several
//! runs. The histories are those of a snapshot, so that no server is needed.

use std::fs;

use migration_preflight::migration::Checksum;
use serde_json::{Value, json};

use crate::shared::git::git;
use crate::shared::repository::Repository;

const ONE: &str = "SELECT 1;\n";
const TWO: &str = "SELECT 2;\n";

const CONFIG: &str = "services: { shop: { migrations: migrations, schemas: ['tenant_*'] } }\n\
    environments: { staging: {}, production: {} }\n";

/// Tenants in an environment, and the contents of what each has applied, by version.
type Agreed<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn snapshot(agreed: &[Agreed]) -> String {
    let total = |environment: &str| {
        agreed.iter().filter(|(name, ..)| *name == environment).map(|(_, names, _)| names.len()).sum::<usize>()
    };
    let target = |(environment, names, contents): &Agreed| {
        let row = |(version, content): (usize, &&str)| {
            json!({
                "version": version, "description": "step", "installed-on": null, "success": true,
                "checksum": Checksum::of(content.as_bytes()).to_string(), "execution-time": 0,
            })
        };
        json!({
            "service": "shop", "environment": environment, "engine": "postgres", "table": "_sqlx_migrations",
            "create-schemas": [], "absent": null,
            "tenants": { "kind": "schemas", "patterns": ["tenant_*"], "names": names, "total": total(environment) },
            "rows": (1..).zip(*contents).map(row).collect::<Vec<_>>(),
        })
    };
    json!({
        "kind": "snapshot", "schema": 1, "tool": { "name": "migration-preflight", "version": "0.1.0" },
        "taken": "2026-01-07T10:00:00Z", "targets": agreed.iter().map(target).collect::<Vec<_>>(),
    })
    .to_string()
}

fn repository(agreed: &[Agreed]) -> Repository {
    Repository::new()
        .file("migrations/1_step.sql", ONE)
        .file("migrations/2_step.sql", TWO)
        .config(CONFIG)
        .file("snapshot.json", snapshot(agreed))
}

const WORLD: [Agreed; 5] = [
    ("staging", &["tenant_a", "tenant_b"], &[ONE, TWO]),
    ("staging", &["tenant_c"], &[ONE]),
    ("production", &["tenant_a", "tenant_b", "tenant_c", "tenant_d"], &[ONE, TWO]),
    ("production", &["tenant_e"], &[ONE, ONE]),
    ("production", &["tenant_f"], &[ONE, ONE, "later"]),
];

/// What a run says, without how long ago the snapshot was taken.
fn run(repository: &Repository, arguments: &[&str]) -> String {
    let told = repository.run(&[&["--snapshot", "snapshot.json"], arguments].concat()).to_string();
    let is_of_snapshot = |line: &&str| !line.contains("ago, from snapshot.json");
    told.lines().filter(is_of_snapshot).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_annotation_is_one_a_file_and_tells_whose_tenants_it_is_about() {
    insta::assert_snapshot!(run(&repository(&WORLD), &["--format", "github"]), @r"
    exit code 1
    ::error file=migrations/2_step.sql,line=1,title=checksum-mismatch%3A shop in production (tenant_e%2C tenant_f)::shop in production (tenant_e, tenant_f): migration 2 was changed after it was applied: the row has checksum 24454095d8d7…, the file 1f7e22c7c0ea… (step)%0ARestore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.%0ADeclared in .github/migration-preflight.yml:1.%0A%0Ashop in staging (tenant_c): migration 2 would be applied when the service starts (step)%0ANothing has to be done: this is what a deploy with a new migration looks like.%0ADeclared in .github/migration-preflight.yml:1.
    ::error file=migrations/3_step.sql,line=1,title=missing-migration%3A shop in production (tenant_f)::shop in production (tenant_f): migration 3 was applied, but the source has no file for it (step)%0AThe source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.%0ADeclared in .github/migration-preflight.yml:1.
    ::warning file=.github/migration-preflight.yml,line=1,title=environment-drift%3A shop in staging%2C production::shop in staging, production: migration 2 was applied with different contents: checksum 1f7e22c7c0ea… in staging (tenant_a, tenant_b), production (4 tenants), 24454095d8d7… in production (tenant_e, tenant_f) (step)%0AThe environments were migrated from different files, so a test in one says little about the other. Apply the same files to both; an earlier environment that is ahead is normal and never reported.%0A%0Ashop in staging, production: migration 3 is applied in production and not in staging, which comes before it (step)%0AThe environments were migrated from different files, so a test in one says little about the other. Apply the same files to both; an earlier environment that is ahead is normal and never reported.
    ");
}

#[test]
fn the_cells_of_environments_count_tenants() {
    let told = run(&repository(&WORLD), &[]);
    insta::assert_snapshot!(told.lines().take(8).collect::<Vec<_>>().join("\n"), @r"
    exit code 1
    fail: 1 of 2 targets would not start (2 of 6 tenants), 3 errors, 2 warnings, 2 targets from a snapshot

           staging                                  production
     shop  ✓ starts for 3 tenants, applies up to 1  ✗ fails for 2 of 6 tenants

    shop in staging: 2 tenants agree, 1 differs: tenant_c
    ");
    let drift: Vec<&str> = told.lines().filter(|line| line.contains("environment-drift")).collect();
    insta::assert_snapshot!(drift.join("\n"), @r"
    warning[environment-drift]: shop: migration 2 was applied with different contents: checksum 1f7e22c7c0ea… in staging (tenant_a, tenant_b), production (4 tenants), 24454095d8d7… in production (tenant_e, tenant_f) (step)
    warning[environment-drift]: shop: migration 3 is applied in production and not in staging, which comes before it (step)
    ");
}

#[test]
fn who_is_behind_others_of_one_environment_makes_no_drift_between_environments() {
    let told = run(&repository(&[WORLD[0], WORLD[1], WORLD[2]]), &[]);
    assert!(!told.contains("environment-drift"), "{told}");
    let told = run(&repository(&[WORLD[1], WORLD[2]]), &[]);
    assert!(told.contains("migration 2 is applied in production and not in staging, which comes before it"), "{told}");
}

#[test]
fn what_is_accepted_is_accepted_of_every_tenant() {
    let accept = "accept:\n  - { rule: checksum-mismatch, environment: production, version: 2, reason: known }\n";
    let repository = repository(&WORLD[..4]).config(&format!("{CONFIG}{accept}"));
    let told = run(&repository, &["--fail-on", "warning"]);
    assert!(told.contains("checksum-mismatch for shop in production (tenant_e): migration 2"), "{told}");
    assert!(!told.contains("error[checksum-mismatch]") && !told.contains("unused-accept"), "{told}");
}

#[test]
fn reports_of_tenants_are_merged_as_those_of_any_target() {
    let repository = repository(&WORLD);
    for environment in ["staging", "production"] {
        fs::create_dir_all(repository.path().join("reports")).unwrap();
        let report = format!("json=reports/{environment}.json");
        run(&repository, &["--environment", environment, "--output", &report]);
    }
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let merged = read(&repository.run(&["merge", "--reports", "reports", "--format", "json"]).stdout);
    let whole = read(&repository.run(&["--snapshot", "snapshot.json", "--format", "json"]).stdout);
    let [merged, whole] = [merged, whole].map(|mut report| {
        report["targets"].as_array_mut().unwrap().iter_mut().for_each(|target| drop(target["snapshot"].take()));
        report["targets"].clone()
    });
    assert_eq!(merged, whole);
    assert_eq!(whole.as_array().unwrap().len(), 5);
    let production = fs::read_to_string(repository.path().join("reports/production.json")).unwrap();
    // Of two reports on one target the worse counts as a whole, and not a tenant of each.
    fs::write(repository.path().join("reports/again.json"), production.replace("tenant_f", "tenant_x")).unwrap();
    let told = repository.run(&["merge", "--reports", "reports"]).stdout;
    assert!(told.contains("the worst of them counts: shop in production"), "{told}");
    let has = |tenant: &str| told.contains(&format!("\nshop in production ({tenant})\n"));
    assert!(has("tenant_x") != has("tenant_f"), "{told}");
}

#[test]
fn a_snapshot_that_has_a_tenant_twice_is_damaged() {
    for agreed in [
        [("staging", &["tenant_a"][..], &[ONE][..]), ("staging", &["tenant_b", "tenant_a"], &[ONE, TWO])],
        [("staging", &["tenant_a", "tenant_a"][..], &[ONE][..]), ("production", &["tenant_a"], &[ONE])],
    ] {
        let told = run(&repository(&agreed), &[]);
        assert!(told.contains("a damaged one: shop in staging stands in it twice"), "{told}");
    }
}

#[test]
fn what_has_lost_a_tenant_is_damaged() {
    let (whole, part) = (snapshot(&WORLD), |text: &str| text.replace(r#""tenant_a","tenant_b""#, r#""tenant_a""#));
    let told = run(&repository(&WORLD).file("snapshot.json", part(&whole)), &[]);
    assert!(told.contains("a damaged one: of shop in production it has 5 of 6 tenants"), "{told}");
    let repository = repository(&WORLD);
    let report = repository.run(&["--snapshot", "snapshot.json", "--format", "json"]).stdout;
    let mut report: Value = serde_json::from_str(&report).unwrap();
    report["targets"].as_array_mut().unwrap().pop();
    let repository = repository.file("reports/cut.json", report.to_string());
    let told = repository.run(&["merge", "--reports", "reports"]);
    assert!(told.code != 0 && told.stdout.contains("of shop in production it has 5 of 6 tenants"), "{told}");
}

#[test]
fn the_sql_that_mends_a_row_names_the_table_of_each_tenant() {
    let repository = repository(&WORLD);
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "all"]] {
        git(repository.path(), arguments);
    }
    let told = run(&repository, &["--environment", "production"]);
    let sql: Vec<&str> = told.lines().filter(|line| line.contains("UPDATE ") || line.contains("DELETE ")).collect();
    insta::assert_snapshot!(sql.join("\n"), @r#"
    UPDATE "tenant_e"."_sqlx_migrations" SET checksum = decode('1f7e22c7c0ea23f18eaa40e47945a71f2cb479fba2257126cc756c7c3df72785d5106cb6eaf17f3144abe02570d1d7a7', 'hex') WHERE version = 2 AND checksum = decode('24454095d8d7876ca8e842f34296ca645c83e0f7b50f048c99db4b2ff4da659267afc4ef3e994f3d74e18c741165d931', 'hex');
    DELETE FROM "tenant_f"."_sqlx_migrations" WHERE version = 3 AND checksum = decode('0aa0289cdbe06225ac0f3b17d0f618102b7e06e9aec404799f936f10d9fa805a0cc191fe49079d9b15c37324e5623614', 'hex');
    UPDATE "tenant_f"."_sqlx_migrations" SET checksum = decode('1f7e22c7c0ea23f18eaa40e47945a71f2cb479fba2257126cc756c7c3df72785d5106cb6eaf17f3144abe02570d1d7a7', 'hex') WHERE version = 2 AND checksum = decode('24454095d8d7876ca8e842f34296ca645c83e0f7b50f048c99db4b2ff4da659267afc4ef3e994f3d74e18c741165d931', 'hex');
    "#);
}

#[test]
fn a_snapshot_without_tenants_is_of_another_table() {
    let text = snapshot(&WORLD[..1])
        .replace(r#""kind":"schemas","patterns":["tenant_*"]"#, r#""kind":"schemas","patterns":["t*"]"#);
    let told = run(&repository(&WORLD).file("snapshot.json", text), &["--environment", "staging"]);
    assert!(told.starts_with("exit code 3"), "{told}");
    assert!(
        told.contains("the table `_sqlx_migrations` of each tenant (`schemas: t*`), and sqlx would read"),
        "{told}"
    );
}
