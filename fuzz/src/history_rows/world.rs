//! Targets with both their sides, drawn from bytes. Few names, versions and contents come up often, so that they meet.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arbitrary::Arbitrary;
use migration_preflight::finding::{Location, Rule, Severity};
use migration_preflight::history::{
    AbsentTable, Database, DatabaseError, DatabaseErrorKind, DatabaseUrl, History, Privilege,
};
use migration_preflight::migration::{AppliedMigration, Checksum, FileName, Migration, Version};
use migration_preflight::policy::{Accept, FailOn, Gate, Levels, Policy};
use migration_preflight::source::{Defined, IgnoredFile, IgnoredReason, InvalidFile, InvalidReason, SourceError};
use migration_preflight::target::{Target, TargetState};

const NAMES: [&str; 4] = ["content", "social", "staging", "production"];
const URLS: [&str; 3] = ["postgres://u:hunter22@h/d", "mysql://u:hunter22@h/d", "sqlite:a.db"];
const EDGES: [i64; 6] = [i64::MIN, -1, 0, i64::MAX, i64::MAX - 1, 20_260_107];

#[derive(Debug, Arbitrary)]
pub struct World<'a> {
    fail_on: u8,
    is_part: bool,
    levels: Vec<(u8, u8)>,
    accept: Vec<Accepted<'a>>,
    promotion: Vec<Name<'a>>,
    left_out: Vec<(Name<'a>, Name<'a>)>,
    targets: Vec<Drawn<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Name<'a> {
    Known(u8),
    Any(&'a str),
}

#[derive(Debug, Arbitrary)]
enum Number {
    Small(i8),
    Edge(u8),
    Any(i64),
}

#[derive(Debug, Arbitrary)]
enum Content<'a> {
    Known(u8),
    Any(&'a [u8]),
}

#[derive(Debug, Arbitrary)]
struct Accepted<'a> {
    rule: u8,
    service: Option<Name<'a>>,
    environment: Option<Name<'a>>,
    version: Option<Number>,
    file: Option<&'a str>,
    reason: &'a str,
}

#[derive(Debug, Arbitrary)]
struct Drawn<'a> {
    service: Name<'a>,
    environment: Name<'a>,
    directory: Name<'a>,
    url: u8,
    flags: (bool, bool, bool),
    levels: Vec<(u8, u8)>,
    source: Source<'a>,
    history: Rows<'a>,
}

#[derive(Debug, Arbitrary)]
enum Source<'a> {
    Files { files: Vec<File<'a>>, create_schemas: Vec<&'a str> },
    NoDirectory(Name<'a>),
    Unreadable(&'a str),
    Settings(&'a str),
}

#[derive(Debug, Arbitrary)]
enum File<'a> {
    Migration { version: Number, padding: u8, description: Name<'a>, suffix: u8, content: Content<'a> },
    Named { name: &'a str, content: Content<'a> },
    NotUtf8(&'a str, u8),
    Unreadable(&'a str, &'a str),
    Ignored(&'a str, u8),
}

#[derive(Debug, Arbitrary)]
enum Rows<'a> {
    Present(Vec<Row<'a>>),
    /// A long history whose rows are much alike.
    Many {
        first: i16,
        number: u8,
        step: u8,
    },
    Absent {
        table: &'a str,
        elsewhere: Vec<&'a str>,
        absent_schema: Option<&'a str>,
    },
    Failed {
        kind: u8,
        detail: &'a str,
    },
}

#[derive(Debug, Arbitrary)]
struct Row<'a> {
    version: Number,
    description: Name<'a>,
    installed_on: Option<&'a str>,
    dirty: u8,
    content: Content<'a>,
    execution_time: Number,
}

impl World<'_> {
    pub fn fail_on(&self) -> FailOn {
        [FailOn::Error, FailOn::Warning, FailOn::Notice, FailOn::Never][usize::from(self.fail_on % 4)]
    }

    pub fn policy(&self) -> Policy {
        let text = |name: &Option<Name<'_>>| name.as_ref().map(Name::text);
        let accept = self.accept.iter().map(|entry| Accept {
            rule: rule(entry.rule),
            service: text(&entry.service),
            environment: text(&entry.environment),
            version: entry.version.as_ref().map(|number| Version(number.value())),
            file: entry.file.map(str::to_owned),
            reason: entry.reason.to_owned(),
            location: Location { file: "c.yml".to_owned(), line: 1 },
        });
        Policy {
            accept: accept.collect(),
            levels: levels(&self.levels),
            promotion: self.promotion.iter().map(Name::text).collect(),
            left_out: self.left_out.iter().map(|(service, name)| (service.text(), name.text())).collect(),
            is_part: self.is_part,
            gate: Gate::default(),
        }
    }

    /// The states of a plan: no service is twice in one environment.
    pub fn states(&self) -> Vec<TargetState> {
        let mut states = BTreeMap::new();
        for (index, drawn) in self.targets.iter().enumerate() {
            let state = drawn.state();
            states.entry((state.target.service.clone(), state.target.environment.clone())).or_insert((index, state));
        }
        let mut states: Vec<_> = states.into_values().collect();
        states.sort_by_key(|(index, _)| *index);
        states.into_iter().map(|(_, state)| state).collect()
    }
}

impl Name<'_> {
    fn text(&self) -> String {
        match self {
            Self::Known(index) => NAMES[usize::from(*index) % NAMES.len()].to_owned(),
            Self::Any(text) => (*text).to_owned(),
        }
    }
}

