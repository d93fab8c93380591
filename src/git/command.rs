//! Runs the program `git`: bounded in time, without a pager, a prompt or a lock, and told nothing by way of a shell.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Git, GitError, ObjectId, PATIENCE};
use crate::text::harmless;

/// How much of what git complains of is kept.
const MOST_COMPLAINT: u64 = 4 << 10;

/// How long a look whether a command has ended waits for the next one.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// What a command left behind.
struct Done<T> {
    value: T,
    status: ExitStatus,
    complaint: String,
}

impl Git {
    /// What a command prints, which has to succeed.
    pub(super) fn text(&self, arguments: &[&str]) -> Result<String, GitError> {
        let bytes = self.read(arguments, "", whole)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What a command prints that says no by its exit code 1.
    pub(super) fn answer(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        let Done { value, status, complaint } = run(self.command(arguments), "", whole)?;
        match status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            Some(1) => Ok(None),
            _ => Err(refused(&complaint)),
        }
    }

    /// What `read` makes of the output of a command, which has to succeed.
    pub(super) fn read<T>(
        &self,
        arguments: &[&str],
        input: &str,
        read: impl FnOnce(&mut BufReader<ChildStdout>) -> io::Result<T>,
    ) -> Result<T, GitError> {
        let Done { value, status, complaint } = run(self.command(arguments), input, read)?;
        if status.success() { Ok(value) } else { Err(refused(&complaint)) }
    }

    /// Gives the contents of the objects of a `kind` whose names stand in `names`, one a line, to `each`.
    pub(super) fn batch(
        &self,
        kind: &str,
        names: &str,
        each: &mut dyn FnMut(&ObjectId, &mut dyn Read),
    ) -> Result<(), GitError> {
        self.read(&["cat-file", "--batch", "--buffer"], names, |stdout| {
            let mut header = String::new();
            loop {
                header.clear();
                if stdout.read_line(&mut header)? == 0 {
                    return Ok(());
                }
                // `NAME KIND SIZE`, or `NAME missing`.
                let mut words = header.split_whitespace();
                let (id, of) = (words.next().and_then(ObjectId::parse), words.next());
                let Some(size) = words.next().and_then(|size| size.parse().ok()) else { continue };
                let mut content = stdout.take(size);
                if let Some(id) = id.filter(|_| of == Some(kind)) {
                    each(&id, &mut content);
                }
                io::copy(&mut content, &mut io::sink())?;
                stdout.read_exact(&mut [0])?;
            }
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // What a person has configured for reading a log would leave out what is read here.
        let settings = ["core.quotePath=false", "log.follow=false", "log.showRoot=true", "log.showSignature=false"];
        command.arg("-C").arg(&self.root).arg("--no-pager");
        command.args(settings.iter().flat_map(|setting| ["-c", setting])).args(arguments);
        for name in ["GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"] {
            command.env_remove(name);
        }
        // What a partial clone has not fetched stays away: asking a server for it takes no one knows how long.
        command.envs([
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("LC_ALL", "C"),
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// All that a command prints.
fn whole(stdout: &mut BufReader<ChildStdout>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stdout.read_to_end(&mut bytes).map(|_| bytes)
}

/// git's own words, or that there is no repository.
fn refused(complaint: &str) -> GitError {
    if complaint.contains("not a git repository") {
        return GitError::NoRepository;
    }
    let line =
        complaint.lines().find(|line| !line.trim().is_empty() && !line.starts_with("warning: ")).unwrap_or("nothing");
    GitError::Refused(harmless(line.trim().trim_start_matches("fatal: ")))
}

/// Runs a command, feeds it `input` and has `read` read what it prints, for no longer than git may take.
fn run<T>(
    mut command: Command,
    input: &str,
    read: impl FnOnce(&mut BufReader<ChildStdout>) -> io::Result<T>,
) -> Result<Done<T>, GitError> {
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => GitError::NoProgram,
        _ => GitError::Refused(error.to_string()),
    };
    let mut child = command.spawn().map_err(broken)?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else { return Err(GitError::NoProgram) };
    let child = Mutex::new(child);
    let (ended, end) = channel::<()>();
    std::thread::scope(|scope| {
        // Who wants no more input closes it, and says why elsewhere.
        scope.spawn(move || drop(io::copy(&mut input.as_bytes(), &mut stdin)));
        let complaint = scope.spawn(move || complaint(stderr));
        let (watched, end) = (&child, end);
        let watch = scope.spawn(move || {
            let late = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
            if late {
                let _ = lock(watched).kill();
            }
            late
        });
        let value = read(&mut BufReader::new(stdout));
        let status = wait(&child);
        drop(ended);
        let (late, complaint) = (watch.join().unwrap_or_default(), complaint.join().unwrap_or_default());
        if late {
            return Err(GitError::TooSlow(PATIENCE));
        }
        Ok(Done { value: value.map_err(broken)?, status: status.map_err(broken)?, complaint })
    })
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits without holding the child, which somebody else may have to end. Who has closed its output ends at once.
fn wait(child: &Mutex<Child>) -> io::Result<ExitStatus> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = lock(child).try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn complaint(mut stderr: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stderr.by_ref().take(MOST_COMPLAINT).read_to_end(&mut bytes);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}
