//! The file as it is written: the one definition of its format, for the reader and for the published schema.
//!
//! Everything is optional here, so that what is absent is told together with everything else that is wrong.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use strum::VariantNames;

use crate::finding::Rule;
use crate::history::{Engine, MaxAge, QueryBy};

/// Where services and environments are, and how grave each rule is. Every field is optional; a key that is not
/// listed here is an error. `${NAME}` is an environment variable and stands in `database-url` only; `{service}`,
/// `{SERVICE}`, `{environment}` and `{ENVIRONMENT}` are filled in for each target before the variable is read.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(title = "Configuration of migration-preflight")]
pub struct RawConfig {
    /// Where services and environments come from, when a workflow has them already. The entries of the matrix are
    /// then the targets, and `services` and `environments` only add fields to them.
    pub matrix: Option<RawMatrix>,
    /// Fields for every service that does not set them itself.
    pub defaults: Option<RawFields>,
    /// The services by name.
    #[schemars(extend("propertyNames" = { "pattern": "\\S" }))]
    pub services: Option<IndexMap<String, Option<RawService>>>,
    /// The environments by name, in order of promotion. Without a matrix, every service is checked in each of them.
    #[schemars(extend("propertyNames" = { "pattern": "\\S" }))]
    pub environments: Option<IndexMap<String, Option<RawFields>>>,
    /// How grave each rule is everywhere.
    pub rules: Option<RawRules>,
    /// Findings that are known and meant, each with a reason.
    pub accept: Option<Vec<RawAccept>>,
}

/// Where in which workflow the services and environments are listed: in the matrix of a job, or in the options of
/// a `workflow_dispatch` input.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "Matrix")]
#[schemars(extend("required" = ["workflow"], "oneOf" = [{ "required": ["job"] }, { "required": ["input"] }]))]
pub struct RawMatrix {
    /// The workflow's file, relative to the root of the repository.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Path", extend("examples" = [".github/workflows/deploy.yml"]))]
    pub workflow: Option<Text>,
    /// The job whose `strategy.matrix` is read.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub job: Option<Text>,
    /// Instead of a job, the `choice` input of `workflow_dispatch` whose options are the services.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub input: Option<Text>,
    /// The key of the matrix that holds the name of the service. Default: `service`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub service_key: Option<Text>,
    /// The key of the matrix that holds the name of the environment. Default: `environment`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub environment_key: Option<Text>,
}

