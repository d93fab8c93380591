//! Images made, copied, kept and unpacked by real tools: umoci, skopeo, buildah and Docker's registry. What is shown is what
//! they unpack.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use migration_preflight::gather::image::{Location, Login, Options, Platform};
use serde_json::json;

use crate::shared::images::{INDEX, Images, Layer, Packing, Shown, read, read_with, told};
use crate::shared::registry::{Registry, run, text};

/// The regular files below a folder.
fn unpacked(root: &Path) -> BTreeMap<String, String> {
    let entries =
        walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let line = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        (path, told(&fs::read(entry.path()).unwrap()))
    };
    entries.map(line).collect()
}

/// What umoci makes of an image of a layout.
fn by_umoci(layout: &Path, tag: &str) -> BTreeMap<String, String> {
    let bundle = tempfile::tempdir().unwrap();
    let image = format!("{}:{tag}", text(layout));
    run("umoci", &["unpack", "--image", &image, text(&bundle.path().join("b"))]);
    unpacked(&bundle.path().join("b/rootfs"))
}

fn shown(text: &str) -> BTreeMap<String, String> {
    let (_, Shown { files, .. }) =
        read_with(text, &Options::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
    files
}

/// What is done to the files of an image.
type Step = Box<dyn Fn(&Path)>;

/// What is done to an image, each a layer of its own.
fn steps() -> Vec<Step> {
    fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), content).unwrap();
    }
    vec![
        Box::new(|root| {
            write(root, "usr/bin/app", "old");
            write(root, "usr/bin/tool", vec![7; 300_000]);
            write(root, "etc/empty", "");
            write(root, &format!("long/{}/{}", "x".repeat(120), "y".repeat(150)), "long");
            write(root, "ünï/çödé ☃", "letters");
            symlink("usr/bin", root.join("bin")).unwrap();
            fs::hard_link(root.join("usr/bin/app"), root.join("usr/bin/app-too")).unwrap();
        }),
        Box::new(|root| write(root, "usr/bin/app", "new")),
        Box::new(|root| fs::remove_file(root.join("usr/bin/tool")).unwrap()),
        Box::new(|root| {
            fs::remove_dir_all(root.join("etc")).unwrap();
            write(root, "etc", "a file now");
        }),
        Box::new(|root| {
            fs::remove_file(root.join("etc")).unwrap();
            write(root, "etc/again", "a folder again");
        }),
        Box::new(|root| {
            fs::remove_file(root.join("bin")).unwrap();
            write(root, "bin/app", "no link any more");
        }),
        Box::new(|root| fs::rename(root.join("usr/bin/app"), root.join("usr/bin/moved")).unwrap()),
        Box::new(|root| fs::remove_dir_all(root.join("long")).unwrap()),
    ]
}

#[test]
fn images_of_umoci_show_what_umoci_unpacks_and_every_copy_of_skopeo_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout");
    let (bundle, image) = (folder.path().join("bundle"), |tag: &str| format!("{}:{tag}", text(&layout)));
    run("umoci", &["init", "--layout", text(&layout)]);
    run("umoci", &["new", "--image", &image("0")]);
    run("umoci", &["unpack", "--image", &image("0"), text(&bundle)]);
    for (number, step) in steps().iter().enumerate() {
        step(&bundle.join("rootfs"));
        let tag = (number + 1).to_string();
        run("umoci", &["repack", "--refresh-bundle", "--image", &image(&tag), text(&bundle)]);
        let expected = by_umoci(&layout, &tag);
        assert!(expected.len() >= 4);
        assert_eq!(shown(&image(&tag)), expected, "{tag}");
    }
    let expected = by_umoci(&layout, "8");
    let from = format!("oci:{}", image("8"));
    for (form, file) in [("docker-archive", "docker.tar:app:8"), ("oci-archive", "oci.tar:8"), ("oci", "copy:8")] {
        let to = format!("{}/{file}", text(folder.path()));
        run("skopeo", &["copy", "--quiet", &from, &format!("{form}:{to}")]);
        let path = format!("{}/{}", text(folder.path()), file.split(':').next().unwrap());
        assert_eq!(shown(&path), expected, "{form}");
        assert_eq!(shown(&to), expected, "{form}");
    }
    let zstd = format!("oci:{}/zstd:8", text(folder.path()));
    run("skopeo", &["copy", "--quiet", "--dest-compress-format", "zstd", "--dest-compress", &from, &zstd]);
    assert_eq!(shown(&format!("{}/zstd", text(folder.path()))), expected);
}

