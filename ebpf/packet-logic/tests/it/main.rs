//! Properties of the packet path on the host. What happens to which packet is in ebpf/fastpath/tests/it/fixtures.rs.

mod rates;

use std::net::Ipv4Addr;

use etherparse::PacketBuilder;
use map_abi::{
    Down, FibLine, FibPage, FibTarget, HomeRef, LinePage, NatPorts, NextHop, Owner, PortEntry, PortLink,
    Session, Up, flags, port_role,
};
use packet_logic::{Delta, DropReason, HostPacket, HostTables, Verdict, checksum, lead_on};
use proptest::prelude::*;
use zerocopy::FromZeros;

const ACCESS: u32 = 5;
const CORE: u32 = 6;
const ACCESS_MAC: [u8; 6] = [2, 0xac, 0, 0, 0, 1];
const CORE_MAC: [u8; 6] = [2, 0xc0, 0, 0, 0, 1];
const HOME_MAC: [u8; 6] = [2, 0xa1, 0, 0, 0, 1];
const NEXT_MAC: [u8; 6] = [2, 0xfe, 0, 0, 0, 1];
const INSIDE: [u8; 4] = [100, 64, 0, 2];
const EXTERNAL: [u8; 4] = [198, 51, 100, 1];
const FIRST_PORT: u16 = 2048;
/// Four units.
const ORDER: u32 = 2;

fn home() -> HomeRef {
    HomeRef::new(4, ORDER).expect("legal")
}

/// One household behind NAT, session 1, with 256 ports.
fn office() -> HostTables {
    let tables = HostTables::new(1 << 50);
    for (ifindex, index, mac, role) in
        [(ACCESS, 0, ACCESS_MAC, port_role::ACCESS), (CORE, 1, CORE_MAC, port_role::CORE)]
    {
        tables.set_port(ifindex, PortEntry { mac, index_plus_one: index + 1 });
        tables.set_port_link(
            u32::from(index),
            PortLink { mac, mtu: 1500, ifindex, role, ..PortLink::default() },
        );
    }
    tables.set_svid_page(100, 1);
    let mut page = LinePage::new_zeroed();
    page.homes[7] = home();
    tables.set_line_page(1, page);
    let bits = flags::ACTIVE | flags::NAT | flags::MAC_KNOWN;
    let up = Up {
        mac: HOME_MAC,
        flags: bits,
        network: INSIDE,
        prefix_len: 32,
        external: EXTERNAL,
        first_port: FIRST_PORT,
        ..Up::default()
    };
    let down = Down {
        mac: HOME_MAC,
        flags: bits,
        network: INSIDE,
        s_tci: [0, 100],
        c_tci: [0, 7],
        owner: Owner::new(1, 0),
        ..Down::default()
    };
    tables.set_home(home(), &up, &down);
    tables.set_session(1, Session { gateway: [100, 64, 0, 1], ..Session::new_zeroed() });
    let mut ports = NatPorts::new_zeroed();
    for n in 0..1 << ORDER {
        ports.groups[usize::from(FIRST_PORT / 64) + n as usize] = home().ports(n);
    }
    tables.set_nat_ports(9, ports);
    let external = u32::from_be_bytes(EXTERNAL);
    let mut line = FibLine::default();
    line.entries[(external >> 8 & 15) as usize] = FibTarget::new(FibTarget::KIND_PAGE, 1);
    tables.set_fib_line(external >> 12, line);
    let mut entries = [FibTarget::BLACKHOLE; 256];
    entries[(external & 255) as usize] = FibTarget::new(FibTarget::KIND_NAT, 9);
    tables.set_fib_page(1, FibPage { entries });
    tables.set_next_hop(
        1,
        NextHop { destination: NEXT_MAC, port: 1, source: CORE_MAC, mtu: 1500, ..NextHop::default() },
    );
    tables.set_settings(
        0,
        map_abi::Settings {
            abi_version: 1,
            default_route: FibTarget::new(FibTarget::KIND_NEXT_HOP, 1),
            hash_key: [1, 2],
            ..map_abi::Settings::default()
        },
    );
    tables
}

fn up(packet: &mut HostPacket, tables: &HostTables) -> Verdict {
    to_the_end(packet, tables, packet_logic::up)
}

fn down(packet: &mut HostPacket, tables: &HostTables) -> Verdict {
    to_the_end(packet, tables, packet_logic::down)
}

