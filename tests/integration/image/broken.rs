//! Images that are damaged or built broken: a clear error, and nothing that was shown counts.

use migration_preflight::gather::image::{ImageError, LayerFault};
use serde_json::{Value, json};

use super::try_shown;
use crate::shared::images::{Images, Layer, Packing, header, read, sha256};

/// What is said of an image with one layer, of these bytes, which hash to what the manifest says.
fn error_of(packed: &[u8], media_type: &str) -> String {
    let (mut images, folder) = (Images::default(), tempfile::tempdir().unwrap());
    let entry = images.packed_image(&[(media_type, packed.to_vec())], &[sha256(packed)], "amd64");
    images.index.push(entry);
    images.write_layout(folder.path());
    let error = read(folder.path()).unwrap_err().to_string();
    error.replace(&sha256(packed), "LAYER")
}

fn layer() -> Layer {
    Layer::new().file("app", "x".repeat(5000)).file("etc/a", "1")
}

const BROKEN: &str = "the image was built broken, and no container can start from it";

#[test]
fn a_layer_that_is_not_what_its_digest_names_is_an_error() {
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
        let images = Images::of(&[layer()], packing);
        let packed = packing.pack(&layer().tar());
        let digest = sha256(&packed);
        // At the start, in the middle and at the end; whether or not it can still be unpacked.
        for at in [0, packed.len() / 2, packed.len() - 1] {
            let folder = tempfile::tempdir().unwrap();
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            images.write_layout(folder.path());
            std::fs::write(folder.path().join(format!("blobs/{}", digest.replace(':', "/"))), &damaged).unwrap();
            let fault = LayerFault::Mismatch { actual: sha256(&damaged) };
            assert_eq!(read(folder.path()).unwrap_err(), ImageError::Layer { layer: digest.clone(), fault }, "{at}");
        }
    }
}

#[test]
fn a_layer_that_is_cut_off_goes_on_or_is_away_is_an_error() {
    let (images, folder) = (Images::of(&[layer()], Packing::Gzip), tempfile::tempdir().unwrap());
    images.write_layout(folder.path());
    let packed = Packing::Gzip.pack(&layer().tar());
    let path = folder.path().join(format!("blobs/{}", sha256(&packed).replace(':', "/")));
    let size = packed.len();
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read(folder.path()).unwrap_err().to_string().replace(&sha256(&packed), "LAYER")
    };
    let advice = "pull or save the image anew";
    assert_eq!(
        error(&packed[..size - 9]),
        format!("layer LAYER: it ends after {} of {size} bytes; {advice}", size - 9)
    );
    assert_eq!(error(b""), format!("layer LAYER: it ends after 0 of {size} bytes; {advice}"));
    let longer = [&packed[..], b"more"].concat();
    assert_eq!(
        error(&longer),
        format!("layer LAYER: it is longer than the {size} bytes that the manifest tells; {advice}")
    );
    std::fs::remove_file(&path).unwrap();
    let error = read(folder.path()).unwrap_err().to_string().replace(&sha256(&packed), "LAYER");
    assert_eq!(error, format!("layer LAYER: it is missing; {advice}"));
}

#[test]
fn a_layer_of_docker_that_is_not_what_the_configuration_names_is_an_error() {
    for packing in [Packing::Plain, Packing::Gzip] {
        let (images, folder) = (Images::of(&[layer()], packing), tempfile::tempdir().unwrap());
        let path = folder.path().join("docker.tar");
        images.write_docker(&path, &[]);
        let whole = std::fs::read(&path).unwrap();
        assert!(read(&path).is_ok());
        let packed = packing.pack(&layer().tar());
        let start = whole.windows(packed.len()).position(|window| window == packed).unwrap();
        let mut damaged = whole.clone();
        // What fills up the last block of the archive in the one, the content in the other.
        damaged[start + packed.len() - if packing == Packing::Plain { 1 } else { 20 }] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let error = read(&path).unwrap_err().to_string();
        let words = if packing == Packing::Plain { "its content hashes to sha256:" } else { "compressed data" };
        assert!(error.starts_with("layer 0/layer.tar: ") && error.contains(words), "{error}");
    }
}

