//! The roles of the README, which can read the history and do nothing else.

use sqlx::Connection;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use url::Url;

use crate::mysql::support as mysql;
use crate::shared::readme;
use crate::support::{Fixture, TABLE, encoded, good, history, present, read, variable};

const PASSWORD: &str = "a long random one";
/// What nobody but the service has to do there.
const CHANGES: [&str; 5] = [
    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (2, 'x', TRUE, 'x', 1)",
    "UPDATE _sqlx_migrations SET success = FALSE",
    "DELETE FROM _sqlx_migrations",
    "DROP TABLE _sqlx_migrations",
    "CREATE TABLE preflight_was_here (a INTEGER)",
];

/// The README's SQL, for a database and a role of the test.
fn sql(name: &str, database: &str, role: &str) -> String {
    readme::block(name).replace("content", database).replace("preflight", role)
}

fn url(of_database: Url, role: &str, query: &str) -> Url {
    let mut url = of_database;
    url.set_username(role).unwrap();
    url.set_password(Some(&encoded(PASSWORD))).unwrap();
    url.set_query(Some(query));
    url
}

#[tokio::test]
async fn the_role_for_postgresql_reads_the_history_and_changes_nothing() {
    let fixture = Fixture::new(&history(TABLE)).await;
    let role = format!("{}_reader", fixture.name);
    fixture.execute(&sql("the role of PostgreSQL", &fixture.name, &role)).await;
    let url = url(fixture.url(), &role, crate::support::WITHOUT_TLS);
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);

    let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
    // A connection that may write, once as it comes, and once after it has asked to.
    for (setting, expected) in [("SELECT 1", "25006"), ("SET default_transaction_read_only = off", "42501")] {
        sqlx::raw_sql(setting).execute(&mut connection).await.unwrap();
        for change in CHANGES {
            let error = sqlx::raw_sql(change).execute(&mut connection).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().unwrap(), expected, "{change}: {error}");
        }
    }
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
}

#[tokio::test]
async fn before_the_first_start_the_role_for_postgresql_sees_that_there_is_no_history() {
    let fixture = Fixture::new("").await;
    let role = format!("{}_reader", fixture.name);
    let sql = sql("the role of PostgreSQL", &fixture.name, &role);
    let (without_the_last, last) = sql.trim_end().rsplit_once('\n').unwrap();
    assert!(last.contains(TABLE), "{last}");
    fixture.execute(without_the_last).await;
    let url = url(fixture.url(), &role, crate::support::WITHOUT_TLS);
    let history = read(url.as_str(), TABLE).await.unwrap();
    assert!(matches!(history, migration_preflight::history::History::Absent(_)), "{history:?}");
}

#[tokio::test]
async fn the_role_for_mysql_reads_the_history_over_tls_and_changes_nothing() {
    let fixture = mysql::Fixture::new(&mysql::history(TABLE)).await;
    let role = format!("{}_reader", fixture.name);
    fixture.execute(&sql("the role of MySQL", &fixture.name, &role)).await;
    let mut of_database = fixture.url();
    of_database.set_host(Some("localhost")).unwrap();
    let verified = format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={}", variable("PREFLIGHT_TEST_CA"));
    let url = url(of_database, &role, &verified);
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);

    let mut connection = MySqlConnection::connect(url.as_str()).await.unwrap();
    for change in CHANGES {
        let error = sqlx::raw_sql(change).execute(&mut connection).await.unwrap_err();
        assert!(error.to_string().contains("command denied to user"), "{change}: {error}");
    }
    let mut plain = url.clone();
    plain.set_query(Some("ssl-mode=DISABLED"));
    MySqlConnection::connect(plain.as_str()).await.unwrap_err();
    assert_eq!(present(read(url.as_str(), TABLE).await), [good()]);
}
