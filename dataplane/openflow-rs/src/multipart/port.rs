use alloc::vec::Vec;

use crate::{
    DecodeError, PortNo, Problem, Version,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer, layout},
};

/// What a port has counted (OpenFlow 1.3.5, section 7.3.5.6); all ones where there is no counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    pub port: PortNo,
    pub counters: PortCounters,
    pub ethernet: EthernetCounters,
    /// Since the port was made.
    pub duration_s: u32,
    /// Beyond `duration_s`.
    pub duration_ns: u32,
    /// Properties that are not known; OpenFlow 1.4.
    pub properties: Vec<RawProperty>,
}

/// Counters of every port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounters {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
}

layout!(PortCounters {
    rx_packets,
    tx_packets,
    rx_bytes,
    tx_bytes,
    rx_dropped,
    tx_dropped,
    rx_errors,
    tx_errors,
});

/// Counters of Ethernet ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EthernetCounters {
    pub rx_frame_errors: u64,
    pub rx_over_errors: u64,
    pub rx_crc_errors: u64,
    pub collisions: u64,
}

layout!(EthernetCounters { rx_frame_errors, rx_over_errors, rx_crc_errors, collisions });

const ETHERNET: u16 = 0;

/// What OpenFlow 1.4 has before the properties.
struct Head {
    port: PortNo,
    duration_s: u32,
    duration_ns: u32,
    counters: PortCounters,
}

layout!(Head { 2, port, duration_s, duration_ns, counters });

impl Wire for PortStats {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("PortStats");
        if r.version() < Version::V1_4 {
            let port = Wire::get(r)?;
            r.skip(4)?;
            let (counters, ethernet) = (Wire::get(r)?, Wire::get(r)?);
            let duration_s = Wire::get(r)?;
            let properties = Vec::new();
            return Ok(Self { port, counters, ethernet, duration_s, duration_ns: Wire::get(r)?, properties });
        }
        let start = r.offset();
        let len = Wire::get(r)?;
        let r = &mut r.sub_from(start, len)?;
        let Head { port, duration_s, duration_ns, counters } = Wire::get(r)?;
        let mut stats = Self { port, counters, duration_s, duration_ns, ..Self::default() };
        while !r.is_empty() {
            property::get(r, |kind, body| {
                if kind == ETHERNET {
                    body.skip(4)?;
                    stats.ethernet = Wire::get(body)?;
                } else {
                    stats.properties.push(RawProperty { kind, body: Wire::get(body)? });
                }
                Ok(())
            })?;
        }
        Ok(stats)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { port, counters, ethernet, duration_s, duration_ns, properties } = self;
        w.writing("PortStats");
        if w.version() < Version::V1_4 {
            if !properties.is_empty() {
                w.fail(Problem::Version);
            }
            port.put(w);
            w.zeros(4);
            counters.put(w);
            ethernet.put(w);
            return u32::put_all(&[*duration_s, *duration_ns], w);
        }
        let start = w.position();
        let at = w.length_here();
        let (port, counters) = (*port, *counters);
        Head { port, duration_s: *duration_s, duration_ns: *duration_ns, counters }.put(w);
        property::put(w, ETHERNET, |w| {
            w.zeros(4);
            ethernet.put(w);
        });
        properties.put(w);
        w.writing("PortStats");
        w.set_length(at, start);
    }
}
