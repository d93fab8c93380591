//! The values of a matrix as GitHub sees them, each with the line it was declared on.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

/// A value and the line it stands on; none when it was not read from a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) line: Option<u32>,
    pub(crate) kind: Kind,
}

/// The three kinds of values. A leaf is never an array or an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Leaf(Value),
    Sequence(Vec<Tree>),
    Mapping(Vec<(Key, Tree)>),
}

/// A key of a mapping; no other key of the same mapping equals it, letter case aside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) line: Option<u32>,
}

impl Tree {
    /// A JSON value, all of it declared on `line`. Of two keys that differ only in case, the last one's
    /// value counts and the first one's spelling and place, as in GitHub's own `fromJSON`.
    pub(crate) fn from_json(value: Value, line: Option<u32>) -> Self {
        let kind = match value {
            Value::Array(items) => Kind::Sequence(items.into_iter().map(|item| Self::from_json(item, line)).collect()),
            Value::Object(entries) => Kind::Mapping(mapping(entries, line)),
            Value::Number(number) => Kind::Leaf(self::number(number.as_f64().unwrap_or(f64::INFINITY))),
            leaf => Kind::Leaf(leaf),
        };
        Self { line, kind }
    }

    /// The same value without its lines.
    pub(crate) fn into_json(self) -> Value {
        match self.kind {
            Kind::Leaf(value) => value,
            Kind::Sequence(items) => Value::Array(items.into_iter().map(Self::into_json).collect()),
            Kind::Mapping(entries) => {
                Value::Object(entries.into_iter().map(|(key, value)| (key.text, value.into_json())).collect())
            }
        }
    }

    /// What this is, for a sentence.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Leaf(Value::Null) => "empty",
            Kind::Leaf(Value::Bool(_)) => "a boolean",
            Kind::Leaf(Value::Number(_)) => "a number",
            Kind::Leaf(_) => "a string",
            Kind::Sequence(_) => "a sequence",
            Kind::Mapping(_) => "a mapping",
        }
    }
}

fn mapping(entries: Map<String, Value>, line: Option<u32>) -> Vec<(Key, Tree)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<(Key, Tree)> = Vec::new();
    for (text, value) in entries {
        let tree = Tree::from_json(value, line);
        let place = *places.entry(fold(&text)).or_insert(kept.len());
        match kept.get_mut(place) {
            Some((_, earlier)) => *earlier = tree,
            None => kept.push((Key { text, line }, tree)),
        }
    }
    kept
}

/// The form in which two keys are compared: GitHub ignores their case.
pub(crate) fn fold(key: &str) -> String {
    key.to_uppercase()
}

/// About how many bytes a value takes.
pub(crate) fn weight(value: &Value) -> usize {
    const NODE: usize = 64;
    NODE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| NODE + key.len() + weight(value)).sum(),
        _ => 0,
    }
}

/// A number as GitHub keeps it: a double, written without a fraction where it has none.
///
/// JSON knows neither infinities nor NaN, so these become the strings that GitHub prints for them.
pub(crate) fn number(value: f64) -> Value {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the range of an i64")]
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or_else(|| Value::from(general(value)), Value::Number)
}

/// A matrix value as GitHub prints it in a string; none for a sequence or mapping.
///
/// Null is the empty string, and a number has at most fifteen significant digits: `1.10` is `1.1`.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Number(number) => number.as_f64().map(general),
        Value::String(string) => Some(string.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The format `G15` of .NET: fifteen significant digits, with an exponent when it is below -4 or above 14.
pub(crate) fn general(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        let name = if value.is_nan() { "NaN" } else { "Infinity" };
        return if value == f64::NEG_INFINITY { format!("-{name}") } else { name.into() };
    }
    let scientific = format!("{:.14e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", place_point(digits, exponent))
}

fn place_point(digits: &str, exponent: i32) -> String {
    if !(-4..15).contains(&exponent) {
        let (first, rest) = digits.split_at(1.min(digits.len()));
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{first}{point}{rest}E{sign}{:02}", exponent.unsigned_abs());
    }
    let Ok(whole) = usize::try_from(exponent + 1) else {
        return format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    };
    if whole == 0 {
        format!("0.{digits}")
    } else if digits.len() <= whole {
        format!("{digits:0<whole$}")
    } else {
        let (before, after) = digits.split_at(whole);
        format!("{before}.{after}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_printed_with_fifteen_significant_digits() {
        let printed = [
            (1.10, "1.1"),
            (16.0, "16"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.3"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25E-05"),
            (123_456_789_012_345.0, "123456789012345"),
            (1_234_567_890_123_456.0, "1.23456789012346E+15"),
            (1e15, "1E+15"),
            (1e100, "1E+100"),
            (-20_260_107.5, "-20260107.5"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ];
        for (value, expected) in printed {
            assert_eq!(general(value), expected);
        }
    }

    #[test]
    fn scalars_have_a_text_and_collections_have_none() {
        assert_eq!(text(&json!(null)).as_deref(), Some(""));
        assert_eq!(text(&json!(true)).as_deref(), Some("true"));
        assert_eq!(text(&json!(3.0)).as_deref(), Some("3"));
        assert_eq!(text(&json!("1.10")).as_deref(), Some("1.10"));
        assert_eq!((text(&json!([])), text(&json!({}))), (None, None));
    }

    #[test]
    fn of_two_keys_that_differ_in_case_the_last_value_counts_under_the_first_spelling() {
        let tree = Tree::from_json(json!({"Service": 1, "x": 2, "SERVICE": 3.0}), None);
        assert_eq!(tree.into_json().to_string(), r#"{"Service":3,"x":2}"#);
    }

    #[test]
    fn numbers_are_doubles() {
        assert_eq!(number(1.0).to_string(), "1");
        assert_eq!(number(-0.0).to_string(), "0");
        assert_eq!(number(1e300).to_string(), "1e+300");
        assert_eq!(number(f64::NEG_INFINITY), json!("-Infinity"));
    }
}
