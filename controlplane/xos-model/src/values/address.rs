//! Addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a host may have this address.
pub(crate) fn is_unicast(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first != 0 && first != 127 && first < 224
}

/// Whether a host may have this address, for use beyond its link (RFC 4291, section 2.4).
pub(crate) fn is_unicast6(address: Ipv6Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some())
}
