//! What it costs to explain a finding from a long history, beside `git log` over the same files; and to judge its commits.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::job::{Job, side_by_side};
use crate::table::{Table, mebibytes, target, times};
use crate::{Bench, work};

/// Commits, of which every tenth adds a migration.
const COMMITS: usize = 10_000;
/// Migrations.
const MIGRATIONS: usize = 1_000;
/// No more memory than this, in KiB: 100 MB.
const MOST_MEMORY: u64 = 100_000_000 / 1024;
/// Commits that `rollback` looks at.
const JUDGED: usize = 5_000;
/// No longer than this for that, in milliseconds.
const MOST_FOR_ROLLBACK: f64 = 2_000.0;

/// One check that explains a missing migration, the same check where nothing is missing, and `git log`.
pub async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let folder = bench.repository("explain")?;
    // What tells the root apart elsewhere is not enough here.
    fs::remove_dir_all(folder.join(".git"))?;
    let migrations = folder.join("migrations");
    work::write_migrations(&migrations, MIGRATIONS)?;
    work::sqlite(&folder.join("dev.db"), &migrations).await?;
    git(&folder, &["init", "--quiet", "--initial-branch=main"], "")?;
    git(&folder, &["fast-import", "--quiet", "--done"], &history(&migrations)?)?;
    let whole = folder.join("whole");
    git(&folder, &["worktree", "add", "--quiet", "--detach", &whole.display().to_string(), "main~"], "")?;
    fs::copy(folder.join("dev.db"), whole.join("dev.db"))?;
    // What stands there already is what the commits hold, less what the last one deletes.
    fs::remove_dir_all(&migrations)?;
    git(&folder, &["reset", "--quiet", "--hard", "main"], "")?;
    let check = |name: &str, folder: &Path| {
        bench.ours(name, folder, &["--fail-on", "never"]).variable("DATABASE_URL", "sqlite:dev.db")
    };
    let jobs = [
        check("migration-preflight, one missing", &folder).answers("was deleted on this branch by Ann", 1),
        check("migration-preflight, none missing", &whole).answers("starts, with nothing to apply", 1),
        Job::new("git log --all --raw", &folder, "git", &["log", "--all", "--raw", "--", "migrations"])
            .answers("create_table", MIGRATIONS + 1),
    ];
    let measured = side_by_side(&jobs, bench.rounds())?;
    let [explained, plain, log] = &measured[..] else { return Ok(()) };
    let work = format!("{COMMITS} commits, {MIGRATIONS} migrations");
    let cost = (explained.median() - plain.median()) / log.median();
    let peak = explained.peak;
    let verdicts = [
        target("an explanation costs at most 1× git log", cost <= 1.0, &times(cost)),
        target("below 100 MB of memory", peak < MOST_MEMORY, &mebibytes(peak)),
    ];
    table.add(&work, explained, "1", &verdicts.join("; "));
    for other in [plain, log] {
        table.add(&work, other, &times(other.against(explained)), "");
    }
    let last = JUDGED.to_string();
    let rollback = bench.ours("migration-preflight rollback", &whole, &["rollback", "--last", &last]);
    let rollback = rollback.variable("DATABASE_URL", "sqlite:dev.db").answers("the oldest that would start", 1);
    for measured in side_by_side(&[rollback], bench.rounds())? {
        let median = measured.median();
        let verdict = target("below 2 s", median < MOST_FOR_ROLLBACK, &format!("{median:.0} ms"));
        table.add(&format!("{JUDGED} commits judged"), &measured, "", &verdict);
    }
    Ok(())
}

/// A history for `git fast-import`: the migrations, one after the other, among changes of other files; the last commit
/// deletes one.
fn history(migrations: &Path) -> Result<String> {
    let mut files: Vec<_> = fs::read_dir(migrations)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut stream = String::new();
    for number in 1..COMMITS {
        begin(&mut stream, number)?;
        match files.get(number / 10).filter(|_| number % 10 == 0 || number == 1) {
            Some(file) => {
                let content = fs::read_to_string(file.path())?;
                let path = file.file_name().to_string_lossy().into_owned();
                writeln!(stream, "M 100644 inline migrations/{path}\ndata {}\n{content}", content.len())?;
            }
            None => {
                let content = format!("// {number}\n");
                let path = format!("src/module_{}/file_{}.rs", number % 40, number % 400);
                writeln!(stream, "M 100644 inline {path}\ndata {}\n{content}", content.len())?;
            }
        }
    }
    begin(&mut stream, COMMITS)?;
    let gone = files.get(MIGRATIONS / 2).context("there are no migrations")?.file_name();
    writeln!(stream, "D migrations/{}\ndone", gone.to_string_lossy())?;
    Ok(stream)
}

fn begin(stream: &mut String, number: usize) -> Result<()> {
    let (message, date) = (format!("commit {number}"), 1_600_000_000 + number * 3600);
    writeln!(stream, "commit refs/heads/main\ncommitter Ann <ann@example.org> {date} +0000")?;
    Ok(writeln!(stream, "data {}\n{message}", message.len())?)
}

fn git(folder: &Path, arguments: &[&str], input: &str) -> Result<()> {
    let mut command = Command::new("git");
    let mut child = command.args(arguments).current_dir(folder).stdin(Stdio::piped()).spawn().context("git")?;
    child.stdin.take().context("git takes no input")?.write_all(input.as_bytes())?;
    ensure!(child.wait()?.success(), "git {arguments:?} failed");
    Ok(())
}
