//! What can reach what: it follows from who belongs to whom and who uses whom, and from nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use net_types::{Name, NameError};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::Graph;
use crate::{Connect, ExposedPort, GatewayDirection, KindName, OwnerReference, TenantSpec};

/// All that follows from a graph. Everything in it names the objects because of which it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Connectivity {
    pub networks: Vec<VirtualNetwork>,
    pub gateways: Vec<Gateway>,
    pub attachments: Vec<Attachment>,
    pub public: Vec<PublicAccess>,
}

/// Which virtual network: written `network/NAME`, `private/SLICE` or `shared/TENANT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VnId {
    /// A Network object.
    Network(Name),
    /// The network of a slice that has no Network object.
    Private(Name),
    /// The network that joins the two services of a Tenant whose connect is `shared`.
    Shared(Name),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct VirtualNetwork {
    pub id: VnId,
    /// The slices that it is for: its owner, or all of both services.
    pub slices: Vec<Name>,
    pub owner_references: Vec<OwnerReference>,
}

/// What rules let through between networks that stay apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Gateway {
    /// The Tenant that asks for it.
    pub tenancy: Name,
    pub tenant: Side,
    pub provider: Side,
    /// Who may begin to talk.
    pub direction: GatewayDirection,
    pub owner_references: Vec<OwnerReference>,
}

/// A service at one end of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Side {
    pub service: Name,
    /// The networks of its slices.
    pub networks: BTreeSet<VnId>,
    /// The instances of its slices: those over which the load of a provider is spread.
    pub instances: Vec<Name>,
}

/// An instance on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Attachment {
    pub instance: Name,
    pub network: VnId,
    pub owner_references: Vec<OwnerReference>,
}

/// A service that is used over the public network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct PublicAccess {
    /// The Tenant that asks for it.
    pub tenancy: Name,
    pub provider: Name,
    /// By slice of the provider: what is reached from outside.
    pub exposed: BTreeMap<Name, Vec<ExposedPort>>,
    /// Slices of the tenant, if it is a service: they need a way out.
    pub tenant_slices: Vec<Name>,
    pub owner_references: Vec<OwnerReference>,
}

impl fmt::Display for VnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(name) => write!(f, "network/{name}"),
            Self::Private(slice) => write!(f, "private/{slice}"),
            Self::Shared(tenancy) => write!(f, "shared/{tenancy}"),
        }
    }
}

impl FromStr for VnId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (of, name) = text.split_once('/').ok_or(NameError::Character)?;
        match of {
            "network" => name.parse().map(Self::Network),
            "private" => name.parse().map(Self::Private),
            "shared" => name.parse().map(Self::Shared),
            _ => Err(NameError::Character),
        }
    }
}

impl Serialize for VnId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Graph {
    /// The networks, gateways, attachments and public accesses that follow from the graph.
    pub fn connectivity(&self) -> Connectivity {
        let mut all = Connectivity::default();
        let mut attachments = BTreeMap::new();
        for slice in self.slices.keys().filter(|slice| self.slice_is_enabled(slice)) {
            for id in self.own_networks(slice) {
                all.networks.push(self.own_network(slice, id));
            }
            let networks: Vec<_> = self.reachable_networks(slice).collect();
            self.attach(slice, &networks, &mut attachments);
        }
        for (tenancy, held) in &self.tenants {
            match held.spec.connect {
                Connect::Shared => {
                    let Some(network) = self.shared_network(tenancy, &held.spec) else { continue };
                    for slice in &network.slices {
                        self.attach(slice, std::slice::from_ref(&network.id), &mut attachments);
                    }
                    all.networks.push(network);
                }
                Connect::Gateway => all.gateways.extend(self.gateway(tenancy, &held.spec)),
                Connect::Public => all.public.extend(self.public_access(tenancy, &held.spec)),
            }
        }
        all.networks.sort_by(|a, b| a.id.cmp(&b.id));
        let attachment = |((instance, network), slice): ((Name, VnId), Name)| {
            let owner_references = self.attachment_owners(&instance, &slice, &network);
            Attachment { instance, network, owner_references }
        };
        all.attachments = attachments.into_iter().map(attachment).collect();
        all
    }

    fn attach(&self, slice: &Name, networks: &[VnId], attachments: &mut BTreeMap<(Name, VnId), Name>) {
        for instance in self.instances_of.get(slice) {
            for network in networks {
                attachments.insert((instance.clone(), network.clone()), slice.clone());
            }
        }
    }

    /// The Networks that the instances of a slice are attached to, by [`ATTACHED`](super::ATTACHED).
    pub fn attached_networks(&self, slice: &Name) -> BTreeSet<Name> {
        let reachable = self.slice_is_enabled(slice).then(|| self.reachable_networks(slice));
        let named = reachable.into_iter().flatten().filter_map(|id| match id {
            VnId::Network(name) => Some(name),
            VnId::Private(_) | VnId::Shared(_) => None,
        });
        named.collect()
    }

    /// The slices that own a network, or ask to be attached to it.
    pub fn slices_at<'a>(&'a self, network: &'a Name) -> impl Iterator<Item = &'a Name> {
        let owner = self.networks.get(network).map(|held| &held.spec.slice);
        owner.into_iter().chain(self.attached.get(network))
    }

