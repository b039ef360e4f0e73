//! What is wrong with a graph.

use net_types::Name;
use serde::Serialize;

use super::{Graph, cycle::Cycle};
use crate::{
    Fault, InterfaceDirection, KindName, NetworkSpec, Pointer, ServiceInterface, ServiceSpec, SliceSpec,
    TenantSpec, subscriber::check_settings,
};

/// A fault of one of the graph's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphFault {
    pub kind: KindName,
    pub name: Name,
    pub fault: Fault,
}

/// Why a tenancy and its services do not fit.
struct Misfit {
    /// What of the Tenant is at fault.
    tenant: &'static str,
    /// What of the Service is, when it is the Service that changes.
    service: &'static str,
    detail: String,
}

const PROVIDER: &str = "/spec/provider";
const PROVIDER_INTERFACE: &str = "/spec/providerInterface";
const TENANT_INTERFACE: &str = "/spec/tenantInterface";
const INTERFACES: &str = "/spec/interfaces";

impl Graph {
    /// All that is wrong with the graph as it stands. A Service that is no longer enabled keeps the tenants that it has.
    pub fn check(&self) -> Vec<GraphFault> {
        let mut found = Vec::new();
        let mut find = |kind, name: &Name, fault| found.push(GraphFault { kind, name: name.clone(), fault });
        for (name, held) in &self.tenants {
            for misfit in self.misfits(&held.spec) {
                find(KindName::Tenant, name, Fault::new(misfit.tenant, misfit.detail));
            }
            for fault in self.setting_faults(&held.spec) {
                find(KindName::Tenant, name, fault);
            }
        }
        for cycle in self.cycles() {
            find(KindName::Tenant, cycle.closed_by, cycle_fault(&cycle));
        }
        for name in self.tenancies_of_themselves() {
            find(KindName::Tenant, name, ring_fault());
        }
        for (name, held) in &self.slices {
            self.check_slice(name, &held.spec)
                .into_iter()
                .for_each(|fault| find(KindName::Slice, name, fault));
        }
        found
    }

    /// What is wrong with a Tenant that is new in the graph, or no longer what it was `before`.
    pub fn admit_tenant(&self, name: &Name, before: Option<&TenantSpec>) -> Vec<Fault> {
        let Some(spec) = self.tenant(name) else { return Vec::new() };
        let misfits = self.misfits(spec).into_iter();
        let mut faults: Vec<_> = misfits.map(|misfit| Fault::new(misfit.tenant, misfit.detail)).collect();
        faults.extend(self.setting_faults(spec));
        if before.is_none_or(|before| before.provider != spec.provider) {
            if self.service(&spec.provider).is_some_and(|provider| !provider.enabled) {
                let detail = format!("Service {} is not enabled: it takes no new tenants", spec.provider);
                faults.push(Fault::new(PROVIDER, detail));
            }
            faults.extend(before.and_then(|before| self.move_fault(&before.provider, &spec.provider)));
        }
        faults.extend(self.cycle_through(name).as_ref().map(cycle_fault));
        if self.is_tenant_of_itself(name) {
            faults.push(ring_fault());
        }
        faults
    }

    /// A tenant moves only between versions of one service.
    fn move_fault(&self, from: &Name, to: &Name) -> Option<Fault> {
        let (was, is) = (self.service(from)?, self.service(to)?);
        (was.service_type != is.service_type).then(|| {
            let (was, is) = (&was.service_type, &is.service_type);
            let detail =
                format!("a tenancy with {from}, a {was}, does not move to {to}, a {is}: make another one");
            Fault::new(PROVIDER, detail)
        })
    }

    /// What is wrong with a Service that is new in the graph, or no longer what it was `before`.
    pub fn admit_service(&self, name: &Name, before: Option<&ServiceSpec>) -> Vec<Fault> {
        let Some(spec) = self.service(name) else { return Vec::new() };
        let mut faults = Vec::new();
        let tenancies = || self.used.get(name).chain(self.uses.get(name));
        let retyped = before.is_some_and(|before| before.service_type != spec.service_type);
        if retyped && let Some(tenancy) = tenancies().next() {
            let detail = format!("Tenant {tenancy} is with a service of another type");
            faults.push(Fault::new("/spec/serviceType", detail));
        }
        for tenancy in tenancies() {
            for misfit in self.tenant(tenancy).map(|spec| self.misfits(spec)).unwrap_or_default() {
                faults.push(Fault::new(misfit.service, format!("Tenant {tenancy}: {}", misfit.detail)));
            }
            for fault in self.tenant(tenancy).map(|spec| self.setting_faults(spec)).unwrap_or_default() {
                faults.push(Fault::new(INTERFACES, format!("Tenant {tenancy}: {fault}")));
            }
        }
        faults
    }

    /// What is wrong with a Slice that is new or changed.
    pub fn admit_slice(&self, name: &Name) -> Vec<Fault> {
        self.slices.get(name).map(|held| self.check_slice(name, &held.spec)).unwrap_or_default()
    }

    /// What is wrong with a Network that is new or changed.
    pub fn admit_network(&self, name: &Name) -> Vec<Fault> {
        let Some(held) = self.networks.get(name) else { return Vec::new() };
        let refused = self.attached.get(name).filter(|slice| !held.spec.permits(slice));
        let fault = |slice| Fault::new("/spec/permittedSlices", format!("Slice {slice} is attached"));
        refused.map(fault).collect()
    }

