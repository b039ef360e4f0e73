//! What the office's users, roles and bindings come to, indexed so that a decision looks only at what its user holds
//! in the scopes asked for.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use jiff::Timestamp;
use net_types::Name;

use crate::{Expiry, Role, RoleBinding, RoleError, Scope, builtin};

mod decide;
mod grant;
mod listing;

pub use listing::Permission;

/// The built-in roles are always there.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    roles: HashMap<Name, Role>,
    users: HashMap<Name, User>,
    /// Where a binding lies in the index.
    bindings: HashMap<Name, (Name, Scope, Rank)>,
}

#[derive(Clone, Debug, Default)]
struct User {
    presence: Presence,
    held: HashMap<Scope, BTreeMap<Rank, Held>>,
}

/// A binding may become known before its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Presence {
    #[default]
    Unknown,
    Disabled,
    Enabled,
}

/// Bindings that end last come first: those in force are a prefix, and expired ones are not even looked at.
type Rank = (Reverse<Expiry>, Name);

#[derive(Clone, Debug)]
struct Held {
    role: Name,
    grant_option: bool,
}

impl Policy {
    /// Makes a user known, or changes whether it is enabled.
    pub fn put_user(&mut self, name: Name, enabled: bool) {
        let presence = if enabled { Presence::Enabled } else { Presence::Disabled };
        self.users.entry(name).or_default().presence = presence;
    }

    pub fn remove_user(&mut self, name: &Name) {
        if let Some(user) = self.users.get_mut(name) {
            user.presence = Presence::Unknown;
        }
        self.forget_if_empty(name);
    }

    /// Adds a role, or puts another in its place.
    pub fn put_role(&mut self, name: Name, role: Role) -> Result<(), RoleError> {
        if builtin::find(name.as_str()).is_some() {
            return Err(RoleError::BuiltIn);
        }
        role.check()?;
        self.roles.insert(name, role);
        Ok(())
    }

    /// A binding to a role that is not there gives nothing.
    pub fn remove_role(&mut self, name: &Name) {
        self.roles.remove(name);
    }

    /// Adds a binding, or puts another in its place.
    pub fn put_binding(&mut self, name: Name, binding: RoleBinding) {
        self.remove_binding(&name);
        let RoleBinding { user, role, scope, grant_option, expires_at } = binding;
        let rank = (Reverse(expires_at), name.clone());
        let held = self.users.entry(user.clone()).or_default().held.entry(scope.clone()).or_default();
        held.insert(rank.clone(), Held { role, grant_option });
        self.bindings.insert(name, (user, scope, rank));
    }

    pub fn remove_binding(&mut self, name: &Name) {
        let Some((user, scope, rank)) = self.bindings.remove(name) else { return };
        if let Some(held) = self.users.get_mut(&user).map(|user| &mut user.held)
            && let Some(bindings) = held.get_mut(&scope)
        {
            bindings.remove(&rank);
            if bindings.is_empty() {
                held.remove(&scope);
            }
        }
        self.forget_if_empty(&user);
    }

    fn forget_if_empty(&mut self, name: &Name) {
        let empty = |user: &User| user.presence == Presence::Unknown && user.held.is_empty();
        if self.users.get(name).is_some_and(empty) {
            self.users.remove(name);
        }
    }

    fn role(&self, name: &Name) -> Option<&Role> {
        builtin::find(name.as_str()).or_else(|| self.roles.get(name))
    }
}

impl User {
    /// What is held over a scope, whatever its expiry; what ends last comes first.
    fn held(&self, scope: &Scope) -> impl Iterator<Item = (&Rank, &Held)> {
        self.held.get(scope).into_iter().flatten()
    }

    /// What is in force over a scope.
    fn in_force(&self, scope: &Scope, now: Timestamp) -> impl Iterator<Item = (&Rank, &Held)> {
        self.held(scope).take_while(move |((Reverse(expiry), _), _)| expiry.is_after(now))
    }
}

#[cfg(test)]
mod tests;
