//! `{placeholder}` and `${VARIABLE}` in paths and URLs, filled with whatever a matrix and an environment hold.

use std::path::Component;

use arbitrary::{Arbitrary, Unstructured};
use migration_preflight::inputs::template::{Placeholders, Template, UrlTemplate, upper_snake};

use super::shown::{PLANTED, assert_harmless};

#[derive(Debug, Arbitrary)]
struct Case<'a> {
    service: &'a str,
    environment: &'a str,
    key: &'a str,
    value: &'a str,
    variable: Option<&'a str>,
    template: &'a str,
}

pub fn body(data: &[u8]) {
    // The template comes last, so that in a corpus written by hand it is what is left after the lengths.
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let placeholders = Placeholders::new(case.service, case.environment).with(case.key, case.value);
    check_path(&case, &placeholders);
    check_url(&case, &placeholders);
}

fn check_path(case: &Case<'_>, placeholders: &Placeholders) {
    if let Ok(template) = Template::parse(case.template) {
        // What is filled in is never read as a template again.
        let filled = template.fill(placeholders);
        if let (Ok(filled), None) = (&filled, template.placeholders().next()) {
            assert_eq!(filled, case.template);
        }
    }
    let Ok(template) = Template::parse_path(case.template) else { return };
    let Ok(path) = template.fill_path(placeholders) else { return };
    let mut depth = 0_isize;
    for part in path.components() {
        depth += match part {
            Component::Normal(_) => 1,
            Component::CurDir => 0,
            Component::ParentDir => -1,
            other => panic!("{path:?} is not relative: {other:?}"),
        };
        assert!(depth >= 0, "{path:?} leads above the root");
    }
}

fn check_url(case: &Case<'_>, placeholders: &Placeholders) {
    let template = match UrlTemplate::parse(case.template) {
        Ok(template) => template,
        Err(error) => return assert_harmless(&migration_preflight::text::harmless(&error.to_string())),
    };
    let value = case.variable.map(|value| format!("{value}{PLANTED}"));
    let read = std::cell::Cell::new(false);
    let known = |name: &str| {
        read.set(true);
        assert!(!name.is_empty() && !name.contains(['=', '\0']), "{name:?} is no variable");
        value.clone()
    };
    match template.resolve(placeholders, &known) {
        Ok(url) => {
            assert!(!format!("{url:?}").contains(PLANTED));
            // The value of a variable is a secret in itself, and so is the finished URL.
            let value = value.as_deref().filter(|_| read.get()).unwrap_or_default();
            let told = format!("<{}> <{}>", url.expose(), value.trim());
            let clean = url.secrets().redact(&told).into_owned();
            let is_written = [case.template, case.service, case.environment, case.key, case.value];
            assert!(is_written.iter().any(|text| text.contains(PLANTED)) || !clean.contains(PLANTED), "{clean}");
        }
        Err(error) => {
            let shown = format!("{error} {error:?} {}", error.kind.help());
            let named = [case.service, case.environment, case.value];
            let is_named = named.iter().any(|text| upper_snake(text).contains(&upper_snake(PLANTED)));
            assert!(case.template.contains(PLANTED) || is_named || !shown.contains(PLANTED), "{shown}");
        }
    }
}