fn to_the_end(
    packet: &mut HostPacket,
    tables: &HostTables,
    begin: fn(&mut HostPacket, &HostTables) -> Verdict,
) -> Verdict {
    let mut verdict = begin(packet, tables);
    while let Some(next) = lead_on(packet, tables, verdict) {
        verdict = next;
    }
    verdict
}

fn from_home(packet: &[u8]) -> Vec<u8> {
    let mut frame = [ACCESS_MAC, HOME_MAC].concat();
    frame.extend([0x88, 0xa8, 0, 100, 0x81, 0, 0, 7, 8, 0]);
    frame.extend(packet);
    frame
}

fn from_core(packet: &[u8]) -> Vec<u8> {
    let mut frame = [CORE_MAC, NEXT_MAC].concat();
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

fn remote() -> impl Strategy<Value = [u8; 4]> {
    any::<[u8; 4]>().prop_filter("a host somewhere", |a| {
        let address = Ipv4Addr::from(*a);
        !(a[0] == 0
            || a[0] >= 224
            || address.is_loopback()
            || address.is_link_local()
            || a[..3] == EXTERNAL[..3])
            && *a != [100, 64, 0, 1]
    })
}

/// A packet from one end to the other, and back: TCP, UDP or a ping.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Tcp,
    Udp,
    Ping,
}

fn packet(
    kind: Kind,
    is_out: bool,
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    ttl: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = Vec::new();
    let ip = PacketBuilder::ipv4(from.0, to.0, ttl);
    match kind {
        Kind::Tcp => ip.tcp(from.1, to.1, 7, 1000).ack(9).write(&mut packet, payload),
        Kind::Udp => ip.udp(from.1, to.1).write(&mut packet, payload),
        Kind::Ping if is_out => ip.icmpv4_echo_request(from.1, 3).write(&mut packet, payload),
        Kind::Ping => ip.icmpv4_echo_reply(to.1, 3).write(&mut packet, payload),
    }
    .expect("fits");
    packet
}

