//! What a subscriber's DHCPv4 client is told, as the kernel has it.

use map_abi::{DHCP_RESOLVERS_MAX, DhcpProfile};
use node_state::Session;
use smallvec::SmallVec;

/// Option codes (RFC 2132).
mod code {
    pub(super) const SUBNET_MASK: u8 = 1;
    pub(super) const RESOLVERS: u8 = 6;
    pub(super) const LEASE_TIME: u8 = 51;
    pub(super) const RENEWAL_TIME: u8 = 58;
    pub(super) const REBINDING_TIME: u8 = 59;
}

/// What the kernel says of a session's lease besides the addresses, the same as `access_protocols::dhcp4` would; `None`:
/// it has no room for so many resolvers, and user space answers.
pub fn dhcp_profile(session: &Session) -> Option<DhcpProfile> {
    let Session { lease, lease_seconds, dns_servers, .. } = session;
    if dns_servers.len() > DHCP_RESOLVERS_MAX {
        return None;
    }
    let mask = u32::MAX.checked_shl(32 - u32::from(lease.prefix_len())).unwrap_or(0);
    // The defaults of RFC 2131, section 4.4.5: half and seven eighths.
    let times = [
        (code::LEASE_TIME, *lease_seconds),
        (code::RENEWAL_TIME, lease_seconds / 2),
        (code::REBINDING_TIME, lease_seconds - lease_seconds / 8),
    ];
    let times: Bytes = times.iter().flat_map(|(code, time)| option(*code, &time.to_be_bytes())).collect();
    let addresses: Bytes = dns_servers.iter().flat_map(std::net::Ipv4Addr::octets).collect();
    let resolvers = if addresses.is_empty() { Bytes::new() } else { option(code::RESOLVERS, &addresses) };
    let [mask] = words(&option(code::SUBNET_MASK, &mask.to_be_bytes()));
    Some(DhcpProfile {
        lease_seconds: *lease_seconds,
        resolvers_len: u32::try_from(resolvers.len()).ok()?,
        times: words(&times),
        mask,
        resolvers: words(&resolvers),
    })
}

/// As long as options mostly are.
type Bytes = SmallVec<[u8; 32]>;

fn option(code: u8, data: &[u8]) -> Bytes {
    let len = u8::try_from(data.len()).unwrap_or(u8::MAX);
    [code, len].into_iter().chain(data.iter().copied()).collect()
}

/// Bytes in words, filled up with zeros.
fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    std::array::from_fn(|n| {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(bytes.iter().skip(n * 8)) {
            *to = *from;
        }
        u64::from_ne_bytes(word)
    })
}
