//! Many reports as one: three hundred services in three environments, and eight times as many.

use migration_preflight::policy::{FailOn, Policy};
use migration_preflight::render;
use migration_preflight::report::{Part, Report, Verdict, merge, v1};

use super::*;

/// The report of one leg: a missing migration, drift with the other environments, and the same note as any other.
fn part(service: usize, environment: usize) -> Part {
    let states = vec![state(service, environment, up(1..3, "a"), rows(1..4, "a"))];
    let report = Report::new(&states, compare(&states, &Policy::default()), FailOn::Error);
    let across = Finding { scope: Scope::Run, ..report.targets[0].findings[0].clone() };
    let findings = vec![Finding { location: Some(Location { file: format!("{service}"), line: 1 }), ..across }];
    let report = Report { findings, notes: vec!["no base".into()], ..report };
    Part {
        path: format!("{service}-{environment}.json"),
        report: v1::read(&render::json(&report)).map_err(|_| String::new()),
    }
}

fn parts(services: usize) -> Vec<Part> {
    (0..services).flat_map(|service| (0..3).map(move |environment| part(service, environment))).collect()
}

fn merged(parts: Vec<Part>) -> Report {
    merge(&[], &Policy::default(), parts, FailOn::Error, None)
}

#[test]
fn the_time_of_a_merge_grows_with_the_reports_and_not_with_their_square() {
    let least = |services| {
        let parts = parts(services);
        let once = || {
            let parts = parts.clone();
            let start = processor_time();
            assert_eq!(merged(parts).targets.len(), 3 * services);
            processor_time() - start
        };
        (0..3).map(|_| once()).min().unwrap()
    };
    let (small, large) = (least(300), least(300 * GROWTH));
    let growth = large.as_secs_f64() / small.as_secs_f64();
    println!("{small:?}, {large:?}, {growth:.1} times");
    assert!(growth < MOST, "{GROWTH} times the reports took {growth:.1} times as long ({small:?}, {large:?})");
}

#[test]
fn nine_hundred_targets_fit_in_a_check_that_says_what_it_leaves_out() {
    let report = merged(parts(300));
    assert_eq!((report.verdict, report.targets.len(), report.findings.len()), (Verdict::Fail, 900, 300));
    assert_eq!(report.notes, ["no base"]);
    let page = render::markdown(&report, 65_535);
    assert!(page.len() <= 65_535 && page.contains("900 of 900 targets would not start"));
    assert!(page.contains("findings more, which the JSON report has"), "{page}");
}
