//! The fast path's packet logic, over tables in ordinary memory: one subscriber behind NAT, one with a routed subnet.

use map_abi::{
    DhcpProfile, Down, FibLine, FibPage, FibTarget, HomeRef, LinePage, NatPorts, NextHop, Owner, PortEntry,
    PortLink, Session, Settings, Up, flags, port_role,
};
use packet_logic::{HostPacket, HostTables, Verdict, down, lead_on};
use zerocopy::FromZeros;

pub(crate) const ACCESS: u32 = 0;
pub(crate) const CORE: u32 = 1;
/// Interfaces of the two ports.
pub(crate) const ACCESS_IFINDEX: u32 = 10;
const CORE_IFINDEX: u32 = 11;
pub(crate) const PORT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const HOME_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];
const INSIDE: [u8; 4] = [100, 64, 0, 2];
const GATEWAY: [u8; 4] = [100, 64, 0, 1];
const PUBLIC: [u8; 4] = [198, 51, 100, 1];
const ROUTED: [u8; 4] = [203, 0, 113, 8];
pub(crate) const HASH_KEY: [u64; 2] = [0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321];
/// The /24 that suspended subscribers reach.
const GARDEN: [u8; 3] = [192, 0, 2];
const FIRST_PORT: u16 = 1024;
/// Blocks of 64 ports that the subscriber behind NAT has, and the binary logarithm of their number.
const BLOCKS: u16 = 4;
const BLOCKS_ORDER: u32 = 2;

/// A subscriber's frame, twice, so that the second one meets the mapping of the first.
pub fn fuzz_packet_up(bytes: &[u8]) {
    let tables = tables();
    for _ in 0..2 {
        run_up(&tables, bytes);
    }
    let suspended = tables_of(flags::GARDEN);
    for _ in 0..2 {
        let mut packet = HostPacket::new(bytes, ACCESS_IFINDEX);
        if let Verdict::Redirect(CORE) | Verdict::Core = up(&mut packet, &suspended) {
            let destination = packet.bytes()[30..33].to_vec();
            assert_eq!(destination, GARDEN, "nothing comes past the garden's wall");
        }
    }
}

/// A frame from the core. The first byte chooses a flow that the subscriber has opened, at whose external port the
/// frame is aimed; the rest is the frame.
pub fn fuzz_packet_down(bytes: &[u8]) {
    let Some((&choice, frame)) = bytes.split_first() else { return };
    let tables = tables();
    let frame = aimed(&tables, choice, frame);
    run_down(&tables, &frame, CORE_IFINDEX);
    let suspended = tables_of(flags::GARDEN);
    let mut packet = HostPacket::new(&frame, CORE_IFINDEX);
    let mut verdict = down(&mut packet, &suspended);
    while let Some(next) = lead_on(&mut packet, &suspended, verdict) {
        verdict = next;
    }
    if let Verdict::Redirect(_) = verdict {
        // An error's quote is what counts, and tells where its packet was going.
        let is_error = frame[23] == 1 && frame[14] == 0x45 && matches!(frame[34], 3 | 11 | 12);
        let from = if is_error { &frame[14 + 20 + 8 + 16..][..3] } else { &frame[26..29] };
        assert!(from == GARDEN || frame[14] != 0x45, "nothing comes in over the garden's wall");
    }
}

/// The frame, aimed at the external port of the flow that is chosen.
fn aimed(tables: &HostTables, choice: u8, frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    // Where the port stands: UDP, TCP, an echo's identifier, the source port in an ICMP error's quote.
    let (protocol, at) = match choice {
        1 => (17, 14 + 20 + 2),
        2 => (6, 14 + 20 + 2),
        3 => (1, 14 + 20 + 4),
        4 => (17, 14 + 20 + 8 + 20),
        _ => return frame,
    };
    if let Some(place) = frame.get_mut(at..at + 2) {
        place.copy_from_slice(&external_port(tables, protocol));
    }
    frame
}

/// Up to where the packet leaves or is handed on to the way down.
pub(crate) fn up(packet: &mut HostPacket, tables: &HostTables) -> Verdict {
    let mut verdict = packet_logic::up(packet, tables);
    while !matches!(verdict, Verdict::Core | Verdict::Core6)
        && let Some(next) = lead_on(packet, tables, verdict)
    {
        verdict = next;
    }
    verdict
}

