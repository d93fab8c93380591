//! The content index: which contents that ever stood in the repository have the checksums that are looked for.
//!
//! Every content is hashed once as it is, however many files and commits have it; variants only while a checksum is
//! still looked for. Nothing but what was found is kept of them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;

use crate::explain::variant::Variant;
use crate::git::{Commit, Git, GitError, ObjectId};
use crate::migration::{Checksum, ChecksumDigest};

/// Of longer contents there are no variants.
pub const MOST_BYTES: u64 = 1 << 20;

/// A content of the repository that has a checksum which was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub blob: ObjectId,
    /// What has to be done to it so that it has the checksum.
    pub variant: Variant,
    /// Whether there is a CR in it, as it is: nobody writes one but at the end of a line.
    pub has_cr: bool,
}

/// What the repository's history says of the contents that were looked for.
#[derive(Debug, Default)]
pub struct Index {
    /// Every commit that changed a migration, the newest first.
    pub commits: Vec<Commit>,
    /// What was found, by checksum.
    found: HashMap<Checksum, Vec<Found>>,
    /// Where the contents that were found were brought in or went: commits, and in them changes, by content.
    places: HashMap<ObjectId, Vec<(usize, usize)>>,
    /// How many contents are not here: a partial clone has left them behind.
    pub absent: usize,
}

/// What is looked for.
pub struct Wanted<'a> {
    /// The checksums.
    pub checksums: HashSet<&'a Checksum>,
    /// The letters that a `sqlx.toml` leaves out of checksums, of each that does.
    pub ignored: BTreeSet<&'a BTreeSet<char>>,
}

impl Index {
    /// Looks in the migrations `directories`, and for what is not found there in every SQL file.
    ///
    /// # Errors
    /// git cannot be asked.
    pub fn build(git: &Git, directories: &[String], wanted: &Wanted) -> Result<Self, GitError> {
        let mut index = Self::default();
        let mut hashed = HashSet::new();
        let directories = directories.iter().map(|directory| format!(":(literal){directory}")).collect();
        for paths in [directories, vec!["*.sql".to_owned()]] {
            index.commits = git.changes(&paths)?;
            let changes = index.commits.iter().flat_map(|commit| &commit.changes);
            let migrations = changes.filter(|change| change.path.ends_with(".sql"));
            let contents = migrations.flat_map(|change| [&change.after, &change.before]).flatten();
            let mut seen = HashSet::new();
            let new: Vec<ObjectId> = contents.filter(|id| !hashed.contains(*id) && seen.insert(*id)).cloned().collect();
            index.absent += hash_as_is(git, &new, wanted, &mut index.found)?;
            if index.lacks(wanted) {
                hash_variants(git, &new, wanted, &mut index.found)?;
            }
            hashed.extend(new);
            if !index.lacks(wanted) {
                break;
            }
        }
        index.note_places();
        Ok(index)
    }

    /// What has a checksum; as it is, if anything is.
    pub fn with(&self, checksum: &Checksum) -> &[Found] {
        self.found.get(checksum).map_or(&[], Vec::as_slice)
    }

    /// The changes that brought a content in or did away with it, the newest first: the number of the commit, and the
    /// number of the change in it.
    pub fn places(&self, blob: &ObjectId) -> &[(usize, usize)] {
        self.places.get(blob).map_or(&[], Vec::as_slice)
    }

    fn lacks(&self, wanted: &Wanted) -> bool {
        wanted.checksums.iter().any(|checksum| !self.found.contains_key(*checksum))
    }

    fn note_places(&mut self) {
        let found: HashSet<&ObjectId> = self.found.values().flatten().map(|found| &found.blob).collect();
        for (number, commit) in self.commits.iter().enumerate() {
            for (of, change) in commit.changes.iter().enumerate() {
                let both: BTreeSet<&ObjectId> = [&change.before, &change.after].into_iter().flatten().collect();
                for blob in both.into_iter().filter(|blob| found.contains(*blob)) {
                    self.places.entry(blob.clone()).or_default().push((number, of));
                }
            }
        }
    }
}

type Contents = HashMap<Checksum, Vec<Found>>;

/// Hashes contents as they are, and returns how many are not here.
fn hash_as_is(git: &Git, blobs: &[ObjectId], wanted: &Wanted, found: &mut Contents) -> Result<usize, GitError> {
    let (mut buffer, mut read) = (vec![0; 64 << 10], 0);
    git.blobs(blobs, &mut |id, content| {
        read += 1;
        let (mut digest, mut has_cr) = (ChecksumDigest::default(), false);
        while let Ok(length @ 1..) = content.read(&mut buffer) {
            let piece = &buffer[..length];
            has_cr |= piece.contains(&b'\r');
            digest.update(piece);
        }
        note(found, wanted, digest.finish(), Found { blob: id.clone(), variant: Variant::default(), has_cr });
    })?;
    Ok(blobs.len().saturating_sub(read))
}

/// Hashes the variants of contents, for the checksums that nothing was found for.
fn hash_variants(git: &Git, blobs: &[ObjectId], wanted: &Wanted, found: &mut Contents) -> Result<(), GitError> {
    let open = wanted.checksums.iter().copied().filter(|checksum| !found.contains_key(*checksum)).collect();
    let wanted = Wanted { checksums: open, ignored: wanted.ignored.clone() };
    git.blobs(blobs, &mut |id, content| {
        let Some(bytes) = whole(content, MOST_BYTES) else { return };
        let found_as = |variant| Found { blob: id.clone(), variant, has_cr: bytes.contains(&b'\r') };
        for ignored in &wanted.ignored {
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let mut digest = ChecksumDigest::default();
                digest.update_less(text, ignored);
                note(found, &wanted, digest.finish(), found_as(Variant { ignores: true, ..Variant::default() }));
            }
        }
        for variant in Variant::all() {
            if let Some(content) = variant.of(&bytes) {
                note(found, &wanted, Checksum::of(content), found_as(variant));
            }
        }
    })
}

/// All of a content, unless it is longer than `most`.
pub fn whole(content: &mut dyn Read, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let is_whole = content.take(most + 1).read_to_end(&mut bytes).is_ok_and(|n| n as u64 <= most);
    is_whole.then_some(bytes)
}

fn note(found: &mut Contents, wanted: &Wanted, checksum: Checksum, content: Found) {
    if wanted.checksums.contains(&checksum) {
        let found = found.entry(checksum).or_default();
        if !found.iter().any(|other| other.blob == content.blob) {
            found.push(content);
        }
    }
}