impl Number {
    fn value(&self) -> i64 {
        match self {
            Self::Small(number) => i64::from(*number),
            Self::Edge(index) => EDGES[usize::from(*index) % EDGES.len()],
            Self::Any(number) => *number,
        }
    }
}

impl Content<'_> {
    fn checksum(&self) -> Checksum {
        match self {
            Self::Known(index) => Checksum::from_bytes(vec![index % 4; 48]),
            Self::Any(bytes) => Checksum::from_bytes(bytes.to_vec()),
        }
    }
}

impl Drawn<'_> {
    fn state(&self) -> TargetState {
        let (ignore_missing, required, declared) = self.flags;
        let directory = PathBuf::from(self.directory.text());
        let url = DatabaseUrl::parse(URLS[usize::from(self.url) % URLS.len()]).expect("a URL");
        let applied = self.history.read();
        let target = Target {
            service: self.service.text(),
            environment: self.environment.text(),
            migrations: directory.clone(),
            source: migration_preflight::source::Source::Directory,
            binary: None,
            // Without a URL there is no history either.
            database: applied.as_ref().map(|_| Database::Url(url)).map_err(Clone::clone),
            max_age: None,
            tenants: None,
            table: None,
            history_group: None,
            ignore_missing,
            required,
            levels: levels(&self.levels),
            declared: declared.then(|| Location { file: "w.yml".to_owned(), line: u32::MAX }),
        };
        TargetState {
            target,
            defined: self.source.read(&directory).map(Arc::new),
            applied,
            tenants: None,
            base: None,
            group: None,
        }
    }
}

impl Source<'_> {
    fn read(&self, directory: &std::path::Path) -> Result<Defined, SourceError> {
        let (files, create_schemas) = match self {
            Self::Files { files, create_schemas } => (files, create_schemas),
            Self::NoDirectory(path) => return Err(SourceError::NoDirectory(path.text().into())),
            Self::Unreadable(detail) => {
                return Err(SourceError::Unreadable { path: directory.to_owned(), detail: (*detail).to_owned() });
            }
            Self::Settings(detail) => {
                return Err(SourceError::Settings { path: "sqlx.toml".into(), detail: (*detail).to_owned() });
            }
        };
        let create_schemas = create_schemas.iter().map(|schema| (*schema).to_owned()).collect();
        let mut defined = Defined { create_schemas, ..Defined::default() };
        files.iter().for_each(|file| file.add(directory, &mut defined));
        defined.migrations.sort_by(|a, b| (a.version, a.kind, &a.path).cmp(&(b.version, b.kind, &b.path)));
        defined.invalid.sort_by(|a, b| a.path.cmp(&b.path));
        defined.ignored.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(defined)
    }
}

