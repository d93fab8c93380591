//! What an image is built for, and which of several images is the right one. Pure.

use std::fmt;

use serde::Deserialize;

/// `linux/amd64`, `linux/arm/v7`: operating system, architecture and perhaps its variant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// Operating system.
    #[serde(default)]
    pub os: String,
    /// Architecture, by Go's name of it.
    #[serde(default)]
    pub architecture: String,
    /// `v7` of `arm`, for one.
    #[serde(default)]
    pub variant: Option<String>,
}

impl Platform {
    /// Reads `OS/ARCHITECTURE[/VARIANT]`; `x86_64` and `aarch64` are understood too.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let platform = Self { os: parts.next()?, architecture: parts.next()?, variant: parts.next() };
        let letters =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        let all = [Some(&platform.os), Some(&platform.architecture), platform.variant.as_ref()];
        let well_formed = all.into_iter().flatten().all(|part| !part.is_empty() && letters(part));
        (well_formed && parts.next().is_none()).then_some(platform)
    }

    /// What is taken where nobody asks for anything else: what nearly every server runs.
    pub fn usual() -> Self {
        Self { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None }
    }

    /// Whether an image for `self` is what somebody means who asks for `wanted`.
    pub fn fits(&self, wanted: &Self) -> bool {
        let same = self.os.eq_ignore_ascii_case(&wanted.os) && architecture(self) == architecture(wanted);
        same && (wanted.variant.is_none() || variant(self) == variant(wanted))
    }

    /// Whether it is what marks an attestation, which is no image.
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |part: &str| if part.is_empty() { "unknown".to_owned() } else { part.to_owned() };
        write!(f, "{}/{}", named(&self.os), named(&self.architecture))?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

fn architecture(platform: &Platform) -> String {
    match platform.architecture.to_ascii_lowercase().as_str() {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        other => other.to_owned(),
    }
}

/// There is one variant of `arm64`, which is often left out, and `arm` without one is `v7`.
fn variant(platform: &Platform) -> Option<&str> {
    let variant = platform.variant.as_deref().filter(|variant| !variant.is_empty());
    match architecture(platform).as_str() {
        "arm64" => variant.or(Some("v8")),
        "arm" => variant.or(Some("v7")),
        _ => variant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        Platform::parse(text).unwrap()
    }

    #[test]
    fn a_platform_has_two_or_three_parts() {
        assert_eq!(platform("linux/arm/v7").to_string(), "linux/arm/v7");
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/", "linux/arm/v7/x", "linux/a b"] {
            assert_eq!(Platform::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_architecture_goes_by_several_names_and_a_variant_counts_where_it_is_asked_for() {
        for (has, wanted, fits) in [
            ("linux/amd64", "linux/x86_64", true),
            ("linux/arm64/v8", "linux/aarch64", true),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm/v6", "linux/arm", true),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm", "linux/arm/v7", true),
            ("windows/amd64", "linux/amd64", false),
            ("linux/amd64", "linux/arm64", false),
        ] {
            assert_eq!(platform(has).fits(&platform(wanted)), fits, "{has} {wanted}");
        }
    }
}
