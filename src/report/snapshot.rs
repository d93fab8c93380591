//! Histories that are written down: what `snapshot` writes and `check --snapshot` reads, as one value and as JSON, version 1,
//! which changes only on purpose. Pure.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tool::{TOOL, ToolV1, schema_of};
use crate::history::{AbsentTable, Engine, History, LookUp, Record, written};
use crate::migration::{AppliedMigration, Checksum, Version};
use crate::tenants::{Partition, Selection, Tenants};
use crate::text::from_hexadecimal;

/// The version of the format.
const VERSION: u32 = 1;
/// What tells the file from a report.
pub(super) const KIND: &str = "snapshot";

/// The histories of some targets, all of one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// When they were read; no part of a second counts.
    pub taken: DateTime<Utc>,
    /// The targets, by service, environment and tenants.
    pub records: Vec<Record>,
}

impl Records {
    /// Puts records together, in an order that depends on nothing but their names.
    pub fn new(taken: DateTime<Utc>, mut records: Vec<Record>) -> Self {
        let key = |record: &Record| (record.service.clone(), record.environment.clone(), record.tenants.clone());
        records.sort_by_cached_key(key);
        Self { taken, records }
    }
}

/// The JSON Schema of the file. `docs/snapshot-v1.schema.json` is a copy of it.
pub fn json_schema() -> Value {
    schema_of::<SnapshotV1>()
}

/// A snapshot of migration-preflight, version 1. More keys may follow; these stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(title = "migration-preflight snapshot, version 1")]
pub struct SnapshotV1<'a> {
    /// Always `snapshot`.
    kind: Cow<'a, str>,
    /// Always 1.
    schema: u32,
    /// What wrote it.
    tool: ToolV1<'a>,
    /// When the databases were read: ISO 8601, in UTC.
    #[schemars(extend("format" = "date-time"))]
    taken: String,
    /// The targets, by service, environment and tenants.
    targets: Vec<RecordV1<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
struct RecordV1<'a> {
    /// The service.
    service: Cow<'a, str>,
    /// The environment.
    environment: Cow<'a, str>,
    /// The engine of the database.
    engine: EngineV1,
    /// The history table that was looked for, as it is configured.
    table: Cow<'a, str>,
    /// The schemas that sqlx creates first, as `sqlx.toml` has them.
    #[serde(default)]
    create_schemas: Cow<'a, [String]>,
    /// The tenants whose history it is: of one target there is a history for all tenants that agree. Left out where a
    /// target has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenants: Option<TenantsV1<'a>>,
    /// What there is where the history table is absent; null where it is there.
    absent: Option<AbsentV1<'a>>,
    /// The rows of the history table, by version.
    rows: Vec<RowV1<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct TenantsV1<'a> {
    /// What they are: `schemas` or `databases`.
    kind: PartitionV1,
    /// The patterns of their names, as they are configured.
    patterns: Cow<'a, [String]>,
    /// Their names.
    names: Cow<'a, [String]>,
    /// How many the target has in all.
    total: usize,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum PartitionV1 {
    Schemas,
    Databases,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum EngineV1 {
    Postgres,
    Mysql,
    Sqlite,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
struct AbsentV1<'a> {
    /// The schemas that hold a table of its name, but are not looked in.
    elsewhere: Cow<'a, [String]>,
    /// The schema that it would stand in, where that does not exist either.
    schema: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
struct RowV1<'a> {
    /// Column `version`.
    version: i64,
    /// Column `description`.
    description: Cow<'a, str>,
    /// Column `installed_on`, as the database prints it; null for tenants, of which each has its own.
    installed_on: Option<Cow<'a, str>>,
    /// Column `success`.
    success: bool,
    /// Column `checksum`, in hexadecimal digits.
    #[schemars(extend("pattern" = "^([0-9a-f]{2})*$"))]
    checksum: String,
    /// Column `execution_time`, in nanoseconds; -1 where nobody has confirmed it, and else 0 for tenants.
    execution_time: i64,
}

impl<'a> From<&'a Records> for SnapshotV1<'a> {
    fn from(records: &'a Records) -> Self {
        let targets = records.records.iter().map(record).collect();
        Self { kind: KIND.into(), schema: VERSION, tool: ToolV1::this(), taken: written(&records.taken), targets }
    }
}

