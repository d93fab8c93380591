//! What a change does to the migrations at its base, and what was so before.

use super::*;
use crate::policy::Gate;

fn applied_nowhere(state: TargetState) -> TargetState {
    state.edit_rows(|rows| rows.truncate(1))
}

/// Everything that is said of changes.
fn told(states: &[TargetState]) -> Vec<String> {
    let found = compare(states, &Policy::default()).open;
    let told = found.iter().filter(|finding| matches!(finding.scope, Scope::Service { .. }));
    told.map(|finding| format!("{} {}", finding.severity.id(), finding.facts.message())).collect()
}

#[test]
fn a_change_is_as_grave_as_what_has_applied_the_migration() {
    let unread = || TargetState { applied: Err(DatabaseError::new(DatabaseErrorKind::Refused, "")), ..clean() };
    let since = clean().edit_rows(|rows| rows[1].installed_on = Some("2026-01-09 10:00:00".into()));
    assert_eq!(
        told(&[edited(since)]),
        ["error this change edits migration 2, which is applied in staging (since 2026-01-09 10:00:00)"]
    );
    assert_eq!(
        told(&[edited(applied_nowhere(clean()))]),
        ["notice this change edits migration 2, which is applied in no environment that could be read"]
    );
    assert_eq!(
        told(&[edited(unread())]),
        ["warning this change edits migration 2, and no history could be read that says whether it is applied"]
    );
    let production = |state: TargetState| state.edit_target(|target| target.environment = "production".into());
    assert_eq!(told(&[edited(applied_nowhere(clean())), production(edited(unread()))])[0][..6], *"notice");
    assert_eq!(told(&[edited(unread()), production(edited(clean()))])[0][..5], *"error");
}

#[test]
fn one_finding_a_file_names_every_environment_and_takes_in_what_follows_from_it() {
    let targets = ["staging", "production"].map(|name| edited(clean()).edit_target(|t| t.environment = name.into()));
    let found = compare(&targets, &Policy::default()).open;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].scope.environments(), ["staging", "production"]);
}

#[test]
fn without_a_base_nothing_is_told_of_a_change() {
    let mut state = edited(clean());
    state.base = None;
    assert_eq!(fires(&[state]), ["error checksum-mismatch@api/migrations/2_step_2.sql"]);
}

#[test]
fn a_row_that_fits_neither_content_stays_a_mismatch_and_one_that_fits_the_new_one_is_mended() {
    let row_of = |content: &'static str| edited(clean().edit_rows(|rows| rows[1].checksum = Checksum::of(content)));
    let notice = "notice edited-migration@api/migrations/2_step_2.sql";
    assert_eq!(fires(&[row_of("another")]), ["error checksum-mismatch@api/migrations/2_step_2.sql", notice]);
    assert_eq!(fires(&[row_of("edited")]), [notice]);
}

#[test]
fn a_file_that_goes_by_another_name_is_kept_and_one_with_another_content_too_is_edited() {
    let path = "api/migrations/2_other.sql";
    let renamed = |state: TargetState| state.edit_defined(|defined| defined.migrations[1].path = PathBuf::from(path));
    assert_eq!(fires(&[renamed(clean().since(&[1, 2], &[1, 2]))]), Vec::<String>::new());
    assert_eq!(fires(&[renamed(edited(clean()))]), [format!("error edited-migration@{path}")]);
}

#[test]
fn of_two_files_of_one_version_the_one_that_is_not_applied_may_go() {
    let other =
        || Migration { path: "api/migrations/2_b.sql".into(), checksum: Checksum::of("b"), ..migration("api", 2) };
    let both = |state: TargetState| {
        let base = state.since(&[1, 2], &[1, 2]);
        base.edit_base(|base| base.start.as_mut().unwrap().migrations.push(other()))
    };
    assert_eq!(fires(&[both(clean())]), ["notice deleted-migration@api/migrations/2_b.sql"]);
    let the_other = both(clean()).edit_defined(|defined| defined.migrations[1] = other());
    assert_eq!(fires(&[the_other]), ["error deleted-migration@api/migrations/2_step_2.sql"]);
}

#[test]
fn what_follows_and_is_accepted_or_ignored_makes_the_change_harmless() {
    let deleted = || state("api", "staging", &[1], &[1, 2]).since(&[1, 2], &[1, 2]);
    let notice = ["notice deleted-migration@api/migrations/2_step_2.sql"];
    let policy = Policy { accept: vec![accept(Rule::MissingMigration)], ..Policy::default() };
    assert_eq!(fires_under(&[deleted()], &policy), notice);
    assert_eq!(compare(&[deleted()], &policy).accepted.len(), 1);
    let ignored = deleted().edit_target(|target| target.levels.extend([(Rule::MissingMigration, None)]));
    assert_eq!(fires(&[ignored]), notice);
    assert_eq!(fires(&[deleted().edit_target(|target| target.ignore_missing = true)]), notice);
}