    /// What is wrong with an Instance that is new or changed.
    pub fn admit_instance(&self, name: &Name) -> Vec<Fault> {
        let Some(held) = self.instances.get(name) else { return Vec::new() };
        let slice = &held.spec.slice;
        let fault = self.slices.get(slice).and_then(|held| self.crowd_fault(slice, &held.spec));
        fault.map(|detail| Fault::new("/spec/slice", detail)).into_iter().collect()
    }

    fn check_slice(&self, name: &Name, spec: &SliceSpec) -> Vec<Fault> {
        let mut faults = Vec::new();
        let refuses = |network: &Name| {
            let held = self.networks.get(network);
            held.is_some_and(|held| !NetworkSpec::permits(&held.spec, name))
        };
        for (i, network) in spec.networks.iter().enumerate().filter(|(_, network)| refuses(network)) {
            let detail = format!("Network {network} does not permit Slice {name}");
            faults.push(Fault::new(Pointer::from("/spec/networks").at(i), detail));
        }
        let crowd = self.crowd_fault(name, spec);
        faults.extend(crowd.map(|detail| Fault::new("/spec/maxInstances", detail)));
        faults
    }

    fn crowd_fault(&self, slice: &Name, spec: &SliceSpec) -> Option<String> {
        let (count, max) = (self.instances_of.count(slice), spec.max_instances);
        let crowded = u32::try_from(count).map_or(true, |count| count > max);
        crowded.then(|| format!("Slice {slice} has at most {max} instances, not {count}"))
    }

    /// What is wrong with what a tenancy says for all subscribers that it leads to its provider.
    fn setting_faults(&self, tenancy: &TenantSpec) -> Vec<Fault> {
        let provider = self.service(&tenancy.provider).filter(|_| tenancy.per_tenant);
        provider.map(|provider| check_settings(provider, &tenancy.attributes)).unwrap_or_default()
    }

    /// Where a tenancy does not fit its services.
    fn misfits(&self, tenancy: &TenantSpec) -> Vec<Misfit> {
        let Some(provider) = self.service(&tenancy.provider) else { return Vec::new() };
        let name = &tenancy.provider;
        let mut misfits = Vec::new();
        let (kind, connect) = (tenancy.tenant.kind, tenancy.connect);
        if !provider.accepts.tenants.contains(&kind) {
            misfits.push(Misfit {
                tenant: "/spec/tenant/kind",
                service: "/spec/accepts/tenants",
                detail: format!("Service {name} accepts no {kind} as a tenant"),
            });
        }
        if !provider.accepts.connect.contains(&connect) {
            misfits.push(Misfit {
                tenant: "/spec/connect",
                service: "/spec/accepts/connect",
                detail: format!("Service {name} accepts no tenants with the connect \"{connect}\""),
            });
        }
        let tenant = self.tenant_service(tenancy).and_then(|tenant| self.services.get_key_value(tenant));
        misfits.extend(interface_misfit(tenancy, provider, tenant.map(|(name, held)| (name, &held.spec))));
        misfits
    }
}

fn cycle_fault(cycle: &Cycle<'_>) -> Fault {
    Fault::new(PROVIDER, format!("a cycle of services, each a tenant of the next: {cycle}"))
}

fn ring_fault() -> Fault {
    Fault::new("/spec/tenant/name", "a tenancy cannot be, over any number of others, its own tenant")
}

/// Why no interface that the provider provides fits one that the tenant requires, of those that the tenancy names or,
/// where it names none, of all. A service that declares no such interfaces fits whatever comes.
fn interface_misfit(
    tenancy: &TenantSpec,
    provider: &ServiceSpec,
    tenant: Option<(&Name, &ServiceSpec)>,
) -> Option<Misfit> {
    let misfit = |tenant, detail| Some(Misfit { tenant, service: INTERFACES, detail });
    let offers = match chosen(provider, tenancy.provider_interface.as_ref(), InterfaceDirection::Provides) {
        Ok(offers) => offers,
        Err(name) => {
            let detail = format!("Service {} provides no interface {name}", tenancy.provider);
            return misfit(PROVIDER_INTERFACE, detail);
        }
    };
    let (tenant_name, tenant) = tenant?;
    let needs = match chosen(tenant, tenancy.tenant_interface.as_ref(), InterfaceDirection::Requires) {
        Ok(needs) => needs,
        Err(name) => {
            return misfit(TENANT_INTERFACE, format!("Service {tenant_name} requires no interface {name}"));
        }
    };
    let fits = |a: &&ServiceInterface| needs.iter().any(|b| a.kind == b.kind);
    if offers.is_empty() || needs.is_empty() || offers.iter().any(fits) {
        return None;
    }
    let types = |list: &[&ServiceInterface]| {
        list.iter().map(|interface| interface.kind.as_str()).collect::<Vec<_>>().join(", ")
    };
    let detail = format!(
        "the interfaces do not match: {} provides {}, {tenant_name} requires {}",
        tenancy.provider,
        types(&offers),
        types(&needs)
    );
    misfit(if tenancy.provider_interface.is_some() { PROVIDER_INTERFACE } else { PROVIDER }, detail)
}

/// The interface of that name, or all, of one direction.
fn chosen<'a>(
    service: &'a ServiceSpec,
    name: Option<&'a Name>,
    direction: InterfaceDirection,
) -> Result<Vec<&'a ServiceInterface>, &'a Name> {
    let mut list: Vec<_> = service.interfaces.iter().filter(|one| one.direction == direction).collect();
    if let Some(name) = name {
        list.retain(|interface| interface.name == *name);
        if list.is_empty() {
            return Err(name);
        }
    }
    Ok(list)
}
