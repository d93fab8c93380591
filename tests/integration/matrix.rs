//! Our expansion of matrices against that of GitHub's own parser and expressions (`tests/oracles/matrix`).

use std::fs;
use std::path::{Path, PathBuf};

use migration_preflight::inputs::workflow::{WorkflowError, service_matrix};
use serde_json::Value;

/// What the oracle says, and what we say of the same workflow, both as text.
struct Case {
    name: String,
    workflow: String,
    expected: Value,
}

impl Case {
    /// The difference, if there is one. Every error of the oracle must be one of ours, in its own words.
    fn disagreement(&self) -> Option<String> {
        let found = service_matrix(&self.workflow, "deploy.yml", "deploy");
        let found = match (found, &self.expected) {
            (Err(_), Value::Object(_)) => return None,
            (Ok(matrix), expected) => {
                let entries: Vec<_> = matrix.entries.iter().map(|entry| to_text(&entry.values)).collect();
                let expected: Vec<_> =
                    expected.as_array().into_iter().flatten().map(|e| to_text(&as_doubles(e))).collect();
                if self.expected.is_array() && entries == expected {
                    return None;
                }
                entries.join("\n")
            }
            (Err(error), _) => format!("error: {error}"),
        };
        Some(format!("{}\n{}\nexpected {}\nfound\n{found}\n", self.name, self.workflow, self.expected))
    }
}

fn to_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("JSON")
}

/// JSON tells `1` from `1.0` and `1e21`; GitHub does not.
fn as_doubles(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().expect("a double");
            if double.fract() == 0.0 && double.abs() < 1e15 { Value::from(double as i64) } else { Value::from(double) }
        }
        Value::Array(items) => items.iter().map(as_doubles).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), as_doubles(value))).collect(),
        other => other.clone(),
    }
}

fn assert_agreement(cases: &[Case]) {
    let disagreements: Vec<String> = cases.iter().filter_map(Case::disagreement).collect();
    let shown = disagreements.iter().take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(disagreements.is_empty(), "{} of {} disagree with the oracle:\n{shown}", disagreements.len(), cases.len());
}

fn fixtures() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/workflows");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    let read = |path: &Path| fs::read_to_string(path).expect("a fixture");
    let case = |path: &PathBuf| Case {
        name: path.display().to_string(),
        workflow: read(path),
        expected: serde_json::from_str(&read(&path.with_extension("expanded.json"))).expect("JSON"),
    };
    paths.iter().map(case).collect()
}

#[test]
fn every_workflow_expands_as_github_expands_it() {
    let cases = fixtures();
    assert!(cases.iter().filter(|case| case.expected.is_array()).count() >= 36, "expansions are missing");
    assert!(cases.iter().filter(|case| case.expected.is_object()).count() >= 6, "errors are missing");
    assert_agreement(&cases);
}

#[test]
fn only_a_matrix_that_the_run_computes_is_told_to_be_one() {
    for case in fixtures() {
        let found = service_matrix(&case.workflow, "deploy.yml", "deploy");
        let told = matches!(found, Err(WorkflowError::RunTime { .. }));
        assert_eq!(told, case.name.ends_with("-run-time.yml"), "{}", case.name);
    }
}

/// `MATRIX_CORPUS` names a file that `tests/oracles/matrix/run.sh --random` made: lines of a workflow and its expansion by turns.
#[cfg(feature = "oracles")]
#[test]
fn random_matrices_expand_as_github_expands_them() {
    let path = std::env::var("MATRIX_CORPUS").expect("MATRIX_CORPUS names the oracle's corpus");
    let text = fs::read_to_string(&path).expect("the oracle's corpus");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let case = |(place, pair): (usize, &[Value])| Case {
        name: format!("{path}:{}", place * 2 + 1),
        workflow: pair[0]["workflow"].as_str().expect("a workflow").to_owned(),
        expected: pair[1].clone(),
    };
    let cases: Vec<Case> = lines.chunks_exact(2).enumerate().map(case).collect();
    assert!(cases.len() >= 100, "{path} has only {} matrices", cases.len());
    assert_agreement(&cases);
}
