//! Why something is there, or is not.

use std::{fmt, str::FromStr};

use net_types::Name;

use super::{DerivedTenancy, Graph, VnId};
use crate::{Connect, GatewayDirection, KindName, OwnerReference, TenantKind, TenantSpec};

/// What can be explained. Written `service/NAME`, `tenant/NAME`, `slice/NAME`, `instance/NAME`, `network/NAME`,
/// `private/SLICE`, `shared/TENANT`, `gateway/TENANT`, `public/TENANT` and `attachment/INSTANCE/` with a network after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    Service(Name),
    Tenant(Name),
    Slice(Name),
    Instance(Name),
    Network(VnId),
    Gateway(Name),
    Public(Name),
    Attachment { instance: Name, network: VnId },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "one of service/NAME, tenant/NAME, slice/NAME, instance/NAME, network/NAME, private/SLICE, shared/TENANT, gateway/TENANT, public/TENANT, or \
     attachment/INSTANCE/ with a network after it"
)]
pub struct ThingError;

impl FromStr for Thing {
    type Err = ThingError;

    fn from_str(text: &str) -> Result<Self, ThingError> {
        let (of, rest) = text.split_once('/').ok_or(ThingError)?;
        let name = |text: &str| text.parse::<Name>().map_err(|_| ThingError);
        match of {
            "service" => name(rest).map(Self::Service),
            "tenant" => name(rest).map(Self::Tenant),
            "slice" => name(rest).map(Self::Slice),
            "instance" => name(rest).map(Self::Instance),
            "gateway" => name(rest).map(Self::Gateway),
            "public" => name(rest).map(Self::Public),
            "attachment" => {
                let (instance, network) = rest.split_once('/').ok_or(ThingError)?;
                let network = network.parse().map_err(|_| ThingError)?;
                Ok(Self::Attachment { instance: name(instance)?, network })
            }
            _ => text.parse().map(Self::Network).map_err(|_| ThingError),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "service/{name}"),
            Self::Tenant(name) => write!(f, "tenant/{name}"),
            Self::Slice(name) => write!(f, "slice/{name}"),
            Self::Instance(name) => write!(f, "instance/{name}"),
            Self::Network(network) => network.fmt(f),
            Self::Gateway(name) => write!(f, "gateway/{name}"),
            Self::Public(name) => write!(f, "public/{name}"),
            Self::Attachment { instance, network } => write!(f, "attachment/{instance}/{network}"),
        }
    }
}

impl Thing {
    /// An object of which the graph is made.
    pub fn of(kind: KindName, name: &Name) -> Option<Self> {
        let name = name.clone();
        match kind {
            KindName::Service => Some(Self::Service(name)),
            KindName::Tenant => Some(Self::Tenant(name)),
            KindName::Slice => Some(Self::Slice(name)),
            KindName::Instance => Some(Self::Instance(name)),
            KindName::Network => Some(Self::Network(VnId::Network(name))),
            _ => None,
        }
    }
}

/// How many names a sentence lists.
const LISTED_MAX: usize = 16;

/// `no slice`, `slice a`, `slices a, b and 3 more`.
fn list<'a>(what: &str, names: impl Iterator<Item = &'a Name>) -> String {
    let mut names = names.peekable();
    let listed: Vec<_> = names.by_ref().take(LISTED_MAX).map(Name::as_str).collect();
    match (listed.len(), names.count()) {
        (0, _) => format!("no {what}"),
        (1, 0) => format!("{what} {}", listed[0]),
        (_, 0) => format!("{what}s {}", listed.join(", ")),
        (_, more) => format!("{what}s {} and {more} more", listed.join(", ")),
    }
}

impl Graph {
    /// Sentences that say why `thing` is there, or that it is not and why not.
    pub fn explain(&self, thing: &Thing) -> Vec<String> {
        match thing {
            Thing::Service(name) => self.explain_service(name),
            Thing::Tenant(name) => self.explain_tenant(name),
            Thing::Slice(name) => self.explain_slice(name),
            Thing::Instance(name) => self.explain_instance(name),
            Thing::Network(VnId::Network(name)) => self.explain_network(name),
            Thing::Network(VnId::Private(slice)) => vec![self.why_private(slice)],
            Thing::Network(VnId::Shared(name)) => vec![self.why_follows(name, Connect::Shared)],
            Thing::Gateway(name) => vec![self.why_follows(name, Connect::Gateway)],
            Thing::Public(name) => vec![self.why_follows(name, Connect::Public)],
            Thing::Attachment { instance, network } => self.explain_attachment(instance, network),
        }
    }

    fn explain_service(&self, name: &Name) -> Vec<String> {
        let Some(spec) = self.service(name) else { return vec![missing(KindName::Service, name)] };
        let enabled = if spec.enabled { "takes new tenants" } else { "takes no new tenants" };
        let mut sentences = vec![
            format!("Service {name} is a {} of version {}, and {enabled}.", spec.service_type, spec.version),
            match &spec.controller {
                Some(controller) => format!("Its back end is reached by Controller {controller}."),
                None => "It has no controller.".into(),
            },
            format!("It has {}.", list("slice", self.slices_of.get(name))),
        ];
        let tenancies = self.used.get(name).chain(self.uses.get(name)).take(LISTED_MAX);
        if spec.per_subscriber {
            sentences.push("Each subscriber is a tenant of it: chains begin there.".into());
        }
        sentences.extend(tenancies.filter_map(|tenancy| Some(relation(tenancy, self.tenant(tenancy)?))));
        sentences
    }

