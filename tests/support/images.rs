//! Images written by the tests themselves: layers entry by entry, packed in any way, as OCI layouts and archives and as
//! `docker save` writes them; and what a reader of images shows.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use migration_preflight::gather::image::{self, Image, ImageError, Location, Options, Visit};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The entries of a layer, as a tar file without its end.
#[derive(Clone, Default)]
pub struct Layer(pub Vec<u8>);

impl Layer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path, "", content.as_ref())
    }

    pub fn folder(self, path: &str) -> Self {
        self.entry(b'5', path, "", b"")
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path, target, b"")
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path, target, b"")
    }

    /// Deletes a file, or a folder with all in it, of the layers below.
    pub fn delete(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let slash = if folder.is_empty() { "" } else { "/" };
        self.entry(b'0', &format!("{folder}{slash}.wh.{name}"), "", b"")
    }

    /// Deletes all that the layers below have in a folder.
    pub fn opaque(self, folder: &str) -> Self {
        self.entry(b'0', &format!("{folder}/.wh..wh..opq"), "", b"")
    }

    /// Any entry, its names as they are.
    pub fn entry(mut self, kind: u8, path: &str, target: &str, content: &[u8]) -> Self {
        for (long, name) in [(b'L', path), (b'K', target)] {
            if name.len() > 100 {
                self = self.entry(long, "././@LongLink", "", format!("{name}\0").as_bytes());
            }
        }
        let header = header(kind, path, target, content.len() as u64);
        self.0.extend_from_slice(&header);
        self.bytes(content)
    }

    /// Bytes, filled up to a whole block.
    pub fn bytes(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// Records in the form of POSIX for the next entry.
    pub fn pax(self, records: &[(&str, &str)]) -> Self {
        let record = |(key, value): &(&str, &str)| {
            let rest = format!(" {key}={value}\n").len();
            let length = (1..).find(|digits| (rest + digits).to_string().len() == *digits).unwrap() + rest;
            format!("{length} {key}={value}\n")
        };
        let text: String = records.iter().map(record).collect();
        self.entry(b'x', "PaxHeaders/x", "", text.as_bytes())
    }

    pub fn tar(&self) -> Vec<u8> {
        [&self.0[..], &[0; 1024]].concat()
    }
}

/// The header of an entry in the form of POSIX.
pub fn header(kind: u8, path: &str, target: &str, size: u64) -> [u8; 512] {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o755);
    header.set_size(size);
    let old = header.as_old_mut();
    let name = &path.as_bytes()[..path.len().min(100)];
    old.name[..name.len()].copy_from_slice(name);
    let link = &target.as_bytes()[..target.len().min(100)];
    old.linkname[..link.len()].copy_from_slice(link);
    header.set_cksum();
    *header.as_bytes()
}

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    /// gzip in several members, as `pigz -i` or concatenation makes it.
    Members,
    Zstd,
}

