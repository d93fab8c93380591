//! PostgreSQL, and PgBouncer before it.

use migration_preflight::history::{DatabaseErrorKind as Kind, Privilege};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use url::Url;

use super::{Fault, expect, parroted, through, with, wrong_password};
use crate::proxy;
use crate::support::{CREATE, Fixture, TABLE, history, variable};

/// A server that says this in place of asking for a password.
async fn refusing(code: &str, message: &str) -> u16 {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let length = (fields.len() as u32 + 4).to_be_bytes();
    proxy::saying([b"E", &length[..], fields.as_bytes()].concat(), true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached() {
    let fixture = Fixture::with_history().await;
    let upstream = format!("127.0.0.1:{}", fixture.url().port().unwrap());
    let host = format!("{}.invalid", "x".repeat(64));
    let socket = |url: &mut Url| url.set_query(Some("host=/nowhere"));
    expect(vec![
        Fault::new("dns", with(fixture.url(), |url| url.set_host(Some(&host)).unwrap()), Kind::Dns, ""),
        Fault::new("refused", through(fixture.url(), 1), Kind::Refused, "refused"),
        Fault::new("no-socket", with(fixture.url(), socket), Kind::Refused, ""),
        Fault::new(
            "black-hole",
            through(fixture.url(), proxy::saying(*b"", false).await),
            Kind::TimedOut,
            "waited 3 s",
        ),
        Fault::new("hang-up", through(fixture.url(), proxy::saying(*b"", true).await), Kind::HungUp, ""),
        Fault::new("reset", through(fixture.url(), proxy::cutting(upstream, 10, true).await), Kind::HungUp, ""),
        Fault::new(
            "http",
            through(fixture.url(), proxy::saying(*b"HTTP/1.1 400 Bad\r\n\r\n", true).await),
            Kind::Unintelligible,
            "",
        ),
        Fault::new(
            "starting",
            through(fixture.url(), refusing("57P03", "the database system is starting up").await),
            Kind::NotServing,
            "is starting up",
        ),
        Fault::new(
            "parrot",
            through(fixture.url(), refusing("XX000", &parroted()).await),
            Kind::Unintelligible,
            "you said ***",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tls_keeps_apart() {
    let fixture = Fixture::with_history().await;
    fixture.execute("CREATE ROLE tls_only").await;
    let other = Fixture::new(&(history(TABLE) + "GRANT tls_only TO $ROLE")).await;
    let on = |server: &str, host: &str, query: &str| {
        let mut url = fixture.url_on(server);
        url.set_host(Some(host)).unwrap();
        url.set_query(Some(query));
        url.to_string()
    };
    let (server, replica) = ("PREFLIGHT_TEST_POSTGRES_URL", "PREFLIGHT_TEST_REPLICA_URL");
    let trusting = format!("sslmode=verify-full&sslrootcert={}", variable("PREFLIGHT_TEST_CA"));
    let suspicious = format!("sslmode=verify-full&sslrootcert={}", variable("PREFLIGHT_TEST_OTHER_CA"));
    expect(vec![
        Fault::new(
            "not-offered",
            on("PREFLIGHT_TEST_PGBOUNCER_URL", "127.0.0.1", "sslmode=require"),
            Kind::TlsNotOffered,
            "",
        ),
        Fault::new("demanded", other.url(), Kind::NotAdmitted, "pg_hba.conf"),
        Fault::new("not-trusted", on(server, "localhost", &suspicious), Kind::TlsNotTrusted, "UnknownIssuer"),
        Fault::new("expired", on(replica, "localhost", &trusting), Kind::TlsExpired, "expired"),
        Fault::new("wrong-host", on(server, "127.0.0.1", &trusting), Kind::TlsWrongHost, "not valid for"),
        Fault::new("no-file", on(server, "localhost", "sslmode=verify-ca&sslrootcert=/none.pem"), Kind::TlsFile, ""),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_let_the_role_in() {
    let fixture = Fixture::with_history().await;
    let closed = Fixture::new("REVOKE CONNECT ON DATABASE $ROLE FROM PUBLIC").await;
    let crowded = Fixture::new("ALTER ROLE $ROLE CONNECTION LIMIT 1").await;
    let held = PgConnection::connect(crowded.url().as_str()).await.unwrap();
    let wrong = |url: &mut Url| url.set_password(Some(&wrong_password())).unwrap();
    let mut pooled = fixture.url_on("PREFLIGHT_TEST_PGBOUNCER_URL");
    wrong(&mut pooled);
    let grant = format!("GRANT CONNECT ON DATABASE \"{0}\" TO \"{0}\";", closed.name);
    let connect = Kind::NotGranted { privilege: Privilege::Connect, grant };
    expect(vec![
        Fault::new("password", with(fixture.url(), wrong), Kind::Authentication, "password authentication failed"),
        Fault::new("pooled-password", pooled, Kind::Authentication, "authentication failed"),
        Fault::new(
            "stray-percent",
            with(fixture.url(), |url| url.set_password(Some("Zv9w%Xp3r")).unwrap()),
            Kind::PercentEncoding,
            "password authentication failed",
        ),
        Fault::new(
            "no-database",
            with(fixture.url(), |url| url.set_path("none")),
            Kind::NoSuchDatabase,
            "\"none\" does not exist",
        ),
        Fault::new("no-connect", closed.url(), connect, "permission denied for database"),
        Fault::new("crowded", crowded.url(), Kind::TooManyConnections, "too many connections for role"),
    ])
    .await;
    held.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_is_not_handed_out() {
    let no_schema = Fixture::new(&("CREATE SCHEMA ops;".to_owned() + &history("ops.history"))).await;
    let usage = Kind::NotGranted {
        privilege: Privilege::Usage,
        grant: format!("GRANT USAGE ON SCHEMA \"ops\" TO \"{}\";", no_schema.name),
    };
    let no_table = Fixture::new(&history(TABLE)).await;
    let odd =
        Fixture::new("CREATE TABLE _sqlx_migrations (version INT, what TEXT); GRANT ALL ON _sqlx_migrations TO $ROLE")
            .await;
    let locked = Fixture::with_history().await;
    let mut lock = locked.admin().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE").execute(&mut lock).await.unwrap();
    let long = Fixture::new(&format!(
        "CREATE TABLE {TABLE} {CREATE}; INSERT INTO {TABLE} SELECT n, repeat('x', 200), now(), true, sha384('x'), n
         FROM generate_series(1, 5000) n; GRANT SELECT ON {TABLE} TO $ROLE"
    ))
    .await;
    let upstream = format!("127.0.0.1:{}", long.url().port().unwrap());
    let cut = |reset| proxy::cutting(upstream.clone(), 300_000, reset);
    let select = Kind::NotGranted {
        privilege: Privilege::Select,
        grant: format!("GRANT SELECT ON \"public\".\"{TABLE}\" TO \"{}\";", no_table.name),
    };
    expect(vec![
        Fault::new("no-usage", no_schema.url(), usage, "permission denied for schema ops").of_table("ops.history"),
        Fault::new("no-select", no_table.url(), select, "permission denied for table _sqlx_migrations"),
        Fault::new("odd-table", odd.url(), Kind::WrongShape, "does not exist"),
        Fault::new("locked", locked.url(), Kind::Slow, "statement timeout"),
        Fault::new("cut", through(long.url(), cut(false).await), Kind::ConnectionLost, ""),
        Fault::new("reset", through(long.url(), cut(true).await), Kind::ConnectionLost, ""),
    ])
    .await;
}
