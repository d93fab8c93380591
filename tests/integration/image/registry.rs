//! Images in a registry, by a stand-in: what it is asked for, what is done when it does not answer as it should, and what
//! is said of it.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use migration_preflight::gather::image::{ImageError, LayerFault, Limits, Options};

use super::stand_in::{Reply, Request, StandIn, registry};
use crate::shared::images::{Images, Layer, Packing, Shown, read_with};

fn images() -> Images {
    let noise: Vec<u8> = (0..300_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    Images::of(&[Layer::new().file("old", "1"), Layer::new().file("app", noise)], Packing::Gzip)
}

fn of_host(host: &str, name: &str, limits: Limits) -> Result<Shown, String> {
    let read = read_with(&format!("{host}/{name}"), &Options { limits, ..Options::default() });
    read.map(|(_, shown)| shown).map_err(|error| error.to_string().replace(host, "HOST"))
}

fn of(stand_in: &StandIn, name: &str) -> Result<Shown, String> {
    of_host(&stand_in.host, name, Limits::default())
}

/// The number of requests so far, and the request, for a registry that answers otherwise now and then.
fn odd(reply: impl Fn(usize, &Request) -> Option<Reply> + Send + Sync + 'static) -> StandIn {
    let images = images();
    StandIn::start(move |number, request| reply(number, request).unwrap_or_else(|| registry(&images, request)))
}

#[test]
fn an_image_is_read_by_tag_and_by_digest_and_nothing_else_is_asked_for() {
    let (images, stand_in) = (images(), odd(|_, _| None));
    let digest = images.index[0]["digest"].as_str().unwrap();
    for name in ["o/app:1".to_owned(), format!("o/app@{digest}"), format!("o/app:1@{digest}")] {
        assert_eq!(of(&stand_in, &name).unwrap().files.keys().collect::<Vec<_>>(), ["app", "old"]);
    }
    let requests = stand_in.requests();
    assert_eq!(requests.len(), 12);
    assert_eq!(requests[0].path, "/v2/o/app/manifests/1");
    assert!(requests[0].header("accept").unwrap().contains("application/vnd.oci.image.index.v1+json"));
    assert!(requests.iter().all(|request| request.method == "GET" && request.header("authorization").is_none()));
    // The newest layer comes first.
    let manifest: serde_json::Value = serde_json::from_slice(&images.blobs[digest]).unwrap();
    let newest = manifest["layers"][1]["digest"].as_str().unwrap();
    assert_eq!(requests[2].path, format!("/v2/o/app/blobs/{newest}"));
}

#[test]
fn what_is_not_there_is_told_apart() {
    let stand_in = odd(|_, _| None);
    assert_eq!(
        of(&stand_in, "o/app:2").unwrap_err(),
        "HOST/o/app:2: it knows no such image, or does not show it to this account (MANIFEST_UNKNOWN: manifest unknown); \
         check its name and tag"
    );
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = of_host(&port.to_string(), "o/app:1", Limits::default()).unwrap_err();
    assert_eq!(away, "HOST/o/app:1: it cannot be reached: Connection refused (os error 111)");
    let page = odd(|_, _| Some(Reply::ok("<html>a login page of a hotel</html>")));
    assert!(
        of(&page, "o/app:1").unwrap_err().starts_with("the manifest of HOST/o/app:1 cannot be used: expected value")
    );
}

#[test]
fn a_manifest_or_a_layer_that_is_not_what_its_digest_names_is_an_error() {
    let digest = images().index[0]["digest"].as_str().unwrap().to_owned();
    let other = odd(|_, request| request.path.contains("manifests").then(|| Reply::ok("{}")));
    assert!(of(&other, &format!("o/app@{digest}")).unwrap_err().contains("does not match its digest"));
    let layer = odd(|number, request| {
        let images = images();
        let blob = images.blobs.get(request.path.rsplit('/').next().unwrap())?;
        let mut blob = blob.clone();
        blob[0] ^= u8::from(number == 2);
        Some(Reply::ok(blob))
    });
    assert!(of(&layer, "o/app:1").unwrap_err().contains("its content hashes to sha256:"));
    let config = odd(|number, _| (number == 1).then(|| Reply::ok("{}")));
    assert!(of(&config, "o/app:1").unwrap_err().contains("does not match its digest"));
}

#[test]
fn what_passes_by_itself_is_waited_for_and_nothing_else() {
    let busy = odd(|number, _| match number {
        0 => Some(Reply::status(503, "")),
        1 => Some(Reply::status(429, "").with("retry-after", "0")),
        4 => Some(Reply::status(502, "")),
        _ => None,
    });
    assert!(of(&busy, "o/app:1").is_ok());
    assert_eq!(busy.requests().len(), 7);
    let down = odd(|_, _| Some(Reply::status(500, r#"{"errors": [{"message": "out of disk"}]}"#)));
    assert_eq!(of(&down, "o/app:1").unwrap_err(), "HOST/o/app:1: it answered with status 500: out of disk");
    assert_eq!(down.requests().len(), 4);
    let limited = odd(|_, _| Some(Reply::status(429, "").with("retry-after", "3600")));
    assert_eq!(
        of(&limited, "o/app:1").unwrap_err(),
        "HOST/o/app:1: it asks for fewer requests, for 3600 s; log in if you have not, or try again later"
    );
    assert_eq!(limited.requests().len(), 1);
    let denied = odd(|_, _| Some(Reply::status(403, "")));
    assert!(of(&denied, "o/app:1").unwrap_err().contains("it wants to know who asks"));
    assert_eq!(denied.requests().len(), 1);
}

#[test]
fn a_layer_that_breaks_off_is_taken_up_where_it_was() {
    let images = images();
    let manifest: serde_json::Value =
        serde_json::from_slice(&images.blobs[images.index[0]["digest"].as_str().unwrap()]).unwrap();
    let newest = images.blobs[manifest["layers"][1]["digest"].as_str().unwrap()].clone();
    for knows_ranges in [true, false] {
        let newest = newest.clone();
        let stand_in = odd(move |number, _| match number {
            2 => Some(Reply::Part(newest.clone(), 100_000)),
            3 if !knows_ranges => Some(Reply::ok(newest.clone())),
            _ => None,
        });
        assert_eq!(of(&stand_in, "o/app:1").unwrap().files.len(), 2);
        assert_eq!(stand_in.requests()[3].header("range"), Some("bytes=100000-"));
    }
    // One that breaks off again and again is given up.
    let stand_in = odd(move |number, _| (number >= 2).then(|| Reply::Part(newest.clone(), 1000)));
    let error = of(&stand_in, "o/app:1").unwrap_err();
    assert!(error.starts_with("HOST/o/app:1: it cannot be reached: "), "{error}");
    assert!(stand_in.requests().len() <= 8);
}

#[test]
fn a_layer_that_is_cut_off_in_the_registry_is_an_error() {
    let images = images();
    let manifest: serde_json::Value =
        serde_json::from_slice(&images.blobs[images.index[0]["digest"].as_str().unwrap()]).unwrap();
    let newest = images.blobs[manifest["layers"][1]["digest"].as_str().unwrap()].clone();
    let (short, size) = (newest[..5000].to_vec(), newest.len() as u64);
    let stand_in = odd(move |number, _| (number == 2).then(|| Reply::ok(short.clone())));
    let error = read_with(&format!("{}/o/app:1", stand_in.host), &Options::default()).unwrap_err();
    let ImageError::Layer { fault, .. } = error else { panic!("{error}") };
    assert_eq!(fault, LayerFault::Short { expected: size, actual: 5000 });
    let gone = odd(|number, _| (number == 2).then(|| Reply::status(404, "")));
    assert!(of(&gone, "o/app:1").unwrap_err().ends_with("it is missing; pull or save the image anew"));
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let sent: Arc<AtomicUsize> = Arc::default();
    for at in 0..3 {
        let counted = sent.clone();
        let stand_in = odd(move |number, _| (number == at).then(|| Reply::Endless(counted.clone())));
        let error = of(&stand_in, "o/app:1").unwrap_err();
        let expected = ["is larger than 4 MiB", "is larger than 8 MiB", "bytes that the manifest tells"][at];
        assert!(error.contains(expected), "{error}");
    }
    // What the sockets hold on both sides comes on top.
    assert!(sent.load(Ordering::Relaxed) < 100 << 20);
}

#[test]
fn silence_is_not_waited_for() {
    let limits = Limits { silence: Duration::from_millis(100), ..Limits::default() };
    let stand_in = odd(|_, _| Some(Reply::Silence));
    assert_eq!(of_host(&stand_in.host, "o/app:1", limits).unwrap_err(), "HOST/o/app:1: it did not answer in time");
}

#[test]
fn layers_may_be_kept_elsewhere_but_not_where_anybody_can_listen() {
    let elsewhere = odd(|_, _| None);
    let host = elsewhere.host.clone();
    let stand_in = odd(move |_, request| {
        let to = format!("http://{host}{}", request.path);
        request.path.contains("blobs").then(|| Reply::status(307, "").with("location", &to))
    });
    assert_eq!(of(&stand_in, "o/app:1").unwrap().files.len(), 2);
    assert_eq!(elsewhere.requests().len(), 3);
    let astray = odd(|_, _| Some(Reply::status(302, "").with("location", "http://registry.example/x")));
    assert_eq!(
        of(&astray, "o/app:1").unwrap_err(),
        "HOST/o/app:1: its answer is none of a registry: its answer leads to an address without TLS"
    );
    let circle = odd(|_, request| Some(Reply::status(302, "").with("location", &request.path)));
    assert!(of(&circle, "o/app:1").unwrap_err().ends_with("its answer leads from one address to the next"));
}