impl Packing {
    pub fn pack(self, tar: &[u8]) -> Vec<u8> {
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        match self {
            Self::Plain => tar.to_vec(),
            Self::Gzip => gzip(tar),
            Self::Members => tar.chunks(tar.len().div_ceil(3).max(1)).flat_map(gzip).collect(),
            Self::Zstd => zstd::encode_all(tar, 3).unwrap(),
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip | Self::Members => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Blobs by their digests, and what the index lists.
#[derive(Clone, Default)]
pub struct Images {
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub index: Vec<Value>,
}

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Images {
    /// One image of these layers, the lowest first.
    pub fn of(layers: &[Layer], packing: Packing) -> Self {
        let mut images = Self::default();
        let entry = images.image(layers, packing, "amd64");
        images.index.push(entry);
        images
    }

    pub fn blob(&mut self, bytes: impl Into<Vec<u8>>) -> String {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        self.blobs.insert(digest.clone(), bytes);
        digest
    }

    /// A descriptor of a new blob.
    pub fn describe(&mut self, media_type: &str, bytes: impl Into<Vec<u8>>) -> Value {
        let bytes = bytes.into();
        json!({ "mediaType": media_type, "size": bytes.len(), "digest": self.blob(bytes) })
    }

    /// An image that is not listed yet: its descriptor.
    pub fn image(&mut self, layers: &[Layer], packing: Packing, architecture: &str) -> Value {
        let tars: Vec<_> = layers.iter().map(Layer::tar).collect();
        let packed: Vec<_> = tars.iter().map(|tar| (packing.media_type(), packing.pack(tar))).collect();
        let diff_ids: Vec<_> = tars.iter().map(|tar| sha256(tar)).collect();
        self.packed_image(&packed, &diff_ids, architecture)
    }

    /// An image of layers that are packed already.
    pub fn packed_image(&mut self, layers: &[(&str, Vec<u8>)], diff_ids: &[String], architecture: &str) -> Value {
        let config = json!({
            "architecture": architecture, "os": "linux", "created": "2025-12-28T10:00:00Z",
            "config": {
                "Entrypoint": ["/usr/bin/app"],
                "Labels": { "org.opencontainers.image.revision": "0123456789abcdef" },
            },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = self.describe("application/vnd.oci.image.config.v1+json", config.to_string());
        let layers: Vec<_> = layers.iter().map(|(kind, bytes)| self.describe(kind, bytes.clone())).collect();
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        let mut entry = self.describe(MANIFEST, manifest.to_string());
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entry
    }

    /// The files of an OCI layout.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": self.index });
        let blobs =
            self.blobs.iter().map(|(digest, blob)| (format!("blobs/{}", digest.replace(':', "/")), blob.clone()));
        let own = [
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), index.to_string().into_bytes()),
        ];
        blobs.chain(own).collect()
    }

    pub fn write_layout(&self, folder: &Path) {
        for (name, bytes) in self.files() {
            fs::create_dir_all(folder.join(&name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), bytes).unwrap();
        }
    }

    pub fn write_archive(&self, file: &Path) {
        let layer = self.files().iter().fold(Layer::new(), |layer, (name, bytes)| layer.file(name, bytes));
        fs::write(file, layer.tar()).unwrap();
    }

    /// The first image as `docker save` wrote it before it knew OCI.
    pub fn write_docker(&self, file: &Path, tags: &[&str]) {
        let blob = |descriptor: &Value| &self.blobs[descriptor["digest"].as_str().unwrap()];
        let manifest: Value = serde_json::from_slice(blob(&self.index[0])).unwrap();
        let config = blob(&manifest["config"]);
        let id = sha256(config).replace("sha256:", "");
        let mut archive = Layer::new().file(&format!("{id}.json"), config);
        let mut names = Vec::new();
        for (number, layer) in manifest["layers"].as_array().unwrap().iter().enumerate() {
            names.push(format!("{number}/layer.tar"));
            archive = archive.folder(&format!("{number}/")).file(&format!("{number}/layer.tar"), blob(layer));
        }
        let list = json!([{ "Config": format!("{id}.json"), "RepoTags": tags, "Layers": names }]);
        fs::write(file, archive.file("manifest.json", list.to_string()).tar()).unwrap();
    }
}

/// What was shown: each path with what its content hashes to, or with the content itself where that is short.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub files: BTreeMap<String, String>,
    current: Option<(String, Vec<u8>, Sha256)>,
    /// How often anything was shown.
    pub events: usize,
}

/// Longer contents are told by their hashes.
const SHORT: usize = 64;

fn tell(start: &[u8], hash: Sha256) -> String {
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if start.len() > SHORT { hex } else { String::from_utf8_lossy(start).into_owned() }
}

/// A content as [`Shown`] tells it.
pub fn told(content: &[u8]) -> String {
    tell(content, Sha256::new_with_prefix(content))
}

impl Visit for Shown {
    fn file(&mut self, path: &str, _: u64) -> bool {
        self.events += 1;
        assert!(self.current.is_none(), "{path} begins within another");
        self.current = Some((path.to_owned(), Vec::new(), Sha256::new()));
        true
    }

    fn piece(&mut self, piece: &[u8]) {
        assert!(!piece.is_empty() && piece.len() <= 128 << 10);
        let (_, start, hash) = self.current.as_mut().unwrap();
        start.extend(piece.iter().take((SHORT + 1).saturating_sub(start.len())));
        hash.update(piece);
    }

    fn end(&mut self) {
        let (path, start, hash) = self.current.take().unwrap();
        self.files.insert(path, tell(&start, hash));
    }

    fn link(&mut self, path: &str, shown: &str) {
        self.events += 1;
        let content = self.files[shown].clone();
        self.files.insert(path.to_owned(), content);
    }

    fn removed(&mut self, path: &str) {
        assert!(self.files.remove(path).is_some(), "{path} was never shown");
    }
}

/// A runtime, which tests have none of.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// What is shown of the image at `text`.
pub fn read_with(text: &str, options: &Options) -> Result<(Image, Shown), ImageError> {
    let location = Location::parse(text, Path::new("/"))?;
    wait(image::read(&location, options, Shown::default()))
}

pub fn read(path: &Path) -> Result<(Image, Shown), ImageError> {
    read_with(path.to_str().unwrap(), &Options::default())
}
