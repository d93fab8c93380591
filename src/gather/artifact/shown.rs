//! What is kept of an image while its files stream by: what each embeds, and the checksums of migrations that stand in it
//! as files.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::embedded::{Digests, Embedded, Search};
use crate::gather::content::ContentReader;
use crate::gather::image::{Links, Visit};
use crate::migration::Checksum;
use crate::source::InvalidReason;

/// The least that can embed a checksum.
const LEAST: u64 = 48;
/// No migration in an image is longer: what is, is no migration.
const MOST_TEXT: u64 = 64 << 20;

/// A file called `*.sql`: its name, and the checksum of what it holds.
pub type File<'a> = (&'a str, &'a Result<Checksum, InvalidReason>);

/// What an image has shown.
pub struct Shown {
    digests: Arc<Digests>,
    /// The one file that matters, where it is known.
    only: Option<String>,
    is_done: bool,
    now: Option<(String, Now)>,
    /// What the files embed that embed anything known.
    programs: HashMap<String, Embedded>,
    /// The files called `*.sql`.
    texts: HashMap<String, Result<Checksum, InvalidReason>>,
    /// Other names of files, and under which they were shown.
    names: Vec<(String, String)>,
}

/// The file that goes by.
enum Now {
    Program(Box<Search<Arc<Digests>>>),
    Text(Vec<u8>),
}

impl Shown {
    /// Nothing yet. Where `only` is the path of a file, older layers than the one that has it do not matter.
    pub fn new(digests: Digests, only: Option<&str>) -> Self {
        let only = only.filter(|path| path.starts_with('/')).map(|path| path.trim_start_matches('/').to_owned());
        Self {
            digests: Arc::new(digests),
            only,
            is_done: false,
            now: None,
            programs: HashMap::new(),
            texts: HashMap::new(),
            names: Vec::new(),
        }
    }

    /// The files that embed anything known, by their paths, in order.
    pub fn programs(&self) -> Vec<(&str, &Embedded)> {
        let mut programs: Vec<_> = self.programs.iter().map(|(path, embedded)| (path.as_str(), embedded)).collect();
        programs.sort_by_key(|(path, _)| *path);
        programs
    }

    /// Whether any of the paths of the image leads to `shown`: it is that path, another name of it, or a link to it.
    pub fn leads_to(&self, path: &str, shown: &str, links: &Links) -> bool {
        let Some(path) = links.resolve(path) else { return false };
        path == shown || self.names.iter().any(|(name, of)| *name == path && of == shown)
    }

    /// The folders with files called `*.sql`: their paths, and of each file its name and checksum.
    pub fn folders(&self) -> HashMap<&str, Vec<File<'_>>> {
        let mut folders: HashMap<_, Vec<_>> = HashMap::new();
        let renamed = self.names.iter().filter_map(|(name, of)| Some((name.as_str(), self.texts.get(of)?)));
        for (path, checksum) in self.texts.iter().map(|(path, checksum)| (path.as_str(), checksum)).chain(renamed) {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            folders.entry(folder).or_default().push((name, checksum));
        }
        folders
    }
}

impl Visit for Shown {
    fn file(&mut self, path: &str, size: u64) -> bool {
        self.is_done |= self.only.as_deref() == Some(path);
        let now = if path.ends_with(".sql") && size <= MOST_TEXT {
            Now::Text(Vec::new())
        } else if size >= LEAST {
            // Whatever is asked for: it may turn out to be another name of this one.
            Now::Program(Box::new(Search::new(self.digests.clone())))
        } else {
            return false;
        };
        self.now = Some((path.to_owned(), now));
        true
    }

    fn piece(&mut self, piece: &[u8]) {
        match &mut self.now {
            Some((_, Now::Program(search))) => search.feed(piece),
            Some((_, Now::Text(text))) => text.extend_from_slice(piece),
            None => {}
        }
    }

    fn end(&mut self) {
        match self.now.take() {
            Some((path, Now::Program(search))) => {
                let embedded = search.finish();
                if !embedded.is_empty() {
                    self.programs.insert(path, embedded);
                }
            }
            Some((path, Now::Text(text))) => {
                // Who reads migrations when it starts reads no `sqlx.toml`.
                let checksum = ContentReader::new(&BTreeSet::new()).checksum(text.as_slice());
                self.texts.insert(path, checksum);
            }
            None => {}
        }
    }

    fn link(&mut self, path: &str, shown: &str) {
        self.is_done |= self.only.as_deref() == Some(path);
        self.names.push((path.to_owned(), shown.to_owned()));
    }

    fn removed(&mut self, path: &str) {
        self.programs.remove(path);
        self.texts.remove(path);
        self.names.retain(|(name, _)| name != path);
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}
