//! How much of an image is read at most, and what counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use super::error::{ImageError, Limit};

/// How much an image may take. The [`Default`] is generous: no image that runs comes near.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all layers, unpacked. 64 GiB.
    pub unpacked: u64,
    /// How many times larger than packed a layer may be unpacked, once it is larger than [`Limits::small`]. 200; text
    /// comes to 10, and gzip itself ends at 1032.
    pub ratio: u64,
    /// A layer whose ratio does not matter. 1 GiB.
    pub small: u64,
    /// Files, folders and links of all layers. 1,000,000.
    pub entries: usize,
    /// Bytes of all their names. 128 MiB.
    pub names: usize,
    /// For reading it all. 30 minutes.
    pub time: Duration,
    /// For an answer of the registry, and for each piece of it. 30 seconds.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked: 64 << 30,
            ratio: 200,
            small: 1 << 30,
            entries: 1_000_000,
            names: 128 << 20,
            time: Duration::from_secs(30 * 60),
            silence: Duration::from_secs(30),
        }
    }
}

/// No path is longer: Linux opens none that is.
pub const MOST_PATH: usize = 4096;
/// No path has more parts.
pub const MOST_PARTS: usize = 256;

/// Counts what is unpacked, and notices that nobody waits for it any more.
#[derive(Debug)]
pub struct Meter {
    limits: Limits,
    /// Of all layers.
    unpacked: u64,
    /// Of the present layer.
    layer: u64,
    given_up: Arc<AtomicBool>,
}

impl Meter {
    /// Nothing is counted yet.
    pub fn new(limits: Limits, given_up: Arc<AtomicBool>) -> Self {
        Self { limits, unpacked: 0, layer: 0, given_up }
    }

    /// A layer begins.
    pub fn begin(&mut self) {
        self.layer = 0;
    }

    /// Counts the holes of a sparse file, which cost the archive nothing, but whoever looks at the file.
    ///
    /// # Errors
    /// It is enough.
    pub fn hole(&mut self, bytes: u64) -> Result<(), ImageError> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        let most = self.limits.unpacked;
        if self.unpacked > most { Err(ImageError::Limit(Limit::Unpacked(most))) } else { Ok(()) }
    }

    /// Counts `bytes` that were unpacked of `packed` ones.
    ///
    /// # Errors
    /// It is enough.
    pub fn count(&mut self, bytes: u64, packed: u64, layer: &str) -> Result<(), ImageError> {
        if self.given_up.load(Relaxed) {
            return Err(ImageError::Interrupted);
        }
        self.unpacked = self.unpacked.saturating_add(bytes);
        self.layer = self.layer.saturating_add(bytes);
        let Limits { unpacked, ratio, small, .. } = self.limits;
        if self.unpacked > unpacked {
            Err(ImageError::Limit(Limit::Unpacked(unpacked)))
        } else if self.layer > small && self.layer / ratio.max(1) > packed {
            Err(ImageError::Limit(Limit::Ratio { layer: layer.to_owned(), ratio }))
        } else {
            Ok(())
        }
    }
}
