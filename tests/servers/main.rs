//! The tests that need real servers. `scripts/test` starts them; without it these tests fail, and are never skipped.

mod connecting;
mod proxy;
mod reading;
mod support;