#[test]
fn a_database_of_another_service_says_nothing_of_a_change() {
    let swapped = edited(clean()).edit_rows(|rows| *rows = vec![row("web", 1), row("web", 2)]);
    let found = fires(&[swapped, state("web", "staging", &[1, 2], &[1, 2])]);
    assert!(found.contains(&"warning edited-migration@api/migrations/2_step_2.sql".to_owned()), "{found:?}");
}

#[test]
fn a_new_file_collides_with_what_the_base_has_come_to_and_takes_in_the_false_mismatch() {
    let theirs = |state: TargetState| {
        state.edit_base(|base| {
            let path = "api/migrations/2_theirs.sql".into();
            base.tip.push(Migration { path, checksum: Checksum::of("theirs"), ..migration("api", 2) });
        })
    };
    let collision = ["error version-collision@api/migrations/2_step_2.sql"];
    let pending = "notice pending-migration@api/migrations/2_step_2.sql";
    let unmerged = theirs(state("api", "staging", &[1, 2], &[1]).since(&[1], &[1]));
    assert_eq!(fires(&[unmerged]), [collision[0], pending]);
    let applied = theirs(clean().since(&[1], &[1])).edit_rows(|rows| rows[1].checksum = Checksum::of("theirs"));
    assert_eq!(fires(&[applied]), collision);
    let message = &told(&[theirs(clean().since(&[1], &[1]))])[0];
    assert_eq!(
        message,
        "error version 2 is taken on the base branch: api/migrations/2_step_2.sql of this change meets api/migrations/2_theirs.sql"
    );
}

#[test]
fn what_is_deleted_or_the_same_on_both_sides_does_not_collide() {
    let both = clean().since(&[1], &[1, 2]);
    assert_eq!(fires(&[both]), Vec::<String>::new(), "the same file on both sides");
    let renamed = clean().since(&[1, 2], &[1, 2]).edit_defined(|defined| {
        defined.migrations[1].path = "api/migrations/2_other.sql".into();
    });
    assert_eq!(fires(&[renamed]), Vec::<String>::new());
    let two_new = twin(clean()).since(&[1], &[1]);
    assert_eq!(fires(&[two_new]), ["error duplicate-version@api/migrations/2_twin.sql"], "the base has neither");
    let two_old = twin(clean()).since(&[1, 2], &[1, 2]).edit_base(|base| {
        let path = "api/migrations/2_twin.sql".into();
        base.start.as_mut().unwrap().migrations.push(Migration { path, ..migration("api", 2) });
    });
    assert_eq!(
        fires(std::slice::from_ref(&two_old)),
        ["error duplicate-version@api/migrations/2_twin.sql"],
        "the base has both"
    );
    assert_eq!(gated(&[two_old]), lists(&[], &["duplicate-version"]));
}

#[test]
fn a_new_version_below_the_highest_of_the_base_is_out_of_order_once() {
    let warning = "warning out-of-order@api/migrations/2_step_2.sql";
    let pending = "notice pending-migration@api/migrations/2_step_2.sql";
    let state = |applied: &[i64]| super::state("api", "staging", &[1, 2], applied).since(&[1], &[1, 3]);
    assert_eq!(fires(&[state(&[1])]), [warning, pending]);
    let message = &told(&[state(&[1])])[0];
    assert_eq!(message, "warning migration 2 is new, and the base branch has 3 already");
    let behind = "warning behind-base@api/migrations/3_step_3.sql";
    assert_eq!(fires(&[state(&[1, 3])]), [behind, warning, pending], "the environment says it");
    let above = super::state("api", "staging", &[1, 4], &[1]).since(&[1], &[1, 3]);
    assert_eq!(fires(&[above]), ["notice pending-migration@api/migrations/4_step_4.sql"]);
    let pending_before = super::state("api", "staging", &[1, 2, 3], &[1]).since(&[1, 2, 3], &[1, 2, 3]);
    assert!(!fires(&[pending_before]).iter().any(|finding| finding.contains("out-of-order")));
}

#[test]
fn behind_the_base_is_an_error_where_it_is_deployed_and_a_notice_where_nobody_minds() {
    let behind = || state("api", "staging", &[1], &[1, 2]).since(&[1], &[1, 2]);
    let deployed = behind().edit_base(|base| base.is_pull_request = false);
    assert_eq!(fires(&[deployed]), ["error behind-base@api/migrations/2_step_2.sql"]);
    let ignored = behind().edit_target(|target| target.ignore_missing = true);
    assert_eq!(fires(&[ignored]), ["notice behind-base@api/migrations/2_step_2.sql"]);
    let other = behind().edit_rows(|rows| rows[1].checksum = Checksum::of("other"));
    assert_eq!(fires(&[other]), ["error missing-migration@api/migrations/2_step_2.sql"], "the base has another one");
}

#[test]
fn an_older_content_of_what_the_base_has_is_behind_it_and_not_edited() {
    let newer = Checksum::of("newer");
    let state = clean()
        .since(&[1, 2], &[1, 2])
        .edit_base(|base| base.tip[1].checksum = newer.clone())
        .edit_rows(|rows| rows[1].checksum = newer.clone());
    assert_eq!(fires(&[state]), ["warning behind-base@api/migrations/2_step_2.sql"]);
}

