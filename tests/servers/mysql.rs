//! MariaDB, which stands in for MySQL too: the one that can be had everywhere.

mod connecting;
mod reading;
mod sqlx_oracle;
pub mod support;
