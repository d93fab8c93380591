//! Every log holds against the JSON Schema of SARIF 2.1.0, which `tests/oracles/sarif/run.sh` installs.

use std::sync::LazyLock;

use jsonschema::Validator;

use super::*;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/oracles/sarif/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
    );
    let text = std::fs::read_to_string(path).expect("tests/oracles/sarif/run.sh installs it");
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // One pattern of it is no regular expression but to the most lenient. We write no language.
    for of in ["run", "toolComponent"] {
        schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
    }
    // That of OASIS is of this draft, the first that knows what a relative URI is.
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
});

fn mistakes(log: &Value) -> Vec<String> {
    SCHEMA.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_logs_of_the_program_hold_against_the_schema() {
    let repository = repository();
    for arguments in [&[][..], &["--environment", "staging"], &["--service", "api", "--fail-on", "never"]] {
        let run = repository.run(&[arguments, &["--format", "sarif"]].concat());
        let log = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
        assert_eq!(mistakes(&log), [""; 0], "{log:#}");
    }
}

#[test]
fn the_schema_sees_what_is_wrong() {
    let mut log: Value = serde_json::from_str(&render::sarif(&report(&marked(&vec![String::new(); TEXTS])))).unwrap();
    assert_eq!(mistakes(&log), [""; 0]);
    log["runs"][0]["results"][0]["level"] = "notice".into();
    log["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b".into();
    log["runs"][0]["tool"]["driver"]["more"] = 1.into();
    assert_eq!(mistakes(&log).len(), 3, "{:?}", mistakes(&log));
}

#[test]
fn every_piece_of_markup_holds_against_the_schema() {
    for piece in PIECES {
        let log = expect_sound(&vec![piece.to_owned(); TEXTS]).unwrap();
        assert_eq!(mistakes(&log), [""; 0], "{piece:?}");
    }
}

proptest! {
    #![proptest_config(search())]

    #[test]
    fn whatever_is_found_holds_against_the_schema(texts in prop::collection::vec(nasty(), TEXTS)) {
        prop_assert_eq!(mistakes(&expect_sound(&texts)?), [""; 0]);
    }
}
