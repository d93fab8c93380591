//! Which files are snapshots, and which of several counts.

use super::*;

/// The snapshot of an environment alone, with other rows than it has.
fn of(snapshot: &Value, environment: &str, taken: &str, rows: usize) -> Value {
    let mut snapshot = snapshot.clone();
    snapshot["taken"] = taken.into();
    let targets = snapshot["targets"].as_array_mut().unwrap();
    targets.retain(|target| target["environment"] == environment);
    targets[0]["rows"].as_array_mut().unwrap().truncate(rows);
    snapshot
}

#[test]
fn of_a_folder_every_snapshot_counts_and_of_two_of_a_target_the_newer() {
    let repository = with_secrets().file("snapshots/a/notes.json", "{}").file("snapshots/README.md", "x");
    let snapshot = written(&repository, &[STAGING, PRODUCTION]);
    let (older, newer) = ("2026-01-07T10:00:00Z", "2026-01-07T12:00:00+01:00");
    write(&repository, "snapshots/a/old.json", &of(&snapshot, "staging", older, 0));
    write(&repository, "snapshots/b.JSON", &of(&snapshot, "staging", newer, 1));
    write(&repository, "snapshots/c.json", &of(&snapshot, "staging", older, 2));
    write(&repository, "more.json", &of(&snapshot, "production", older, 1));
    let (code, report) = repository.json(&["--snapshot", "snapshots", "--snapshot", "more.json"]);
    assert_eq!(code, 0, "{report:#}");
    let told = |index: usize| {
        let target = &report["targets"][index];
        (target["counts"]["applied"].clone(), target["snapshot"]["file"].clone(), target["snapshot"]["taken"].clone())
    };
    assert_eq!(told(0), (1.into(), "snapshots/b.JSON".into(), "2026-01-07T11:00:00Z".into()));
    assert_eq!(told(1), (1.into(), "more.json".into(), older.into()));
}

