//! Which environment variables hold secrets, told by their names. Pure.

use super::WHOLE_WORD_BELOW;

/// What a name has somewhere in it.
const ANYWHERE: [&str; 8] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CONNECTION_STRING", "CONNSTR"];

/// What a name has for one of its words.
const WORDS: [&str; 12] =
    ["PASS", "PW", "PWD", "AUTH", "AUTHORIZATION", "KEY", "KEYS", "APIKEY", "ACCESSKEY", "PRIVATEKEY", "PAT", "DSN"];

/// With what a word ends: `PGPASS`, `DBPWD`.
const ENDS: [&str; 2] = ["PASS", "PWD"];

/// Words that end so and are others.
const OTHERS: [&str; 3] = ["OLDPWD", "BYPASS", "COMPASS"];

/// Where a secret is, what it is called and what it is for is none: `PGPASSFILE`, `SSH_AUTH_SOCK`.
const ABOUT: [&str; 9] = ["FILE", "PATH", "DIR", "SOCK", "SOCKET", "NAME", "METHOD", "TYPE", "MODE"];

/// Whether a variable of this name holds a secret.
pub fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // Where one is.
    if name == "PWD" || ABOUT.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    let is_secret =
        |word: &str| WORDS.contains(&word) || ENDS.iter().any(|end| word.ends_with(end)) && !OTHERS.contains(&word);
    ANYWHERE.iter().any(|part| name.contains(part))
        || name.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_secret)
}

/// Whether `value` is one, where it came with the environment in a variable of this name.
///
/// `USE_AUTH=1` is a switch, and a message without its ones, or its `true`, tells little.
pub fn holds_secret(name: &str, value: &str) -> bool {
    let is_switch = ["true", "false"].iter().any(|switch| value.eq_ignore_ascii_case(switch));
    names_secret(name) && value.chars().count() >= WHOLE_WORD_BELOW && !is_switch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_secret_is_told_from_that_of_something_else() {
        for name in [
            "PGPASSWORD",
            "MYSQL_PWD",
            "DB_PASS",
            "PGPASS",
            "DBPWD",
            "SHOP_PW",
            "db-passwd",
            "KEY_PASSPHRASE",
            "DEPLOY_TOKEN",
            "TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "ACCOUNT_KEY",
            "APIKEY",
            "GH_PAT",
            "SHOP_DSN",
            "DSN",
            "X_AUTH",
            "NPM_CONFIG__AUTH",
            "CREDENTIALS",
            "REDIS_CONNECTION_STRING",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "AUTHOR",
            "GIT_AUTHOR_NAME",
            "GIT_AUTHOR_EMAIL",
            "SSH_AUTH_SOCK",
            "XAUTHORITY",
            "PWD",
            "OLDPWD",
            "PGPASSFILE",
            "TOKEN_PATH",
            "KEYBOARD",
            "MONKEY",
            "COMPASS",
            "BYPASS",
            "PASSTHROUGH",
            "PATCH",
            "PGSSLMODE",
            "POSTGRES_HOST_AUTH_METHOD",
            "AWS_SHARED_CREDENTIALS_FILE",
            "KEY_NAME",
            "UPWIND",
            "",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn a_switch_is_no_secret() {
        assert!(holds_secret("SHOP_AUTH", "abcd"));
        for value in ["1", "yes", "TRUE", "false", ""] {
            assert!(!holds_secret("USE_AUTH", value), "{value}");
        }
    }
}
