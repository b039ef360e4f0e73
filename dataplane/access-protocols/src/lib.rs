//! What the office says on a subscriber's line: DHCPv4 and DHCPv6, neighbour discovery, ICMP errors and echo replies, and
//! the redirects of a captive portal.
//!
//! The fast path hands a frame to user space when the answer needs more than a table. Everything here is a function
//! from that frame (and the session it belongs to) to a frame to send back on the same port, or to a reason for
//! silence. No sockets, no clock: time is an argument, and state goes in and comes out as values.
//!
//! ```text
//! punted frame ─► Frame ─► Ipv4 ─► Udp ─► dhcp4::handle(context, frame) ─► Outcome { reply, binding, event }
//!                │             └────────► icmp::error / icmp::echo_reply ─► frame, or Silence
//!                └► Ipv6 ─► Udp ─► dhcp6::handle(context, frame) ─► Outcome { reply, bindings, neighbour, event }
//!                    └─► Icmp6 ──► nd::handle(context, frame) ────► Outcome { reply, neighbour, event }
//!                           └────► icmp6::error / icmp6::echo_reply ─► frame, or Silence
//! punted frame ─► Ipv4, Ipv6 ─► Tcp ─► portal::answer ─────────────► frame, or Silence
//! a timer ─────────────────► nd::router_advertisement(context, tags, to) ─► frame
//! ```
//!
//! No function panics, whatever the bytes.

mod checksum;
pub mod dhcp4;
pub mod dhcp6;
mod frame;
pub mod icmp;
pub mod icmp6;
mod ipv4;
mod ipv6;
mod line;
pub mod nd;
pub mod portal;
mod rate;
mod tcp;
mod udp;

pub use frame::{Frame, Tag, Tags};
pub use ipv4::{Ipv4, Ipv4Header, PROTOCOL_ICMP, PROTOCOL_UDP};
pub use ipv6::{Ipv6, Ipv6Header, PROTOCOL_ICMP6};
pub use line::{LineError, Neighbour};
pub use rate::TokenBucket;
pub use tcp::{PROTOCOL_TCP, Tcp};
pub use udp::Udp;

/// The Ethernet types of IPv4 and IPv6.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
pub const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Why bytes are not the packet that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    #[error("the frame ends before its headers do")]
    Truncated,
    #[error("the frame does not carry IPv4")]
    NotIpv4,
    #[error("the frame does not carry IPv6")]
    NotIpv6,
    #[error("a header is malformed")]
    BadHeader,
    #[error("there are too many extension headers")]
    ExtensionHeaders,
    #[error("the checksum is wrong")]
    BadChecksum,
    #[error("the packet is a fragment")]
    Fragment,
    #[error("the packet is of another protocol")]
    Protocol,
}

#[cfg(test)]
mod tests;
