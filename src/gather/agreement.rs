//! The histories of tenants, put together where they are the same. Pure.

use std::cmp::Reverse;
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
    /// None of them finds any.
    pub fn add_idle(&mut self, selection: &Selection, names: &[String]) -> Result<(), DatabaseError> {
        let noun = selection.partition.noun();
        let error = |pattern: &str| {
            DatabaseError::new(DatabaseErrorKind::NoTenant, format!("no {noun} here is called `{pattern}`"))
        };
        let idle: Vec<&str> = selection.idle(names.iter().map(String::as_str)).collect();
        if !names.iter().any(|name| selection.takes(name)) {
            return Err(error(&idle.first().map_or_else(|| selection.patterns.join(", "), ToString::to_string)));
        }
        idle.into_iter().for_each(|pattern| self.add([pattern.to_owned()], Err(error(pattern))));
        Ok(())
    }

    /// Those that are most first.
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
        histories.sort_by(|(one, _), (other, _)| {
            (Reverse(one.names.len()), &one.names).cmp(&(Reverse(other.names.len()), &other.names))
        });
        histories.into_iter().map(|(tenants, applied)| (Some(Arc::new(tenants)), applied)).collect()
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
        agreement.add_idle(&selection(&["a*", "globex"]), &["a1".to_owned()]).unwrap();
        let [(tenants, applied)] = &agreement.into_histories()[..] else { panic!() };
        assert_eq!(tenants.as_ref().unwrap().label(), "globex");
        assert_eq!(
            applied.as_ref().unwrap_err().to_string(),
            "a pattern finds no tenant: no database here is called `globex`"
        );
        let nobody = |patterns: &[&str], names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            Agreement::default().add_idle(&selection(patterns), &names).unwrap_err().detail
        };
        assert_eq!(nobody(&["a*"], &["b"]), "no database here is called `a*`");
        assert_eq!(nobody(&["a*", "!a1"], &["a1"]), "no database here is called `a*, !a1`");
    }
}
