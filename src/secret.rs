//! The secrets of a run, and every form in which one may come back in somebody's words. Vocabulary: pure, and never
//! printed; the last line of defence, not the only one.

mod name;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

pub use name::{holds_secret, names_secret};

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Shorter secrets are only replaced as a whole word: hidden inside other words they give nothing away, and replacing
/// every `a` would leave no message to read. GitHub's runner knows no words, so that it is not told of them at all.
const WHOLE_WORD_BELOW: usize = 4;

/// What the `url` crate encodes in a user name and a password that it is given.
const USERINFO: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'=')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'|');

/// A set of secrets. Its `Debug` shows how many, and none of them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Secrets {
    /// Every form of every secret, in order.
    forms: Vec<String>,
    /// What GitHub's runner is told to mask: URLs, and passwords raw and decoded.
    masks: Vec<String>,
}

impl Secrets {
    /// Everything secret in the values of environment variables.
    pub fn of_values(values: &[String]) -> Self {
        let each = values.iter().map(|value| {
            let mut secrets = Self::default();
            // As a URL takes it: a pasted secret often ends in a line break.
            secrets.add_value(value.trim());
            secrets
        });
        let mut all = Self::default();
        all.extend(each);
        all
    }

    /// Adds what an environment variable holds: a URL, well-formed or not, or a piece of one; or keywords with values.
    ///
    /// A piece without a `:` is for our own eyes to skip, but not for the runner's: it may be a host such as
    /// `localhost`, which the whole log of the job would lose. As a password it is found in the finished URL.
    pub fn add_value(&mut self, value: &str) {
        for password in keyword_passwords(value) {
            self.add_plain_password(password);
        }
        if value.contains(':') {
            self.add_url(value);
        } else {
            self.add_forms(value);
            self.sort();
        }
    }

    /// Adds a database URL, well-formed or not, with its passwords.
    pub fn add_url(&mut self, url: &str) {
        let after_scheme = url.split_once(':').map_or(url, |(_, rest)| rest);
        let mut passwords = passwords(after_scheme);
        if !url.contains("://") {
            // What stands before the first `:` may as well be the user.
            passwords.extend(self::passwords(url));
        }
        self.masks.push(url.to_owned());
        for secret in [url, after_scheme.trim_start_matches('/')] {
            self.add_forms(secret);
        }
        for password in passwords {
            self.add_password(&password);
        }
        self.sort();
    }

    /// Adds a password as it stands in a URL.
    fn add_password(&mut self, password: &str) {
        self.add_forms(password);
        let decoded = percent_decode_str(password).decode_utf8_lossy().into_owned();
        self.masks.extend([password.to_owned(), decoded]);
    }

    /// Adds a password that stands in no URL, such as that of `PGPASSWORD`.
    pub fn add_plain_password(&mut self, password: &str) {
        self.add_forms(password);
        self.masks.push(password.to_owned());
        self.sort();
    }

    /// `text` without any of the secrets. Where two of them overlap, both are gone.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redactor().redact(text)
    }

    /// What takes the secrets out of any number of texts, at a cost that hardly grows with the number of secrets.
    pub fn redactor(&self) -> Redactor {
        // Not the automatic choice, which takes seconds to be made for a long secret with its many forms, to save
        // milliseconds when it looks for them.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        Redactor(AhoCorasick::builder().kind(kind).build(&self.forms).ok())
    }

    /// What GitHub's runner has to mask, each line once: it compares line by line. Nothing blank and nothing so short
    /// that masking it would leave no log to read.
    pub fn masks(&self) -> impl Iterator<Item = &str> {
        let lines = self.masks.iter().flat_map(|mask| mask.split(['\r', '\n']));
        let mut seen = std::collections::HashSet::new();
        lines.filter(move |line| line.trim().chars().count() >= WHOLE_WORD_BELOW && seen.insert(*line))
    }

    /// How many bytes the longest form of a secret has.
    pub fn longest(&self) -> usize {
        self.forms.iter().map(String::len).max().unwrap_or_default()
    }

    fn add_forms(&mut self, secret: &str) {
        let decoded = percent_decode_str(secret).decode_utf8_lossy();
        for text in [secret, &decoded] {
            self.forms.extend([
                text.to_owned(),
                // As a server's message has it, once that is on one line.
                on_one_line(text),
                // As `{:?}` prints a text, as JSON has it, and as `{:?}` prints bytes.
                // (`escape_debug` is not the former: it escapes `'` too.)
                inside_quotes(&format!("{text:?}")),
                inside_quotes(&serde_json::Value::from(text).to_string()),
                text.as_bytes().escape_ascii().to_string(),
            ]);
            // As `kubectl get secret` prints it, and `echo … | base64`.
            self.forms.extend([text.to_owned(), format!("{text}\n")].map(|text| STANDARD_NO_PAD.encode(text)));
            // As a driver may write it when it puts a URL together again; a `%` may be a part of the password.
            self.forms.extend([NON_ALPHANUMERIC, USERINFO].map(|set| utf8_percent_encode(text, set).to_string()));
        }
    }

    fn sort(&mut self) {
        self.forms.retain(|secret| !secret.trim().is_empty());
        self.forms.sort_unstable();
        self.forms.dedup();
        let mut seen = std::collections::HashSet::new();
        self.masks.retain(|mask| seen.insert(mask.clone()));
    }
}

