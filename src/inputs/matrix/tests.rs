use serde_json::json;

use super::*;

fn expanded(matrix: Value) -> Vec<String> {
    let matrix = expand(Tree::from_json(matrix, None), "").expect("a matrix");
    matrix.entries.iter().map(|entry| serde_json::to_string(&entry.values).expect("JSON")).collect()
}

fn refused(matrix: Value) -> MatrixError {
    expand(Tree::from_json(matrix, None), "").expect_err("no matrix")
}

#[test]
fn the_first_key_varies_slowest() {
    let entries = expanded(json!({"s": ["a", "b"], "e": [1, 2]}));
    assert_eq!(entries, [r#"{"s":"a","e":1}"#, r#"{"s":"a","e":2}"#, r#"{"s":"b","e":1}"#, r#"{"s":"b","e":2}"#]);
}

#[test]
fn an_exclude_takes_away_what_it_matches_in_part() {
    let entries = expanded(json!({"s": ["a", "b"], "e": [1, 2], "exclude": [{"S": "B"}, {"e": "1"}]}));
    assert_eq!(entries, [r#"{"s":"a","e":2}"#]);
}

#[test]
fn an_include_whose_combinations_are_all_excluded_is_an_entry_of_its_own() {
    let entries = expanded(json!({"s": ["a"], "exclude": [{"s": "a"}], "include": [{"x": 1, "s": "a"}, {"y": 2}]}));
    assert_eq!(entries, [r#"{"s":"a","x":1}"#, r#"{"y":2}"#]);
}

#[test]
fn a_later_include_overwrites_what_an_earlier_one_added_under_the_earlier_spelling() {
    let entries = expanded(json!({"s": ["a", "b"], "include": [{"Color": 1, "n": 0}, {"color": 2, "s": "A"}]}));
    assert_eq!(entries, [r#"{"s":"a","Color":2,"n":0}"#, r#"{"s":"b","Color":1,"n":0}"#]);
}

#[test]
fn what_an_include_added_is_not_matched_by_the_next_one() {
    let entries = expanded(json!({"s": ["a"], "include": [{"x": 1}, {"x": 1, "s": "b"}]}));
    assert_eq!(entries, [r#"{"s":"a","x":1}"#, r#"{"s":"b","x":1}"#]);
}

#[test]
fn leaves_compare_as_expressions_do_and_collections_deeply_in_part() {
    let excludes = |value: Value, demand: Value| expanded(json!({"k": [value], "exclude": [{"k": demand}]})).is_empty();
    let matching = [
        (json!("16"), json!(16)),
        (json!(16), json!("0x10")),
        (json!(true), json!(1)),
        (json!(null), json!(false)),
        (json!(""), json!(null)),
        (json!({"n": {"a": "X", "b": 2}}), json!({"N": {"A": "x"}})),
        (json!(["a", "b"]), json!(["A"])),
        (json!(["a", "b"]), json!({"1": "b"})),
        (json!({"0": "a"}), json!(["a"])),
        (json!("text"), json!({"a": {"b": false}})),
        (json!({"a": 1}), json!({})),
        (json!(0.1), json!(0.100_000_000_000_000_1)),
    ];
    for (value, demand) in matching {
        assert!(excludes(value.clone(), demand.clone()), "{value} {demand}");
    }
    let others = [
        (json!("true"), json!(true)),
        (json!({"a": 1}), json!("Object")),
        (json!({"a": 1}), json!(null)),
        (json!(["a"]), json!("a")),
        (json!({"a": 1}), json!({"a": 1, "b": 2})),
        (json!(["a"]), json!(["a", "b"])),
    ];
    for (value, demand) in others {
        assert!(!excludes(value.clone(), demand.clone()), "{value} {demand}");
    }
}

#[test]
fn a_matrix_that_github_refuses_is_refused() {
    let key = || String::from("s");
    let location = None;
    assert_eq!(refused(json!("x")), MatrixError::NotAMatrix { found: "a string", location: None });
    assert_eq!(refused(json!({})), MatrixError::NothingDefined { location: None });
    assert_eq!(refused(json!({"include": []})), MatrixError::NothingDefined { location: None });
    assert_eq!(refused(json!({"s": []})), MatrixError::EmptyVector { key: key(), location: None });
    assert_eq!(refused(json!({"": [1]})), MatrixError::EmptyKey { location: None });
    assert_eq!(refused(json!({"s": 1})), MatrixError::NotASequence { key: key(), found: "a number", location: None });
    let include = || String::from("include");
    assert_eq!(refused(json!({"include": [{}]})), MatrixError::EmptyItem { key: include(), location: None });
    let found = "a string";
    assert_eq!(refused(json!({"include": ["a"]})), MatrixError::NotAMapping { key: include(), found, location: None });
    let unknown = refused(json!({"a": [1], "b": [2], "exclude": [{"s": 1}]}));
    assert_eq!(unknown, MatrixError::UnknownExcludeKey { key: key(), vectors: vec!["a".into(), "b".into()], location });
    assert_eq!(unknown.help(), "the matrix has `a` and `b`");
}

#[test]
fn a_hostile_matrix_is_refused_before_it_is_expanded() {
    let many: Vec<u32> = (0..1000).collect();
    let error = refused(json!({"a": many, "b": many, "c": many}));
    assert_eq!(error, MatrixError::TooLarge { combinations: Some(1_000_000_000), location: None });
    let keys: serde_json::Map<_, _> = (0..30).map(|i| (format!("k{i}"), json!(many))).collect();
    assert_eq!(refused(Value::Object(keys)).to_string(), "the matrix is too large: countless combinations");
    let light = refused(json!({"a": many, "b": many[..101]}));
    assert_eq!(light, MatrixError::TooLarge { combinations: Some(101_000), location: None });
    let heavy = json!({"a": ["x".repeat(1 << 20)], "b": many});
    assert_eq!(refused(heavy), MatrixError::TooLarge { combinations: Some(1000), location: None });
    assert_eq!(expanded(json!({"a": many, "b": many[..100]})).len(), 100_000);
}

#[test]
fn json_is_entries_a_definition_or_the_matrix_of_one_job() {
    let read = |text: &str| {
        let matrix = from_json(text, "service", "environment").expect("a matrix");
        matrix.entries.iter().map(|entry| serde_json::to_string(&entry.values).expect("JSON")).collect::<Vec<_>>()
    };
    assert_eq!(
        read(r#"[{"service":"a"},{"service":"b","x":[1]}]"#),
        [r#"{"service":"a"}"#, r#"{"service":"b","x":[1]}"#]
    );
    assert_eq!(read(r#"{"Service":["a","b"],"x":[1]}"#), [r#"{"Service":"a","x":1}"#, r#"{"Service":"b","x":1}"#]);
    assert_eq!(read(r#"{"include":[{"service":"a"}]}"#), [r#"{"service":"a"}"#]);
    assert_eq!(read(r#"{"exclude":[{"x":1}],"x":[1,2]}"#), [r#"{"x":2}"#]);
    assert_eq!(read(r#"{"service":"a","ports":[1,2]}"#), [r#"{"service":"a","ports":[1,2]}"#]);
}

#[test]
fn json_that_is_no_matrix_is_an_error_without_a_location() {
    let read = |text: &str| from_json(text, "service", "environment").expect_err("no matrix");
    assert!(matches!(read("{"), MatrixError::NotJson { .. }));
    assert_eq!(read("[]"), MatrixError::NothingDefined { location: None });
    assert_eq!(read("null").to_string(), "the matrix is empty, not a mapping");
    assert_eq!(read("[1]").to_string(), "an item of `matrix` is a number, not a mapping");
    assert_eq!(read("{}").to_string(), "an item of `matrix` is empty");
    assert_eq!(read(&"[".repeat(10_000)).location(), None);
}

#[test]
fn a_key_is_found_whatever_its_case() {
    let matrix = from_json(r#"{"Service":"a"}"#, "service", "environment").expect("a matrix");
    assert_eq!(matrix.entries[0].get("SERVICE"), Some(&json!("a")));
    assert_eq!(matrix.entries[0].get("environment"), None);
}