fn run_up(tables: &HostTables, bytes: &[u8]) -> Verdict {
    let before = counted(tables);
    let mut packet = HostPacket::new(bytes, ACCESS_IFINDEX);
    let verdict = up(&mut packet, tables);
    let after = packet.bytes();
    let was_sound = is_sound(bytes, 22);
    match verdict {
        Verdict::Redirect(CORE) => {
            assert_eq!(after.len() + 8, bytes.len(), "both tags are gone and nothing else");
            assert_eq!(after[..12], [[2, 0, 0, 0, 0, 0x99], PORT_MAC].concat());
            assert!(!was_sound || is_sound(&after, 14), "a sound header stays sound");
            let source: [u8; 4] = after[26..30].try_into().expect("four bytes");
            assert!(source == PUBLIC || source[..3] == ROUTED[..3], "no inside address leaves: {source:?}");
            assert_eq!(after[22], bytes[30] - 1, "one hop less to live");
        }
        Verdict::Core => {
            run_down(tables, &after, ACCESS_IFINDEX);
        }
        Verdict::AnsweredArp(port) | Verdict::AnsweredDhcp(port) => {
            assert_eq!(port, ACCESS, "there is no third port");
            if matches!(verdict, Verdict::AnsweredDhcp(_)) {
                assert_lease(bytes, &after);
            } else {
                assert_eq!(after.len(), bytes.len(), "an answer as long as the question");
            }
        }
        Verdict::Punted(_) => assert_eq!(packet.punts().len(), 1, "user space has its copy"),
        verdict => assert!(!matches!(verdict, Verdict::Redirect(_)), "there is no third port"),
    }
    // A hairpin is counted where it ends, on its way down.
    if !matches!(verdict, Verdict::Core | Verdict::Core6) {
        assert_eq!(counted(tables) - before, 1, "each frame is counted once");
    }
    verdict
}

/// The answer to a DHCP message: the home's lease, to the home, and sound.
fn assert_lease(asked: &[u8], answer: &[u8]) {
    assert_eq!(answer[12..22], asked[12..22], "the tags are as they were");
    assert!(is_sound(answer, 22), "a sound header");
    assert!(answer[..6] == HOME_MAC || answer[..6] == [0xff; 6], "to whom it is for");
    assert!((20 + 8 + 300..=20 + 8 + 832).contains(&(answer.len() - 22)), "{} bytes", answer.len());
    let message = &answer[22 + 28..];
    assert_eq!((message[0], &message[4..8]), (2, &asked[22 + header_len(asked) + 12..][..4]));
    assert_eq!((&message[16..20], &message[28..34]), (&INSIDE[..], &HOME_MAC[..]), "the home's own lease");
}

/// Bytes of the IPv4 header.
fn header_len(frame: &[u8]) -> usize {
    usize::from(frame[22] & 15) * 4
}

fn run_down(tables: &HostTables, bytes: &[u8], ifindex: u32) -> Verdict {
    let before = counted(tables);
    let mut packet = HostPacket::new(bytes, ifindex);
    let verdict = down(&mut packet, tables);
    let after = packet.bytes();
    match verdict {
        Verdict::Redirect(port) => {
            assert_eq!(port, ACCESS, "downstream is the access port");
            assert_eq!(after.len(), bytes.len() + 8, "two tags more and nothing else");
            assert_eq!(after[..6], HOME_MAC);
            let tags = &after[12..20];
            assert!(
                [7, 8].map(|vid| [0x88, 0xa8, 0, 100, 0x81, 0, 0, vid]).iter().any(|tag| tag == tags),
                "{tags:?}"
            );
            assert!(!is_sound(bytes, 14) || is_sound(&after, 22), "a sound header stays sound");
            let destination: [u8; 4] = after[38..42].try_into().expect("four bytes");
            assert!(
                destination == INSIDE || destination[..3] == ROUTED[..3],
                "not a subscriber's: {destination:?}"
            );
        }
        _ => assert_ne!(verdict, Verdict::Core, "there is no way down from the way down"),
    }
    let is_led_on = matches!(verdict, Verdict::Core6 | Verdict::RulesIn | Verdict::GardenCore);
    assert_eq!(counted(tables) - before, u64::from(!is_led_on), "each frame is counted once");
    verdict
}

fn counted(tables: &HostTables) -> u64 {
    tables.tally().frames()
}

