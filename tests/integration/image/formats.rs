//! The forms in which an image is kept, and which of several images is meant.

use std::path::Path;

use migration_preflight::gather::image::{Image, ImageError, Options, Platform};
use serde_json::json;

use crate::shared::images::{INDEX, Images, Layer, Packing, Shown, read, read_with, sha256};

fn layers() -> [Layer; 2] {
    [Layer::new().file("usr/bin/app", "old").file("etc/a", "1"), Layer::new().file("usr/bin/app", "new")]
}

fn lines(read: Result<(Image, Shown), ImageError>) -> Vec<String> {
    read.unwrap().1.files.iter().map(|(path, content)| format!("{path}: {content}")).collect()
}

const EXPECTED: [&str; 2] = ["etc/a: 1", "usr/bin/app: new"];

#[test]
fn every_form_and_packing_of_an_image_shows_the_same() {
    for packing in [Packing::Plain, Packing::Gzip, Packing::Members, Packing::Zstd] {
        let (images, folder) = (Images::of(&layers(), packing), tempfile::tempdir().unwrap());
        images.write_layout(&folder.path().join("layout"));
        images.write_archive(&folder.path().join("oci.tar"));
        images.write_docker(&folder.path().join("docker.tar"), &["app:1"]);
        for form in ["layout", "oci.tar", "docker.tar"] {
            assert_eq!(lines(read(&folder.path().join(form))), EXPECTED, "{form}, {packing:?}");
        }
    }
}

#[test]
fn what_is_said_of_an_image_is_told() {
    let (images, folder) = (Images::of(&layers(), Packing::Gzip), tempfile::tempdir().unwrap());
    images.write_layout(folder.path());
    let (image, _) = read(folder.path()).unwrap();
    assert_eq!(image.details.digest.as_deref(), images.index[0]["digest"].as_str());
    assert_eq!(image.details.created.as_deref(), Some("2025-12-28T10:00:00Z"));
    assert_eq!(image.details.revision.as_deref(), Some("0123456789abcdef"));
    assert_eq!(image.details.platform, "linux/amd64");
    assert_eq!(image.details.command, ["/usr/bin/app"]);
    let archive = folder.path().join("docker.tar");
    images.write_docker(&archive, &["app:1"]);
    let (saved, _) = read(&archive).unwrap();
    assert_eq!((saved.details.digest, saved.details.id), (None, image.details.id));
}

#[test]
fn the_first_bytes_of_a_layer_tell_its_packing_and_not_its_type() {
    let tar = layers()[0].tar();
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
        for said in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
            let (mut images, folder) = (Images::default(), tempfile::tempdir().unwrap());
            let entry = images.packed_image(&[(said.media_type(), packing.pack(&tar))], &[sha256(&tar)], "amd64");
            images.index.push(entry);
            images.write_layout(folder.path());
            assert_eq!(lines(read(folder.path())).len(), 2, "{packing:?} as {said:?}");
        }
    }
}

/// An index of images for these architectures, each of which shows its own name; with an attestation.
fn platforms(architectures: &[&str]) -> Images {
    let mut images = Images::default();
    let mut entries = Vec::new();
    for architecture in architectures {
        let (name, variant) = architecture.split_once('/').map_or((*architecture, None), |(name, v)| (name, Some(v)));
        let mut entry = images.image(&[Layer::new().file("app", architecture)], Packing::Gzip, name);
        if let Some(variant) = variant {
            entry["platform"]["variant"] = json!(variant);
        }
        entries.push(entry);
    }
    let mut attestation = images.image(&[Layer::new().file("app", "attestation")], Packing::Plain, "unknown");
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    entries.insert(0, attestation);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let entry = images.describe(INDEX, index.to_string());
    images.index.push(entry);
    images
}

fn of_platform(images: &Images, platform: Option<&str>) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    images.write_layout(folder.path());
    let options = Options { platform: platform.map(|text| Platform::parse(text).unwrap()), ..Options::default() };
    let read =
        read_with(folder.path().to_str().unwrap(), &options).map(|(_, shown)| shown.files.into_values().collect());
    read.map_err(|error| error.to_string().replace(folder.path().to_str().unwrap(), "LAYOUT"))
}

#[test]
fn of_several_platforms_the_one_that_is_asked_for_is_read() {
    let images = platforms(&["arm64", "amd64", "arm/v7"]);
    for (asked, expected) in [
        (None, "amd64"),
        (Some("linux/amd64"), "amd64"),
        (Some("linux/arm64/v8"), "arm64"),
        (Some("linux/aarch64"), "arm64"),
        (Some("linux/arm"), "arm/v7"),
    ] {
        assert_eq!(of_platform(&images, asked).unwrap(), [expected], "{asked:?}");
    }
    assert_eq!(
        of_platform(&images, Some("windows/amd64")).unwrap_err(),
        "LAYOUT has no image for windows/amd64, but linux/arm64, linux/amd64, linux/arm/v7; ask for one of these platforms"
    );
    // The only one there is is meant where nobody asks for another.
    let only = platforms(&["arm64"]);
    assert_eq!(of_platform(&only, None).unwrap(), ["arm64"]);
    assert!(of_platform(&only, Some("linux/amd64")).is_err());
    assert!(of_platform(&platforms(&["arm64", "s390x"]), None).unwrap_err().contains("no image for linux/amd64"));
    assert!(of_platform(&platforms(&[]), None).unwrap_err().contains("but none with a name"));
}

