//! The name of an image in a registry, as Docker reads it. Pure.

use std::fmt;

use super::digest::Digest;

/// Where names without a host belong, what Docker calls that registry, and where it is reached.
const HUB: &str = "docker.io";
const HUB_ALIAS: &str = "index.docker.io";
const HUB_HOST: &str = "registry-1.docker.io";
/// No repository has a longer name, and no tag.
const MOST_NAME: usize = 255;
const MOST_TAG: usize = 128;

/// `ghcr.io/owner/app:1`, `app`, `127.0.0.1:5000/app@sha256:…`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Host and perhaps port.
    pub registry: String,
    /// The path of the image there.
    pub repository: String,
    /// The tag; `latest` where neither tag nor digest is given.
    pub tag: Option<String>,
    /// The digest of its manifest, which wins over the tag.
    pub digest: Option<Digest>,
}

/// Why a text names no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The path.
    #[error("the path of an image is made of lower-case letters, digits, and `.`, `_`, `-` or `/` between them")]
    Repository,
    /// The host.
    #[error("the host before the first `/` is none")]
    Registry,
    /// The tag.
    #[error("a tag is made of at most 128 letters, digits, `_`, `.` and `-`")]
    Tag,
    /// The digest.
    #[error("a digest is `sha256:` and 64 hexadecimal digits in lower case")]
    Digest,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(Digest::parse(digest).ok_or(ReferenceError::Digest)?)),
            None => (text, None),
        };
        // A colon before the last slash is that of a port.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_owned()),
            Some(_) => (HUB, name.to_owned()),
            None => (HUB, format!("library/{name}")),
        };
        if !is_host(registry) {
            return Err(ReferenceError::Registry);
        }
        if repository.len() > MOST_NAME || !repository.split('/').all(is_part) {
            return Err(ReferenceError::Repository);
        }
        if !tag.is_none_or(is_tag) {
            return Err(ReferenceError::Tag);
        }
        let registry = if registry == HUB_ALIAS { HUB } else { registry }.to_ascii_lowercase();
        let tag = tag.or(digest.is_none().then_some("latest")).map(str::to_owned);
        Ok(Self { registry, repository, tag, digest })
    }

    /// Where the registry is reached.
    pub fn host(&self) -> &str {
        if self.registry == HUB { HUB_HOST } else { &self.registry }
    }

    /// What the manifest is asked for by.
    pub fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// Whether the registry is on this very machine, so that nobody can listen.
    pub fn is_local(&self) -> bool {
        is_loopback(self.registry.split(':').next().unwrap_or_default())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))?;
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(fit) && !label.starts_with('-') && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Words of lower-case letters and digits, with one `.`, one or two `_`, or any number of `-` between them.
fn is_part(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fit = part.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'_' | b'-'));
    let mut between = part.split(|letter: char| letter.is_ascii_alphanumeric()).filter(|text| !text.is_empty());
    let ends = part.bytes().next().is_some_and(is_word) && part.bytes().last().is_some_and(is_word);
    fit && ends && between.all(|text| matches!(text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let begins = tag.bytes().next().is_some_and(|byte| !matches!(byte, b'.' | b'-'));
    begins && tag.len() <= MOST_TAG && tag.bytes().all(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_docker_reads_it() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, whole, host) in [
            ("app", "docker.io/library/app:latest", "registry-1.docker.io"),
            ("owner/app:1.2", "docker.io/owner/app:1.2", "registry-1.docker.io"),
            ("index.docker.io/owner/app", "docker.io/owner/app:latest", "registry-1.docker.io"),
            ("ghcr.io/o/app:1", "ghcr.io/o/app:1", "ghcr.io"),
            ("GHCR.io/o/app:V1", "ghcr.io/o/app:V1", "ghcr.io"),
            ("localhost/app", "localhost/app:latest", "localhost"),
            ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest", "127.0.0.1:5000"),
            ("r.example:5000/a__b/c-d--e.f_g", "r.example:5000/a__b/c-d--e.f_g:latest", "r.example:5000"),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.to_string().as_str(), reference.host()), (whole, host));
        }
        let pinned = Reference::parse(&format!("ghcr.io/o/app:1@{digest}")).unwrap();
        assert_eq!((pinned.version(), pinned.tag.as_deref()), (digest, Some("1")));
    }

    #[test]
    fn what_is_no_reference_is_told_apart() {
        use ReferenceError::{Digest, Registry, Repository, Tag};
        for (text, error) in [
            ("", Repository),
            ("App", Repository),
            ("ghcr.io/o/App", Repository),
            ("ghcr.io/", Repository),
            ("a//b", Repository),
            ("a/../b", Repository),
            ("a._b", Repository),
            ("a___b", Repository),
            ("ghcr.io/o/app:", Tag),
            ("app:-x", Tag),
            ("user:secret@ghcr.io/o/app", Digest),
            ("app@sha256:abc", Digest),
            ("-x.io/app", Registry),
            ("ghcr.io:0/app", Registry),
            ("ghcr.io:99999/app", Registry),
            ("./app.tar", Registry),
            ("../app", Registry),
            ("/tmp/app.tar", Repository),
        ] {
            assert_eq!(Reference::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for (text, local) in [
            ("localhost:5000/a", true),
            ("127.0.0.1:5000/a", true),
            ("127.9.9.9/a", true),
            ("127.0.0.1.example.com/a", false),
            ("localhost.example.com/a", false),
            ("10.0.0.1:5000/a", false),
            ("ghcr.io/a", false),
        ] {
            assert_eq!(Reference::parse(text).unwrap().is_local(), local, "{text}");
        }
    }
}