/// Whether a whole IPv4 header with a right checksum is at `at`.
pub(crate) fn is_sound(frame: &[u8], at: usize) -> bool {
    let Some(packet) = frame.get(at..).filter(|packet| packet.len() >= 20 && packet[0] >> 4 == 4) else {
        return false;
    };
    let header_len = usize::from(packet[0] & 0xf) * 4;
    header_len >= 20 && packet.get(..header_len).is_some_and(|header| sum(header) == 0xffff)
}

/// The one's complement sum (RFC 1071), written apart from the code under test.
pub(crate) fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

/// Lets the subscriber behind NAT open a flow and returns its external port as on the wire.
fn external_port(tables: &HostTables, protocol: u8) -> [u8; 2] {
    let payload: &[u8] = match protocol {
        6 => &[0x0f, 0xa0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0],
        1 => &[8, 0, 0, 0, 0x12, 0x34, 0, 1],
        _ => &[0x0f, 0xa0, 0, 53, 0, 8, 0, 0],
    };
    let len = u8::try_from(20 + payload.len()).expect("a short packet");
    let mut header = [0x45, 0, 0, len, 0, 0, 0x40, 0, 64, protocol, 0, 0, 100, 64, 0, 2, 192, 0, 2, 77];
    let sum = !u16::try_from(sum(&header)).expect("16 bits");
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    let ethernet = [&PORT_MAC[..], &HOME_MAC, &[0x88, 0xa8, 0, 100, 0x81, 0, 0, 7, 8, 0]].concat();
    let mut packet = HostPacket::new(&[&ethernet, &header[..], payload].concat(), ACCESS_IFINDEX);
    assert_eq!(up(&mut packet, tables), Verdict::Redirect(CORE), "the flow is opened");
    let at = if protocol == 1 { 14 + 20 + 4 } else { 14 + 20 };
    let bytes = packet.bytes();
    let port = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    assert!(
        (FIRST_PORT..FIRST_PORT + 64 * BLOCKS).contains(&port),
        "{port} is not of the subscriber's block"
    );
    port.to_be_bytes()
}

fn tables() -> HostTables {
    tables_of(flags::ACTIVE)
}

/// With both subscribers in a state of which that is the flag.
pub(crate) fn tables_of(state: u16) -> HostTables {
    let tables = HostTables::new(1 << 40);
    tables.add_to_garden(
        [&[0; 10][..], &[0xff, 0xff], &GARDEN, &[0]].concat().try_into().expect("16 bytes"),
        120,
    );
    let port =
        |index: u32| PortEntry { mac: PORT_MAC, index_plus_one: u16::try_from(index + 1).expect("small") };
    tables.set_port(ACCESS_IFINDEX, port(ACCESS));
    tables.set_port(CORE_IFINDEX, port(CORE));
    let link = PortLink { mac: PORT_MAC, mtu: 1500, ..PortLink::default() };
    let (access, core) = (port_role::ACCESS, port_role::CORE);
    tables.set_port_link(
        ACCESS,
        PortLink { ifindex: ACCESS_IFINDEX, role: access, outer_tpid: [0x88, 0xa8], ..link },
    );
    tables.set_port_link(CORE, PortLink { ifindex: CORE_IFINDEX, role: core, ..link });

    let nat = HomeRef::new(4, BLOCKS_ORDER).expect("legal");
    let routed = HomeRef::new(1, 0).expect("legal");
    let mut page = LinePage::new_zeroed();
    page.homes[7] = nat;
    page.homes[8] = routed;
    tables.set_line_page(1, page);
    tables.set_svid_page(100, 1);
    subscriber(&tables, 1, nat, 7, (INSIDE, 32), GATEWAY, state | flags::NAT);
    subscriber(&tables, 2, routed, 8, (ROUTED, 29), [203, 0, 113, 9 + 5], state);

    tables.set_dhcp_profile(1, DhcpProfile { lease_seconds: 3600, ..DhcpProfile::default() });
    let session = tables.session_value(1).expect("it is there");
    let leased = Session { address: INSIDE, s_vid: 100, c_vid: 7, dhcp_profile: 1, ..session };
    tables.set_session(1, leased);

    let mut ports = NatPorts::new_zeroed();
    for block in 0..BLOCKS {
        ports.groups[usize::from(FIRST_PORT / 64 + block)] = nat.ports(block.into());
    }
    tables.set_nat_ports(1, ports);
    route(&tables, PUBLIC, FibTarget::new(FibTarget::KIND_NAT, 1), 1);
    route(&tables, ROUTED, FibTarget::new(FibTarget::KIND_SESSION, routed.unit()), 2);
    // A pool whose other addresses nobody holds, the gateway's included.
    let pool = u32::from_be_bytes(GATEWAY);
    let mut slash20 = FibLine::default();
    slash20.entries[(pool >> 8) as usize & 15] = FibTarget::BLACKHOLE;
    tables.set_fib_line(pool >> 12, slash20);
    tables.set_next_hop(
        1,
        NextHop {
            destination: [2, 0, 0, 0, 0, 0x99],
            source: PORT_MAC,
            port: u16::try_from(CORE).expect("small"),
            mtu: 1500,
            ..NextHop::default()
        },
    );
    tables.set_settings(
        0,
        Settings {
            abi_version: map_abi::MAP_ABI_VERSION,
            default_route: FibTarget::new(FibTarget::KIND_NEXT_HOP, 1),
            hash_key: HASH_KEY,
            garden: 1,
            voice: map_abi::VoiceMarks { dscp: 46, priority: 5 }.to_bits(),
            events: map_abi::events::MAPPINGS,
        },
    );
    tables
}

