//! The tenancies of a subscriber: they follow from those between services, and are nowhere stored.

use std::collections::{BTreeMap, VecDeque};

use net_types::Name;

use super::Graph;
use crate::{
    Attributes, Connect, Fault, KindName, OwnerReference, Pointer, ServiceSpec, Subscriber, SubscriberSpec,
    TenantKind, TenantOf, TenantSpec,
};

/// A tenancy of a subscriber's chain.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedTenancy {
    /// `<subscriber>-<service>`.
    pub name: Name,
    pub spec: TenantSpec,
    /// The Subscriber, and the Tenants between services that lead to this one; of the first, its Service.
    pub owner_references: Vec<OwnerReference>,
}

/// A tenancy in the making, for whoever knows what its provider needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub subscriber: &'a Subscriber,
    pub service: &'a Name,
    pub service_spec: &'a ServiceSpec,
    /// The tenancy between services that leads here; there is none to the first service.
    pub tenancy: Option<&'a TenantSpec>,
}

/// A service's place in a chain.
struct Place<'a> {
    /// Whose place it is.
    ordinary: &'a Name,
    tenant: TenantOf,
    via: Option<(&'a Name, &'a TenantSpec)>,
}

impl Graph {
    /// How many services a chain has at most.
    pub const CHAIN_MAX: usize = 64;

    /// The services of which subscribers can be tenants: where a chain begins.
    pub fn entries(&self) -> impl Iterator<Item = &Name> {
        let takes = |spec: &ServiceSpec| spec.accepts.tenants.contains(&TenantKind::Subscriber);
        self.services.iter().filter(move |(_, held)| takes(&held.spec)).map(|(name, _)| name)
    }

    /// The tenancies of `subscriber`, beginning at the Service `entry`, each after its tenant.
    ///
    /// A tenancy between two services that is per tenant leads from the one to the other. A service has one tenancy
    /// with a subscriber, even if several lead to it: the first, by the number of steps and then by name, is its tenant.
    /// Where the subscriber names another service for a type, that one stands in for the ordinary one: whatever leads
    /// to this one leads to it, and it leads where its own tenancies say or, if it has none, where the ordinary one
    /// does. `attributes` are put over those of the tenancy between the services.
    pub fn chain(
        &self,
        subscriber: &Subscriber,
        entry: &Name,
        mut attributes: impl FnMut(Link<'_>) -> Attributes,
    ) -> Result<Vec<DerivedTenancy>, Vec<Fault>> {
        let mut chain: Vec<DerivedTenancy> = Vec::new();
        let mut faults = Vec::new();
        let mut position: BTreeMap<&Name, usize> = BTreeMap::new();
        let tenant = TenantOf { kind: TenantKind::Subscriber, name: subscriber.name().clone() };
        let mut places = VecDeque::from([Place { ordinary: entry, tenant, via: None }]);
        while let Some(place) = places.pop_front() {
            let Some((service, service_spec)) = self.stand_in(&subscriber.spec, &place, &mut faults) else {
                continue;
            };
            if let Some(&i) = position.get(service) {
                let owner = place.via.map(|(tenancy, _)| self.owner(KindName::Tenant, tenancy));
                let owners = &mut chain[i].owner_references;
                owners.extend(owner.filter(|owner| !owners.contains(owner)));
                continue;
            }
            if chain.len() == Self::CHAIN_MAX {
                let detail = format!("a chain of more than {} services", Self::CHAIN_MAX);
                return Err(vec![Fault::new("/spec", detail)]);
            }
            let link = Link { subscriber, service, service_spec, tenancy: place.via.map(|(_, spec)| spec) };
            let name = match tenancy_name(subscriber.name(), service) {
                Ok(name) => name,
                Err(fault) => return Err(vec![fault]),
            };
            for via in self.onward(service, place.ordinary) {
                let tenant = TenantOf { kind: TenantKind::Tenant, name: name.clone() };
                places.push_back(Place { ordinary: &via.1.provider, tenant, via: Some(via) });
            }
            position.insert(service, chain.len());
            let owner_references = self.owners(subscriber, service, place.via.map(|(name, _)| name));
            let spec = derived(&link, place.tenant, attributes(link));
            chain.push(DerivedTenancy { name, spec, owner_references });
        }
        if faults.is_empty() { Ok(chain) } else { Err(faults) }
    }

    /// What is wrong with a Subscriber that is new, or no longer what it was `before`, as far as its chain goes.
    pub fn admit_subscriber(
        &self,
        subscriber: &Subscriber,
        before: Option<&SubscriberSpec>,
        entry: &Name,
    ) -> Vec<Fault> {
        let chain = match self.chain(subscriber, entry, |_| Attributes::default()) {
            Ok(chain) => chain,
            Err(faults) => return faults,
        };
        let of_type = |service| self.service(service).map(|spec| (&spec.service_type, spec));
        let types: BTreeMap<_, _> =
            chain.iter().filter_map(|tenancy| of_type(&tenancy.spec.provider)).collect();
        let mut faults = Vec::new();
        for (service_type, service) in &subscriber.spec.services {
            let at = Pointer::from("/spec/services").at(service_type);
            let chosen = before.and_then(|before| before.services.get(service_type));
            match types.get(service_type) {
                None => faults.push(Fault::new(at, format!("no service of the chain is a {service_type}"))),
                Some(spec) if !spec.enabled && chosen != Some(service) => {
                    faults.push(Fault::new(at, disabled(service)));
                }
                Some(_) => {}
            }
        }
        for provider in chain.iter().map(|tenancy| &tenancy.spec.provider).filter(|_| before.is_none()) {
            if let Some((service_type, spec)) = of_type(provider)
                && !spec.enabled
                && !subscriber.spec.services.contains_key(service_type)
            {
                faults.push(Fault::new("/spec", disabled(provider)));
            }
        }
        faults
    }

    /// The service that the subscriber has at this place; none if there is none, or a fault.
    fn stand_in(
        &self,
        spec: &SubscriberSpec,
        place: &Place<'_>,
        faults: &mut Vec<Fault>,
    ) -> Option<(&Name, &ServiceSpec)> {
        let Some((ordinary, held)) = self.services.get_key_value(place.ordinary) else {
            if place.via.is_none() {
                faults.push(Fault::new("/spec", format!("there is no Service {}", place.ordinary)));
            }
            return None;
        };
        let service_type = &held.spec.service_type;
        let Some(name) = spec.services.get(service_type).filter(|name| *name != ordinary) else {
            return Some((ordinary, &held.spec));
        };
        let (tenant, connect) = match place.via {
            Some((_, via)) => (TenantKind::Service, Some(via.connect)),
            None => (TenantKind::Subscriber, None),
        };
        let detail = match self.services.get_key_value(name) {
            None => format!("there is no Service {name}"),
            Some((_, other)) if other.spec.service_type != *service_type => {
                format!("Service {name} is a {}, not a {service_type}", other.spec.service_type)
            }
            Some((_, other)) if !other.spec.accepts.tenants.contains(&tenant) => {
                format!("Service {name} accepts no {tenant} as a tenant")
            }
            Some((name, other)) => {
                let Some(connect) = connect.filter(|connect| !other.spec.accepts.connect.contains(connect))
                else {
                    return Some((name, &other.spec));
                };
                format!("Service {name} accepts no tenants with the connect \"{connect}\"")
            }
        };
        let fault = Fault::new(Pointer::from("/spec/services").at(service_type), detail);
        if !faults.contains(&fault) {
            faults.push(fault);
        }
        None
    }

    /// The tenancies per tenant that lead on from a service that stands where `ordinary` does.
    fn onward<'a>(&'a self, service: &'a Name, ordinary: &'a Name) -> Vec<(&'a Name, &'a TenantSpec)> {
        let of = |service| self.providers(service).filter(|(_, spec)| spec.per_tenant).collect::<Vec<_>>();
        let own = of(service);
        if own.is_empty() && service != ordinary { of(ordinary) } else { own }
    }

