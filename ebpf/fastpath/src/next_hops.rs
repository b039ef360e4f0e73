//! Neighbours that routes lead to, and groups of them, as the maps have them.

use std::net::{IpAddr, Ipv6Addr};

use map_abi::GROUP_SLOTS;
use net_types::Mac;
use node_plan::forwarding::{GroupSlots, Held, Neighbour};

use crate::{
    mapped::{Writer, get_words, put_words},
    tables::Tables,
};

/// The first two words of `NextHop`: an address and 16 bits each.
fn word(mac: [u8; 6], number: u16) -> u64 {
    let ([a, b, c, d, e, f], [low, high]) = (mac, number.to_ne_bytes());
    u64::from_ne_bytes([a, b, c, d, e, f, low, high])
}

/// The last two: the neighbour's address.
fn address_words(address: IpAddr) -> [u64; 2] {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    let [a, b, c, d, e, f, g, h, rest @ ..] = address.octets();
    [[a, b, c, d, e, f, g, h], rest].map(u64::from_ne_bytes)
}

impl Tables {
    /// What the maps had when they were opened.
    pub(crate) fn held_next_hops(&self) -> Held {
        let next_hops = (1..self.next_hops.len()).filter_map(|index| {
            let index = u16::try_from(index).ok()?;
            Some((self.neighbour(index)?, index))
        });
        let groups = (1..self.next_hop_groups.len()).filter_map(|index| {
            let slots = self.group(u16::try_from(index).ok()?);
            (slots != [0; GROUP_SLOTS]).then_some((u16::try_from(index).ok()?, slots))
        });
        Held { next_hops: next_hops.collect(), groups: groups.collect() }
    }

    fn neighbour(&self, index: u16) -> Option<Neighbour> {
        let at = self.next_hops.at(index.into());
        let [destination, _, high, low]: [u64; 4] = get_words!(at, destination);
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&high.to_ne_bytes());
        octets[8..].copy_from_slice(&low.to_ne_bytes());
        let address = Ipv6Addr::from(octets);
        let [.., port_low, port_high] = destination.to_ne_bytes();
        let neighbour =
            Neighbour { address: address.to_canonical(), port: u16::from_ne_bytes([port_low, port_high]) };
        (!address.is_unspecified()).then_some(neighbour)
    }

    /// Makes a next hop this neighbour's, unresolved if it was another's; `None`: nobody's.
    pub(crate) fn place_next_hop(&self, writer: &mut Writer, index: u16, neighbour: Option<Neighbour>) {
        if self.neighbour(index) == neighbour {
            return;
        }
        let words = neighbour.map_or([0; 4], |neighbour| {
            let [high, low] = address_words(neighbour.address);
            [word([0; 6], neighbour.port), 0, high, low]
        });
        put_words!(writer, self.next_hops.at(index.into()), words, destination);
    }

    /// What is known of a neighbour. The address that makes it resolved is stored last when it comes, first when it goes.
    pub(crate) fn resolve_next_hop(
        &self,
        writer: &mut Writer,
        index: u16,
        port: u16,
        source: ([u8; 6], u16),
        destination: Option<Mac>,
    ) {
        let at = self.next_hops.at(index.into());
        put_words!(writer, at, [word(source.0, source.1)], source);
        put_words!(writer, at, [word(destination.map_or([0; 6], Mac::octets), port)], destination);
    }

    pub(crate) fn resolved_next_hop(&self, index: u16) -> Option<Mac> {
        let [destination]: [u64; 1] = get_words!(self.next_hops.at(index.into()), destination);
        let [a, b, c, d, e, f, ..] = destination.to_ne_bytes();
        Mac::new([a, b, c, d, e, f]).ok()
    }

    fn group(&self, index: u16) -> GroupSlots {
        let words: [u64; GROUP_SLOTS / 4] = get_words!(self.next_hop_groups.at(index.into()), slots);
        let mut slots = [0; GROUP_SLOTS];
        for (four, word) in slots.chunks_exact_mut(4).zip(words) {
            let [a, b, c, d, e, f, g, h] = word.to_ne_bytes();
            four.copy_from_slice(&[[a, b], [c, d], [e, f], [g, h]].map(u16::from_ne_bytes));
        }
        slots
    }

    pub(crate) fn write_group(&self, writer: &mut Writer, index: u16, slots: &GroupSlots) {
        let mut words = [0; GROUP_SLOTS / 4];
        for (word, four) in words.iter_mut().zip(slots.chunks_exact(4)) {
            let mut bytes = [0; 8];
            for (two, slot) in bytes.chunks_exact_mut(2).zip(four) {
                two.copy_from_slice(&slot.to_ne_bytes());
            }
            *word = u64::from_ne_bytes(bytes);
        }
        put_words!(writer, self.next_hop_groups.at(index.into()), words, slots);
    }
}
