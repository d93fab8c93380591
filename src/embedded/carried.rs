//! From what was found in a file to the migrations that it embeds.
//!
//! Where the file has an array of migrations, that decides: on versions always, and on their contents where its pointers
//! could be followed. Where it has none, a checksum that was found is embedded under the version that it is known for; one
//! that is known for several versions leaves open which.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::table::{Content, Record, Table};
use super::{Embedded, Known};
use crate::migration::{Checksum, Migration, MigrationKind, Version};

/// A migration that a file embeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// As sqlx has it in the running service. Where nothing is known of the content ([`Carried::known`]), it has no
    /// description and no path, and for a checksum one that no known content has.
    pub migration: Migration,
    /// Which of the known contents it is.
    pub known: Option<Known>,
    /// Where in the file to read what is not known.
    pub stranger: Option<Stranger>,
}

/// Where a migration stands in a file whose content nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    /// Where its checksum begins.
    pub checksum: u64,
    /// Where its description begins, and its length.
    pub description: Option<(u64, u64)>,
}

/// What a file embeds is left open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// These versions share contents, or are not told apart in another way.
    #[error("nothing in it tells whether these versions are embedded, or with which contents: {}", list(.0))]
    Versions(BTreeSet<Version>),
    /// There are several arrays of migrations that hold known ones, and they differ.
    #[error("it embeds several sets of migrations that fit this service, and they differ")]
    Sets,
}

fn list(versions: &BTreeSet<Version>) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = versions.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = versions.len().saturating_sub(SHOWN);
    shown.join(", ") + &if more == 0 { String::new() } else { format!(" and {more} more") }
}

/// The migrations that a file embeds, sorted as sqlx sorts them; none where it embeds nothing known.
///
/// Of several known contents that say the same, the first that names a file is taken.
///
/// # Errors
/// The file leaves open what it embeds, so that nothing can be said of a start.
pub fn carried(known: &[Known], embedded: &Embedded) -> Result<Vec<Carried>, Unclear> {
    let knowledge = Knowledge::new(known, embedded);
    if knowledge.by_checksum.is_empty() {
        return Ok(Vec::new());
    }
    let mut carried = match knowledge.best_tables(embedded.tables())?[..] {
        [] => knowledge.without_table()?,
        [first, ref others @ ..] => {
            let told = knowledge.of_table(first)?;
            if others.iter().any(|other| knowledge.of_table(other).as_ref() != Ok(&told)) {
                return Err(Unclear::Versions(told.iter().map(|carried| carried.migration.version).collect()));
            }
            told
        }
    };
    carried.sort_by(|a, b| {
        let key = |carried: &Carried| (carried.migration.version, carried.migration.kind);
        (key(a), &a.migration.path).cmp(&(key(b), &b.migration.path))
    });
    Ok(carried)
}

/// A real binary has an array once, or a few times, and six ways of reading each.
const MOST_READINGS: usize = 60;

/// A version, and whether it is its up file.
type Place = (Version, bool);

/// What is known of the checksums that were found.
struct Knowledge<'a> {
    /// The contents that are known for a place and were found.
    by_place: BTreeMap<Place, Vec<&'a Known>>,
    /// The places that a checksum which was found is known for.
    by_checksum: BTreeMap<&'a Checksum, BTreeSet<Place>>,
    /// The versions that are applied somewhere.
    rows: HashSet<Version>,
    /// A checksum that no known content has.
    strange: Checksum,
}

fn place(known: &Known) -> Place {
    (known.version, known.kind.is_up())
}

impl<'a> Knowledge<'a> {
    fn new(known: &'a [Known], embedded: &Embedded) -> Self {
        let mut by_place: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut by_checksum: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for known in known.iter().filter(|known| embedded.count(&known.checksum) > 0) {
            by_place.entry(place(known)).or_default().push(known);
            by_checksum.entry(&known.checksum).or_default().insert(place(known));
        }
        let checksums: HashSet<&Checksum> = known.iter().map(|known| &known.checksum).collect();
        let strange = (1..).map(|length| Checksum::from_bytes(vec![0; length]));
        let strange = strange.into_iter().find(|checksum| !checksums.contains(checksum));
        let rows = known.iter().filter(|known| known.is_row()).map(|known| known.version).collect();
        Self { by_place, by_checksum, rows, strange: strange.unwrap_or_else(|| Checksum::from_bytes([])) }
    }

