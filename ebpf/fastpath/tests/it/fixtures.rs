//! What happens to which packet, and why: each fixture through `packet_logic` on the host and through the loaded
//! programs.

use fastpath::{Change, DropReason, Inspector, PuntReason};
use node_state::Resource;

use crate::{
    frames::{
        ALICE, Address, BOB, EXTERNAL, GATEWAY, REMOTE, assert_checksums, echo_reply, echo_request,
        from_alice, from_bob, from_core, syn, tagged, tcp, udp, unreachable, with_header,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    tally::{since, tally},
    world::{ACCESS_MAC, ALICE_MAC, BOB_MAC, CORE_MAC, GATEWAY_MAC, World, desired},
};

type Script = fn(&mut dyn Runner);

/// With alice behind 64 ports of NAT and bob routed, no rate limits.
const FIXTURES: &[(&str, Script)] = &[
    ("UDP goes out with the external address and a port of the block", |r| goes_out(r, udp)),
    ("TCP goes out likewise", |r| goes_out(r, tcp)),
    ("an odd payload length is no matter", |r| {
        let sent = |f, t, ttl| udp(f, t, ttl, b"odd");
        let (port, packet) = up(r, &from_alice(&sent((ALICE, 5001), (REMOTE, 53), 64)));
        assert_eq!(packet, sent((EXTERNAL, port), (REMOTE, 53), 63));
    }),
    ("UDP comes back to where it came from", |r| comes_back(r, udp)),
    ("TCP comes back to where it came from", |r| comes_back(r, tcp)),
    ("a ping is answered through NAT", |r| {
        let out = redirected(r.up(&from_alice(&echo_request(ALICE, REMOTE, 77, 64))), GATEWAY_MAC, CORE_MAC);
        let id = u16::from_be_bytes([out[24], out[25]]);
        assert_eq!(out, echo_request(EXTERNAL, REMOTE, id, 63));
        let back = to_alice(r.down(&from_core(&echo_reply(REMOTE, EXTERNAL, id, 60))));
        assert_eq!(back, echo_reply(REMOTE, ALICE, 77, 59));
    }),
    ("the same inside port keeps its external port towards any remote (RFC 4787, REQ-1)", |r| {
        let (one, _) = up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a")));
        let (two, _) = up(r, &from_alice(&udp((ALICE, 5000), ([8, 8, 8, 8], 99), 64, b"a")));
        let (other, _) = up(r, &from_alice(&udp((ALICE, 5001), (REMOTE, 53), 64, b"a")));
        assert_eq!(one, two);
        assert_ne!(one, other);
        assert_eq!(one % 2, 0, "parity is kept (REQ-4)");
        assert_eq!(other % 2, 1);
    }),
    ("anybody may answer a mapping (endpoint-independent filtering, RFC 4787, REQ-8)", |r| {
        let (port, _) = up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a")));
        let back = to_alice(r.down(&from_core(&udp(([8, 8, 8, 8], 1), (EXTERNAL, port), 64, b"b"))));
        assert_eq!(back, udp(([8, 8, 8, 8], 1), (ALICE, 5000), 63, b"b"));
    }),
    ("a UDP packet without checksum stays without", |r| {
        let mut packet = udp((ALICE, 5000), (REMOTE, 53), 64, b"abc");
        packet[26..28].fill(0);
        let (port, out) = up(r, &from_alice(&packet));
        let mut expected = udp((EXTERNAL, port), (REMOTE, 53), 63, b"abc");
        expected[26..28].fill(0);
        assert_eq!(out, expected);
    }),
    ("an outer tag of 0x8100 is as good as 0x88a8", |r| {
        let frame = tagged(ALICE_MAC, 0x8100, (100, 7), 0x0800, &udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
        up(r, &frame);
    }),
    ("priority bits in the tags are no part of the VLAN", |r| {
        let frame =
            tagged(ALICE_MAC, 0x88a8, (0xa064, 0x6007), 0x0800, &udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
        up(r, &frame);
    }),
    ("one tag, no tag, or an unknown EtherType for a tag: not an access frame", |r| {
        let packet = udp((ALICE, 5000), (REMOTE, 53), 64, b"a");
        for frame in [from_core(&packet), tagged(ALICE_MAC, 0x9100, (100, 7), 0x0800, &packet)] {
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::Untagged, None));
        }
    }),
    ("tags that nobody has", |r| {
        let packet = udp((ALICE, 5000), (REMOTE, 53), 64, b"a");
        for tags in [(100, 8), (102, 7), (0, 0), (4095, 4095)] {
            let frame = tagged(ALICE_MAC, 0x88a8, tags, 0x0800, &packet);
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::UnknownTags, None));
        }
    }),
    ("another host's MAC address on the subscriber's link", |r| {
        let frame = tagged(BOB_MAC, 0x88a8, (100, 7), 0x0800, &udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::SourceMac, None));
    }),
    ("a frame to another host on the link", |r| {
        let mut frame = from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
        frame[..6].copy_from_slice(&BOB_MAC);
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::DestinationMac, None));
    }),
    ("a source address that is not the subscriber's", |r| {
        for source in [[100, 64, 0, 3], REMOTE, [0, 0, 0, 0]] {
            let frame = from_alice(&udp((source, 5000), (REMOTE, 53), 64, b"a"));
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::SourceAddress, None));
        }
        let frame = from_bob(&udp(([203, 0, 113, 16], 1), (REMOTE, 53), 64, b"a"));
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::SourceAddress, None));
    }),
    ("destinations that no router forwards to", |r| {
        for to in [[0, 0, 0, 1], [127, 0, 0, 1], [224, 0, 0, 1], [255, 255, 255, 255], [169, 254, 1, 1]] {
            let frame = from_alice(&udp((ALICE, 5000), (to, 53), 64, b"a"));
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::Martian, None));
        }
    }),
    ("IPv6 and the like are not carried", |r| {
        let frame = tagged(ALICE_MAC, 0x88a8, (100, 7), 0x86dd, &[0; 40]);
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::EtherType, None));
    }),
    ("a malformed IPv4 header", |r| {
        let good = udp((ALICE, 5000), (REMOTE, 53), 64, b"abcdefgh");
        let spoilt = |at: usize, value: u8| {
            let mut packet = good.clone();
            packet[at] = value;
            from_alice(&packet)
        };
        for frame in [spoilt(0, 0x65), spoilt(0, 0x44), spoilt(10, good[10] ^ 1), spoilt(3, 19)] {
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::BadIpv4, None));
        }
        let long = with_total_len(&good, 200);
        assert_eq!(r.up(&from_alice(&long)), Outcome::Drop(DropReason::Truncated, None));
    }),
    ("padding after a short packet is no part of it", |r| {
        let mut frame = from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a"));
        frame.extend([0xee; 18]);
        let Outcome::Redirect(out) = r.up(&frame) else { panic!("goes out") };
        assert_eq!(out.len(), frame.len() - 8);
        assert_checksums(&out[14..14 + 29]);
    }),
    ("IP options go through, both ways", |r| {
        let options = |packet: &[u8]| with_header(packet, |h| h.options = [1, 1, 1, 0, 1, 1, 1, 0].into());
        let (port, packet) = up(r, &from_alice(&options(&udp((ALICE, 5000), (REMOTE, 53), 64, b"abc"))));
        let _ = port;
        let outside = u16::from_be_bytes([packet[28], packet[29]]);
        assert_eq!(packet, options(&udp((EXTERNAL, outside), (REMOTE, 53), 63, b"abc")));
        let back =
            to_alice(r.down(&from_core(&options(&udp((REMOTE, 53), (EXTERNAL, outside), 64, b"xyz")))));
        assert_eq!(back, options(&udp((REMOTE, 53), (ALICE, 5000), 63, b"xyz")));
    }),
    ("the longest IP header there is", |r| {
        let options = |packet: &[u8]| with_header(packet, |h| h.options = [1; 40].into());
        let frame = from_alice(&options(&udp((ALICE, 5000), (REMOTE, 53), 64, b"abc")));
        let Outcome::Redirect(out) = r.up(&frame) else { panic!("goes out") };
        assert_checksums(&out[14..]);
    }),
    ("time to live 1: an ICMP error is due", |r| {
        for ttl in [0, 1] {
            let frame = from_alice(&udp((ALICE, 5000), (REMOTE, 53), ttl, b"a"));
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::TtlExpired, Some(PuntReason::TtlExpired)));
        }
        let frame = from_core(&udp((REMOTE, 53), (BOB, 5000), 1, b"a"));
        assert_eq!(r.down(&frame), Outcome::Drop(DropReason::TtlExpired, Some(PuntReason::TtlExpired)));
        up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 2, b"a")));
    }),
    ("too big: with DF an ICMP error is due, without the packet is dropped all the same", |r| {
        let big = |df: bool, from, to| with_header(&udp(from, to, 64, &[7; 1473]), |h| h.dont_fragment = df);
        for (df, punt) in [(true, Some(PuntReason::TooBig)), (false, None)] {
            let frame = from_alice(&big(df, (ALICE, 5000), (REMOTE, 53)));
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::TooBig, punt));
            let frame = from_core(&big(df, (REMOTE, 53), (BOB, 5000)));
            assert_eq!(r.down(&frame), Outcome::Drop(DropReason::TooBig, punt));
        }
        up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, &[7; 1472])));
    }),
    ("the ends of a connection hear of no larger segments than the links take", |r| {
        for (said, heard) in [(9000, 1460), (1461, 1460), (1460, 1460), (536, 536)] {
            let (port, packet) = up(r, &from_alice(&syn((ALICE, 5000), (REMOTE, 80), 64, said)));
            assert_eq!(packet, syn((EXTERNAL, port), (REMOTE, 80), 63, heard));
            let back = to_alice(r.down(&from_core(&syn((REMOTE, 80), (EXTERNAL, port), 64, said))));
            assert_eq!(back, syn((REMOTE, 80), (ALICE, 5000), 63, heard));
            let back = to_bob(r.down(&from_core(&syn((REMOTE, 80), (BOB, 5000), 64, said))));
            assert_eq!(back, syn((REMOTE, 80), (BOB, 5000), 63, heard));
        }
    }),
    ("sources that nobody has do not come in", |r| {
        for from in [[127, 0, 0, 1], [224, 0, 0, 5], [0, 1, 2, 3], [169, 254, 1, 1], [255, 255, 255, 255]] {
            let frame = from_core(&udp((from, 53), (BOB, 5000), 64, b"a"));
            assert_eq!(r.down(&frame), Outcome::Drop(DropReason::Martian, None));
        }
    }),
    ("DHCP goes to user space, whoever sends it", |r| {
        let dhcp = udp(([0; 4], 68), ([255; 4], 67), 64, &[1; 240]);
        assert_eq!(r.up(&from_alice(&dhcp)), Outcome::Punt(PuntReason::Dhcp));
        // Ports that lie behind the packet in its frame are not the packet's.
        let dropped = Outcome::Drop(DropReason::SourceAddress, None);
        assert_eq!(r.up(&from_alice(&with_total_len(&dhcp, 27))), dropped);
        let mut stranger = tagged(BOB_MAC, 0x88a8, (100, 7), 0x0800, &dhcp);
        stranger[..6].fill(0xff);
        assert_eq!(r.up(&stranger), Outcome::Punt(PuntReason::Dhcp));
        let renewal = udp((ALICE, 68), (GATEWAY, 67), 64, &[1; 240]);
        assert_eq!(r.up(&from_alice(&renewal)), Outcome::Punt(PuntReason::Dhcp));
    }),
    ("twenty packets at once go to user space, then they are too many", |r| {
        let frame = from_alice(&udp(([0; 4], 68), ([255; 4], 67), 64, &[1; 240]));
        for _ in 0..20 {
            assert_eq!(r.up(&frame), Outcome::Punt(PuntReason::Dhcp));
        }
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::PuntLost, None));
        let expired = from_alice(&udp((ALICE, 5000), (REMOTE, 53), 1, b"a"));
        assert_eq!(r.up(&expired), Outcome::Drop(DropReason::TtlExpired, None));
        let others = from_bob(&udp((BOB, 5000), (REMOTE, 53), 1, b"a"));
        assert_eq!(r.up(&others), Outcome::Drop(DropReason::TtlExpired, Some(PuntReason::TtlExpired)));
    }),
    ("the gateway answers pings, and nothing else", |r| {
        let ping = from_alice(&echo_request(ALICE, GATEWAY, 1, 64));
        assert_eq!(r.up(&ping), Outcome::Punt(PuntReason::GatewayEcho));
        for packet in
            [udp((ALICE, 5000), (GATEWAY, 53), 64, b"a"), tcp((ALICE, 5000), (GATEWAY, 22), 64, b"")]
        {
            assert_eq!(r.up(&from_alice(&packet)), Outcome::Drop(DropReason::ToOffice, None));
        }
    }),
    ("the node's own addresses are not for subscribers", |r| {
        let frame = from_alice(&tcp((ALICE, 5000), ([192, 0, 2, 2], 22), 64, b""));
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::ToOffice, None));
    }),
    ("a pool address that nobody holds", |r| {
        for to in [[100, 64, 0, 3], [203, 0, 113, 1]] {
            let frame = from_alice(&udp((ALICE, 5000), (to, 53), 64, b"a"));
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::Blackhole, None));
            assert_eq!(
                r.down(&from_core(&udp((REMOTE, 5000), (to, 53), 64, b"a"))),
                Outcome::Drop(DropReason::Blackhole, None)
            );
        }
    }),
    ("protocols that NAT does not know", |r| {
        let gre = with_header(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a"), |h| h.protocol = 47.into());
        assert_eq!(r.up(&from_alice(&gre)), Outcome::Drop(DropReason::NatProtocol, None));
        assert_eq!(
            r.up(&from_alice(&echo_reply(ALICE, REMOTE, 1, 64))),
            Outcome::Drop(DropReason::NatProtocol, None)
        );
        let gre = with_header(&udp((REMOTE, 5000), (EXTERNAL, 53), 64, b"a"), |h| h.protocol = 47.into());
        assert_eq!(r.down(&from_core(&gre)), Outcome::Drop(DropReason::NatProtocol, None));
    }),
    ("nobody asked for it: no mapping", |r| {
        for port in [1024, 1087, 1088, 80, 65535] {
            for packet in
                [udp((REMOTE, 53), (EXTERNAL, port), 64, b"a"), tcp((REMOTE, 53), (EXTERNAL, port), 64, b"")]
            {
                assert_eq!(r.down(&from_core(&packet)), Outcome::Drop(DropReason::NatNoMapping, None));
            }
        }
        let (port, _) = up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a")));
        let wrong_protocol = from_core(&tcp((REMOTE, 53), (EXTERNAL, port), 64, b""));
        assert_eq!(r.down(&wrong_protocol), Outcome::Drop(DropReason::NatNoMapping, None));
        let ping = from_core(&echo_request(REMOTE, EXTERNAL, port, 64));
        assert_eq!(r.down(&ping), Outcome::Drop(DropReason::NatNoMapping, None));
        let other = from_core(&udp((REMOTE, 53), ([198, 51, 100, 77], 1024), 64, b"a"));
        assert_eq!(r.down(&other), Outcome::Drop(DropReason::NatNoMapping, None));
    }),
    ("64 ports are 64 mappings at most, and most of them are had; established ones stay", |r| {
        let flow = |n: u16| from_alice(&udp((ALICE, 10_000 + n), (REMOTE, 53), 64, b"a"));
        let mut ports = std::collections::BTreeMap::new();
        for n in 0..200 {
            match r.up(&flow(n)) {
                Outcome::Redirect(out) => {
                    assert!(ports.insert(external_port(&out[14..]), n).is_none(), "port given twice");
                }
                other => assert_eq!(other, Outcome::Drop(DropReason::NatPortsExhausted, None)),
            }
        }
        assert!((50..=64).contains(&ports.len()), "{}", ports.len());
        assert!(ports.keys().all(|port| (1024..1088).contains(port)));
        for (port, n) in ports {
            assert_eq!(up(r, &flow(n)).0, port);
            let back = to_alice(r.down(&from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"b"))));
            assert_eq!(back, udp((REMOTE, 53), (ALICE, 10_000 + n), 63, b"b"));
        }
    }),
    ("fragments from a subscriber: the first is translated whole, later ones by address", |r| {
        let whole = udp((ALICE, 5000), (REMOTE, 53), 64, &[7; 64]);
        let (first, second) = fragments(&whole);
        let out = redirected(r.up(&from_alice(&first)), GATEWAY_MAC, CORE_MAC);
        let port = external_port(&out);
        let (expected, expected_second) = fragments(&udp((EXTERNAL, port), (REMOTE, 53), 63, &[7; 64]));
        assert_eq!(out, expected);
        assert_eq!(redirected(r.up(&from_alice(&second)), GATEWAY_MAC, CORE_MAC), expected_second);
    }),
    ("fragments to a subscriber: later ones follow the first, and are lost before it", |r| {
        let (port, _) = up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a")));
        let (first, second) = fragments(&udp((REMOTE, 53), (EXTERNAL, port), 64, &[7; 64]));
        assert_eq!(r.down(&from_core(&second)), Outcome::Drop(DropReason::FragmentUnknown, None));
        let (expected, expected_second) = fragments(&udp((REMOTE, 53), (ALICE, 5000), 63, &[7; 64]));
        assert_eq!(to_alice(r.down(&from_core(&first))), expected);
        assert_eq!(to_alice(r.down(&from_core(&second))), expected_second);
    }),
    ("fragments of a routed subscriber need no memory", |r| {
        let (_, second) = fragments(&udp((REMOTE, 53), (BOB, 5000), 64, &[7; 64]));
        let (_, expected) = fragments(&udp((REMOTE, 53), (BOB, 5000), 63, &[7; 64]));
        assert_eq!(to_bob(r.down(&from_core(&second))), expected);
    }),
    ("a fragment that overlays a TCP header (RFC 3128)", |r| {
        let overlay = with_header(&tcp((ALICE, 5000), (REMOTE, 80), 64, b""), |h| {
            h.fragment_offset = 1.try_into().expect("small");
        });
        assert_eq!(r.up(&from_alice(&overlay)), Outcome::Drop(DropReason::BadIpv4, None));
    }),
    ("an ICMP error from the core reaches the host that it is for, its quote translated", |r| {
        for build in [udp as fn(_, _, _, &[u8]) -> _, tcp] {
            let (_, sent) = up(r, &from_alice(&build((ALICE, 5000), (REMOTE, 53), 64, b"abcd")));
            let error = unreachable([9, 9, 9, 9], EXTERNAL, 64, &sent);
            let back = to_alice(r.down(&from_core(&error)));
            let inside = build((ALICE, 5000), (REMOTE, 53), 63, b"abcd");
            assert_eq!(back[..20], unreachable([9, 9, 9, 9], ALICE, 63, &inside)[..20]);
            assert_eq!(back[28..52], inside[..24]);
        }
    }),
    ("an ICMP error about a ping", |r| {
        let out = redirected(r.up(&from_alice(&echo_request(ALICE, REMOTE, 77, 64))), GATEWAY_MAC, CORE_MAC);
        let back = to_alice(r.down(&from_core(&unreachable(REMOTE, EXTERNAL, 64, &out))));
        assert_eq!(back, unreachable(REMOTE, ALICE, 63, &echo_request(ALICE, REMOTE, 77, 63)));
    }),
    ("an ICMP error of a subscriber about what came in", |r| {
        let (port, _) = up(r, &from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a")));
        let came = to_alice(r.down(&from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"answer"))));
        let out =
            redirected(r.up(&from_alice(&unreachable(ALICE, REMOTE, 64, &came))), GATEWAY_MAC, CORE_MAC);
        assert_eq!(
            out,
            unreachable(EXTERNAL, REMOTE, 63, &udp((REMOTE, 53), (EXTERNAL, port), 63, b"answer"))
        );
    }),
    ("ICMP errors about packets that are not the subscriber's", |r| {
        let stranger = udp((REMOTE, 53), (ALICE, 5555), 64, b"abcd");
        let frame = from_alice(&unreachable(ALICE, REMOTE, 64, &stranger));
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::IcmpErrorUnknown, None));
        for quoted in
            [udp((EXTERNAL, 1030), (REMOTE, 53), 64, b"abcd"), udp((REMOTE, 1030), (REMOTE, 53), 64, b"abcd")]
        {
            let frame = from_core(&unreachable(REMOTE, EXTERNAL, 64, &quoted));
            assert_eq!(r.down(&frame), Outcome::Drop(DropReason::IcmpErrorUnknown, None));
        }
    }),
    ("a routed subscriber is routed, both ways, whatever the protocol", |r| {
        for build in [udp as fn(_, _, _, &[u8]) -> _, tcp] {
            let out = redirected(
                r.up(&from_bob(&build((BOB, 5000), (REMOTE, 53), 64, b"x"))),
                GATEWAY_MAC,
                CORE_MAC,
            );
            assert_eq!(out, build((BOB, 5000), (REMOTE, 53), 63, b"x"));
            let back = to_bob(r.down(&from_core(&build((REMOTE, 53), (BOB, 5000), 64, b"x"))));
            assert_eq!(back, build((REMOTE, 53), (BOB, 5000), 63, b"x"));
        }
        let gre = |ttl| {
            with_header(&udp(([203, 0, 113, 15], 1), (REMOTE, 53), ttl, b"a"), |h| h.protocol = 47.into())
        };
        assert_eq!(redirected(r.up(&from_bob(&gre(64))), GATEWAY_MAC, CORE_MAC), gre(63));
    }),
    ("two subscribers talk to each other through the office", |r| {
        let frame = from_bob(&udp((BOB, 4000), (EXTERNAL, 1030), 64, b"hello"));
        assert_eq!(r.up(&frame), Outcome::Drop(DropReason::NatNoMapping, None));
        let out = to_bob(r.up(&from_alice(&udp((ALICE, 5000), (BOB, 4000), 64, b"hello"))));
        let port = external_port(&out);
        assert_eq!(out, udp((EXTERNAL, port), (BOB, 4000), 63, b"hello"));
        let back = to_alice(r.up(&from_bob(&udp((BOB, 4000), (EXTERNAL, port), 64, b"hi"))));
        assert_eq!(back, udp((BOB, 4000), (ALICE, 5000), 63, b"hi"));
    }),
    ("what is not for a subscriber is the kernel's", |r| {
        let mut arp = from_core(&[0; 28]);
        arp[12..14].copy_from_slice(&[8, 6]);
        let mut other_mac = from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"x"));
        other_mac[..6].copy_from_slice(&BOB_MAC);
        let local = from_core(&tcp((REMOTE, 53), ([192, 0, 2, 2], 22), 64, b""));
        let transit = from_core(&tcp((REMOTE, 53), ([8, 8, 8, 8], 22), 64, b""));
        for frame in [arp, other_mac, local, transit] {
            assert_eq!(r.down(&frame), Outcome::Pass);
        }
    }),
    ("ARP: the gateway and all other addresses are the office, the subscriber's own are not", |r| {
        let asked = |sender, target| r_arp(ALICE_MAC, ALICE_MAC, sender, target);
        for target in [GATEWAY, [100, 64, 0, 3], REMOTE] {
            for sender in [ALICE, [0; 4]] {
                let Outcome::Redirect(reply) = r.up(&asked(sender, target)) else {
                    panic!("no answer for {target:?}")
                };
                assert_eq!(
                    reply,
                    arp_frame(ALICE_MAC, ACCESS_MAC, 2, (ACCESS_MAC, target), (ALICE_MAC, sender))
                );
            }
        }
        for (sender, target) in [(ALICE, ALICE), ([0; 4], ALICE), (ALICE, [224, 0, 0, 1])] {
            assert_eq!(r.up(&asked(sender, target)), Outcome::Drop(DropReason::Arp, None));
        }
        let stranger = r_arp(BOB_MAC, BOB_MAC, ALICE, GATEWAY);
        assert_eq!(r.up(&stranger), Outcome::Drop(DropReason::SourceMac, None));
        let liar = r_arp(ALICE_MAC, BOB_MAC, ALICE, GATEWAY);
        assert_eq!(r.up(&liar), Outcome::Drop(DropReason::SourceMac, None));
        assert_eq!(r.up(&asked([100, 64, 0, 3], GATEWAY)), Outcome::Drop(DropReason::SourceAddress, None));
        let reply = arp_frame([0xff; 6], ALICE_MAC, 2, (ALICE_MAC, ALICE), (ACCESS_MAC, GATEWAY));
        assert_eq!(r.up(&reply), Outcome::Drop(DropReason::Arp, None));
    }),
    ("a frame may end anywhere", |r| {
        let up_frames = [
            from_alice(&udp((ALICE, 5000), (REMOTE, 53), 64, b"abcd")),
            from_alice(&tcp((ALICE, 5000), (REMOTE, 53), 64, b"")),
            from_alice(&unreachable(ALICE, REMOTE, 64, &udp((REMOTE, 53), (ALICE, 5000), 64, b"abcd"))),
            r_arp(ALICE_MAC, ALICE_MAC, ALICE, GATEWAY),
        ];
        for frame in &up_frames {
            for len in 14..frame.len() {
                assert_eq!(r.up(&frame[..len]), Outcome::Drop(DropReason::Truncated, None), "{len}");
            }
        }
        let frame = from_core(&tcp((REMOTE, 53), (BOB, 5000), 64, b"abcd"));
        for len in 15..frame.len() {
            assert_eq!(r.down(&frame[..len]), Outcome::Drop(DropReason::Truncated, None), "{len}");
        }
        // The packet says itself that it is so short.
        for len in 20..40 {
            let short = with_total_len(&tcp((ALICE, 5000), (REMOTE, 53), 64, b""), len);
            let frame = from_alice(&short[..usize::from(len)]);
            assert_eq!(r.up(&frame), Outcome::Drop(DropReason::Truncated, None), "{len}");
        }
        let error = unreachable(REMOTE, EXTERNAL, 64, &udp((EXTERNAL, 1024), (REMOTE, 53), 64, b"abcd"));
        for len in 28..u16::try_from(error.len()).expect("short") {
            let frame = from_core(&with_total_len(&error, len)[..usize::from(len)]);
            assert_eq!(r.down(&frame), Outcome::Drop(DropReason::IcmpErrorUnknown, None), "{len}");
        }
    }),
];

