//! A history that was written down, and what stands in for a database that is not asked. The time of now comes from outside.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{DatabaseCommand, DatabaseUrl, Engine, History};
use crate::tenants::{Selection, Tenants};

/// Where the history of a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In a database that is asked.
    Url(DatabaseUrl),
    /// In a database that a command asks.
    Command(DatabaseCommand),
    /// In a snapshot; no database is asked.
    Snapshot(Arc<Snapshot>),
}

impl Database {
    /// The engine that the service connects to.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Url(url) => url.engine(),
            Self::Command(command) => command.engine,
            Self::Snapshot(snapshot) => snapshot.engine,
        }
    }

    /// The URL, where a database is asked by us.
    pub fn url(&self) -> Option<&DatabaseUrl> {
        match self {
            Self::Url(url) => Some(url),
            Self::Command(_) | Self::Snapshot(_) => None,
        }
    }

    /// Of when the history is, where it is not of now.
    pub fn as_of(&self) -> Option<&AsOf> {
        match self {
            Self::Url(_) | Self::Command(_) => None,
            Self::Snapshot(snapshot) => Some(&snapshot.as_of),
        }
    }
}

/// What a file has of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Of when it is, and where it was found.
    pub as_of: AsOf,
    /// The engine of its database.
    pub engine: Engine,
    /// What was read of it then: one record, or one for all tenants that agree.
    pub records: Vec<Record>,
}

/// What was read of one target, or of those of its tenants that agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its service.
    pub service: String,
    /// Its environment.
    pub environment: String,
    /// The engine of its database.
    pub engine: Engine,
    /// What was looked for.
    pub look_up: LookUp,
    /// The tenants whose history it is, where the target has some.
    pub tenants: Option<Arc<Tenants>>,
    /// What was found.
    pub history: History,
}

impl Record {
    /// Whether the two are of one target.
    pub fn is_of_target(&self, other: &Self) -> bool {
        (&self.service, &self.environment) == (&other.service, &other.environment)
    }
}

/// What is looked for in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The history table, as sqlx would paste its name into its SQL.
    pub table: String,
    /// The schemas that sqlx creates before it looks for the table.
    pub create_schemas: Vec<String>,
    /// Whose table, where each tenant has one.
    pub tenants: Option<Selection>,
}

impl LookUp {
    /// A table, with no schemas created before it.
    pub fn of(table: impl Into<String>) -> Self {
        Self { table: table.into(), create_schemas: Vec::new(), tenants: None }
    }
}

impl fmt::Display for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the table `{}`", self.table)?;
        if let Some(tenants) = &self.tenants {
            write!(f, " of each tenant (`{tenants}`)")?;
        }
        if self.create_schemas.is_empty() {
            return Ok(());
        }
        write!(f, " (`create-schemas`: {})", self.create_schemas.join(", "))
    }
}

/// Of when a history is that is not of now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AsOf {
    /// When it was read in the database.
    pub taken: DateTime<Utc>,
    /// How long ago that was.
    pub age: TimeDelta,
    /// The file that it stands in, as it was named.
    pub file: String,
}

impl AsOf {
    /// How long ago it was, in words.
    pub fn ago(&self) -> String {
        in_words(self.age).map_or_else(|| "just now".to_owned(), |age| format!("{age} ago"))
    }
}

/// When, how long ago, and from where: `as of 2026-01-07T10:00:00Z, 3 days ago, from snapshot.json`.
impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "as of {}, {}, from {}", written(&self.taken), self.ago(), self.file)
    }
}

/// A time as every output has it: ISO 8601, in UTC, to the second.
pub fn written(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The greatest whole unit that a length of time has, of which it has two at least, or else one; none below a minute.
fn in_words(length: TimeDelta) -> Option<String> {
    let units = [(length.num_days(), "day"), (length.num_hours(), "hour"), (length.num_minutes(), "minute")];
    let (n, unit) = units.into_iter().find(|(n, unit)| *n >= if *unit == "minute" { 1 } else { 2 })?;
    Some(format!("{n} {unit}{}", if n == 1 { "" } else { "s" }))
}

/// How old a snapshot may be, written as `7d` or `12h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxAge(TimeDelta);

impl MaxAge {
    /// How it is written.
    pub const PATTERN: &str = "^[0-9]{1,6}[mhdw]$";
    /// What to write where it is written wrong.
    pub const HINT: &str = "write a whole number with its unit, `m`, `h`, `d` or `w`: `12h`, `7d`";

    /// Whether something as old as `age` is too old.
    pub fn is_exceeded_by(self, age: TimeDelta) -> bool {
        age > self.0
    }
}

impl FromStr for MaxAge {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(Self::HINT)?);
        let number: i64 = number.parse().ok().filter(|_| number.len() <= 6).ok_or(Self::HINT)?;
        let length = match unit {
            "m" => TimeDelta::try_minutes(number),
            "h" => TimeDelta::try_hours(number),
            "d" => TimeDelta::try_days(number),
            "w" => TimeDelta::try_weeks(number),
            _ => None,
        };
        length.map(Self).ok_or(Self::HINT)
    }
}

/// How a greatest age is told: `7 days`.
impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(self.0).unwrap_or_else(|| "0 minutes".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_greatest_unit_that_says_enough() {
        let told = |seconds| in_words(TimeDelta::seconds(seconds)).unwrap_or_default();
        for (seconds, words) in [
            (0, ""),
            (59, ""),
            (60, "1 minute"),
            (3_600, "60 minutes"),
            (7_200, "2 hours"),
            (47 * 3_600, "47 hours"),
            (2 * 86_400, "2 days"),
            (-5, ""),
        ] {
            assert_eq!(told(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn a_greatest_age_is_a_number_with_a_unit() {
        for (text, told) in
            [("7d", "7 days"), ("1w", "7 days"), ("36h", "36 hours"), ("90m", "90 minutes"), ("0d", "0 minutes")]
        {
            assert_eq!(text.parse::<MaxAge>().map(|age| age.to_string()).as_deref(), Ok(told), "{text}");
        }
        for text in ["", "7", "d", "7 d", "-7d", "7days", "7D", "7s", "1.5h", "9999999d", "７d", "d7"] {
            assert_eq!(text.parse::<MaxAge>(), Err(MaxAge::HINT), "{text}");
        }
    }

    #[test]
    fn what_is_exactly_as_old_as_it_may_be_is_not_too_old() {
        let most: MaxAge = "1h".parse().unwrap();
        assert!(!most.is_exceeded_by(TimeDelta::seconds(3_600)) && most.is_exceeded_by(TimeDelta::seconds(3_601)));
    }
}
