//! A real runner: act, which runs the jobs of a workflow on this machine, and tells what it sees in lines of JSON.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::variable;

/// Stand-ins for the two actions that keep artifacts: a folder does.
const UPLOAD: &str = r#"
name: upload
description: Keeps a file.
inputs: { name: {}, path: {}, if-no-files-found: {} }
runs:
  using: composite
  steps:
    - shell: bash
      run: mkdir -p "$ARTIFACTS/$NAME" && cp "$FILE" "$ARTIFACTS/$NAME/"
      env: { NAME: "${{ inputs.name }}", FILE: "${{ inputs.path }}" }
"#;
const DOWNLOAD: &str = r#"
name: download
description: Gives back what was kept.
inputs: { pattern: {}, path: {} }
runs:
  using: composite
  steps:
    - shell: bash
      run: shopt -s nullglob; for kept in "$ARTIFACTS"/$PATTERN; do mkdir -p "$FOLDER"; cp -r "$kept" "$FOLDER"; done
      env: { PATTERN: "${{ inputs.pattern }}", FOLDER: "${{ inputs.path }}" }
"#;

/// A stand-in for GitHub's program, which gives back what the last run of a workflow on a branch has kept.
const GH: &str = r#"#!/usr/bin/env bash
set -euo pipefail
test -n "$GH_TOKEN" -a "$GH_REPO" = octo/demo
if [[ "$1 $2" == "run list" ]]; then
    [[ "$*" == *"--workflow histories.yml --branch main --status success "* ]]
    echo 42
else
    [[ "$1 $2 $3 $4 $6" == "run download 42 --name --dir" ]]
    mkdir -p "$7" && cp -r "$ARTIFACTS/$5/." "$7"
fi
"#;

/// The runner, and what it is given.
pub struct Runner<'a> {
    /// The repository.
    pub folder: &'a Path,
    pub secrets: &'a [(String, String)],
    /// Actions that are used by their name, and where they are.
    pub actions: &'a [(&'static str, PathBuf)],
    /// Where GitHub's API is.
    pub api: &'a str,
    /// Where artifacts are kept for another run; else they are gone with this one.
    pub artifacts: Option<&'a Path>,
}

