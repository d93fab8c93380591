//! The catalogue of rules for people.

use crate::finding::Rule;

/// Every rule: id, default severity and when it fires.
pub fn rules() -> String {
    Rule::all().map(|rule| format!("{} ({})\n  {}\n", rule, rule.default_severity(), rule.summary())).collect()
}

/// All that there is to say of one rule.
pub fn rule(rule: Rule) -> String {
    format!("{}\n\ndefault  {}\nfires    {}\nhelp     {}\n", rule, rule.default_severity(), rule.summary(), rule.help())
}
