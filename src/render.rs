//! The report as text, one function a format, and what `restore` tells. Pure: what is written where is publish's business.

mod annotations;
mod grouped;
mod human;
mod json;
mod markdown;
mod outcome;
mod restore;
mod rollback;
mod rules;
mod sarif;
mod snapshot;
mod stop;

pub use annotations::{Annotation, Level, annotations, github};
pub use human::human;
pub use json::{json, rollback as rollback_json};
pub use markdown::markdown;
pub use restore::{line as restore_line, summary as restore_summary};
pub use rollback::rollback;
pub use rules::{rule, rules};
pub use sarif::sarif;
pub use snapshot::snapshot;
pub use stop::{github as stop_github, markdown as stop_markdown};
