//! Systems that the committed program is not for: what is downloaded runs only with the sum that is committed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{Action, finish};
use crate::github::stand_in::{Reply, StandIn};

const ASSET: &str = "migration-preflight-aarch64-unknown-linux-musl";
/// Stands for the program of a release.
const PROGRAM: &str = "#!/bin/sh\necho \"ran with $*\"\nexit 1\n";
const RAN: &str = "exit code 1\nran with action\n";

/// The action where the system is another, and the sum of its program this.
pub(super) fn of_another_system(sum: &str) -> Action {
    let action = Action::without_program();
    let script = "const launch = require('./launch');\n\
                  const { stage = 'step', ...system } = JSON.parse(process.argv[2] ?? '{}');\n\
                  launch[stage]({ ...launch.here(), platform: 'linux', arch: 'arm64', pauses: [1, 1], ...system });\n";
    fs::write(action.path("other.js"), script).unwrap();
    fs::write(action.path("VERSION"), "1.2.3\n").unwrap();
    let others = "0".repeat(64);
    fs::write(action.path("SHA256SUMS"), format!("{others}  {ASSET}.txt\n{sum}  {ASSET}\n")).unwrap();
    fs::create_dir(action.path("temporary")).unwrap();
    action
}

/// Its step, with downloads from `server`.
pub(super) fn command(action: &Action, server: &str) -> Command {
    let temporary = action.path("temporary");
    let environment = [
        ("GITHUB_SERVER_URL", server),
        ("GITHUB_ACTION_REPOSITORY", "octo/migration-preflight"),
        ("RUNNER_TEMP", temporary.to_str().unwrap()),
    ];
    action.node("other.js", action.0.path(), &environment)
}

fn sum(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    entries.filter(|entry| entry.file_type().is_file()).map(|entry| entry.path().display().to_string()).collect()
}