    /// The slices that ask for networks of this one.
    pub fn neighbours_of_slice(&self, slice: &Name) -> impl Iterator<Item = Name> {
        self.networks_of.get(slice).flat_map(|network| self.attached.get(network)).cloned()
    }

    /// The networks that a slice has of its own.
    pub(super) fn own_networks(&self, slice: &Name) -> impl Iterator<Item = VnId> {
        let declared = self.networks_of.get(slice).cloned().map(VnId::Network);
        let private = (self.networks_of.count(slice) == 0).then(|| VnId::Private(slice.clone()));
        declared.chain(private)
    }

    /// Those, and the networks of others that permit it.
    pub(super) fn reachable_networks(&self, slice: &Name) -> impl Iterator<Item = VnId> {
        let wanted = self.slices.get(slice).into_iter().flat_map(|held| &held.spec.networks);
        let permitted = wanted.filter(|network| self.is_permitted(slice, network));
        self.own_networks(slice).chain(permitted.cloned().map(VnId::Network))
    }

    pub(super) fn is_permitted(&self, slice: &Name, network: &Name) -> bool {
        let held = self.networks.get(network);
        held.is_some_and(|held| held.spec.permits(slice) && self.slice_is_enabled(&held.spec.slice))
    }

    fn own_network(&self, slice: &Name, id: VnId) -> VirtualNetwork {
        let mut owner_references = vec![self.owner(KindName::Slice, slice)];
        if let VnId::Network(name) = &id {
            owner_references.insert(0, self.owner(KindName::Network, name));
        }
        VirtualNetwork { id, slices: vec![slice.clone()], owner_references }
    }

    /// The services on both sides of a tenancy between services that are both there.
    pub(super) fn sides<'a>(&'a self, tenancy: &'a TenantSpec) -> Option<(&'a Name, &'a Name)> {
        let tenant = self.tenant_service(tenancy)?;
        let both = self.services.contains_key(tenant) && self.services.contains_key(&tenancy.provider);
        both.then_some((tenant, &tenancy.provider))
    }

    fn shared_network(&self, name: &Name, tenancy: &TenantSpec) -> Option<VirtualNetwork> {
        let (tenant, provider) = self.sides(tenancy)?;
        let slices: BTreeSet<_> = self.slices(tenant).chain(self.slices(provider)).cloned().collect();
        Some(VirtualNetwork {
            id: VnId::Shared(name.clone()),
            slices: slices.into_iter().collect(),
            owner_references: self.tenancy_owners(name, tenant, provider),
        })
    }

    fn gateway(&self, name: &Name, tenancy: &TenantSpec) -> Option<Gateway> {
        let (tenant, provider) = self.sides(tenancy)?;
        Some(Gateway {
            tenancy: name.clone(),
            tenant: self.side(tenant),
            provider: self.side(provider),
            direction: tenancy.direction(),
            owner_references: self.tenancy_owners(name, tenant, provider),
        })
    }

    fn side(&self, service: &Name) -> Side {
        let instances = self.slices(service).flat_map(|slice| self.instances_of.get(slice));
        Side {
            service: service.clone(),
            networks: self.slices(service).flat_map(|slice| self.own_networks(slice)).collect(),
            instances: instances.cloned().collect(),
        }
    }

    fn public_access(&self, name: &Name, tenancy: &TenantSpec) -> Option<PublicAccess> {
        let provider = self.services.get_key_value(&tenancy.provider)?.0;
        let exposed = self.slices(provider).filter_map(|slice| {
            let ports = &self.slices.get(slice)?.spec.exposed_ports;
            (!ports.is_empty()).then(|| (slice.clone(), ports.clone()))
        });
        let tenant = self.tenant_service(tenancy);
        let mut owner_references = vec![self.owner(KindName::Tenant, name)];
        owner_references.extend(tenant.map(|tenant| self.owner(KindName::Service, tenant)));
        owner_references.push(self.owner(KindName::Service, provider));
        Some(PublicAccess {
            tenancy: name.clone(),
            provider: provider.clone(),
            exposed: exposed.collect(),
            tenant_slices: tenant.into_iter().flat_map(|tenant| self.slices(tenant)).cloned().collect(),
            owner_references,
        })
    }

    fn tenancy_owners(&self, name: &Name, tenant: &Name, provider: &Name) -> Vec<OwnerReference> {
        vec![
            self.owner(KindName::Tenant, name),
            self.owner(KindName::Service, tenant),
            self.owner(KindName::Service, provider),
        ]
    }

    fn attachment_owners(&self, instance: &Name, slice: &Name, network: &VnId) -> Vec<OwnerReference> {
        let mut owners = vec![self.owner(KindName::Instance, instance), self.owner(KindName::Slice, slice)];
        owners.extend(match network {
            VnId::Network(name) => Some(self.owner(KindName::Network, name)),
            VnId::Shared(tenancy) => Some(self.owner(KindName::Tenant, tenancy)),
            VnId::Private(_) => None,
        });
        owners
    }
}
