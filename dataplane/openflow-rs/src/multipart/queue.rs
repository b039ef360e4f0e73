use crate::{PortNo, QueueId, wire::layout};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
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

layout!(QueueStats { port, queue, tx_bytes, tx_packets, tx_errors, duration_s, duration_ns });
