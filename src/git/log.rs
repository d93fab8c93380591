//! What `git log` and `git ls-tree` print, read back.

use std::io::{self, BufRead};

use super::ObjectId;

/// A commit begins with the letter 1, and its fields are parted by the letter 2.
pub(super) const FORMAT: &str = "--format=%x01%H%x02%P%x02%an%x02%ae%x02%aI%x02%s";

/// A commit, and which files it changed among those that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full name.
    pub id: ObjectId,
    /// Whether it has no parents: in a shallow clone also where the clone ends, and then it brought in nothing itself.
    pub is_root: bool,
    /// The author's name.
    pub author: String,
    /// The author's e-mail address.
    pub email: String,
    /// When it was written: ISO 8601 with the author's offset.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
    /// The files. Those of a merge are the ones that it made unlike all of its parents.
    pub changes: Vec<Change>,
}

/// A file that a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the root.
    pub path: String,
    /// The content before it; none where there was no file. Of a merge, that in its first parent.
    pub before: Option<ObjectId>,
    /// The content after it; none where it is deleted.
    pub after: Option<ObjectId>,
}

/// Reads commits to the end.
pub(super) fn commits(read: &mut impl BufRead, prefix: &str) -> io::Result<Vec<Commit>> {
    let mut commits: Vec<Commit> = Vec::new();
    let mut piece = Vec::new();
    while next(read, &mut piece)? {
        let text = String::from_utf8_lossy(&piece);
        let text = text.trim_start_matches('\n');
        if let Some(header) = text.strip_prefix('\u{1}') {
            commits.extend(commit(header));
        } else if text.starts_with(':') {
            let change = change(text);
            next(read, &mut piece)?;
            let path = String::from_utf8_lossy(&piece);
            if let (Some((before, after)), Some(commit), Some(path)) =
                (change, commits.last_mut(), path.strip_prefix(prefix))
            {
                commit.changes.push(Change { path: path.to_owned(), before, after });
            }
        }
    }
    Ok(commits)
}

/// The next piece that ends with a zero byte, without it.
fn next(read: &mut impl BufRead, piece: &mut Vec<u8>) -> io::Result<bool> {
    piece.clear();
    let read = read.read_until(0, piece)?;
    if piece.last() == Some(&0) {
        piece.pop();
    }
    Ok(read > 0)
}

fn commit(header: &str) -> Option<Commit> {
    let mut fields = header.splitn(6, '\u{2}').map(str::to_owned);
    let id = ObjectId::parse(&fields.next()?)?;
    let is_root = fields.next()?.is_empty();
    let mut field = || fields.next().unwrap_or_default();
    Some(Commit { id, is_root, author: field(), email: field(), date: field(), subject: field(), changes: Vec::new() })
}

/// `:MODE MODE BEFORE AFTER STATUS`; of a merge with N parents as many colons, and as many modes and names before.
fn change(text: &str) -> Option<(Option<ObjectId>, Option<ObjectId>)> {
    let parents = text.bytes().take_while(|byte| *byte == b':').count();
    let words: Vec<&str> = text[parents..].split(' ').collect();
    let (modes, names) = words.split_at_checked(parents + 1)?;
    let present = |index: usize| {
        let id = ObjectId::parse(names.get(index)?)?;
        // A link or a submodule is no migration.
        (modes[index].starts_with("100") && !id.is_null()).then_some(id)
    };
    Some((present(0), present(parents)))
}

/// The files of a tree: `MODE blob NAME\tPATH`.
pub(super) fn tree(read: &mut impl BufRead, prefix: &str) -> io::Result<Vec<(String, ObjectId)>> {
    let (mut files, mut piece) = (Vec::new(), Vec::new());
    while next(read, &mut piece)? {
        let text = String::from_utf8_lossy(&piece);
        let Some((about, path)) = text.split_once('\t') else { continue };
        let words: Vec<&str> = about.split(' ').collect();
        if let (["100644" | "100755", "blob", id], Some(path)) = (&words[..], path.strip_prefix(prefix)) {
            files.extend(ObjectId::parse(id).map(|id| (path.to_owned(), id)));
        }
    }
    Ok(files)
}

/// What stands in a tree under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its object.
    pub id: ObjectId,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
    /// Another repository.
    Submodule,
}

impl EntryKind {
    /// What git's mode of an entry says.
    pub(super) fn of_mode(mode: &str) -> Self {
        match mode {
            "120000" => Self::Link,
            "40000" | "040000" => Self::Directory,
            "160000" => Self::Submodule,
            _ => Self::File,
        }
    }
}