#[test]
fn what_cannot_be_used_is_told_file_by_file() {
    let repository = with_secrets();
    let good = written(&repository, &[STAGING, PRODUCTION]);
    let bad = |edit: &dyn Fn(&mut Value)| {
        let mut snapshot = good.clone();
        edit(&mut snapshot);
        snapshot
    };
    let row = |key: &'static str, value: Value| bad(&move |it| it["targets"][0]["rows"][0][key] = value.clone());
    for (name, snapshot) in [
        ("01", bad(&|it| it["schema"] = 2.into())),
        ("02", bad(&|it| it["taken"] = "yesterday".into())),
        ("03", bad(&|it| it["targets"][0]["engine"] = "oracle".into())),
        ("04", bad(&|it| it["targets"][1] = it["targets"][0].clone())),
        ("05", bad(&|it| it["targets"][0]["absent"] = serde_json::json!({"elsewhere": [], "schema": null}))),
        ("06", row("checksum", "xyz".into())),
        ("07", row("checksum", "abc".into())),
        ("08", row("version", "1".into())),
        ("09", bad(&|it| drop(it["targets"][0]["rows"][0].as_object_mut().unwrap().remove("success")))),
        ("10", bad(&|it| drop(it.as_object_mut().unwrap().remove("targets")))),
    ] {
        write(&repository, &format!("bad/{name}.json").replace("bad/", "bad-"), &snapshot);
    }
    let names: Vec<_> = (1..=10).map(|n| format!("bad-{n:02}.json")).collect();
    let others = ["absent.json", "migrations/1_one.sql", ".github", "report\u{1b}[31m.json"];
    let report = repository.run(&["--snapshot", FILE, "--format", "json"]).stdout;
    fs::write(repository.path().join(others[3]), report).unwrap();
    let paths = names.iter().map(String::as_str).chain(others).chain([FILE]);
    let arguments: Vec<_> = paths.flat_map(|path| ["--snapshot", path]).collect();
    assert_snapshot!(repository.run(&arguments), @r#"
    exit code 2
    --- stderr
    error: the snapshot `bad-01.json` cannot be used: it is a snapshot of version 2, and this is migration-preflight for version 1
    the snapshot `bad-02.json` cannot be used: it is a snapshot, but a damaged one: `taken` is `yesterday`, which is no time
    the snapshot `bad-03.json` cannot be used: it is a snapshot, but a damaged one: targets[0].engine: unknown variant `oracle`, expected one of `postgres`, `mysql`, `sqlite`
    the snapshot `bad-04.json` cannot be used: it is a snapshot, but a damaged one: api in production stands in it twice
    the snapshot `bad-05.json` cannot be used: it is a snapshot, but a damaged one: there are rows in the absent table of api in production
    the snapshot `bad-06.json` cannot be used: it is a snapshot, but a damaged one: the checksum is not made of hexadecimal digits in the row 1 of api in production
    the snapshot `bad-07.json` cannot be used: it is a snapshot, but a damaged one: the checksum is not made of hexadecimal digits in the row 1 of api in production
    the snapshot `bad-08.json` cannot be used: it is a snapshot, but a damaged one: targets[0].rows[0].version: invalid type: string "1", expected i64
    the snapshot `bad-09.json` cannot be used: it is a snapshot, but a damaged one: targets[0].rows[0]: missing field `success`
    the snapshot `bad-10.json` cannot be used: it is a snapshot, but a damaged one: missing field `targets`
    the snapshot `absent.json` cannot be used: No such file or directory (os error 2)
    the snapshot `migrations/1_one.sql` cannot be used: it is not a snapshot of migration-preflight
    the snapshot `.github` cannot be used: the folder holds no snapshot
    the snapshot `report\u{1b}[31m.json` cannot be used: it is not a snapshot of migration-preflight
      help: `migration-preflight snapshot --output FILE` writes one; the path of --snapshot is relative to the current folder
    "#);
}

#[test]
fn a_damaged_snapshot_in_a_folder_is_not_passed_over() {
    let repository = with_secrets();
    let mut snapshot = written(&repository, &[STAGING, PRODUCTION]);
    fs::create_dir(repository.path().join("snapshots")).unwrap();
    write(&repository, "snapshots/good.json", &snapshot);
    snapshot["schema"] = 7.into();
    write(&repository, "snapshots/new.json", &snapshot);
    let run = repository.run(&["--snapshot", "snapshots"]);
    assert!(
        run.code == 2 && run.stderr.starts_with("error: the snapshot `snapshots/new.json` cannot be used: "),
        "{run}"
    );
}

#[test]
fn an_endless_file_and_a_pipe_are_no_snapshots() {
    let repository = with_secrets();
    for path in ["/dev/zero", "/dev/null"] {
        let run = repository.run(&["--snapshot", path]);
        assert!(run.code == 2 && run.stderr.contains("it is not a regular file"), "{run}");
    }
}

#[test]
fn keys_and_targets_that_nobody_asks_for_are_passed_by() {
    let repository = with_secrets();
    let mut snapshot = written(&repository, &[STAGING, PRODUCTION]);
    snapshot["later"] = true.into();
    snapshot["targets"][0]["later"] = true.into();
    let mut other = snapshot["targets"][0].clone();
    other["service"] = "web".into();
    snapshot["targets"].as_array_mut().unwrap().push(other);
    write(&repository, FILE, &snapshot);
    let (code, report) = repository.json(&["--snapshot", FILE, "--environment", "production"]);
    assert_eq!((code, report["notes"].as_array().unwrap().len()), (0, 0), "{report:#}");
}

#[test]
fn a_snapshot_of_other_targets_alone_is_told() {
    let repository = with_secrets();
    let snapshot = written(&repository, &[STAGING, PRODUCTION]);
    write(&repository, FILE, &of(&snapshot, "staging", "2026-01-07T10:00:00Z", 1));
    let run = repository.run_with(&["--snapshot", FILE, "--environment", "production"], &[PRODUCTION]);
    assert!(run.code == 0, "{run}");
    assert_snapshot!(run.stdout.lines().last().unwrap(), @"note: no target has a snapshot: what was given has those of api in staging");
}
