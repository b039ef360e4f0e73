use crate::{PortNo, wire::layout};

/// What a port has counted (OpenFlow 1.3.5, section 7.3.5.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    pub port: PortNo,
    pub counters: PortStatsCounters,
    /// Since the port was made.
    pub duration_s: u32,
    /// Beyond `duration_s`.
    pub duration_ns: u32,
}

layout!(PortStats { port, 4, counters, duration_s, duration_ns });

/// Counters; all ones where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStatsCounters {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_frame_errors: u64,
    pub rx_over_errors: u64,
    pub rx_crc_errors: u64,
    pub collisions: u64,
}

layout!(PortStatsCounters {
    rx_packets,
    tx_packets,
    rx_bytes,
    tx_bytes,
    rx_dropped,
    tx_dropped,
    rx_errors,
    tx_errors,
    rx_frame_errors,
    rx_over_errors,
    rx_crc_errors,
    collisions,
});
