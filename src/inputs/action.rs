//! The inputs of the action, and what the runner's environment says of where to publish.
//!
//! It is given the environment and touches no file.

use std::path::{Path, PathBuf};

use crate::cli::PublishArgs;
use crate::github::{Destination, ReportTo, Token};
use crate::inputs::{github, matrix};

/// What gives a variable of the environment, or the text of a file.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The inputs that become a flag of the same name with their value. Beside them stand `matrix`, and [`LISTS`].
pub const VALUES: [&str; 15] = [
    "config",
    "workflow",
    "job",
    "service",
    "environment",
    "migrations",
    "source",
    "snapshot",
    "base",
    "gate",
    "fail-on",
    "report",
    "check-name",
    "jobs",
    "timeout",
];
/// The inputs that become a flag of the same name for each line.
pub const LISTS: [&str; 2] = ["output", "reports"];
/// The inputs that become a flag without a value.
pub const SWITCHES: [&str; 4] = ["allow-commands", "comment", "fail-on-publish-error", "without-plan"];

/// No check needs a longer name.
const MOST_NAME: usize = 200;
/// What the action can do.
const COMMANDS: [&str; 3] = ["check", "merge", "snapshot"];
/// The inputs that `snapshot` takes as flags; it publishes nothing.
const OF_SNAPSHOT: [&str; 8] = ["config", "workflow", "job", "service", "environment", "migrations", "jobs", "timeout"];

/// An input that makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input `{name}` is `{}`\n  help: write {help}", crate::text::harmless(.value))]
pub struct InputError {
    name: &'static str,
    value: String,
    help: &'static str,
}

/// The command line that the inputs stand for, the program's name left out.
///
/// # Errors
/// A command that the action does not have, or a switch that is neither on nor off. Everything else is the command line's to judge.
pub fn arguments(variable: Read) -> Result<Vec<String>, InputError> {
    let command = input(variable, "command").unwrap_or_else(|| "check".to_owned());
    if !COMMANDS.contains(&command.as_str()) {
        return Err(InputError { name: "command", value: command, help: "check, merge or snapshot" });
    }
    let mut arguments = vec![command];
    if arguments == ["snapshot"] {
        for name in OF_SNAPSHOT {
            arguments.extend(flag(variable, name, name));
        }
        arguments.extend(matrix_flag(variable));
        arguments.extend(switch(variable, "allow-commands")?);
        // What a check reads under this name is what is written here.
        arguments.extend(flag(variable, "snapshot", "output"));
        return Ok(arguments);
    }
    for name in VALUES {
        arguments.extend(flag(variable, name, name));
    }
    arguments.extend(matrix_flag(variable));
    for name in LISTS {
        let lines = input(variable, name).unwrap_or_default();
        let values = lines.lines().map(str::trim).filter(|value| !value.is_empty());
        arguments.extend(values.map(|value| format!("--{name}={value}")));
    }
    for name in SWITCHES {
        arguments.extend(switch(variable, name)?);
    }
    Ok(arguments)
}

/// The flag without a value that an input stands for, where it is on.
fn switch(variable: Read, name: &'static str) -> Result<Option<String>, InputError> {
    match input(variable, name).as_deref() {
        None | Some("false") => Ok(None),
        Some("true") => Ok(Some(format!("--{name}"))),
        Some(value) => Err(InputError { name, value: value.to_owned(), help: "true or false" }),
    }
}

/// The flag that an input stands for, where it is set.
fn flag(variable: Read, input: &str, flag: &str) -> Option<String> {
    self::input(variable, input).map(|value| format!("--{flag}={value}"))
}

/// The matrix, which comes by default from the job, where it may be none at all, or one of operating systems.
fn matrix_flag(variable: Read) -> Option<String> {
    let names_another = input(variable, "workflow").is_some() || input(variable, "job").is_some();
    // Where the job has none, GitHub's runner says null, and act an empty mapping.
    let is_none = |value: &String| matches!(value.as_str(), "null" | "{}");
    let value = input(variable, "matrix").filter(|value| !names_another && !is_none(value))?;
    Some(if value.starts_with('{') { format!("--leg={value}") } else { format!("--matrix={value}") })
}

/// Where a run publishes: what the flags say, and what its environment.
pub fn destination(flags: &PublishArgs, variable: Read, event: Read) -> Destination {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    // A step of the action has a summary and outputs whatever else is published; a command only where it publishes.
    let is_told = flags.report != ReportTo::None || input(variable, "report").is_some();
    let path = |name: &str| set(name).filter(|_| is_told).map(PathBuf::from);
    let token = input(variable, "token").or_else(|| set("GITHUB_TOKEN"));
    // Each step of a job leaves a report of its own.
    let step: String = set("GITHUB_ACTION").unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("migration-preflight-{step}.json");
    Destination {
        report: flags.report,
        check_name: check_name(flags, variable),
        comment: flags.comment,
        run: github::read(variable, event),
        token: token.map(Token::new),
        job_check: input(variable, "check-run-id").and_then(|id| id.parse().ok()),
        summary: path("GITHUB_STEP_SUMMARY"),
        outputs: path("GITHUB_OUTPUT"),
        json: path("RUNNER_TEMP").map(|folder| folder.join(Path::new(&name))),
    }
}

/// The name of a check run of its own. Each leg of a matrix has another, as GitHub names the legs themselves: of several
/// check runs of one name GitHub counts the last.
fn check_name(flags: &PublishArgs, variable: Read) -> String {
    let name = flags.check_name.clone();
    let leg = input(variable, "matrix").filter(|_| input(variable, "check-name").is_none());
    let leg = leg.and_then(|leg| serde_json::from_str::<serde_json::Map<_, _>>(&leg).ok()).unwrap_or_default();
    let values: Vec<_> = leg.values().filter_map(matrix::text).collect();
    if values.is_empty() { name } else { format!("{name} ({})", values.join(", ")).chars().take(MOST_NAME).collect() }
}

