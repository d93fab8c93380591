//! What the README promises to be tested: blocks behind a comment `<!-- tested: NAME -->`.

/// The content of a block, without its fences.
#[allow(dead_code, reason = "no test binary uses all of it")]
pub fn block(name: &str) -> &'static str {
    let readme = include_str!("../../README.md");
    let marker = format!("<!-- tested: {name} -->\n```");
    let (_, behind) = readme.split_once(&marker).unwrap_or_else(|| panic!("README.md has no {marker}"));
    let (_, content) = behind.split_once('\n').unwrap();
    content.split_once("```\n").unwrap().0
}
