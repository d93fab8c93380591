//! `dist/*.js`, run by node as GitHub's runner runs them, with the program of this build in place of the committed one.

mod cancel;
mod download;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shared::repository::{Repository, Run};

const COMMITTED: &str = "migration-preflight-x86_64-unknown-linux-gnu";
const ONE: &str = "SELECT 1;\n";

/// The scripts of `dist` in a temporary folder, with a program beside them.
struct Action(tempfile::TempDir);

impl Action {
    /// With the program of this build.
    fn new() -> Self {
        let action = Self::without_program();
        symlink(env!("CARGO_BIN_EXE_migration-preflight"), action.path(COMMITTED)).unwrap();
        action
    }

    /// With a shell script for a program.
    fn of_script(script: &str) -> Self {
        let action = Self::without_program();
        fs::write(action.path(COMMITTED), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(action.path(COMMITTED), fs::Permissions::from_mode(0o755)).unwrap();
        action
    }

    fn without_program() -> Self {
        let action = Self(tempfile::tempdir().unwrap());
        for name in ["index.js", "post.js", "launch.js"] {
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("dist").join(name), action.path(name)).unwrap();
        }
        action
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What the step leaves for what follows it.
    fn state(&self) -> String {
        fs::read_to_string(self.path("state")).unwrap_or_default()
    }

    /// Node with one of the scripts, in a folder and with no environment but this.
    fn node(&self, script: &str, folder: &Path, environment: &[(&str, &str)]) -> Command {
        let mut node = Command::new("node");
        node.arg(self.path(script)).current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        node.env("GITHUB_STATE", self.path("state")).envs(environment.iter().copied());
        node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        node
    }

    fn run(&self, script: &str, folder: &Path, environment: &[(&str, &str)]) -> Run {
        finish(&mut self.node(script, folder, environment))
    }
}

fn finish(node: &mut Command) -> Run {
    let output = node.output().expect("node starts; scripts/test installs it");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A repository of one migration, with a database where it is applied, and one more where that is wanted.
fn repository(one_more: bool) -> Repository {
    let rows = [(1, "one", ONE), (2, "two", ONE)];
    Repository::new()
        .file("migrations/1_one.sql", ONE)
        .database("dev.db", &rows[..1 + usize::from(one_more)])
        .config("defaults: { database-url: 'sqlite:dev.db' }\n")
}

#[test]
fn inputs_arrive_and_output_and_exit_code_come_back() {
    type Case<'a> = (bool, &'a [(&'a str, &'a str)], i32, &'a str);
    let cases: [Case; 6] = [
        (false, &[], 0, "pass: the target would start"),
        (true, &[], 1, "fail: the target would not start, 1 error"),
        (true, &[("INPUT_FAIL-ON", "never"), ("INPUT_CHECK-NAME", "")], 0, "pass: "),
        (true, &[("INPUT_ENVIRONMENT", "nowhere")], 2, "error: "),
        (true, &[("INPUT_COMMENT", "perhaps")], 2, "error: the input `comment` is `perhaps`"),
        (false, &[("INPUT_CONFIG", "away.yml")], 3, "incomplete: "),
    ];
    for (one_more, inputs, code, words) in cases {
        let action = Action::new();
        let repository = repository(one_more).file("away.yml", "defaults: { database-url: 'sqlite:away.db' }\n");
        let run = action.run("index.js", repository.path(), inputs);
        let stream = if code == 2 { &run.stderr } else { &run.stdout };
        assert!(run.code == code && stream.starts_with(words), "{inputs:?}: {run}");
        assert_eq!(action.state(), "begun=true\nended=true\n");
    }
}

#[test]
fn a_program_that_is_killed_is_told_and_has_not_ended() {
    let action = Action::of_script("kill -KILL $$");
    let run = action.run("index.js", action.0.path(), &[]);
    let told = "::error title=migration-preflight::migration-preflight was ended by SIGKILL\n";
    assert_eq!((run.code, run.stdout.as_str(), action.state().as_str()), (137, told, "begun=true\n"));
}

#[test]
fn a_program_that_is_no_longer_executable_is_made_so() {
    let action = Action::of_script("exit 1");
    fs::set_permissions(action.path(COMMITTED), fs::Permissions::from_mode(0o644)).unwrap();
    let run = action.run("index.js", action.0.path(), &[]);
    assert_eq!((run.code, run.to_string().as_str()), (1, "exit code 1\n"));
}

#[test]
fn a_program_that_cannot_be_started_is_told_once() {
    let absent = Action::without_program();
    let broken = Action::of_script("");
    fs::write(broken.path(COMMITTED), "#!/nowhere/sh\n").unwrap();
    for action in [absent, broken] {
        let run = action.run("index.js", action.0.path(), &[]);
        assert!(run.code == 3 && run.stdout.starts_with("::error title=migration-preflight::"), "{run}");
        assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""), "{run}");
        assert_eq!(action.state(), "begun=true\nended=true\n", "post.js does not try it again");
    }
}

#[test]
fn the_step_does_without_the_file_for_its_state() {
    let action = Action::of_script("exit 1");
    for state in ["", "/nowhere/state"] {
        let run = action.run("index.js", action.0.path(), &[("GITHUB_STATE", state)]);
        assert_eq!(run.to_string(), "exit code 1\n");
    }
}

#[test]
fn what_follows_a_step_does_nothing_unless_the_step_was_abandoned() {
    let action = Action::of_script("echo \"$*\"; tr '\\0' '\\n' </proc/$$/environ | grep ^INPUT");
    let ended: [&[(&str, &str)]; 2] = [&[], &[("STATE_begun", "true"), ("STATE_ended", "true")]];
    for state in ended {
        assert_eq!(action.run("post.js", action.0.path(), state).to_string(), "exit code 0\n", "{state:?}");
    }
    let run = action.run("post.js", action.0.path(), &[("STATE_begun", "true"), ("INPUT_CHECK-NAME", "mine")]);
    assert_eq!(run.to_string(), "exit code 0\naction --abandoned\nINPUT_CHECK-NAME=mine\n");
    assert_eq!(action.state(), "", "it is no step itself");
}

#[test]
fn what_follows_a_step_never_fails_a_job() {
    let abandoned = [("STATE_begun", "true"), ("STATE_ended", "")];
    let cases = [(Action::of_script("exit 7"), "(exit code 7)"), (Action::of_script("kill -KILL $$"), "(SIGKILL)")];
    for (action, words) in cases.into_iter().chain([(Action::without_program(), "no such file")]) {
        let run = action.run("post.js", action.0.path(), &abandoned);
        assert!(run.code == 0 && run.stdout.starts_with("::warning title=migration-preflight::"), "{run}");
        assert!(run.stdout.contains(words), "{run}");
    }
}
