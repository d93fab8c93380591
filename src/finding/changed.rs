//! A migration of the base that a change has touched: who has applied it, and how grave that makes it.

use super::Severity;
use crate::migration::{Checksum, Version};

/// A migration that stands at the base of a change and has not stayed as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedMigration {
    /// Its version there.
    pub version: Version,
    /// Its description there.
    pub description: String,
    /// The file to show it at: what became of it, else what it was.
    pub file: String,
    /// The file that it was.
    pub was: String,
    /// Its checksum there.
    pub checksum: Checksum,
    /// The environments that have applied it.
    pub applied: Vec<Application>,
    /// Whether any history could be read that would say so.
    pub is_known: bool,
}

/// An environment that has applied a migration, or tenants in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The environment, with its tenants where they are not all.
    pub place: String,
    /// Since when, as its database prints it.
    pub since: Option<String>,
    /// Whether what follows from the change there is known and meant: accepted, ignored, or nothing that the service
    /// minds.
    pub is_meant: bool,
}

impl ChangedMigration {
    /// An error where it is applied, a warning where nobody knows.
    pub fn severity(&self) -> Severity {
        match (self.applied.is_empty(), self.is_known) {
            (false, _) if self.applied.iter().any(|application| !application.is_meant) => Severity::Error,
            (true, false) => Severity::Warning,
            _ => Severity::Notice,
        }
    }

    /// What the change does to it, and where it is applied: `this change turns migration 2 into 3, which …`
    pub fn told(&self, what: &str, into: &str) -> String {
        format!("this change {what} migration {}{into}, {}", self.version, self.whereabouts())
    }

    fn whereabouts(&self) -> String {
        match (self.applied.is_empty(), self.is_known) {
            (false, _) => {
                let places = self.applied.iter().map(|Application { place, since, .. }| match since {
                    Some(since) => format!("{place} (since {since})"),
                    None => place.clone(),
                });
                format!("which is applied in {}", places.collect::<Vec<_>>().join(", "))
            }
            (true, false) => "and no history could be read that says whether it is applied".to_owned(),
            (true, true) => "which is applied in no environment that could be read".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_grave_as_what_is_known_of_its_application() {
        let changed = |applied: &[bool], is_known| ChangedMigration {
            version: Version(1),
            description: String::new(),
            file: String::new(),
            was: String::new(),
            checksum: Checksum::of(""),
            applied: applied
                .iter()
                .map(|is_meant| Application { place: "a".into(), since: None, is_meant: *is_meant })
                .collect(),
            is_known,
        };
        assert_eq!(changed(&[true, false], true).severity(), Severity::Error);
        assert_eq!(changed(&[true, true], true).severity(), Severity::Notice);
        assert_eq!(changed(&[], true).severity(), Severity::Notice);
        assert_eq!(changed(&[], false).severity(), Severity::Warning);
    }
}
