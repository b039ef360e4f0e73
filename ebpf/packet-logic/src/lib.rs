//! What happens to a subscriber's packet.
//!
//! Two entry points, [`up`] for frames that come in by an access port and [`down`] for those from the core, and one more
//! of each for IPv6, [`up6`] and [`down6`], which the first ones lead on to, as they do to [`dhcp`], [`dns()`] and [`link`]. All are generic over the [`Packet`] at hand and the [`Tables`] it is judged by, so that the very same code runs in the
//! kernel (ebpf/programs gives it an XDP context and maps) and on the host (feature `host`: buffers and vectors).
//!
//! ```text
//! up    tags → home → (ARP, broadcast and multicast: storm limit) → DHCP → source check → FIB → rate → TTL, MTU → NAT → Ethernet of the next hop
//! down  FIB → NAT mapping or routed home → TTL → firewall → rate → MTU → translate back → tags of the session
//! ```
//!
//! Sessions that are not active have entry points of their own ([`garden_up`] and three more), which are the same but that
//! they ask the walled garden first: no packet comes past that, for nothing else leads on from there.
//!
//! Nothing here panics or writes out of bounds, whatever the bytes are; a packet that is not understood has a
//! [`DropReason`]. No helper of the kernel is called between parsing and redirecting but for the clock.
#![cfg_attr(not(feature = "host"), no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch, core_intrinsics))]
#![cfg_attr(
    target_arch = "bpf",
    expect(internal_features, reason = "the target's atomics are not stable yet")
)]

mod access;
mod arp;
mod buckets;
mod checksum;
mod clerk;
mod core_side;
mod dhcp4;
mod dns;
mod down;
mod fib;
mod fib6;
mod firewall;
mod flows;
mod fragment;
mod frame;
mod garden;
mod home;
#[cfg(feature = "host")]
mod host;
mod icmp;
mod inbound;
mod link;
mod live;
mod mss;
mod nat;
mod one_to_one;
mod open;
mod overflow;
mod parse;
mod parse6;
mod path;
mod policer;
mod priority;
mod reverse_path;
mod rules;
mod sheet;
mod six;
mod storm;
mod tables;
mod told;
mod up;
mod verdict;
mod vlan;
mod voice;

pub use checksum::{Delta, checksum};
pub use clerk::{peek, poke, wipe};
pub use dhcp4::dhcp;
pub use dns::{dns, dns_name};
pub use down::{down, garden_down, overflow_down};
pub use frame::{Frame, Window, opaque_size};
#[cfg(feature = "host")]
pub use host::{HostPacket, HostTables, lead_on};
pub use link::link;
pub use map_abi::{DropReason, PuntReason};
pub use open::open;
pub use rules::{rules, rules_in};
pub use six::{down6, garden_down6, garden_up6, open6, up6};
pub use tables::{Packet, Tables};
pub use up::{garden_up, overflow_up, up};
pub use verdict::{Verdict, led_nowhere};
