//! What `rollback` has to say, for people: builds with one and the same fate in a row are one line.

use std::fmt::Write;

use comfy_table::{Table, presets};

use crate::report::plural;
use crate::report::rollback::{Answer, Candidate, Fate, Rollback, common};
use crate::source::Build;
use crate::startup::Outcome;
use crate::target;
use crate::tenants::place;
use crate::text::harmless;

/// So much of a commit's name tells it from others.
const SHORT: usize = 12;
/// No subject is shown longer.
const MOST_SUBJECT: usize = 60;

/// A table for each target, and the oldest build that would start.
pub fn rollback(rollback: &Rollback) -> String {
    let answers = rollback.targets.chunk_by(Answer::is_of_target);
    let answers = answers.flat_map(|target| target.iter().map(of_target).chain(of_tenants(target)));
    let notes = rollback.notes.iter().map(|note| format!("note: {note}"));
    answers.chain(notes).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn of_target(answer: &Answer) -> String {
    let place = place(&answer.environment, answer.tenants.as_deref());
    let mut out = format!("{}: ", harmless(&target::named(&answer.service, &place)));
    match &answer.applied {
        Ok(applied) => {
            let _ = write!(out, "{} applied", plural(*applied, "migration"));
        }
        Err(error) => {
            let _ = write!(out, "the history could not be read: {error}\n  help: {}", error.kind.help());
            return out;
        }
    }
    let _ = write!(out, "\n{}\n", table(&answer.candidates));
    match answer.oldest() {
        Some(oldest) => {
            let _ = write!(out, "the oldest that would start: {}", named(&oldest.build));
        }
        None if answer.candidates.is_empty() => out.push_str("there is no build to look at"),
        None => out.push_str("none of them would start"),
    }
    out
}

/// The oldest build that would start for all tenants of a target, which do not agree.
fn of_tenants(answers: &[Answer]) -> Option<String> {
    let [first, _, ..] = answers else { return None };
    let name = harmless(&target::named(&first.service, &first.environment));
    Some(match common(answers) {
        Some(oldest) => format!("{name}: the oldest that would start for every tenant: {}", named(&oldest.build)),
        None => format!("{name}: none of them would start for every tenant"),
    })
}

fn table(candidates: &[Candidate]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for group in candidates.chunk_by(is_alike) {
        let (Some(newest), Some(oldest)) = (group.first(), group.last()) else { continue };
        let builds = match group.len() {
            1 => named(&newest.build),
            n => format!("{} … {} ({n})", named(&newest.build), named(&oldest.build)),
        };
        let dates = [newest, oldest].map(|candidate| day(&candidate.build));
        let dates = if dates[0] == dates[1] { dates[0].to_owned() } else { format!("{} … {}", dates[0], dates[1]) };
        let subject = if group.len() == 1 { subject(&newest.build) } else { String::new() };
        table.add_row([String::new(), dates, builds, fates(&newest.fate, &oldest.fate), subject]);
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A build by the name that tells it from the others.
fn named(build: &Build) -> String {
    match build.kind {
        "commit" => build.name.chars().take(SHORT).collect(),
        _ => harmless(&build.name),
    }
}

fn day(build: &Build) -> &str {
    build.date.as_deref().and_then(|date| date.split('T').next()).unwrap_or("-")
}

fn subject(build: &Build) -> String {
    let subject = harmless(build.subject.as_deref().unwrap_or_default());
    if subject.chars().count() <= MOST_SUBJECT {
        return subject;
    }
    subject.chars().take(MOST_SUBJECT - 1).chain(['…']).collect()
}

/// Whether two builds stand in one line: nobody wants to know of each that fails which migration it lacks first.
fn is_alike(one: &Candidate, other: &Candidate) -> bool {
    one.fate.problem == other.fate.problem && one.fate.startup.id() == other.fate.startup.id()
}

/// What becomes of the builds from one to another, which are alike.
fn fates(newest: &Fate, oldest: &Fate) -> String {
    match (&newest.startup, &oldest.startup) {
        (newest, oldest) if newest == oldest => {}
        (Outcome::StartsAndApplies(most), Outcome::StartsAndApplies(least)) => {
            return format!("✓ start, apply {} … {}", most.len(), least.len());
        }
        (Outcome::Fails { error, .. }, _) => return format!("✗ fail, the newest by: {error}"),
        _ => {}
    }
    self::fate(newest)
}

/// What becomes of a build, in a few words.
fn fate(fate: &Fate) -> String {
    match (&fate.startup, &fate.problem) {
        (_, Some(problem)) => format!("? unknown: {}", harmless(problem)),
        (Outcome::Starts, _) => "✓ starts".to_owned(),
        (Outcome::StartsAndApplies(versions), _) => format!("✓ starts, applies {}", versions.len()),
        (Outcome::Fails { error, .. }, _) => format!("✗ fails: {error}"),
        (Outcome::Unknown, _) => "? unknown".to_owned(),
    }
}
