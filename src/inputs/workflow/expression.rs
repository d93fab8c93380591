//! Constant expressions: what `${{ … }}` is when it depends on nothing that only a run knows.
//!
//! `github-actions-expressions` parses and compares. The evaluation is here, because it must keep the
//! order of keys, must not evaluate what `&&` and `||` skip, and must not grow without bounds.

use github_actions_expressions::call::{Call, Function};
use github_actions_expressions::literal::Literal;
use github_actions_expressions::op::{BinExpr, BinOp};
use github_actions_expressions::{Expr, SpannedExpr};
use serde_json::Value;

use super::budget::Budget;
use super::function;
use super::value::evaluation;
use crate::inputs::matrix::{fold, number, text, weight};

/// The longest expression that GitHub allows.
const MAX_LENGTH: usize = 21_000;
/// The most operators, brackets and commas: it bounds how deep an expression can be.
const MAX_OPERATORS: usize = 500;

/// Why an expression has no constant value.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// It depends on the run.
    RunTime,
    /// It has no value in any run.
    Invalid(String),
}

/// Evaluates what stands between `${{` and `}}`, as far as `budget` reaches.
pub(super) fn evaluate(expression: &str, budget: &mut Budget) -> Result<Value, Failure> {
    if expression.len() > MAX_LENGTH {
        return Err(Failure::Invalid(format!("it is longer than {MAX_LENGTH} characters")));
    }
    let outside_strings = expression.split('\'').step_by(2).flat_map(str::chars);
    if outside_strings.filter(|c| "!<>=&|([,.".contains(*c)).count() > MAX_OPERATORS {
        return Err(Failure::Invalid("it is too complex".into()));
    }
    let parsed = Expr::parse(expression).map_err(|error| Failure::Invalid(error.to_string()))?;
    value(&parsed, budget)
}

fn value(expression: &SpannedExpr<'_>, budget: &mut Budget) -> Result<Value, Failure> {
    match &expression.inner {
        Expr::Literal(literal) => Ok(constant(literal)),
        Expr::Call(call) => called(call, budget),
        Expr::BinExpr(binary) => operated(binary, budget),
        Expr::UnExpr { expr, .. } => Ok(Value::Bool(!truthy(&value(expr, budget)?))),
        Expr::Context(context) => match context.parts.split_first() {
            Some((head, path)) if !matches!(head.inner, Expr::Identifier(_)) => {
                let head = value(head, budget)?;
                path.iter().try_fold(head, |collection, part| member(collection, part, budget))
            }
            _ => Err(Failure::RunTime),
        },
        Expr::Star | Expr::Identifier(_) | Expr::Index(_) => Err(Failure::RunTime),
    }
}

fn constant(literal: &Literal<'_>) -> Value {
    match literal {
        Literal::Number(value) => number(*value),
        Literal::String(text) => Value::from(text.as_ref()),
        Literal::Boolean(boolean) => Value::Bool(*boolean),
        Literal::Null => Value::Null,
    }
}

fn called(call: &Call<'_>, budget: &mut Budget) -> Result<Value, Failure> {
    if matches!(
        call.func,
        Function::HashFiles | Function::Success | Function::Always | Function::Cancelled | Function::Failure
    ) {
        return Err(Failure::RunTime);
    }
    let arguments = call.args.iter().map(|argument| value(argument, budget)).collect::<Result<Vec<_>, _>>()?;
    budget.spend(function::cost(call.func, &arguments)).map_err(Failure::Invalid)?;
    let value = function::call(call.func, &arguments).map_err(Failure::Invalid)?;
    budget.spend(weight(&value)).map_err(Failure::Invalid)?;
    Ok(value)
}

fn operated(BinExpr { lhs, op, rhs }: &BinExpr<'_>, budget: &mut Budget) -> Result<Value, Failure> {
    let left = value(lhs, budget)?;
    match op {
        BinOp::And if !truthy(&left) => return Ok(left),
        BinOp::Or if truthy(&left) => return Ok(left),
        BinOp::And | BinOp::Or => return value(rhs, budget),
        _ => {}
    }
    let (left, right) = (evaluation(&left), evaluation(&value(rhs, budget)?));
    let (left, right) = (left.sema(), right.sema());
    Ok(Value::Bool(match op {
        BinOp::Neq => left != right,
        BinOp::Gt => left > right,
        BinOp::Ge => left >= right,
        BinOp::Lt => left < right,
        BinOp::Le => left <= right,
        BinOp::Eq | BinOp::And | BinOp::Or => left == right,
    }))
}

