//! Reads the history of one target from its database. Bounded in time; never writes.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tracing::Instrument;

use crate::gather::agreement::Histories;
use crate::gather::{mysql, postgres, sqlite};
use crate::history::{DatabaseError, DatabaseErrorKind, DatabaseUrl, Engine, History, LookUp};
use crate::secret::Secrets;
use crate::table_name;
use crate::tenants::Selection;

/// The first pause before another attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// By how much a database gives up before we do, at most; a quarter of the time that is left, otherwise.
const LONGEST_LEAD: Duration = Duration::from_secs(1);

/// The history that `look_up` leads to, read within `timeout`.
///
/// # Errors
/// Every reason for which the history cannot be read, with nothing secret in it.
pub async fn history(url: &DatabaseUrl, look_up: &LookUp, timeout: Duration) -> Result<History, DatabaseError> {
    tracing::debug!(server = server(url), table = look_up.table, "reading the history");
    patiently(timeout, |budget| {
        let (url, look_up) = (url.clone(), look_up.clone());
        async move {
            match url.engine() {
                Engine::Postgres => postgres::history(&url, &look_up, budget).await,
                Engine::Sqlite => sqlite::history(&url, &look_up.table, budget).await,
                Engine::MySql => mysql::history(&url, &look_up, budget).await,
            }
        }
    })
    .await
}

/// The histories of the tenants that `selection` takes, on one connection and within `timeout`.
///
/// # Errors
/// Every reason for which none of them can be read, with nothing secret in it.
pub async fn tenants(
    url: &DatabaseUrl,
    look_up: &LookUp,
    selection: &Selection,
    timeout: Duration,
) -> Result<Histories, DatabaseError> {
    if table_name::parse(&look_up.table, url.engine())?.schema.is_some() {
        return Err(DatabaseError::new(DatabaseErrorKind::TenantsShareTable, format!("`{}`", look_up.table)));
    }
    tracing::debug!(server = server(url), table = look_up.table, tenants = %selection, "reading the histories");
    patiently(timeout, |budget| {
        let (url, look_up, selection) = (url.clone(), look_up.clone(), selection.clone());
        async move {
            match url.engine() {
                Engine::Postgres => postgres::tenants::histories(&url, &look_up, &selection, budget).await,
                Engine::MySql => mysql::tenants::histories(&url, &look_up, &selection, budget).await,
                Engine::Sqlite => Err(DatabaseError::new(DatabaseErrorKind::NotPartitioned(selection.partition), "")),
            }
        }
    })
    .await
}

/// What `read` makes of the time that it is given, within `timeout` in all.
///
/// A server that says that it cannot serve at the moment is asked again until the time is up: it may be starting, or
/// other targets of the same run may be what fills it. Nothing else is tried twice.
async fn patiently<T, R>(timeout: Duration, read: impl Fn(Duration) -> R) -> Result<T, DatabaseError>
where
    T: Send + 'static,
    R: Future<Output = Result<T, DatabaseError>> + Send + 'static,
{
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut last = None;
    for number in 1.. {
        let left = timeout.saturating_sub(start.elapsed());
        let error = match tokio::time::timeout(left, attempt(read(budget(left)))).await {
            Ok(Err(error)) if error.kind.passes_by_itself() => error,
            Ok(answer) => return answer,
            Err(_) => break,
        };
        let pause_now = pause.mul_f64(jitter());
        let is_over = start.elapsed().saturating_add(pause_now) >= timeout;
        tracing::debug!(number, %error, pause = ?pause_now, is_over, "the attempt failed, and may be repeated");
        last = Some(error);
        if is_over {
            break;
        }
        tokio::time::sleep(pause_now).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    // What the server said is a better explanation than that it said nothing the last time.
    Err(last.unwrap_or_else(|| DatabaseError::new(DatabaseErrorKind::TimedOut, within(timeout))))
}

/// What the driver takes for a password beside that of the URL.
pub fn secrets(url: &DatabaseUrl) -> Secrets {
    match url.engine() {
        Engine::Postgres => postgres::secrets(url),
        Engine::Sqlite | Engine::MySql => Secrets::default(),
    }
}

/// What names the server in a limit on simultaneous connections: `host:port`, a socket, or the path of an SQLite file.
/// It holds no secret.
pub fn server(url: &DatabaseUrl) -> String {
    let server = match url.engine() {
        Engine::Postgres => postgres::server(url),
        Engine::Sqlite => sqlite::server(url),
        Engine::MySql => mysql::server(url),
    };
    server.unwrap_or_else(|| "malformed".to_owned())
}

/// Reads in a task of its own, because the driver never pauses while a server sends without pause: the timeout and the
/// other targets have to go on. The set ends the task when it is dropped.
async fn attempt<T: Send + 'static>(
    read: impl Future<Output = Result<T, DatabaseError>> + Send + 'static,
) -> Result<T, DatabaseError> {
    let mut reading = JoinSet::new();
    reading.spawn(read.in_current_span());
    // A driver trusts the lengths that a server sends; one that speaks another protocol can make it panic. What it
    // says then may hold anything: it stands in the log, redacted, and not in the report.
    reading.join_next().await.and_then(Result::ok).unwrap_or_else(|| {
        Err(DatabaseError::new(DatabaseErrorKind::Unintelligible, "the driver gave up on what the server sent"))
    })
}

/// How long the database itself may take. It gives up a little before we do, so that its own words are heard and nothing
/// is left running there.
pub fn budget(left: Duration) -> Duration {
    left - (left / 4).min(LONGEST_LEAD)
}

fn within(timeout: Duration) -> String {
    format!("waited {} s", timeout.as_secs_f64())
}

/// Between a half and one and a half, so that targets that were turned away together do not come back together.
fn jitter() -> f64 {
    // Keyed anew for each state: the standard library's only source of chance.
    let random = RandomState::new().build_hasher().finish();
    0.5 + (random % 1024) as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str) -> String {
        server(&DatabaseUrl::parse(url).unwrap())
    }

    #[test]
    fn the_key_of_a_server_holds_no_secret() {
        assert_eq!(key("postgres://u:hunter22@db.example/x?password=hunter22"), "db.example:5432");
        assert_eq!(key("postgres://u:hunter22@db.example:6432/y"), "db.example:6432");
        assert_eq!(key("postgres://u:hunter22@%2Frun%2Fpg/y"), "/run/pg:5432");
        assert_eq!(key("postgres://u:12/hunter22@db.example/y"), "malformed");
        assert_eq!(key("mysql://u:hunter22@db.example/x?password=hunter22"), "db.example:3306");
        assert_eq!(key("mariadb:///x?socket=/run/my.sock"), "/run/my.sock");
        assert_eq!(key("mysql://u:hunter22@db.example"), "db.example:3306");
        assert_eq!(key("sqlite:/var/lib/app.db?mode=rwc"), "/var/lib/app.db");
        assert_eq!(key("sqlite::memory:"), "malformed");
        assert!(key("sqlite://u:hunter22@db.example/x").ends_with("/u:********@db.example/x"));
    }

    #[test]
    fn the_jitter_stays_within_its_bounds() {
        let values: Vec<f64> = (0..200).map(|_| jitter()).collect();
        assert!(values.iter().all(|value| (0.5..1.5).contains(value)));
        assert!(values.iter().any(|value| *value != values[0]));
    }
}