impl Extend<Self> for Secrets {
    fn extend<T: IntoIterator<Item = Self>>(&mut self, others: T) {
        for other in others {
            self.forms.extend(other.forms);
            self.masks.extend(other.masks);
        }
        self.sort();
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets([{} redacted])", self.masks.len())
    }
}

/// What stands between the quotes of `quoted`.
fn inside_quotes(quoted: &str) -> String {
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// `text` with a blank for every control character.
pub fn on_one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The passwords of a URL without its scheme, by text alone: a malformed URL holds them too.
fn passwords(after_scheme: &str) -> Vec<String> {
    let mut passwords = Vec::new();
    let rest = after_scheme.trim_start_matches('/');
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // The first reading is that of a well-formed URL, the second that of one whose password was not encoded.
    for text in [authority, rest] {
        let Some((userinfo, _)) = text.rsplit_once('@') else { continue };
        let encoded_colon = userinfo.to_ascii_lowercase().find("%3a").map(|at| at + 3);
        if let Some(start) = userinfo.find(':').map(|at| at + 1).or(encoded_colon) {
            passwords.push(userinfo[start..].to_owned());
        }
    }
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    for pair in query.split(['&', '#']) {
        if let Some((key, value)) = pair.split_once('=')
            && key.to_ascii_lowercase().contains("pass")
        {
            passwords.push(value.to_owned());
            passwords.push(value.replace('+', " "));
        }
    }
    passwords
}

/// The passwords of `host=db password=hunter22` and of `Server=db;Password=hunter22`.
fn keyword_passwords(value: &str) -> impl Iterator<Item = &str> {
    let pairs = value.split([' ', ';']).filter_map(|pair| pair.split_once('='));
    let passwords = pairs.filter(|(key, _)| ["password", "pwd"].iter().any(|word| key.eq_ignore_ascii_case(word)));
    passwords.map(|(_, password)| password.trim_matches(['\'', '"']))
}

/// A set of secrets made ready for being looked for.
#[derive(Clone)]
pub struct Redactor(Option<AhoCorasick>);

impl Redactor {
    /// `text` without any of the secrets. Where two of them overlap, both are gone.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_after(text, 0)
    }

    /// What follows the first `start` bytes of `text`, without any of the secrets, nor what is left there of one that
    /// begins before.
    pub fn redact_after<'a>(&self, text: &'a str, start: usize) -> Cow<'a, str> {
        // Fails for gigabytes of secrets alone. Then nothing is shown.
        let Some(secrets) = &self.0 else { return Cow::Borrowed(MASK) };
        let matches = secrets.find_overlapping_iter(text).map(|found| found.range());
        let mut found: Vec<_> = matches.filter(|range| range.end > start && is_secret(text, range)).collect();
        if found.is_empty() {
            return Cow::Borrowed(&text[start..]);
        }
        found.sort_unstable_by_key(|range| (range.start, range.end));
        let (mut clean, mut hidden) = (String::with_capacity(text.len() - start), start);
        for range in found {
            if range.start >= hidden || clean.is_empty() {
                clean.push_str(text.get(hidden..range.start).unwrap_or_default());
                clean.push_str(MASK);
            }
            hidden = hidden.max(range.end);
        }
        Cow::Owned(clean + &text[hidden..])
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor([redacted])")
    }
}

