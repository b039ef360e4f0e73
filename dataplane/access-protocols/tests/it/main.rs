//! Against real clients, on a line in a network namespace of its own. Needs root.

mod clients;
mod line;
