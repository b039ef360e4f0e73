//! The office's programs: `access` on access ports, `core` on core ports, one more of
//! each for IPv6, two for first packets, two for a firewall's rules, four for sessions that are not active, two for
//! further port blocks, one for DHCP clients, two for what goes to resolvers and one for what is said on a link, to which
//! they lead on, and three that user space alone runs: `clerk`, `wiper` and `reader`.
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
    act::<UP>(packet_logic::up(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn core(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<DOWN>(packet_logic::down(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn open(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::open(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn open6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::open6(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn rules(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::rules(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn rules_in(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<DOWN>(packet_logic::rules_in(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn access6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::up6(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn core6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<DOWN>(packet_logic::down6(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn garden(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::garden_up(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn garden6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::garden_up6(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn garden_core(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<DOWN>(packet_logic::garden_down(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn garden_core6(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<DOWN>(packet_logic::garden_down6(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn overflow(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::overflow_up(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn overflow_in(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<DOWN>(packet_logic::overflow_down(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn dhcp(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::dhcp(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn dns(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::dns(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn dns_name(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::dns_name(&mut packet, &Maps), &packet)
}

#[xdp]
pub fn link(ctx: XdpContext) -> u32 {
    let mut packet = Xdp(ctx);
    act::<UP>(packet_logic::link(&mut packet, &Maps), &packet)
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

/// Of a program for what comes from lines, and for what goes to them.
const UP: bool = true;
const DOWN: bool = false;

#[inline(always)]
fn act<const IS_UP: bool>(verdict: Verdict, packet: &Xdp) -> u32 {
    match verdict {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Redirect(_)
        | Verdict::AnsweredArp(_)
        | Verdict::AnsweredDhcp(_)
        | Verdict::AnsweredDns(_) => xdp_action::XDP_REDIRECT,
        Verdict::Core => lead_on::<IS_UP>(packet, program::CORE),
        Verdict::Open => lead_on::<IS_UP>(packet, program::OPEN),
        Verdict::Open6 => lead_on::<IS_UP>(packet, program::OPEN6),
        Verdict::Rules => lead_on::<IS_UP>(packet, program::RULES),
        Verdict::RulesIn => lead_on::<IS_UP>(packet, program::RULES_IN),
        Verdict::Access => lead_on::<IS_UP>(packet, program::ACCESS),
        Verdict::Access6 => lead_on::<IS_UP>(packet, program::ACCESS6),
        Verdict::Core6 => lead_on::<IS_UP>(packet, program::CORE6),
        Verdict::Garden => lead_on::<IS_UP>(packet, program::GARDEN),
        Verdict::Garden6 => lead_on::<IS_UP>(packet, program::GARDEN6),
        Verdict::GardenCore => lead_on::<IS_UP>(packet, program::GARDEN_CORE),
        Verdict::GardenCore6 => lead_on::<IS_UP>(packet, program::GARDEN_CORE6),
        Verdict::Overflow => lead_on::<IS_UP>(packet, program::OVERFLOW),
        Verdict::OverflowIn => lead_on::<IS_UP>(packet, program::OVERFLOW_IN),
        Verdict::Dhcp => lead_on::<IS_UP>(packet, program::DHCP),
        Verdict::Dns => lead_on::<IS_UP>(packet, program::DNS),
        Verdict::DnsName => lead_on::<IS_UP>(packet, program::DNS_NAME),
        Verdict::Link => lead_on::<IS_UP>(packet, program::LINK),
        Verdict::Punted(_) | Verdict::Drop(_) => xdp_action::XDP_DROP,
    }
}

#[inline(always)]
fn lead_on<const IS_UP: bool>(packet: &Xdp, to: u32) -> u32 {
    // SAFETY: nothing here has a destructor. Returns only if the program is missing, or too many were led through.
    unsafe { maps::PROGRAMS.tail_call(&packet.0, to) };
    packet_logic::led_nowhere(packet, &Maps, IS_UP);
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
