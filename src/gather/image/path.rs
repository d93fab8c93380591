//! Paths inside an image: never those of this machine. Pure.

use std::collections::HashMap;

use super::limits::MOST_PATH;

/// As many links are followed, as in Linux.
const MOST_LINKS: usize = 40;

/// `path` without `.`, `..`, and superfluous slashes, from the image's root, which nothing leads out of.
pub fn normalise(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

/// Folder and name of a normalised path.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// The folders in which a normalised path stands, the root first.
pub fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(index, _)| &path[..index]);
    std::iter::once(&path[..0]).filter(|_| !path.is_empty()).chain(slashes)
}

/// `path` with every link on its way followed, as `target` tells them, in the folder of the root. The last part is
/// followed only where `wholly`. None where links lead in circles.
pub fn follow<'a>(path: &[u8], wholly: bool, target: impl Fn(&[u8]) -> Option<&'a [u8]>) -> Option<Vec<u8>> {
    let mut rest: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect();
    let (mut done, mut links): (Vec<u8>, _) = (Vec::new(), 0);
    while let Some(part) = rest.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                done = split(&done).0.to_vec();
                continue;
            }
            _ => {}
        }
        let next = if done.is_empty() { part } else { [&done, b"/".as_slice(), &part].concat() };
        if next.len() > MOST_PATH {
            return None;
        }
        let last = rest.iter().all(|part| part.is_empty());
        match target(&next).filter(|_| wholly || !last) {
            Some(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return None;
                }
                if target.starts_with(b"/") {
                    done.clear();
                }
                rest.extend(target.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
            }
            None => done = next,
        }
    }
    Some(done)
}

/// The symbolic links of an image, of which a path may lead through some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links(pub(super) HashMap<Box<[u8]>, Box<[u8]>>);

impl Links {
    /// Where `path` leads in the image: without a leading `/`, as files are shown. None where links lead in circles.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let path = follow(path.as_bytes(), true, |path| self.0.get(path).map(|target| &target[..]))?;
        Some(shown(&path))
    }
}

/// A path as it is shown: what is no Unicode is replaced.
pub fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_root() {
        for (path, expected) in [
            ("a/b", "a/b"),
            ("/a//b/", "a/b"),
            ("./a/./b", "a/b"),
            ("../../etc/passwd", "etc/passwd"),
            ("a/../../b", "b"),
            ("..", ""),
            ("/", ""),
        ] {
            assert_eq!(shown(&normalise(path.as_bytes())), expected, "{path}");
        }
    }

    #[test]
    fn a_path_leads_through_links_and_never_out_of_the_image_nor_in_circles() {
        let link = |(path, target): (&str, &str)| (path.as_bytes().into(), target.as_bytes().into());
        let links = [
            ("bin", "usr/bin"),
            ("usr/bin/app", "../../opt/app-1/app"),
            ("opt/app-1", "/opt/app-2"),
            ("opt/up", "../../../../etc"),
            ("a", "b"),
            ("b", "a"),
            ("self", "self/x"),
        ];
        let links = Links(links.map(link).into_iter().collect());
        for (path, expected) in [
            ("/bin/app", Some("opt/app-2/app")),
            ("usr/bin/other", Some("usr/bin/other")),
            ("opt/up/passwd", Some("etc/passwd")),
            ("../../bin/./app", Some("opt/app-2/app")),
            ("a", None),
            ("a/x", None),
            ("self", None),
        ] {
            assert_eq!(links.resolve(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_path_stands_in_the_root_and_in_each_folder_on_its_way() {
        let of = |path: &'static str| ancestors(path.as_bytes()).map(shown).collect::<Vec<_>>();
        assert_eq!(of("a/b/c"), ["", "a", "a/b"]);
        assert_eq!(of("a"), [""]);
        assert_eq!(of(""), Vec::<String>::new());
    }
}