#[test]
fn each_system_has_its_own_program() {
    let action = Action::without_program();
    let script = "const { assetFor } = require('./launch');\n\
                  const systems = ['linux x64 loader', 'linux x64', 'linux arm64 loader', 'darwin x64', 'darwin arm64',\n\
                    'win32 x64', 'win32 arm64', 'linux ia32 loader', '__proto__ x'];\n\
                  for (const system of systems) {\n\
                    const [platform, arch, hasLoader] = system.split(' ');\n\
                    try { console.log(assetFor({ platform, arch, hasLoader })); } catch (e) { console.log(e.message); }\n\
                  }\n";
    fs::write(action.path("systems.js"), script).unwrap();
    insta::assert_snapshot!(action.run("systems.js", action.0.path(), &[]), @"
    exit code 0
    migration-preflight-x86_64-unknown-linux-gnu
    migration-preflight-x86_64-unknown-linux-musl
    migration-preflight-aarch64-unknown-linux-musl
    migration-preflight-x86_64-apple-darwin
    migration-preflight-aarch64-apple-darwin
    migration-preflight-x86_64-pc-windows-msvc.exe
    there is no migration-preflight for win32 on arm64: use a runner with Linux on x64
    there is no migration-preflight for linux on ia32: use a runner with Linux on x64
    there is no migration-preflight for __proto__ on x: use a runner with Linux on x64
    ");
}

#[test]
fn the_program_of_the_release_runs_and_is_downloaded_once_a_job() {
    let server = StandIn::start(|_| Reply::json(200, PROGRAM));
    let action = of_another_system(&sum(PROGRAM));
    for _ in 0..2 {
        assert_eq!(finish(&mut command(&action, &server.url)).to_string(), RAN);
        assert_eq!(server.requests().len(), 1);
    }
    let request = &server.requests()[0];
    let path = format!("/octo/migration-preflight/releases/download/v1.2.3/{ASSET}");
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", path.as_str()));
    assert_eq!(request.header("authorization"), None);
    // What is there is held against the sum each time.
    let kept = files(&action.path("temporary"));
    assert_eq!(kept.len(), 1, "{kept:?}");
    fs::write(&kept[0], "#!/bin/sh\necho another\n").unwrap();
    assert_eq!(finish(&mut command(&action, &server.url)).to_string(), RAN);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_program_with_another_sum_is_refused_and_nothing_of_it_is_left() {
    let server = StandIn::start(|_| Reply::json(200, "#!/bin/sh\necho ran\n"));
    let action = of_another_system(&sum(PROGRAM));
    let run = finish(&mut command(&action, &server.url));
    assert_eq!((run.code, run.stdout.lines().count()), (3, 1), "{run}");
    assert!(run.stdout.contains(&format!("and that of the release {}", sum(PROGRAM))), "{run}");
    assert_eq!(files(&action.path("temporary")), Vec::<String>::new());
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    let replies: [fn() -> Reply; 2] = [|| Reply::json(503, ""), || Reply::HangUp];
    for reply in replies {
        let server = StandIn::start(move |n| if n < 2 { reply() } else { Reply::json(200, PROGRAM) });
        let action = of_another_system(&sum(PROGRAM));
        assert_eq!(finish(&mut command(&action, &server.url)).to_string(), RAN);
    }
}

#[test]
fn a_redirection_is_followed_as_github_redirects_downloads() {
    let storage = StandIn::start(|_| Reply::json(200, PROGRAM));
    let elsewhere = format!("{}/storage", storage.url);
    let server = StandIn::start(move |_| Reply::json(302, "").with("location", &elsewhere));
    let action = of_another_system(&sum(PROGRAM));
    assert_eq!(finish(&mut command(&action, &server.url)).to_string(), RAN);
}

#[test]
fn a_download_that_fails_is_told_in_time_and_leaves_nothing() {
    type Case<'a> = (&'a str, fn() -> Reply, u32, &'a str, usize);
    let cases: [Case; 5] = [
        ("absent", || Reply::json(404, "Not Found"), 60, "(HTTP status 404)", 1),
        ("broken", || Reply::json(500, ""), 60, "(HTTP status 500)", 3),
        ("a circle", || Reply::json(302, "").with("location", "/again"), 60, "redirect count exceeded", 63),
        ("silence", || Reply::Silence, 1, "(it took more than 1 s)", 1),
        ("the end", || Reply::HangUp, 60, "other side closed", 3),
    ];
    for (what, reply, seconds, words, requests) in cases {
        let server = StandIn::start(move |_| reply());
        let action = of_another_system(&sum(PROGRAM));
        let start = Instant::now();
        let run = finish(command(&action, &server.url).arg(format!("{{\"downloadTime\": {seconds}000}}")));
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: {:?}", start.elapsed());
        assert!(run.code == 3 && run.stdout.starts_with("::error title=migration-preflight::http"), "{what}: {run}");
        assert!(run.stdout.contains(words) && run.stdout.contains("a runner with Linux on x64"), "{what}: {run}");
        assert_eq!((server.requests().len(), run.stderr.as_str()), (requests, ""), "{what}: {run}");
        assert_eq!(files(&action.path("temporary")), Vec::<String>::new());
    }
}

#[test]
fn without_a_sum_nothing_is_downloaded() {
    let server = StandIn::start(|_| Reply::json(200, PROGRAM));
    for (name, repository) in [("another", "octo/migration-preflight"), (ASSET, "")] {
        let action = of_another_system(&sum(PROGRAM));
        fs::write(action.path("SHA256SUMS"), format!("{}  {name}\n", sum(PROGRAM))).unwrap();
        let run = finish(command(&action, &server.url).env("GITHUB_ACTION_REPOSITORY", repository));
        assert!(run.code == 3 && run.stdout.contains("cannot be downloaded, because "), "{run}");
        assert!(run.stdout.contains("@vX.Y.Z), or a runner with Linux on x64\n"), "{run}");
        assert!(server.requests().is_empty());
    }
}
