//! Getting to a server, and every way of not getting there.

use std::time::{Duration, Instant};

use migration_preflight::gather::database;
use migration_preflight::history::{DatabaseErrorKind, DatabaseUrl, Privilege};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

use crate::proxy;
use crate::support::{Fixture, TABLE, TIMEOUT, failure, good, present, read, variable};

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
    for query in
        ["sslmode=disable", "sslmode=prefer", "sslmode=require", &format!("sslmode=verify-ca&sslrootcert={ca}")]
    {
        assert_eq!(present(read(&with("127.0.0.1", query), TABLE).await), [good()], "{query}");
    }
    let verified = format!("sslmode=verify-full&sslrootcert={ca}");
    assert_eq!(present(read(&with("localhost", &verified), TABLE).await), [good()]);

    use DatabaseErrorKind::{TlsFile, TlsNotTrusted, TlsWrongHost};
    let refused = [
        (with("127.0.0.1", &verified), TlsWrongHost),
        (with("localhost", &format!("sslmode=verify-full&sslrootcert={other_ca}")), TlsNotTrusted),
        (with("localhost", &format!("sslmode=verify-ca&sslrootcert={other_ca}")), TlsNotTrusted),
        (with("localhost", "sslmode=verify-full"), TlsNotTrusted),
        (with("localhost", "sslmode=verify-full&sslrootcert=/nowhere.pem"), TlsFile),
    ];
    for (url, kind) in refused {
        let error = failure(&url, TABLE, TIMEOUT).await;
        assert_eq!(error.kind, kind, "{url}: {error}");
        assert!(!error.detail.is_empty());
    }
    // PgBouncer without a certificate of its own.
    let mut plain = fixture.url_on("PREFLIGHT_TEST_PGBOUNCER_URL");
    plain.set_query(Some("sslmode=require"));
    assert_eq!(failure(plain.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::TlsNotOffered);
}

