//! MariaDB, in the name of MySQL too.

use migration_preflight::history::{DatabaseErrorKind as Kind, Privilege};
use sqlx::Connection;
use url::Url;

use super::{Fault, expect, parroted, through, with, wrong_password};
use crate::mysql::support::{CREATE, Fixture, connect, history};
use crate::proxy;
use crate::support::{TABLE, variable};

/// A server that says this in place of its greeting.
async fn refusing(number: u16, message: &str) -> u16 {
    let body = [b"\xff", &number.to_le_bytes()[..], message.as_bytes()].concat();
    let length = (body.len() as u32).to_le_bytes();
    proxy::greeting([&length[..], &body].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached() {
    let fixture = Fixture::with_history().await;
    let upstream = || format!("127.0.0.1:{}", fixture.url().port().unwrap());
    let host = format!("{}.invalid", "x".repeat(64));
    let socket = |url: &mut Url| url.set_query(Some("socket=/nowhere"));
    let garbage = proxy::greeting(*b"HTTP/1.1 400 Bad\r\n\r\n").await;
    let shutting_down = refusing(1053, "Server shutdown in progress").await;
    let stranger = refusing(1130, "Host 'h' is not allowed to connect").await;
    let parrot = refusing(1064, &parroted()).await;
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
        Fault::new("hang-up", through(fixture.url(), proxy::greeting(*b"").await), Kind::HungUp, ""),
        Fault::new("reset", through(fixture.url(), proxy::cutting(upstream(), 0, true).await), Kind::HungUp, ""),
        Fault::new("late-reset", through(fixture.url(), proxy::cutting(upstream(), 110, true).await), Kind::HungUp, ""),
        Fault::new("http", through(fixture.url(), garbage), Kind::Unintelligible, ""),
        Fault::new("shutting-down", through(fixture.url(), shutting_down), Kind::NotServing, "shutdown"),
        Fault::new("stranger", through(fixture.url(), stranger), Kind::NotAdmitted, "is not allowed to connect"),
        Fault::new("parrot", through(fixture.url(), parrot), Kind::Unintelligible, "you said ***"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tls_keeps_apart() {
    let fixture = Fixture::with_history().await;
    let on = |server: &str, host: &str, query: &str| {
        let mut url = Url::parse(&variable(server)).unwrap();
        let ours = fixture.url();
        url.set_username(ours.username()).unwrap();
        url.set_password(ours.password()).unwrap();
        url.set_host(Some(host)).unwrap();
        url.set_query(Some(query));
        url.to_string()
    };
    let (server, expired) = ("PREFLIGHT_TEST_MARIADB_URL", "PREFLIGHT_TEST_MARIADB_EXPIRED_URL");
    let trusting = format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={}", variable("PREFLIGHT_TEST_CA"));
    let suspicious = format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={}", variable("PREFLIGHT_TEST_OTHER_CA"));
    expect(vec![
        Fault::new("not-trusted", on(server, "localhost", &suspicious), Kind::TlsNotTrusted, "UnknownIssuer"),
        Fault::new("expired", on(expired, "localhost", &trusting), Kind::TlsExpired, "expired"),
        Fault::new("wrong-host", on(server, "127.0.0.1", &trusting), Kind::TlsWrongHost, "not valid for"),
        Fault::new("no-file", on(server, "localhost", "ssl-mode=VERIFY_CA&ssl-ca=/none.pem"), Kind::TlsFile, ""),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_let_the_user_in() {
    let fixture = Fixture::with_history().await;
    let closed = Fixture::new("").await;
    let everywhere = Fixture::new("GRANT SELECT ON *.* TO $ROLE").await;
    let crowded = Fixture::with_history().await;
    crowded.execute("GRANT USAGE ON *.* TO $ROLE WITH MAX_USER_CONNECTIONS 1").await;
    let tls_only = Fixture::new("GRANT USAGE ON *.* TO $ROLE REQUIRE SSL").await;
    let held = connect(&crowded.url()).await;
    let wrong = |url: &mut Url| url.set_password(Some(&wrong_password())).unwrap();
    let grant = format!("GRANT SELECT ON `{0}`.* TO `{0}`@'%';", closed.name);
    let connect = Kind::NotGranted { privilege: Privilege::Connect, grant };
    let percent = with(fixture.url(), |url| url.set_password(Some("Zv9w%Xp3r")).unwrap());
    let absent = with(everywhere.url(), |url| url.set_path("none"));
    expect(vec![
        Fault::new("password", with(fixture.url(), wrong), Kind::Authentication, "Access denied for user"),
        Fault::new("stray-percent", percent, Kind::PercentEncoding, "Access denied for user"),
        Fault::new("tls-demanded", tls_only.url(), Kind::Authentication, "Access denied for user"),
        Fault::new("no-database", absent, Kind::NoSuchDatabase, "Unknown database 'none'"),
        Fault::new("no-connect", closed.url(), connect, "Access denied for user"),
        Fault::new("crowded", crowded.url(), Kind::TooManyConnections, "max_user_connections"),
    ])
    .await;
    held.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_is_not_handed_out() {
    let no_table = Fixture::new(&(history(TABLE) + "CREATE TABLE x (x INT); GRANT SELECT ON $ROLE.x TO $ROLE")).await;
    let odd = "CREATE TABLE _sqlx_migrations (version INT, what TEXT); GRANT ALL ON $ROLE.* TO $ROLE";
    let odd = Fixture::new(odd).await;
    let locked = Fixture::with_history().await;
    let mut lock = locked.admin().await;
    sqlx::raw_sql("LOCK TABLES _sqlx_migrations WRITE").execute(&mut lock).await.unwrap();
    let long = Fixture::new(&format!(
        "CREATE TABLE {TABLE} {CREATE}; INSERT INTO {TABLE} SELECT seq, repeat('x', 200), now(), true, sha2('x', 384), seq
         FROM seq_1_to_5000; GRANT SELECT ON $ROLE.* TO $ROLE"
    ))
    .await;
    let upstream = format!("127.0.0.1:{}", long.url().port().unwrap());
    let cut = |reset| proxy::cutting(upstream.clone(), 300_000, reset);
    let select = Kind::NotGranted {
        privilege: Privilege::Select,
        grant: format!("GRANT SELECT ON `{0}`.`{TABLE}` TO `{0}`@'%';", no_table.name),
    };
    expect(vec![
        Fault::new("no-select", no_table.url(), select, "command denied to user"),
        Fault::new("odd-table", odd.url(), Kind::WrongShape, "Unknown column"),
        Fault::new("locked", locked.url(), Kind::Slow, "max_statement_time exceeded"),
        Fault::new("cut", through(long.url(), cut(false).await), Kind::ConnectionLost, ""),
        Fault::new("reset", through(long.url(), cut(true).await), Kind::ConnectionLost, ""),
    ])
    .await;
}
