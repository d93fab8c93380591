//! A YAML document as a tree whose every node knows its line: what serde cannot keep.
//!
//! It resolves aliases and merge keys and bounds depth and size; it never interprets a scalar beyond
//! its text and whether it was quoted. [`Node::to_value`] hands a subtree over to `serde_yaml`.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as ParserSpan};

/// How large one document may become, aliases expanded: a bomb of aliases ends here. A node counts as one, and as
/// one more for every [`BYTES_A_NODE`] of its text; what is anchored counts again, for it is kept twice.
const MAX_SIZE: usize = 400_000;
/// See [`MAX_SIZE`]: what a node takes by itself, roughly.
const BYTES_A_NODE: usize = 64;
/// The deepest nesting that one document may have, aliases expanded: whoever walks the tree calls itself so often.
const MAX_DEPTH: usize = 128;

/// Where a node stands in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// The bytes of the node in the text.
    pub range: Range<usize>,
}

/// One node with its place. An alias stands where it is used, its content where it was anchored.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the node stands.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// The three kinds of YAML nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A scalar.
    Scalar {
        /// The text, quotes and escapes resolved.
        text: String,
        /// Whether it was unquoted and without a tag.
        plain: bool,
    },
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping in the order of the file, merge keys resolved.
    Mapping(Vec<(Node, Node)>),
}

/// A document that could be parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The whole tree; an empty document is one empty plain scalar.
    pub root: Node,
    /// Keys that stand twice in one mapping (the first one counts).
    pub duplicate_keys: Vec<Node>,
}

/// A document that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Parses the one document in `text`.
///
/// # Errors
/// No YAML, more than one document, an alias without an anchor, too deep, or too large when expanded.
pub fn parse(text: &str) -> Result<Document, YamlError> {
    let mut composer = Composer {
        parser: Parser::new_from_str(text),
        offsets: char_offsets(text),
        anchors: HashMap::new(),
        duplicate_keys: Vec::new(),
        size: 0,
    };
    let root = composer.document()?;
    Ok(Document { root, duplicate_keys: composer.duplicate_keys })
}

impl Node {
    /// The text of a scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; nothing for any other node.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; nothing for any other node.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of a mapping whose key is the scalar `key`.
    pub fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        self.entries().iter().find(|(name, _)| name.as_str() == Some(key))
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Whether this is an absent value: a plain scalar that is empty, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.to_value(), serde_yaml::Value::Null)
    }

    /// The same tree without its places, plain scalars resolved by `serde_yaml`.
    pub fn to_value(&self) -> serde_yaml::Value {
        use serde_yaml::Value;
        match &self.kind {
            NodeKind::Scalar { text, plain: true } => match serde_yaml::from_str(text) {
                Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
                _ => Value::String(text.clone()),
            },
            NodeKind::Scalar { text, plain: false } => Value::String(text.clone()),
            NodeKind::Sequence(items) => items.iter().map(Self::to_value).collect(),
            NodeKind::Mapping(entries) => {
                Value::Mapping(entries.iter().map(|(key, value)| (key.to_value(), value.to_value())).collect())
            }
        }
    }
}

/// The byte at which each character starts, and the length of the text last.
fn char_offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(offset, _)| offset).chain(std::iter::once(text.len())).collect()
}

/// Turns the parser's events into nodes.
struct Composer<'input> {
    parser: Parser<'input, saphyr_parser::StrInput<'input>>,
    offsets: Vec<usize>,
    anchors: HashMap<usize, Anchored>,
    duplicate_keys: Vec<Node>,
    size: usize,
}

/// What an alias stands for.
struct Anchored {
    node: Node,
    extent: Extent,
}

/// What a tree counts for against [`MAX_SIZE`] and [`MAX_DEPTH`].
#[derive(Clone, Copy)]
struct Extent {
    size: usize,
    height: usize,
}

