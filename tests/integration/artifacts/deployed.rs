//! The incident as it happened: two services whose images, in a real registry, are older than their databases.

use serde_json::Value;

use super::program;
use crate::shared::images::{Images, Layer, Packing};
use crate::shared::registry::{Registry, text};
use crate::shared::repository::{Repository, Run};

/// The services, how many migrations are applied, and how many of them the old image has.
const SERVICES: [(&str, usize, usize); 2] = [("content-service", 13, 11), ("social-service", 7, 6)];
const CONFIG: &str = "defaults: { migrations: '{service}/migrations', database-url: 'sqlite:{service}.db' }\n\
    services: { content-service: , social-service: }\nenvironments: { staging: }\n";

fn content(service: &str, version: usize) -> String {
    format!("CREATE TABLE {}_{version} (id INTEGER);\n", &service[..3])
}

fn contents(service: &str, most: usize) -> Vec<String> {
    (1..=most).map(|version| content(service, version)).collect()
}

/// The checkout, which has every migration, and the databases, which have applied all of them.
fn repository() -> Repository {
    let mut repository = Repository::new().config(CONFIG);
    for (service, applied, _) in SERVICES {
        let contents = contents(service, applied);
        for (number, content) in (1..).zip(&contents) {
            repository = repository.file(&format!("{service}/migrations/{number}_step.sql"), content);
        }
        let rows: Vec<_> = (1..).zip(&contents).map(|(version, content)| (version, "step", content.as_str())).collect();
        repository.add_database(&format!("{service}.db"), &rows);
    }
    repository
}

/// Pushes the image of every service as it was, `old`, and as it is mended, `new`.
fn deploy(registry: &Registry, more: &[&str]) {
    for (service, applied, before) in SERVICES {
        for (tag, most) in [("old", before), ("new", applied)] {
            let contents = contents(service, most);
            let contents: Vec<_> = contents.iter().map(String::as_str).collect();
            let base = Layer::new().file("etc/os-release", "ID=debian\n").file("usr/bin/tool", b"\x7fELF and no more");
            let layout = tempfile::tempdir().unwrap();
            let layers = [base, Layer::new().file("usr/bin/app", program(&contents))];
            Images::of(&layers, Packing::Gzip).write_layout(layout.path());
            registry.push(layout.path(), &format!("o/{service}:{tag}"), more);
        }
    }
}

/// Checks both services by the images of a tag.
fn check(repository: &Repository, registry: &Registry, tag: &str, environment: &[(&str, &str)]) -> (Run, Vec<Value>) {
    let source = format!("image:{}/o/{{service}}:{tag}", registry.host);
    let run = repository.run_with(&["--source", &source, "--format", "json"], environment);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    (run, report["targets"].as_array().unwrap().clone())
}

/// What the deploy step has to do: refuse both of the old ones, and let the mended ones pass.
fn assert_refused_and_accepted(repository: &Repository, registry: &Registry, environment: &[(&str, &str)]) {
    let (run, targets) = check(repository, registry, "old", environment);
    assert_eq!(run.code, 1, "{run}");
    for ((service, applied, before), target) in SERVICES.iter().zip(&targets) {
        assert_eq!(target["service"], *service);
        assert_eq!(
            (&target["counts"]["defined"], &target["counts"]["missing"]),
            (&Value::from(*before), &Value::from(applied - before))
        );
        let error =
            format!("migration {} was previously applied but is missing in the resolved migrations", before + 1);
        assert_eq!(target["startup"]["error"], error);
        let digest = target["source"]["digest"].as_str().unwrap();
        assert!(digest.starts_with("sha256:") && target["source"]["file"] == "/usr/bin/app", "{target}");
    }
    let (run, targets) = check(repository, registry, "new", environment);
    assert_eq!(run.code, 0, "{run}");
    assert!(targets.iter().all(|target| target["startup"]["outcome"] == "starts"), "{run}");
    assert_eq!(targets.len(), SERVICES.len());
}

#[test]
fn both_old_images_of_a_registry_are_refused_and_the_mended_ones_accepted() {
    let (registry, repository) = (Registry::open(), repository());
    deploy(&registry, &[]);
    assert_refused_and_accepted(&repository, &registry, &[]);
    // By hand on call: which of these could still be gone back to?
    let image = |tag: &str| format!("{}/o/social-service:{tag}", registry.host);
    let (old, new) = (image("old"), image("new"));
    let arguments = ["rollback", "--service", "social-service", "--image", &new, "--image", &old, "--format", "json"];
    let run = repository.run(&arguments);
    let told: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    assert_eq!((run.code, &told["targets"][0]["oldest"]), (0, &Value::from(new.as_str())), "{run}");
    assert_eq!(told["targets"][0]["candidates"][1]["startup"]["outcome"], "fails");
}

#[test]
fn a_registry_that_wants_a_password_gets_it_by_either_way_and_without_it_nothing_passes() {
    const PASSWORD: &str = "hunter22-%40:ü";
    let (registry, repository) = (Registry::for_user("deployer", PASSWORD), repository());
    deploy(&registry, &["--dest-creds", &format!("deployer:{PASSWORD}")]);
    let docker = registry.logged_in("deployer", PASSWORD);
    assert_refused_and_accepted(&repository, &registry, &[("DOCKER_CONFIG", text(docker.path()))]);
    let variables = |password| {
        [
            ("PREFLIGHT_REGISTRY", registry.host.as_str()),
            ("PREFLIGHT_REGISTRY_USERNAME", "deployer"),
            ("PREFLIGHT_REGISTRY_PASSWORD", password),
        ]
    };
    assert_refused_and_accepted(&repository, &registry, &variables(PASSWORD));
    let wrong = variables("hunter23-and-more");
    for (environment, expected) in
        [(&[][..], "it wants to know who asks"), (&wrong[..], "it does not accept the credentials for")]
    {
        for tag in ["old", "new"] {
            let (run, targets) = check(&repository, &registry, tag, environment);
            assert_eq!(run.code, 3, "{run}");
            assert!(targets.iter().all(|target| target["startup"]["outcome"] == "unknown"), "{run}");
            assert!(run.stdout.contains(expected) && !run.to_string().contains("hunter2"), "{run}");
        }
    }
}
