//! Runs a program, without a shell or a terminal: what it prints is bounded by whoever reads it, and it ends with us.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::{Either, select, try_join3};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, Command};

use super::complaint::Complaint;
use crate::history::{self, DatabaseError, DatabaseErrorKind as Kind, NotStarted};

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// How long the output of a program that has ended is waited for: what it started may hold it open for ever.
const GRACE: Duration = Duration::from_millis(500);

/// How a program ended by itself.
pub struct Ended {
    /// With which exit code or signal.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub complaint: Complaint,
}

/// What a program is handed.
pub struct Handed<'a> {
    /// One more argument.
    pub argument: Option<&'a str>,
    /// All that stands on its standard input.
    pub input: Option<&'a str>,
}

/// Runs `command` in `folder`, and gives what it prints to `read`, piece by piece. Whoever drops this ends the program.
///
/// # Errors
/// It cannot be started; or `read` wants no more of it, which ends it.
pub async fn run(
    command: &history::Command,
    handed: &Handed<'_>,
    folder: &Path,
    mut read: impl FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<Ended, DatabaseError> {
    let broken = |error: io::Error| not_started(&error, &command.program, folder);
    let mut running = Running::start(prepared(command, handed, folder)).map_err(broken)?;
    let child = &mut running.child;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut complaint = Complaint::default();
    let output = {
        let keep = |piece: &[u8]| {
            complaint.add(piece);
            Ok(())
        };
        let printed = pieces(stdout, &mut read);
        let mut output = pin!(try_join3(printed, pieces(stderr, keep), feed(stdin, handed.input)));
        let ended = pin!(child.wait());
        match select(output.as_mut(), ended).await {
            Either::Left((output, ended)) => {
                output?;
                ended.await
            }
            Either::Right((status, _)) => {
                // What is late says no more.
                tokio::time::timeout(GRACE, output).await.unwrap_or(Ok(((), (), ())))?;
                status
            }
        }
    };
    let status = output.map_err(broken)?;
    running.has_ended = true;
    Ok(Ended { status, complaint })
}

/// Why `program` was not started in `folder`, as the system says by `error`.
fn not_started(error: &io::Error, program: &str, folder: &Path) -> DatabaseError {
    let why = match error.kind() {
        // The system says the same of the interpreter that a script names.
        io::ErrorKind::NotFound if program.contains('/') && folder.join(program).exists() => NotStarted::NoInterpreter,
        io::ErrorKind::NotFound => NotStarted::Absent,
        io::ErrorKind::PermissionDenied => NotStarted::Forbidden,
        io::ErrorKind::ArgumentListTooLong => NotStarted::TooLong,
        _ if is_foreign(error) => NotStarted::Foreign,
        _ => NotStarted::Other,
    };
    let words = if why == NotStarted::Other { error.to_string() } else { why.to_string() };
    DatabaseError::new(Kind::CommandNotStarted(why), format!("`{program}`: {words}"))
}

/// Whether the system takes the file for no program: ENOEXEC, for which the library has no word.
fn is_foreign(error: &io::Error) -> bool {
    #[cfg(unix)]
    return rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOEXEC);
    #[cfg(not(unix))]
    return error.raw_os_error() == Some(193);
}

fn prepared(command: &history::Command, handed: &Handed<'_>, folder: &Path) -> Command {
    let mut prepared = Command::new(&command.program);
    prepared.args(&command.arguments).args(handed.argument).current_dir(folder);
    // The inputs of the action, its token among them, are ours alone.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INPUT_")) {
        prepared.env_remove(name);
    }
    prepared.envs(command.expose().iter().map(|(name, value)| (name, value)));
    prepared.stdin(if handed.input.is_some() { Stdio::piped() } else { Stdio::null() });
    prepared.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own, so that what it starts can be ended too; and so that it can ask nobody for a password.
    #[cfg(unix)]
    prepared.process_group(0);
    prepared
}

/// A program that ends, with all that it has started, when this is dropped before it has ended by itself.
struct Running {
    child: Child,
    has_ended: bool,
}

impl Running {
    fn start(mut command: Command) -> io::Result<Self> {
        Ok(Self { child: command.spawn()?, has_ended: false })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.child.id().filter(|_| !self.has_ended)
            && let Some(group) = i32::try_from(group).ok().and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Gives what stands on `stream` to `each`, to its end.
async fn pieces(
    stream: Option<impl AsyncRead + Unpin>,
    mut each: impl FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    let Some(mut stream) = stream else { return Ok(()) };
    let mut piece = vec![0; PIECE];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(length) => each(&piece[..length])?,
        }
    }
}

/// Who wants no more input closes it, and says why elsewhere.
async fn feed(stdin: Option<ChildStdin>, input: Option<&str>) -> Result<(), DatabaseError> {
    // Closed where it ends here, so that the program sees the end.
    if let (Some(mut stdin), Some(input)) = (stdin, input) {
        let _ = tokio::io::copy(&mut input.as_bytes(), &mut stdin).await;
    }
    Ok(())
}