/// `collection.part` or `collection[part]`; null where there is none. A wildcard is left to the run.
fn member(collection: Value, part: &SpannedExpr<'_>, budget: &mut Budget) -> Result<Value, Failure> {
    let key = match &part.inner {
        Expr::Identifier(name) => Value::from(name.as_str()),
        Expr::Index(index) => match &index.inner {
            Expr::Star => return Err(Failure::RunTime),
            _ => value(index, budget)?,
        },
        _ => return Err(Failure::RunTime),
    };
    Ok(match collection {
        Value::Object(entries) => {
            let wanted = text(&key).map(|key| fold(&key));
            entries.into_iter().find(|(key, _)| Some(fold(key)) == wanted).map(|(_, value)| value).unwrap_or_default()
        }
        Value::Array(items) => {
            let number = evaluation(&key).as_number().floor();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
            let place = (number >= 0.0 && number < f64::from(u32::MAX)).then_some(number as usize);
            place.and_then(|place| items.into_iter().nth(place)).unwrap_or_default()
        }
        _ => Value::Null,
    })
}

fn truthy(value: &Value) -> bool {
    evaluation(value).as_boolean()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(expression: &str) -> Result<Value, Failure> {
        super::evaluate(expression, &mut Budget::new())
    }

    #[test]
    fn a_constant_expression_has_its_value_and_keeps_the_order_of_keys() {
        let cases = [
            ("fromJSON('{\"b\":1,\"a\":[2.0]}')", r#"{"b":1,"a":[2]}"#),
            (" FROMJSON( '\"it''s\"' ) ", r#""it's""#),
            ("fromJSON('{\"z\":{\"B\":1,\"a\":2}}').Z", r#"{"B":1,"a":2}"#),
            ("fromJSON('[[1],[2]]')[1][0]", "2"),
            ("fromJSON('[1]')[7]", "null"),
            ("fromJSON('[1]').x", "null"),
            ("fromJSON(format('[{0}, \"{1}\"]', 1.10, 'x'))", r#"[1.1,"x"]"#),
            ("fromJSON(toJSON(fromJSON('{\"b\":1,\"a\":2}')))", r#"{"b":1,"a":2}"#),
            ("false && needs.build.outputs.list", "false"),
            ("'a' || github.ref", r#""a""#),
            ("'' || fromJSON('{\"b\":1,\"a\":2}')", r#"{"b":1,"a":2}"#),
            ("'A' == 'a' && 16 == '0x10' && !null", "true"),
            ("fromJSON('[]') == fromJSON('[]')", "false"),
            ("1 < 2 && 'b' >= 'A' && 2 != 3 && 3 > 2 && 1 <= 1", "true"),
        ];
        for (expression, expected) in cases {
            let value = evaluate(expression).map(|value| value.to_string());
            assert_eq!(value, Ok(expected.to_owned()), "{expression}");
        }
    }

    #[test]
    fn what_depends_on_the_run_is_told_from_what_never_works() {
        for expression in
            ["needs.x.outputs.y", "github", "fromJSON(inputs.list)", "success()", "fromJSON('[1]').*", "hashFiles('x')"]
        {
            assert_eq!(evaluate(expression), Err(Failure::RunTime), "{expression}");
        }
        for expression in ["", "'a", "nope()", "fromJSON('')", "fromJSON('{')", "format('{1}', 'a')", "1 +"] {
            assert!(matches!(evaluate(expression), Err(Failure::Invalid(_))), "{expression}");
        }
    }

    #[test]
    fn an_expression_that_explodes_is_invalid() {
        let doubled = (0..60).fold("'xxxxxxxxxx'".to_owned(), |inner, _| format!("format('{{0}}{{0}}', {inner})"));
        let escaped = (0..60).fold("'\"'".to_owned(), |inner, _| format!("toJSON({inner})"));
        let long = format!("'{}'", "x".repeat(MAX_LENGTH));
        let wide = vec!["1"; 5_000].join("<");
        for expression in [doubled, escaped, long, wide, "!".repeat(600), "(".repeat(10_000)] {
            assert!(matches!(evaluate(&expression), Err(Failure::Invalid(_))), "{expression:.40}");
        }
    }
}
