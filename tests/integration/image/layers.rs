//! Which files of which layers are shown.

use super::{shown, try_shown};
use crate::shared::images::{Images, Layer, Packing, read};

fn base() -> Layer {
    Layer::new().file("usr/bin/app", "old").file("usr/bin/tool", "tool").file("etc/a", "1").file("etc/b", "2")
}

#[test]
fn the_newest_layer_wins_and_the_others_add_to_it() {
    let newer = Layer::new().file("usr/bin/app", "new").file("etc/c", "3");
    assert_eq!(shown(&[base(), newer]), ["etc/a: 1", "etc/b: 2", "etc/c: 3", "usr/bin/app: new", "usr/bin/tool: tool"]);
}

#[test]
fn what_is_deleted_is_not_shown_and_may_come_back() {
    let deleted = Layer::new().delete("usr/bin/app");
    assert_eq!(shown(&[base(), deleted.clone()]), ["etc/a: 1", "etc/b: 2", "usr/bin/tool: tool"]);
    let again = Layer::new().file("usr/bin/app", "again");
    assert_eq!(shown(&[base(), deleted, again]), ["etc/a: 1", "etc/b: 2", "usr/bin/app: again", "usr/bin/tool: tool"]);
    assert_eq!(shown(&[base(), Layer::new().delete("etc")]), ["usr/bin/app: old", "usr/bin/tool: tool"]);
    assert_eq!(shown(&[base(), Layer::new().delete("usr").delete("etc")]), Vec::<String>::new());
}

#[test]
fn an_opaque_folder_hides_what_older_layers_have_in_it_and_not_what_its_own_has() {
    for opaque in [Layer::new().opaque("etc").file("etc/c", "3"), Layer::new().file("etc/c", "3").opaque("etc")] {
        assert_eq!(shown(&[base(), opaque]), ["etc/c: 3", "usr/bin/app: old", "usr/bin/tool: tool"]);
    }
    let deep = Layer::new().file("etc/x/y/z", "deep");
    assert_eq!(shown(&[deep.clone(), Layer::new().opaque("etc")]), Vec::<String>::new());
    assert_eq!(shown(&[deep, Layer::new().opaque("etc/x/y").file("etc/x/w", "w")]), ["etc/x/w: w"]);
    // Of the whole image.
    assert_eq!(shown(&[base(), Layer::new().entry(b'0', ".wh..wh..opq", "", b"").file("a", "b")]), ["a: b"]);
}

#[test]
fn a_whiteout_hides_nothing_of_its_own_layer() {
    for layer in [Layer::new().delete("etc/a").file("etc/a", "new"), Layer::new().file("etc/a", "new").delete("etc/a")]
    {
        assert_eq!(shown(&[base(), layer])[0], "etc/a: new");
    }
}

#[test]
fn a_file_over_a_folder_hides_it_and_the_other_way_round() {
    let file = Layer::new().file("etc", "a file");
    assert_eq!(shown(&[base(), file.clone()]), ["etc: a file", "usr/bin/app: old", "usr/bin/tool: tool"]);
    assert_eq!(shown(&[file.clone(), base()]), ["etc/a: 1", "etc/b: 2", "usr/bin/app: old", "usr/bin/tool: tool"]);
    // umoci deletes what was in it as well.
    let both = Layer::new().file("etc", "a file").delete("etc/a").opaque("etc/b");
    assert_eq!(shown(&[base(), both])[0], "etc: a file");
    // The folder is gone for good, though a newer one stands there.
    let newer = Layer::new().file("etc/c", "3");
    assert_eq!(shown(&[base(), file, newer.clone()]), ["etc/c: 3", "usr/bin/app: old", "usr/bin/tool: tool"]);
    // So does a link or a device hide a folder.
    for (kind, target) in [(b'2', "usr"), (b'3', ""), (b'6', "")] {
        let other = Layer::new().entry(kind, "etc", target, b"");
        assert_eq!(shown(&[base(), other.clone()]), ["usr/bin/app: old", "usr/bin/tool: tool"], "{kind}");
        assert_eq!(shown(&[base(), other, newer.clone()])[0], "etc/c: 3", "{kind}");
    }
}