#[test]
fn a_manifest_or_a_configuration_that_is_not_what_its_digest_names_is_an_error() {
    let images = Images::of(&[layer()], Packing::Gzip);
    for (digest, blob) in &images.blobs {
        if !blob.starts_with(b"{") {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        images.write_layout(folder.path());
        let changed =
            String::from_utf8(blob.clone()).unwrap().replace("linux", "Linux").replace("tar+gzip", "tar+zstd");
        std::fs::write(folder.path().join(format!("blobs/{}", digest.replace(':', "/"))), changed).unwrap();
        assert_eq!(read(folder.path()).unwrap_err(), ImageError::Mismatch { digest: digest.clone() });
    }
}

#[test]
fn a_layer_that_cannot_be_unpacked_is_an_error_that_says_why() {
    let tar = layer().tar();
    let gzip = Packing::Gzip.pack(&tar);
    let zstd = Packing::Zstd.pack(&tar);
    let mut bad_sum = tar.clone();
    bad_sum[0] = b'X';
    let kind = Layer::new().entry(b'Z', "a", "", b"").tar();
    let alone = [&tar[..5632], &[0; 512], &tar[5632..]].concat();
    for (bytes, expected) in [
        (gzip[..gzip.len() - 3].to_vec(), "its compressed data end too early"),
        (zstd[..zstd.len() - 3].to_vec(), "its compressed data end too early"),
        ([&gzip[..], b"garbage behind it"].concat(), "its compressed data are broken ("),
        (tar[..5000].to_vec(), "the tar archive ends in the middle of an entry"),
        (tar[..700].to_vec(), "the tar archive ends in the middle of an entry"),
        (tar[..100].to_vec(), "the tar archive ends in the middle of an entry"),
        (bad_sum, "the tar archive is broken: the checksum of a header is wrong"),
        (kind, "the tar archive is broken: an entry is of a kind that no runtime unpacks"),
        (alone, "the tar archive is broken: an empty header stands in it"),
        (Layer::new().pax(&[("path", "a")]).0, "the tar archive ends in the middle of an entry"),
    ] {
        let error = error_of(&bytes, Packing::Plain.media_type());
        let start = format!("layer LAYER: it cannot be unpacked: {expected}");
        assert!(error.starts_with(&start) && error.ends_with(BROKEN), "{error}");
    }
}

#[test]
fn numbers_and_records_that_are_none_are_errors() {
    let with = |range: std::ops::Range<usize>, bytes: &[u8]| {
        let mut block = header(b'0', "a", "", 0);
        block[range].copy_from_slice(bytes);
        let mut header = tar::Header::from_byte_slice(&block).clone();
        header.set_cksum();
        Layer::new().bytes(header.as_bytes())
    };
    let size = 124..136;
    let records = |text: &str| Layer::new().entry(b'x', "x", "", text.as_bytes()).file("a", "1");
    let sparse = |map: &str| {
        let version = [("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.size", "10")];
        Layer::new().pax(&[&version[..], &[("GNU.sparse.map", map)]].concat()).file("a", "abcd")
    };
    let cases = [
        (with(size.clone(), b"99999999999\0"), "a number of a header is none"),
        (with(size.clone(), b"-0000000001\0"), "a number of a header is none"),
        (with(size.clone(), &[0xff; 12]), "a number of a header is out of range"),
        (with(size, b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "a number of a header is out of range"),
        (records("no length"), "an extended header is malformed"),
        (records("99 path=a\n"), "an extended header is malformed"),
        (records("9 path=a"), "an extended header is malformed"),
        (records("3 \n"), "an extended header is malformed"),
        (records("0 path=a\n"), "an extended header is malformed"),
        (records("10 size=-1\n"), "an extended header is malformed"),
        (records("28 size=99999999999999999999\n"), "an extended header is malformed"),
        (records("11 path=\0a\n"), "an extended header is malformed"),
        (sparse("1,2"), "the regions of a sparse file are malformed"),
        (sparse("1,2,2,2"), "the regions of a sparse file are malformed"),
        (sparse("1,2,9,2"), "the regions of a sparse file are malformed"),
        (sparse("1,2,5"), "the regions of a sparse file are malformed"),
        (sparse("9223372036854775807,2,5,2"), "the regions of a sparse file are malformed"),
        (sparse("1,x"), "an extended header is malformed"),
    ];
    for (layer, expected) in cases {
        let error = try_shown(&[layer]).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn layers_that_cannot_be_looked_into_are_told() {
    let tar = layer().tar();
    let kind = |kind: &str| error_of(&tar, kind);
    assert_eq!(
        kind("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
        "layer LAYER: it is encrypted, and cannot be looked into; check an image that is not"
    );
    for foreign in [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ] {
        assert_eq!(
            kind(foreign),
            "layer LAYER: it is not distributed with the image (a foreign layer), and cannot be looked into"
        );
    }
    assert_eq!(
        kind("application/vnd.erofs"),
        "layer LAYER: its type `application/vnd.erofs` is not known: neither a plain tar archive nor one compressed with gzip or zstd"
    );
    let plain = Packing::Plain.media_type();
    let advice = "build the image with layers of gzip or zstd";
    assert_eq!(error_of(b"BZh91AY", plain), format!("layer LAYER: it is compressed with bzip2; {advice}"));
    assert_eq!(error_of(b"\xfd7zXZ\0\0", plain), format!("layer LAYER: it is compressed with xz; {advice}"));
}

/// What is said of a layout whose index leads to this manifest.
fn error_of_manifest(manifest: &Value) -> String {
    let (mut images, folder) = (Images::default(), tempfile::tempdir().unwrap());
    let entry = images.describe(crate::shared::images::MANIFEST, manifest.to_string());
    images.index.push(entry);
    images.write_layout(folder.path());
    let error = read(folder.path()).unwrap_err().to_string();
    error.replace(folder.path().to_str().unwrap(), "LAYOUT")
}

#[test]
fn a_manifest_that_is_none_is_an_error() {
    let config = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": sha256(b"{}") });
    let layer = json!({ "mediaType": Packing::Plain.media_type(), "size": 2, "digest": "md5:abc" });
    let start = "the manifest of LAYOUT cannot be used: ";
    for (manifest, expected) in [
        (json!({ "schemaVersion": 1, "fsLayers": [] }), "it is of schema 1"),
        (json!({ "schemaVersion": 2 }), "it lists neither images nor layers"),
        (json!({ "config": config, "layers": [], "manifests": [] }), "it is an index and an image at once"),
        (json!({ "config": config, "layers": [layer] }), "a digest is neither sha256 nor sha512"),
        (json!({ "config": config, "layers": [{ "digest": sha256(b"") }] }), "missing field `size`"),
        (json!([]), "invalid length"),
    ] {
        let error = error_of_manifest(&manifest);
        assert!(error.starts_with(start) && error.contains(expected), "{error}");
    }
    let layer = json!({ "mediaType": Packing::Plain.media_type(), "size": 2, "digest": sha256(b"") });
    let many = error_of_manifest(&json!({ "config": config, "layers": vec![layer; 513] }));
    assert_eq!(many, format!("{start}it has more than 512 layers"));
    assert!(error_of_manifest(&json!({ "config": config, "layers": [] })).contains("blobs/sha256/44136fa355b3"));
}
