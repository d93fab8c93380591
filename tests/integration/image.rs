//! Reading images: what is shown is what a container would see, whatever the image is packed in; and what is broken,
//! endless or hostile gives a clear error.

mod broken;
mod formats;
mod layers;
mod limits;
mod login;
mod odd_tar;
mod registry;
mod stand_in;
#[cfg(feature = "oracles")]
mod tools;

use std::collections::BTreeMap;

use migration_preflight::gather::image::{ImageError, Options};

use crate::shared::images::{Images, Layer, Packing, Shown, read_with};

/// What is shown of an image of these layers, the lowest first; and its links.
fn shown_with(layers: &[Layer], options: &Options) -> Result<Shown, ImageError> {
    let folder = tempfile::tempdir().unwrap();
    Images::of(layers, Packing::Plain).write_layout(folder.path());
    read_with(folder.path().to_str().unwrap(), options).map(|(_, shown)| shown)
}

fn try_shown(layers: &[Layer]) -> Result<BTreeMap<String, String>, ImageError> {
    shown_with(layers, &Options::default()).map(|shown| shown.files)
}

/// The same as lines of path and content.
fn shown(layers: &[Layer]) -> Vec<String> {
    try_shown(layers).unwrap().iter().map(|(path, content)| format!("{path}: {content}")).collect()
}
