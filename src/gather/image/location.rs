//! Where an image is, as the text behind `image:` says it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::reference::{Reference, ReferenceError};
use crate::text::mask;

/// Where an image is.
///
/// A path is what begins with `/`, `./` or `../`, or is no reference to an image in a registry, such as `app.TAR` or
/// `build/../app`. Everything else is a reference: `app.tar` and `build/app` name images too, and what a text means must
/// not hang on what lies about in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a registry.
    Registry(Reference),
    /// In a file: an archive of `docker save`, or of OCI.
    Archive(Stored),
    /// In a folder: an OCI layout.
    Layout(Stored),
}

/// Something on the disk that may hold several images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where.
    pub path: PathBuf,
    /// Which image of those that it holds: behind a colon.
    pub name: Option<String>,
}

/// Why a text leads to no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing at all.
    #[error("no image is named; write a reference such as `ghcr.io/owner/app:1`, or the path of an archive or layout")]
    Empty,
    /// There is no such file.
    #[error("there is no file or folder `{0}`")]
    Missing(String),
    /// There is none, and it is no reference either.
    #[error("`{text}` is neither a file or folder nor the name of an image: {reason}")]
    Neither {
        /// What was given.
        text: String,
        /// Why it is no reference.
        reason: ReferenceError,
    },
    /// A pipe, for one.
    #[error("`{0}` is neither a file nor a folder; write the image to a file first")]
    Special(String),
}

impl Location {
    /// Reads what stands behind `image:`. Paths are relative to `root`.
    ///
    /// # Errors
    /// It leads nowhere.
    pub fn parse(text: &str, root: &Path) -> Result<Self, LocationError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        let is_path = ["/", "./", "../"].iter().any(|start| text.starts_with(start)) || matches!(text, "." | "..");
        match Reference::parse(text) {
            Ok(reference) if !is_path => Ok(Self::Registry(reference)),
            parsed => match (Self::stored(text, root), parsed) {
                (Some(location), _) => location,
                (None, Err(reason)) if !is_path => Err(LocationError::Neither { text: mask(text, true), reason }),
                (None, _) => Err(LocationError::Missing(mask(text, true))),
            },
        }
    }

    /// What is on the disk under `text`, or under what stands before one of its colons.
    fn stored(text: &str, root: &Path) -> Option<Result<Self, LocationError>> {
        let whole = std::iter::once((text, None));
        // The name of an image may have colons, too: `saved.tar:app:1`.
        let colons = text.match_indices(':').map(|(colon, _)| (&text[..colon], Some(text[colon + 1..].to_owned())));
        for (path, name) in whole.chain(colons.filter(|(path, name)| !path.is_empty() && name.as_deref() != Some(""))) {
            let stored = Stored { path: root.join(path), name };
            // Whatever it leads to: opening a pipe would wait for ever.
            let Ok(metadata) = std::fs::metadata(&stored.path) else { continue };
            return Some(match metadata.file_type() {
                kind if kind.is_dir() => Ok(Self::Layout(stored)),
                kind if kind.is_file() => Ok(Self::Archive(stored)),
                _ => Err(LocationError::Special(path.to_owned())),
            });
        }
        None
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::Archive(stored) | Self::Layout(stored) => {
                write!(f, "{}", stored.path.display())?;
                stored.name.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_looks_like_one_or_cannot_be_a_reference() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["app", "app.tar", "App.tar", "a b.tar"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("layout")).unwrap();
        let parse = |text: &str| Location::parse(text, folder.path());
        let archive = |name: &str| {
            let stored = Stored { path: folder.path().join(name), name: None };
            Ok(Location::Archive(stored))
        };
        // `app` and `app.tar` are names of images in a registry.
        assert!(matches!(parse("app"), Ok(Location::Registry(_))));
        assert!(matches!(parse("app.tar"), Ok(Location::Registry(_))));
        assert_eq!(parse("./app.tar"), archive("./app.tar"));
        assert_eq!(parse("App.tar"), archive("App.tar"));
        assert_eq!(parse("a b.tar"), archive("a b.tar"));
        let absolute = folder.path().join("app");
        assert_eq!(parse(absolute.to_str().unwrap()), archive("app"));
        let named = Stored { path: folder.path().join("./layout"), name: Some("1.2".to_owned()) };
        assert_eq!(parse("./layout:1.2"), Ok(Location::Layout(named)));
        assert_eq!(parse("./none.tar"), Err(LocationError::Missing("./none.tar".to_owned())));
        assert!(matches!(parse("None.tar"), Err(LocationError::Neither { .. })));
        assert_eq!(parse(" "), Err(LocationError::Empty));
        assert!(matches!(parse("/dev/null"), Err(LocationError::Special(_))));
        for text in [
            "https://user:hunter22@ghcr.io/o/app",
            "user:hunter22@ghcr.io:443/o/app:1",
            "user:hunter22@ghcr.io/o/app@sha256:00",
            "./user:hunter22@x",
        ] {
            let secret = parse(text).unwrap_err().to_string();
            assert!(!secret.contains("hunter22"), "{secret}");
        }
    }
}
