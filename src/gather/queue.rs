//! Who may ask when: of the databases only so many at a time, in all and on one server, and the commands that print passwords.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{AcquireError, OnceCell, Semaphore};

use super::agreement::{Histories, alone};
use super::reading::{Limits, Reading, urls};
use super::{command, database, snapshot};
use crate::history::{Command, Database, DatabaseError, DatabaseErrorKind, DatabaseUrl, LookUp};
use crate::secret::Learn;
use crate::target::Target;

/// How many connections one server gets at a time, and how many commands run, whatever `--jobs` says.
const PER_SERVER: usize = 16;

/// Lets only so many connections be open at a time, in all and on one server.
pub(super) struct Queue<'a> {
    root: &'a Path,
    limits: Limits,
    learn: &'a Learn,
    all: Semaphore,
    servers: HashMap<String, Server>,
    commands: Semaphore,
    passwords: Passwords,
}

/// What each command printed that prints a password. However many targets name it, it is run once.
type Passwords = Mutex<HashMap<Command, Arc<OnceCell<Result<String, DatabaseError>>>>>;

/// What a run knows of a server.
struct Server {
    turns: Semaphore,
    /// How many targets have had no answer within their time.
    silent: AtomicUsize,
    /// Whether one has had any, and be it an error.
    has_answered: AtomicBool,
}

impl Server {
    fn new() -> Self {
        let (silent, has_answered) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { turns: Semaphore::new(PER_SERVER), silent, has_answered }
    }

    fn note<T>(&self, answer: &Result<T, DatabaseError>) {
        match answer {
            Err(error) if error.kind == DatabaseErrorKind::TimedOut => {
                self.silent.fetch_add(1, Relaxed);
            }
            _ => self.has_answered.store(true, Relaxed),
        }
    }

    /// Whether as many as may ask at a time have asked in vain: hundreds of targets would wait for minutes.
    fn seems_dead(&self) -> bool {
        self.silent.load(Relaxed) >= PER_SERVER && !self.has_answered.load(Relaxed)
    }
}

impl<'a> Queue<'a> {
    pub(super) fn new(targets: &[Target], root: &'a Path, Reading { limits, learn, .. }: &'a Reading) -> Self {
        let servers = urls(targets).map(|url| (database::server(url), Server::new())).collect();
        // A semaphore panics beyond.
        let all = Semaphore::new(limits.jobs.min(Semaphore::MAX_PERMITS));
        Self {
            root,
            limits: *limits,
            learn,
            all,
            servers,
            commands: Semaphore::new(PER_SERVER),
            passwords: Passwords::default(),
        }
    }

    /// The histories of `target`: those of its snapshot, else those of its database, once its turn has come.
    pub(super) async fn histories(&self, target: &Target, look_up: &LookUp) -> Result<Histories, DatabaseError> {
        match target.database.as_ref().map_err(Clone::clone)? {
            Database::Url(url) => self.of_url(url, look_up).await,
            Database::Command(command) => {
                let _turn = self.commands.acquire().await.map_err(closed)?;
                let _all = self.all.acquire().await.map_err(closed)?;
                command::history(command, look_up, self.root, self.limits.timeout).await.map(|read| alone(Ok(read)))
            }
            Database::Snapshot(snapshot) => snapshot::histories(snapshot, look_up, target.max_age),
        }
    }

    async fn of_url(&self, url: &DatabaseUrl, look_up: &LookUp) -> Result<Histories, DatabaseError> {
        // First the server's turn, then the run's: those who wait for a dead server hold up nobody else.
        let server = self.servers.get(&database::server(url));
        let _turn = match server {
            Some(server) => Some(server.turns.acquire().await.map_err(closed)?),
            None => None,
        };
        let _all = self.all.acquire().await.map_err(closed)?;
        if server.is_some_and(Server::seems_dead) {
            let detail = format!("not asked, because {PER_SERVER} other targets of this server had none");
            return Err(DatabaseError::new(DatabaseErrorKind::TimedOut, detail));
        }
        let url = self.with_password(url).await?;
        let answer = match &look_up.tenants {
            Some(tenants) => database::tenants(&url, look_up, tenants, self.limits.timeout).await,
            None => database::history(&url, look_up, self.limits.timeout).await.map(|read| alone(Ok(read))),
        };
        server.inspect(|server| server.note(&answer));
        answer
    }

    /// The URL with the password that a command prints, where one does.
    async fn with_password<'u>(&self, url: &'u DatabaseUrl) -> Result<Cow<'u, DatabaseUrl>, DatabaseError> {
        let Some(command) = url.password_command() else { return Ok(Cow::Borrowed(url)) };
        let password =
            self.passwords.lock().unwrap_or_else(PoisonError::into_inner).entry(command.clone()).or_default().clone();
        let password = password.get_or_init(|| command::password(command, self.root, self.limits.timeout)).await;
        let url = url.with_password(password.as_deref().map_err(Clone::clone)?)?;
        self.learn.tell(url.secrets());
        Ok(Cow::Owned(url))
    }
}

fn closed(_: AcquireError) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::ConnectionLost, "the run is ending")
}