/// Images whose layers no tool makes by itself, but which all unpack.
fn written() -> Vec<Vec<Layer>> {
    let base = || Layer::new().folder("etc/").file("etc/a", "1").file("etc/b", "2").file("usr/bin/app", "app");
    let record = [("path", "ünï/name"), ("mtime", "1.25")];
    let sparse = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "holes"),
        ("GNU.sparse.realsize", "9"),
    ];
    let mut holes = b"1\n3\n2\n".to_vec();
    holes.resize(512, 0);
    holes.extend_from_slice(b"ab");
    vec![
        vec![base(), Layer::new().opaque("etc").file("etc/c", "3")],
        vec![base(), Layer::new().file("etc/c", "3").opaque("etc")],
        vec![base(), Layer::new().delete("etc").file("etc/c", "3")],
        vec![base(), Layer::new().delete("usr/bin/app")],
        vec![base(), Layer::new().hard_link("link", "usr/bin/app"), Layer::new().delete("usr/bin/app")],
        vec![base(), Layer::new().file("etc", "file"), Layer::new().folder("etc").file("etc/d", "4")],
        vec![base(), Layer::new().symlink("etc", "usr")],
        vec![Layer::new().file("./a", "1").file("/b", "2").file("../../c", "3").file("d/../e", "4")],
        vec![
            Layer::new().file("a", "1").file("a", "2"),
            Layer::new().file("b", "1").hard_link("c", "b").file("b", "2"),
        ],
        vec![Layer::new().symlink("bin", "usr/bin").file("bin/app", "1").folder("usr/").file("usr/x", "2")],
        vec![Layer::new().pax(&record).file("short", "1").pax(&sparse).file("x", &holes)],
        vec![base(), Layer::new().file("etc/a", "x".repeat(200_000)).entry(b'6', "pipe", "", b"").delete("etc/b")],
    ]
}

#[test]
fn layers_as_no_tool_writes_them_show_what_umoci_unpacks() {
    for (number, layers) in written().iter().enumerate() {
        for packing in [Packing::Plain, Packing::Gzip] {
            let folder = tempfile::tempdir().unwrap();
            let mut images = Images::of(layers, packing);
            images.index[0]["annotations"] = json!({ "org.opencontainers.image.ref.name": "x" });
            images.write_layout(folder.path());
            assert_eq!(shown(text(folder.path())), by_umoci(folder.path(), "x"), "{number}, {packing:?}");
        }
    }
}

