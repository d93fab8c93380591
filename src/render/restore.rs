//! What `restore` tells, for people: a line for each thing, and what it came to. In the conditional where nothing is done.

use crate::restore::{Line, Outcome, Tally};

/// One line.
pub fn line(Line { of, outcome }: &Line, dry_run: bool) -> String {
    let verb = |would: &str, did: &str| if dry_run { format!("would {would}") } else { did.to_owned() };
    let can = if dry_run { "could not" } else { "cannot" };
    let told = match outcome {
        Outcome::Wrote(path) => format!("{} `{path}` as it was applied", verb("write", "wrote")),
        Outcome::Added(file, line) => {
            format!("{} the line `{line}` to `{file}`, so that git keeps the ends of its lines", verb("add", "added"))
        }
        Outcome::Renamed(from, to) => format!("{} `{from}` to `{to}`", verb("rename", "renamed")),
        Outcome::Refused(why) => format!("{}: {why}", verb("be refused", "refused")),
        Outcome::NotFound(why) => format!("{can} be restored: {why}"),
        Outcome::Failed(why) => format!("failed: {why}"),
        Outcome::AsApplied => "nothing to do, its file is as it was applied".to_owned(),
        Outcome::NotApplied { is_partly_unread: false } => format!("{can} be restored: no target has applied it"),
        Outcome::NotApplied { is_partly_unread: true } => "no target that could be read has applied it".to_owned(),
        Outcome::LeftAlone(why) => format!("left as it is: {why}; name the version to restore it all the same"),
        Outcome::Unread(why) | Outcome::Away(why) => why.clone(),
        Outcome::Blocked(why) => {
            return format!("nothing {} be restored: {why}", if dry_run { "could" } else { "can" });
        }
    };
    format!("{of}: {told}")
}

/// What it came to.
pub fn summary(tally: &Tally, dry_run: bool) -> String {
    let Tally { restored, refused, not_restored, unread, .. } = *tally;
    let would = if dry_run { "would have " } else { "" };
    let mut parts = Vec::new();
    if restored > 0 || refused + not_restored == 0 {
        let what = if restored == 0 { "nothing".to_owned() } else { counted(restored, "migration") };
        parts.push(format!("{would}restored {what}"));
    }
    let mut part = |count: usize, text: &str| {
        if count > 0 {
            parts.push(format!("{text} {count}"));
        }
    };
    part(refused, "refused");
    part(not_restored, "could not restore");
    if unread > 0 {
        parts.push(format!("{} could not be read", counted(unread, "target")));
    }
    let end = if dry_run { "; this was a dry run, and nothing was written" } else { "" };
    format!("{}{end}", parts.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
