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

/// The tenancies of a subscriber, each after its tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// All that hold.
    pub tenancies: Vec<DerivedTenancy>,
    /// Why others do not.
    pub faults: Vec<Fault>,
}

/// A place in a chain that some service has.
struct Place<'a> {
    /// Whose place it is.
    ordinary: &'a Name,
    /// The stage before it.
    tenant: Option<usize>,
    via: Option<(&'a Name, &'a TenantSpec)>,
}

/// A service in its place.
struct Stage<'a> {
    service: &'a Name,
    service_spec: &'a ServiceSpec,
    /// The stage before it; none where the chain begins.
    tenant: Option<usize>,
    /// The tenancies between services that lead here.
    via: Vec<(&'a Name, &'a TenantSpec)>,
}

impl<'a> Stage<'a> {
    fn link<'s>(&self, subscriber: &'s Subscriber) -> Link<'s>
    where
        'a: 's,
    {
        let tenancy = self.via.first().map(|(_, spec)| *spec);
        Link { subscriber, service: self.service, service_spec: self.service_spec, tenancy }
    }
}

impl Graph {
    /// How many services a chain has at most.
    pub const CHAIN_MAX: usize = 64;

    /// The services of which each subscriber is a tenant: where chains begin.
    pub fn entries(&self) -> impl Iterator<Item = &Name> {
        self.entries.iter()
    }

    /// The tenancies of `subscriber`, beginning at the services of which each subscriber is a tenant.
    ///
    /// A tenancy between two services that is per tenant leads from the one to the other. A service has one tenancy
    /// with a subscriber, even if several lead to it: the first, by the number of steps and then by name, is its tenant.
    /// Where the subscriber names another service for a type, that one stands in for the ordinary one: whatever leads
    /// to this one leads to it, and it leads where its own tenancies say or, if it has none, where the ordinary one
    /// does. `attributes` are put over those of the tenancy between the services, and these over those of the service.
    pub fn chain(
        &self,
        subscriber: &Subscriber,
        mut attributes: impl FnMut(Link<'_>) -> Attributes,
    ) -> Chain {
        let mut chain = Chain::default();
        for (stage, tenant, name) in self.held(subscriber, &mut chain.faults) {
            let link = stage.link(subscriber);
            let spec = derived(&link, tenant, attributes(link));
            let owner_references = self.owners(subscriber, &stage);
            chain.tenancies.push(DerivedTenancy { name, spec, owner_references });
        }
        chain
    }

    /// What the tenancies of [`Graph::chain`] are made of, in the same order, for whoever needs no more; and why others
    /// do not hold.
    pub fn links<'a>(&'a self, subscriber: &'a Subscriber) -> (Vec<Link<'a>>, Vec<Fault>) {
        let mut faults = Vec::new();
        let held = self.held(subscriber, &mut faults).into_iter();
        (held.map(|(stage, ..)| stage.link(subscriber)).collect(), faults)
    }

