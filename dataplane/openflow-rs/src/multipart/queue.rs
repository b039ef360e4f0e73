use alloc::vec::Vec;

use crate::{
    DecodeError, PortNo, Problem, QueueId, Version,
    property::RawProperty,
    wire::{Reader, Wire, Writer, layout},
};

/// Which queues (OpenFlow 1.3.5, section 7.3.5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStatsRequest {
    /// [`PortNo::ANY`] for every one.
    pub port: PortNo,
    /// [`QueueId::ALL`] for every one.
    pub queue: QueueId,
}

layout!(QueueStatsRequest { port, queue });

/// What a queue has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    pub counters: QueueCounters,
    /// OpenFlow 1.4.
    pub properties: Vec<RawProperty>,
}

/// A queue and its counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounters {
    pub port: PortNo,
    pub queue: QueueId,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub tx_errors: u64,
    /// Since the queue was made.
    pub duration_s: u32,
    /// Beyond `duration_s`.
    pub duration_ns: u32,
}

layout!(QueueCounters { port, queue, tx_bytes, tx_packets, tx_errors, duration_s, duration_ns });

/// [`QueueStats`] since OpenFlow 1.4.
struct WithProperties {
    counters: QueueCounters,
    properties: Vec<RawProperty>,
}

layout!(WithProperties { [len], 6, counters, properties });

impl Wire for QueueStats {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.version() < Version::V1_4 {
            return Ok(Self { counters: Wire::get(r)?, properties: Vec::new() });
        }
        let WithProperties { counters, properties } = Wire::get(r)?;
        Ok(Self { counters, properties })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { counters, properties } = self;
        if w.version() >= Version::V1_4 {
            return WithProperties { counters: *counters, properties: properties.clone() }.put(w);
        }
        w.writing("QueueStats.properties");
        if !properties.is_empty() {
            w.fail(Problem::Version);
        }
        counters.put(w);
    }
}
