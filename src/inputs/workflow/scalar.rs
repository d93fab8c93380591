//! The nodes of a workflow as GitHub's runner reads them: scalars by the core schema of YAML 1.2,
//! numbers as doubles, constant expressions evaluated.

use serde_json::Value;

use super::budget::{Budget, EACH};
use super::error::WorkflowError;
use super::expression::{Failure, evaluate};
use super::value::pasted;
use crate::finding::Location;
use crate::inputs::matrix::{Key, Kind, Tree, fold, number};
use crate::yaml::{Node, NodeKind};

/// Reads the nodes of one file.
pub(super) struct Reader<'file> {
    file: &'file str,
    budget: Budget,
}

impl<'file> Reader<'file> {
    pub(super) fn new(file: &'file str) -> Self {
        Self { file, budget: Budget::new() }
    }

    /// Where a node stands.
    pub(super) fn at(&self, node: &Node) -> Location {
        Location { file: self.file.to_owned(), line: node.span.line }
    }

    /// A node with all its expressions evaluated.
    pub(super) fn tree(&mut self, node: &Node) -> Result<Tree, WorkflowError> {
        let line = Some(node.span.line);
        let kind = match &node.kind {
            NodeKind::Scalar { .. } => return Ok(Tree::from_json(self.scalar(node)?, line)),
            NodeKind::Sequence(items) => {
                Kind::Sequence(items.iter().map(|item| self.tree(item)).collect::<Result<_, _>>()?)
            }
            NodeKind::Mapping(entries) => Kind::Mapping(self.mapping(entries)?),
        };
        Ok(Tree { line, kind })
    }

    fn mapping(&mut self, entries: &[(Node, Node)]) -> Result<Vec<(Key, Tree)>, WorkflowError> {
        let mut seen = std::collections::HashSet::new();
        let mut pairs = Vec::new();
        for (key, value) in entries {
            let text = self.key(key)?;
            if !seen.insert(fold(&text)) {
                return Err(WorkflowError::DuplicateKey { key: text, location: self.at(key) });
            }
            pairs.push((Key { text, line: Some(key.span.line) }, self.tree(value)?));
        }
        Ok(pairs)
    }

    fn key(&mut self, node: &Node) -> Result<String, WorkflowError> {
        match &node.kind {
            NodeKind::Scalar { .. } => Ok(pasted(&self.scalar(node)?)),
            _ => Err(WorkflowError::InvalidKey { location: self.at(node) }),
        }
    }

    /// The value of a scalar; it may be a collection if it is an expression.
    fn scalar(&mut self, node: &Node) -> Result<Value, WorkflowError> {
        let NodeKind::Scalar { text, plain } = &node.kind else {
            return Ok(Value::Null);
        };
        if text.contains("${{") {
            return self.interpolated(text, node);
        }
        if !plain {
            return Ok(Value::from(text.as_str()));
        }
        resolve(text).ok_or_else(|| WorkflowError::InvalidNumber { text: text.clone(), location: self.at(node) })
    }

    /// Text with expressions in it: the value of the one that it consists of, or else a string.
    fn interpolated(&mut self, text: &str, node: &Node) -> Result<Value, WorkflowError> {
        let mut string = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let Some((expression, after)) = close(after) else {
                let failure = Failure::Invalid("it is not closed by `}}`".into());
                return Err(self.explain(failure, rest, node));
            };
            let value = self.evaluate(expression, node)?;
            if rest.len() == text.len() && before.is_empty() && after.is_empty() {
                return Ok(value);
            }
            string.push_str(before);
            string.push_str(&pasted(&value));
            rest = after;
        }
        string.push_str(rest);
        Ok(Value::from(string))
    }

    fn evaluate(&mut self, expression: &str, node: &Node) -> Result<Value, WorkflowError> {
        let value = match self.budget.spend(EACH + expression.len()) {
            Ok(()) => evaluate(expression.trim(), &mut self.budget),
            Err(reason) => Err(Failure::Invalid(reason)),
        };
        value.map_err(|failure| self.explain(failure, expression, node))
    }

    fn explain(&self, failure: Failure, expression: &str, node: &Node) -> WorkflowError {
        let (expression, location) = (expression.trim().to_owned(), self.at(node));
        match failure {
            Failure::RunTime => WorkflowError::RunTime { expression, location },
            Failure::Invalid(reason) => WorkflowError::InvalidExpression { expression, reason, location },
        }
    }
}

/// A plain scalar by the core schema; none for a number that is out of range.
fn resolve(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => number(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => number(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => number(f64::NAN),
        _ => match based(text) {
            Some(value) => number(value?),
            None if is_decimal(text) => number(text.parse().ok()?),
            None => Value::from(text),
        },
    })
}

