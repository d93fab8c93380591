//! Archives that are odd, but no error; and those that lead elsewhere, which leads nowhere.

use super::{shown, try_shown};
use crate::shared::images::{Images, Layer, Packing, header, read};

#[test]
fn dots_and_slashes_lead_nowhere_but_into_the_image() {
    let layer = Layer::new()
        .file("../../../../tmp/preflight-escape", "1")
        .file("/etc/absolute", "2")
        .file("a/../../b", "3")
        .file("./c//d/.", "4")
        .file("/", "")
        .file("..", "")
        .symlink("link", "../../../../tmp")
        .file("link/preflight-through-link", "5");
    let lines = ["b: 3", "c/d: 4", "etc/absolute: 2", "tmp/preflight-escape: 1", "tmp/preflight-through-link: 5"];
    assert_eq!(shown(&[layer]), lines);
    for name in ["preflight-escape", "preflight-through-link"] {
        assert!(!std::path::Path::new("/tmp").join(name).exists());
    }
    // They delete nothing but what they name either.
    let deleting = Layer::new().entry(b'0', "../.wh.b", "", b"").entry(b'0', "/x/.wh...", "", b"");
    assert_eq!(shown(&[Layer::new().file("b", "1").file("x/y", "2"), deleting]), ["x/y: 2"]);
}

#[test]
fn nothing_is_written_while_an_image_is_read() {
    let folder = tempfile::tempdir().unwrap();
    Images::of(&[Layer::new().file("app", "x".repeat(1 << 20))], Packing::Gzip)
        .write_archive(&folder.path().join("a.tar"));
    let list =
        || walkdir::WalkDir::new(folder.path()).into_iter().map(|entry| entry.unwrap().into_path()).collect::<Vec<_>>();
    let before = list();
    read(&folder.path().join("a.tar")).unwrap();
    assert_eq!(list(), before);
}

#[test]
fn long_names_are_read_in_every_form() {
    let (long, content) = (format!("{}/app", "x".repeat(200)), "content");
    let gnu = Layer::new().file(&long, content);
    let pax = Layer::new().pax(&[("path", &long)]).file("short", content);
    let mut split = header(b'0', "app", "", 7);
    split[345..500].copy_from_slice("y".repeat(155).as_bytes());
    let mut split = tar::Header::from_byte_slice(&split).clone();
    split.set_cksum();
    let prefix = Layer::new().bytes(split.as_bytes()).bytes(content.as_bytes());
    assert_eq!(shown(std::slice::from_ref(&gnu)), [format!("{long}: content")]);
    assert_eq!(shown(&[pax]), [format!("{long}: content")]);
    assert_eq!(shown(&[prefix]), [format!("{}/app: content", "y".repeat(155))]);
    // As the target of a link, too.
    assert_eq!(shown(&[gnu.hard_link("link", &long)]), ["link: content".to_owned(), format!("{long}: content")]);
    let pax = Layer::new().file("a", "1").pax(&[("linkpath", "a")]).hard_link("b", "wrong");
    assert_eq!(shown(&[pax]), ["a: 1", "b: 1"]);
}

#[test]
fn what_is_said_for_all_entries_or_of_times_and_owners_changes_nothing() {
    let layer = Layer::new()
        .entry(b'g', "pax_global_header", "", b"17 path=wrong-one\n")
        .pax(&[("mtime", "1.5"), ("SCHILY.xattr.user.x", "a\nb=c"), ("uid", "5000000")])
        .file("a", "1");
    assert_eq!(shown(&[layer]), ["a: 1"]);
}

#[test]
fn the_size_in_an_extended_header_is_the_true_one() {
    // A header cannot say 8 GiB in octal; here it says nothing.
    let layer = Layer::new().pax(&[("size", "3")]).bytes(&header(b'0', "a", "", 0)).bytes(b"abc").file("b", "1");
    assert_eq!(shown(&[layer]), ["a: abc", "b: 1"]);
}

