//! Manifests and indexes of images, in the formats of OCI and of Docker: what they list, and which entry is meant. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::digest::Digest;
use super::error::{ImageError, LayerFault};
use super::platform::Platform;

/// No manifest is larger: registries take no more.
pub const MOST_BYTES: u64 = 4 << 20;
/// No image has more layers: the kernel mounts no more than a few hundred.
const MOST_LAYERS: usize = 512;

/// The formats that are asked for.
pub const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// What points to a blob or to another manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// What it hashes to.
    #[serde(deserialize_with = "digest")]
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// What it is for, in an index.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// What else is said of it.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    /// What an annotation says.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// Whether it is an image or an index, and no attestation nor anything else that is kept beside images.
    fn is_image(&self) -> bool {
        let attests = self.annotation("vnd.docker.reference.type").is_some();
        MEDIA_TYPES.contains(&self.media_type.as_str())
            && !attests
            && self.platform.as_ref().is_none_or(|platform| !platform.is_unknown())
    }
}

fn digest<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    Digest::parse(&text).ok_or_else(|| serde::de::Error::custom("a digest is neither sha256 nor sha512"))
}

/// What a manifest turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// One image.
    Image(ImageManifest),
    /// Several, most often one for each platform.
    Index(Vec<Descriptor>),
}

/// The parts of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// What says how it is run.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// What else is said of it.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    schema_version: u32,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// Reads a manifest of which errors speak as `name`.
    ///
    /// # Errors
    /// It is none, or one of something that cannot be run.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, ImageError> {
        let bad = |detail: String| ImageError::Manifest { name: name.to_owned(), detail };
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if raw.schema_version == 1 {
            return Err(bad(
                "it is of schema 1, which no registry takes any more; build and push the image anew".into()
            ));
        }
        match (raw.manifests, raw.config, raw.layers) {
            (Some(manifests), None, None) => Ok(Self::Index(manifests)),
            (None, Some(config), Some(layers)) => {
                is_runnable(&config).map_err(bad)?;
                if layers.len() > MOST_LAYERS {
                    return Err(bad(format!("it has more than {MOST_LAYERS} layers")));
                }
                layers.iter().try_for_each(is_readable)?;
                Ok(Self::Image(ImageManifest { config, layers, annotations: raw.annotations.unwrap_or_default() }))
            }
            // Whoever takes one for the other may run something else than was checked.
            (Some(_), ..) => Err(bad("it is an index and an image at once".into())),
            _ => Err(bad("it lists neither images nor layers".into())),
        }
    }
}

/// An artifact, such as a Helm chart or a signature, is kept like an image, but is none.
fn is_runnable(config: &Descriptor) -> Result<(), String> {
    match config.media_type.as_str() {
        "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => Ok(()),
        other => Err(format!("it is no image that a container can run: its configuration is of the type `{other}`")),
    }
}

fn is_readable(layer: &Descriptor) -> Result<(), ImageError> {
    let fault = match layer.media_type.as_str() {
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.v1.tar+zstd"
        | "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.zstd" => return Ok(()),
        other if other.ends_with("+encrypted") => LayerFault::Encrypted,
        other if other.contains("nondistributable") || other.contains("foreign") => LayerFault::Foreign,
        other => LayerFault::MediaType(other.to_owned()),
    };
    Err(ImageError::Layer { layer: layer.digest.to_string(), fault })
}

/// The entry of an index that is meant: the one for `wanted`; where nobody wants anything, the one for
/// [`Platform::usual`], else the only one.
///
/// # Errors
/// None fits. What there is is listed.
pub fn choose<'a>(
    entries: &'a [Descriptor],
    wanted: Option<&Platform>,
    name: &str,
) -> Result<&'a Descriptor, ImageError> {
    let images: Vec<_> = entries.iter().filter(|entry| entry.is_image()).collect();
    let usual = Platform::usual();
    let fits =
        |entry: &&&Descriptor| entry.platform.as_ref().is_some_and(|platform| platform.fits(wanted.unwrap_or(&usual)));
    // Where several variants fit, the one without any.
    let fitting = || images.iter().filter(fits);
    let plain = fitting().find(|entry| entry.platform.as_ref().is_some_and(|platform| platform.variant.is_none()));
    if let Some(entry) = plain.or_else(|| fitting().next()) {
        return Ok(entry);
    }
    if let [only] = images[..]
        && (wanted.is_none() || only.platform.is_none())
    {
        return Ok(only);
    }
    let named = |entry: &&Descriptor| entry.platform.as_ref().map_or_else(|| "unknown".to_owned(), Platform::to_string);
    Err(ImageError::NoPlatform {
        name: name.to_owned(),
        wanted: wanted.unwrap_or(&usual).to_string(),
        available: images.iter().take(MOST_NAMED).map(named).collect(),
    })
}

/// No error lists more.
pub const MOST_NAMED: usize = 20;