#[test]
fn of_several_names_one_has_to_be_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut images = Images::default();
    for name in ["1.0", "2.0"] {
        let mut entry = images.image(&[Layer::new().file("app", name)], Packing::Gzip, "amd64");
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        images.index.push(entry);
    }
    images.write_layout(folder.path());
    let path = folder.path().to_str().unwrap();
    let named = |name: &str| read_with(&format!("{path}{name}"), &Options::default()).map(|(_, shown)| shown.files);
    assert_eq!(named(":2.0").unwrap()["app"], "2.0");
    let digest = images.index[0]["digest"].as_str().unwrap();
    assert_eq!(
        named("").unwrap_err().to_string(),
        format!("`{path}` holds several images (1.0, 2.0); write the name of one behind a colon: {path}:NAME")
    );
    assert_eq!(named(":3.0").unwrap_err().to_string(), format!("`{path}` holds no image `3.0`, but 1.0, 2.0"));
    assert!(!digest.is_empty());
}

#[test]
fn an_archive_of_docker_may_hold_links_to_layers_and_several_images() {
    let folder = tempfile::tempdir().unwrap();
    let tar = Layer::new().file("app", "one").tar();
    let config =
        json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": [sha256(&tar), sha256(&tar)] } });
    let list = json!([
        { "Config": "config.json", "RepoTags": ["a:1"], "Layers": ["x/layer.tar", "y/layer.tar"] },
        { "Config": "config.json", "RepoTags": null, "Layers": [] },
    ]);
    let archive = Layer::new()
        .file("x/layer.tar", &tar)
        .symlink("y/layer.tar", "../x/layer.tar")
        .file("config.json", config.to_string())
        .file("manifest.json", list.to_string());
    let path = folder.path().join("saved.tar");
    std::fs::write(&path, archive.tar()).unwrap();
    let read = |name: &str| read_with(&format!("{}{name}", path.display()), &Options::default());
    assert_eq!(lines(read(":a:1")), ["app: one"]);
    assert_eq!(lines(read(":1")), ["app: one"]);
    assert!(read("").unwrap_err().to_string().contains("holds several images (a:1)"));
}

#[test]
fn what_is_no_image_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path| read(path).unwrap_err().to_string().replace(folder.path().to_str().unwrap(), "DIR");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        error(&folder.path().join(name))
    };
    let hint = "write an archive of `docker save`, an OCI archive or the folder of an OCI layout";
    assert_eq!(
        error(folder.path()),
        format!("`DIR` holds no image: it has neither an index.json nor a manifest.json; {hint}")
    );
    assert_eq!(
        write("empty", b""),
        format!("`DIR/empty` holds no image: it has neither an index.json nor a manifest.json; {hint}")
    );
    assert_eq!(
        write("text", &b"not a tar".repeat(99)),
        format!("`DIR/text` holds no image: the tar archive is broken: a number of a header is none; {hint}")
    );
    assert_eq!(
        write("app.tar.gz", &Packing::Gzip.pack(b"x")),
        "`DIR/app.tar.gz` is compressed with gzip, and its layers cannot be found without unpacking it; unpack it first: gunzip"
    );
    assert_eq!(error(&folder.path().join("none")), "there is no file or folder `DIR/none`");
    let artifact = {
        let mut images = Images::default();
        let config = images.describe("application/vnd.cncf.helm.config.v1+json", "{}");
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [] });
        let entry = images.describe(crate::shared::images::MANIFEST, manifest.to_string());
        images.index.push(entry);
        images
    };
    let chart = folder.path().join("chart");
    artifact.write_layout(&chart);
    assert!(error(&chart).ends_with(
        "it is no image that a container can run: its configuration is of the type `application/vnd.cncf.helm.config.v1+json`"
    ));
}

#[test]
fn a_pipe_is_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    pipe(&folder.path().join("pipe"));
    let error = read(&folder.path().join("pipe")).unwrap_err().to_string();
    assert!(error.contains("is neither a file nor a folder"), "{error}");
    let layout = folder.path().join("layout");
    let images = Images::of(&layers(), Packing::Plain);
    images.write_layout(&layout);
    for name in images.files().into_keys() {
        std::fs::rename(layout.join(&name), folder.path().join("kept")).unwrap();
        pipe(&layout.join(&name));
        let read = read(&layout);
        // Nobody reads what the layout is a layout of.
        assert_eq!(read.is_err(), name != "oci-layout", "{name}");
        std::fs::rename(folder.path().join("kept"), layout.join(&name)).unwrap();
    }
}
