//! `--source binary:` and `--source image:` from the flag to the report: the incident, as what was built.

#[cfg(feature = "oracles")]
mod deployed;

use insta::assert_snapshot;
use migration_preflight::migration::Checksum;
use serde_json::Value;

use crate::explain::history::History;
use crate::shared::images::{Images, Layer, Packing};
use crate::shared::repository::Run;

const ONE: &str = "CREATE TABLE one (id INTEGER);\n";
const TWO: &str = "CREATE TABLE two (id INTEGER);\n";
const THREE: &str = "CREATE TABLE three (id INTEGER);\n";
const EDITED: &str = "CREATE TABLE two (id INTEGER, name TEXT);\n";

/// What `migrate!()` leaves of migrations in a program, among other bytes, and no more: as on a machine of 32 bits.
fn program(contents: &[&str]) -> Vec<u8> {
    let mut bytes = b"\x7fELF and some code".repeat(50);
    for content in contents {
        bytes.extend(Checksum::of(content).as_bytes());
        bytes.extend(content.as_bytes());
    }
    bytes.extend(b"more code".repeat(50));
    bytes
}

/// A service whose three migrations are applied.
fn service() -> History {
    let history = History::new();
    history.write("migrations/1_one.sql", ONE).commit("Ann", "start");
    history.write("migrations/2_two.sql", EDITED).commit("Bob", "add two (#12)");
    history.write("migrations/2_two.sql", TWO).write("migrations/3_three.sql", THREE).commit("Cid", "three (#13)");
    history.write(".git/info/exclude", "*.db\n/images\n/api\n").applied(&[
        (1, "one", ONE),
        (2, "two", TWO),
        (3, "three", THREE),
    ]);
    history
}

fn check(history: &History, source: &str) -> Run {
    history.check(&["--source", source])
}

/// What is printed, without the name of the temporary folder.
fn shown(history: &History, arguments: &[&str]) -> String {
    let folder = history.path().file_name().unwrap().to_str().unwrap().to_owned();
    history.check(arguments).to_string().replace(&folder, "[service]")
}

fn target(run: &Run) -> Value {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    report["targets"][0].clone()
}

/// Writes an image of these layers as a layout, and returns what names it.
fn layout(history: &History, name: &str, layers: &[Layer]) -> String {
    let path = history.path().join("images").join(name);
    std::fs::create_dir_all(&path).unwrap();
    Images::of(layers, Packing::Gzip).write_layout(&path);
    format!("./images/{name}")
}

fn with_program(contents: &[&str]) -> Layer {
    Layer::new().file("usr/local/bin/api", program(contents))
}

