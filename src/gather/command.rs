//! Reads the history of one target by way of a command, and the password of one from another. Bounded in time and in
//! what is read; the command gets SQL that only reads.

mod complaint;
mod process;

use std::path::Path;
use std::time::{Duration, Instant};

use complaint::Complaint;
use process::{Ended, Handed};

use crate::gather::answer::{Answer, odd};
use crate::gather::database::budget;
use crate::gather::{mysql, postgres, sqlite};
use crate::history::{
    AbsentTable, Command, DatabaseCommand, DatabaseError, DatabaseErrorKind as Kind, Engine, History, LookUp, QueryBy,
};
use crate::secret::{Secrets, holds_secret};
use crate::table_name::{self, TableName};

/// No password is longer; a token of a cloud's has two thousand letters.
const MOST_PASSWORD: usize = 64 << 10;

/// The history that `look_up` leads to, as the client of `command` prints it, within `timeout`.
///
/// # Errors
/// Every reason for which it cannot be read, with nothing secret in it.
pub async fn history(
    command: &DatabaseCommand,
    look_up: &LookUp,
    folder: &Path,
    timeout: Duration,
) -> Result<History, DatabaseError> {
    let start = Instant::now();
    let name = table_name::parse(&look_up.table, command.engine)?;
    let client = Client::of(command.engine);
    tracing::debug!(program = command.command.program, table = look_up.table, "running the command");
    let asked = ask(command, &(client.rows)(&name, budget(timeout)), folder, timeout).await?;
    let failure = match asked.result {
        Ok(answer) => match (client.history)(answer, look_up, &name) {
            Ok(history) => return Ok(history),
            Err(error) => error,
        },
        Err(error) => error,
    };
    // The table may not be there. A second question tells, but only where the first one has come to a database that
    // knows: whoever is not let in is not to be turned away twice.
    let left = timeout.saturating_sub(start.elapsed());
    if !(client.may_miss)(&asked.complaint.text(), &name) {
        return Err(failure);
    }
    let place = ask(command, &(client.place)(&name, budget(left)), folder, left).await;
    match place.and_then(|asked| asked.result).and_then(|answer| (client.absence)(&answer, look_up, &name)) {
        Ok(Some(absent)) => Ok(History::Absent(absent)),
        _ => Err(failure),
    }
}

/// The password that a command prints, within `timeout`.
///
/// # Errors
/// The command fails, or prints no password.
pub async fn password(command: &Command, folder: &Path, timeout: Duration) -> Result<String, DatabaseError> {
    let of_password = |error: DatabaseError| {
        let detail = format!("`password-command`: {}", error.detail);
        DatabaseError { detail, ..error }
    };
    let mut printed = Vec::new();
    let read = |piece: &[u8]| {
        printed.extend_from_slice(piece);
        if printed.len() > MOST_PASSWORD { Err(odd("it printed more than any password")) } else { Ok(()) }
    };
    let ended =
        run(command, &Handed { argument: None, input: None }, folder, timeout, read).await.map_err(of_password)?;
    if !ended.status.success() {
        return Err(of_password(failed(command, &ended, pieces(&String::from_utf8_lossy(&printed)))));
    }
    let printed = String::from_utf8(printed).map_err(|_| of_password(odd("it printed what is no UTF-8")))?;
    match printed.trim_end_matches(['\r', '\n']) {
        "" => Err(of_password(odd("it printed nothing"))),
        lines if lines.contains(['\r', '\n']) => Err(of_password(odd("it printed more than one line"))),
        password => Ok(password.to_owned()),
    }
}

/// What may be the password of what was printed beside it: a line of it, or a word.
fn pieces(printed: &str) -> Secrets {
    let words = printed.split_whitespace().map(|word| word.trim_matches(|letter: char| "\"',:{}[]".contains(letter)));
    let each = printed.lines().map(str::trim).chain(words).map(|piece| {
        let mut secrets = Secrets::default();
        secrets.add_plain_password(piece);
        secrets
    });
    // All at once: they may be many.
    let mut secrets = Secrets::default();
    secrets.extend(each);
    secrets
}

/// What is asked of one engine's client, and what its answer means.
struct Client {
    rows: fn(&TableName, Duration) -> String,
    history: fn(Answer, &LookUp, &TableName) -> Result<History, DatabaseError>,
    may_miss: fn(&str, &TableName) -> bool,
    place: fn(&TableName, Duration) -> String,
    absence: fn(&Answer, &LookUp, &TableName) -> Result<Option<AbsentTable>, DatabaseError>,
}

/// The client of an engine: the functions of its module.
macro_rules! client {
    ($engine:ident) => {{
        use $engine::client::{absence, history, may_miss, place, rows};
        Client { rows, history, may_miss, place, absence }
    }};
}

impl Client {
    fn of(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => client!(postgres),
            Engine::MySql => client!(mysql),
            Engine::Sqlite => client!(sqlite),
        }
    }
}

/// What came of a question.
struct Asked {
    result: Result<Answer, DatabaseError>,
    /// What the command wrote to standard error.
    complaint: Complaint,
}

/// # Errors
/// The command did not come to its end.
async fn ask(command: &DatabaseCommand, query: &str, folder: &Path, timeout: Duration) -> Result<Asked, DatabaseError> {
    let line = format!("{query}\n");
    let handed = match command.query {
        QueryBy::Argument => Handed { argument: Some(query), input: None },
        QueryBy::Stdin => Handed { argument: None, input: Some(&line) },
    };
    let mut answer = Answer::default();
    let ended = run(&command.command, &handed, folder, timeout, |piece| answer.read(piece)).await?;
    // A client that reads its input to the end says by its words alone that the query failed.
    let says_so = !answer.is_one() && !ended.complaint.text().trim().is_empty();
    let result = match ended.status.success() && !says_so {
        true => Ok(answer),
        false => Err(failed(&command.command, &ended, Secrets::default())),
    };
    Ok(Asked { result, complaint: ended.complaint })
}

/// Runs a command to its end, or ends it.
async fn run(
    command: &Command,
    handed: &Handed<'_>,
    folder: &Path,
    timeout: Duration,
    read: impl FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<Ended, DatabaseError> {
    let running = process::run(command, handed, folder, read);
    tokio::time::timeout(timeout, running).await.unwrap_or_else(|_| {
        let detail = format!("`{}` was ended after {} s", command.program, timeout.as_secs_f64());
        Err(DatabaseError::new(Kind::CommandTimedOut, detail))
    })
}

/// The failure of a command in its own words, without what is secret and without `printed`. What it prints beside them is
/// never told: that may be anything.
fn failed(command: &Command, Ended { status, complaint }: &Ended, printed: Secrets) -> DatabaseError {
    let mut secrets = of_environment();
    secrets.extend([command.secrets().clone(), printed]);
    let words = complaint.told(&secrets);
    let program = &command.program;
    let end = match status.code() {
        Some(0) => "did not do what was asked".to_owned(),
        Some(code) => format!("ended with exit code {code}"),
        None => "was ended".to_owned(),
    };
    let colon = if words.is_empty() { ", and does not say why" } else { ": " };
    DatabaseError::new(Kind::CommandFailed, format!("`{program}` {end}{colon}{words}"))
}

/// What the environment may hold in secret: a command inherits it, and is free to print it.
fn of_environment() -> Secrets {
    let mut secrets = Secrets::default();
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let is_secret = holds_secret(&name, value.trim());
        if is_secret {
            secrets.add_plain_password(value.trim());
        }
        if is_secret || value.contains("://") {
            secrets.add_value(value.trim());
        }
    }
    secrets
}