/// Builds a packet of one transport protocol.
pub(crate) type Build = fn((Address, u16), (Address, u16), u8, &[u8]) -> Vec<u8>;

fn goes_out(r: &mut dyn Runner, build: Build) {
    let (port, packet) = up(r, &from_alice(&build((ALICE, 5000), (REMOTE, 53), 64, b"abcd")));
    assert!((1024..1088).contains(&port), "{port}");
    assert_eq!(packet, build((EXTERNAL, port), (REMOTE, 53), 63, b"abcd"));
}

fn comes_back(r: &mut dyn Runner, build: Build) {
    let (port, _) = up(r, &from_alice(&build((ALICE, 5000), (REMOTE, 53), 64, b"abcd")));
    let back = to_alice(r.down(&from_core(&build((REMOTE, 53), (EXTERNAL, port), 60, b"answer"))));
    assert_eq!(back, build((REMOTE, 53), (ALICE, 5000), 59, b"answer"));
}

/// The packet that goes to the upstream router, and its source port.
pub(crate) fn up(r: &mut dyn Runner, frame: &[u8]) -> (u16, Vec<u8>) {
    let packet = redirected(r.up(frame), GATEWAY_MAC, CORE_MAC);
    (external_port(&packet), packet)
}

pub(crate) fn external_port(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[20], packet[21]])
}