#[test]
fn images_of_buildah_show_what_was_put_into_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        fs::write(folder.path().join(name), content).unwrap();
        format!("{}/{name}", text(folder.path()))
    };
    let policy = file("policy.json", r#"{"default": [{"type": "insecureAcceptAnything"}]}"#);
    let (root, runroot) = (format!("{}/root", text(folder.path())), format!("{}/run", text(folder.path())));
    let buildah = |arguments: &[&str]| {
        let own = ["--storage-driver", "vfs", "--root", &root, "--runroot", &runroot];
        run("buildah", &[&own[..], arguments].concat()).trim().to_owned()
    };
    let first = buildah(&["from", "scratch"]);
    buildah(&["copy", &first, &file("app", "old"), "/usr/bin/app"]);
    buildah(&["copy", &first, &file("a.sql", "SELECT 1;"), "/srv/migrations/1_a.sql"]);
    buildah(&["commit", "--quiet", "--signature-policy", &policy, &first, "base"]);
    let second = buildah(&["from", "--signature-policy", &policy, "localhost/base"]);
    // Of another length: buildah takes a file of the same length and second for the same.
    buildah(&["copy", &second, &file("app", "a new one"), "/usr/bin/app"]);
    let label = "org.opencontainers.image.revision=abc123";
    buildah(&["config", "--entrypoint", r#"["/usr/bin/app"]"#, "--cmd", "", "--label", label, &second]);
    for (form, path) in [("oci", "layout"), ("docker-archive", "saved.tar"), ("oci-archive", "oci.tar")] {
        let to = format!("{form}:{}/{path}:app:1", text(folder.path()));
        buildah(&["commit", "--quiet", "--signature-policy", &policy, &second, &to]);
        let (image, shown) = read(&folder.path().join(path)).unwrap();
        let expected = [("srv/migrations/1_a.sql", "SELECT 1;"), ("usr/bin/app", "a new one")];
        let expected = expected.map(|(path, content)| (path.to_owned(), content.to_owned()));
        assert_eq!(shown.files, BTreeMap::from(expected), "{form}");
        assert_eq!(image.details.revision.as_deref(), Some("abc123"));
        assert_eq!(image.details.program(), ["/usr/bin/app"]);
        assert_eq!(image.details.platform, "linux/amd64");
    }
    buildah(&["rm", "--all"]);
}

/// An image for two platforms in a layout of its own.
fn two_platforms() -> tempfile::TempDir {
    let (mut images, folder) = (Images::default(), tempfile::tempdir().unwrap());
    let noise: Vec<u8> =
        (0..1_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let entries = ["arm64", "amd64"].map(|architecture| {
        let layers = [
            Layer::new().file("noise", &noise).file("gone", "x"),
            Layer::new().file("app", architecture).delete("gone"),
        ];
        images.image(&layers, Packing::Gzip, architecture)
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let entry = images.describe(INDEX, index.to_string());
    images.index.push(entry);
    images.write_layout(folder.path());
    folder
}

#[test]
fn an_image_in_dockers_registry_is_read_by_tag_platform_and_digest() {
    let (registry, layout) = (Registry::open(), two_platforms());
    registry.push(layout.path(), "o/app:1", &["--all"]);
    let name = format!("{}/o/app:1", registry.host);
    for (platform, expected) in [(None, "amd64"), (Some("linux/arm64"), "arm64")] {
        let options = Options { platform: platform.and_then(Platform::parse), ..Options::default() };
        let (image, shown) = read_with(&name, &options).unwrap();
        assert_eq!(shown.files["app"], expected);
        assert_eq!(shown.files.keys().collect::<Vec<_>>(), ["app", "noise"]);
        let pinned = format!("{}/o/app@{}", registry.host, image.details.digest.unwrap());
        assert_eq!(self::shown(&pinned)["app"], expected);
    }
    let missing = read_with(&format!("{}/o/app:2", registry.host), &Options::default()).unwrap_err().to_string();
    assert!(
        missing.contains("it knows no such image, or does not show it to this account (MANIFEST_UNKNOWN: "),
        "{missing}"
    );
    // A layer that is cut off on the registry's disk.
    let data = registry.folder.path().join("data");
    let blobs =
        walkdir::WalkDir::new(&data).into_iter().map(Result::unwrap).filter(|entry| entry.file_name() == "data");
    let largest = blobs.filter(|entry| entry.file_type().is_file()).max_by_key(|entry| entry.metadata().unwrap().len());
    let largest = fs::File::options().write(true).open(largest.unwrap().path()).unwrap();
    largest.set_len(100_000).unwrap();
    let both = [Some("linux/arm64"), None].map(|platform| {
        let options = Options { platform: platform.and_then(Platform::parse), ..Options::default() };
        read_with(&name, &options).map_err(|error| error.to_string())
    });
    assert!(
        both.iter().any(|read| read.as_ref().is_err_and(|error| error.contains("it ends after 100000 of"))),
        "{both:?}"
    );
}

#[test]
fn dockers_registry_lets_in_who_has_the_password() {
    let registry = Registry::for_user("user", "hunter22");
    let layout = two_platforms();
    registry.push(layout.path(), "o/app:1", &["--all", "--dest-creds", "user:hunter22"]);
    let name = format!("{}/o/app:1", registry.host);
    let as_user = |password: &str| {
        let config = registry.logged_in("user", password);
        let location = Location::parse(&name, Path::new("/")).unwrap();
        let folder = text(config.path()).to_owned();
        let login = Login::find(&location, &|name| (name == "DOCKER_CONFIG").then(|| folder.clone())).unwrap();
        read_with(&name, &Options { login, ..Options::default() }).map_err(|error| error.to_string())
    };
    assert_eq!(as_user("hunter22").unwrap().1.files["app"], "amd64");
    let wrong = as_user("hunter23").unwrap_err();
    assert!(wrong.contains("it does not accept the credentials for") && !wrong.contains("hunter23"), "{wrong}");
    let anonymous = read_with(&name, &Options::default()).unwrap_err().to_string();
    assert!(anonymous.contains("it wants to know who asks"), "{anonymous}");
}

#[test]
fn a_registry_whose_certificate_nobody_knows_is_told_apart() {
    let certificate = |folder: &Path| {
        let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
        let subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"];
        let files = ["-keyout", text(&key), "-out", text(&certificate)];
        let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        run("openssl", &[&kind[..], &subject, &files].concat());
    };
    let registry = Registry::start("  tls: {certificate: DIR/certificate.pem, key: DIR/key.pem}\n", certificate);
    let error = read_with(&format!("{}/o/app:1", registry.host), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("no trusted connection: ") && error.contains("SSL_CERT_FILE"), "{error}");
}
