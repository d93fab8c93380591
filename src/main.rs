//! The command line of migration-preflight.

fn main() {}
