//! Services that write to one history table.

use super::*;
use crate::finding::{SharedHistory, Theirs};
use crate::group::{Group, Member};

/// A service of a group, with these migrations.
pub(super) fn member(service: &str, defined: &[i64]) -> Member {
    let migrations = defined.iter().map(|version| migration(service, *version)).collect();
    Member {
        service: service.into(),
        migrations: PathBuf::from(service).join("migrations"),
        defined: vec![Arc::new(Defined { migrations, ..Defined::default() })],
        ..Member::default()
    }
}

/// A target beside others that write to its table.
pub(super) fn with(state: TargetState, others: &[Member]) -> TargetState {
    let own = Member {
        service: state.target.service.clone(),
        migrations: state.target.migrations.clone(),
        is_named: others.iter().any(|other| other.is_named),
        defined: state.defined.iter().cloned().collect(),
        ..Member::default()
    };
    let group = Group::new([vec![own], others.to_vec()].concat());
    TargetState { group: Some(Arc::new(group)), ..state }
}

/// `api`, with these migrations and rows of its own and these rows of `web`, which has migrations 5 and 6.
fn api(defined: &[i64], own: &[i64], theirs: &[i64]) -> TargetState {
    let state = state("api", "staging", defined, own).edit_rows(|rows| {
        rows.extend(theirs.iter().map(|version| row("web", *version)));
        rows.sort_by_key(|row| row.version);
    });
    with(state, &[member("web", &[5, 6])])
}

fn ignoring(state: TargetState) -> TargetState {
    state.edit_target(|target| target.ignore_missing = true)
}

fn facts(state: TargetState) -> Vec<Facts> {
    compare(&[state], &Policy::default()).open.into_iter().map(|finding| finding.facts).collect()
}

fn web(migrations: usize, is_applied: bool) -> Facts {
    let error = "migration 5 was previously applied but is missing in the resolved migrations".to_owned();
    Facts::SharedHistory(SharedHistory { services: vec!["web".into()], migrations, is_applied, error })
}

#[test]
fn a_row_of_another_service_is_not_missing_and_stops_whoever_does_not_ignore_it() {
    assert_eq!(facts(api(&[1], &[1], &[5, 6])), [web(2, true)]);
    assert_eq!(fires(&[ignoring(api(&[1], &[1], &[5, 6]))]), Vec::<String>::new());
    assert_eq!(
        web(2, true).message(),
        "the history table is shared with `web`, and 2 of its rows are migrations of theirs: this service does not start (migration 5 was previously applied but is missing in the resolved migrations)"
    );
}

#[test]
fn a_row_of_nobody_stays_missing() {
    let nobody = || api(&[1], &[1, 7], &[5]);
    assert_eq!(
        fires(&[nobody()]),
        ["error shared-history@deploy.yml", "error missing-migration@api/migrations/7_step_7.sql"]
    );
    assert_eq!(fires(&[ignoring(nobody())]), ["notice missing-migration@api/migrations/7_step_7.sql"]);
}

#[test]
fn what_another_service_has_not_applied_yet_is_to_come() {
    assert_eq!(facts(api(&[1], &[1], &[])), [web(2, false)]);
    assert_eq!(fires(&[api(&[1], &[1], &[])]), ["warning shared-history@deploy.yml"]);
    assert_eq!(facts(api(&[1], &[1], &[6])).len(), 1, "what stands there already says it");
    assert_eq!(fires(&[ignoring(api(&[1], &[1], &[]))]), Vec::<String>::new());
    assert!(web(1, false).message().contains("1 migration of theirs is to come: once it is applied"));
    assert_eq!(fires(&[with(clean(), &[member("web", &[])])]), Vec::<String>::new());
}

#[test]
fn a_row_of_a_service_in_the_same_directory_is_missing() {
    let worker = Member { migrations: "api/migrations".into(), ..member("api", &[1, 2]) };
    let worker = Member { service: "worker".into(), ..worker };
    let old = with(state("api", "staging", &[1], &[1, 2]), &[worker]);
    assert_eq!(fires(&[old]), ["error missing-migration@api/migrations/2_step_2.sql"]);
}

