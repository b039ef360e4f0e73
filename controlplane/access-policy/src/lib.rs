//! Who may do what in the office.
//!
//! ```text
//! users, roles, bindings ─► Policy: an index by user and scope, kept up to date one object at a time
//! principal, request, time ─► Policy::decide ─► Decision: allowed by which binding and rule, or what is missing
//! ```
//!
//! - Nothing is allowed that no rule allows. A rule allows verbs on kinds; a binding gives a user a role over a scope,
//!   until it expires. The caller says in which scopes an object lies: the office, its site, its slice, ….
//! - A request that moves an object from one scope to another is judged twice by the caller: where it was, and where it
//!   will be.
//! - Whoever writes a role binding gives rights away, and whoever writes a role changes what was given. Both are judged
//!   by their content ([`Policy::decide_binding`], [`Policy::decide_role`]): rights can be given on only by who holds
//!   them with the grant option, in that scope or a wider one, and for at least as long. The verb for both is `bind`;
//!   `create`, `update` and `patch` of these two kinds are always refused here, so that nothing gives rights away unjudged.
//! - Whoever makes credentials for another can act as that other: [`Policy::decide_credentials`].
//! - A user who is disabled, or whom the policy does not know, holds nothing.
//!
//! Nothing here does I/O, reads a clock or draws lots.

mod binding;
mod builtin;
mod decision;
mod kind;
mod policy;
mod request;
mod role;
mod verb;

pub use binding::{Expiry, RoleBinding};
pub use builtin::{BUILT_IN_ROLES, BuiltInRole, is_built_in};
pub use decision::{Decision, Ground, Refusal};
pub use kind::{KindPattern, KindPatternError};
pub use policy::{Permission, Policy};
pub use request::{Principal, Request, SCOPES_MAX};
pub use role::{Role, RoleError, Rule};
pub use verb::{VerbSet, applies};
pub use xos_model::{Scope, Verb};

#[cfg(test)]
mod tests;
