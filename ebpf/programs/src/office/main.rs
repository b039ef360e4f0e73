//! The office's programs: `access` on access ports, `core` on core ports, one more of
//! each for IPv6, two for first packets, two for a firewall's rules, four for sessions that are not active, two for
//! further port blocks, one for DHCP clients and two for what goes to resolvers, to which they lead on, and three that user
//! space alone runs: `clerk`, `wiper` and `reader`.
#![no_std]
#![no_main]

mod kernel;
mod maps;

use aya_ebpf::{bindings::xdp_action, macros::xdp, programs::XdpContext};
use kernel::{Maps, Xdp};
use map_abi::{layout, program};
use packet_logic::Verdict;

#[xdp]
pub fn access(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::up(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn core(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::down(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn open(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::open(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn open6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::open6(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn rules(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::rules(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn rules_in(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::rules_in(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn access6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::up6(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn core6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::down6(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn garden(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::garden_up(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn garden6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::garden_up6(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn garden_core(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::garden_down(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn garden_core6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::garden_down6(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn overflow(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::overflow_up(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn overflow_in(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::overflow_down(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn dhcp(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::dhcp(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn dns(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::dns(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn dns_name(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act(packet_logic::dns_name(&mut packet, &Maps), &packet.0)
}

#[xdp]
pub fn clerk(ctx: XdpContext) -> u32 {
    packet_logic::poke(&Xdp(ctx), &Maps);
    xdp_action::XDP_PASS
}

#[xdp]
pub fn wiper(ctx: XdpContext) -> u32 {
    packet_logic::wipe(&Xdp(ctx), &Maps);
    xdp_action::XDP_PASS
}

#[xdp]
pub fn reader(ctx: XdpContext) -> u32 {
    packet_logic::peek(&Xdp(ctx), &Maps);
    xdp_action::XDP_PASS
}

#[inline(always)]
fn act(verdict: Verdict, ctx: &XdpContext) -> u32 {
    match verdict {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Redirect(port) => {
            maps::REDIRECT.redirect(port, u64::from(xdp_action::XDP_DROP)).unwrap_or(xdp_action::XDP_DROP)
        }
        Verdict::Core => lead_on(ctx, program::CORE),
        Verdict::Open => lead_on(ctx, program::OPEN),
        Verdict::Open6 => lead_on(ctx, program::OPEN6),
        Verdict::Rules => lead_on(ctx, program::RULES),
        Verdict::RulesIn => lead_on(ctx, program::RULES_IN),
        Verdict::Access => lead_on(ctx, program::ACCESS),
        Verdict::Access6 => lead_on(ctx, program::ACCESS6),
        Verdict::Core6 => lead_on(ctx, program::CORE6),
        Verdict::Garden => lead_on(ctx, program::GARDEN),
        Verdict::Garden6 => lead_on(ctx, program::GARDEN6),
        Verdict::GardenCore => lead_on(ctx, program::GARDEN_CORE),
        Verdict::GardenCore6 => lead_on(ctx, program::GARDEN_CORE6),
        Verdict::Overflow => lead_on(ctx, program::OVERFLOW),
        Verdict::OverflowIn => lead_on(ctx, program::OVERFLOW_IN),
        Verdict::Dhcp => lead_on(ctx, program::DHCP),
        Verdict::Dns => lead_on(ctx, program::DNS),
        Verdict::DnsName => lead_on(ctx, program::DNS_NAME),
        Verdict::Punted | Verdict::Drop(_) => xdp_action::XDP_DROP,
    }
}

#[inline(always)]
fn lead_on(ctx: &XdpContext, to: u32) -> u32 {
    // SAFETY: nothing here has a destructor. Returns only if the program is missing.
    unsafe { maps::PROGRAMS.tail_call(ctx, to) };
    xdp_action::XDP_ABORTED
}

/// What lies where in the maps of this object.
#[unsafe(link_section = "layout")]
#[unsafe(no_mangle)]
static LAYOUT: [u8; layout::TEXT.len()] = {
    let mut text = [0; layout::TEXT.len()];
    text.copy_from_slice(layout::TEXT);
    text
};

#[panic_handler]
fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
