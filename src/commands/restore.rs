//! `restore`: the applied bytes written back, from the history of the repository.

use std::path::Path;

use super::stages::{change, destination, gathered, limits, planned};
use crate::cli::{PublishArgs, RestoreArgs};
use crate::compare::compare;
use crate::explain::{self, Base};
use crate::gather::{Directories, group};
use crate::github::ReportTo;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::publish;
use crate::render::{restore_line, restore_summary};
use crate::restore::{Edit, Ground, Item, Line, No, NoGround, Outcome, Selection, Tally, Ways, edits, select};
use crate::target::TargetState;

/// Runs every stage, writes what can be written without losing anything, and tells each thing that it did or did not.
///
/// # Errors
/// Usage or configuration: nothing was written then.
pub async fn restore(args: &RestoreArgs) -> anyhow::Result<u8> {
    // Nothing is published; but the run on GitHub knows the base.
    let nowhere =
        PublishArgs { report: ReportTo::None, check_name: String::new(), comment: false, fail_on_publish_error: false };
    let destination = destination(&nowhere);
    let (inputs, Plan { mut targets, beside, policy }) = planned(&args.plan, &destination)?;
    // Who names a version wants it, whatever was decided about findings.
    let policy = if args.versions.is_empty() { policy } else { Policy::default() };
    if !args.versions.is_empty() {
        targets.iter_mut().for_each(|target| target.levels.clear());
    }
    let (change, _) = change(&inputs.root, args.reading.base.as_deref(), &destination)?;
    let onto = change.map(|change| Base { name: change.name, commit: change.tip });
    let limits = limits(args.reading.jobs, args.patience.timeout);
    let mut states = gathered(targets, &inputs.root, limits).await;
    let directories = Directories::of(&mut states, &inputs.root);
    group::read(&mut states, &beside, &inputs.root);
    let findings = compare(&states, &policy);
    let ways = Ways {
        exists: &|directory| directories.exists(directory),
        are_same: &|one, other| directories.are_same(one, other),
    };
    let Selection { items, lines } = select(&states, &findings, &args.versions, &ways);
    let mut teller = Teller { dry_run: args.dry_run, tally: Tally::default() };
    lines.iter().for_each(|line| teller.tell(line));
    if !items.is_empty()
        && let Err(why) = teller.restore(&items, &states, &inputs.root, onto)
    {
        teller.tell(&Line { of: String::new(), outcome: Outcome::Blocked(why.to_string()) });
    }
    publish::say(&restore_summary(&teller.tally, args.dry_run));
    Ok(teller.tally.exit_code())
}

/// Does what can be done, and tells it.
struct Teller {
    dry_run: bool,
    tally: Tally,
}

impl Teller {
    fn tell(&mut self, told: &Line) {
        self.tally.count(&told.outcome);
        publish::say(&restore_line(told, self.dry_run));
    }

    fn restore(
        &mut self,
        items: &[Item],
        states: &[TargetState],
        root: &Path,
        base: Option<Base>,
    ) -> Result<(), NoGround> {
        let mut ground = Ground::open(root)?;
        let findings: Vec<_> = items.iter().map(|item| item.finding).collect();
        let account = explain::account(&findings, states, root, base)?;
        for (item, explanation) in items.iter().zip(&account.explanations) {
            let Some(explanation) = explanation else { continue };
            let of = item.subject();
            match edits(item, explanation, &account, &mut ground) {
                Ok(edits) => self.make(&of, edits),
                Err(No::Refused(why)) => self.tell(&Line { of, outcome: Outcome::Refused(why) }),
                Err(No::NotFound(why)) => self.tell(&Line { of, outcome: Outcome::NotFound(why) }),
            }
        }
        Ok(())
    }

    /// Makes all edits of a migration, as long as the disk lets it.
    fn make(&mut self, of: &str, edits: Vec<Edit>) {
        for edit in edits {
            let made = if self.dry_run { Ok(()) } else { publish::make(&edit) };
            let (file, outcome) = match edit {
                Edit::Write { file, .. } => (file.shown.clone(), Outcome::Wrote(file.shown)),
                Edit::Append { file, line } => (file.shown.clone(), Outcome::Added(file.shown, line)),
                Edit::Rename { from, to, .. } => (to.shown.clone(), Outcome::Renamed(from.shown, to.shown)),
            };
            if let Err(error) = made {
                let outcome = Outcome::Failed(format!("`{file}` could not be written: {error}"));
                return self.tell(&Line { of: of.to_owned(), outcome });
            }
            self.tell(&Line { of: of.to_owned(), outcome });
        }
        self.tally.restored += 1;
    }
}
