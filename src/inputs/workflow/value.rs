//! Values of expressions: how they compare, how they are pasted into text, and how JSON becomes one.

use github_actions_expressions::Evaluation;
use serde_json::Value;

use crate::inputs::matrix::{Tree, text};

/// The value in the form that compares as expressions do. Of a collection only its kind counts.
pub(super) fn evaluation(value: &Value) -> Evaluation {
    match value {
        Value::Null => Evaluation::Null,
        Value::Bool(boolean) => Evaluation::Boolean(*boolean),
        Value::Number(number) => number.as_f64().map_or(Evaluation::Null, Evaluation::Number),
        Value::String(text) => Evaluation::String(text.clone()),
        Value::Array(_) => Evaluation::Array(Vec::new()),
        Value::Object(_) => Evaluation::Object(std::collections::HashMap::new()),
    }
}

/// A value as it is pasted into a string: for a collection, the name of its kind.
pub(super) fn pasted(value: &Value) -> String {
    let kind = || if value.is_array() { "Array" } else { "Object" }.to_owned();
    text(value).unwrap_or_else(kind)
}

/// The value of JSON text as `fromJSON` gives it.
pub(super) fn from_json(json: &str) -> Result<Value, String> {
    let value = serde_json::from_str(json).map_err(|error| format!("not valid JSON: {error}"))?;
    Ok(Tree::from_json(value, None).into_json())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn collections_are_pasted_as_their_kind() {
        assert_eq!(
            (pasted(&json!([1])), pasted(&json!({})), pasted(&json!(null))),
            ("Array".into(), "Object".into(), String::new())
        );
    }
}