#[test]
fn an_old_binary_is_refused_and_the_new_one_accepted() {
    let history = service();
    history.write("api", program(&[ONE, TWO, THREE]));
    let run = check(&history, "binary:api");
    assert_eq!(run.code, 0, "{run}");
    history.write("api", program(&[ONE, EDITED]));
    assert_snapshot!(shown(&history, &["--source", "binary:api"]), @r"
    exit code 1
    fail: the target would not start, 2 errors

    [service] in default
      source    2 defined in api
      history   3 applied: 1 missing, 1 mismatched; 0 pending
      start-up  fails: migration 3 was previously applied but is missing in the resolved migrations

      error[missing-migration]: migration 3 was applied, but the source has no file for it (three)
        --> migrations/3_three.sql:1
        why: the program lacks it: `3_three.sql` stands on `main`, added by Cid in a7b8568a49e9 on 2026-01-03 (“three (#13)”); deploy what is built of a commit that has it
        help: The source is older than the database, or the file was deleted or renumbered. Deploy a build that has the file, or bring the file back exactly as it was applied; never write a new file with the old version.

      error[checksum-mismatch]: migration 2 was changed after it was applied: the row has checksum c167fbe69e87…, the file 0f2a5931201d… (two)
        --> migrations/2_two.sql:1
        why: the program has another content of it: `2_two.sql` stands on `main`, added by Cid in a7b8568a49e9 on 2026-01-03 (“three (#13)”); deploy what is built of a commit that has it; what it has was added by Bob in de568a7ef67c on 2026-01-02 (“add two (#12)”)
          -CREATE TABLE two (id INTEGER);
          +CREATE TABLE two (id INTEGER, name TEXT);
        help: Restore the file byte for byte as it was applied (line endings, BOM and final newline count) and put the change into a new migration.
    ");
    history.write("api", program(&[]));
    assert_snapshot!(shown(&history, &["--source", "binary:api"]), @r"
    exit code 3
    incomplete: the target could not be checked

    [service] in default
      source    api could not be read
      history   3 applied
      start-up  unknown: a side could not be read

      incomplete[unreadable-source]: the migrations could not be read: `api` embeds none of the 4 contents of migrations that are known: it may have been built without sqlx's `migrate!()`, be compressed (as by UPX: give the original), read its migrations from a directory when it starts (then check that), or be another service's binary
        help: Give the program that runs, as it was built; or check what it was built from, with `--source git:REV`.
    ");
}

#[test]
fn the_incident_as_images_is_refused_and_the_mended_image_accepted() {
    let history = service();
    let old = layout(&history, "old", &[with_program(&[ONE, TWO])]);
    let new = layout(&history, "new", &[with_program(&[ONE, TWO]), with_program(&[ONE, TWO, THREE])]);
    Images::of(&[with_program(&[ONE, TWO])], Packing::Plain)
        .write_docker(&history.path().join("images/old.tar"), &["api:1"]);
    for image in [old.as_str(), "./images/old.tar"] {
        let run = history.check(&["--source", &format!("image:{image}"), "--format", "json"]);
        let target = target(&run);
        assert_eq!((run.code, &target["counts"]["missing"]), (1, &1.into()), "{run}");
        let error = "migration 3 was previously applied but is missing in the resolved migrations";
        assert_eq!(target["startup"]["error"], error);
        let source = &target["source"];
        assert_eq!((source["kind"].as_str(), source["file"].as_str()), (Some("image"), Some("/usr/local/bin/api")));
        assert!(source["digest"].as_str().unwrap().starts_with("sha256:"), "{source}");
        let why = target["findings"][0]["explanation"]["summary"].as_str().unwrap();
        assert!(why.starts_with("the image lacks it: `3_three.sql` stands on `main`, added by Cid in "), "{why}");
    }
    let run = check(&history, &format!("image:{new}"));
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("3 defined, 3 applied; starts"), "{run}");
}

#[test]
fn of_several_programs_the_configured_one_counts_and_without_it_nothing_is_guessed() {
    let history = service();
    let tools = Layer::new().file("usr/local/bin/migrate-tool", program(&[ONE, TWO, THREE]));
    let image = layout(&history, "two", &[with_program(&[ONE]), tools]);
    let source = format!("image:{image}");
    let run = check(&history, &source);
    let expected = "several files in it carry migrations of this service, and not the same ones: \
         `/usr/local/bin/api`, `/usr/local/bin/migrate-tool`; name the one that runs as `binary` in the configuration";
    assert!(run.code == 3 && run.stdout.contains(expected), "{run}");
    for (binary, code) in [("api", 1), ("/usr/local/bin/api", 1), ("migrate-tool", 0), ("bin/migrate-tool", 0)] {
        let config = format!("defaults: {{ migrations: migrations, binary: {binary} }}\nservices: {{ api: }}\n");
        history.write(".github/migration-preflight.yml", config);
        assert_eq!(check(&history, &source).code, code, "{binary}");
    }
    history.write(
        ".github/migration-preflight.yml",
        "defaults: { migrations: migrations, binary: tool }\nservices: { api: }\n",
    );
    let run = check(&history, &source);
    assert!(
        run.code == 3 && run.stdout.contains("`tool` carries none of them in it, but `/usr/local/bin/api`"),
        "{run}"
    );
}

#[test]
fn of_several_programs_the_one_that_the_image_starts_counts() {
    let history = service();
    // The builder's images start `/usr/bin/app`.
    let link = Layer::new().file("opt/api", program(&[ONE, TWO, THREE])).symlink("usr/bin/app", "../../opt/api");
    let image = layout(&history, "starts", &[with_program(&[ONE]), link]);
    let run = check(&history, &format!("image:{image}"));
    assert!(run.code == 0 && run.stdout.contains("3 defined"), "{run}");
}

#[test]
fn the_same_program_under_two_names_is_one() {
    let history = service();
    let layer = with_program(&[ONE, TWO, THREE])
        .hard_link("app/api", "usr/local/bin/api")
        .file("copy", program(&[ONE, TWO, THREE]));
    let image = layout(&history, "names", &[layer]);
    assert_eq!(check(&history, &format!("image:{image}")).code, 0);
    for binary in ["/app/api", "copy"] {
        let config = format!("defaults: {{ migrations: migrations, binary: {binary} }}\nservices: {{ api: }}\n");
        history.write(".github/migration-preflight.yml", config);
        let run = check(&history, &format!("image:{image}"));
        assert_eq!(run.code, 0, "{binary}: {run}");
    }
}

#[test]
fn an_image_that_reads_its_migrations_when_it_starts_is_judged_by_those() {
    let history = service();
    let files = |two| Layer::new().file("app/migrations/1_one.sql", ONE).file("app/migrations/2_two.sql", two);
    let image = layout(&history, "files", &[files(EDITED), files(TWO).file("app/other/9_nine.sql", "SELECT 9;")]);
    let run = history.check(&["--source", &format!("image:{image}"), "--format", "json"]);
    let target = target(&run);
    assert_eq!((run.code, &target["counts"]["defined"], &target["counts"]["mismatched"]), (1, &2.into(), &0.into()));
    assert_eq!(target["source"]["file"], "/app/migrations");
    assert_eq!(target["findings"][0]["file"], "migrations/3_three.sql");
}

#[test]
fn a_program_that_an_upper_layer_deletes_is_not_there() {
    let history = service();
    let image = layout(&history, "gone", &[with_program(&[ONE, TWO, THREE]), Layer::new().delete("usr/local/bin/api")]);
    let run = check(&history, &format!("image:{image}"));
    assert!(run.code == 3 && run.stdout.contains("embeds none of the 4 contents"), "{run}");
}

#[test]
fn an_image_that_the_configuration_names_is_read_where_an_image_is_asked_for() {
    let history = service();
    layout(&history, "api", &[with_program(&[ONE, TWO])]);
    history.write(
        ".github/migration-preflight.yml",
        "defaults: { migrations: migrations, image: './images/{service}' }\nservices: { api: }\n",
    );
    assert_eq!(history.check(&[]).code, 0, "by default it is the directory");
    let run = check(&history, "image");
    assert!(run.code == 1 && run.stdout.contains("2 defined in the image ./images/api (/usr/local/bin/api"), "{run}");
    let broken = history.path().join("images/api/index.json");
    std::fs::write(broken, "{}").unwrap();
    let run = check(&history, "image");
    assert!(run.code == 3 && run.stdout.contains("incomplete[unreadable-source]"), "{run}");
}

#[test]
fn images_can_be_rolled_back_to_or_not() {
    let history = service();
    let images = [
        layout(&history, "v3", &[with_program(&[ONE, TWO, THREE])]),
        layout(&history, "v2", &[with_program(&[ONE, EDITED])]),
        layout(&history, "v1", &[with_program(&[ONE])]),
        "./images/v0".to_owned(),
    ];
    let arguments: Vec<&str> = images.iter().flat_map(|image| ["--image", image.as_str()]).collect();
    assert_snapshot!(shown(&history, &[&["rollback"], &arguments[..]].concat()), @r"
    exit code 0
    [service] in default: 3 migrations applied
        2025-12-28  ./images/v3                    ✓ starts
        2025-12-28  ./images/v2 … ./images/v1 (2)  ✗ fail, the newest by: migration 3 was previously applied but is missing in the resolved migrations
        -           ./images/v0                    ? unknown: the image `./images/v0` cannot be read: there is no file or folder `./images/v0`
    the oldest that would start: ./images/v3
    ");
    let run = history.check(&[&["rollback", "--format", "json"], &arguments[..]].concat());
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["targets"][0]["oldest"], "./images/v3");
    assert!(told["targets"][0]["candidates"][0]["digest"].as_str().unwrap().starts_with("sha256:"));
}