/// The entries of a tree object: `MODE NAME\0` and the bytes of the object's name, of which there are `length`. What
/// does not read so is left out.
pub(super) fn entries(mut bytes: &[u8], length: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        let (about, rest) = bytes.split_at(end);
        let Some((id, rest)) = rest[1..].split_at_checked(length) else { break };
        bytes = rest;
        let about = String::from_utf8_lossy(about);
        let Some((mode, name)) = about.split_once(' ') else { continue };
        let kind = EntryKind::of_mode(mode);
        entries.extend(ObjectId::of_bytes(id).map(|id| Entry { name: name.to_owned(), kind, id }));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_its_entries_and_a_broken_one_no_more_than_it_has() {
        let id = [0xab; 20];
        let entry = |about: &str| [about.as_bytes(), b"\0", &id].concat();
        let tree = [entry("100644 1_a b.sql"), entry("120000 l"), entry("40000 d"), entry("160000 s")].concat();
        let read = |bytes: &[u8]| entries(bytes, 20).into_iter().map(|e| (e.name, e.kind)).collect::<Vec<_>>();
        let expected = [
            ("1_a b.sql", EntryKind::File),
            ("l", EntryKind::Link),
            ("d", EntryKind::Directory),
            ("s", EntryKind::Submodule),
        ];
        let expected = expected.map(|(name, kind)| (name.to_owned(), kind));
        assert_eq!(read(&tree), expected);
        assert_eq!(read(&tree[..tree.len() - 1]), expected[..3]);
        assert_eq!(entries(&tree, 20)[0].id.as_str(), "ab".repeat(20));
        for rubbish in [&b""[..], b"\0", b"100644", b"a\0b", &[0; 40]] {
            assert_eq!(read(rubbish), []);
        }
    }

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn read(text: &str, prefix: &str) -> Vec<Commit> {
        commits(&mut text.as_bytes(), prefix).unwrap()
    }

    #[test]
    fn a_commit_has_its_changes_or_none() {
        let text = format!(
            "\u{1}{A}\u{2}\u{2}Ann\u{2}a@x\u{2}2026-01-01T00:00:00Z\u{2}add \u{2} (#3)\0\n:000000 100644 {NONE} {B} A\0m/1_a b.sql\0\
             :100644 000000 {A} {NONE} D\0:m/2\0\0\u{1}{B}\u{2}{A}\u{2}Bob\u{2}\u{2}\u{2}\0"
        );
        let commits = read(&text, "");
        assert_eq!((commits.len(), commits[0].subject.as_str()), (2, "add \u{2} (#3)"));
        assert_eq!((commits[1].author.as_str(), commits[1].changes.len()), ("Bob", 0));
        let [a, b] = [A, B].map(ObjectId::parse);
        assert_eq!(
            commits[0].changes,
            [
                Change { path: "m/1_a b.sql".into(), before: None, after: b },
                Change { path: ":m/2".into(), before: a, after: None }
            ]
        );
    }

    #[test]
    fn a_merge_shows_what_it_made_itself() {
        let text =
            format!("\u{1}{A}\u{2}\u{2}\u{2}\u{2}\u{2}m\0\n::100644 100644 100644 {NONE} {A} {B} AM\0x/m/1_a.sql\0");
        let change = &read(&text, "x/")[0].changes[0];
        assert_eq!((change.path.as_str(), &change.before, &change.after), ("m/1_a.sql", &None, &ObjectId::parse(B)));
    }

    #[test]
    fn links_and_what_is_outside_are_no_files() {
        let text = format!("\u{1}{A}\u{2}\u{2}\u{2}\u{2}\u{2}m\0\n:000000 120000 {NONE} {B} A\0m/1_a.sql\0");
        assert_eq!(read(&text, "")[0].changes[0].after, None);
        assert_eq!(read(&text, "x/")[0].changes, []);
        let text = format!("100644 blob {A}\tm/1_a.sql\0120000 blob {A}\tm/l.sql\0040000 tree {A}\tm/d\0");
        let files = tree(&mut text.as_bytes(), "").unwrap();
        assert_eq!(files, [("m/1_a.sql".to_owned(), ObjectId::parse(A).unwrap())]);
    }

    #[test]
    fn rubbish_is_passed_by() {
        for text in ["", "\0", ":", ":::", "::100644\0", ":a b c\0p\0", "\u{1}x\0:0 1 2 3 4\0p\0", "\u{1}"] {
            assert_eq!(read(text, ""), []);
        }
    }
}
