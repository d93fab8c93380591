//! Which history table it is that a service writes to, as far as its URL and the table's name tell for sure. Holds
//! neither URL nor password, and is never printed.

use std::path::PathBuf;

use super::{mysql, postgres, sqlite};
use crate::gather::database::server;
use crate::history::{DatabaseUrl, Engine};
use crate::table_name::{self, TableName};

/// A history table. Two that are equal are one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Table {
    /// In a file.
    Sqlite(PathBuf, String),
    /// On a server.
    Served(Engine, Address),
}

/// Where on a server a table is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// `host:port`, or a socket.
    server: String,
    /// The database.
    database: String,
    /// What decides on the schema where the name does not.
    looked_for_by: Option<String>,
    /// The table.
    name: TableName,
}

impl Table {
    /// The table that `name` means to who connects to `url`, in the `schema` of a tenant where it is a tenant's; none where
    /// that is not sure.
    pub fn of(url: &DatabaseUrl, name: &str, schema: Option<&str>) -> Option<Self> {
        let engine = url.engine();
        let TableName { schema: written, table } = table_name::parse(name, engine).ok()?;
        let name = TableName { schema: schema.map(str::to_owned).or(written), table };
        let address = |database, looked_for_by, name| {
            Self::Served(engine, Address { server: server(url).to_ascii_lowercase(), database, looked_for_by, name })
        };
        match engine {
            Engine::Sqlite => {
                let schema = name.schema.as_deref().unwrap_or("main");
                let is_of_file = schema.eq_ignore_ascii_case("main");
                is_of_file.then(|| Some(Self::Sqlite(sqlite::file(url)?, name.table.to_ascii_lowercase())))?
            }
            Engine::MySql => {
                let TableName { schema, table } = name;
                let schema = schema.or_else(|| mysql::database(url))?;
                Some(address(schema, None, TableName { schema: None, table }))
            }
            Engine::Postgres => {
                let (database, looked_for_by) = postgres::database(url)?;
                let looked_for_by = name.schema.is_none().then_some(looked_for_by);
                Some(address(database, looked_for_by, name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: (&str, &str), other: (&str, &str)) -> bool {
        let table = |(url, name): (&str, &str)| Table::of(&DatabaseUrl::parse(url).unwrap(), name, None);
        table(one).is_some() && table(one) == table(other)
    }

    const TABLE: &str = "_sqlx_migrations";

    #[test]
    fn a_table_of_postgres_depends_on_server_database_and_who_looks_for_it() {
        let here = ("postgres://app:a@DB.example/shop", TABLE);
        assert!(same(here, ("postgresql://app:b@db.example:5432/shop?sslmode=disable", "\"_sqlx_migrations\"")));
        for other in
            ["postgres://app@db.example/other", "postgres://app@db.example:5433/shop", "mysql://app@db.example/shop"]
        {
            assert!(!same(here, (other, TABLE)), "{other}");
        }
        let (role, path) =
            ("postgres://web@db.example/shop", "postgres://app@db.example/shop?options=-csearch_path%3Dweb");
        assert!(!same(here, (role, TABLE)) && !same(here, (path, TABLE)), "the search path may be another");
        assert!(same(("postgres://app@db.example/shop", "Ops.T"), (role, "ops.t")));
        assert!(!same(here, ("postgres://app@db.example/shop", "other")));
    }

    #[test]
    fn the_table_of_a_tenant_is_in_its_schema_whoever_looks_for_it() {
        let of = |url: &str, name, schema| Table::of(&DatabaseUrl::parse(url).unwrap(), name, schema);
        let tenant = of("postgres://app@db.example/shop", TABLE, Some("Tenant.1"));
        assert_eq!(
            tenant.is_some(),
            tenant == of("postgres://web@db.example/shop", "\"Tenant.1\"._sqlx_migrations", None)
        );
        assert!(tenant != of("postgres://app@db.example/shop", TABLE, Some("tenant.1")));
        let tenant = of("mysql://app@db.example", TABLE, Some("tenant_1"));
        assert!(tenant.is_some() && tenant == of("mysql://app@db.example/tenant_1", TABLE, None));
    }

    #[test]
    fn a_table_of_mysql_depends_on_server_and_database() {
        let here = ("mysql://app@db.example/shop", TABLE);
        assert!(same(here, ("mariadb://web:x@db.example:3306/other", "shop._sqlx_migrations")));
        assert!(!same(here, ("mysql://app@db.example/other", TABLE)));
        assert!(!same(here, ("mysql://app@db.example/shop", "_SQLX_MIGRATIONS")), "on Linux they are two");
    }

    #[test]
    fn a_table_of_sqlite_depends_on_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        std::fs::write(&path, "").unwrap();
        let url = format!("sqlite:{}", path.display());
        let roundabout = format!("sqlite://{}/../{}?mode=rwc", path.display(), "app.db");
        assert!(!same((&url, TABLE), (&roundabout, TABLE)), "a file is no folder");
        let roundabout = format!("sqlite://{}/./app.db?mode=rwc", folder.path().display());
        assert!(same((&url, TABLE), (&roundabout, "MAIN._SQLX_migrations")));
        assert!(!same((&url, TABLE), (&url, "temp._sqlx_migrations")));
        assert!(!same(("sqlite::memory:", TABLE), ("sqlite::memory:", TABLE)));
    }
}
