//! Where a finding is shown that has no file of its own: code scanning shows nothing without one.

use crate::finding::{Finding, Location};
use crate::render::annotations::is_inside;
use crate::report::TargetReport;

/// Where it is configured what is checked, whether or not there is such a file yet.
const CONFIGURATION: &str = ".github/migration-preflight.yml";

/// The line of the finding; else the one that declares its target; else the directory of the migrations, of which no
/// file is singled out, because none is at fault; and for what belongs to no target the configuration.
pub fn place(finding: &Finding, target: Option<&TargetReport>) -> Location {
    let declared = target.and_then(|target| target.declared.as_ref());
    let known = [finding.location.as_ref(), declared].into_iter().flatten();
    if let Some(location) = known.into_iter().find(|location| is_inside(&location.file)) {
        return location.clone();
    }
    let directory = target.and_then(directory).filter(|directory| is_inside(directory));
    Location { file: directory.unwrap_or(CONFIGURATION).to_owned(), line: 1 }
}

/// The directory of the migrations, where the code side was read from one.
fn directory(target: &TargetReport) -> Option<&str> {
    match target.kind.as_str() {
        "directory" => Some(&target.location),
        // No name of a revision has a colon in it.
        "revision" => target.location.split_once(':').map(|(_, directory)| directory),
        _ => None,
    }
}
