//! In which scopes an object lies: found from what it names, what it follows from, and what names it.
//!
//! ```text
//! site ◄ node ◄ pool                      site ◄ slice ► service         slice ◄ network, instance ► deployment
//! subscriber ► node ► site, its chain     tenant ► subscriber ► site     tenant ► both services, the tenancy it serves
//! user ► site                             role binding ► what it is over
//! deployment ► its sites; those sites, and what stands in them, lie in the deployment
//! service, deployment ► controller ► secret: what is named lies in the scope of who names it
//! ```
//!
//! Everything lies in the office. Whoever brings an object into a scope by naming it must be allowed to change it.

use std::collections::{BTreeMap, BTreeSet};

use net_types::Name;
use xos_model::{Kind, KindName, Object, OwnerReference, Reference, Scope};

use crate::office::Target;

/// What of an object says where it lies.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) target: Target,
    references: Vec<Reference>,
}

/// What else is known of the office.
pub(crate) trait Known {
    /// The same of another object.
    fn subject(&self, target: &Target) -> Option<Subject>;

    /// Who brings the target into its scope by naming it.
    fn brought_by(&self, target: &Target) -> Vec<Target>;

    /// The services of the chain of a subscriber that has these, by their types, in place of the ordinary ones.
    fn chain(&self, stand_ins: &BTreeMap<Name, Name>) -> Vec<Name>;
}

impl Subject {
    /// An object of which nothing but its name is known.
    pub(crate) fn named(target: Target) -> Self {
        Self { target, references: Vec::new() }
    }

    pub(crate) fn new<K: Kind>(name: &Name, spec: &K, owners: &[OwnerReference]) -> Self {
        let mut references = spec.references();
        // What the tenancies between services beget lies with the subscriber, and not with them.
        let owners = owners.iter().filter(|owner| owner.kind == KindName::Subscriber);
        references
            .extend(owners.map(|owner: &OwnerReference| Reference::new(OWNER, owner.kind, &owner.name)));
        Self { target: Target { kind: K::KIND, name: name.clone() }, references }
    }

    pub(crate) fn of<K: Kind>(object: &Object<K>) -> Self {
        Self::new(object.name(), &object.spec, &object.metadata.owner_references)
    }

    /// What the object brings into its own scope.
    pub(crate) fn brings(&self) -> impl Iterator<Item = Target> {
        let named = self.references.iter().filter(|reference| brings(self.target.kind, reference));
        named.map(|Reference { kind, name, .. }| Target { kind: *kind, name: name.clone() })
    }

    /// What the object lies in by its own word: a change of these moves it.
    pub(crate) fn homes(&self) -> BTreeSet<Target> {
        let homes = self.references.iter().filter(|reference| {
            self.target.kind != KindName::Deployment && is_parent(self.target.kind, reference)
        });
        homes.map(|Reference { kind, name, .. }| Target { kind: *kind, name: name.clone() }).collect()
    }

    /// The scope that the object itself is.
    pub(crate) fn own(&self) -> Option<Scope> {
        own(self.target.kind, &self.target.name)
    }

    /// What can be said without knowing anything: the office, and the object itself.
    pub(crate) fn least(&self) -> Vec<Scope> {
        [Some(Scope::Office), self.own()].into_iter().flatten().collect()
    }
}

/// Where an owner is named.
const OWNER: &str = "/metadata/ownerReferences";

fn own(kind: KindName, name: &Name) -> Option<Scope> {
    Some(match kind {
        KindName::Site => Scope::Site(name.clone()),
        KindName::Slice => Scope::Slice(name.clone()),
        KindName::Service => Scope::Service(name.clone()),
        KindName::Deployment => Scope::Deployment(name.clone()),
        KindName::Tenant => Scope::Tenant(name.clone()),
        KindName::Subscriber => Scope::Subscriber(name.clone()),
        _ => return None,
    })
}

/// The services that a subscriber names, by the types of those that they stand in for.
fn stand_ins(references: &[Reference]) -> BTreeMap<Name, Name> {
    let named = references.iter().filter_map(|reference| {
        let service_type = reference.pointer.as_str().strip_prefix("/spec/services/")?;
        Some((service_type.parse().ok()?, reference.name.clone()))
    });
    named.collect()
}