impl File<'_> {
    /// Puts the file where the reader of directories would put it.
    fn add(&self, directory: &std::path::Path, defined: &mut Defined) {
        // No name of a file holds these.
        let name = |text: &str| text.replace(['/', '\0'], "");
        let invalid = |text: &str, reason| InvalidFile { path: directory.join(name(text)), reason };
        match self {
            Self::Migration { version, padding, description, suffix, content } => {
                let (suffix, padding) = ([".sql", ".up.sql", ".down.sql"][usize::from(suffix % 3)], *padding as usize);
                let text = format!("{:0padding$}_{}{suffix}", version.value(), description.text());
                add_named(&name(&text), content, directory, defined);
            }
            Self::Named { name: text, content } => add_named(&name(text), content, directory, defined),
            Self::NotUtf8(text, offset) => {
                defined.invalid.push(invalid(text, InvalidReason::NotUtf8 { offset: usize::from(*offset) }));
            }
            Self::Unreadable(text, why) => {
                defined.invalid.push(invalid(text, InvalidReason::Unreadable((*why).to_owned())));
            }
            Self::Ignored(text, why) => {
                let others = usize::from(*why);
                let reasons = [
                    IgnoredReason::NoUnderscore,
                    IgnoredReason::SuffixCase,
                    IgnoredReason::SubDirectory { others },
                    IgnoredReason::NotAFile,
                ];
                let (path, reason) = (directory.join(name(text)), reasons[others % reasons.len()]);
                defined.ignored.push(IgnoredFile { path, reason });
            }
        }
    }
}

fn add_named(name: &str, content: &Content<'_>, directory: &std::path::Path, defined: &mut Defined) {
    let path = directory.join(name);
    match FileName::parse(name) {
        None => {}
        Some(Err(prefix)) => {
            defined.invalid.push(InvalidFile { path, reason: InvalidReason::Version { prefix } });
        }
        Some(Ok(FileName { version, kind, description })) => {
            let checksum = content.checksum();
            defined.migrations.push(Migration { version, description, kind, checksum, path });
        }
    }
}

impl Rows<'_> {
    fn read(&self) -> Result<History, DatabaseError> {
        match self {
            Self::Present(rows) => {
                let mut rows: Vec<_> = rows.iter().map(Row::row).collect();
                rows.sort_by_key(|row| row.version);
                Ok(History::Present(rows))
            }
            Self::Many { first, number, step } => {
                let row = |index: u8| AppliedMigration {
                    version: Version(i64::from(*first) + i64::from(index) * i64::from(*step)),
                    description: "content".to_owned(),
                    installed_on: None,
                    success: true,
                    checksum: Content::Known(*step).checksum(),
                    execution_time: 1,
                };
                Ok(History::Present((0..number % 32).map(row).collect()))
            }
            Self::Absent { table, elsewhere, absent_schema } => Ok(History::Absent(AbsentTable {
                table: (*table).to_owned(),
                elsewhere: elsewhere.iter().map(|schema| (*schema).to_owned()).collect(),
                absent_schema: absent_schema.map(str::to_owned),
            })),
            Self::Failed { kind, detail } => Err(DatabaseError::new(failure(*kind, detail), *detail)),
        }
    }
}

impl Row<'_> {
    fn row(&self) -> AppliedMigration {
        AppliedMigration {
            version: Version(self.version.value()),
            description: self.description.text(),
            installed_on: self.installed_on.map(str::to_owned),
            success: self.dirty % 8 != 1,
            checksum: self.content.checksum(),
            execution_time: self.execution_time.value(),
        }
    }
}

fn failure(kind: u8, text: &str) -> DatabaseErrorKind {
    use DatabaseErrorKind as Kind;
    let kinds = [
        Kind::NotConfigured,
        Kind::SecretNotSet { variable: text.to_owned() },
        Kind::MalformedUrl,
        Kind::NotUtf8,
        Kind::TableName,
        Kind::Dns,
        Kind::TimedOut,
        Kind::Tls,
        Kind::Authentication,
        Kind::NotGranted { privilege: Privilege::Select, grant: text.to_owned() },
        Kind::TooManyConnections,
        Kind::WrongShape,
        Kind::Unintelligible,
    ];
    kinds[usize::from(kind) % kinds.len()].clone()
}

fn rule(index: u8) -> Rule {
    let rules: Vec<_> = Rule::all().collect();
    rules[usize::from(index) % rules.len()]
}

fn levels(drawn: &[(u8, u8)]) -> Levels {
    let all = [None, Some(Severity::Notice), Some(Severity::Warning), Some(Severity::Error)];
    drawn.iter().map(|(index, level)| (rule(*index), all[usize::from(level % 4)])).collect()
}