/// The two actions for artifacts, as the README and this repository's own workflows use them.
const ARTIFACTS: [(&str, [&str; 2]); 2] = [
    ("upload", ["v7", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"]),
    ("download", ["v8", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"]),
];

/// What a workflow is run for.
pub struct Event<'a> {
    pub name: &'a str,
    pub payload: Value,
    pub workflow: &'a str,
}

/// What the runner saw.
pub struct Seen {
    lines: Vec<Value>,
    stderr: String,
}

/// One job, or one leg of its matrix.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Of the job. Of the legs of one matrix act tells the worst that it knows when a leg ends.
    pub result: String,
    /// Of every step of ours, by its id.
    pub steps: BTreeMap<String, String>,
    /// Those of every step of ours, by their ids and names.
    pub outputs: BTreeMap<(String, String), String>,
    pub summary: String,
    pub log: String,
}

impl Job {
    /// What one of its steps, which has an id, gives to the others.
    pub fn output(&self, step: &str, name: &str) -> &str {
        let output = self.outputs.get(&(step.to_owned(), name.to_owned()));
        output.unwrap_or_else(|| panic!("no output {name} of {step}:\n{}", self.log))
    }
}

impl Runner<'_> {
    /// Runs a workflow to its end.
    pub fn run(&self, event: &Event) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let secrets: String = self.secrets.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        for (name, content) in [
            ("event.json", event.payload.to_string().as_str()),
            ("secrets", &secrets),
            ("upload/action.yml", UPLOAD),
            ("download/action.yml", DOWNLOAD),
            ("bin/gh", GH),
        ] {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        fs::set_permissions(folder.path().join("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
        let artifacts = self.artifacts.map_or_else(|| path("artifacts"), |artifacts| artifacts.display().to_string());
        let act = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/runner/bin/act");
        assert!(act.is_file(), "act is not installed: run scripts/test");
        let mut command = Command::new(act);
        command
            .current_dir(self.folder)
            .env_clear()
            .env("PATH", format!("{}:{}", path("bin"), variable("PATH")))
            .env("HOME", folder.path())
            .args([event.name, "--json", "--no-cache-server", "--workflows", event.workflow])
            .args(["--eventpath", &path("event.json"), "--secret-file", &path("secrets")])
            .args(["--env", &format!("GITHUB_API_URL={}", self.api)])
            .args(["--env", &format!("ARTIFACTS={artifacts}")]);
        for runner in ["ubuntu-latest", "ubuntu-24.04"] {
            command.args(["--platform", &format!("{runner}=-self-hosted")]);
        }
        for (name, at) in self.actions {
            command.args(["--local-repository", &format!("{name}={}", at.display())]);
        }
        for (name, versions) in ARTIFACTS {
            for version in versions {
                let stand_in = format!("actions/{name}-artifact@{version}={}", path(name));
                command.args(["--local-repository", &stand_in]);
            }
        }
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let seen = Seen {
            lines: text(output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            stderr: text(output.stderr),
        };
        assert!(!seen.lines.is_empty(), "{}", seen.stderr);
        seen
    }
}

impl Seen {
    /// The jobs by their id, and by the values of their leg in the matrix.
    pub fn jobs(&self) -> BTreeMap<String, Job> {
        let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line["jobID"].is_string()) {
            let values = line["matrix"].as_object().into_iter().flat_map(|matrix| matrix.values());
            let mut name = vec![line["jobID"].as_str().unwrap()];
            // The keys come in the order of the alphabet.
            name.extend(values.rev().map(|value| value.as_str().unwrap()));
            let job = jobs.entry(name.join(" ")).or_default();
            if let Some(result) = line["jobResult"].as_str() {
                job.result = result.to_owned();
            }
            if let (Some(result), "Main", Some([step])) = (
                line["stepResult"].as_str(),
                line["stage"].as_str().unwrap_or_default(),
                line["stepID"].as_array().map(Vec::as_slice),
            ) {
                job.steps.insert(step.as_str().unwrap().to_owned(), result.to_owned());
            }
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            match text("command").as_str() {
                "set-output" => {
                    let step = line["stepID"][0].as_str().unwrap().to_owned();
                    job.outputs.insert((step, text("name")), text("arg"));
                }
                "summary" => job.summary += &text("content"),
                _ => {}
            }
            job.log += text("msg").trim_end();
            job.log += "\n";
        }
        jobs
    }

    /// What is shown at lines of files: how grave, in which file, in which words.
    pub fn annotations(&self) -> Vec<(String, String, String)> {
        let levels = ["error", "warning", "notice"];
        let told = self.lines.iter().filter(|line| levels.iter().any(|level| line["command"] == *level));
        told.map(|line| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&line["command"]), text(&line["kvPairs"]["file"]), text(&line["arg"]))
        })
        .collect()
    }

    /// Everything that people get to see: all but the lines that tell the runner what to mask.
    pub fn shown(&self) -> String {
        let shown = self.lines.iter().filter(|line| line["command"] != "add-mask");
        shown.map(|line| format!("{line}\n")).collect::<String>() + &self.stderr
    }

    /// What the runner was told to mask.
    pub fn masked(&self) -> Vec<&str> {
        self.lines.iter().filter(|line| line["command"] == "add-mask").filter_map(|line| line["arg"].as_str()).collect()
    }

    /// The log of the jobs, for a test that fails.
    pub fn log(&self) -> String {
        let messages = self.lines.iter().filter_map(|line| Some((line["job"].as_str()?, line["msg"].as_str()?)));
        messages.map(|(job, message)| format!("{job}: {}\n", message.trim_end())).collect::<String>() + &self.stderr
    }
}

/// Makes a command of git that reads no configuration of the user's.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env_clear()
        .env("PATH", variable("PATH"))
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .args(["-c", "user.name=demo", "-c", "user.email=demo@example.org"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
