//! What a service is told of a subscriber: what the interfaces that it provides are about.
//!
//! What a subscriber leaves open, the tenancy that leads to the service may say for all (`/spec/attributes`), and what
//! that leaves open, the service: so versions of one service, side by side, can treat their subscribers differently.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use net_types::{BitRate, IfName, Mac, Name, Prefix, Prefix4, Vid};
use serde::Serialize;
use serde_json::Value;

use super::{Bundle, Firewall, ForwardedPort, NatBlock, ParentalControl, SubscriberIpv6, Voice};
use crate::{Attributes, Fault, Link, Pointer, ServiceSpec};

mod settings;

use settings::HomeSettings;
pub(crate) use settings::check_settings;

/// The type of an interface at which lines end: see [`AccessLine`].
pub const ACCESS_LINE: &str = "access-line";
/// The type of an interface that serves a home: see [`HomeNetwork`].
pub const HOME_NETWORK: &str = "home-network";
/// The type of an interface that leads to the Internet: see [`InternetRoute`].
pub const INTERNET_ROUTE: &str = "internet-route";

/// Where the subscriber's line ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLine<'a> {
    pub node: &'a Name,
    pub port: &'a IfName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s_vid: Option<Vid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_vid: Option<Vid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
}

/// What the home gets: its address, its share of a public one, rates and resolvers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HomeNetwork<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_up: Option<BitRate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_down: Option<BitRate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_up: Option<BitRate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_down: Option<BitRate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst_ms: Option<u32>,
    #[serde(skip_serializing_if = "<[Ipv4Addr]>::is_empty")]
    pub dns: Cow<'a, [Ipv4Addr]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<SubscriberIpv6>,
    /// Nothing without `ipv6`.
    #[serde(skip_serializing_if = "<[Ipv6Addr]>::is_empty")]
    pub dns6: Cow<'a, [Ipv6Addr]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<&'a Firewall>,
    #[serde(skip_serializing_if = "<[ForwardedPort]>::is_empty")]
    pub port_forwards: &'a [ForwardedPort],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parental_control: Option<&'a ParentalControl>,
}

/// What is routed to the subscriber, and on which node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InternetRoute<'a> {
    pub node: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Prefix4>,
    #[serde(skip_serializing_if = "<[Prefix]>::is_empty")]
    pub more_subnets: &'a [Prefix],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<SubscriberIpv6>,
}

impl<'a> AccessLine<'a> {
    pub fn of(link: &Link<'a>) -> Self {
        let spec = &link.subscriber.spec;
        let access = &spec.access;
        Self {
            node: &access.node,
            port: &access.port,
            s_vid: access.s_vid,
            c_vid: access.c_vid,
            mac: spec.mac,
        }
    }
}

impl<'a> HomeNetwork<'a> {
    /// Faults are those of what is said for all, at the Tenant or the Service that says it.
    pub fn of(link: &Link<'a>) -> Result<Self, Vec<Fault>> {
        let Bundle {
            rate_up,
            rate_down,
            committed_up,
            committed_down,
            burst_ms,
            dns,
            dns6,
            firewall,
            nat: _,
            ipv6: _,
            port_forwards: _,
            voice,
            parental_control,
            overflow_blocks: _,
            nat_filtering: _,
            nat_one_to_one: _,
            nat_exempt: _,
        } = &link.subscriber.spec.bundle;
        let status = &link.subscriber.status;
        let mut faults = Vec::new();
        let at = Pointer::from(settings::PLACE);
        let tenancy = link.tenancy.map(|tenancy| HomeSettings::of(&tenancy.attributes, &at, &mut faults));
        let tenancy = tenancy.unwrap_or_default();
        let service = HomeSettings::of(&link.service_spec.attributes, &at, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let dns = match dns.as_slice() {
            [] => Cow::Owned(tenancy.dns.or(service.dns).unwrap_or_default()),
            own => Cow::Borrowed(own),
        };
        let dns6 = match dns6.as_slice() {
            _ if status.ipv6.is_none() => Cow::default(),
            [] => Cow::Owned(tenancy.dns6.or(service.dns6).unwrap_or_default()),
            own => Cow::Borrowed(own),
        };
        let rate_up = rate_up.or(tenancy.rate_up).or(service.rate_up);
        let rate_down = rate_down.or(tenancy.rate_down).or(service.rate_down);
        let committed_up = committed_up.or(tenancy.committed_up).or(service.committed_up);
        let committed_down = committed_down.or(tenancy.committed_down).or(service.committed_down);
        Ok(Self {
            address: status.address,
            gateway: status.gateway,
            nat: status.nat,
            public_address: status.public_address,
            rate_up,
            rate_down,
            committed_up: committed(committed_up, rate_up),
            committed_down: committed(committed_down, rate_down),
            burst_ms: burst_ms.or(tenancy.burst_ms).or(service.burst_ms),
            dns,
            ipv6: status.ipv6,
            dns6,
            firewall: firewall.as_ref(),
            port_forwards: &status.port_forwards,
            voice: *voice,
            parental_control: parental_control.as_ref(),
        })
    }
}

/// Where one of the two is said for all and the other for one, all of a lower rate is committed.
fn committed(committed: Option<BitRate>, rate: Option<BitRate>) -> Option<BitRate> {
    committed.map(|committed| rate.map_or(committed, |rate| rate.min(committed)))
}

impl<'a> InternetRoute<'a> {
    pub fn of(link: &Link<'a>) -> Self {
        let status = &link.subscriber.status;
        let node = &link.subscriber.spec.access.node;
        Self {
            node,
            subnet: status.subnet,
            more_subnets: &status.more_subnets,
            public_address: status.public_address,
            nat: status.nat,
            ipv6: status.ipv6,
        }
    }
}

/// The same as attributes of the tenancy; nothing, if the service provides none of the interfaces that are known here.
pub fn subscriber_attributes(link: Link<'_>) -> Attributes {
    let mut told = Attributes::default();
    for kind in provided(link.service_spec) {
        let about = match kind.as_str() {
            ACCESS_LINE => serde_json::to_value(AccessLine::of(&link)),
            HOME_NETWORK => HomeNetwork::of(&link).map_or(Ok(Value::Null), serde_json::to_value),
            INTERNET_ROUTE => serde_json::to_value(InternetRoute::of(&link)),
            _ => continue,
        };
        if let Ok(Value::Object(members)) = about {
            told.0.extend(members);
        }
    }
    told
}

/// The types of the interfaces that a service provides.
pub(crate) fn provided(service: &ServiceSpec) -> impl Iterator<Item = &Name> {
    service.provided().map(|interface| &interface.kind)
}
