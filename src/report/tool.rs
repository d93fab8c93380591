//! What wrote a file, as every JSON of ours says it.

use std::borrow::Cow;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Its name.
pub const TOOL: &str = env!("CARGO_PKG_NAME");

/// Name and version.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct ToolV1<'a> {
    /// Its name.
    name: Cow<'a, str>,
    /// Its version.
    version: Cow<'a, str>,
}

impl ToolV1<'_> {
    /// This very program.
    pub(super) fn this() -> Self {
        Self { name: TOOL.into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// The JSON Schema of what is written of `T`.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}
