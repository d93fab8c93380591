//! What the test binaries share.

pub mod git;
pub mod images;
pub mod names;
pub mod oracle;
pub mod readme;
#[cfg(feature = "oracles")]
pub mod registry;
pub mod repository;
pub mod sharing;
pub mod starts;
pub mod worlds;
