//! Who asks a registry: what is shown to whom, where it is taken from, and that no secret ever shows.

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use migration_preflight::gather::image::{Location, Login, Options};
use migration_preflight::secret::Learn;

use super::stand_in::{Reply, Request, StandIn, registry};
use crate::shared::images::{Images, Layer, Packing, read_with};

const PASSWORD: &str = "hunter22:with/odd=letters";
const TOKEN: &str = "t0ken-from-the-token-server";

fn images() -> Images {
    Images::of(&[Layer::new().file("app", "1")], Packing::Gzip)
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A registry that asks for name and password.
fn with_password() -> StandIn {
    let images = images();
    let expected = format!("Basic {}", base64(&format!("user:{PASSWORD}")));
    StandIn::start(move |_, request| match request.header("authorization") {
        Some(shown) if shown == expected => registry(&images, request),
        // As a careless registry might, it repeats what it was shown.
        shown => {
            Reply::status(401, format!(r#"{{"errors": [{{"message": "not {} {PASSWORD}"}}]}}"#, shown.unwrap_or("")))
                .with("www-authenticate", r#"Basic realm="Registry Realm""#)
        }
    })
}

/// A registry that asks for a token, and hands it out itself to whom `may` lets in.
fn with_token(may: impl Fn(&Request) -> bool + Send + Sync + 'static) -> StandIn {
    let (images, listener) = (images(), TcpListener::bind("127.0.0.1:0").unwrap());
    let realm = format!("http://{}/token", listener.local_addr().unwrap());
    StandIn::at(listener, move |_, request| {
        if request.path.starts_with("/token") {
            let body = format!(r#"{{"access_token": "{TOKEN}"}}"#);
            return if may(request) {
                Reply::ok(body)
            } else {
                Reply::status(401, format!(r#"{{"errors": [{{"message": "no {PASSWORD}"}}]}}"#))
            };
        }
        let challenge = format!(r#"Bearer realm="{realm}",service="registry.test",scope="repository:everything:push""#);
        match request.header("authorization") {
            Some(shown) if shown == format!("Bearer {TOKEN}") => registry(&images, request),
            _ => Reply::status(401, "").with("www-authenticate", &challenge),
        }
    })
}

/// Reads the image of a stand-in with what is found in this environment: its files, or the error.
fn read(stand_in: &StandIn, environment: &[(&str, &str)]) -> Result<usize, String> {
    let values: HashMap<_, _> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let text = format!("{}/o/app:1", stand_in.host);
    let location = Location::parse(&text, Path::new("/")).unwrap();
    let login = Login::find(&location, &|name| values.get(name).cloned()).map_err(|error| error.to_string())?;
    assert!(!format!("{login:?} {login:#?} {:?}", login.secrets()).contains("hunter22"));
    let learnt: Arc<Mutex<String>> = Arc::default();
    let noted = learnt.clone();
    let learn =
        Learn::new(move |secrets| *noted.lock().unwrap() = secrets.redact(&format!("{TOKEN} {PASSWORD}")).into_owned());
    let options = Options { login, learn, ..Options::default() };
    assert!(!format!("{options:?}").contains("hunter22"));
    let read = read_with(&text, &options).map(|(_, shown)| shown.files.len());
    let learnt = learnt.lock().unwrap().clone();
    assert!(!learnt.contains(TOKEN), "the token is not known to be a secret: {learnt}");
    read.map_err(|error| error.to_string().replace(&stand_in.host, "HOST"))
}

/// A folder with a configuration of Docker's.
fn config(json: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), json).unwrap();
    folder
}

fn read_as(stand_in: &StandIn, json: &str) -> Result<usize, String> {
    let folder = config(&json.replace("HOST", &stand_in.host));
    let path = folder.path().to_str().unwrap();
    read(stand_in, &[("DOCKER_CONFIG", path), ("PATH", path)]).map_err(|error| error.replace(path, "CONFIG"))
}

#[test]
fn name_and_password_are_taken_from_dockers_configuration_and_shown_only_when_asked_for() {
    let stand_in = with_password();
    let auth = base64(&format!("user:{PASSWORD}"));
    for json in [
        format!(r#"{{"auths": {{"HOST": {{"auth": "{auth}"}}}}}}"#),
        format!(r#"{{"auths": {{"https://HOST/v2/": {{"auth": "{auth}"}}, "other": {{"auth": "eDp5"}}}}}}"#),
        format!(r#"{{"auths": {{"HOST": {{"username": "user", "password": "{PASSWORD}"}}}}, "credsStore": ""}}"#),
    ] {
        assert_eq!(read_as(&stand_in, &json), Ok(1), "{json}");
    }
    let requests = stand_in.requests();
    assert_eq!(requests[0].header("authorization"), None);
    assert!(requests[1..4].iter().all(|request| request.header("authorization").is_some()));
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".docker")).unwrap();
    let json = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, stand_in.host);
    std::fs::write(home.path().join(".docker/config.json"), json).unwrap();
    assert_eq!(read(&stand_in, &[("HOME", home.path().to_str().unwrap())]), Ok(1));
}

#[test]
fn who_is_not_logged_in_or_not_known_is_told_what_to_do_without_any_secret() {
    let stand_in = with_password();
    let anonymous = "HOST/o/app:1: it wants to know who asks, and there are no credentials for HOST; log in with \
                     `docker login HOST`, or set PREFLIGHT_REGISTRY to the registry, and PREFLIGHT_REGISTRY_USERNAME and \
                     PREFLIGHT_REGISTRY_PASSWORD";
    assert_eq!(read(&stand_in, &[]), Err(anonymous.to_owned()));
    let wrong = base64("user:hunter22-wrong");
    let error = read_as(&stand_in, &format!(r#"{{"auths": {{"HOST": {{"auth": "{wrong}"}}}}}}"#)).unwrap_err();
    assert!(
        error.starts_with(
            "HOST/o/app:1: it does not accept the credentials for HOST (CONFIG/config.json): not Basic ***"
        )
    );
    assert!(!error.contains("hunter22-wrong") && !error.contains(&wrong), "{error}");
    assert_eq!(stand_in.requests().len(), 3);
}

#[test]
fn a_token_is_fetched_with_the_password_for_reading_this_repository_alone() {
    let expected = format!("Basic {}", base64(&format!("user:{PASSWORD}")));
    let stand_in = with_token(move |request| request.header("authorization") == Some(&expected));
    let auth = base64(&format!("user:{PASSWORD}"));
    assert_eq!(read_as(&stand_in, &format!(r#"{{"auths": {{"HOST": {{"auth": "{auth}"}}}}}}"#)), Ok(1));
    let requests = stand_in.requests();
    assert_eq!(requests[1].path, "/token?scope=repository%3Ao%2Fapp%3Apull&service=registry.test");
    // The password went to the server of the tokens, the token to the registry.
    assert!(requests[2..].iter().all(|request| request.header("authorization") == Some(&format!("Bearer {TOKEN}"))));
    let wrong = base64("user:wrong-one");
    let error = read_as(&stand_in, &format!(r#"{{"auths": {{"HOST": {{"auth": "{wrong}"}}}}}}"#)).unwrap_err();
    assert!(error.contains("it does not accept the credentials for HOST"), "{error}");
}

#[test]
fn a_token_may_be_had_by_nobody_in_particular_and_by_an_identity_token() {
    let open = with_token(|request| request.header("authorization").is_none());
    assert_eq!(read(&open, &[]), Ok(1));
    let identity = with_token(|request| {
        request.method == "POST"
            && request.body.contains("grant_type=refresh_token")
            && request.body.contains("refresh_token=hunter22%2Fidentity")
            && request.body.contains("scope=repository%3Ao%2Fapp%3Apull")
    });
    assert_eq!(read_as(&identity, r#"{"auths": {"HOST": {"identitytoken": "hunter22/identity"}}}"#), Ok(1));
    let ready = with_token(|_| false);
    assert_eq!(read_as(&ready, &format!(r#"{{"auths": {{"HOST": {{"registrytoken": "{TOKEN}"}}}}}}"#)), Ok(1));
    assert!(read(&ready, &[]).unwrap_err().contains("it wants to know who asks"));
}

#[test]
fn a_password_goes_to_no_server_that_anybody_can_listen_to() {
    let stand_in = StandIn::start(|_, _| {
        Reply::status(401, "").with("www-authenticate", r#"Bearer realm="http://tokens.example/token""#)
    });
    let auth = base64(&format!("user:{PASSWORD}"));
    let error = read_as(&stand_in, &format!(r#"{{"auths": {{"HOST": {{"auth": "{auth}"}}}}}}"#)).unwrap_err();
    assert!(error.contains("`tokens.example`, over a connection that anybody can listen to"), "{error}");
}

#[test]
fn a_password_does_not_follow_to_where_layers_are_kept() {
    let images = images();
    let kept = images.clone();
    let elsewhere = StandIn::start(move |_, request| registry(&kept, request));
    let host = elsewhere.host.clone();
    let stand_in = StandIn::start(move |_, request| match request.header("authorization") {
        None => Reply::status(401, "").with("www-authenticate", "Basic realm=x"),
        Some(_) if request.path.contains("blobs") => {
            Reply::status(307, "").with("location", &format!("http://{host}{}", request.path))
        }
        Some(_) => registry(&images, request),
    });
    let auth = base64(&format!("user:{PASSWORD}"));
    assert_eq!(read_as(&stand_in, &format!(r#"{{"auths": {{"HOST": {{"auth": "{auth}"}}}}}}"#)), Ok(1));
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn variables_are_for_the_registry_that_they_name_and_no_other() {
    let stand_in = with_password();
    let account = [("PREFLIGHT_REGISTRY_USERNAME", "user"), ("PREFLIGHT_REGISTRY_PASSWORD", PASSWORD)];
    let of = |registry: &str| read(&stand_in, &[&account[..], &[("PREFLIGHT_REGISTRY", registry)]].concat());
    assert_eq!(of(&stand_in.host), Ok(1));
    assert!(of("ghcr.io").unwrap_err().contains("there are no credentials for HOST"));
    assert_eq!(
        read(&stand_in, &account),
        Err("PREFLIGHT_REGISTRY_PASSWORD is set, and PREFLIGHT_REGISTRY is not; set both".to_owned())
    );
    assert_eq!(
        read(&stand_in, &account[1..]),
        Err("PREFLIGHT_REGISTRY_PASSWORD is set, and PREFLIGHT_REGISTRY_USERNAME is not; set both".to_owned())
    );
    let ready = with_token(|_| false);
    let token = [("PREFLIGHT_REGISTRY_TOKEN", TOKEN), ("PREFLIGHT_REGISTRY", &ready.host)];
    assert_eq!(read(&ready, &token), Ok(1));
    assert_eq!(ready.requests().len(), 3, "a token that is there is shown at once");
}

/// What is found with a credential helper that does this.
fn read_with_helper(stand_in: &StandIn, script: &str) -> Result<usize, String> {
    let json = format!(r#"{{"credHelpers": {{"{}": "test"}}, "credsStore": "none"}}"#, stand_in.host);
    let folder = config(&json);
    let program = folder.path().join("docker-credential-test");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    read(stand_in, &[("DOCKER_CONFIG", folder.path().to_str().unwrap()), ("PATH", &path)])
}

#[test]
fn a_credential_helper_is_asked_and_what_it_says_is_never_repeated() {
    let stand_in = with_password();
    let host = stand_in.host.clone();
    let good =
        format!(r#"[ "$(cat)" = {host} ] && [ "$1" = get ] && echo '{{"Username": "user", "Secret": "{PASSWORD}"}}'"#);
    assert_eq!(read_with_helper(&stand_in, &good), Ok(1));
    let nothing = "echo 'credentials not found in native keychain'; exit 1";
    assert!(read_with_helper(&stand_in, nothing).unwrap_err().contains("there are no credentials for HOST"));
    for (script, expected) in [
        ("echo hunter22; echo hunter22 >&2; exit 1", "fails"),
        ("echo 'hunter22 is no JSON'", "gives an answer that is none"),
        ("head -c 60000 /dev/zero", "gives an answer that is none"),
        // Nobody reads on, and the program is told.
        ("head -c 200000 /dev/zero", "fails"),
    ] {
        let error = read_with_helper(&stand_in, script).unwrap_err();
        let start = "the credential helper `docker-credential-test`, which Docker's configuration names for ";
        assert!(error.starts_with(start) && error.contains(&format!(", {expected}; try: echo ")), "{error}");
        assert!(!error.contains("hunter22"), "{error}");
    }
    let token = with_token(|request| request.body.contains("refresh_token=identity"));
    assert_eq!(read_with_helper(&token, r#"echo '{"Username": "<token>", "Secret": "identity"}'"#), Ok(1));
}

#[test]
fn a_helper_or_a_configuration_that_is_none_is_told_and_shows_no_secret() {
    let stand_in = with_password();
    for (json, expected) in [
        (
            r#"{"credsStore": "absent"}"#,
            "`docker-credential-absent`, which Docker's configuration names for HOST, is not installed",
        ),
        (r#"{"credsStore": "../../bin/sh"}"#, "has a name that no helper has"),
        (
            r#"{"auths": {"HOST": {"auth": "hunter22"#,
            "`CONFIG/config.json` cannot be used: it is not as Docker writes it, at line 1",
        ),
        (r#"{"auths": {"HOST": "hunter22"}}"#, "it is not as Docker writes it"),
        (r#"{"auths": {"HOST": {"auth": "hunter22"}}}"#, "an `auth` in it is not base64 of NAME:PASSWORD"),
    ] {
        let error = read_as(&stand_in, json).unwrap_err();
        assert!(error.replace(&stand_in.host, "HOST").contains(expected), "{error}");
        assert!(!error.contains("hunter22"), "{error}");
    }
    assert!(read_as(&stand_in, &format!("{{}}{}", " ".repeat(1 << 20))).unwrap_err().contains("larger than 1 MiB"));
    let folder = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join("config.json")).status().unwrap().success());
    let error = read(&stand_in, &[("DOCKER_CONFIG", folder.path().to_str().unwrap())]).unwrap_err();
    assert!(error.contains("it is no file"), "{error}");
}