    fn explain_tenant(&self, name: &Name) -> Vec<String> {
        let Some(spec) = self.tenant(name) else { return vec![missing(KindName::Tenant, name)] };
        let mut sentences = vec![relation(name, spec)];
        if spec.per_tenant {
            let (tenant, provider) = (&spec.tenant.name, &spec.provider);
            sentences.push(format!("Each tenancy with {tenant} begets one with {provider}."));
        }
        sentences.push(self.why_follows(name, spec.connect));
        sentences
    }

    fn explain_slice(&self, name: &Name) -> Vec<String> {
        let Some(held) = self.slices.get(name) else { return vec![missing(KindName::Slice, name)] };
        let mut sentences = vec![match &held.spec.service {
            Some(service) => format!("Slice {name} is of Service {service}."),
            None => format!("Slice {name} is of no service."),
        }];
        sentences.push(format!("It has {}.", list("instance", self.instances_of.get(name))));
        sentences.push(self.why_private(name));
        for (tenancy, connect) in self.tenancies_of(name).take(LISTED_MAX) {
            sentences.push(self.why_follows(tenancy, connect));
        }
        sentences
    }

    fn explain_instance(&self, name: &Name) -> Vec<String> {
        let Some(held) = self.instances.get(name) else { return vec![missing(KindName::Instance, name)] };
        let slice = &held.spec.slice;
        let shared = self.tenancies_of(slice).filter(|(_, connect)| *connect == Connect::Shared);
        let shared = shared.map(|(tenancy, _)| VnId::Shared(tenancy.clone()));
        let networks = self.reachable_networks(slice).chain(shared).take(LISTED_MAX);
        networks.flat_map(|network| self.explain_attachment(name, &network)).collect()
    }

    /// The tenancies of a slice's service, on either side.
    fn tenancies_of(&self, slice: &Name) -> impl Iterator<Item = (&Name, Connect)> {
        let service = self.slices.get(slice).and_then(|held| held.spec.service.as_ref());
        let tenancies =
            service.into_iter().flat_map(|service| self.uses.get(service).chain(self.used.get(service)));
        tenancies.filter_map(|tenancy| Some((tenancy, self.tenant(tenancy)?.connect)))
    }

    /// The objects because of which a thing that is none is there; none, if it is not there.
    pub fn owners_of(&self, thing: &Thing) -> Vec<OwnerReference> {
        let all = self.connectivity();
        let owners = match thing {
            Thing::Service(_) | Thing::Tenant(_) | Thing::Slice(_) | Thing::Instance(_) => None,
            Thing::Network(id) => {
                all.networks.into_iter().find(|one| one.id == *id).map(|one| one.owner_references)
            }
            Thing::Gateway(name) => {
                all.gateways.into_iter().find(|one| one.tenancy == *name).map(|one| one.owner_references)
            }
            Thing::Public(name) => {
                all.public.into_iter().find(|one| one.tenancy == *name).map(|one| one.owner_references)
            }
            Thing::Attachment { instance, network } => {
                let mut attachments = all.attachments.into_iter();
                let such = attachments.find(|one| one.instance == *instance && one.network == *network);
                such.map(|one| one.owner_references)
            }
        };
        owners.unwrap_or_default()
    }

    fn explain_network(&self, name: &Name) -> Vec<String> {
        let Some(held) = self.networks.get(name) else { return vec![missing(KindName::Network, name)] };
        let owner = &held.spec.slice;
        let mut sentences =
            vec![format!("Network {name} was made for Slice {owner}, whose instances are attached to it.")];
        if !self.slice_is_enabled(owner) {
            sentences.push(not_enabled(owner));
        }
        let (permitted, refused): (Vec<_>, Vec<_>) =
            self.attached.get(name).partition(|slice| self.is_permitted(slice, name));
        if !permitted.is_empty() {
            let slices = list("slice", permitted.into_iter());
            sentences.push(format!("It permits the instances of {slices}, too, which ask for it."));
        }
        if !refused.is_empty() {
            sentences.push(format!("It does not permit {}.", list("slice", refused.into_iter())));
        }
        sentences
    }

    fn why_private(&self, slice: &Name) -> String {
        let own = self.networks_of.get(slice);
        if !self.slices.contains_key(slice) {
            return missing(KindName::Slice, slice);
        }
        if self.networks_of.count(slice) > 0 {
            return format!("Slice {slice} has {}, and so no other private one.", list("network", own));
        }
        if !self.slice_is_enabled(slice) {
            return not_enabled(slice);
        }
        format!("Slice {slice} has no Network object, so that it has a private network for its instances.")
    }

