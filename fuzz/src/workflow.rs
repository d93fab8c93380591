//! A workflow: YAML, constant expressions and `fromJSON`, to the service matrix and on to the plan.

use migration_preflight::inputs::matrix::ServiceMatrix;
use migration_preflight::inputs::workflow::{WorkflowError, input_options, service_matrix};

use super::matrix;
use super::shown::{assert_harmless, assert_not_told};

/// The job and the input that the corpus has.
const JOB: &str = "deploy";
const INPUT: &str = "service";
const FILE: &str = "w.yml";

pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = service_matrix(text, FILE, JOB);
    judge(text, &read);
    assert_eq!(read, service_matrix(text, FILE, JOB), "one text gives one matrix");
    judge(text, &input_options(text, FILE, INPUT, "service"));
}

/// Reads the matrix of a workflow, and holds what comes out to what is promised of it.
pub fn check(text: &str) {
    judge(text, &service_matrix(text, FILE, JOB));
}

fn judge(text: &str, read: &Result<ServiceMatrix, WorkflowError>) {
    match read {
        Ok(matrix) => {
            let lines = 1 + text.matches(['\n', '\r']).count();
            for entry in &matrix.entries {
                let declared = entry.declared.as_ref().expect("what stands in a file has a line");
                assert!(declared.file == FILE && (1..=lines).contains(&(declared.line as usize)), "{declared}");
            }
            matrix::assert_sound(matrix);
        }
        Err(error) => {
            let shown = format!("{error}\n{}", error.help());
            assert_harmless(&shown);
            assert_not_told(text, &shown);
            assert!(error.location().is_none_or(|location| location.line >= 1), "{error:?}");
        }
    }
}
