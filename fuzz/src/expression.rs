//! A constant expression, standing where a whole matrix is expected and inside a text.

pub fn body(data: &[u8]) {
    let Ok(expression) = std::str::from_utf8(data) else { return };
    // JSON is a form of YAML, so that its escapes keep the text of the expression as it is.
    let quoted = |text: String| serde_json::Value::from(text).to_string();
    let (whole, part) = (quoted(format!("${{{{{expression}}}}}")), quoted(format!("a-${{{{ {expression} }}}}-b")));
    for matrix in [whole.clone(), format!("{{service: [{whole}, {part}]}}")] {
        super::workflow::check(&format!("jobs: {{deploy: {{strategy: {{matrix: {matrix}}}}}}}"));
    }
}
