use proptest::prelude::*;

use super::*;
use crate::dump::messages;

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(4 + value.len()).expect("short");
    let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(16 + payload.len()).expect("short");
    let header =
        [&len.to_ne_bytes()[..], &kind.to_ne_bytes(), &flags.to_ne_bytes(), &7_u32.to_ne_bytes(), &[0; 4]];
    [&header.concat(), payload].concat()
}

/// 10.0.0.0/8 by two routers, as the kernel tells of it.
fn multipath_route() -> Vec<u8> {
    let hop = |weight: u8, gateway: [u8; 4]| {
        let gateway = attribute(libc::RTA_GATEWAY, &gateway);
        let len = u16::try_from(8 + gateway.len()).expect("short").to_ne_bytes();
        [&len[..], &[0, weight - 1], &3_u32.to_ne_bytes(), &gateway].concat()
    };
    let hops = [hop(1, [192, 0, 2, 2]), hop(5, [192, 0, 2, 3])].concat();
    let header =
        [family(libc::AF_INET), 8, 0, 0, RouteHeader::RT_TABLE_MAIN, 186, 0, libc::RTN_UNICAST, 0, 0, 0, 0];
    let attributes = [attribute(libc::RTA_DST, &[10, 0, 0, 0]), attribute(RTA_MULTIPATH, &hops)].concat();
    message(libc::RTM_NEWROUTE, 0, &[&header[..], &attributes].concat())
}

fn all_news(datagram: &[u8]) -> Vec<RouteNews> {
    messages(datagram).flatten().filter_map(|message| news(&message, false)).collect()
}

#[test]
fn a_message_is_read_whole_or_not_at_all() {
    let whole = multipath_route();
    let told = all_news(&whole);
    let [RouteNews::Route(RouteEvent::Route { route, placed: Placed::First })] = told.as_slice() else {
        panic!("{told:?}");
    };
    let KernelTarget::Hops(hops) = &route.target else { panic!("{route:?}") };
    assert_eq!(hops.iter().map(|hop| (hop.ifindex, hop.weight)).collect::<Vec<_>>(), [(3, 1), (3, 5)]);
    for len in 0..whole.len() {
        assert_eq!(all_news(&whole[..len]), [], "cut to {len} bytes");
    }
    let two = [whole.clone(), whole].concat();
    assert_eq!(all_news(&two).len(), 2);
}

#[test]
fn weights_of_objects_have_sixteen_bits() {
    let member = [&7_u32.to_ne_bytes()[..], &[0xff, 0x01, 0, 0]].concat();
    let group = [attribute(NHA_ID, &70_u32.to_ne_bytes()), attribute(NHA_GROUP, &member)].concat();
    let told = all_news(&message(RTM_NEWNEXTHOP, 0, &[&[0; 8][..], &group].concat()));
    let object = NextHopObject::Group(vec![(7, 0x200)]);
    assert_eq!(told, [RouteNews::Route(RouteEvent::NextHop { id: 70, object })]);
}

proptest! {
    /// Whatever comes, nothing is read beyond it.
    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in prop::sample::select(vec![16_u16, 17, 24, 25, 28, 29, 104, 105]),
        spoiled in any::<prop::sample::Index>(),
        by in any::<u8>(),
    ) {
        all_news(&bytes);
        all_news(&message(kind, 0, &bytes));
        let mut route = multipath_route();
        let at = spoiled.index(route.len());
        route[at] = by;
        all_news(&route);
    }
}
