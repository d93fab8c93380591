//! Nothing about an image is without bounds: what is too much of anything is an error, and a large image needs no more
//! memory than a small one.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use migration_preflight::gather::image::{Image, ImageError, Limits, Location, Options, Visit, read as read_image};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{shown_with, try_shown};
use crate::shared::images::{INDEX, Images, Layer, Packing, header, read, read_with, sha256, wait};

fn with(limits: Limits) -> Options {
    Options { limits, ..Options::default() }
}

fn error(layers: &[Layer], limits: Limits) -> String {
    shown_with(layers, &with(limits)).unwrap_err().to_string()
}

#[test]
fn more_than_any_image_has_is_an_error() {
    let usual = Limits::default();
    let layers = [Layer::new().file("a", "x".repeat(3000)), Layer::new().file("b", "x".repeat(3000)).folder("c")];
    assert!(shown_with(&layers, &with(usual)).is_ok());
    let start = "the image is too large to be looked through: ";
    assert_eq!(error(&layers, Limits { unpacked: 8000, ..usual }), format!("{start}it unpacks to more than 0 GiB"));
    assert_eq!(error(&layers, Limits { entries: 2, ..usual }), format!("{start}it has more than 2 files and folders"));
    assert_eq!(
        error(&layers, Limits { names: 2, ..usual }),
        format!("{start}the names of its files take more than 0 MiB")
    );
    for path in ["a/".repeat(300), "x".repeat(5000)] {
        let long = try_shown(&[Layer::new().file(&path, "1")]).unwrap_err().to_string();
        assert_eq!(long, format!("{start}the path of a file is longer than 4096 bytes or has too many parts"));
    }
    let target = "x".repeat(5000);
    assert!(try_shown(&[Layer::new().symlink("a", &target)]).is_err());
    assert!(try_shown(&[Layer::new().hard_link("a", &target)]).is_err());
}

#[test]
fn a_bomb_is_noticed_by_how_much_there_is_of_how_little() {
    let layer = Layer::new().file("zeros", vec![0; 20 << 20]);
    for packing in [Packing::Gzip, Packing::Zstd] {
        let folder = tempfile::tempdir().unwrap();
        Images::of(std::slice::from_ref(&layer), packing).write_layout(folder.path());
        let path = folder.path().to_str().unwrap();
        let limits = Limits { small: 10 << 20, ratio: 50, ..Limits::default() };
        let error = read_with(path, &with(limits)).unwrap_err().to_string();
        assert!(
            error.ends_with("unpacks to more than 50 times its size, as only a file does that is made to fill disks"),
            "{error}"
        );
        // By itself it is small enough not to matter.
        assert!(read(folder.path()).is_ok());
    }
}

#[test]
fn the_holes_of_a_file_count_as_well() {
    let records = [("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.size", "9000000000000000000")];
    let layer = Layer::new().pax(&[&records[..], &[("GNU.sparse.map", "0,1")]].concat()).file("a", "x");
    let error = try_shown(&[layer]).unwrap_err().to_string();
    assert_eq!(error, "the image is too large to be looked through: it unpacks to more than 64 GiB");
}

#[test]
fn the_extension_of_a_header_takes_little_memory_whatever_it_says() {
    for kind in [b'L', b'K', b'x', b'g'] {
        let layer = Layer::new().bytes(&header(kind, "x", "", 1 << 30));
        let error = try_shown(&[layer]).unwrap_err().to_string();
        assert!(error.contains("the extension of a header takes more than 1 MiB"), "{error}");
    }
}

#[test]
fn a_window_of_zstd_larger_than_is_granted_is_an_error() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&Layer::new().file("a", "1").tar()).unwrap();
    let packed = encoder.finish().unwrap();
    let (mut images, folder) = (Images::default(), tempfile::tempdir().unwrap());
    let entry = images.packed_image(&[(Packing::Zstd.media_type(), packed.clone())], &[], "amd64");
    images.index.push(entry);
    images.write_layout(folder.path());
    assert_eq!(
        read(folder.path()).unwrap_err().to_string().replace(&sha256(&packed), "LAYER"),
        "layer LAYER: it was compressed with zstd and a window of more than 128 MiB; compress it without `--long` or `--ultra`"
    );
}

#[test]
fn an_index_that_leads_to_an_index_ends_somewhere() {
    let (mut images, folder) = (Images::default(), tempfile::tempdir().unwrap());
    let mut entry = images.image(&[Layer::new().file("a", "1")], Packing::Plain, "amd64");
    for depth in 0..6 {
        let mut top = images.clone();
        top.index = vec![entry.clone()];
        top.write_layout(folder.path());
        assert_eq!(read(folder.path()).is_ok(), depth <= 3, "{depth}");
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
        entry = images.describe(INDEX, index.to_string());
    }
}