    /// What follows from a tenancy with this `connect`.
    fn why_follows(&self, name: &Name, connect: Connect) -> String {
        let Some(spec) = self.tenant(name) else { return missing(KindName::Tenant, name) };
        if spec.connect != connect {
            return format!("The connect of Tenant {name} is {}, not {connect}.", spec.connect);
        }
        let sides = self.sides(spec);
        let slices = |service| list("slice", self.slices(service));
        match (connect, sides) {
            (Connect::Shared | Connect::Gateway, None) => {
                format!("Nothing follows from Tenant {name}: it is not between two services that are there.")
            }
            (Connect::Shared, Some((tenant, provider))) => format!(
                "Tenant {name} joins {tenant} ({}) and {provider} ({}) by one network.",
                slices(tenant),
                slices(provider)
            ),
            (Connect::Gateway, Some((tenant, provider))) => {
                let who = match spec.direction() {
                    GatewayDirection::Both => "either may begin".into(),
                    GatewayDirection::ToProvider => format!("only {tenant} may begin"),
                    GatewayDirection::ToTenant => format!("only {provider} may begin"),
                };
                let (of_tenant, of_provider) = (slices(tenant), slices(provider));
                format!(
                    "Tenant {name} lets {tenant} ({of_tenant}) and {provider} ({of_provider}) talk through a gateway: {who}."
                )
            }
            (Connect::Public, _) => {
                format!(
                    "Tenant {name} reaches {} ({}) over the public network.",
                    spec.provider,
                    slices(&spec.provider)
                )
            }
        }
    }

    fn explain_attachment(&self, instance: &Name, network: &VnId) -> Vec<String> {
        let Some(held) = self.instances.get(instance) else {
            return vec![missing(KindName::Instance, instance)];
        };
        let slice = &held.spec.slice;
        let of_slice = format!("Instance {instance} is of Slice {slice}");
        let no = |why: String| vec![format!("Instance {instance} is not attached to {network}."), why];
        if !self.slice_is_enabled(slice) {
            return no(not_enabled(slice));
        }
        match network {
            VnId::Network(name) => {
                let Some(held) = self.networks.get(name) else { return no(missing(KindName::Network, name)) };
                if held.spec.slice == *slice {
                    return vec![format!("{of_slice}, whose Network {name} is.")];
                }
                let asks = self.attached.get(name).any(|asking| asking == slice);
                match (asks, self.is_permitted(slice, name)) {
                    (true, true) => {
                        let owner = &held.spec.slice;
                        vec![format!(
                            "{of_slice}, which asks for Network {name} of Slice {owner}, which permits it."
                        )]
                    }
                    (true, false) => {
                        no(format!("{of_slice}, which asks for Network {name}, which does not permit it."))
                    }
                    (false, _) => {
                        no(format!("{of_slice}, which neither owns Network {name} nor asks for it."))
                    }
                }
            }
            VnId::Private(owner) if owner == slice && self.networks_of.count(slice) == 0 => {
                vec![format!("{of_slice}, whose private network this is.")]
            }
            VnId::Private(owner) if owner == slice => no(self.why_private(owner)),
            VnId::Private(owner) => no(format!("{of_slice}; this is the private network of Slice {owner}.")),
            VnId::Shared(tenancy) => {
                let Some(spec) = self.tenant(tenancy) else { return no(missing(KindName::Tenant, tenancy)) };
                let joins = self.why_follows(tenancy, Connect::Shared);
                let sides = self.sides(spec).filter(|_| spec.connect == Connect::Shared);
                let service = self.slices.get(slice).and_then(|held| held.spec.service.as_ref());
                match (sides, service) {
                    (Some((a, b)), Some(service)) if service == a || service == b => {
                        vec![format!("{of_slice} of Service {service}."), joins]
                    }
                    (_, Some(service)) => no(format!("{of_slice} of Service {service}. {joins}")),
                    (_, None) => no(format!("{of_slice} of no service. {joins}")),
                }
            }
        }
    }
}

impl DerivedTenancy {
    /// Sentences that say why the tenancy is there.
    pub fn explain(&self) -> Vec<String> {
        let mut sentences = vec![relation(&self.name, &self.spec)];
        let mut owners = self.owner_references.iter();
        if let Some(subscriber) = owners.next() {
            sentences.push(format!("It is of the chain of {} {}.", subscriber.kind, subscriber.name));
        }
        sentences.extend(owners.map(|owner| match owner.kind {
            KindName::Service => {
                format!("Each subscriber is a tenant of Service {}: a chain begins there.", owner.name)
            }
            kind => format!("{kind} {} begets it: it is per tenant.", owner.name),
        }));
        sentences
    }
}

fn relation(name: &Name, spec: &TenantSpec) -> String {
    let TenantSpec { tenant, provider, connect, .. } = spec;
    let who = if tenant.kind == TenantKind::Root { "the outsider".into() } else { tenant.kind.to_string() };
    format!("Tenant {name}: {who} {} uses Service {provider}, {connect}.", tenant.name)
}

fn missing(kind: KindName, name: &Name) -> String {
    format!("There is no {kind} {name}.")
}

fn not_enabled(slice: &Name) -> String {
    format!("Slice {slice} is not enabled: its instances are on no network.")
}
