use crate::wire::{flags, layout, open};

open! {
    /// A switch: the lower 48 bits are an Ethernet address by custom, the upper ones the implementer's.
    DatapathId: u64 {}
}

flags! {
    /// `OFPC_*`.
    Capabilities: u32 {
        FLOW_STATS = 1 << 0,
        TABLE_STATS = 1 << 1,
        PORT_STATS = 1 << 2,
        GROUP_STATS = 1 << 3,
        IP_REASSEMBLY = 1 << 5,
        QUEUE_STATS = 1 << 6,
        /// Ports that would make a loop are blocked.
        PORT_BLOCKED = 1 << 8,
        /// OpenFlow 1.4.
        BUNDLES = 1 << 9,
        /// OpenFlow 1.4.
        FLOW_MONITORING = 1 << 10,
    }
}

/// What a switch is (OpenFlow 1.3.5, section 7.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    pub datapath: DatapathId,
    /// How many packets the switch can keep.
    pub buffers: u32,
    pub tables: u8,
    /// 0 on the main connection.
    pub auxiliary: u8,
    pub capabilities: Capabilities,
    pub reserved: u32,
}

layout!(Features { datapath, buffers, tables, auxiliary, 2, capabilities, reserved });
