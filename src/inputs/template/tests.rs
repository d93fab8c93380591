//! What templates become, and what they refuse.

use super::*;
use crate::history::DatabaseErrorKind;

fn placeholders() -> Placeholders {
    Placeholders::new("content-service", "staging").with("region", "eu-west")
}

fn path(text: &str) -> Result<String, TemplateError> {
    Template::parse_path(text)?.fill_path(&placeholders()).map(|path| path.display().to_string())
}

fn url(text: &str, env: &[(&str, &str)]) -> Result<String, DatabaseError> {
    let read = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let template = UrlTemplate::parse(text).expect("a template");
    template.resolve(&placeholders(), &read).map(|url| url.expose().to_owned())
}

fn not_set(variable: &str) -> Result<String, DatabaseError> {
    Err(DatabaseError::new(DatabaseErrorKind::SecretNotSet { variable: variable.to_owned() }, ""))
}

#[test]
fn placeholders_are_filled_in_as_they_are_or_in_capitals() {
    assert_eq!(path("backend/{service}/migrations"), Ok("backend/content-service/migrations".into()));
    assert_eq!(path("{environment}/{SERVICE}/{ENVIRONMENT}"), Ok("staging/CONTENT_SERVICE/STAGING".into()));
    assert_eq!(path("{region}/{REGION}"), Ok("eu-west/EU_WEST".into()));
    assert_eq!(upper_snake("API.v2 größe"), "API_V2_GR__E");
}

#[test]
fn a_matrix_cannot_give_the_service_another_name() {
    let placeholders = Placeholders::new("a", "b").with("service", "c").with("SERVICE", "exact");
    assert_eq!(placeholders.get("service").as_deref(), Some("a"));
    assert_eq!(placeholders.get("SERVICE").as_deref(), Some("exact"));
}

#[test]
fn paths_stay_below_the_root_as_written() {
    assert_eq!(path("a/../b"), Ok("a/../b".into()));
    assert_eq!(path("."), Ok(".".into()));
    assert_eq!(path("a..b/...c"), Ok("a..b/...c".into()));
    for (text, error) in [
        ("../a", TemplateError::AboveRoot),
        ("a/../../b", TemplateError::AboveRoot),
        ("./..", TemplateError::AboveRoot),
        ("{service}/../..", TemplateError::AboveRoot),
        ("/a", TemplateError::Absolute),
        ("~/a", TemplateError::Absolute),
        ("C:/a", TemplateError::Absolute),
        ("\\\\host\\a", TemplateError::Absolute),
        ("a\\b", TemplateError::Backslash),
        ("a\0b", TemplateError::Control),
        ("", TemplateError::Empty),
        (" ", TemplateError::Empty),
    ] {
        assert_eq!(path(text), Err(error), "{text}");
    }
}

#[test]
fn no_value_leads_out_of_the_path_that_it_is_filled_into() {
    let template = Template::parse_path("backend/{service}/migrations").expect("a template");
    let fill = |service: &str| template.fill_path(&Placeholders::new(service, "staging"));
    assert!(fill("apps/api").is_ok() && fill("a..b").is_ok());
    for service in ["../../x", "..", "a/../b", "/etc", "..\\x", "a/..", "x/../../../../etc"] {
        assert_eq!(fill(service), Err(TemplateError::Escape("service".into())), "{service}");
    }
    assert_eq!(fill("a\0b"), Err(TemplateError::Control));
    assert_eq!(fill("a\\b"), Err(TemplateError::Backslash));
    assert_eq!(fill(" "), Err(TemplateError::EmptyValue("service".into())));
    let whole = Template::parse_path("{service}").expect("a template");
    assert_eq!(whole.fill_path(&Placeholders::new("C:/x", "e")), Err(TemplateError::Absolute));
    assert_eq!(whole.fill_path(&Placeholders::default()), Err(TemplateError::NoValue("service".into())));
}

#[test]
fn what_is_filled_in_is_never_a_template_again() {
    let template = Template::parse("{service}").expect("a template");
    assert_eq!(template.fill(&Placeholders::new("{environment}", "e")), Ok("{environment}".into()));
    assert_eq!(url("${A}", &[("A", "postgres://${B}/{service}"), ("B", "b")]), Ok("postgres://${B}/{service}".into()));
}

