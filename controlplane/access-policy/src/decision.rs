//! A decision, and why it is so.

use std::fmt;

use net_types::Name;

use crate::{Expiry, KindPattern, Scope, Verb, VerbSet};

#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed(Ground),
    Refused(Refusal),
}

/// What allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    RootSocket,
    /// A node may read the object that describes it.
    OwnNode,
    /// A user may make credentials for itself.
    OwnCredentials,
    Binding {
        binding: Name,
        role: Name,
        /// Which of the role's rules, from 0.
        rule: usize,
        scope: Scope,
    },
}

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    UnknownUser(Name),
    DisabledUser(Name),
    NotOfNode(Name),
    TooManyScopes,
    NotAVerbOf {
        verb: Verb,
        kind: Box<str>,
    },
    NoRight {
        user: Name,
        verb: Verb,
        kind: Box<str>,
        /// As they were asked for.
        scopes: Vec<Scope>,
        /// The binding that would have allowed it, had it not expired.
        expired: Option<(Name, Expiry)>,
    },
    /// A binding to a role that is not there could come to mean anything.
    UnknownRole(Name),
    BuiltInRole(Name),
    /// A binding's scope has to be among those that the caller says it lies in.
    ScopeNotNamed(Scope),
    /// To give these rights, they have to be held with the grant option, and for as long.
    CannotGive {
        user: Name,
        verbs: VerbSet,
        kind: KindPattern,
        scope: Scope,
        expiry: Expiry,
    },
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(ground) => write!(f, "allowed: {ground}"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RootSocket => f.write_str("who can open the controller's socket may do everything"),
            Self::OwnNode => f.write_str("a node may read the object that describes it"),
            Self::OwnCredentials => f.write_str("a user may make credentials for itself"),
            Self::Binding { binding, role, rule, scope } => {
                write!(
                    f,
                    "role binding {binding} gives role {role} over {scope}, whose rules[{rule}] allows it"
                )
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownUser(user) => write!(f, "there is no user {user}"),
            Self::DisabledUser(user) => write!(f, "user {user} is disabled"),
            Self::NotOfNode(node) => write!(f, "node {node} may only read the object that describes it"),
            Self::TooManyScopes => write!(f, "the request names more than {} scopes", crate::SCOPES_MAX),
            Self::NotAVerbOf { verb: Verb::Bind, kind } => write!(f, "nothing can be bound to {kind:?}"),
            Self::NotAVerbOf { verb, kind } => {
                write!(
                    f,
                    "{kind:?} know no {verb}: who writes them gives rights away, which is judged as bind"
                )
            }
            Self::NoRight { user, verb, kind, scopes, expired } => {
                write!(f, "user {user} has no role that allows to {verb} {kind:?} in ")?;
                match scopes.as_slice() {
                    [] => f.write_str("no scope at all")?,
                    scopes => {
                        let scopes: Vec<_> = scopes.iter().map(Scope::to_string).collect();
                        f.write_str(&scopes.join(" or "))?;
                    }
                }
                match expired {
                    Some((binding, expiry)) => write!(f, " (role binding {binding} did so {expiry})"),
                    None => Ok(()),
                }
            }
            Self::UnknownRole(role) => write!(f, "there is no role {role}"),
            Self::BuiltInRole(role) => write!(f, "role {role} is built in, and stays as it is"),
            Self::ScopeNotNamed(scope) => write!(f, "the request is not about {scope}"),
            Self::CannotGive { user, verbs, kind, scope, expiry } => {
                write!(f, "user {user} cannot give the right to {verbs} {kind} in {scope} {expiry}: ")?;
                f.write_str("that needs the same right with the grant option, there or wider, for as long")
            }
        }
    }
}
