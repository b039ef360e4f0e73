//! Who may do what in the office, and what proves who somebody is.

mod caller;
mod credentials;
mod decide;
mod first;
mod lookup;
mod people;
mod rights;
mod scopes;

pub(crate) use caller::{Caller, Origin};
pub(crate) use credentials::{IssuedToken, KnownToken, LOGIN_LIFETIME, Uses};
pub(crate) use decide::{Asked, decide, forbidden, refused};
pub use first::FirstError;
pub(crate) use lookup::subject;
pub(crate) use rights::{Beside, Durable, Index, Rights, matters};
pub(crate) use scopes::{Known, Subject, scopes_of, wider};

#[cfg(test)]
mod tests;
