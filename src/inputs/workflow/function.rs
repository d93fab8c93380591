//! The functions that a constant expression may call, on values. Each follows GitHub's own.

use github_actions_expressions::call::Function;
use serde_json::Value;

use super::value::{evaluation, from_json, pasted};
use crate::inputs::matrix::{text, weight};

/// The longest text that a function may make.
const MAX_TEXT: usize = 1 << 20;

/// Calls a function whose number of arguments the parser has checked.
pub(super) fn call(function: Function, arguments: &[Value]) -> Result<Value, String> {
    match (function, arguments) {
        (Function::FromJSON, [json]) => from_json(&pasted(json)),
        (Function::ToJSON, [value]) => {
            serde_json::to_string_pretty(value).map_err(|error| error.to_string()).and_then(bounded)
        }
        (Function::Format, [template, values @ ..]) => format(&pasted(template), values),
        (Function::Join, [values]) => join(values, ","),
        (Function::Join, [values, separator]) => join(values, &pasted(separator)),
        (Function::Contains, [Value::Array(items), wanted]) => {
            Ok(Value::Bool(items.iter().any(|item| evaluation(item).sema() == evaluation(wanted).sema())))
        }
        (Function::Contains, [text, wanted]) => Ok(compare(text, wanted, |text, wanted| text.contains(wanted))),
        (Function::StartsWith, [text, wanted]) => Ok(compare(text, wanted, |text, wanted| text.starts_with(wanted))),
        (Function::EndsWith, [text, wanted]) => Ok(compare(text, wanted, |text, wanted| text.ends_with(wanted))),
        (Function::Case, arguments) => case(arguments),
        _ => Err("it has the wrong number of arguments".into()),
    }
}

/// About how many bytes a call reads.
pub(super) fn cost(function: Function, arguments: &[Value]) -> usize {
    match (function, arguments) {
        // Each item is held against the whole of what is wanted.
        (Function::Contains, [Value::Array(items), wanted]) => {
            items.iter().map(|item| weight(item).saturating_add(weight(wanted))).fold(0, usize::saturating_add)
        }
        _ => arguments.iter().map(weight).fold(0, usize::saturating_add),
    }
}

/// Compares two scalars as upper-case text; a collection never fits.
fn compare(value: &Value, wanted: &Value, fits: impl Fn(&str, &str) -> bool) -> Value {
    let (value, wanted) = (text(value), text(wanted));
    Value::Bool(value.zip(wanted).is_some_and(|(value, wanted)| fits(&value.to_uppercase(), &wanted.to_uppercase())))
}

/// `case(predicate, value, …, default)`; a predicate must be a boolean.
fn case(arguments: &[Value]) -> Result<Value, String> {
    let (pairs, default) = arguments.as_chunks::<2>();
    for [predicate, value] in pairs {
        match predicate {
            Value::Bool(true) => return Ok(value.clone()),
            Value::Bool(false) => {}
            _ => return Err("a predicate of `case` is no boolean".into()),
        }
    }
    default.first().cloned().ok_or_else(|| "`case` has no default".into())
}

fn join(values: &Value, separator: &str) -> Result<Value, String> {
    match values {
        Value::Array(items) => {
            let mut joined = String::new();
            for (i, item) in items.iter().enumerate() {
                joined.push_str(if i == 0 { "" } else { separator });
                joined.push_str(&pasted(item));
                check(&joined)?;
            }
            Ok(Value::from(joined))
        }
        Value::Object(_) => Ok(Value::from("")),
        scalar => Ok(Value::from(pasted(scalar))),
    }
}

/// Fills in `{0}`, `{1}` and so on; `{{` and `}}` stand for single braces.
fn format(template: &str, values: &[Value]) -> Result<Value, String> {
    let invalid = || format!("the format string `{template}` is invalid");
    let mut formatted = String::new();
    let mut rest = template;
    while let Some(place) = rest.find(['{', '}']) {
        let (before, braced) = rest.split_at(place);
        formatted.push_str(before);
        if let Some(after) = braced.strip_prefix("{{").or_else(|| braced.strip_prefix("}}")) {
            formatted.push_str(&braced[..1]);
            rest = after;
        } else {
            let (number, after) = braced.strip_prefix('{').and_then(|b| b.split_once('}')).ok_or_else(invalid)?;
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(invalid());
            }
            let place: usize = number.parse().map_err(|_| invalid())?;
            formatted.push_str(&pasted(values.get(place).ok_or_else(invalid)?));
            rest = after;
        }
        check(&formatted)?;
    }
    formatted.push_str(rest);
    bounded(formatted)
}

fn bounded(text: String) -> Result<Value, String> {
    check(&text)?;
    Ok(Value::from(text))
}

fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_TEXT { Err("its value is too large".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_do_what_they_do_at_github() {
        let cases = [
            (Function::Format, json!(["{0}-{1}{{{0}}}", "a", 2.50]), json!("a-2.5{a}")),
            (Function::Format, json!(["{0}", [1]]), json!("Array")),
            (Function::Join, json!([["a", 1, null]]), json!("a,1,")),
            (Function::Join, json!([["a", "b"], ", "]), json!("a, b")),
            (Function::Join, json!(["a", "-"]), json!("a")),
            (Function::Contains, json!([["A", 1], "a"]), json!(true)),
            (Function::Contains, json!(["content-service", "SERVICE"]), json!(true)),
            (Function::Contains, json!([{}, "a"]), json!(false)),
            (Function::StartsWith, json!(["Main", "ma"]), json!(true)),
            (Function::EndsWith, json!(["a.yml", ".yaml"]), json!(false)),
            (Function::Case, json!([false, 1, true, 2, 3]), json!(2)),
            (Function::Case, json!([false, 1, 3]), json!(3)),
            (Function::ToJSON, json!([[]]), json!("[]")),
        ];
        for (function, arguments, expected) in cases {
            let arguments = arguments.as_array().expect("an array");
            assert_eq!(call(function, arguments), Ok(expected), "{function:?} {arguments:?}");
        }
    }

    #[test]
    fn a_wrong_call_is_an_error() {
        for (function, arguments) in [
            (Function::Format, json!(["{a}"])),
            (Function::Format, json!(["}"])),
            (Function::Format, json!(["{", 1])),
            (Function::Format, json!(["{1}", 1])),
            (Function::Case, json!([1, 1, 3])),
            (Function::FromJSON, json!([[]])),
            (Function::Join, json!([])),
        ] {
            assert!(call(function, arguments.as_array().expect("an array")).is_err(), "{function:?} {arguments}");
        }
    }
}