    /// The ways of reading an array that fit best, which are to say the same; none where there is no array at all.
    fn best_tables<'t>(&self, tables: &'t [Table]) -> Result<Vec<&'t Table>, Unclear> {
        let fits: Vec<_> = tables.iter().map(|table| (self.fit(table), table)).collect();
        let Some(best) = fits.iter().map(|(fit, _)| *fit).max() else { return Ok(Vec::new()) };
        if best.0 == 0 {
            // An array of other migrations, and none that has what was found.
            return Err(Unclear::Versions(self.by_place.keys().map(|(version, _)| *version).collect()));
        }
        let best: Vec<&Table> = fits.into_iter().filter(|(fit, _)| *fit == best).map(|(_, table)| table).collect();
        if best.len() > MOST_READINGS {
            return Err(Unclear::Sets);
        }
        let told: HashSet<_> = best.iter().flat_map(|table| self.matches(table)).collect();
        let elsewhere = tables.iter().filter(|table| !best.iter().any(|best| best.overlaps(table)));
        if elsewhere.flat_map(|table| self.matches(table)).any(|known| !told.contains(&known)) {
            return Err(Unclear::Sets);
        }
        Ok(best)
    }

    /// How many checksums of an array are known, how many of them for their versions, and how long it is: read wrongly, a
    /// migration at an end of it makes no sense.
    fn fit(&self, table: &Table) -> (usize, usize, usize) {
        let is_known = |record: &&Record| matches!(&record.content, Content::Known(_));
        let may_be =
            |record: &&Record| record.content == Content::Untold && self.by_place.contains_key(&of_record(record));
        let (known, may_be) = (table.records.iter().filter(is_known), table.records.iter().filter(may_be).count());
        (known.count() + may_be, self.matches(table).count() + may_be, table.records.len())
    }

    /// The migrations of an array that are known as such.
    fn matches<'t>(&self, table: &'t Table) -> impl Iterator<Item = (Place, &'t Checksum)> {
        table.records.iter().filter_map(|record| match &record.content {
            Content::Known(checksum) => self.find(record, checksum).map(|_| (of_record(record), checksum)),
            _ => None,
        })
    }

    /// What is known of a record with this checksum: of its very kind and description if there is such, and of a file.
    fn find(&self, record: &Record, checksum: &Checksum) -> Option<&'a Known> {
        let all = self.by_place.get(&of_record(record))?.iter().filter(|known| known.checksum == *checksum);
        let length = record.description.map(|(_, length)| length);
        all.copied().min_by_key(|known| {
            let same_length = length == Some(known.description.len() as u64);
            (known.is_row(), known.kind != record.kind, !same_length, known.commit.is_some())
        })
    }

    fn of_table(&self, table: &Table) -> Result<Vec<Carried>, Unclear> {
        let mut unclear = BTreeSet::new();
        let mut carried = Vec::new();
        let contents = self.only_contents(table);
        for record in &table.records {
            carried.push(match &record.content {
                Content::Known(checksum) => self.of_record(record, checksum),
                Content::Strange(checksum) => {
                    let stranger = Stranger { checksum: *checksum, description: record.description };
                    Carried { stranger: Some(stranger), ..self.of_record(record, &self.strange) }
                }
                Content::Untold => match contents.get(&of_record(record)).copied().unwrap_or(Some(&self.strange)) {
                    Some(checksum) => self.of_record(record, checksum),
                    // Only a row is compared with the content.
                    None if record.kind.is_up() && self.rows.contains(&record.version) => {
                        unclear.insert(record.version);
                        continue;
                    }
                    None => self.of_record(record, &self.strange),
                },
            });
        }
        if unclear.is_empty() { Ok(carried) } else { Err(Unclear::Versions(unclear)) }
    }

    fn of_record(&self, record: &Record, checksum: &Checksum) -> Carried {
        let known = self.find(record, checksum);
        let kind = known.filter(|known| !known.is_row()).map_or(record.kind, |known| known.kind);
        let migration = Migration {
            version: record.version,
            description: known.map(|known| known.description.clone()).unwrap_or_default(),
            kind,
            checksum: checksum.clone(),
            path: known.and_then(|known| known.path.clone()).unwrap_or_default(),
        };
        Carried { migration, known: known.cloned(), stranger: None }
    }

    /// The content that a record has though nobody can follow its pointer, by place: whatever was found must belong to some
    /// record, and this is the only one that it can belong to. None where there is not one such content. Where nothing
    /// was found that a record can have, its content is a strange one.
    fn only_contents(&self, table: &Table) -> HashMap<Place, Option<&'a Checksum>> {
        let mut records: HashMap<Place, usize> = HashMap::new();
        table.records.iter().for_each(|record| *records.entry(of_record(record)).or_default() += 1);
        let is_own =
            |places: &BTreeSet<Place>| places.iter().filter_map(|place| records.get(place)).sum::<usize>() == 1;
        let own: HashSet<&Checksum> =
            self.by_checksum.iter().filter(|(_, places)| is_own(places)).map(|(checksum, _)| *checksum).collect();
        let only = |known: &Vec<&'a Known>| {
            let mut own = known.iter().map(|known| &known.checksum).filter(|checksum| own.contains(checksum));
            let first = own.next();
            first.filter(|first| own.all(|other| other == *first))
        };
        self.by_place.iter().map(|(place, known)| (*place, only(known))).collect()
    }

    /// What the checksums tell by themselves.
    fn without_table(&self) -> Result<Vec<Carried>, Unclear> {
        let (alone, shared): (Vec<_>, Vec<_>) = self.by_checksum.iter().partition(|(_, places)| places.len() == 1);
        let certain: HashSet<Version> = alone.iter().flat_map(|(_, places)| *places).map(|place| place.0).collect();
        let mut unclear = BTreeSet::new();
        let mut told: Vec<(Place, &Checksum)> =
            alone.iter().flat_map(|(checksum, places)| places.iter().map(|place| (*place, **checksum))).collect();
        for (checksum, places) in shared {
            // Of a down file no more is asked than whether its version is there.
            let is_down = places.iter().all(|(_, is_up)| !is_up);
            for place in places {
                match place.0 {
                    version if is_down && certain.contains(&version) => told.push((*place, checksum)),
                    version if is_down && !self.rows.contains(&version) => {}
                    version => {
                        unclear.insert(version);
                    }
                }
            }
        }
        if !unclear.is_empty() {
            return Err(Unclear::Versions(unclear));
        }
        Ok(told.into_iter().map(|(place, checksum)| self.of_record(&record_of(place), checksum)).collect())
    }
}

fn of_record(record: &Record) -> Place {
    (record.version, record.kind.is_up())
}

fn record_of((version, is_up): Place) -> Record {
    let kind = if is_up { MigrationKind::Simple } else { MigrationKind::ReversibleDown };
    Record { version, kind, content: Content::Untold, description: None }
}