#[test]
fn what_aufs_kept_for_itself_and_names_of_nothing_delete_nothing() {
    let odd = [".wh..wh.plnk", ".wh..wh.aufs", ".wh.", ".wh..", ".wh...", "etc/.wh..", "etc/.wh..."];
    let odd = odd.iter().fold(Layer::new(), |layer, name| layer.entry(b'0', name, "", b""));
    assert_eq!(shown(&[base(), odd]).len(), 4);
}

#[test]
fn a_hard_link_shows_its_file_under_each_name() {
    let layer = Layer::new().file("a", "one").hard_link("b", "a").hard_link("c/d", "./b").hard_link("e", "/c/d");
    assert_eq!(shown(&[layer]), ["a: one", "b: one", "c/d: one", "e: one"]);
}

#[test]
fn a_hard_link_to_an_older_layer_shows_what_stood_there_then() {
    let layers = [base(), Layer::new().hard_link("link", "usr/bin/app"), Layer::new().hard_link("again", "link")];
    let all = shown(&layers);
    assert!(
        ["again: old", "link: old", "usr/bin/app: old"].iter().all(|line| all.contains(&(*line).to_owned())),
        "{all:?}"
    );
    // The file itself is deleted, or replaced, later on.
    let [base, link, _] = layers;
    assert_eq!(shown(&[base.clone(), link.clone(), Layer::new().delete("usr")]), ["etc/a: 1", "etc/b: 2", "link: old"]);
    let replaced = Layer::new().file("usr/bin/app", "new");
    assert_eq!(shown(&[base.clone(), link.clone(), replaced])[2..4], ["link: old", "usr/bin/app: new"]);
    // The link is deleted.
    assert!(!shown(&[base, link, Layer::new().delete("link")]).iter().any(|line| line.starts_with("link")));
}

#[test]
fn a_hard_link_is_shown_though_its_file_was_passed_over_when_it_came_by() {
    let layer = Layer::new().file("a", "one").file("z", "other").hard_link("b", "a").hard_link("c", "b");
    assert_eq!(shown(&[layer.clone(), Layer::new().delete("a")]), ["b: one", "c: one", "z: other"]);
    assert_eq!(shown(&[layer.clone(), Layer::new().file("a", "new")]), ["a: new", "b: one", "c: one", "z: other"]);
    assert_eq!(shown(&[layer.clone(), Layer::new().delete("a").delete("b")]), ["c: one", "z: other"]);
    let above = Layer::new().hard_link("d", "a").delete("b");
    assert_eq!(shown(&[layer, above, Layer::new().delete("a").delete("c")]), ["d: one", "z: other"]);
}

#[test]
fn a_hard_link_to_nothing_is_an_error() {
    let nothing = try_shown(&[base(), Layer::new().hard_link("link", "none")]).unwrap_err().to_string();
    assert!(nothing.contains("a hard link leads to `none`, which is in no layer below"), "{nothing}");
    let deleted = [base(), Layer::new().delete("usr/bin/app"), Layer::new().hard_link("link", "usr/bin/app")];
    let deleted = try_shown(&deleted).unwrap_err().to_string();
    assert!(deleted.contains("a hard link leads to `usr/bin/app`"), "{deleted}");
    let folder = try_shown(&[Layer::new().folder("a").hard_link("b", "a")]).unwrap_err().to_string();
    assert!(folder.contains("`b` is a hard link to a folder"), "{folder}");
}