#[test]
fn the_size_of_what_has_no_content_is_passed_over() {
    let sized = |kind, path: &str| Layer::new().bytes(&header(kind, path, "a", 1 << 20));
    for kind in [b'1', b'2', b'3', b'4', b'5', b'6'] {
        let layer = Layer(Layer::new().file("a", "1").0).bytes(&sized(kind, "x").0).file("b", "2");
        let all = shown(&[layer]);
        assert!(all.contains(&"b: 2".to_owned()), "{kind}: {all:?}");
    }
}

#[test]
fn old_archives_and_entries_of_one_block_are_read() {
    let mut old = header(b'\0', "old", "", 3);
    old[156] = 0;
    old[257..265].fill(0);
    let mut old = tar::Header::from_byte_slice(&old).clone();
    old.set_cksum();
    let mut folder = header(b'0', "folder/", "", 0);
    folder[156] = 0;
    let mut folder = tar::Header::from_byte_slice(&folder).clone();
    folder.set_cksum();
    let layer =
        Layer::new().bytes(old.as_bytes()).bytes(b"abc").bytes(folder.as_bytes()).file("folder/a", "x".repeat(1024));
    let lines = shown(&[layer]);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1], "old: abc");
    // Without the end that an archive has, as some programs write it; and with something behind it.
    assert_eq!(try_shown(&[Layer::new()]).unwrap().len(), 0);
    let behind = Layer(Layer::new().file("a", "1").tar()).file("b", "2");
    assert_eq!(shown(&[behind]), ["a: 1"]);
}

#[test]
fn holes_of_sparse_files_are_zeros() {
    let zeros = |count| "\0".repeat(count);
    // In GNU's old form: four regions in the header, the others in a block behind it.
    let mut sparse = tar::Header::new_gnu();
    sparse.set_entry_type(tar::EntryType::GNUSparse);
    sparse.set_size(4);
    sparse.as_old_mut().name[..3].copy_from_slice(b"old");
    let gnu = sparse.as_gnu_mut().unwrap();
    let octal = |number: u64| -> [u8; 12] { format!("{number:011o}\0").into_bytes().try_into().unwrap() };
    for (index, offset) in [1_u64, 5].into_iter().enumerate() {
        gnu.sparse[index].offset = octal(offset);
        gnu.sparse[index].numbytes = octal(2);
    }
    gnu.realsize = octal(10);
    sparse.set_cksum();
    let old = Layer::new().bytes(sparse.as_bytes()).bytes(b"abcd").file("next", "1");
    let content = format!("{}ab{}cd{}", zeros(1), zeros(2), zeros(3));
    assert_eq!(shown(&[old]), ["next: 1".to_owned(), format!("old: {content}")]);
    // In the newer ones of records: with the list in them, or at the start of the content.
    let listed =
        [("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.name", "new"), ("GNU.sparse.size", "10")];
    let listed = Layer::new().pax(&[&listed[..], &[("GNU.sparse.map", "1,2,5,2")]].concat()).file("x", "abcd");
    let mut inside = b"2\n1\n2\n5\n2\n".to_vec();
    inside.resize(512, 0);
    inside.extend_from_slice(b"abcd");
    let records = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "new"),
        ("GNU.sparse.realsize", "10"),
    ];
    let inside = Layer::new().pax(&records).file("x", &inside);
    for layer in [listed, inside] {
        assert_eq!(shown(&[layer.file("next", "1")]), [format!("new: {content}"), "next: 1".to_owned()]);
    }
}

#[test]
fn a_name_that_is_no_unicode_is_shown_with_what_stands_for_it() {
    let mut odd = header(b'0', "a-?-b", "", 1);
    odd[2] = 0xff;
    let mut odd = tar::Header::from_byte_slice(&odd).clone();
    odd.set_cksum();
    assert_eq!(shown(&[Layer::new().bytes(odd.as_bytes()).bytes(b"1")]), ["a-\u{fffd}-b: 1"]);
}