/// An input as the runner hands it over: its name in capitals, hyphens kept. One that is not set is empty.
pub fn input(variable: Read, name: &str) -> Option<String> {
    let value = variable(&format!("INPUT_{}", name.to_ascii_uppercase()))?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(inputs: &[(&str, &str)]) -> Result<Vec<String>, InputError> {
        let read = |name: &str| inputs.iter().find(|(input, _)| name == *input).map(|(_, value)| (*value).to_owned());
        arguments(&read)
    }

    #[test]
    fn inputs_are_flags_of_the_same_name() {
        assert_eq!(given(&[]), Ok(vec!["check".into()]));
        let inputs = [
            ("INPUT_FAIL-ON", "warning"),
            ("INPUT_SERVICE", "a,b"),
            ("INPUT_COMMENT", "true"),
            ("INPUT_FAIL-ON-PUBLISH-ERROR", "false"),
            ("INPUT_CONFIG", " "),
        ];
        assert_eq!(
            given(&inputs),
            Ok(["check", "--service=a,b", "--fail-on=warning", "--comment"].map(String::from).to_vec())
        );
    }

    #[test]
    fn a_list_is_a_flag_for_each_line() {
        let inputs = [("INPUT_REPORTS", "a\n\n b c \n"), ("INPUT_OUTPUT", "sarif=x.sarif\njson=x.json")];
        let expected = ["check", "--output=sarif=x.sarif", "--output=json=x.json", "--reports=a", "--reports=b c"];
        assert_eq!(given(&inputs), Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn the_snapshot_is_read_by_a_check_and_written_by_the_command_of_its_name() {
        let inputs = |command| {
            [
                ("INPUT_COMMAND", command),
                ("INPUT_SNAPSHOT", "snapshot.json"),
                ("INPUT_SERVICE", "a"),
                ("INPUT_REPORT", "auto"),
                ("INPUT_COMMENT", "true"),
                ("INPUT_MATRIX", r#"{"service": "a"}"#),
            ]
        };
        let leg = r#"--leg={"service": "a"}"#;
        let check = ["check", "--service=a", "--snapshot=snapshot.json", "--report=auto", leg, "--comment"];
        assert_eq!(given(&inputs("check")).unwrap(), check);
        assert_eq!(given(&inputs("snapshot")).unwrap(), ["snapshot", "--service=a", leg, "--output=snapshot.json"]);
    }

    #[test]
    fn a_value_that_looks_like_a_flag_is_a_value() {
        assert_eq!(given(&[("INPUT_CONFIG", "--help")]).unwrap()[1], "--config=--help");
    }

    #[test]
    fn the_matrix_of_the_job_gives_way_to_a_workflow_that_is_named() {
        let leg = r#"{"service": "a"}"#;
        assert_eq!(given(&[("INPUT_MATRIX", leg)]).unwrap()[1], format!("--leg={leg}"));
        assert_eq!(given(&[("INPUT_MATRIX", "[]")]).unwrap()[1], "--matrix=[]");
        for none in ["null", "{}"] {
            assert_eq!(given(&[("INPUT_MATRIX", none)]).unwrap().len(), 1);
        }
        assert_eq!(given(&[("INPUT_MATRIX", leg), ("INPUT_JOB", "b")]).unwrap()[1..], ["--job=b"]);
    }

    #[test]
    fn a_step_that_publishes_nothing_has_a_summary_and_outputs_and_a_command_has_not() {
        let flags =
            |report| PublishArgs { report, check_name: String::new(), comment: false, fail_on_publish_error: false };
        let files = |report, input: Option<&str>| {
            let read = |name: &str| match name {
                "GITHUB_OUTPUT" | "GITHUB_STEP_SUMMARY" | "RUNNER_TEMP" => Some(name.to_owned()),
                "INPUT_REPORT" => input.map(str::to_owned),
                _ => None,
            };
            let to = destination(&flags(report), &read, &|_| None);
            [to.outputs.is_some(), to.summary.is_some(), to.json.is_some()]
        };
        assert_eq!(files(ReportTo::None, Some("none")), [true; 3]);
        assert_eq!(files(ReportTo::Annotations, None), [true; 3]);
        assert_eq!(files(ReportTo::None, None), [false; 3]);
    }

    #[test]
    fn every_leg_has_a_check_of_another_name_unless_it_is_given_one() {
        let flags = PublishArgs {
            report: ReportTo::Auto,
            check_name: "preflight".into(),
            comment: false,
            fail_on_publish_error: false,
        };
        let name = |inputs: &[(&str, &str)]| {
            let read =
                |name: &str| inputs.iter().find(|(input, _)| name == *input).map(|(_, value)| (*value).to_owned());
            destination(&flags, &read, &|_| None).check_name
        };
        let leg = ("INPUT_MATRIX", r#"{"service": "a", "environment": "staging", "n": 3, "x": {}}"#);
        assert_eq!(name(&[leg]), "preflight (a, staging, 3)");
        assert_eq!(name(&[leg, ("INPUT_CHECK-NAME", "preflight")]), "preflight");
        for none in ["null", "{}", "[]", "x"] {
            assert_eq!(name(&[("INPUT_MATRIX", none)]), "preflight");
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        let error = given(&[("INPUT_COMMENT", "yes\n::error::")]).unwrap_err().to_string();
        assert_eq!(error, "the input `comment` is `yes\\u{a}::error::`\n  help: write true or false");
    }
}
