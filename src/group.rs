//! Services whose histories are in one table, as they write it together. Vocabulary, no I/O.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::migration::{Checksum, Migration, Version};
use crate::source::Defined;

/// The services that write to one history table in one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    members: Vec<Member>,
    /// Which members have a migration of a version.
    holders: HashMap<Version, Vec<usize>>,
}

/// One service of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub service: String,
    /// The directory of its migrations.
    pub migrations: PathBuf,
    /// Whether the configuration says that it is one (`history-group`), rather than that its database and table do.
    pub is_named: bool,
    /// Its migrations: as they were read for its target, and as its directory holds them where that is another source.
    pub defined: Vec<Arc<Defined>>,
    /// Whether a side of it could not be read, so that any row may be its own.
    pub is_unread: bool,
    /// Its migrations where the change begins that is checked, where that is known and they are others.
    pub start: Option<Arc<Defined>>,
}

impl Group {
    /// The group of these services, in the order of the plan.
    pub fn new(members: Vec<Member>) -> Self {
        let mut holders: HashMap<Version, Vec<usize>> = HashMap::new();
        for (index, member) in members.iter().enumerate() {
            for migration in member.defined.iter().flat_map(|defined| &defined.migrations) {
                let holders = holders.entry(migration.version).or_default();
                if holders.last() != Some(&index) && !holders.contains(&index) {
                    holders.push(index);
                }
            }
        }
        Self { members, holders }
    }

    /// The group where the change begins that is checked; none where that changes the migrations of no member.
    pub fn before(&self) -> Option<Self> {
        let before = |member: &Member| Member {
            defined: member.start.clone().map_or_else(|| member.defined.clone(), |start| vec![start]),
            ..member.clone()
        };
        let is_changed = self.members.iter().any(|member| member.start.is_some());
        is_changed.then(|| Self::new(self.members.iter().map(before).collect()))
    }

    /// The same group, of whose members `start` tells what they had where the change begins.
    pub fn since(&self, start: impl Fn(&Member) -> Option<Arc<Defined>>) -> Self {
        let since = |member: &Member| Member { start: start(member), ..member.clone() };
        Self { members: self.members.iter().map(since).collect(), holders: self.holders.clone() }
    }

    /// The members that have migrations of their own beside those of `service`, which has its own in `migrations`. Two
    /// services of one directory have the same ones.
    pub fn others<'a>(&'a self, service: &'a str, migrations: &'a Path) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| !member.is(service, migrations))
    }

    /// Those of them that have a migration of `version`.
    pub fn others_with<'a>(
        &'a self,
        version: Version,
        (service, migrations): (&'a str, &'a Path),
    ) -> impl Iterator<Item = &'a Member> {
        let holders = self.holders.get(&version).into_iter().flatten();
        holders.map(|index| &self.members[*index]).filter(move |member| !member.is(service, migrations))
    }

    /// Whether what `service` has in `migrations` takes in a migration of this version and content, wherever of its
    /// sources.
    pub fn has_itself(&self, service: &str, migrations: &Path, version: Version, checksum: &Checksum) -> bool {
        let own = self.members.iter().filter(|member| member.is(service, migrations));
        own.flat_map(|member| member.of_version(version)).any(|migration| migration.checksum == *checksum)
    }

    /// Whether `service` is said to be one, rather than found.
    pub fn is_named(&self, service: &str) -> bool {
        self.members.iter().any(|member| member.is_named && member.service == service)
    }
}

impl Member {
    fn is(&self, service: &str, migrations: &Path) -> bool {
        self.service == service || self.migrations == migrations
    }

    /// Its migrations of a version, down files too.
    pub fn of_version(&self, version: Version) -> impl Iterator<Item = &Migration> {
        self.defined.iter().flat_map(move |defined| defined.of_version(version))
    }

    /// The up migrations of a version.
    pub fn up(&self, version: Version) -> impl Iterator<Item = &Migration> {
        self.of_version(version).filter(|migration| migration.kind.is_up())
    }
}