#[test]
fn of_several_entries_for_one_path_the_last_of_a_layer_counts() {
    assert_eq!(shown(&[Layer::new().file("a", "1").file("./a", "2")]), ["a: 2"]);
    assert_eq!(shown(&[Layer::new().file("a", "1").hard_link("b", "a").file("a", "2")]), ["a: 2", "b: 1"]);
    assert_eq!(shown(&[Layer::new().file("a", "1").symlink("a", "b").file("b", "2")]), ["b: 2"]);
    assert_eq!(shown(&[Layer::new().file("a/b/c", "1").file("a/b", "2")]), ["a/b: 2"]);
    assert_eq!(shown(&[Layer::new().file("a", "1").folder("a").file("a/b", "2")]), ["a/b: 2"]);
    assert_eq!(shown(&[Layer::new().file("a", "1").entry(b'3', "a", "", b"")]), Vec::<String>::new());
    // A hard link that waits for an older layer, and is replaced before it comes.
    let waiting = Layer::new().hard_link("link", "etc/a").file("link", "file");
    assert_eq!(shown(&[Layer::new().file("etc/a", "1").file("etc/a", "2"), waiting]), ["etc/a: 2", "link: file"]);
    let twice = [Layer::new().file("etc/a", "1").file("etc/a", "2"), Layer::new().hard_link("link", "etc/a")];
    assert_eq!(shown(&twice), ["etc/a: 2", "link: 2"]);
    // One that waits for another pass over its layer, and is replaced before that.
    let passed = Layer::new().file("a", "1").hard_link("b", "a").file("b", "2");
    assert_eq!(shown(&[passed, Layer::new().delete("a")]), ["b: 2"]);
}

#[test]
fn what_stands_below_a_file_is_an_error() {
    let error = try_shown(&[Layer::new().file("a", "1").file("a/b", "2")]).unwrap_err().to_string();
    assert!(error.contains("`a/b` stands below `a`, which is no folder"), "{error}");
}

#[test]
fn a_link_of_the_same_layer_is_followed_on_the_way_to_a_file() {
    let layer =
        Layer::new().symlink("bin", "usr/bin").file("bin/app", "1").symlink("up", "../../../usr").file("up/x", "2");
    assert_eq!(shown(&[layer]), ["usr/bin/app: 1", "usr/x: 2"]);
    let error =
        try_shown(&[Layer::new().symlink("a", "b").symlink("b", "a").file("a/x", "1")]).unwrap_err().to_string();
    assert!(error.contains("`a/x` leads in circles"), "{error}");
}

#[test]
fn a_folder_over_a_link_of_an_older_layer_hides_the_link_as_overlayfs_does() {
    let older = Layer::new().symlink("bin", "usr/bin").file("usr/bin/app", "old");
    assert_eq!(shown(&[older, Layer::new().file("bin/app", "new")]), ["bin/app: new", "usr/bin/app: old"]);
}

#[test]
fn a_path_leads_through_the_links_that_the_container_sees() {
    let layers = [
        Layer::new().symlink("bin", "usr/bin").symlink("gone", "x").symlink("changed", "x").symlink("file", "x"),
        Layer::new().symlink("usr/bin/app", "../../opt/app/current/app").symlink("opt/app/current", "v1"),
        Layer::new().delete("gone").symlink("changed", "y").file("file", "").symlink("opt/app/current", "v2"),
        Layer::new().file("opt/app/v2/app", "binary").hard_link("twin", "bin"),
    ];
    let folder = tempfile::tempdir().unwrap();
    Images::of(&layers, Packing::Gzip).write_layout(folder.path());
    let (image, shown) = read(folder.path()).unwrap();
    let resolve = |path: &str| image.links.resolve(path);
    assert_eq!(resolve("/bin/app").as_deref(), Some("opt/app/v2/app"));
    assert_eq!(shown.files[&resolve("/bin/app").unwrap()], "binary");
    assert_eq!(resolve("gone").as_deref(), Some("gone"));
    assert_eq!(resolve("changed").as_deref(), Some("y"));
    assert_eq!(resolve("file").as_deref(), Some("file"));
    assert_eq!(resolve("twin/app").as_deref(), Some("opt/app/v2/app"));
    assert_eq!(image.details.program(), ["/usr/bin/app"]);
}