/// The packet in a frame that goes out by the core port.
pub(crate) fn redirected(outcome: Outcome, destination: [u8; 6], source: [u8; 6]) -> Vec<u8> {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    assert_eq!((&frame[..6], &frame[6..12], &frame[12..14]), (&destination[..], &source[..], &[8, 0][..]));
    assert_checksums(&frame[14..]);
    frame[14..].to_vec()
}

pub(crate) fn to_alice(outcome: Outcome) -> Vec<u8> {
    delivered(outcome, ALICE_MAC, (100, 7))
}

pub(crate) fn to_bob(outcome: Outcome) -> Vec<u8> {
    delivered(outcome, BOB_MAC, (101, 9))
}

fn delivered(outcome: Outcome, mac: [u8; 6], tags: (u16, u16)) -> Vec<u8> {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let mut expected = tagged(ACCESS_MAC, 0x88a8, tags, 0x0800, &[]);
    expected[..6].copy_from_slice(&mac);
    assert_eq!(frame[..22], expected);
    assert_checksums(&frame[22..]);
    frame[22..].to_vec()
}

/// A packet in two fragments, 16 bytes of payload in the first.
pub(crate) fn fragments(whole: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let cut = 20 + 16;
    let first = with_header(&whole[..cut], |h| {
        h.identification = 4711;
        h.dont_fragment = false;
        h.more_fragments = true;
    });
    let second = with_header(&[&whole[..20], &whole[cut..]].concat(), |h| {
        h.identification = 4711;
        h.dont_fragment = false;
        h.fragment_offset = 2.try_into().expect("small");
    });
    (first, second)
}

