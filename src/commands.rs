//! What the program can do: each command a short composition of the stages.

mod action;
mod check;
mod init;
mod merge;
mod restore;
mod rollback;
mod rules;
mod schema;
mod snapshot;
mod stages;

pub use action::{abandoned, action};
pub use check::check;
pub use init::init;
pub use merge::merge;
pub use restore::restore;
pub use rollback::rollback;
pub use rules::rules;
pub use schema::schema;
pub use snapshot::snapshot;
