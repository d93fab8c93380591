//! `snapshot`: the histories of the targets written down, for where no database can be reached.

use super::stages::{limits, now, planned, recorded};
use crate::cli::SnapshotArgs;
use crate::gather::Unrecorded;
use crate::github::Destination;
use crate::history::Record;
use crate::plan::Plan;
use crate::publish;
use crate::render;
use crate::report::snapshot::Records;
use crate::report::{Verdict, plural};
use crate::target::named;
use crate::tenants::place;

/// Reads the histories and writes those that could be read. Where there is none, what was written before stays.
///
/// # Errors
/// Usage or configuration; or the file cannot be written.
pub async fn snapshot(args: &SnapshotArgs) -> anyhow::Result<u8> {
    let (inputs, Plan { targets, .. }) = planned(&args.plan, &Destination::default())?;
    // Before anything is read: a history is never older than it says.
    let taken = now();
    let read = recorded(&targets, &inputs.root, limits(args.limits.jobs, args.limits.timeout)).await;
    let (mut records, mut verdict) = (Vec::new(), Verdict::Pass);
    for (target, read) in targets.iter().zip(read) {
        let unread = read.iter().filter_map(|(tenants, record)| Some((tenants, record.as_ref().err()?)));
        for (tenants, why) in unread {
            let place = place(&target.environment, tenants.as_deref());
            let told = format!("{} is not in the snapshot: {why}", named(&target.service, &place));
            if matches!(why, Unrecorded::Database { error } if target.may_be_away(error)) {
                publish::warn(&told);
            } else {
                publish::complain(&told);
                verdict = Verdict::Incomplete;
            }
        }
        // Of a target with a part of its tenants nobody could tell later that others are not looked at.
        let whole: Result<Vec<Record>, _> = read.into_iter().map(|(_, record)| record).collect();
        records.extend(whole.into_iter().flatten());
    }
    if records.is_empty() && !targets.is_empty() {
        publish::complain("nothing is written, because no history could be read");
        return Ok(Verdict::Incomplete.exit_code());
    }
    let count = plural(records.chunk_by(Record::is_of_target).count(), "target");
    let text = render::snapshot(&Records::new(taken, records));
    match &args.output {
        None => publish::print(&text),
        Some(path) => {
            publish::replace(path, &text)
                .map_err(|error| anyhow::anyhow!("the snapshot cannot be written to `{}`: {error}", path.display()))?;
            publish::say(&format!("wrote the histories of {count} to {}", path.display()));
        }
    }
    Ok(verdict.exit_code())
}