#[test]
fn braces_are_held_to_account_in_every_template() {
    for (text, error) in [
        ("{service", TemplateError::UnclosedPlaceholder),
        ("{a{b}}", TemplateError::UnclosedPlaceholder),
        ("a}", TemplateError::StrayBrace),
        ("{}", TemplateError::EmptyPlaceholder),
        ("a/${{ matrix.service }}", TemplateError::GitHubExpression),
    ] {
        assert_eq!(Template::parse(text), Err(error.clone()), "{text}");
        assert_eq!(UrlTemplate::parse(text), Err(error), "{text}");
    }
    assert_eq!(Template::parse("${HOME}/a"), Err(TemplateError::VariableHere));
}

#[test]
fn a_url_is_read_from_the_variable_that_the_filled_name_has() {
    let env =
        [("PRODUCTION_CONTENT_SERVICE_DATABASE_URL", "postgres://a:b@c/d"), ("CONTENT_SERVICE_URL", "sqlite:x.db")];
    assert_eq!(url("${PRODUCTION_{SERVICE}_DATABASE_URL}", &env), Ok("postgres://a:b@c/d".into()));
    assert_eq!(url("${{SERVICE}_URL}", &env), Ok("sqlite:x.db".into()));
    assert_eq!(url("${{ENVIRONMENT}_{REGION}}", &[("STAGING_EU_WEST", "sqlite:y")]), Ok("sqlite:y".into()));
}

#[test]
fn text_around_a_variable_stays() {
    let env = [("HOST", "db:5432"), ("PW", "p%40ss")];
    assert_eq!(url("postgres://app:${PW}@${HOST}/db", &env), Ok("postgres://app:p%40ss@db:5432/db".into()));
    assert_eq!(url("postgres://app@localhost/{service}", &[]), Ok("postgres://app@localhost/content-service".into()));
    assert_eq!(url("sqlite:data/{SERVICE}.db", &[]), Ok("sqlite:data/CONTENT_SERVICE.db".into()));
}

#[test]
fn a_placeholder_in_a_url_cannot_name_another_host() {
    let template = UrlTemplate::parse("postgres://app@localhost/{service}").expect("a template");
    let url = template.resolve(&Placeholders::new("x@evil.example/y?host=z#", "e"), &|_| None).expect("a URL");
    assert_eq!(url.expose(), "postgres://app@localhost/x%40evil.example%2Fy%3Fhost%3Dz%23");
}

#[test]
fn an_unset_or_empty_variable_is_named_and_blanks_around_a_value_are_a_pasting_error() {
    assert_eq!(url("${A}", &[]), not_set("A"));
    assert_eq!(url("${A}", &[("A", "")]), not_set("A"));
    assert_eq!(url("${A}", &[("A", " \n")]), not_set("A"));
    assert_eq!(url("postgres://a:${PW}@${HOST}/b", &[("PW", "x")]), not_set("HOST"));
    assert_eq!(url("${A}", &[("A", " postgres://b/c\r\n")]), Ok("postgres://b/c".into()));
    assert_eq!(url("postgres://${HOST}/c", &[("HOST", "b\n")]), Ok("postgres://b/c".into()));
}

#[test]
fn a_name_that_no_variable_can_have_is_not_asked_for() {
    let template = UrlTemplate::parse("${{service}}").expect("a template");
    let env = |name: &str| -> Option<String> { panic!("asked for {name}") };
    for service in ["a=b", "a\0b"] {
        assert!(template.resolve(&Placeholders::new(service, "e"), &env).is_err());
    }
}

