//! Tenants: customers of a service that share a server, each with a history of its own. Vocabulary, no I/O.

use std::cmp::Reverse;
use std::fmt;

use indexmap::IndexMap;
use wildmatch::WildMatch;

/// More names than these are told by their number.
const MOST_NAMED: usize = 3;

/// What keeps tenants apart on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// Each has a schema of one database, as PostgreSQL has them.
    Schemas,
    /// Each has a database, which MySQL also calls a schema.
    Databases,
}

impl Partition {
    /// The key of the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::Schemas => "schemas",
            Self::Databases => "databases",
        }
    }

    /// One of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Schemas => "schema",
            Self::Databases => "database",
        }
    }
}

/// Which schemas or databases of a server are tenants of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// What they are.
    pub partition: Partition,
    /// Their names, in which `*` stands for any letters and `?` for one; after a `!`, those which are none. The last
    /// pattern that fits a name decides on it, as in a workflow's `branches`.
    pub patterns: Vec<String>,
}

/// What stands before the pattern of names which are none.
const NOT: char = '!';

impl Selection {
    /// Whether what is called `name` is a tenant.
    pub fn takes(&self, name: &str) -> bool {
        let last = self.patterns.iter().rev().find(|pattern| fits(pattern.trim_start_matches(NOT), name));
        last.is_some_and(|pattern| !pattern.starts_with(NOT))
    }

    /// The patterns that want a tenant and find none among `names`.
    pub fn idle<'a, 'n>(&'a self, names: impl Iterator<Item = &'n str> + Clone) -> impl Iterator<Item = &'a str> {
        let wanting = self.patterns.iter().map(String::as_str).filter(|pattern| !pattern.starts_with(NOT));
        wanting.filter(move |pattern| !names.clone().any(|name| fits(pattern, name)))
    }
}

/// As the configuration has them: `schemas: tenant_*, !tenant_template`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.partition.key(), self.patterns.join(", "))
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    WildMatch::new(pattern).matches(name)
}

/// Tenants of one target whose histories are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenants {
    /// What they are called, in order; one at least.
    pub names: Vec<String>,
    /// How many tenants the target has in all.
    pub total: usize,
}

impl Tenants {
    /// How many they are, or what they are called where they are few and not all: `412 tenants`, `tenant_7, tenant_9`.
    pub fn label(&self) -> String {
        match self.names.len() {
            _ if self.are_few() => self.names.join(", "),
            n => format!("{n} tenants"),
        }
    }

    /// In which order they stand: those that are most first.
    pub fn rank(&self) -> impl Ord + '_ {
        (Reverse(self.names.len()), &self.names)
    }

    /// Whether the label names them.
    pub fn are_few(&self) -> bool {
        let n = self.names.len();
        n == 1 || n <= MOST_NAMED && n < self.total
    }
}

/// An environment, with the tenants in it that are meant: `production (tenant_7)`.
pub fn place(environment: &str, tenants: Option<&Tenants>) -> String {
    match tenants {
        Some(tenants) => format!("{environment} ({})", tenants.label()),
        None => environment.to_owned(),
    }
}

/// Environments, each told once, with those of its tenants that are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places<'a>(IndexMap<&'a str, Option<Tenants>>);

impl<'a> Places<'a> {
    /// One more, or more tenants in one that is known.
    pub fn add(&mut self, environment: &'a str, tenants: Option<&Tenants>) {
        match (self.0.entry(environment).or_default(), tenants) {
            (Some(known), Some(more)) => known.names.extend(more.names.iter().cloned()),
            (known, more) => *known = more.cloned(),
        }
    }

    /// Each as it is told: `staging`, `production (tenant_7)`.
    pub fn told(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(environment, tenants)| place(environment, tenants.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(patterns: &[&str]) -> Selection {
        let patterns = patterns.iter().map(ToString::to_string).collect();
        Selection { partition: Partition::Schemas, patterns }
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let some = selection(&["tenant_*", "!tenant_t*", "tenant_tom", "a?"]);
        let taken = ["tenant_1", "tenant_", "tenant_tom", "ab"];
        let left = ["tenant_template", "tenant", "Tenant_1", "x_tenant_1", "public", "a", "abc", ""];
        assert!(taken.iter().all(|name| some.takes(name)), "{:?}", taken.map(|name| some.takes(name)));
        assert!(!left.iter().any(|name| some.takes(name)), "{:?}", left.map(|name| some.takes(name)));
        assert!(!selection(&["!a"]).takes("b"), "what excludes takes nothing in");
        assert!(selection(&["*"]).takes("*") && selection(&["ä*"]).takes("äß"));
    }

    #[test]
    fn a_pattern_is_idle_where_it_finds_no_name() {
        let idle = |patterns: &[&str], names: &[&str]| {
            selection(patterns).idle(names.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(idle(&["a*", "b", "!c*"], &["a1", "d"]), ["b"]);
        assert_eq!(idle(&["a*", "!a1"], &["a1"]), [""; 0], "it has found one, though not to keep");
        assert_eq!(idle(&["a*"], &[]), ["a*"]);
    }

    #[test]
    fn few_tenants_are_named_and_many_are_counted() {
        let label =
            |names: &[&str], total| Tenants { names: names.iter().map(ToString::to_string).collect(), total }.label();
        assert_eq!(label(&["a"], 1), "a");
        assert_eq!(label(&["a", "b", "c"], 415), "a, b, c");
        assert_eq!(label(&["a", "b", "c"], 3), "3 tenants");
        assert_eq!(label(&["a", "b", "c", "d"], 415), "4 tenants");
    }
}
