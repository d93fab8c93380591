//! Getting to a server, and every way of not getting there.

use std::time::{Duration, Instant};

use migration_preflight::gather::database;
use migration_preflight::history::{DatabaseErrorKind, DatabaseUrl, Privilege};
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

use super::support::{Fixture, connect, history};
use crate::proxy;
use crate::support::{TABLE, TIMEOUT, failure, good, present, read, variable};

const SHORT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn tls_is_spoken_and_verified_as_the_url_asks() {
    let fixture = Fixture::with_history().await;
    let with = |host: &str, query: &str| {
        let mut url = fixture.url();
        url.set_host(Some(host)).unwrap();
        url.set_query(Some(query));
        url.to_string()
    };
    let ca = variable("PREFLIGHT_TEST_CA");
    let other_ca = variable("PREFLIGHT_TEST_OTHER_CA");
    fixture.execute("GRANT USAGE ON *.* TO $ROLE REQUIRE SSL").await;
    for query in ["", "ssl-mode=PREFERRED", "ssl-mode=REQUIRED", &format!("ssl-mode=VERIFY_CA&ssl-ca={ca}")] {
        assert_eq!(present(read(&with("127.0.0.1", query), TABLE).await), [good()], "{query}");
    }
    let verified = format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}");
    assert_eq!(present(read(&with("localhost", &verified), TABLE).await), [good()]);

    use DatabaseErrorKind::{TlsFile, TlsNotTrusted, TlsWrongHost};
    let refused = [
        (with("127.0.0.1", &verified), TlsWrongHost),
        (with("localhost", &format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={other_ca}")), TlsNotTrusted),
        (with("localhost", &format!("ssl-mode=VERIFY_CA&ssl-ca={other_ca}")), TlsNotTrusted),
        (with("localhost", "ssl-mode=VERIFY_IDENTITY"), TlsNotTrusted),
        (with("localhost", "ssl-mode=VERIFY_IDENTITY&ssl-ca=/nowhere.pem"), TlsFile),
    ];
    for (url, kind) in refused {
        let error = failure(&url, TABLE, TIMEOUT).await;
        assert_eq!(error.kind, kind, "{url}: {error}");
        assert!(!error.detail.is_empty());
    }
    let plain = with("127.0.0.1", "ssl-mode=DISABLED");
    assert_eq!(failure(&plain, TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Authentication);
}

#[tokio::test]
async fn a_socket_is_as_good_as_a_port() {
    let fixture = Fixture::with_history().await;
    let mut url = fixture.url();
    let socket = variable("PREFLIGHT_TEST_MARIADB_SOCKET");
    url.set_query(Some(&format!("socket={socket}")));
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
    assert_eq!(database::server(&DatabaseUrl::parse(url.as_str()).unwrap()), socket);
    url.set_query(Some("socket=/nowhere"));
    assert_eq!(failure(url.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Refused);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let fixture = Fixture::with_history().await;
    let mut url = fixture.url();
    for password in [Some("wr@ng/password"), None, Some("\u{7}bell")] {
        url.set_password(password).unwrap();
        let error = failure(url.as_str(), TABLE, TIMEOUT).await;
        assert_eq!(error.kind, DatabaseErrorKind::Authentication, "{error}");
    }
    url.set_username("nobody_at_all").unwrap();
    assert_eq!(failure(url.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Authentication);
    fixture.execute("ALTER USER $ROLE ACCOUNT LOCK").await;
    assert_eq!(fixture.failure(TABLE).await.kind, DatabaseErrorKind::Authentication);
}

#[tokio::test]
async fn an_absent_database_is_named() {
    let fixture = Fixture::new("GRANT SELECT ON *.* TO $ROLE").await;
    let mut url = fixture.url();
    url.set_path("no_such_place");
    let error = failure(url.as_str(), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::NoSuchDatabase, "{error}");
    assert_eq!(error.detail, "Unknown database 'no_such_place'");
}

#[tokio::test]
async fn a_user_that_may_not_connect_is_told_so() {
    let fixture = Fixture::new("").await;
    let error = fixture.failure(TABLE).await;
    let grant = format!("GRANT SELECT ON `{0}`.* TO `{0}`@'%';", fixture.name);
    let expected = DatabaseErrorKind::NotGranted { privilege: Privilege::Connect, grant: grant.clone() };
    assert_eq!(error.kind, expected, "{error}");
    fixture.execute(&(history(TABLE) + &grant)).await;
    assert_eq!(fixture.rows(TABLE).await, [good()], "what the help says is enough");
}

#[tokio::test]
async fn nobody_listening_is_refused_and_an_unknown_host_is_a_matter_of_dns() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = failure(&format!("mysql://u:pa55word@127.0.0.1:{port}/x"), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::Refused);
    // A label this long is turned down on this machine, without asking anybody.
    let host = "x".repeat(64);
    let error = failure(&format!("mysql://u:pa55word@{host}.invalid/x"), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::Dns, "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out_in_time() {
    let port = proxy::saying(*b"", false).await;
    let start = Instant::now();
    let error = failure(&format!("mysql://u:pa55word@127.0.0.1:{port}/x"), TABLE, Duration::from_millis(400)).await;
    assert_eq!(error.kind, DatabaseErrorKind::TimedOut);
    assert!((400..2000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_crowded_server_is_asked_again() {
    let fixture = Fixture::with_history().await;
    fixture.execute("GRANT USAGE ON *.* TO $ROLE WITH MAX_USER_CONNECTIONS 1").await;
    let held = connect(&fixture.url()).await;
    let error = failure(fixture.url().as_str(), TABLE, SHORT).await;
    assert_eq!(error.kind, DatabaseErrorKind::TooManyConnections, "{error}");

    let start = Instant::now();
    let release = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        held.close().await
    });
    assert_eq!(fixture.rows(TABLE).await, [good()]);
    assert!(start.elapsed() >= Duration::from_millis(700));
    release.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_locked_table_times_out_and_leaves_nothing_running() {
    let fixture = Fixture::with_history().await;
    let mut admin = fixture.admin().await;
    sqlx::raw_sql("LOCK TABLES _sqlx_migrations WRITE").execute(&mut admin).await.unwrap();
    let error = failure(fixture.url().as_str(), TABLE, SHORT).await;
    assert_eq!(error.kind, DatabaseErrorKind::Slow);
    assert!(error.detail.starts_with("Query execution was interrupted (max_statement_time exceeded"), "{error}");
    let mut url = Url::parse(&variable("PREFLIGHT_TEST_MARIADB_URL")).unwrap();
    url.set_query(Some("ssl-mode=DISABLED"));
    let mut other = connect(&url).await;
    let waiting = format!("SELECT count(*) FROM information_schema.processlist WHERE user = '{}'", fixture.name);
    let waiting: i64 = sqlx::query_scalar(AssertSqlSafe(waiting)).fetch_one(&mut other).await.unwrap();
    assert_eq!(waiting, 0);
}

#[tokio::test]
async fn a_server_of_another_protocol_is_unintelligible() {
    let answers: [&'static [u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x05\0\0\0\x0a8.0\0",
        b"\0\0\0\0",
        b"\x01\0\0\0\xff",
    ];
    for answer in answers {
        let port = proxy::greeting(answer).await;
        let error = failure(&format!("mysql://u:pa55word@127.0.0.1:{port}/x"), TABLE, TIMEOUT).await;
        assert_eq!(error.kind, DatabaseErrorKind::Unintelligible, "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn a_plug_in_that_sqlx_does_not_have_is_named() {
    let plugin = "client_ed25519";
    // Protocol 10, the connection's number, the first part of the nonce, what the server can do, and the other part.
    let body = [
        &b"\x0a10.11.0-MariaDB\0\x01\0\0\0abcdefgh\0\xff\xf7\x2d\x02\0\xff\x81\x15"[..],
        &[0; 10],
        b"ijklmnopqrst\0",
        plugin.as_bytes(),
        b"\0",
    ]
    .concat();
    let length = (body.len() as u32).to_le_bytes();
    let port = proxy::greeting([&length[..], &body].concat()).await;
    let error = failure(&format!("mysql://u:pa55word@127.0.0.1:{port}/x"), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::AuthenticationMethod, "{error}");
    assert_eq!(error.detail, format!("unknown authentication plugin: {plugin}"));
}