/// Makes [`RawFields`] and [`RawService`] of the one list of the fields that both have. serde's `flatten` would spare the
/// macro, but lets an unknown key pass and forgets where a mistake stands.
macro_rules! fields_of_both {
    ($(
        $(#[$both:meta])*
        $(@anywhere #[$anywhere:meta] @service #[$service:meta])?
        $field:ident: $type:ty,
    )*) => {
        /// Fields of a service, an environment, or a service in an environment. The most specific wins: service in
        /// environment, service, environment, defaults.
        #[derive(Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        #[schemars(rename = "Fields")]
        pub struct RawFields {
            $($(#[$both])* $(#[$anywhere])? pub $field: $type,)*
        }

        /// A service.
        #[derive(Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        #[schemars(rename = "Service")]
        pub struct RawService {
            $($(#[$both])* $(#[$service])? pub $field: $type,)*
            /// What is different in one environment, by its name.
            #[schemars(extend("propertyNames" = { "pattern": "\\S" }))]
            pub environments: Option<IndexMap<String, Option<RawFields>>>,
        }

        impl RawService {
            /// The fields, and what is different in each environment.
            pub fn split(self) -> (RawFields, IndexMap<String, Option<RawFields>>) {
                (RawFields { $($field: self.$field),* }, self.environments.unwrap_or_default())
            }
        }
    };
}

fields_of_both! {
    /// The directory of the migrations, relative to the root of the repository; placeholders are filled in.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Path")]
    migrations: Option<Text>,
    /// The image, for `source: image`: a reference of a registry, or the path of an archive or a layout; placeholders are
    /// filled in.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    image: Option<Text>,
    /// The program in the image that embeds the migrations, by its path or the end of that, where there are several.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    binary: Option<Text>,
    /// The database: `${NAME}` for an environment variable that holds the URL, or a URL without a password.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Url")]
    @anywhere #[schemars(extend("examples" = ["${DATABASE_URL}", "${PRODUCTION_{SERVICE}_DATABASE_URL}"]))]
    @service #[schemars(extend("examples" = ["${DATABASE_URL}", "${{ENVIRONMENT}_DATABASE_URL}"]))]
    database_url: Option<Text>,
    /// In place of `database-url`, a program that hands the query to a database which only it reaches. It is run only with
    /// `--allow-commands`.
    database_command: Option<RawCommand>,
    /// A program and its arguments that print the password for `database-url`, such as a token of a cloud's. It is run
    /// only with `--allow-commands`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Words")]
    password_command: Option<Vec<Text>>,
    /// The schemas of the PostgreSQL database that are tenants, each with a history table of its own. `*` in a name stands
    /// for any letters, `?` for one, and `!` before it excludes; the last that fits decides.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Words", extend("examples" = [["tenant_*", "!tenant_template"]]))]
    schemas: Option<Vec<Text>>,
    /// The same with the databases of a MySQL or MariaDB server.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Words", extend("examples" = [["tenant_*"]]))]
    databases: Option<Vec<Text>>,
    /// The history table. Default: that of `sqlx.toml`, else `_sqlx_migrations`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    table: Option<Text>,
    /// A name that services have in common which write to one history table, in each environment: rows of the others are
    /// then none that are missing here. Services with one database and table form a group without it, where both show.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    history_group: Option<Text>,
    /// Whether the service ignores rows that have no migration, as `Migrator::set_ignore_missing` does.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "bool")]
    ignore_missing: Option<bool>,
    /// Whether a database that cannot be read counts. Default: true.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "bool")]
    required: Option<bool>,
    /// How old a snapshot may be that stands in for a database: `12h`, `7d`. Default: as old as it is.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Age", extend("examples" = ["7d"]))]
    max_age: Option<Text>,
    @anywhere #[doc = "How grave each rule is here."]
    @service #[doc = "How grave each rule is for this service."]
    rules: Option<RawRules>,
}

/// A program that hands a query to a database and prints what that answers, as `psql --csv`, `mysql --batch`,
/// `sqlite3 -csv` and any client do that prints every row whole. No shell stands between.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "DatabaseCommand", extend("required" = ["run"]))]
pub struct RawCommand {
    /// The program and its arguments; placeholders are filled in. The query is one more argument.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Words", extend("examples" = [["kubectl", "exec", "deploy/postgres", "--", "psql", "-U", "app", "--csv", "-c"]]))]
    pub run: Option<Vec<Text>>,
    /// The system of the database. Default: that of the client among the words of `run`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "EngineName")]
    pub engine: Option<Text>,
    /// How the program is handed the query. Default: `argument`. A remote shell, as that of `ssh`, would take an argument
    /// apart, and wants `stdin`.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "QueryName")]
    pub query: Option<Text>,
    /// Variables that the program gets beside those of the environment. `${NAME}` is one of the environment, and the only
    /// way in which a secret may stand here.
    pub env: Option<IndexMap<String, Text>>,
}

/// Findings that are known and meant. What is not given holds for everything.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "Accept", extend("required" = ["rule", "reason"]))]
pub struct RawAccept {
    /// The rule.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Rule")]
    pub rule: Option<Text>,
    /// Only for this service.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub service: Option<Text>,
    /// Only in this environment.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub environment: Option<Text>,
    /// Only for the migration with this version.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "VersionText")]
    pub version: Option<Text>,
    /// Only for this file, relative to the root of the repository.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Path")]
    pub file: Option<Text>,
    /// Why this is meant.
    #[serde(deserialize_with = "present")]
    #[schemars(with = "Text")]
    pub reason: Option<Text>,
}

/// Rules with their levels as written; both are looked up later, so that every unknown one is told.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct RawRules(pub IndexMap<String, Text>);

impl JsonSchema for RawRules {
    fn schema_name() -> Cow<'static, str> {
        "Rules".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<RawLevel>();
        let rule = |rule: Rule| {
            let schema = json!({ "description": rule.summary(), "$ref": "#/$defs/Level" });
            (rule.id().to_owned(), schema)
        };
        let rules: serde_json::Map<String, Value> = Rule::all().map(rule).collect();
        json_schema!({ "type": "object", "properties": rules, "additionalProperties": false })
    }
}

/// How grave a rule is: a severity, or `ignore` to drop its findings.
#[derive(JsonSchema)]
#[schemars(rename = "Level", rename_all = "kebab-case")]
#[expect(dead_code, reason = "the schema is made of it; the reader has its own wording for an unknown level")]
enum RawLevel {
    /// Fails the run by default.
    Error,
    /// Ought to be looked at.
    Warning,
    /// Good to know.
    Notice,
    /// Findings are dropped. The start-up outcome stays as it is.
    Ignore,
}

/// A text, or a number that is meant as one: `service: 1`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(inline, extend("type" = ["string", "number"], "pattern" = "\\S"))]
pub struct Text(pub String);

/// A path below the root of the repository, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "pattern" = "^[^/\\\\~\\s][^\\\\]*$", "not" = { "pattern": "^\\.\\.(/|$)" }))]
struct Path(#[expect(dead_code, reason = "the schema is made of it")] String);

/// A database URL, for the schema: no GitHub expression and no written password.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "type" = "string",
    "pattern" = "\\S",
    "not" = { "pattern": "\\$\\{\\{\\s|://[^@:]*:[^@$]+@" },
))]
struct Url(#[expect(dead_code, reason = "the schema is made of it")] String);

/// A program and its arguments, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, extend("minItems" = 1))]
struct Words(#[expect(dead_code, reason = "the schema is made of it")] Vec<String>);

/// The name of a database system, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "enum" = Engine::VARIANTS))]
struct EngineName(#[expect(dead_code, reason = "the schema is made of it")] String);

/// How a command is handed the query, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "enum" = QueryBy::VARIANTS))]
struct QueryName(#[expect(dead_code, reason = "the schema is made of it")] String);

/// A length of time, for the schema.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "pattern" = MaxAge::PATTERN))]
struct Age(#[expect(dead_code, reason = "the schema is made of it")] String);

/// A version, for the schema: `20260107`, and `007` which YAML does not take for a number.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = ["integer", "string"], "pattern" = "^[+-]?[0-9]+$"))]
struct VersionText(#[expect(dead_code, reason = "the schema is made of it")] String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }
}

/// A value that is there if its key is: `table:` with nothing after it is a slip of the pen, not an absent key.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The JSON Schema of the file.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawConfig>();
    // `default: null` says what an optional key says already, and editors would insert it. The line breaks of a
    // description are those of this file.
    RecursiveTransform(|schema: &mut Schema| {
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.replace('\n', " ");
        }
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
    })
    .transform(&mut schema);
    schema.to_value()
}
