//! The graph for people and for programs.

mod connectivity;
mod data;
mod dot;
mod text;

#[cfg(test)]
pub(super) use dot::quoted;
