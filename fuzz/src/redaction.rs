//! Redacting and showing: whatever form a password comes back in, it is gone; whatever is shown is harmless.

use arbitrary::{Arbitrary, Unstructured};
use migration_preflight::history::DatabaseUrl;
use migration_preflight::secret::{Secrets, on_one_line};
use migration_preflight::text::{harmless, mask};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::shown::{PLANTED, assert_harmless};

#[derive(Debug, Arbitrary)]
struct Case<'a> {
    place: Place,
    form: Form,
    password: (&'a str, &'a str),
    other: &'a str,
    said: (&'a str, &'a str),
}

/// Where the password was read.
#[derive(Debug, Arbitrary)]
enum Place {
    Userinfo,
    Query,
    Alone,
    Variable,
}

/// How somebody writes it.
#[derive(Debug, Arbitrary)]
enum Form {
    Raw,
    Debug,
    Json,
    Bytes,
    OneLine,
    Encoded,
    InUrl,
}

pub fn body(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_shown(text);
    }
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let password = format!("{}{PLANTED}{}", case.password.0, case.password.1);
    let secrets = secrets(&case, &password);
    let (before, after) = case.said;
    if before.contains(PLANTED) || after.contains(PLANTED) {
        return;
    }
    let said = format!("{before}{}{after}", said(&case.form, &password));
    let clean = secrets.redact(&said);
    assert!(!clean.contains(PLANTED), "{said:?} became {clean:?}");
    assert!(!secrets.redact(&format!("{said}\n{said}")).contains(PLANTED), "twice");
    assert!(!format!("{secrets:?}").contains(PLANTED));
    assert!(secrets.masks().any(|mask| mask.contains(PLANTED)) || matches!(case.place, Place::Variable));
}

fn secrets(case: &Case<'_>, password: &str) -> Secrets {
    let encoded = utf8_percent_encode(password, NON_ALPHANUMERIC);
    let mut secrets = Secrets::of_values(&[case.other.to_owned()]);
    let of_url = |url: String| DatabaseUrl::parse(url).expect("a scheme that is known").secrets().clone();
    match case.place {
        Place::Userinfo => secrets.extend([of_url(format!("postgres://u:{encoded}@h/d"))]),
        Place::Query => secrets.extend([of_url(format!("mysql:///d?user=u&password={encoded}"))]),
        Place::Alone => secrets.add_plain_password(password),
        // Without the white space around it, and a blank there would be a part of a password that is taken out.
        Place::Variable => secrets.add_value(password),
    }
    secrets
}

fn said(form: &Form, password: &str) -> String {
    match form {
        Form::Raw => password.to_owned(),
        Form::Debug => format!("{password:?}"),
        Form::Json => serde_json::Value::from(password).to_string(),
        Form::Bytes => password.as_bytes().escape_ascii().to_string(),
        Form::OneLine => on_one_line(password),
        Form::Encoded => utf8_percent_encode(password, NON_ALPHANUMERIC).to_string(),
        Form::InUrl => {
            let mut url = url::Url::parse("postgres://u@h/d").expect("a URL");
            url.set_password(Some(password)).expect("a URL with a host");
            url.to_string()
        }
    }
}

fn check_shown(text: &str) {
    let shown = harmless(text);
    assert_harmless(&shown);
    assert_eq!(harmless(&shown), shown, "what is harmless stays as it is");
    for bare in [false, true] {
        let masked = mask(text, bare);
        assert_eq!(masked.len(), text.len(), "a mask covers byte for byte");
        let (lines, before) = (masked.matches('\n').count(), text.matches('\n').count());
        assert_eq!(lines, before, "and keeps the lines");
        assert_eq!(mask(&masked, bare), masked, "what is masked stays as it is");
    }
}
