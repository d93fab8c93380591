//! What the test binaries share.

pub mod oracle;
pub mod starts;
pub mod worlds;
