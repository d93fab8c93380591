//! The layers, newest first, beside the plain way: unpack each into a folder of its own, and lay them on each other from the
//! lowest up.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What stands at a path: a file with this content, a folder, or something else that is no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(u64),
    Folder,
    Link(String),
}

/// A line of a layer.
#[derive(Debug, Clone)]
enum Line {
    File(String),
    Folder(String),
    Link(String),
    Hard(String, String),
    Delete(String),
    Opaque(String),
}

type Tree = BTreeMap<String, Node>;

fn below(tree: &Tree, path: &str) -> Vec<String> {
    let start = if path.is_empty() { String::new() } else { format!("{path}/") };
    tree.keys().filter(|key| key.starts_with(&start) && key.as_str() != path).cloned().collect()
}

/// Puts something into a tree, as a program that unpacks does; none where it could not.
fn put(tree: &mut Tree, path: &str, node: Node) -> Option<()> {
    let parts: Vec<_> = path.match_indices('/').map(|(index, _)| &path[..index]).collect();
    for folder in parts {
        match tree.get(folder) {
            None => drop(tree.insert(folder.to_owned(), Node::Folder)),
            Some(Node::Folder) => {}
            Some(_) => return None,
        }
    }
    if node != Node::Folder || tree.get(path) != Some(&Node::Folder) {
        below(tree, path).iter().for_each(|path| drop(tree.remove(path)));
        tree.insert(path.to_owned(), node);
    }
    Some(())
}

/// The plain way. None where no runtime could unpack it.
fn plainly(layers: &[Vec<Line>]) -> Option<Tree> {
    let (mut merged, mut content) = (Tree::new(), 0);
    for layer in layers {
        let (mut own, lower) = (Tree::new(), merged.clone());
        for line in layer {
            content += 1;
            let is_file = |path: &str| own.get(path).is_some_and(|node| *node != Node::Folder);
            let hidden = |path: &str| path.match_indices('/').any(|(index, _)| is_file(&path[..index]));
            match line {
                Line::File(path) => put(&mut own, path, Node::File(content))?,
                Line::Folder(path) => put(&mut own, path, Node::Folder)?,
                Line::Link(path) => put(&mut own, path, Node::Link(format!("to-{content}")))?,
                Line::Hard(path, target) => {
                    let node = own.get(target).or_else(|| lower.get(target)).cloned()?;
                    // What replaces its own target, or stands below it.
                    let within = |path: &str, folder: &str| path == folder || path.starts_with(&format!("{folder}/"));
                    if node == Node::Folder || within(path, target) || within(target, path) {
                        return None;
                    }
                    put(&mut own, path, node)?;
                }
                // What stands below a file of the same layer is hidden already.
                Line::Delete(path) if hidden(path) => {}
                Line::Opaque(path) if hidden(&format!("{path}/")) => {}
                Line::Delete(path) => {
                    below(&merged, path).iter().chain([path]).for_each(|path| drop(merged.remove(path)));
                    // What marks it stands in a folder.
                    if let Some((folder, _)) = path.rsplit_once('/') {
                        put(&mut own, folder, Node::Folder)?;
                    }
                }
                Line::Opaque(path) => {
                    below(&merged, path).iter().for_each(|path| drop(merged.remove(path)));
                    put(&mut own, path, Node::Folder)?;
                }
            }
        }
        for (path, node) in own {
            if node != Node::Folder || merged.get(&path) != Some(&Node::Folder) {
                below(&merged, &path).iter().for_each(|path| drop(merged.remove(path)));
                merged.insert(path, node);
            }
        }
    }
    Some(merged)
}

#[derive(Debug, Default)]
struct Seen {
    files: BTreeMap<String, u64>,
    content: u64,
}

impl Visit for Seen {
    fn file(&mut self, path: &str, _: u64) -> bool {
        self.files.insert(path.to_owned(), self.content);
        false
    }
    fn piece(&mut self, _: &[u8]) {}
    fn end(&mut self) {}
    fn link(&mut self, path: &str, shown: &str) {
        self.files.insert(path.to_owned(), self.files[shown]);
    }
    fn removed(&mut self, path: &str) {
        self.files.remove(path).unwrap();
    }
}

impl Seen {
    fn show(&mut self, names: &[String], content: u64) {
        self.content = content;
        if let Some((first, others)) = names.split_first() {
            self.file(first, 0);
            others.iter().for_each(|other| self.link(other, first));
        }
    }
}

fn entry(line: &Line, content: u64) -> Entry {
    let (kind, path, target) = match line {
        Line::File(path) => (Kind::File, path.clone(), String::new()),
        Line::Folder(path) => (Kind::Directory, path.clone(), String::new()),
        Line::Link(path) => (Kind::Symlink, path.clone(), format!("to-{content}")),
        Line::Hard(path, target) => (Kind::HardLink, path.clone(), target.clone()),
        Line::Opaque(path) => (Kind::File, format!("{path}/.wh..wh..opq"), String::new()),
        Line::Delete(path) => {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            (Kind::File, format!("{folder}/.wh.{name}"), String::new())
        }
    };
    Entry { path: path.into_bytes(), kind, target: target.into_bytes(), size: 0 }
}

fn newest_first(layers: &[Vec<Line>]) -> Result<(BTreeMap<String, u64>, Links), Fault> {
    let (mut overlay, mut seen) = (Overlay::new(Limits::default()), Seen::default());
    let mut before: u64 = layers.iter().map(|layer| layer.len() as u64).sum();
    for (number, layer) in layers.iter().enumerate().rev() {
        before -= layer.len() as u64;
        overlay.begin(u32::try_from(number).unwrap());
        for (ordinal, line) in (0_u64..).zip(layer) {
            let content = before + ordinal + 1;
            if let Content::Shown(names) = overlay.entry(&entry(line, content), ordinal, &mut seen)? {
                seen.show(&names, content);
            }
        }
        overlay.end()?;
        for (ordinal, names) in overlay.missed() {
            seen.show(&names, before + ordinal + 1);
        }
    }
    Ok((seen.files, overlay.finish()?))
}

fn path() -> impl Strategy<Value = String> {
    "[abc](/[abc]){0,2}"
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        4 => path().prop_map(Line::File),
        1 => path().prop_map(Line::Folder),
        // Names that nothing stands below: what is written through a link is tested elsewhere.
        1 => "[abc]/link".prop_map(Line::Link),
        2 => (path(), prop_oneof![3 => path(), 1 => "[abc]/link"]).prop_map(|(path, target)| Line::Hard(path, target)),
        2 => path().prop_map(Line::Delete),
        1 => path().prop_map(Line::Opaque),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn from_the_newest_layer_down_is_what_it_is_from_the_lowest_up(
        layers in proptest::collection::vec(proptest::collection::vec(line(), 0..6), 1..5)
    ) {
        let expected = plainly(&layers);
        prop_assume!(expected.is_some());
        let (files, links) = newest_first(&layers).unwrap();
        let expected = expected.unwrap_or_default();
        let expected_files = expected.iter().filter_map(|(path, node)| match node {
            Node::File(content) => Some((path.clone(), *content)),
            _ => None,
        });
        prop_assert_eq!(files, expected_files.collect::<BTreeMap<_, _>>());
        let links: BTreeMap<_, _> = links.0.iter().map(|(path, target)| (shown(path), shown(target))).collect();
        let expected_links = expected.iter().filter_map(|(path, node)| match node {
            Node::Link(target) => Some((path.clone(), target.clone())),
            _ => None,
        });
        prop_assert_eq!(links, expected_links.collect::<BTreeMap<_, _>>());
    }
}
