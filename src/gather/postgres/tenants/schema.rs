//! Which schemas there are, and what the catalogues say of the history table in each.

use sqlx::postgres::PgRow;

use super::super::{literal, row};
use crate::history::{DatabaseError, Privilege};

/// A schema, as far as the catalogues tell.
pub struct Schema {
    /// What it is called.
    pub name: String,
    /// Its history table.
    pub table: Table,
}

/// The history table of a schema.
pub enum Table {
    /// There is none.
    Absent,
    /// The role lacks this.
    Forbidden(Privilege),
    /// Just as sqlx makes it, and all of it to be read.
    Plain,
    /// Something else: a view, other columns, policies on rows, a privilege on some columns.
    Odd,
}

/// Every schema with what the catalogues say of its history table: whether the role may use the schema, whether there is
/// a table, whether the role may select from it all, whether from any of it, and whether it is as sqlx makes it.
pub fn schemas(table: &str) -> String {
    const COLUMNS: [(&str, &str); 6] = [
        ("version", "int8"),
        ("description", "text"),
        ("installed_on", "timestamptz"),
        ("success", "bool"),
        ("checksum", "bytea"),
        ("execution_time", "int8"),
    ];
    let columns = COLUMNS.map(|(name, kind)| format!("(E'{name}', 'pg_catalog.{kind}'::regtype)")).join(", ");
    format!(
        "SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE'), c.oid IS NOT NULL, \
         coalesce(has_table_privilege(c.oid, 'SELECT'), false), \
         coalesce(has_any_column_privilege(c.oid, 'SELECT'), false), \
         coalesce(c.relkind = 'r' AND NOT c.relrowsecurity, false) AND {count} = \
         (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND (a.attname, a.atttypid) IN ({columns})) \
         FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = {table} \
         AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
        count = COLUMNS.len(),
        table = literal(table),
    )
}

impl Schema {
    /// The schema that a row is about.
    ///
    /// # Errors
    /// An answer that makes no sense.
    pub fn read(row: &PgRow) -> Result<Self, DatabaseError> {
        let flag = |index, name| row::text(row, index, name).map(|flag| flag == "t");
        let table = match (
            flag(1, "whether the schema may be used")?,
            flag(2, "whether there is a table")?,
            flag(3, "whether it may be read")?,
            flag(4, "whether any of it may be read")?,
            flag(5, "whether it is sqlx's")?,
        ) {
            (false, ..) => Table::Forbidden(Privilege::Usage),
            (true, false, ..) => Table::Absent,
            (true, true, _, false, _) => Table::Forbidden(Privilege::Select),
            (true, true, true, true, true) => Table::Plain,
            _ => Table::Odd,
        };
        Ok(Self { name: row::text(row, 0, "the name of a schema")?.to_owned(), table })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_be_called_anything() {
        insta::assert_snapshot!(schemas("it's"), @r"
        SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE'), c.oid IS NOT NULL, coalesce(has_table_privilege(c.oid, 'SELECT'), false), coalesce(has_any_column_privilege(c.oid, 'SELECT'), false), coalesce(c.relkind = 'r' AND NOT c.relrowsecurity, false) AND 6 = (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND (a.attname, a.atttypid) IN ((E'version', 'pg_catalog.int8'::regtype), (E'description', 'pg_catalog.text'::regtype), (E'installed_on', 'pg_catalog.timestamptz'::regtype), (E'success', 'pg_catalog.bool'::regtype), (E'checksum', 'pg_catalog.bytea'::regtype), (E'execution_time', 'pg_catalog.int8'::regtype))) FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = E'it''s' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        ");
    }
}
