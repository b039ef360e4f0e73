use alloc::vec::Vec;

use crate::{
    Action, BufferId, Cookie, DecodeError, PortNo, Problem, TableId, Version,
    oxm::{Match, fields},
    wire::{Reader, Wire, Writer, layout, open},
};

open! {
    /// Why a packet comes to the controller (`OFPR_*`).
    PacketInReason: u8 {
        /// No flow, or the one of all packets.
        NO_MATCH = 0,
        /// An action.
        ACTION = 1,
        INVALID_TTL = 2,
        /// OpenFlow 1.4.
        ACTION_SET = 3,
        /// OpenFlow 1.4.
        GROUP = 4,
        /// OpenFlow 1.4.
        PACKET_OUT = 5,
    }
}

/// A packet to the controller (OpenFlow 1.3.5, section 7.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketIn {
    /// Under which the switch keeps the packet.
    pub buffer: BufferId,
    /// Bytes of the whole packet.
    pub total_len: u16,
    pub reason: PacketInReason,
    pub table: TableId,
    /// Of the flow.
    pub cookie: Cookie,
    /// What the pipeline knew, with the port at least.
    pub matching: Match,
    /// The packet, or its beginning.
    pub data: Vec<u8>,
}

layout!(PacketIn { buffer, total_len, reason, table, cookie, matching, 2, data });

impl PacketIn {
    /// Where the packet came in.
    pub fn in_port(&self) -> Option<PortNo> {
        self.matching.value(fields::IN_PORT)
    }
}

/// A packet from the controller (section 7.3.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketOut {
    /// The packet that the switch keeps under it, or [`BufferId::NONE`] and `data`.
    pub buffer: BufferId,
    pub in_port: PortNo,
    /// What the pipeline is to know beside the port; OpenFlow 1.5.
    pub pipeline: Match,
    pub actions: Vec<Action>,
    pub data: Vec<u8>,
}

impl Default for PacketOut {
    fn default() -> Self {
        Self {
            buffer: BufferId::NONE,
            in_port: PortNo::CONTROLLER,
            pipeline: Match::new(),
            actions: Vec::new(),
            data: Vec::new(),
        }
    }
}

impl Wire for PacketOut {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("PacketOut");
        let buffer = Wire::get(r)?;
        let (in_port, pipeline, actions_len) = if r.version() < Version::V1_5 {
            let (in_port, actions_len) = (Wire::get(r)?, u16::get(r)?);
            r.skip(6)?;
            (in_port, Match::new(), actions_len)
        } else {
            let actions_len = u16::get(r)?;
            r.skip(2)?;
            let (in_port, pipeline) = without_in_port(&Wire::get(r)?);
            (in_port, pipeline, actions_len)
        };
        r.reading("PacketOut.actions");
        let actions = Wire::get(&mut r.sub(actions_len.into())?)?;
        Ok(Self { buffer, in_port, pipeline, actions, data: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { buffer, in_port, pipeline, actions, data } = self;
        w.writing("PacketOut");
        buffer.put(w);
        let at;
        if w.version() < Version::V1_5 {
            if !pipeline.is_empty() {
                w.fail(Problem::Version);
            }
            in_port.put(w);
            at = w.length_here();
            w.zeros(6);
        } else {
            at = w.length_here();
            w.zeros(2);
            Match::new().in_port(*in_port).with_all(pipeline).put(w);
        }
        let start = w.position();
        actions.put(w);
        w.writing("PacketOut.actions");
        w.set_length(at, start);
        data.put(w);
    }
}

/// The port that a match says, and the rest of it.
fn without_in_port(matching: &Match) -> (PortNo, Match) {
    let mut in_port = None;
    let mut rest = Match::new();
    for oxm in matching {
        match oxm.value(fields::IN_PORT) {
            Some(port) if in_port.is_none() && oxm.mask_bytes().is_none() => in_port = Some(port),
            _ => rest = rest.with_ref(&oxm),
        }
    }
    (in_port.unwrap_or(PortNo::ANY), rest)
}
