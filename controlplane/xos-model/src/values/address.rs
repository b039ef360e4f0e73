//! Addresses.

use std::net::Ipv4Addr;

/// Whether a host may have this address.
pub(crate) fn is_unicast(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first != 0 && first != 127 && first < 224
}