/// Whether a secret that stands in `text` is one there: a short one only where it is a whole word.
fn is_secret(text: &str, Range { start, end }: &Range<usize>) -> bool {
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let (before, after) = (text[..*start].chars().next_back(), text[*end..].chars().next());
    end - start >= WHOLE_WORD_BELOW || !is_word(before) && !is_word(after)
}

type Listener = dyn Fn(&Secrets) + Send + Sync;

/// Whom to tell of secrets that turn up in a run that has begun.
#[derive(Clone, Default)]
pub struct Learn(Option<Arc<Listener>>);

impl Learn {
    /// Calls `learn` with each new secret, before it is used.
    pub fn new(learn: impl Fn(&Secrets) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(learn)))
    }

    /// Tells of secrets that are about to be used.
    pub fn tell(&self, secrets: &Secrets) {
        if let Some(learn) = &self.0 {
            learn(secrets);
        }
    }
}

impl fmt::Debug for Learn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Learn")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(url: &str) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add_url(url);
        secrets
    }

    fn redacted(url: &str, text: &str) -> String {
        of(url).redact(text).into_owned()
    }

    #[test]
    fn the_password_goes_raw_and_decoded() {
        let url = "postgres://app:p%40ss%20word@db.example:5432/app";
        assert_eq!(redacted(url, "failed: p%40ss%20word"), "failed: ***");
        assert_eq!(redacted(url, "failed: p@ss word!"), "failed: ***!");
        assert_eq!(redacted(url, "user app at db.example"), "user app at db.example");
    }

    #[test]
    fn the_url_goes_with_and_without_its_scheme() {
        let url = "postgres://app:secret@db.example/app";
        assert_eq!(redacted(url, "cannot parse postgres://app:secret@db.example/app"), "cannot parse ***");
        assert_eq!(redacted(url, "cannot parse app:secret@db.example/app"), "cannot parse ***");
    }

    #[test]
    fn a_password_in_the_query_goes_too() {
        let url = "postgres:///app?user=app&password=top+secret%21";
        assert_eq!(redacted(url, "top+secret%21 top+secret! top secret!"), "*** *** ***");
    }

    #[test]
    fn the_password_of_a_malformed_url_goes_too() {
        assert_eq!(redacted("postgres://app:pa/ss?w#ord@db/app", "bad pa/ss?w#ord"), "bad ***");
        assert_eq!(redacted("postgres:app:hunter22@db/app", "bad hunter22"), "bad ***");
        assert_eq!(redacted("app:hunter22@db/app", "bad hunter22"), "bad ***");
        assert_eq!(redacted("nope://app:hunter22@db/app", "bad hunter22"), "bad ***");
        assert_eq!(redacted("postgres://app%3Ahunter22@db/app", "user \"app:hunter22\""), "user \"app:***\"");
        assert_eq!(
            redacted("postgres://a:\"quoted\"@db/app", r#"unknown value "\"quoted\"""#),
            r#"unknown value "***""#
        );
    }

    #[test]
    fn a_password_goes_in_every_form_that_a_program_gives_it() {
        let (raw, url) = ("p@:/%\"wörd'\t\u{1}-ß漢", "postgres://u:p%40%3a%2F%25%22wörd'%09%01-%c3%9f漢@h/d");
        let mut parsed = url::Url::parse(url).unwrap();
        parsed.set_password(Some(raw)).unwrap();
        let forms = [
            format!("{raw:?}"),
            serde_json::to_string(raw).unwrap(),
            raw.as_bytes().escape_ascii().to_string(),
            on_one_line(raw),
            parsed.to_string(),
            utf8_percent_encode(raw, NON_ALPHANUMERIC).to_string(),
        ];
        for line in [raw.to_owned(), format!("{raw}\n")] {
            let encoded = base64::engine::general_purpose::STANDARD.encode(line);
            assert_eq!(redacted(url, &encoded).trim_end_matches('='), "***");
        }
        for form in forms {
            let clean = redacted(url, &form);
            assert!(!clean.contains("rd") && !clean.contains('漢'), "{form}: {clean}");
        }
    }

    #[test]
    fn a_plain_password_with_a_percent_sign_goes_encoded_too() {
        let mut secrets = Secrets::default();
        secrets.add_plain_password("hunt%3Aer22");
        assert_eq!(secrets.redact("at hunt%253Aer22, hunt%3Aer22, hunt:er22"), "at ***, ***, ***");
    }

    #[test]
    fn the_password_of_keywords_goes_alone_too() {
        for value in ["host=db port=5432 password='hunter22' user=u", "Server=tcp:db,1433;Pwd=hunter22;"] {
            let mut secrets = Secrets::default();
            secrets.add_value(value);
            assert_eq!(secrets.redact("rejected: hunter22 of u at db"), "rejected: *** of u at db");
        }
    }

    #[test]
    fn a_short_password_goes_only_as_a_word() {
        let url = "postgres://app:a@db/app";
        assert_eq!(redacted(url, "a bad password: \"a\", a"), "*** bad password: \"***\", ***");
        assert_eq!(redacted("postgres://app:aa@db/x", "aaa aa"), "aaa ***");
        assert_eq!(redacted("postgres://app:@db/x", "no password"), "no password");
        assert_eq!(redacted("postgres://app@db/x", "no password"), "no password");
    }

    #[test]
    fn of_secrets_that_overlap_nothing_is_left() {
        let mut secrets = Secrets::default();
        for value in ["abcdef", "defghij", "xyxy"] {
            secrets.add_value(value);
        }
        assert_eq!(secrets.redact("abcdefghij xyxyxy abc"), "*** *** abc");
    }

    #[test]
    fn the_runner_masks_the_url_and_the_password_raw_and_decoded_and_nothing_trivial() {
        let masks = |url: &str| of(url).masks().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(masks("postgres://u:p%40ss@h/d"), ["postgres://u:p%40ss@h/d", "p%40ss", "p@ss"]);
        assert_eq!(masks("postgres://u:pass@h/d"), ["postgres://u:pass@h/d", "pass"]);
        assert_eq!(masks("postgres://u:ab@h/d"), ["postgres://u:ab@h/d"]);
        assert_eq!(
            masks("postgres://u:one1%0A%0D%0Aab%0Atwo2@h/d"),
            ["postgres://u:one1%0A%0D%0Aab%0Atwo2@h/d", "one1%0A%0D%0Aab%0Atwo2", "one1", "two2"]
        );
        let mut secrets = Secrets::default();
        secrets.add_value("localhost");
        secrets.add_plain_password("   a ");
        assert_eq!(secrets.masks().count(), 0);
        assert_eq!(secrets.redact("at localhost"), "at ***");
    }

    #[test]
    fn a_set_of_secrets_shows_none() {
        let secrets = of("postgres://u:hunter22@h/d");
        assert_eq!(format!("{secrets:?} {secrets:#?}"), "Secrets([2 redacted]) Secrets([2 redacted])");
        assert_eq!(format!("{:?}", secrets.redactor()), "Redactor([redacted])");
    }

    #[test]
    fn what_follows_is_redacted_as_a_part_of_the_whole() {
        let redactor = of("postgres://u:hunter22@h/d").redactor();
        let text = "hunter22 is hunter22";
        for (start, clean) in [(0, "*** is ***"), (4, "*** is ***"), (8, " is ***"), (13, "***"), (20, "")] {
            assert_eq!(redactor.redact_after(text, start), clean, "{start}");
        }
    }

    proptest! {
        #[test]
        fn no_password_is_left_in_any_text(
            password in "[a-zA-Z0-9!%$ä:/?#@ +\"\\\\]{4,12}", before in ".{0,8}", after in ".{0,8}",
        ) {
            let encoded = utf8_percent_encode(&password, NON_ALPHANUMERIC).to_string();
            prop_assume!(!password.trim().is_empty() && !before.contains(&password) && !after.contains(&password));
            for url in [format!("postgres://u:{encoded}@h/d"), format!("postgres://h/d?password={encoded}")] {
                let clean = redacted(&url, &format!("{before}{password}{after} {encoded} {url}"));
                prop_assert!(!clean.contains(password.trim()) || MASK.contains(password.trim()), "{}", clean);
                prop_assert!(!clean.contains(&encoded), "{}", clean);
            }
        }
    }
}