#[test]
fn what_was_this_service_s_own_is_not_the_others() {
    // An old image: its checkout has the row, and so, by chance, has another service.
    let copied = |content: &str| {
        let mut web = member("web", &[2]);
        let defined = Defined { migrations: vec![migration(content, 2)], ..Defined::default() };
        web.defined = vec![Arc::new(defined)];
        web
    };
    let old = || state("api", "staging", &[1], &[1, 2]);
    let own = |state: TargetState| {
        let mut group = [member("api", &[1]), copied("api")];
        group[0].defined.push(Arc::new(Defined { migrations: vec![migration("api", 2)], ..Defined::default() }));
        TargetState { group: Some(Arc::new(Group::new(group.to_vec()))), ..state }
    };
    assert_eq!(fires(&[own(old())]), ["error missing-migration@api/migrations/2_step_2.sql"]);
    assert_eq!(fires(&[with(old(), &[copied("api")])]), ["error shared-history@deploy.yml"]);
    // A change deletes it.
    let deleted = with(old().since(&[1, 2], &[1, 2]), &[copied("api")]);
    assert_eq!(fires(&[deleted])[..1], ["error deleted-migration@api/migrations/2_step_2.sql"]);
    // A change deletes a file that was never applied, whose version another service has in the table.
    let deleted =
        state("api", "staging", &[1], &[1]).since(&[1, 5], &[1, 5]).edit_rows(|rows| rows.push(row("web", 5)));
    let deleted = ignoring(with(deleted, &[member("web", &[5])]));
    assert_eq!(fires(&[deleted]), ["notice deleted-migration@api/migrations/5_step_5.sql"]);
    // The base branch has it.
    let behind = with(old().since(&[1], &[1, 2]), &[copied("api")]);
    assert_eq!(fires(&[behind]), ["warning behind-base@api/migrations/2_step_2.sql"]);
}

#[test]
fn two_contents_of_one_version_are_told_before_and_after_one_is_applied() {
    let theirs = || Theirs { service: "web".into(), file: "web/migrations/5_step_5.sql".into() };
    let pending = facts(ignoring(api(&[5], &[], &[])));
    assert_eq!(
        pending[0].message(),
        "the history table is shared with `web`, which has another migration 5 (web/migrations/5_step_5.sql): whichever of the two services starts second fails"
    );
    assert_eq!(pending[0].severity(), Severity::Error);
    let applied = facts(ignoring(api(&[5], &[], &[5])));
    let [Facts::ChecksumMismatch { theirs: Some(found), .. }] = &applied[..] else { panic!("{applied:?}") };
    assert_eq!(*found, theirs());
    assert!(applied[0].message().starts_with("migration 5 was applied as `web` has it, which shares the history table (web/migrations/5_step_5.sql): the row has"));
    assert!(applied[0].help().contains("another version"), "{}", applied[0].help());

    let same = with(state("web", "staging", &[5], &[]), &[Member { migrations: "x".into(), ..member("web", &[5]) }]);
    let same = same.edit_target(|target| target.service = "api".into());
    assert_eq!(fires(&[same]), ["notice pending-migration@web/migrations/5_step_5.sql"], "one content");
    let unread =
        TargetState { applied: Err(DatabaseError::new(DatabaseErrorKind::Refused, "")), ..api(&[5], &[], &[]) };
    assert!(
        fires(&[unread]).contains(&"error shared-history@api/migrations/5_step_5.sql".to_owned()),
        "no row is needed"
    );
}

#[test]
fn pending_below_a_row_of_another_service_is_in_order() {
    assert_eq!(
        fires(&[ignoring(api(&[1, 2], &[1], &[5, 6]))]),
        ["notice pending-migration@api/migrations/2_step_2.sql"]
    );
    let below_own = fires(&[ignoring(api(&[1, 2, 3], &[1, 3], &[5]))]);
    assert_eq!(below_own[0], "warning out-of-order@api/migrations/2_step_2.sql");
}