fn with_total_len(packet: &[u8], len: u16) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet[10..12].fill(0);
    let sum = etherparse::checksum::Sum16BitWords::new().add_slice(&packet[..20]).ones_complement();
    packet[10..12].copy_from_slice(&sum.to_be().to_be_bytes());
    packet
}

pub(crate) fn r_arp(source: [u8; 6], sender_mac: [u8; 6], sender: Address, target: Address) -> Vec<u8> {
    arp_frame([0xff; 6], source, 1, (sender_mac, sender), ([0; 6], target))
}

fn arp_frame(
    destination: [u8; 6],
    source: [u8; 6],
    operation: u8,
    sender: ([u8; 6], Address),
    target: ([u8; 6], Address),
) -> Vec<u8> {
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, operation];
    arp.extend([&sender.0[..], &sender.1, &target.0, &target.1].concat());
    let mut frame = tagged(source, 0x88a8, (100, 7), 0x0806, &arp);
    frame[..6].copy_from_slice(&destination);
    frame
}

pub(crate) const ADDRESSES: [Address; 13] = [
    ALICE,
    GATEWAY,
    EXTERNAL,
    BOB,
    REMOTE,
    [8, 8, 8, 8],
    [192, 0, 2, 2],
    [198, 51, 100, 77],
    [100, 64, 0, 3],
    [9, 9, 9, 9],
    [203, 0, 113, 1],
    [203, 0, 113, 16],
    [192, 0, 2, 1],
];

#[test]
fn fixtures_on_the_host_and_in_the_kernel() {
    let world = World::new();
    let desired = desired();
    let mut fastpath = world.office(&desired);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    for (why, script) in FIXTURES {
        eprintln!("{why}");
        // New sessions, and with them new mappings and counters. The rest stays: bringing the whole forwarding table about
        // for each fixture takes much longer.
        let sessions = || desired.resources().filter(|r| matches!(r, Resource::Session(_)));
        let gone: Vec<_> = sessions().map(|session| Change::Remove(session.key())).collect();
        let new: Vec<_> = sessions().map(Change::Upsert).collect();
        for (key, done) in [gone, new].iter().flat_map(|changes| fastpath.apply(changes)) {
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
        }
        let mut host =
            Host { world: &world, tables: snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES) };
        script(&mut host);
        let before = tally(&inspector);
        script(&mut Kernel {
            world: &world,
            fastpath: &mut fastpath,
            inspector: &inspector,
            punts: &mut punts,
        });
        assert_eq!(since(&before, &tally(&inspector)), host.tables.tally(), "both count alike");
    }
}
