//! Neighbours that routes lead to.

use std::{collections::BTreeMap, net::Ipv4Addr};

use map_abi::MAX_NEXT_HOPS;
use net_types::Mac;

use crate::{
    error::ApplyError,
    mapped::{Writer, get_words, put_words},
    tables::Tables,
};

/// Index of each next hop, by gateway and port.
#[derive(Default)]
pub(crate) struct NextHops {
    by_neighbour: BTreeMap<(Ipv4Addr, u16), u32>,
}

/// The first two words of `NextHop`: an address and 16 bits each.
fn word(mac: [u8; 6], number: u16) -> u64 {
    let ([a, b, c, d, e, f], [low, high]) = (mac, number.to_ne_bytes());
    u64::from_ne_bytes([a, b, c, d, e, f, low, high])
}

impl NextHops {
    pub(crate) fn survey(tables: &Tables) -> Self {
        let mut by_neighbour = BTreeMap::new();
        for index in 1..tables.next_hops.len() {
            let [destination, _, gateway]: [u64; 3] = get_words!(tables.next_hops.at(index), destination);
            let [a, b, c, d, ..] = gateway.to_ne_bytes();
            let [.., low, high] = destination.to_ne_bytes();
            if [a, b, c, d] != [0; 4] {
                by_neighbour.insert((Ipv4Addr::new(a, b, c, d), u16::from_ne_bytes([low, high])), index);
            }
        }
        Self { by_neighbour }
    }

    pub(crate) fn get(&self, gateway: Ipv4Addr, port: u16) -> Option<u32> {
        self.by_neighbour.get(&(gateway, port)).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, u16, u32)> + '_ {
        self.by_neighbour.iter().map(|((gateway, port), index)| (*gateway, *port, *index))
    }

    /// The index of a neighbour, new and unresolved if need be.
    pub(crate) fn ensure(
        &mut self,
        tables: &Tables,
        writer: &mut Writer,
        gateway: Ipv4Addr,
        port: u16,
    ) -> Result<u32, ApplyError> {
        if let Some(index) = self.get(gateway, port) {
            return Ok(index);
        }
        let is_free = |index: &u32| !self.by_neighbour.values().any(|taken| taken == index);
        let index = (1..tables.next_hops.len())
            .find(is_free)
            .ok_or(ApplyError::Full { table: "next hops", size: MAX_NEXT_HOPS - 1 })?;
        let [a, b, c, d] = gateway.octets();
        let gateway_word = u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]);
        put_words!(writer, tables.next_hops.at(index), [word([0; 6], port), 0, gateway_word], destination);
        self.by_neighbour.insert((gateway, port), index);
        Ok(index)
    }

    /// Forgets a neighbour that no route leads to.
    pub(crate) fn remove(&mut self, tables: &Tables, writer: &mut Writer, gateway: Ipv4Addr, port: u16) {
        if let Some(index) = self.by_neighbour.remove(&(gateway, port)) {
            put_words!(writer, tables.next_hops.at(index), [0, 0, 0], destination);
        }
    }

    /// What is known of a neighbour. The address that makes it resolved is stored last when it comes, first when it goes.
    pub(crate) fn resolve(
        tables: &Tables,
        writer: &mut Writer,
        index: u32,
        port: u16,
        source: ([u8; 6], u16),
        destination: Option<Mac>,
    ) {
        let at = tables.next_hops.at(index);
        put_words!(writer, at, [word(source.0, source.1)], source);
        put_words!(writer, at, [word(destination.map_or([0; 6], Mac::octets), port)], destination);
    }

    pub(crate) fn resolved(tables: &Tables, index: u32) -> Option<Mac> {
        let [destination]: [u64; 1] = get_words!(tables.next_hops.at(index), destination);
        let [a, b, c, d, e, f, ..] = destination.to_ne_bytes();
        Mac::new([a, b, c, d, e, f]).ok()
    }
}