#[test]
fn a_row_that_no_readable_service_has_may_be_one_of_the_unreadable() {
    let unread = Member { is_unread: true, ..member("web", &[]) };
    let found = facts(with(state("api", "staging", &[1], &[1, 7]), &[unread]));
    assert_eq!(
        found[0].message(),
        "migration 7 was applied, but the source has no file for it; or it is one of `web`, of which not all could be read"
    );
}

#[test]
fn a_named_group_has_no_wrong_database_and_a_found_one_has() {
    let swapped = |is_named| {
        let web = Member { is_named, ..member("web", &[5, 6]) };
        let api = with(api(&[1], &[], &[5, 6]), &[web]);
        fires(&[api, state("web", "staging", &[5, 6], &[5, 6])])
    };
    assert_eq!(swapped(false)[..2], ["error wrong-database@deploy.yml", "error shared-history@deploy.yml"]);
    assert_eq!(
        swapped(true),
        ["error shared-history@deploy.yml", "notice pending-migration@api/migrations/1_step_1.sql"]
    );
    assert!(Rule::WrongDatabase.help().contains("history-group"));
}

#[test]
fn rows_of_another_service_are_no_drift() {
    let promotion = vec!["staging".to_owned(), "production".to_owned()];
    let policy = Policy { promotion, ..Policy::default() };
    let production = ignoring(api(&[1], &[1], &[5, 6])).edit_target(|target| target.environment = "production".into());
    assert_eq!(fires_under(&[state("api", "staging", &[1], &[1]), production], &policy), Vec::<String>::new());
}

#[test]
fn what_the_base_has_in_the_same_table_was_so_before() {
    let now = api(&[1, 2], &[1], &[5, 6]).since(&[1], &[1]);
    let policy = Policy { gate: crate::policy::Gate::Introduced, ..Policy::default() };
    assert_eq!(fires_under(&[now], &policy), ["notice pending-migration@api/migrations/2_step_2.sql"]);
}

#[test]
fn whoever_adds_a_migration_answers_for_those_who_share_the_table() {
    let introduced = Policy { gate: crate::policy::Gate::Introduced, ..Policy::default() };
    let counted = |state: TargetState, start: &[i64]| {
        let start = Arc::new(Defined {
            migrations: start.iter().map(|version| migration("web", *version)).collect(),
            ..Defined::default()
        });
        let group = state.group.as_ref().map(|group| {
            let start = |member: &Member| (member.service == "web").then(|| start.clone());
            Arc::new(group.since(start))
        });
        let findings = compare(&[TargetState { group, ..state }], &introduced);
        let rules = |list: &[Finding]| list.iter().map(|finding| finding.rule().id()).collect::<Vec<_>>();
        (rules(&findings.open), rules(&findings.already_so))
    };
    let untouched = |own: &[i64], theirs: &[i64]| api(own, &[1], theirs).since(own, own);
    let pending = "pending-migration";
    assert_eq!(counted(untouched(&[1], &[]), &[]), (vec!["shared-history"], vec![]), "it adds the first ones");
    assert_eq!(counted(untouched(&[1], &[]), &[5]), (vec![], vec!["shared-history"]), "one was to come before");
    assert_eq!(counted(untouched(&[1], &[5]), &[]), (vec![], vec!["shared-history"]), "it is there already");
    let taken = counted(ignoring(untouched(&[1, 5], &[])), &[6]);
    assert_eq!(taken, (vec!["shared-history"], vec![pending]), "it takes a version that is taken");
    let taken = counted(ignoring(untouched(&[1, 5], &[])), &[5]);
    assert_eq!(taken, (vec![], vec!["shared-history", pending]), "it was taken before");
    let both = counted(api(&[1, 2], &[1], &[]).since(&[1], &[1]), &[5, 6]);
    assert_eq!(both, (vec![pending], vec!["shared-history"]), "it touches this service alone");
}