/// A hexadecimal or octal number; none inside for one of more than 32 bits, which are signed.
fn based(text: &str) -> Option<Option<f64>> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => (digits, 16),
        (_, Some(digits)) => (digits, 8),
        _ => return None,
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    Some(u32::from_str_radix(digits, radix).ok().map(|bits| f64::from(bits.cast_signed())))
}

/// Whether the text has the form `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = |text: &'_ str| text.strip_prefix(['-', '+']).unwrap_or(text).to_owned();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (text, None),
    };
    let mantissa = unsigned(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(&exponent))
}

/// Splits at the `}}` that closes an expression, which is the first one outside of a string.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut in_string = false;
    let mut closing = false;
    for (place, byte) in text.bytes().enumerate() {
        in_string ^= byte == b'\'';
        if closing && byte == b'}' && !in_string {
            return Some((&text[..place - 1], &text[place + 1..]));
        }
        closing = byte == b'}' && !in_string;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_are_resolved_by_the_core_schema() {
        let resolved = [
            ("16", json!(16)),
            ("1.10", json!(1.1)),
            ("010", json!(10)),
            ("0x10", json!(16)),
            ("0o17", json!(15)),
            ("0xFFFFFFFF", json!(-1)),
            ("1e3", json!(1000)),
            ("-.5E-1", json!(-0.05)),
            ("+1.", json!(1)),
            (".inf", json!("Infinity")),
            ("True", json!(true)),
            ("~", json!(null)),
            ("", json!(null)),
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("1_000", json!("1_000")),
            ("0x", json!("0x")),
            ("0o8", json!("0o8")),
            ("-0x10", json!("-0x10")),
            ("1.2.3", json!("1.2.3")),
            ("1e", json!("1e")),
            ("e1", json!("e1")),
            (".", json!(".")),
            ("-", json!("-")),
            ("inf", json!("inf")),
            ("nan", json!("nan")),
            ("2026-01-07", json!("2026-01-07")),
        ];
        for (text, expected) in resolved {
            assert_eq!(resolve(text), Some(expected), "{text}");
        }
        assert_eq!((resolve("0x100000000"), resolve("0o77777777777")), (None, None));
    }

    #[test]
    fn an_expression_is_a_value_when_it_stands_alone_and_else_part_of_a_string() {
        let read = |text: &str| {
            let root = crate::yaml::parse(text).expect("YAML").root;
            Reader::new("w.yml").tree(&root).map(Tree::into_json)
        };
        assert_eq!(read("${{ fromJSON('[1,2]') }}"), Ok(json!([1, 2])));
        assert_eq!(read("'${{ 1 }}'"), Ok(json!(1)));
        assert_eq!(read("v${{ 1.50 }}-${{ 'a}}' }}!"), Ok(json!("v1.5-a}}!")));
        assert_eq!(read("${{ 1 }}${{ 2 }}"), Ok(json!("12")));
        assert_eq!(read("${{ '' }}${{ 2 }}"), Ok(json!("2")));
        assert_eq!(read("|\n  ${{ 1 }}\n"), Ok(json!("1\n")));
        assert_eq!(read(">-\n  ${{ 1 }}\n"), Ok(json!(1)));
        assert_eq!(read("{ \"${{ 'a' }}\": 1 }"), Ok(json!({"a": 1})));
        assert_eq!(read("{ 1.50: a, true: b }"), Ok(json!({"1.5": "a", "true": "b"})));
    }

    #[test]
    fn expressions_that_enlarge_what_they_are_given_take_no_long_time() {
        let doubled =
            |text: &str| (0..15).fold(format!("'{text}'"), |inner, _| format!("format('{{0}}{{0}}', {inner})"));
        let (list, long) = (doubled("1,2,3,4,5,6,7,8,"), doubled(&"1".repeat(16)));
        let alone = format!("contains(fromJSON(format('[{{0}}1]', {list})), {long})");
        let often = format!("contains(toJSON({long}), 'x')");
        for (expression, times) in [(alone.as_str(), 1), (&often, 2000), ("1", 100_000)] {
            let text = format!("- &a {}\n{}", Value::from(format!("${{{{ {expression} }}}}")), "- *a\n".repeat(times));
            let root = crate::yaml::parse(&text).expect("YAML").root;
            let error = Reader::new("w.yml").tree(&root).expect_err("too much");
            assert!(error.to_string().ends_with("together are too large"), "{error}");
        }
    }

    #[test]
    fn aliases_of_a_large_literal_do_not_exhaust_memory() {
        let literal = vec!["1"; 9_000].join(",");
        let text = format!("- &a ${{{{ fromJSON('[{literal}]') }}}}\n{}", "- *a\n".repeat(200));
        let root = crate::yaml::parse(&text).expect("YAML").root;
        let error = Reader::new("w.yml").tree(&root).expect_err("too large");
        assert!(error.to_string().ends_with("together are too large"));
    }
}