/// Whether an object lies in what it names here.
fn is_parent(kind: KindName, reference: &Reference) -> bool {
    let at = reference.pointer.as_str();
    at == OWNER
        || match kind {
            KindName::User | KindName::Node => at == "/spec/site",
            KindName::AddressPool => at == "/spec/node",
            KindName::Slice => matches!(at, "/spec/site" | "/spec/service"),
            KindName::Network => at == "/spec/slice",
            KindName::Instance => matches!(at, "/spec/slice" | "/spec/placement/deployment"),
            KindName::Subscriber => at == "/spec/access/node" || at.starts_with("/spec/services"),
            KindName::Tenant => matches!(at, "/spec/tenant/name" | "/spec/provider"),
            KindName::Deployment => at.starts_with("/spec/sites/"),
            KindName::RoleBinding => at == "/spec/scope/name",
            _ => false,
        }
}

/// Whether an object brings what it names here into its scope.
pub(super) fn brings(kind: KindName, reference: &Reference) -> bool {
    let at = reference.pointer.as_str();
    match kind {
        KindName::Service => at == "/spec/controller",
        KindName::Deployment => at == "/spec/controller" || at.starts_with("/spec/sites/"),
        KindName::Controller => at == "/spec/credentials",
        _ => false,
    }
}

/// All scopes that an object lies in, the office first.
pub(crate) fn scopes_of(subject: &Subject, known: &dyn Known) -> Vec<Scope> {
    let mut found = subject.least();
    let kind = subject.target.kind;
    for parent in subject.references.iter().filter(|reference| is_parent(kind, reference)) {
        // What follows from others lies in their scopes: a subscriber's services have their own tenancies only.
        parents(kind, &Target { kind: parent.kind, name: parent.name.clone() }, known, &mut found);
    }
    match kind {
        KindName::Site => in_deployments(&subject.target, known, &mut found),
        KindName::Subscriber => {
            found.extend(known.chain(&stand_ins(&subject.references)).into_iter().map(Scope::Service));
        }
        KindName::Controller => found.extend(known.brought_by(&subject.target).iter().filter_map(scope)),
        KindName::Secret => {
            for controller in known.brought_by(&subject.target) {
                found.extend(known.brought_by(&controller).iter().filter_map(scope));
            }
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    found.retain(|scope| seen.insert(scope.clone()));
    found
}

/// The scopes that a scope lies in, itself included.
pub(crate) fn wider(scope: &Scope, known: &dyn Known) -> Vec<Scope> {
    match scope.object() {
        None => vec![Scope::Office],
        Some((kind, name)) => {
            let target = Target { kind, name: name.clone() };
            let subject = known.subject(&target).unwrap_or_else(|| Subject::named(target));
            scopes_of(&subject, known)
        }
    }
}

fn scope(target: &Target) -> Option<Scope> {
    own(target.kind, &target.name)
}

fn in_deployments(site: &Target, known: &dyn Known, found: &mut Vec<Scope>) {
    found.extend(known.brought_by(site).iter().filter_map(scope));
}

/// Adds the scope of what an object of `kind` lies in, and those around it.
fn parents(kind: KindName, parent: &Target, known: &dyn Known, found: &mut Vec<Scope>) {
    found.extend(scope(parent));
    let further: &[&str] = match (kind, parent.kind) {
        (KindName::Node | KindName::AddressPool, KindName::Site) => {
            in_deployments(parent, known, found);
            return;
        }
        (_, KindName::Node) => &["/spec/site"],
        (_, KindName::Slice) => &["/spec/site", "/spec/service"],
        // Not the services: each has its own tenancies of a subscriber, and not the others'.
        (KindName::Tenant | KindName::RoleBinding, KindName::Subscriber) => &["/spec/access/node"],
        (KindName::RoleBinding, KindName::Tenant) => &["/spec/tenant/name", "/spec/provider"],
        _ => return,
    };
    let Some(subject) = known.subject(parent) else { return };
    for next in subject.references.iter().filter(|next| further.contains(&next.pointer.as_str())) {
        parents(kind, &Target { kind: next.kind, name: next.name.clone() }, known, found);
    }
}
