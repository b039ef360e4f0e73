//! How long a campaign's slice is, which `cargo xtask campaign` makes longer.

/// A number from the environment, for which the suite has a default.
pub(crate) fn from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}
