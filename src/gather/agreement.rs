//! The histories of tenants, put together where they are the same. Pure.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::history::{DatabaseError, DatabaseErrorKind, History};
use crate::migration::AppliedMigration;
use crate::tenants::{Selection, Tenants};

/// What was read of one history.
pub type Applied = Result<History, DatabaseError>;

/// What was read of a target: one history, or one for those of its tenants that agree.
pub type Histories = Vec<(Option<Arc<Tenants>>, Applied)>;

/// The history of a target without tenants, or why there is none of any.
pub fn alone(applied: Applied) -> Histories {
    vec![(None, applied)]
}

/// Tenants by what was read of them.
#[derive(Debug, Default)]
pub struct Agreement {
    tenants: IndexMap<Applied, Vec<String>>,
    /// That a pattern finds nobody.
    idle: Option<DatabaseError>,
}

impl Agreement {
    /// What was read of these tenants.
    pub fn add(&mut self, tenants: impl IntoIterator<Item = String>, applied: Applied) {
        let in_common = applied.map(|history| match history {
            History::Present(rows) => History::Present(rows.into_iter().map(in_common).collect()),
            absent @ History::Absent(_) => absent,
        });
        let mut tenants = tenants.into_iter().peekable();
        if tenants.peek().is_some() {
            self.tenants.entry(in_common).or_default().extend(tenants);
        }
    }

    /// The patterns of `selection` that find nothing among `names`: who writes one means somebody.
    ///
    /// # Errors
    /// All together find none.
    pub fn add_idle(&mut self, selection: &Selection, names: &[String]) -> Result<(), DatabaseError> {
        let noun = selection.partition.noun();
        let error = |what: &str, patterns: &[&str]| {
            let detail = format!("no {noun} here {what} `{}`", patterns.join("`, `"));
            DatabaseError::new(DatabaseErrorKind::NoTenant, detail)
        };
        let idle: Vec<&str> = selection.idle(names.iter().map(String::as_str)).collect();
        self.idle = (!idle.is_empty()).then(|| error("is called", &idle));
        if names.iter().any(|name| selection.takes(name)) {
            return Ok(());
        }
        let all: Vec<&str> = selection.patterns.iter().map(String::as_str).collect();
        Err(self.idle.take().unwrap_or_else(|| error("is left by", &all)))
    }

    /// Those that are most first; last that a pattern finds nobody.
    pub fn into_histories(self) -> Histories {
        let total = self.tenants.values().map(Vec::len).sum();
        let mut histories: Vec<(Tenants, Applied)> = self
            .tenants
            .into_iter()
            .map(|(applied, mut names)| {
                names.sort_unstable();
                (Tenants { names, total }, applied)
            })
            .collect();
        histories.sort_by(|(one, _), (other, _)| one.rank().cmp(&other.rank()));
        let idle = self.idle.map(|error| (None, Err(error)));
        histories.into_iter().map(|(tenants, applied)| (Some(Arc::new(tenants)), applied)).chain(idle).collect()
    }
}

/// What a row says in which tenants can agree: when it was applied, and how long that took, is no two tenants' the same.
fn in_common(row: AppliedMigration) -> AppliedMigration {
    let execution_time = if row.execution_time == -1 { -1 } else { 0 };
    AppliedMigration { installed_on: None, execution_time, ..row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::{Checksum, Version};
    use crate::tenants::Partition;

    fn rows(versions: &[i64], time: i64) -> Applied {
        let row = |version: &i64| AppliedMigration {
            version: Version(*version),
            description: "a".into(),
            installed_on: Some(time.to_string()),
            success: true,
            checksum: Checksum::from_bytes([1]),
            execution_time: time,
        };
        Ok(History::Present(versions.iter().map(row).collect()))
    }

    fn told(agreement: Agreement) -> Vec<(String, usize)> {
        let histories = agreement.into_histories();
        let told = |(tenants, applied): &(Option<Arc<Tenants>>, Applied)| {
            let tenants = tenants.as_ref().unwrap();
            (tenants.names.join(" "), applied.as_ref().map_or(99, |history| history.rows().len()))
        };
        histories.iter().map(told).collect()
    }

    #[test]
    fn tenants_agree_whenever_and_however_fast_they_were_migrated() {
        let mut agreement = Agreement::default();
        for (name, applied) in [
            ("z", rows(&[1, 2], 5)),
            ("c", rows(&[1], 6)),
            ("b", rows(&[1, 2], 7)),
            ("d", rows(&[1, 2], -1)),
            ("a", Err(DatabaseError::new(DatabaseErrorKind::Slow, ""))),
        ] {
            agreement.add([name.to_owned()], applied);
        }
        let one = |name: &str, rows| (name.to_owned(), rows);
        assert_eq!(told(agreement), [one("b z", 2), one("a", 99), one("c", 1), one("d", 2)]);
    }

    #[test]
    fn a_pattern_that_finds_nobody_is_told() {
        let selection = |patterns: &[&str]| Selection {
            partition: Partition::Databases,
            patterns: patterns.iter().map(ToString::to_string).collect(),
        };
        let mut agreement = Agreement::default();
        agreement.add_idle(&selection(&["a*", "globex", "acme"]), &["a1".to_owned()]).unwrap();
        agreement.add(["a1".to_owned()], rows(&[1], 1));
        let [(Some(tenants), Ok(_)), (None, Err(error))] = &agreement.into_histories()[..] else { panic!() };
        assert_eq!(tenants.total, 1);
        assert_eq!(error.to_string(), "a pattern finds no tenant: no database here is called `globex`, `acme`");
        let nobody = |patterns: &[&str], names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            Agreement::default().add_idle(&selection(patterns), &names).unwrap_err().detail
        };
        assert_eq!(nobody(&["a*"], &["b"]), "no database here is called `a*`");
        assert_eq!(nobody(&["a*", "!a1"], &["a1"]), "no database here is left by `a*`, `!a1`");
    }
}