/// Sends the /29 around an address to a target, through a page of its /24.
fn route(tables: &HostTables, address: [u8; 4], target: FibTarget, page: u32) {
    let address = u32::from_be_bytes(address);
    let mut line = FibLine::default();
    line.entries[(address >> 8) as usize & 15] = FibTarget::new(FibTarget::KIND_PAGE, page);
    tables.set_fib_line(address >> 12, line);
    let mut entries = [FibTarget::BLACKHOLE; 256];
    let first = address as usize & 0xf8;
    entries[first..first + 8].fill(target);
    tables.set_fib_page(page, FibPage { entries });
}

fn subscriber(
    tables: &HostTables,
    index: u32,
    home: HomeRef,
    c_vid: u8,
    (network, prefix_len): ([u8; 4], u8),
    gateway: [u8; 4],
    state_and_nat: u16,
) {
    let flags = flags::MAC_KNOWN | state_and_nat;
    let up = Up {
        mac: HOME_MAC,
        flags,
        network,
        prefix_len,
        external: PUBLIC,
        first_port: FIRST_PORT,
        ..Up::default()
    };
    let down = Down {
        mac: HOME_MAC,
        flags,
        network,
        s_tci: [0, 100],
        c_tci: [0, c_vid],
        owner: Owner::new(index, u8::try_from(ACCESS).expect("small")),
        ..Down::default()
    };
    tables.set_home(home, &up, &down);
    tables.set_session(index, Session { gateway, home, in_use: 1, ..Session::new_zeroed() });
}

#[cfg(test)]
mod tests {
    use packet_logic::{DropReason, PuntReason};

    use super::*;
    use crate::tests::seed;

    /// The fuzzer begins with packets that get all the way, or as far as they should.
    #[test]
    fn the_seeds_reach_what_they_are_for() {
        for (name, verdict) in [
            ("udp", Verdict::Redirect(CORE)),
            ("tcp", Verdict::Redirect(CORE)),
            ("ping", Verdict::Redirect(CORE)),
            ("fragment", Verdict::Redirect(CORE)),
            ("routed", Verdict::Redirect(CORE)),
            ("gateway", Verdict::Punted(PuntReason::GatewayEcho)),
            ("dhcp", Verdict::AnsweredDhcp(ACCESS)),
            ("arp", Verdict::AnsweredArp(ACCESS)),
            ("hairpin", Verdict::Core),
            ("ttl", Verdict::Drop(DropReason::TtlExpired)),
        ] {
            assert_eq!(run_up(&tables(), &seed("packet_up", name)), verdict, "{name}");
        }
        for (name, verdict) in [
            ("udp", Verdict::Redirect(ACCESS)),
            ("tcp", Verdict::Redirect(ACCESS)),
            ("ping", Verdict::Redirect(ACCESS)),
            ("fragment", Verdict::Redirect(ACCESS)),
            ("routed", Verdict::Redirect(ACCESS)),
            ("error", Verdict::Redirect(ACCESS)),
            ("unmapped", Verdict::Drop(DropReason::NatNoMapping)),
        ] {
            let tables = tables();
            let bytes = seed("packet_down", name);
            assert_eq!(
                run_down(&tables, &aimed(&tables, bytes[0], &bytes[1..]), CORE_IFINDEX),
                verdict,
                "{name}"
            );
        }
    }
}
