//! What the program can do: each command a short composition of the stages.

mod action;
mod check;
mod rules;
mod schema;

pub use action::action;
pub use check::check;
pub use rules::rules;
pub use schema::schema;