proptest! {
    #[test]
    fn translated_out_and_back_is_what_it_was(
        kind in prop_oneof![Just(Kind::Tcp), Just(Kind::Udp), Just(Kind::Ping)],
        remote in remote(),
        ports in any::<(u16, u16)>(),
        payload in prop::collection::vec(any::<u8>(), 0..64),
        ttl in 3..=255_u8,
    ) {
        // From port 68 to port 67 it would be DHCP.
        prop_assume!(ports.1 != 67);
        let tables = office();
        let sent = packet(kind, true, (INSIDE, ports.0), (remote, ports.1), ttl, &payload);
        let mut out = HostPacket::new(&from_home(&sent), ACCESS);
        prop_assert_eq!(up(&mut out, &tables), Verdict::Redirect(1));
        let out = out.bytes()[14..].to_vec();
        let at = if matches!(kind, Kind::Ping) { 24 } else { 20 };
        let external = u16::from_be_bytes([out[at], out[at + 1]]);
        prop_assert!((FIRST_PORT..FIRST_PORT + (64 << ORDER)).contains(&external));
        // An independent implementation builds the same packet from scratch, checksums included.
        prop_assert_eq!(&out, &packet(kind, true, (EXTERNAL, external), (remote, ports.1), ttl - 1, &payload));

        let answer = packet(kind, false, (remote, ports.1), (EXTERNAL, external), ttl, &payload);
        let mut back = HostPacket::new(&from_core(&answer), CORE);
        prop_assert_eq!(down(&mut back, &tables), Verdict::Redirect(0));
        prop_assert_eq!(
            &back.bytes()[22..],
            &packet(kind, false, (remote, ports.1), (INSIDE, ports.0), ttl - 1, &payload)[..]
        );
    }

    #[test]
    fn no_bytes_are_too_strange(mut bytes in prop::collection::vec(any::<u8>(), 0..200), how in 0..4_u8) {
        let tables = office();
        // Further in, each time: nothing right, tags or addresses right, an IPv4 header that begins well.
        let is_up = how % 2 == 0;
        if how > 1 {
            bytes = if is_up { from_home(&bytes) } else { from_core(&bytes) };
            if let Some(first) = bytes.get_mut(if is_up { 22 } else { 14 }) {
                *first = 0x40 | *first & 15;
            }
        }
        let mut packet = HostPacket::new(&bytes, if is_up { ACCESS } else { CORE });
        let verdict = if is_up { up(&mut packet, &tables) } else { down(&mut packet, &tables) };
        if let Verdict::Drop(reason) = verdict {
            prop_assert_eq!(tables.drops().into_iter().collect::<Vec<_>>(), vec![(reason, 1)]);
        }
        prop_assert_eq!(tables.tally().frames(), 1, "counted once");
    }

    /// Anything may be wrong in a packet that is nearly right.
    #[test]
    fn no_fault_is_too_small(
        kind in prop_oneof![Just(Kind::Tcp), Just(Kind::Udp), Just(Kind::Ping)],
        faults in prop::collection::vec((0..80_usize, any::<u8>()), 0..4),
        cut in 0..40_usize,
        is_up in prop::bool::ANY,
        mend in prop::bool::ANY,
    ) {
        let tables = office();
        let (here, there) = ((INSIDE, 5000), ([9, 9, 9, 9], 53));
        let mut frame = if is_up {
            from_home(&packet(kind, true, here, there, 9, b"payload"))
        } else {
            from_core(&packet(kind, false, there, (EXTERNAL, FIRST_PORT), 9, b"payload"))
        };
        for (at, value) in faults {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        let at = if is_up { 22 } else { 14 };
        if mend {
            frame[at + 10..at + 12].fill(0);
            let sum = checksum(&frame[at..at + 20]);
            frame[at + 10..at + 12].copy_from_slice(&sum.to_ne_bytes());
        }
        frame.truncate(frame.len() - cut);
        let mut packet = HostPacket::new(&frame, if is_up { ACCESS } else { CORE });
        let verdict = if is_up { up(&mut packet, &tables) } else { down(&mut packet, &tables) };
        let len = packet.bytes().len();
        match verdict {
            Verdict::Redirect(1) => prop_assert_eq!(len, frame.len() - 8),
            Verdict::Redirect(0) => prop_assert!(len == frame.len() + 8 || len == frame.len()),
            _ => prop_assert_eq!(len, frame.len(), "a packet that does not go keeps its length"),
        }
    }

    #[test]
    fn a_changed_checksum_is_the_one_of_what_changed(
        mut bytes in prop::collection::vec(any::<u8>(), 8..64),
        at in 0..30_usize,
        new in any::<[u8; 4]>(),
    ) {
        bytes.truncate(bytes.len() & !1);
        let at = at * 2 % (bytes.len() - 3);
        let at = at & !1;
        let before = checksum(&bytes);
        let old = <[u8; 4]>::try_from(&bytes[at..at + 4]).expect("four");
        bytes[at..at + 4].copy_from_slice(&new);
        let changed = Delta::long(u32::from_ne_bytes(old), u32::from_ne_bytes(new)).apply(before);
        let full = checksum(&bytes);
        // Zero has two forms in one's complement; all-zero bytes are the only ones whose sum is the positive one.
        prop_assert!(changed == full || (changed ^ full == 0xffff && (full == 0 || full == 0xffff)), "{changed:#x} {full:#x}");
        prop_assert_eq!(Delta::long(0, 0).apply_udp(0), 0);
    }
}

#[test]
fn a_mapping_that_ran_out_is_taken_again_and_counts_go_where_they_belong() {
    let tables = office();
    let send = |port: u16| {
        let sent = packet(Kind::Udp, true, (INSIDE, port), ([9, 9, 9, 9], 53), 64, b"x");
        let mut out = HostPacket::new(&from_home(&sent), ACCESS);
        up(&mut out, &tables)
    };
    let first: Vec<u16> = (0..1000).filter(|port| send(*port) == Verdict::Redirect(1)).collect();
    // Twelve of the 256 places are the home's header.
    assert!((200..=244).contains(&first.len()), "{}", first.len());
    let session = tables.session_value(1).expect("there");
    assert_eq!(tables.meter_up(home()).expect("there").packets, first.len() as u64);
    assert_eq!(session.drops_up, 1000 - first.len() as u64);
    assert_eq!(tables.drops()[&DropReason::NatPortsExhausted], session.drops_up);
    // All idle: others get the places.
    tables.advance_ns(303 * 1_000_000_000);
    let second = (2000..3000).filter(|port| send(*port) == Verdict::Redirect(1)).count();
    assert!((200..=244).contains(&second), "{second}");
}

/// The home's header lies where the first mappings would be: no port leads into it.
#[test]
fn the_header_is_no_mapping() {
    let tables = office();
    for port in FIRST_PORT..FIRST_PORT + 12 {
        for kind in [Kind::Tcp, Kind::Udp] {
            let answer = packet(kind, false, ([9, 9, 9, 9], 53), (EXTERNAL, port), 64, b"x");
            let mut back = HostPacket::new(&from_core(&answer), CORE);
            assert_eq!(down(&mut back, &tables), Verdict::Drop(DropReason::NatNoMapping));
        }
    }
}
