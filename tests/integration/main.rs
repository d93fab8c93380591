//! The tests that need nothing but this machine.

mod sqlite;