/// What is open and what is already so, under the gate.
fn gated(states: &[TargetState]) -> (Vec<String>, Vec<String>) {
    let findings = compare(states, &Policy { gate: Gate::Introduced, ..Policy::default() });
    let rules = |list: &[Finding]| list.iter().map(|finding| finding.rule().to_string()).collect();
    (rules(&findings.open), rules(&findings.already_so))
}

fn lists(open: &[&str], already_so: &[&str]) -> (Vec<String>, Vec<String>) {
    (strings(open), strings(already_so))
}

#[test]
fn what_the_base_has_against_the_same_history_is_already_so() {
    let dirty = |state: TargetState| state.edit_rows(|rows| rows[0].success = false);
    let untouched = dirty(state("api", "staging", &[1], &[1, 2])).since(&[1], &[1]);
    assert_eq!(gated(std::slice::from_ref(&untouched)), lists(&[], &["dirty-migration", "missing-migration"]));
    assert_eq!(compare(&[untouched], &Policy::default()).already_so, [], "every finding counts without the gate");
    let adds = dirty(state("api", "staging", &[1, 3], &[1, 4])).since(&[1], &[1]);
    assert_eq!(
        gated(&[adds]),
        lists(&["out-of-order", "pending-migration"], &["dirty-migration", "missing-migration"])
    );
    let deletes = dirty(state("api", "staging", &[1], &[1, 2])).since(&[1, 2], &[1, 2]);
    assert_eq!(gated(&[deletes]), lists(&["deleted-migration"], &["dirty-migration"]));
    let breaks = edited(dirty(clean()));
    assert_eq!(gated(&[breaks]), lists(&["edited-migration"], &["dirty-migration"]));
}

#[test]
fn nothing_is_already_so_where_the_base_is_unknown_or_read_by_other_rules() {
    let missing = || state("api", "staging", &[1], &[1, 2]);
    assert_eq!(gated(&[missing()]), lists(&["missing-migration"], &[]));
    let other = missing().since(&[1], &[1]).edit_base(|base| base.same_settings = false);
    assert_eq!(gated(&[other]), lists(&["missing-migration"], &[]));
    let new = missing().since(&[1], &[1]).edit_base(|base| base.start = None);
    assert_eq!(gated(&[new]), lists(&["missing-migration"], &[]), "the base had no such directory");
}

#[test]
fn a_database_that_is_away_excuses_only_a_change_that_does_not_touch_its_service() {
    let excused = |state: TargetState| {
        let findings = compare(&[state], &Policy { gate: Gate::Introduced, ..Policy::default() });
        (findings.excused.len(), findings.open.len(), findings.already_so.len())
    };
    let away = || unreachable(DatabaseErrorKind::Refused);
    assert_eq!(excused(away().since(&[1, 2], &[1, 2])), (1, 0, 1));
    assert_eq!(excused(away().since(&[1], &[1])), (0, 1, 0), "it adds a migration");
    assert_eq!(excused(away()), (0, 1, 0));
    let absent = TargetState { defined: Err(SourceError::NoDirectory("api".into())), ..clean() };
    assert_eq!(excused(absent.clone().since(&[], &[]).edit_base(|base| base.start = None)), (1, 0, 1));
    assert_eq!(excused(absent.since(&[1], &[1])), (0, 1, 0), "it deletes the directory");
}

#[test]
fn drift_and_unused_entries_are_already_so_where_the_change_cannot_be_their_reason() {
    let promotion = vec!["staging".to_owned(), "production".to_owned()];
    let accept = vec![accept(Rule::DirtyMigration)];
    let policy = Policy { promotion, accept, gate: Gate::Introduced, ..Policy::default() };
    let production = clean().edit_target(|target| target.environment = "production".into());
    let states = |start: &[i64]| {
        [state("api", "staging", &[1, 2], &[1]), production.clone()].map(|state| state.since(start, start))
    };
    let rules = |states: &[TargetState]| {
        let findings = compare(states, &policy);
        let rules = |list: Vec<Finding>| list.iter().map(|finding| finding.rule().to_string()).collect::<Vec<_>>();
        (rules(findings.open), rules(findings.already_so))
    };
    let untouched = rules(&states(&[1, 2]));
    assert_eq!(untouched, lists(&[], &["environment-drift", "unused-accept", "pending-migration"]));
    let touched = rules(&states(&[1]));
    assert_eq!(touched, lists(&["unused-accept", "pending-migration"], &["environment-drift"]));
}

#[test]
fn a_change_to_migrations_answers_for_how_they_are_embedded_only_where_it_brings_them() {
    let introduced = Policy { gate: Gate::Introduced, ..Policy::default() };
    let counted = |state: TargetState, policy: &Policy| {
        compare(&[unwatched(state)], policy).open.iter().any(|finding| finding.rule() == Rule::StaleEmbed)
    };
    let adding = || state("api", "staging", &[1, 2, 3], &[1, 2]).since(&[1, 2], &[1, 2]);
    assert!(counted(adding(), &Policy::default()));
    assert!(!counted(adding(), &introduced));
    assert!(counted(adding().edit_base(|base| base.start = None), &introduced));
    assert!(counted(clean(), &introduced));
}