    fn owners(&self, subscriber: &Subscriber, service: &Name, via: Option<&Name>) -> Vec<OwnerReference> {
        let subscriber = OwnerReference {
            kind: KindName::Subscriber,
            name: subscriber.name().clone(),
            uid: subscriber.metadata.uid.clone().unwrap_or_default(),
        };
        let cause = match via {
            Some(tenancy) => self.owner(KindName::Tenant, tenancy),
            None => self.owner(KindName::Service, service),
        };
        vec![subscriber, cause]
    }
}

fn disabled(service: &Name) -> String {
    format!("Service {service} is not enabled: it takes no new tenants")
}

fn tenancy_name(subscriber: &Name, service: &Name) -> Result<Name, Fault> {
    let name = format!("{subscriber}-{service}");
    name.parse().map_err(|_| {
        let detail = format!("the name of the tenancy, {name}, has more than {} characters", Name::LEN_MAX);
        Fault::new("/metadata/name", detail)
    })
}

fn derived(link: &Link<'_>, tenant: TenantOf, attributes: Attributes) -> TenantSpec {
    let mut spec = match link.tenancy {
        Some(tenancy) => TenantSpec { tenant, per_tenant: false, ..tenancy.clone() },
        None => TenantSpec {
            tenant,
            provider: link.service.clone(),
            connect: entry_connect(link.service_spec),
            provider_interface: None,
            tenant_interface: None,
            per_tenant: false,
            direction: None,
            attributes: Attributes::default(),
        },
    };
    spec.provider = link.service.clone();
    spec.attributes.0.extend(attributes.0);
    spec
}

/// How a subscriber's line reaches the first service: over a network of both, if it can be.
fn entry_connect(service: &ServiceSpec) -> Connect {
    let accepted = &service.accepts.connect;
    let wanted = [Connect::Shared, Connect::Gateway].into_iter().find(|connect| accepted.contains(connect));
    wanted.unwrap_or(Connect::Public)
}
