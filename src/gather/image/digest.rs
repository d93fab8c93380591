//! Digests of blobs, and what holds a blob against its own while it streams by.

use std::fmt;

use sha2::{Digest as _, Sha256, Sha512};

/// `sha256:…` or `sha512:…`, in lower case: the name of a blob is what its content hashes to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Sha512,
}

impl Digest {
    /// `sha256:` or `sha512:` and as many hexadecimal digits as it takes; nothing else, so that it makes a file name.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, hex) = text.split_once(':')?;
        let (algorithm, length) = match name {
            "sha256" => (Algorithm::Sha256, 64),
            "sha512" => (Algorithm::Sha512, 128),
            _ => return None,
        };
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex.len() == length && is_hex).then(|| Self { algorithm, hex: hex.to_owned() })
    }

    /// The SHA-256 of a content that is held whole.
    pub fn of(content: &[u8]) -> Self {
        Self { algorithm: Algorithm::Sha256, hex: hex(&Sha256::digest(content)) }
    }

    /// Whether `content` is what the digest names.
    pub fn fits(&self, content: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(content);
        hasher.finish() == *self
    }

    /// Computes a digest of the same kind, piece by piece.
    pub fn hasher(&self) -> Hasher {
        match self.algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// Where an OCI layout keeps the blob.
    pub fn path(&self) -> String {
        format!("blobs/{}/{}", self.algorithm.name(), self.hex)
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A digest that is being computed.
#[derive(Clone)]
pub enum Hasher {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(piece),
            Self::Sha512(hash) => hash.update(piece),
        }
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest { algorithm: Algorithm::Sha256, hex: hex(&hash.finalize()) },
            Self::Sha512(hash) => Digest { algorithm: Algorithm::Sha512, hex: hex(&hash.finalize()) },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_hexadecimal_of_the_right_length_and_never_a_path() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(Digest::parse(&good).unwrap().to_string(), good);
        assert_eq!(Digest::parse(&good).unwrap().path(), format!("blobs/sha256/{}", "0a".repeat(32)));
        for bad in [
            "sha256:",
            "sha256",
            "",
            &good.to_uppercase(),
            &good.replace("0a", "0A"),
            &format!("{good}0"),
            &good.replace("sha256", "md5"),
            &format!("sha256:../../{}", "a".repeat(58)),
        ] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_content_fits_its_digest_and_no_other() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(digest.fits(b"abc") && !digest.fits(b"abd"));
        let long = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                    2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert!(Digest::parse(long).unwrap().fits(b"abc"));
    }
}
