//! In which schema sqlx finds, or makes, a table whose name says no schema. Pure.

use crate::history::Engine;
use crate::table_name::{identifier, names_schema};

/// The search path of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    entries: Vec<String>,
    current: Option<String>,
}

impl SearchPath {
    /// Reads the setting `search_path` and the `current_schema()` that it comes to, which is the first of its schemas
    /// that exists and may be used; both as SQL.
    pub fn new(setting: &str, current: &str) -> Self {
        let name = |text: &str| identifier(text, Engine::Postgres).ok();
        Self { entries: setting.split(',').filter_map(name).collect(), current: name(current) }
    }

    /// The schema that is current now.
    pub fn current(&self) -> Option<&String> {
        self.current.as_ref()
    }

    /// The schema that is going to be the current one: as it is, or one before it once `create_schemas` are created,
    /// or the first of all where none exists.
    pub fn current_after(&self, create_schemas: &[String]) -> Option<&String> {
        let created =
            |entry: &String| create_schemas.iter().any(|schema| names_schema(Engine::Postgres, schema, entry));
        let before = self.entries.iter().take_while(|entry| Some(*entry) != self.current.as_ref());
        let created = before.clone().find(|entry| created(entry));
        created.or(self.current.as_ref()).or_else(|| self.entries.first())
    }

    /// Whether creating `create_schemas` puts a schema before the one that is current now.
    pub fn is_overtaken(&self, create_schemas: &[String]) -> bool {
        self.current.is_some() && self.current_after(create_schemas) != self.current.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(setting: &str, current: &str, create: &[&str]) -> Option<String> {
        let create: Vec<_> = create.iter().map(ToString::to_string).collect();
        SearchPath::new(setting, current).current_after(&create).cloned()
    }

    #[test]
    fn a_schema_that_gets_created_overtakes_those_behind_it_and_no_other() {
        assert_eq!(after("\"$user\", public", "public", &[]).as_deref(), Some("public"));
        assert_eq!(after("app, public", "public", &["App"]).as_deref(), Some("app"));
        assert_eq!(after("app, public", "public", &["\"App\""]).as_deref(), Some("public"));
        assert_eq!(after("public, app", "public", &["app"]).as_deref(), Some("public"));
        assert_eq!(after("a, b, c", "", &["c", "b"]).as_deref(), Some("b"));
        assert_eq!(after("a, b", "", &[]).as_deref(), Some("a"));
        assert_eq!(after("\"\"", "", &[]), None);
    }

    #[test]
    fn only_a_current_schema_can_be_overtaken() {
        let create = ["app".to_owned()];
        assert!(SearchPath::new("app, public", "public").is_overtaken(&create));
        assert!(!SearchPath::new("app, public", "app").is_overtaken(&create));
        assert!(!SearchPath::new("app", "").is_overtaken(&create));
    }
}
