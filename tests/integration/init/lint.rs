//! The workflow that `init` writes, held against GitHub's schema, GitHub's own parser, and zizmor at its most pedantic.

use std::path::Path;
use std::process::Command;

/// Fails where one of them finds anything.
pub fn workflow(path: &Path) {
    let linter = |name: &str| {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lint/bin").join(name);
        assert!(
            program.is_file(),
            "{name} is not there: `python.sh` in tests/oracles installs it, as scripts/test does"
        );
        Command::new(program)
    };
    passes(linter("check-jsonschema").args(["--builtin-schema", "vendor.github-workflows"]).arg(path));
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/lint/zizmor.yml");
    passes(linter("zizmor").args(["--offline", "--quiet", "--persona", "pedantic", "--config", config]).arg(path));
    let parser = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/matrix/build/check.cjs");
    passes(Command::new("node").arg(parser).arg(path));
}

fn passes(linter: &mut Command) {
    let output = linter.output().unwrap_or_else(|error| panic!("{linter:?}: {error}"));
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{linter:?}\n{}{}", said(&output.stdout), said(&output.stderr));
}