#[test]
fn no_error_holds_a_value_of_the_environment() {
    for value in ["hunter2", "mssql://a:hunter2@b/c", "hunter2://x", ":hunter2"] {
        let error = url("${A}", &[("A", value)]).expect_err("no URL");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let resolved = UrlTemplate::parse("${A}")
        .expect("a template")
        .resolve(&placeholders(), &|_| Some("postgres://a:hunter2@b/c".into()))
        .expect("a URL");
    assert!(!format!("{resolved:?}").contains("hunter2"));
}

#[test]
fn a_placeholder_without_a_value_leaves_the_target_without_a_database() {
    for text in ["${{nowhere}_URL}", "postgres://h/{nowhere}"] {
        let error = url(text, &[]).expect_err("no value");
        assert_eq!(error.kind, DatabaseErrorKind::NotConfigured);
        assert_eq!(error.detail, "there is no value for the placeholder `{nowhere}`");
    }
}

#[test]
fn a_url_template_is_refused_for_what_could_never_be_a_url() {
    for (text, error) in [
        ("", TemplateError::Empty),
        ("  ", TemplateError::Empty),
        ("${A", TemplateError::UnclosedVariable),
        ("${{SERVICE}_URL", TemplateError::UnclosedVariable),
        ("${{SERVICE}", TemplateError::UnclosedVariable),
        ("${A b", TemplateError::UnclosedVariable),
        ("${}", TemplateError::EmptyVariable),
        ("${A-B}", TemplateError::VariableName),
        ("${A:-postgres://x}", TemplateError::VariableName),
        ("${A${B}}", TemplateError::VariableName),
        ("${${A}}", TemplateError::VariableName),
        ("$DATABASE_URL", TemplateError::BareVariable),
        ("DATABASE_URL", TemplateError::NoUrl),
        ("mssql://h/d", TemplateError::NoUrl),
        ("mssql://${HOST}/d", TemplateError::NoUrl),
        ("postgres://h/a b", TemplateError::Blank),
        ("${A}\n", TemplateError::Blank),
        ("${{ secrets.X }}", TemplateError::GitHubExpression),
        ("${{secrets.X}}", TemplateError::GitHubExpression),
        ("${{", TemplateError::GitHubExpression),
    ] {
        assert_eq!(UrlTemplate::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_password_is_refused_wherever_a_url_can_have_one() {
    for text in [
        "postgres://a:b@c/d",
        "postgresql://a:b@c@d/e",
        "postgres://a:b/c@d/e",
        "postgres://a:x${PW}@c/d",
        "postgres://a:{service}@c/d",
        "postgres://c/d?user=a&password=b",
        "postgres://c/d?PASSWORD=b",
        "${BASE}?password=b",
        "mssql://a:b@c/d",
        "a:b@c/d",
    ] {
        assert_eq!(UrlTemplate::parse(text), Err(TemplateError::Password), "{text}");
    }
    for text in ["postgres://a@c:5432/d", "postgres://a:${PW}@c/d", "postgres://c/d?password=${PW}&x=y", "sqlite:a:b@c"]
    {
        assert!(UrlTemplate::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_variable_of_a_matrix_entry_is_a_whole_url() {
    let template = UrlTemplate::variable("A").expect("a name");
    assert_eq!(Ok(&template), UrlTemplate::parse("${A}").as_ref());
    assert_eq!(UrlTemplate::variable(""), Err(TemplateError::EmptyVariable));
    assert_eq!(UrlTemplate::variable("postgres://a:b@c/d"), Err(TemplateError::VariableName));
}

#[test]
fn every_error_says_what_to_do() {
    let expression = TemplateError::GitHubExpression;
    assert_eq!(expression.to_string(), "a GitHub expression `${{ … }}` is not evaluated in this file");
    assert_eq!(TemplateError::UnclosedVariable.to_string(), "a `${` has no closing `}`");
    assert_eq!(TemplateError::NoValue("a".into()).to_string(), "there is no value for the placeholder `{a}`");
    assert!(expression.hint().contains("env:"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_template_or_an_error(text in "[${}a-z:@/ .A\u{e9}-]{0,40}", service in ".{0,12}") {
        let placeholders = Placeholders::new(service, "e");
        if let Ok(template) = Template::parse_path(&text)
            && let Ok(path) = template.fill_path(&placeholders)
        {
            let mut depth = 0_i32;
            for step in path.components() {
                depth += match step {
                    std::path::Component::Normal(_) => 1,
                    std::path::Component::CurDir => 0,
                    std::path::Component::ParentDir => -1,
                    other => panic!("{other:?} in {}", path.display()),
                };
                assert!(depth >= 0, "{}", path.display());
            }
        }
        if let Ok(template) = UrlTemplate::parse(&text) {
            let _ = template.resolve(&placeholders, &|_| Some("v".into()));
        }
    }
}
