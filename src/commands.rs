//! What the program can do: each command a short composition of the stages.

mod check;
mod rules;
mod schema;

pub use check::check;
pub use rules::rules;
pub use schema::schema;