#[test]
fn a_manifest_is_no_larger_than_registries_take() {
    let (images, folder) = (Images::of(&[Layer::new()], Packing::Plain), tempfile::tempdir().unwrap());
    images.write_layout(folder.path());
    std::fs::write(folder.path().join("index.json"), " ".repeat((4 << 20) + 1)).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert_eq!(error, "the image is too large to be looked through: index.json is larger than 4 MiB");
}

/// Counts what it is shown, and says no more than that.
#[derive(Default)]
struct Count {
    files: usize,
    bytes: u64,
    slow: Duration,
    enough: bool,
}

impl Visit for Count {
    fn file(&mut self, _: &str, _: u64) -> bool {
        self.files += 1;
        true
    }

    fn piece(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        std::thread::sleep(self.slow);
    }

    fn end(&mut self) {}

    fn link(&mut self, _: &str, _: &str) {}

    fn removed(&mut self, _: &str) {}

    fn is_done(&self) -> bool {
        self.enough
    }
}

fn count(path: &Path, limits: Limits, count: Count) -> Result<(Image, Count), ImageError> {
    let location = Location::parse(path.to_str().unwrap(), Path::new("/"))?;
    wait(read_image(&location, &with(limits), count))
}

#[test]
fn nobody_waits_for_an_image_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    Images::of(&[Layer::new().file("a", vec![1; 4 << 20])], Packing::Plain).write_layout(folder.path());
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let slow = Count { slow: Duration::from_millis(20), ..Count::default() };
    assert_eq!(count(folder.path(), limits, slow).err(), Some(ImageError::TimedOut(limits.time)));
}

#[test]
fn older_layers_are_not_read_once_they_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let layers =
        [Layer::new().file("a", "1"), Layer::new().file("b", "1"), Layer::new().hard_link("c", "a").file("d", "2")];
    Images::of(&layers, Packing::Plain).write_layout(folder.path());
    let (_, all) = count(folder.path(), Limits::default(), Count::default()).unwrap();
    let (_, enough) = count(folder.path(), Limits::default(), Count { enough: true, ..Count::default() }).unwrap();
    assert_eq!((all.files, enough.files), (3, 1));
}

/// Writes a layer with one file of `size` bytes, nearly all of which are holes on this disk as well, and its descriptor.
fn large_layer(folder: &Path, name: &str, size: u64) -> serde_json::Value {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(&header(b'0', name, "", size)).unwrap();
    file.seek(SeekFrom::Current(i64::try_from(size).unwrap())).unwrap();
    file.write_all(&[0; 1024]).unwrap();
    let (mut hash, block) = (Sha256::new(), vec![0; 1 << 20]);
    hash.update(header(b'0', name, "", size));
    (0..size >> 20).for_each(|_| hash.update(&block));
    hash.update([0; 1024]);
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::rename(path, folder.join("blobs/sha256").join(&hex)).unwrap();
    json!({ "mediaType": Packing::Plain.media_type(), "size": size + 1536, "digest": format!("sha256:{hex}") })
}

/// The most memory that this process had at a time since it was last asked to begin anew, in mebibytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")).unwrap();
    kibibytes.parse::<u64>().unwrap() >> 10
}

/// Run by the test below, in a process of its own: others would be in the way of measuring.
#[test]
fn measured_alone() {
    let Ok(folder) = std::env::var("PREFLIGHT_LARGE_IMAGE") else { return };
    let (_, seen) = count(Path::new(&folder), Limits::default(), Count::default()).unwrap();
    println!("bytes {} peak {}", seen.bytes, peak());
}

#[test]
fn two_gigabytes_of_layers_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (mut images, gigabyte) = (Images::default(), 1 << 30);
    images.write_layout(folder.path());
    std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
    let layers = ["one", "two"].map(|name| large_layer(folder.path(), name, gigabyte));
    let config = images.describe("application/vnd.oci.image.config.v1+json", "{}");
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
    let entry = images.describe(crate::shared::images::MANIFEST, manifest.to_string());
    images.index.push(entry);
    images.write_layout(folder.path());
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "image::limits::measured_alone", "--nocapture"]).env("PREFLIGHT_LARGE_IMAGE", folder.path());
    let output = String::from_utf8(alone.output().unwrap().stdout).unwrap();
    let line = output.lines().find_map(|line| line.split_once("bytes ")).expect(&output).1;
    let (bytes, peak) = line.split_once(" peak ").unwrap();
    println!("{bytes} bytes, {peak} MiB");
    assert_eq!(bytes.parse(), Ok(2 * gigabyte));
    assert!(peak.trim().parse::<u64>().unwrap() < 100, "{peak} MiB");
}