impl<'input> Composer<'input> {
    fn document(&mut self) -> Result<Node, YamlError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self.error("a second document starts here; only one is read", span));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root.unwrap_or_else(|| Node {
            span: Span { line: 1, column: 1, range: 0..0 },
            kind: NodeKind::Scalar { text: String::new(), plain: true },
        }))
    }

    fn next(&mut self) -> Result<(Event<'input>, ParserSpan), YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.error(error.info(), ParserSpan::empty(*error.marker()))),
            None => Ok((Event::StreamEnd, ParserSpan::default())),
        }
    }

    fn node(&mut self, event: Event<'input>, span: ParserSpan, depth: usize) -> Result<Node, YamlError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply", span));
        }
        let place = self.place(span);
        let (anchor, kind) = match event {
            Event::Alias(anchor) => {
                let Some(Anchored { extent, .. }) = self.anchors.get(&anchor) else {
                    return Err(self.error("this alias stands inside its own anchor", span));
                };
                if depth + extent.height > MAX_DEPTH {
                    return Err(self.error("nested too deeply once its aliases are expanded", span));
                }
                self.count(extent.size, span)?;
                return Ok(Node { span: place, kind: self.anchors[&anchor].node.kind.clone() });
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                (anchor, NodeKind::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(anchor, _) => (anchor, self.sequence(depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping(depth)?),
            _ => return Err(self.error("a value was expected here", span)),
        };
        let node = Node { span: place, kind };
        self.count(own_size(&node), span)?;
        if anchor != 0 {
            let extent = extent(&node);
            self.count(extent.size, span)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), extent });
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<NodeKind, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(NodeKind::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<NodeKind, YamlError> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut merged: Vec<(Node, Node)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if key.kind == (NodeKind::Scalar { text: "<<".into(), plain: true }) {
                merged.extend(self.merge_sources(value)?);
            } else if key.as_str().is_some_and(|text| !seen.insert(text.to_owned())) {
                self.duplicate_keys.push(key);
            } else {
                entries.push((key, value));
            }
        }
        for (key, value) in merged {
            if key.as_str().is_none_or(|text| seen.insert(text.to_owned())) {
                entries.push((key, value));
            }
        }
        Ok(NodeKind::Mapping(entries))
    }

    /// The entries that a merge key brings: of one mapping, or of a sequence of them, the first winning.
    fn merge_sources(&self, value: Node) -> Result<Vec<(Node, Node)>, YamlError> {
        let span = value.span.clone();
        match value.kind {
            NodeKind::Mapping(entries) => Ok(entries),
            NodeKind::Sequence(items) if items.iter().all(|item| matches!(item.kind, NodeKind::Mapping(_))) => {
                Ok(items.iter().flat_map(|item| item.entries().iter().cloned()).collect())
            }
            _ => Err(YamlError { message: "a merge key `<<` takes a mapping or a sequence of mappings".into(), span }),
        }
    }

    fn count(&mut self, size: usize, span: ParserSpan) -> Result<(), YamlError> {
        self.size += size;
        if self.size > MAX_SIZE {
            return Err(self.error("the document is too large once its aliases are expanded", span));
        }
        Ok(())
    }

    fn error(&self, message: &str, span: ParserSpan) -> YamlError {
        YamlError { message: message.to_owned(), span: self.place(span) }
    }

    fn place(&self, span: ParserSpan) -> Span {
        let byte = |index: usize| self.offsets.get(index).or(self.offsets.last()).copied().unwrap_or_default();
        let (start, end) = (byte(span.start.index()), byte(span.end.index()));
        Span {
            line: u32::try_from(span.start.line()).unwrap_or(u32::MAX).max(1),
            column: u32::try_from(span.start.col()).unwrap_or(u32::MAX).saturating_add(1),
            range: start..end.max(start),
        }
    }
}

fn extent(node: &Node) -> Extent {
    let below = node.items().iter().chain(node.entries().iter().flat_map(|(key, value)| [key, value]));
    below.map(extent).fold(Extent { size: own_size(node), height: 0 }, |all, one| Extent {
        size: all.size + one.size,
        height: all.height.max(one.height + 1),
    })
}

/// What a node counts for without those below it.
fn own_size(node: &Node) -> usize {
    1 + node.as_str().map_or(0, |text| text.len() / BYTES_A_NODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Node {
        parse(text).expect("valid YAML").root
    }

    #[test]
    fn every_node_knows_its_line_and_bytes() {
        let text = "a: 1\nü:\n  - b: [x, y]\n";
        let root = root(text);
        let item = &root.get("ü").expect("key").items()[0];
        let list = item.get("b").expect("key");
        assert_eq!((list.items()[1].span.line, list.items()[1].span.column), (3, 12));
        assert_eq!(&text[list.items()[1].span.range.clone()], "y");
    }

    #[test]
    fn aliases_and_merge_keys_are_resolved_and_explicit_keys_win() {
        let root = root("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nlist: [*b]\n");
        assert_eq!(root.get("use").and_then(|n| n.get("x")).and_then(Node::as_str), Some("1"));
        assert_eq!(root.get("use").and_then(|n| n.get("y")).and_then(Node::as_str), Some("3"));
        assert_eq!(root.get("list").map(|n| n.items()[0].entries().len()), Some(2));
    }

    #[test]
    fn scalars_are_resolved_only_when_plain() {
        let value = root("[1, '1', true, ~, 1.5, on, \"null\"]").to_value();
        assert_eq!(serde_json::to_string(&value).expect("json"), r#"[1,"1",true,null,1.5,"on","null"]"#);
    }

    #[test]
    fn a_key_given_twice_is_told_and_the_first_counts() {
        let document = parse("a: 1\na: 2\n").expect("valid");
        assert_eq!(document.duplicate_keys[0].span.line, 2);
        assert_eq!(document.root.get("a").and_then(Node::as_str), Some("1"));
    }

    #[test]
    fn aliases_that_nest_deeper_than_any_text_are_an_error() {
        let ladder = |steps: usize| {
            let step = |i| format!("a{i}: &a{i} {}*a{}{}\n", "[".repeat(20), i - 1, "]".repeat(20));
            "a0: &a0 x\n".to_owned() + &(1..steps).map(step).collect::<String>()
        };
        assert!(parse(&ladder(7)).is_ok());
        let error = parse(&ladder(8)).expect_err("140 deep");
        assert_eq!((error.message.as_str(), error.span.line), ("nested too deeply once its aliases are expanded", 8));
    }

    #[test]
    fn anchors_inside_of_anchors_do_not_multiply_what_is_kept() {
        let nested = |numbers: usize| {
            let open: String = (0..100).map(|i| format!("&n{i} [")).collect();
            format!("{open}{}{}", "1, ".repeat(numbers), "]".repeat(100))
        };
        assert!(parse(&nested(3_000)).is_ok());
        assert!(parse(&nested(5_000)).is_err());
    }

    #[test]
    fn a_bomb_of_aliases_deep_nesting_and_a_recursive_alias_are_errors() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..9 {
            bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
        }
        let text_bomb = format!("a: &a {}\nb: [{}]\n", "x".repeat(18_000), vec!["*a"; 50_000].join(", "));
        for text in
            [bomb.as_str(), &text_bomb, &"[".repeat(100_000), "a: &a [*a]", "a: [", "a: *nope", "a: 1\n---\nb: 2"]
        {
            assert!(parse(text).is_err(), "{:.40}", text);
        }
    }
}
