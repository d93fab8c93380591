//! What wrote a file, as every JSON of ours says it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Its name.
pub(super) const TOOL: &str = env!("CARGO_PKG_NAME");

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
