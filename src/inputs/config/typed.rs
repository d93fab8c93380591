//! From the YAML tree to typed values, past every mistake of form: each one is told, taken out, and the rest read on.

use serde_path_to_error::Segment;
use serde_yaml::Value;

use super::raw::RawConfig;
use crate::inputs::diagnostic::{Diagnostic, Diagnostics, quote, suggest};
use crate::yaml::{Node, NodeKind, Span};

/// How many mistakes of form are looked for. More than are listed, since an alias repeats what its anchor has.
const MAX_ROUNDS: usize = 500;

/// The typed file. What could not be typed is missing from it and stands among `mistakes`.
///
/// Items of lists that are taken out leave `root` too, so that paths of the result still lead to their nodes; keys
/// of mappings stay, so that a key with a wrong value is not taken for an absent one.
pub fn typed(root: &mut Node, mistakes: &mut Diagnostics) -> RawConfig {
    drop_odd_keys(root, mistakes);
    if root.is_null() {
        return RawConfig::default();
    }
    let mut value = to_value(root);
    for _ in 0..MAX_ROUNDS {
        if mistakes.is_overfull() {
            return RawConfig::default();
        }
        let error = match serde_path_to_error::deserialize::<_, RawConfig>(&value) {
            Ok(raw) => return raw,
            Err(error) => error,
        };
        let path: Vec<Segment> = error.path().iter().cloned().collect();
        mistakes.push(mistake(root, &path, &error.inner().to_string()));
        if !remove(&mut value, root, &path) {
            return RawConfig::default();
        }
    }
    mistakes.leave_out();
    RawConfig::default()
}

/// Keys that are lists or mappings have no name to report; everything else has.
fn drop_odd_keys(node: &mut Node, mistakes: &mut Diagnostics) {
    match &mut node.kind {
        NodeKind::Scalar { .. } => {}
        NodeKind::Sequence(items) => items.iter_mut().for_each(|item| drop_odd_keys(item, mistakes)),
        NodeKind::Mapping(entries) => {
            entries.retain(|(key, _)| {
                let named = key.as_str().is_some();
                if !named {
                    mistakes.push(
                        Diagnostic::new(&key.span, "a key must be text")
                            .hint("a text that begins with `{` or `[` stands in quotes, as in \"{service}\""),
                    );
                }
                named
            });
            entries.iter_mut().for_each(|(_, value)| drop_odd_keys(value, mistakes));
        }
    }
}

/// The tree for serde: keys are always text, and so is a number that would not be written back as it stands (`007`).
fn to_value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { text, .. } => match node.to_value() {
            Value::Number(number) if number.to_string() != *text => Value::String(text.clone()),
            value => value,
        },
        NodeKind::Sequence(items) => items.iter().map(to_value).collect(),
        NodeKind::Mapping(entries) => Value::Mapping(
            entries
                .iter()
                .filter_map(|(key, value)| Some((Value::String(key.as_str()?.to_owned()), to_value(value))))
                .collect(),
        ),
    }
}

/// What serde says, in our words. Of its own message only the end is used, which names what the format expects:
/// the beginning quotes the file, and that may be a secret.
fn mistake(root: &Node, path: &[Segment], error: &str) -> Diagnostic {
    let expected = error.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    if error.starts_with("unknown field") {
        let (key, span) = match path.split_last() {
            Some((Segment::Map { key }, parent)) => (key.as_str(), key_span(root, parent, key)),
            _ => ("", root.span.clone()),
        };
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let mistake = Diagnostic::new(&span, format!("unknown key {}", quote(key)));
        return Diagnostic { hint: suggest(key, known), ..mistake };
    }
    let node = node_at(root, path);
    let place = match path {
        [] => "the file".to_owned(),
        [.., Segment::Map { key }] => quote(key),
        // Not which entry: those before it may have been taken out, and the line says it.
        [.., Segment::Map { key }, Segment::Seq { .. }] => format!("an entry of {}", quote(key)),
        _ => "this value".to_owned(),
    };
    let wanted = match expected {
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "text" => "text",
        _ => "a mapping of keys to values",
    };
    let mut span = node.map_or_else(|| root.span.clone(), |node| node.span.clone());
    if node.is_some_and(|node| node.span.range.is_empty())
        && let Some((Segment::Map { key }, parent)) = path.split_last()
    {
        // An absent value has no place of its own, and the parser puts it on the next line.
        span = key_span(root, parent, key);
    }
    let found = node.map_or("something else", describe);
    let mistake = Diagnostic::new(&span, format!("{place} must be {wanted}, but is {found}"));
    match (wanted, found) {
        (_, "empty") => mistake.hint("write a value, or remove the line"),
        ("text", "a boolean") => mistake.hint("if it is a name, put it in quotes"),
        ("`true` or `false`", "text") => mistake.hint("write `true` or `false`, without quotes"),
        ("a list", _) => mistake.hint("begin each entry with `- `"),
        ("a mapping of keys to values", "a list") => mistake.hint("write `name:` instead of `- name`"),
        _ => mistake,
    }
}

fn describe(node: &Node) -> &'static str {
    match (&node.kind, to_value(node)) {
        (NodeKind::Sequence(_), _) => "a list",
        (NodeKind::Mapping(_), _) => "a mapping",
        (_, Value::Null) => "empty",
        (_, Value::Bool(_)) => "a boolean",
        (_, Value::Number(_)) => "a number",
        _ => "text",
    }
}

fn node_at<'a>(root: &'a Node, path: &[Segment]) -> Option<&'a Node> {
    path.iter().try_fold(root, |node, segment| match segment {
        Segment::Map { key } => node.get(key),
        Segment::Seq { index } => node.items().get(*index),
        _ => None,
    })
}

fn key_span(root: &Node, parent: &[Segment], key: &str) -> Span {
    let parent = node_at(root, parent).unwrap_or(root);
    parent.entry(key).map_or_else(|| parent.span.clone(), |(key, _)| key.span.clone())
}

/// Takes out what `path` leads to. False where it leads nowhere, so that nobody tries for ever.
fn remove(value: &mut Value, root: &mut Node, path: &[Segment]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let (mut value, mut node) = (value, root);
    for segment in parents {
        let (below, child) = match segment {
            Segment::Map { key } => (value.get_mut(key.as_str()), entry_mut(node, key)),
            Segment::Seq { index } => (value.get_mut(*index), item_mut(node, *index)),
            _ => return false,
        };
        let (Some(below), Some(child)) = (below, child) else {
            return false;
        };
        (value, node) = (below, child);
    }
    match (last, value, &mut node.kind) {
        (Segment::Map { key }, Value::Mapping(mapping), _) => mapping.shift_remove(key.as_str()).is_some(),
        (Segment::Seq { index }, Value::Sequence(values), NodeKind::Sequence(items))
            if *index < values.len() && *index < items.len() =>
        {
            values.remove(*index);
            items.remove(*index);
            true
        }
        _ => false,
    }
}

fn entry_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    match &mut node.kind {
        NodeKind::Mapping(entries) => {
            entries.iter_mut().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
        }
        _ => None,
    }
}

fn item_mut(node: &mut Node, index: usize) -> Option<&mut Node> {
    match &mut node.kind {
        NodeKind::Sequence(items) => items.get_mut(index),
        _ => None,
    }
}