#[tokio::test]
async fn a_socket_is_as_good_as_a_port() {
    let fixture = Fixture::with_history().await;
    let mut url = fixture.url();
    let socket = variable("PREFLIGHT_TEST_POSTGRES_SOCKET");
    url.set_query(Some(&format!("host={socket}")));
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
    assert!(database::server(&DatabaseUrl::parse(url.as_str()).unwrap()).starts_with(&socket));
    url.set_port(Some(1)).unwrap();
    assert_eq!(failure(url.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Refused);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let fixture = Fixture::with_history().await;
    for server in ["PREFLIGHT_TEST_POSTGRES_URL", "PREFLIGHT_TEST_PGBOUNCER_URL"] {
        let mut url = fixture.url_on(server);
        url.set_password(Some("wr@ng/password")).unwrap();
        let error = failure(url.as_str(), TABLE, TIMEOUT).await;
        assert_eq!(error.kind, DatabaseErrorKind::Authentication, "{error}");
        url.set_password(None).unwrap();
        assert_eq!(failure(url.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Authentication);
        url.set_username("nobody_at_all").unwrap();
        url.set_password(Some("wrong")).unwrap();
        assert_eq!(failure(url.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Authentication);
        url.set_password(Some("\u{7}bell")).unwrap();
        assert_eq!(failure(url.as_str(), TABLE, TIMEOUT).await.kind, DatabaseErrorKind::Authentication);
    }
}

#[tokio::test]
async fn an_absent_database_is_named() {
    let fixture = Fixture::with_history().await;
    // PgBouncer has to ask the absent database for the passwords of roles that its own list does not hold.
    let pooled = Url::parse(&variable("PREFLIGHT_TEST_PGBOUNCER_URL")).unwrap();
    for mut url in [fixture.url(), pooled] {
        url.set_path("no_such_place");
        let error = failure(url.as_str(), TABLE, TIMEOUT).await;
        assert_eq!(error.kind, DatabaseErrorKind::NoSuchDatabase, "{error}");
        assert!(error.detail.contains("no_such_place"), "{error}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_connect_is_told_so() {
    let fixture = Fixture::with_history().await;
    fixture.execute("REVOKE CONNECT ON DATABASE $ROLE FROM PUBLIC").await;
    let error = fixture.failure(TABLE).await;
    let grant = format!("GRANT CONNECT ON DATABASE \"{0}\" TO \"{0}\";", fixture.name);
    assert_eq!(error.kind, DatabaseErrorKind::NotGranted { privilege: Privilege::Connect, grant });
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = failure(&format!("postgres://u:pa55word@127.0.0.1:{port}/x"), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::Refused);
}

#[tokio::test]
async fn a_host_that_no_name_server_knows_is_a_matter_of_dns() {
    // A label this long is turned down on this machine, without asking anybody.
    let host = "x".repeat(64);
    let error = failure(&format!("postgres://u:pa55word@{host}.invalid/x"), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::Dns, "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out_in_time() {
    let port = proxy::saying(*b"", false).await;
    let start = Instant::now();
    let error = failure(&format!("postgres://u:pa55word@127.0.0.1:{port}/x"), TABLE, Duration::from_millis(400)).await;
    assert_eq!(error.kind, DatabaseErrorKind::TimedOut);
    assert_eq!(error.detail, "waited 0.4 s");
    assert!((400..2000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_hangs_up_is_said_to_have_done_so() {
    let port = proxy::saying(*b"", true).await;
    for mode in ["disable", "prefer", "require"] {
        let error = failure(&format!("postgres://u:pa55word@127.0.0.1:{port}/x?sslmode={mode}"), TABLE, TIMEOUT).await;
        assert_eq!(error.kind, DatabaseErrorKind::HungUp, "{mode}: {error}");
    }
}

#[tokio::test]
async fn a_server_of_another_protocol_is_unintelligible() {
    let answers: [&'static [u8]; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"J\0\0\0\x0a8.0.35\0",
        b"R\0\0\0\0",
        b"\0\0\0\0\0\0\0\0",
    ];
    for answer in answers {
        let port = proxy::saying(answer, true).await;
        for mode in ["disable", "prefer"] {
            let error =
                failure(&format!("postgres://u:pa55word@127.0.0.1:{port}/x?sslmode={mode}"), TABLE, TIMEOUT).await;
            let kinds = [DatabaseErrorKind::Unintelligible, DatabaseErrorKind::HungUp, DatabaseErrorKind::Tls];
            assert!(kinds.contains(&error.kind), "{answer:?} {mode}: {error}");
        }
    }
    let port = proxy::saying(answers[0], true).await;
    let error = failure(&format!("postgres://u:pa55word@127.0.0.1:{port}/x"), TABLE, TIMEOUT).await;
    assert_eq!(error.kind, DatabaseErrorKind::Unintelligible);
}

#[tokio::test]
async fn a_crowded_server_is_asked_again() {
    let fixture = Fixture::with_history().await;
    fixture.execute("ALTER ROLE $ROLE CONNECTION LIMIT 1").await;
    let held = PgConnection::connect(fixture.url().as_str()).await.unwrap();

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
async fn nothing_else_is_tried_twice() {
    let fixture = Fixture::with_history().await;
    let mut url = fixture.url();
    let (port, messages) = proxy::counting(format!("127.0.0.1:{}", url.port().unwrap())).await;
    url.set_port(Some(port)).unwrap();
    url.set_query(Some("sslmode=disable"));
    url.set_password(Some("wrong")).unwrap();
    failure(url.as_str(), TABLE, TIMEOUT).await;
    assert_eq!(messages.lock().unwrap().iter().filter(|kind| **kind == 'S').count(), 1);
}

#[tokio::test]
async fn a_locked_table_times_out_and_leaves_nothing_running() {
    let fixture = Fixture::with_history().await;
    let mut admin = fixture.admin().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE").execute(&mut admin).await.unwrap();
    for server in ["PREFLIGHT_TEST_POSTGRES_URL", "PREFLIGHT_TEST_PGBOUNCER_URL"] {
        let error = failure(fixture.url_on(server).as_str(), TABLE, SHORT).await;
        assert_eq!(error.kind, DatabaseErrorKind::Slow);
        assert_eq!(error.detail, "canceling statement due to statement timeout");
    }
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}' AND state = 'active'", fixture.name);
    let waiting: i64 = sqlx::query_scalar(AssertSqlSafe(waiting)).fetch_one(&mut admin).await.unwrap();
    assert_eq!(waiting, 0);
}

#[tokio::test]
async fn a_way_of_authentication_that_sqlx_does_not_have_is_told_so() {
    // Kerberos, and one that is still to come.
    for method in [b"R\0\0\0\x08\0\0\0\x07", b"R\0\0\0\x08\0\0\0\x63"] {
        let port = proxy::saying(*method, false).await;
        let url = format!("postgres://u:pa55word@127.0.0.1:{port}/x?sslmode=disable");
        let error = failure(&url, TABLE, TIMEOUT).await;
        assert_eq!(error.kind, DatabaseErrorKind::AuthenticationMethod, "{error}");
    }
}
