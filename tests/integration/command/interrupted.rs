//! A run that is interrupted leaves no command behind.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

fn wait_for(what: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while !what() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    what()
}

#[test]
fn a_run_that_is_interrupted_ends_what_it_has_started() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for script in ["sleep 60 & wait", "trap '' INT TERM HUP; while :; do sleep 1; done"] {
            let repository = service(&format!("echo $$ > part; mv part group\n{script}\n"));
            let mut run = Command::new(env!("CARGO_BIN_EXE_migration-preflight"))
                .args(["--allow-commands", "--timeout", "50"])
                .current_dir(repository.path())
                .env_clear()
                .envs([PATH])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let group = || std::fs::read_to_string(repository.path().join("group")).unwrap_or_default();
            assert!(wait_for(|| !group().is_empty()), "{script}");
            let is_there = || Command::new("pgrep").args(["-g", group().trim()]).output().unwrap().status.success();
            assert!(is_there(), "{script}");
            let sent = Instant::now();
            Command::new("kill").args([format!("-{signal}"), run.id().to_string()]).status().unwrap();
            assert_eq!(run.wait().unwrap().code(), Some(code), "SIG{signal}: {script}");
            assert!(sent.elapsed() < Duration::from_secs(5), "SIG{signal}: {script}");
            assert!(wait_for(|| !is_there()), "SIG{signal}: {script}");
        }
    }
}