fn record(record: &Record) -> RecordV1<'_> {
    let absent = match &record.history {
        History::Present(_) => None,
        History::Absent(AbsentTable { table: _, elsewhere, absent_schema }) => {
            Some(AbsentV1 { elsewhere: elsewhere.into(), schema: absent_schema.as_deref().map(Cow::from) })
        }
    };
    RecordV1 {
        service: (&record.service).into(),
        environment: (&record.environment).into(),
        engine: match record.engine {
            Engine::Postgres => EngineV1::Postgres,
            Engine::MySql => EngineV1::Mysql,
            Engine::Sqlite => EngineV1::Sqlite,
        },
        table: (&record.look_up.table).into(),
        create_schemas: (&record.look_up.create_schemas).into(),
        tenants: record.look_up.tenants.as_ref().zip(record.tenants.as_deref()).map(tenants),
        absent,
        rows: record.history.rows().iter().map(row).collect(),
    }
}

fn tenants<'a>((selection, tenants): (&'a Selection, &'a Tenants)) -> TenantsV1<'a> {
    let kind = match selection.partition {
        Partition::Schemas => PartitionV1::Schemas,
        Partition::Databases => PartitionV1::Databases,
    };
    TenantsV1 { kind, patterns: (&selection.patterns).into(), names: (&tenants.names).into(), total: tenants.total }
}

fn row(row: &AppliedMigration) -> RowV1<'_> {
    let AppliedMigration { version, description, installed_on, success, checksum, execution_time } = row;
    RowV1 {
        version: version.0,
        description: description.into(),
        installed_on: installed_on.as_deref().map(Cow::from),
        success: *success,
        checksum: checksum.to_string(),
        execution_time: *execution_time,
    }
}

/// Why a text is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSnapshot {
    /// It is something else altogether.
    #[error("it is not a snapshot of {TOOL}")]
    Foreign,
    /// A later version of the tool wrote it.
    #[error("it is a snapshot of version {0}, and this is {TOOL} for version {VERSION}")]
    Version(u64),
    /// It is damaged.
    #[error("it is a snapshot, but a damaged one: {0}")]
    Damaged(String),
    /// There is no text.
    #[error("{0}")]
    Unreadable(String),
}

/// The records that a JSON text holds.
///
/// # Errors
/// It is no snapshot, or one that cannot be relied on.
pub fn read(text: &str) -> Result<Records, NoSnapshot> {
    let value: Value = serde_json::from_str(text).map_err(|_| NoSnapshot::Foreign)?;
    if value["tool"]["name"] != TOOL || value["kind"] != KIND {
        return Err(NoSnapshot::Foreign);
    }
    match value["schema"].as_u64() {
        Some(version) if version != u64::from(VERSION) => return Err(NoSnapshot::Version(version)),
        _ => {}
    }
    let damaged = |error: serde_path_to_error::Error<_>| NoSnapshot::Damaged(error.to_string());
    serde_path_to_error::deserialize::<_, SnapshotV1>(&value)
        .map_err(damaged)?
        .into_records()
        .map_err(NoSnapshot::Damaged)
}

impl SnapshotV1<'_> {
    fn into_records(self) -> Result<Records, String> {
        let taken = DateTime::parse_from_rfc3339(&self.taken);
        let taken = taken.map_err(|_| format!("`taken` is `{}`, which is no time", self.taken))?.to_utc();
        let records = self.targets.into_iter().map(RecordV1::into_record).collect::<Result<_, _>>()?;
        let records = Records::new(taken, records);
        records.records.chunk_by(Record::is_of_target).try_for_each(check_tenants)?;
        Ok(records)
    }
}

/// Whether the records of one target are all that it has.
///
/// # Errors
/// A tenant has two of them, or the target as a whole; or there is one missing.
fn check_tenants(records: &[Record]) -> Result<(), String> {
    let [Record { service, environment, .. }, ..] = records else { return Ok(()) };
    let tenants: Vec<&Tenants> = records.iter().filter_map(|record| record.tenants.as_deref()).collect();
    let names: HashSet<&String> = tenants.iter().flat_map(|tenants| &tenants.names).collect();
    let count: usize = tenants.iter().map(|tenants| tenants.names.len()).sum();
    if names.len() < count || records.len() > 1 && tenants.len() < records.len() {
        return Err(format!("{service} in {environment} stands in it twice"));
    }
    match tenants.iter().find(|tenants| tenants.total != count) {
        Some(Tenants { total, .. }) => Err(format!("of {service} in {environment} it has {count} of {total} tenants")),
        None => Ok(()),
    }
}

