//! The list of images in an archive of `docker save`, and of what Podman and skopeo write in its form.

use serde::Deserialize;

use super::super::error::ImageError;
use super::super::manifest;
use super::super::reference::Reference;
use super::{Files, Root};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The image that `name` means, or the only one.
pub fn root(files: &Files, name: Option<&str>) -> Result<Root, ImageError> {
    let bytes = files.document("manifest.json", manifest::MOST_BYTES)?;
    let images: Vec<Image> = serde_json::from_slice(&bytes)
        .map_err(|error| files.no_image(&format!("its manifest.json is none ({error})")))?;
    let names = || images.iter().flat_map(|image| image.repo_tags.iter().flatten().cloned()).collect::<Vec<_>>();
    let tagged =
        |image: &&Image, name: &str| image.repo_tags.iter().flatten().any(|tag| tag == name || is_tag(tag, name));
    let image = match (name, &images[..]) {
        (Some(name), _) => {
            images.iter().find(|image| tagged(image, name)).ok_or_else(|| files.no_name(name, names()))?
        }
        (None, [only]) => only,
        (None, []) => return Err(files.no_image("its manifest.json lists no image")),
        (None, _) => return Err(files.ambiguous(names())),
    };
    let config = files.config(&image.config)?;
    if config.diff_ids.len() != image.layers.len() {
        let detail = "its manifest.json lists other layers than the configuration of the image";
        return Err(files.no_image(detail));
    }
    Ok(Root::Docker { config: Box::new(config), layers: image.layers.clone() })
}

/// Whether `name` is the tag alone of `app:1`, or means the same as `docker.io/library/app:1`.
fn is_tag(tagged: &str, name: &str) -> bool {
    let same = |tagged| Reference::parse(name).is_ok_and(|name| name == tagged);
    tagged.rsplit_once(':').is_some_and(|(_, tag)| tag == name) || Reference::parse(tagged).is_ok_and(same)
}
