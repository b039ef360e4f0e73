use crate::{TableId, wire::layout};

/// What a table has counted (OpenFlow 1.3.5, section 7.3.5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    pub table: TableId,
    /// Flows.
    pub active: u32,
    /// Packets.
    pub looked_up: u64,
    /// Packets that a flow matched.
    pub matched: u64,
}

layout!(TableStats { table, 3, active, looked_up, matched });
