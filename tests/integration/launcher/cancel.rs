//! A step that is cancelled: the runner sends SIGINT to node, then SIGTERM, and kills what is left after ten seconds.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::download::{command, of_another_system};
use super::{Action, ONE, finish, repository};
use crate::github::stand_in::{Reply, StandIn};
use crate::shared::repository::Repository;

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];
/// How long what is waited for may take before the test gives up: nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `what` gives something.
fn wait_for<T>(what: impl FnMut() -> Option<T>) -> T {
    let mut what = what;
    let start = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "nothing happened for {PATIENCE:?}");
        sleep(Duration::from_millis(5));
    }
}

/// A step that has begun, which is ended with the test.
struct Step(Child);

impl Step {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("node starts; scripts/test installs it"))
    }

    /// The process of the program.
    fn program(&self) -> u32 {
        let node = self.0.id();
        wait_for(|| {
            let children = std::fs::read_to_string(format!("/proc/{node}/task/{node}/children")).unwrap();
            children.split_whitespace().next().map(|child| child.parse().unwrap())
        })
    }

    /// As `signal`, and neither node nor the program is left.
    fn cancel(mut self, signal: &str, code: i32) {
        let program = self.program();
        assert!(exists(program));
        self.signal(signal, code);
        assert!(!exists(program), "the program outlives SIG{signal}");
    }

    /// Sends the signal to node alone, as the runner does, and holds how long it then takes, and the exit code.
    fn signal(&mut self, signal: &str, code: i32) {
        let sent = Instant::now();
        let kill = ["-c".to_owned(), format!("kill -{signal} {}", self.0.id())];
        assert!(Command::new("sh").args(kill).status().unwrap().success());
        let status = wait_for(|| self.0.try_wait().unwrap());
        assert!(sent.elapsed() < Duration::from_secs(5), "{:?} after SIG{signal}", sent.elapsed());
        assert_eq!(status.code(), Some(code), "SIG{signal}");
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        // It is gone, but where a test fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn exists(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

/// A connection to a server that takes every connection and never says a word.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    wait_for(|| match listener.accept() {
        Ok((client, _)) => Some(client),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    })
}

/// What the runner says of a run whose check is one of its own, on a stand-in for GitHub.
fn on_github(api: &str) -> [(&str, &str); 6] {
    [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "octo/demo"),
        ("GITHUB_SHA", "1111111111111111111111111111111111111111"),
        ("GITHUB_API_URL", api),
        ("INPUT_TOKEN", "ghs_t0kenZv9w"),
        ("INPUT_REPORT", "check-run"),
    ]
}

#[test]
fn a_step_is_gone_at_once_while_databases_hang_and_its_check_is_completed() {
    for (signal, code) in SIGNALS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let repository = Repository::new().file("migrations/1_one.sql", ONE).config(&format!(
            "defaults: {{ migrations: migrations }}\nservices: {{ a: {{}} }}\nenvironments:\n  \
             one: {{ database-url: 'postgres://u@{server}/d' }}\n  two: {{ database-url: 'mysql://u@{server}/d' }}\n"
        ));
        let (action, github) = (Action::new(), StandIn::start(|_| Reply::json(201, r#"{"id": 42}"#)));
        let step = Step::start(&mut action.node("index.js", repository.path(), &on_github(&github.url)));
        let _clients = [accept(&listener), accept(&listener)];
        step.cancel(signal, code);
        assert_eq!(action.state(), "begun=true\n");
        assert_eq!(github.requests().len(), 0);

        let environment = [&on_github(&github.url)[..], &[("STATE_begun", "true")]].concat();
        let post = action.run("post.js", repository.path(), &environment);
        assert_eq!((post.code, github.requests().len()), (0, 1), "{post}");
        let check = github.requests()[0].json();
        assert_eq!((&check["status"], &check["conclusion"]), (&"completed".into(), &"cancelled".into()));
    }
}

#[test]
fn a_step_is_gone_at_once_while_github_hangs() {
    for (signal, code) in SIGNALS {
        let github = StandIn::start(|_| Reply::Silence);
        let (action, repository) = (Action::new(), repository(true));
        let step = Step::start(&mut action.node("index.js", repository.path(), &on_github(&github.url)));
        wait_for(|| github.requests().pop());
        step.cancel(signal, code);
        assert_eq!(action.state(), "begun=true\n");
    }
}

#[test]
fn a_program_that_stays_is_killed() {
    let action = Action::of_script("trap '' INT TERM; echo ready >\"$GITHUB_STATE.ready\"; exec sleep 600");
    let step = Step::start(&mut action.node("index.js", action.0.path(), &[]));
    wait_for(|| action.path("state.ready").exists().then_some(()));
    step.cancel("INT", 130);
    assert_eq!(action.state(), "begun=true\n");
}

#[test]
fn a_program_that_still_gets_to_its_end_has_ended() {
    let action =
        Action::of_script("trap 'exit 1' INT; echo ready >\"$GITHUB_STATE.ready\"; while :; do sleep 0.1; done");
    let step = Step::start(&mut action.node("index.js", action.0.path(), &[]));
    wait_for(|| action.path("state.ready").exists().then_some(()));
    step.cancel("INT", 130);
    assert_eq!(action.state(), "begun=true\nended=true\n");
}

#[test]
fn a_step_is_gone_at_once_while_the_program_is_downloaded() {
    for (signal, code) in SIGNALS {
        let server = StandIn::start(|_| Reply::Silence);
        let action = of_another_system(&"0".repeat(64));
        let mut step = Step::start(&mut command(&action, &server.url));
        wait_for(|| server.requests().pop());
        step.signal(signal, code);
        assert_eq!(action.state(), "begun=true\n");
    }
}

#[test]
fn what_follows_a_step_may_be_cancelled_as_well_and_still_fails_no_job() {
    let action = Action::of_script("echo ready >\"$GITHUB_STATE.ready\"; exec sleep 600");
    let post = Step::start(&mut action.node("post.js", action.0.path(), &[("STATE_begun", "true")]));
    wait_for(|| action.path("state.ready").exists().then_some(()));
    post.cancel("TERM", 0);

    let server = StandIn::start(|_| Reply::Silence);
    let action = of_another_system(&"0".repeat(64));
    let mut download = command(&action, &server.url);
    let mut post = Step::start(download.arg(r#"{"stage": "post"}"#).env("STATE_begun", "true"));
    wait_for(|| server.requests().pop());
    post.signal("TERM", 0);
}

#[test]
fn what_follows_a_cancelled_step_is_told_of_it_by_the_runner() {
    let action = Action::of_script("[ \"$*\" = action ] || { echo \"$*\"; exit; }; kill -TERM $$");
    assert_eq!(finish(&mut action.node("index.js", action.0.path(), &[])).code, 143);
    // The runner hands the lines of the file over as variables.
    let state = action.state();
    let state: Vec<_> = state.lines().map(|line| line.split_once('=').unwrap()).collect();
    let state: Vec<_> = state.iter().map(|(name, value)| (format!("STATE_{name}"), *value)).collect();
    let state: Vec<_> = state.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(action.run("post.js", action.0.path(), &state).to_string(), "exit code 0\naction --abandoned\n");
}
