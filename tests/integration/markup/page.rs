//! A page of Markdown as GitHub reads it: CommonMark with GitHub's own additions, among them links that nobody marked
//! as such, and the mentions and references that are looked for in the finished text.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// What a page is made of, and what it shows.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// The kind of every node in order, with its depth.
    pub structure: Vec<String>,
    /// All text, that of programs too.
    pub shown: String,
    /// The text that GitHub looks for mentions in, a line for each piece.
    pub prose: String,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut options = Options::default();
        let extension = &mut options.extension;
        extension.strikethrough = true;
        extension.table = true;
        extension.autolink = true;
        extension.tasklist = true;
        extension.footnotes = true;
        extension.alerts = true;
        extension.math_dollars = true;
        extension.math_code = true;
        let arena = Arena::new();
        let mut page = Self::default();
        page.walk(parse_document(&arena, text, &options), 0);
        page
    }

    fn walk<'a>(&mut self, node: &'a AstNode<'a>, depth: usize) {
        let kind = match &node.data.borrow().value {
            NodeValue::Text(text) => {
                self.shown.push_str(text);
                self.prose.push_str(text);
                "Text".to_owned()
            }
            NodeValue::Code(code) => {
                self.shown.push_str(&code.literal);
                self.prose.push('\n');
                "Code".to_owned()
            }
            NodeValue::CodeBlock(block) => {
                self.shown.push_str(&block.literal);
                "CodeBlock".to_owned()
            }
            NodeValue::Heading(heading) => format!("Heading {}", heading.level),
            NodeValue::Table(table) => format!("Table of {} columns", table.num_columns),
            NodeValue::HtmlInline(html) => format!("Html {html}"),
            NodeValue::HtmlBlock(html) => format!("Html {}", html.literal),
            NodeValue::Link(link) => format!("Link {}", link.url),
            NodeValue::Image(link) => format!("Image {}", link.url),
            other => {
                let name = format!("{other:?}");
                name.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
            }
        };
        // How many pieces a text comes in is of no consequence.
        let line = format!("{depth} {kind}");
        if kind != "Text" || self.structure.last() != Some(&line) {
            self.structure.push(line);
        }
        for child in node.children() {
            self.walk(child, depth + 1);
        }
        if node.data.borrow().value.block() {
            self.prose.push('\n');
        }
    }

    /// Whatever GitHub would make more of than text.
    pub fn acting(&self) -> Vec<String> {
        const KNOWN: [&str; 12] = [
            "Document",
            "Heading",
            "Paragraph",
            "Table",
            "TableRow",
            "TableCell",
            "List",
            "Item",
            "Text",
            "Code",
            "Strong",
            "Html",
        ];
        let kind = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
        let odd = self.structure.iter().filter(|line| !KNOWN.contains(&kind(line).as_str()));
        let html = self.structure.iter().filter(|line| line.contains(" Html ") && !line.ends_with(" Html <br>"));
        odd.chain(html).cloned().chain(mentions(&self.prose)).collect()
    }
}

/// Mentions, references, addresses and emoji.
fn mentions(prose: &str) -> Vec<String> {
    let lower = prose.to_lowercase();
    let letters: Vec<char> = lower.chars().collect();
    let is_name = |c: &char| c.is_ascii_alphanumeric() || "+-_".contains(*c);
    let acts = |at: &usize| {
        let (rest, first) = (&letters[*at..], letters[*at]);
        let next = |n: usize, is: fn(&char) -> bool| rest.get(n).is_some_and(is);
        let starts = |text: &str| rest.iter().zip(text.chars()).filter(|(a, b)| **a == *b).count() == text.len();
        match first {
            '@' => next(1, char::is_ascii_alphanumeric),
            '#' => next(1, char::is_ascii_digit),
            'g' => starts("gh-") && next(3, char::is_ascii_digit),
            'w' => starts("www."),
            ':' if starts("://") => true,
            ':' => {
                let name = rest[1..].iter().take_while(|c| is_name(c)).count();
                name > 0 && rest.get(name + 1) == Some(&':')
            }
            _ => false,
        }
    };
    (0..letters.len()).filter(acts).map(|at| letters[at..].iter().take(20).collect()).collect()
}

#[test]
fn what_github_would_act_on_is_seen() {
    for text in [
        "@octo",
        "a #1",
        "gh-1",
        "GH-12",
        "https://a.b",
        "ftp://a",
        "www.a.b",
        "a@b.cc",
        ":tada:",
        ":+1:",
        "<img>",
        "a <!-- x --> b",
        "*a*",
        "~~a~~",
        "$a$",
        "[a](b)",
        "![a](b)",
        "> a",
        "- [ ] a",
        "a[^1]\n\n[^1]: b",
        "> [!NOTE]\n> a",
        "```\na\n```",
    ] {
        assert_ne!(Page::read(text).acting(), [""; 0], "{text}");
    }
    let harmless = "## a `@octo https://x` b\n\n|a|b|\n|-|-|\n|`c`|d|\n\n- **e**<br>f @ # :// a::b :a b:";
    assert_eq!(Page::read(&harmless.replace("://", ":/")).acting(), [""; 0]);
}
