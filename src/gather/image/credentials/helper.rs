//! Asks a program that keeps credentials: `docker-credential-NAME get`. Bounded in time and in what it may answer; what it
//! says goes into no message, because it may be the secret.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::error::CredentialError;
use super::{Environment, Proof};

/// A helper may ask a cloud, but nobody waits for a dialogue that nobody sees.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer is longer.
const MOST_ANSWER: u64 = 64 << 10;
/// What stands in the place of a name where the secret is an identity token.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// What the helper called `name` knows of `server`; none where it knows nothing.
pub fn ask(name: &str, server: &str, environment: Environment<'_>) -> Result<Option<Proof>, CredentialError> {
    ask_within(PATIENCE, name, server, environment)
}

fn ask_within(
    patience: Duration,
    name: &str,
    server: &str,
    environment: Environment<'_>,
) -> Result<Option<Proof>, CredentialError> {
    let program = format!("docker-credential-{name}");
    let failed =
        |detail: String| CredentialError::Helper { program: program.clone(), registry: server.to_owned(), detail };
    // Never a path: only what is installed.
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return Err(failed("has a name that no helper has".to_owned()));
    }
    let (succeeded, answer) = run(&program, server, patience, environment).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failed("is not installed".to_owned()),
        io::ErrorKind::TimedOut => failed(format!("did not answer within {} s", patience.as_secs())),
        _ => failed(format!("cannot be run: {error}")),
    })?;
    if !succeeded {
        // The words of Docker's own library, on standard output.
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        return if text.contains("credentials not found") { Ok(None) } else { Err(failed("fails".to_owned())) };
    }
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|_| failed("gives an answer that is none".to_owned()))?;
    Ok(match (answer.username.as_str(), answer.secret) {
        (_, secret) if secret.is_empty() => None,
        (TOKEN, secret) => Some(Proof::IdentityToken(secret)),
        (username, password) => Some(Proof::Password { username: username.to_owned(), password }),
    })
}

/// Whether the program succeeded, and what it answered.
fn run(program: &str, input: &str, patience: Duration, environment: Environment<'_>) -> io::Result<(bool, Vec<u8>)> {
    let end = Instant::now() + patience;
    let mut command = Command::new(program);
    if let Some(path) = environment("PATH") {
        command.env("PATH", path);
    }
    let mut child = command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    // Short enough for the pipe, whether or not anybody reads it.
    let _ = io::copy(&mut input.as_bytes(), &mut stdin);
    drop(stdin);
    let (sender, receiver) = channel();
    // Not waited for: what the program has started may keep the pipe open for ever.
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        let read = stdout.take(MOST_ANSWER).read_to_end(&mut answer);
        let _ = sender.send(read.map(|_| answer));
    });
    let result = wait(&mut child, &receiver, end);
    if result.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

fn wait(child: &mut Child, answer: &Receiver<io::Result<Vec<u8>>>, end: Instant) -> io::Result<(bool, Vec<u8>)> {
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let answer = answer.recv_timeout(end.saturating_duration_since(Instant::now())).map_err(|_| late())??;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok((status.success(), answer));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(late())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_helper_that_does_not_answer_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (program, mark) = (folder.path().join("docker-credential-slow"), folder.path().join("mark"));
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        // One that waits, and one that leaves somebody behind who holds its output open.
        for script in ["exec sleep 60", "sleep 60 & echo '{}'"] {
            std::fs::write(&program, format!("#!/bin/sh\necho $$ > {}\n{script}\n", mark.display())).unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
            let environment = |name: &str| (name == "PATH").then(|| path.clone());
            let error =
                ask_within(Duration::from_millis(500), "slow", "ghcr.io", &environment).unwrap_err().to_string();
            assert!(error.contains("for ghcr.io, did not answer within 0 s; try: "), "{error}");
            let process = std::fs::read_to_string(&mark).unwrap();
            assert!(!std::path::Path::new("/proc").join(process.trim()).exists());
        }
    }
}