    /// The stages of a chain whose tenancies hold, each with its tenant and its tenancy's name.
    fn held<'a>(
        &'a self,
        subscriber: &Subscriber,
        faults: &mut Vec<Fault>,
    ) -> Vec<(Stage<'a>, TenantOf, Name)> {
        let stages = self.stages(&subscriber.spec.services, faults);
        let mut names: Vec<Option<Name>> = Vec::with_capacity(stages.len());
        let mut held = Vec::with_capacity(stages.len());
        for stage in stages {
            let tenant = match stage.tenant {
                None => Some(TenantOf { kind: TenantKind::Subscriber, name: subscriber.name().clone() }),
                Some(before) => names[before].clone().map(|name| TenantOf { kind: TenantKind::Tenant, name }),
            };
            // What follows from a tenancy that has no name has none either.
            let tenancy = tenant.and_then(|tenant| match tenancy_name(subscriber.name(), stage.service) {
                Ok(name) => Some((tenant, name)),
                Err(fault) => {
                    faults.push(fault);
                    None
                }
            });
            names.push(tenancy.as_ref().map(|(_, name)| name.clone()));
            held.extend(tenancy.map(|(tenant, name)| (stage, tenant, name)));
        }
        held
    }

    /// The services of the chain of a subscriber with these stand-ins.
    pub fn services_of(&self, stand_ins: &BTreeMap<Name, Name>) -> Vec<&Name> {
        self.stages(stand_ins, &mut Vec::new()).into_iter().map(|stage| stage.service).collect()
    }

    /// What is wrong with a Subscriber that is new, or whose services are no longer those of `before`, as far as its
    /// chain goes.
    pub fn admit_subscriber(&self, subscriber: &Subscriber, before: Option<&SubscriberSpec>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let stages = self.stages(&subscriber.spec.services, &mut faults);
        let names = stages.iter().map(|stage| tenancy_name(subscriber.name(), stage.service));
        faults.extend(names.filter_map(Result::err));
        if !faults.is_empty() {
            return faults;
        }
        let types: BTreeMap<_, _> =
            stages.iter().map(|stage| (&stage.service_spec.service_type, stage.service_spec)).collect();
        for (service_type, service) in &subscriber.spec.services {
            let at = Pointer::from("/spec/services").at(service_type);
            let chosen = before.and_then(|before| before.services.get(service_type));
            match types.get(service_type) {
                _ if chosen == Some(service) => {}
                None => faults.push(Fault::new(at, format!("no service of the chain is a {service_type}"))),
                Some(spec) if !spec.enabled => faults.push(Fault::new(at, disabled(service))),
                Some(_) => {}
            }
        }
        for Stage { service, service_spec, .. } in stages.iter().filter(|_| before.is_none()) {
            let is_chosen = subscriber.spec.services.contains_key(&service_spec.service_type);
            if !service_spec.enabled && !is_chosen {
                faults.push(Fault::new("/spec", disabled(service)));
            }
        }
        faults
    }

    /// Every service of a chain, each after its tenant.
    fn stages<'a>(&'a self, stand_ins: &BTreeMap<Name, Name>, faults: &mut Vec<Fault>) -> Vec<Stage<'a>> {
        let mut stages: Vec<Stage<'a>> = Vec::new();
        let mut position: BTreeMap<&Name, usize> = BTreeMap::new();
        let begin = |ordinary| Place { ordinary, tenant: None, via: None };
        let mut places: VecDeque<_> = self.entries.iter().map(begin).collect();
        while let Some(place) = places.pop_front() {
            let Some((service, service_spec)) = self.stand_in(stand_ins, &place, faults) else { continue };
            if let Some(&i) = position.get(service) {
                let ways = &mut stages[i].via;
                ways.extend(place.via.filter(|(name, _)| ways.iter().all(|(known, _)| known != name)));
                continue;
            }
            if stages.len() == Self::CHAIN_MAX {
                let detail = format!("a chain of more than {} services", Self::CHAIN_MAX);
                faults.push(Fault::new("/spec", detail));
                break;
            }
            let tenant = Some(stages.len());
            for via in self.onward(service, place.ordinary) {
                places.push_back(Place { ordinary: &via.1.provider, tenant, via: Some(via) });
            }
            position.insert(service, stages.len());
            let via = place.via.into_iter().collect();
            stages.push(Stage { service, service_spec, tenant: place.tenant, via });
        }
        stages
    }

    /// The service that the subscriber has at this place; none if there is none, or a fault.
    fn stand_in<'a>(
        &'a self,
        stand_ins: &BTreeMap<Name, Name>,
        place: &Place<'_>,
        faults: &mut Vec<Fault>,
    ) -> Option<(&'a Name, &'a ServiceSpec)> {
        let (ordinary, held) = self.services.get_key_value(place.ordinary)?;
        let service_type = &held.spec.service_type;
        let Some(name) = stand_ins.get(service_type).filter(|name| *name != ordinary) else {
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

    fn owners(&self, subscriber: &Subscriber, stage: &Stage<'_>) -> Vec<OwnerReference> {
        let subscriber = OwnerReference {
            kind: KindName::Subscriber,
            name: subscriber.name().clone(),
            uid: subscriber.metadata.uid.clone().unwrap_or_default(),
        };
        let entry = stage.tenant.is_none().then(|| self.owner(KindName::Service, stage.service));
        let ways = stage.via.iter().map(|(tenancy, _)| self.owner(KindName::Tenant, tenancy));
        std::iter::once(subscriber).chain(entry).chain(ways).collect()
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
    let of_tenancy = std::mem::replace(&mut spec.attributes, link.service_spec.attributes.clone());
    spec.attributes.0.extend(of_tenancy.0);
    spec.attributes.0.extend(attributes.0);
    spec
}

/// How a subscriber's line reaches the first service: over a network of both, if it can be.
fn entry_connect(service: &ServiceSpec) -> Connect {
    let accepted = &service.accepts.connect;
    let wanted = [Connect::Shared, Connect::Gateway].into_iter().find(|connect| accepted.contains(connect));
    wanted.unwrap_or(Connect::Public)
}
