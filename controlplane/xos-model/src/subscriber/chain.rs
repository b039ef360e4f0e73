//! The chain of tenancies that follows from a subscriber: subscriber → vOLT → vCPE → vBNG.

use net_types::Name;

use crate::{Connect, Provider, Subscriber, TenantAttributes, TenantKind, TenantOf, TenantSpec};

/// What the names of a subscriber's tenants add to its own, in the order of the chain.
pub const TENANT_SUFFIXES: [&str; 3] = ["-volt", "-vcpe", "-vbng"];

/// The longest of them.
pub(crate) const SUFFIX_LEN_MAX: usize = 5;

/// The tenancies of a subscriber whose addresses have been allocated, with their names.
pub fn chain(subscriber: &Subscriber) -> [(Name, TenantSpec); 3] {
    let (spec, status) = (&subscriber.spec, &subscriber.status);
    let [volt, vcpe, vbng] = TENANT_SUFFIXES.map(|suffix| {
        let name = format!("{}{suffix}", subscriber.name());
        name.parse::<Name>().expect("a subscriber's name leaves room for its tenants' suffixes")
    });
    let spec_of =
        |kind, name: &Name, provider: Provider, connect, attributes: &TenantAttributes| TenantSpec {
            tenant: TenantOf { kind, name: name.clone() },
            provider: provider.name(),
            connect,
            provider_interface: None,
            tenant_interface: None,
            per_tenant: false,
            direction: None,
            attributes: attributes.into(),
        };
    let line = TenantAttributes {
        node: Some(spec.access.node.clone()),
        port: Some(spec.access.port.clone()),
        s_vid: Some(spec.access.s_vid),
        c_vid: Some(spec.access.c_vid),
        mac: spec.mac,
        ..TenantAttributes::default()
    };
    let home = TenantAttributes {
        address: status.address,
        gateway: status.gateway,
        nat: status.nat,
        rate_up: spec.bundle.rate_up,
        rate_down: spec.bundle.rate_down,
        dns: spec.bundle.dns.clone(),
        ..TenantAttributes::default()
    };
    let edge = TenantAttributes {
        node: Some(spec.access.node.clone()),
        subnet: status.subnet,
        nat: status.nat,
        ..TenantAttributes::default()
    };
    let line = spec_of(TenantKind::Subscriber, subscriber.name(), Provider::Volt, Connect::Shared, &line);
    let home = spec_of(TenantKind::Tenant, &volt, Provider::Vcpe, Connect::Shared, &home);
    let edge = spec_of(TenantKind::Tenant, &vcpe, Provider::Vbng, Connect::Public, &edge);
    [(volt, line), (vcpe, home), (vbng, edge)]
}
