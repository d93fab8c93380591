//! File names of migrations, beside a second statement of sqlx's rule.

use migration_preflight::migration::{FileName, MigrationKind};

pub fn body(data: &[u8]) {
    let name = String::from_utf8_lossy(data);
    let parsed = FileName::parse(&name);
    assert_eq!(parsed, by_the_rule(&name), "{name:?}");
    let _ = FileName::looks_like_one(&name);
    if let Some(Ok(parsed)) = parsed {
        assert_eq!(name.ends_with(".down.sql"), !parsed.kind.is_up());
        assert!(!parsed.description.contains('_'));
        let again = FileName::parse(&format!("{}_{}.sql", parsed.version, parsed.description)).and_then(Result::ok);
        assert_eq!(again.map(|again| again.version), Some(parsed.version), "a version is written as it is read");
    }
}

/// `splitn(2, '_')`, the suffix, the integer, and what is left: read backwards, by bytes, without what
/// [`FileName::parse`] is made of.
fn by_the_rule(name: &str) -> Option<Result<FileName, String>> {
    let bytes = name.as_bytes();
    let underscore = bytes.iter().position(|byte| *byte == b'_')?;
    let (prefix, mut rest) = (&name[..underscore], &bytes[underscore + 1..]);
    if !rest.ends_with(b".sql") {
        return None;
    }
    let Some(version) = integer(prefix.as_bytes()) else { return Some(Err(prefix.to_owned())) };
    let (kind, suffix): (_, &[u8]) = if rest.ends_with(b".up.sql") {
        (MigrationKind::ReversibleUp, b".up.sql")
    } else if rest.ends_with(b".down.sql") {
        (MigrationKind::ReversibleDown, b".down.sql")
    } else {
        (MigrationKind::Simple, b".sql")
    };
    while let Some(shorter) = rest.strip_suffix(suffix) {
        rest = shorter;
    }
    let description = rest.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
    let description = String::from_utf8(description).expect("ASCII was taken for ASCII");
    Some(Ok(FileName { version: migration_preflight::migration::Version(version), kind, description }))
}

/// An optional sign and decimal digits, at least one, that fit 64 bits.
fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0_i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        value.checked_mul(10)?.checked_add(if negative { -digit } else { digit })
    })
}
