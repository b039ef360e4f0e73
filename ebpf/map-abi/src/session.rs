//! A subscriber's session: what no ordinary packet touches.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{HomeRef, Limits, OverflowShare, RulesRef, Voice};

/// `SESSIONS[index]`: counters of what is rare, and the configuration that its home was written from, so that a
/// restarted agent, and whoever looks while it is down, know what is there.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct Session {
    /// Of the layout that tests move maps to and from.
    #[cfg(layout_probe)]
    pub probe_head: u64,
    /// Hash of the session's desired state and of what of its port went in, so that a restarted agent knows what it
    /// need not write again. 0 while the session is being written; stored last.
    pub version: u64,
    /// Packets dropped on the way up and down.
    pub drops_up: u64,
    pub drops_down: u64,
    /// Theoretical arrival time of the policer for packets to user space, in 2^-6 ns.
    pub punt_arrival_q6: u64,
    /// As in `Up`.
    pub mac: [u8; 6],
    pub flags: u16,
    pub home: HomeRef,
    /// 1: the index is taken, and `name`, `home` and the rest tell by what. Stored before anything points to the home, and
    /// cleared after nothing does any more.
    pub in_use: u32,
    pub port: u16,
    pub first_port: u16,
    pub s_vid: u16,
    pub c_vid: u16,
    /// The address that DHCP leases.
    pub address: [u8; 4],
    /// The gateway's address, which ARP and pings are answered for.
    pub gateway: [u8; 4],
    pub network: [u8; 4],
    pub external: [u8; 4],
    pub prefix_len: u32,
    pub spare: u32,
    pub limits_up: Limits,
    pub limits_down: Limits,
    /// As in `Six`.
    pub link: [u8; 8],
    pub delegated: [u8; 8],
    pub delegated_len: u8,
    pub has_ipv6: u8,
    pub spare_bytes: u16,
    pub flows: HomeRef,
    /// How many port forwards there are among its mappings.
    pub forwards: u16,
    pub spare_shorts: [u16; 3],
    /// As in `Six`.
    pub rules: RulesRef,
    /// Theoretical arrival time of the policer for web requests that the portal answers, in 2^-6 ns.
    pub portal_arrival_q6: u64,
    /// What DHCP clients are told, an index of `DHCP_PROFILES`; 0: user space tells them.
    pub dhcp_profile: u32,
    pub spare_dhcp: u32,
    /// When the lease ends that the kernel gave `mac` last, in seconds of the monotonic clock; 0: it gave none since
    /// user space last said whose the lease is.
    pub lease_ends_s: u64,
    /// As in `Six`: written by user space as blocks come and go.
    pub overflow: HomeRef,
    /// Where further port blocks are taken from.
    pub overflow_share: OverflowShare,
    /// Queries and connections to resolvers that parental control has refused.
    pub dns_blocked: u64,
    /// Theoretical arrival time of the policer for broadcast and multicast frames, in 2^-6 ns.
    pub broadcast_arrival_q6: u64,
    /// The subscriber's name, NUL-padded.
    pub name: [u8; 64],
    pub voice: Voice,
    #[cfg(layout_probe)]
    pub probe_tail: [u64; 7],
}
