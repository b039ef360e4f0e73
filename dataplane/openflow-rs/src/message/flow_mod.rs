use alloc::vec::Vec;

use crate::{
    BufferId, Cookie, DecodeError, GroupId, Instruction, PortNo, Problem, TableId, Version,
    oxm::Match,
    wire::{Reader, Wire, Writer, closed, flags},
};

closed! {
    /// What is done to flows (`OFPFC_*`).
    #[derive(Default)]
    FlowModCommand: u8 {
        #[default]
        Add = 0,
        /// Instructions of all that match.
        Modify = 1,
        /// Instructions of the one with this match and priority.
        ModifyStrict = 2,
        /// All that match.
        Delete = 3,
        /// The one with this match and priority.
        DeleteStrict = 4,
    }
}

flags! {
    /// `OFPFF_*`.
    FlowModFlags: u16 {
        /// A message says when the flow is gone.
        SEND_FLOW_REM = 1 << 0,
        /// An error if it overlaps with another of its priority.
        CHECK_OVERLAP = 1 << 1,
        RESET_COUNTS = 1 << 2,
        NO_PACKET_COUNTS = 1 << 3,
        NO_BYTE_COUNTS = 1 << 4,
    }
}

/// A change to flows (OpenFlow 1.3.5, section 7.3.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowMod {
    pub cookie: Cookie,
    /// Where it has ones, flows that are modified or deleted have `cookie`.
    pub cookie_mask: Cookie,
    /// [`TableId::ALL`] to delete from every one.
    pub table: TableId,
    pub command: FlowModCommand,
    /// Seconds without a packet after which the flow goes; 0 for never.
    pub idle_timeout: u16,
    /// Seconds after which the flow goes; 0 for never.
    pub hard_timeout: u16,
    /// The greatest of the flows that match decides.
    pub priority: u16,
    /// A packet that the switch keeps, to be treated so.
    pub buffer: BufferId,
    /// Flows that are deleted output there.
    pub out_port: PortNo,
    /// Flows that are deleted use it.
    pub out_group: GroupId,
    pub flags: FlowModFlags,
    /// The least is evicted first from a full table; OpenFlow 1.4, and 0 before.
    pub importance: u16,
    pub matching: Match,
    pub instructions: Vec<Instruction>,
}

impl FlowMod {
    /// The specification's default (`OFP_DEFAULT_PRIORITY`).
    pub const DEFAULT_PRIORITY: u16 = 0x8000;
}

impl Default for FlowMod {
    /// Adds a flow for every packet, which are dropped, to the first table.
    fn default() -> Self {
        Self {
            cookie: 0,
            cookie_mask: 0,
            table: TableId(0),
            command: FlowModCommand::Add,
            idle_timeout: 0,
            hard_timeout: 0,
            priority: Self::DEFAULT_PRIORITY,
            buffer: BufferId::NONE,
            out_port: PortNo::ANY,
            out_group: GroupId::ANY,
            flags: FlowModFlags::empty(),
            importance: 0,
            matching: Match::new(),
            instructions: Vec::new(),
        }
    }
}

/// The importance of a flow, which is padding in OpenFlow 1.3.
pub(crate) fn get_importance(r: &mut Reader<'_>) -> Result<u16, DecodeError> {
    let importance = Wire::get(r)?;
    Ok(if r.version() < Version::V1_4 { 0 } else { importance })
}

pub(crate) fn put_importance(importance: u16, w: &mut Writer<'_>) {
    if w.version() < Version::V1_4 && importance != 0 {
        w.fail(Problem::Version);
    }
    importance.put(w);
}

impl Wire for FlowMod {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("FlowMod");
        let (cookie, cookie_mask, table) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        r.reading("FlowMod.command");
        let command = Wire::get(r)?;
        r.reading("FlowMod");
        let (idle_timeout, hard_timeout, priority) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let (buffer, out_port, out_group) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let flags = Wire::get(r)?;
        let importance = get_importance(r)?;
        let (matching, instructions) = (Wire::get(r)?, Wire::get(r)?);
        Ok(Self {
            cookie,
            cookie_mask,
            table,
            command,
            idle_timeout,
            hard_timeout,
            priority,
            buffer,
            out_port,
            out_group,
            flags,
            importance,
            matching,
            instructions,
        })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("FlowMod");
        self.cookie.put(w);
        self.cookie_mask.put(w);
        self.table.put(w);
        self.command.put(w);
        u16::put_all(&[self.idle_timeout, self.hard_timeout, self.priority], w);
        self.buffer.put(w);
        self.out_port.put(w);
        self.out_group.put(w);
        self.flags.put(w);
        put_importance(self.importance, w);
        self.matching.put(w);
        self.instructions.put(w);
    }
}