impl RecordV1<'_> {
    fn into_record(self) -> Result<Record, String> {
        let (service, environment) = (self.service.into_owned(), self.environment.into_owned());
        let fault = |what: &str| format!("{what} of {service} in {environment}");
        let rows = self.rows.into_iter().map(RowV1::into_row).collect::<Result<Vec<_>, _>>();
        let mut rows = rows.map_err(|what| fault(&what))?;
        rows.sort_by_key(|row| row.version);
        let table = self.table.into_owned();
        let history = match self.absent {
            None => History::Present(rows),
            Some(_) if !rows.is_empty() => return Err(fault("there are rows in the absent table")),
            Some(AbsentV1 { elsewhere, schema }) => History::Absent(AbsentTable {
                table: table.clone(),
                elsewhere: elsewhere.into_owned(),
                absent_schema: schema.map(Cow::into_owned),
            }),
        };
        let engine = match self.engine {
            EngineV1::Postgres => Engine::Postgres,
            EngineV1::Mysql => Engine::MySql,
            EngineV1::Sqlite => Engine::Sqlite,
        };
        let (selection, tenants) = self.tenants.map(TenantsV1::into_tenants).unzip();
        let look_up = LookUp { table, create_schemas: self.create_schemas.into_owned(), tenants: selection };
        Ok(Record { service, environment, engine, look_up, tenants: tenants.map(Arc::new), history })
    }
}

impl TenantsV1<'_> {
    fn into_tenants(self) -> (Selection, Tenants) {
        let partition = match self.kind {
            PartitionV1::Schemas => Partition::Schemas,
            PartitionV1::Databases => Partition::Databases,
        };
        let tenants = Tenants { names: self.names.into_owned(), total: self.total };
        (Selection { partition, patterns: self.patterns.into_owned() }, tenants)
    }
}

impl RowV1<'_> {
    fn into_row(self) -> Result<AppliedMigration, String> {
        let checksum = from_hexadecimal(&self.checksum);
        let no_checksum = || format!("the checksum is not made of hexadecimal digits in the row {}", self.version);
        Ok(AppliedMigration {
            version: Version(self.version),
            description: self.description.into_owned(),
            installed_on: self.installed_on.map(Cow::into_owned),
            success: self.success,
            checksum: Checksum::from_bytes(checksum.ok_or_else(no_checksum)?),
            execution_time: self.execution_time,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: i64, installed_on: Option<&str>) -> AppliedMigration {
        AppliedMigration {
            version: Version(version),
            description: "a \u{1b}[31m ##[error] \u{202e} \"quoted\"\n".into(),
            installed_on: installed_on.map(str::to_owned),
            success: version > 0,
            checksum: Checksum::from_bytes([0, 255, 16]),
            execution_time: -1,
        }
    }

    fn record(environment: &str, engine: Engine, history: History) -> Record {
        let create_schemas = vec!["app".into(), "b".into()];
        let look_up = LookUp { create_schemas, ..LookUp::of("app.t") };
        Record { service: "api".into(), environment: environment.into(), engine, look_up, tenants: None, history }
    }

    #[test]
    fn what_is_written_is_read_whatever_was_found() {
        let absent = |elsewhere: &[&str], schema: Option<&str>| {
            History::Absent(AbsentTable {
                table: "app.t".into(),
                elsewhere: elsewhere.iter().map(ToString::to_string).collect(),
                absent_schema: schema.map(str::to_owned),
            })
        };
        let records = Records::new(
            DateTime::UNIX_EPOCH,
            vec![
                record("rows", Engine::Postgres, History::Present(vec![row(i64::MIN, None), row(i64::MAX, Some("x"))])),
                record("empty", Engine::MySql, History::Present(Vec::new())),
                record("absent", Engine::Sqlite, absent(&[], None)),
                record("elsewhere", Engine::Postgres, absent(&["a", "b"], Some("app"))),
            ],
        );
        let names: Vec<_> = records.records.iter().map(|record| record.environment.as_str()).collect();
        assert_eq!(names, ["absent", "elsewhere", "empty", "rows"]);
        let text = serde_json::to_string(&SnapshotV1::from(&records)).unwrap();
        assert_eq!(read(&text), Ok(records));
    }

    #[test]
    fn rows_come_in_order_whoever_wrote_them() {
        let rows = History::Present(vec![row(2, None), row(1, None)]);
        let records = Records::new(DateTime::UNIX_EPOCH, vec![record("rows", Engine::Sqlite, rows)]);
        let read = read(&serde_json::to_string(&SnapshotV1::from(&records)).unwrap()).unwrap();
        assert_eq!(read.records[0].history, History::Present(vec![row(1, None), row(2, None)]));
    }
}
