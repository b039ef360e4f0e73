//! A subscriber's session on its node.

use net_types::{BitRate, InterfaceAddress4, Prefix4};
use node_state::{AccessTags, Nat, RateLimit, Session};
use xos_model::{AddressPoolSpec, Bundle, Purpose, Subscriber};

use crate::NodePools;

/// Two of the longest untagged Ethernet frames (IEEE 802.3-2022, clause 3.2.7, without FCS and with one tag), in bits:
/// a bucket that cannot hold them would never let a full frame pass behind another.
const BURST_BITS_MIN: u64 = 2 * 1518 * 8;

/// The session of a subscriber whose addresses have been allocated; without them it has none.
pub fn session(subscriber: &Subscriber, pools: &NodePools) -> Option<Session> {
    let (spec, status) = (&subscriber.spec, &subscriber.status);
    let (address, gateway) = (status.address?, status.gateway?);
    let (network, len, pool) = if let Some(subnet) = status.subnet {
        (subnet, subnet.len(), pools.holding_subnet(subnet))
    } else {
        let pool = pools.holding(Purpose::Subscriber, address)?;
        (Prefix4::host(address), pool.spec.prefix.len(), Some(pool))
    };
    let burst_ms = spec.bundle.burst_ms.unwrap_or(Bundle::BURST_MS);
    Some(Session {
        subscriber: subscriber.name().clone(),
        port: spec.access.port.clone(),
        tags: AccessTags { s_vid: spec.access.s_vid, c_vid: spec.access.c_vid },
        active: !spec.suspended,
        mac: spec.mac,
        lease: InterfaceAddress4::new(address, len).ok()?,
        gateway,
        network,
        dns_servers: spec.bundle.dns.clone(),
        lease_seconds: pool.map_or(AddressPoolSpec::LEASE_SECONDS, |pool| pool.spec.lease_seconds()),
        nat: status.nat.map(|nat| Nat { address: nat.address, first_port: nat.first_port, ports: nat.ports }),
        rate_up: spec.bundle.rate_up.map(|rate| limit(rate, burst_ms)),
        rate_down: spec.bundle.rate_down.map(|rate| limit(rate, burst_ms)),
    })
}

fn limit(rate: BitRate, burst_ms: u32) -> RateLimit {
    let at_least = (BURST_BITS_MIN * 1_000_000).div_ceil(rate.bits_per_second());
    let at_least = u32::try_from(at_least).expect("two frames at the lowest rate take less than a second");
    RateLimit { rate, burst_us: at_least.max(burst_ms * 1000) }
}
