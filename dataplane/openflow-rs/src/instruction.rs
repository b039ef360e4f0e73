use alloc::vec::Vec;

use crate::{
    Action, DecodeError, ExperimenterId, MeterId, TableId,
    wire::{Reader, Wire, Writer},
};

/// What a flow does with a packet (OpenFlow 1.3.5, section 7.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instruction {
    /// On to a later table.
    GotoTable(TableId),
    /// Where the mask has ones, the metadata for later tables.
    WriteMetadata { metadata: u64, mask: u64 },
    /// Into the action set, which is done after the last table.
    WriteActions(Vec<Action>),
    /// At once, in order.
    ApplyActions(Vec<Action>),
    /// Empties the action set.
    ClearActions,
    /// Through a meter, before all else.
    Meter(MeterId),
    /// One of an experimenter.
    Experimenter { experimenter: ExperimenterId, data: Vec<u8> },
    /// One of a type that is not known.
    Other { kind: u16, data: Vec<u8> },
}

const GOTO_TABLE: u16 = 1;
const WRITE_METADATA: u16 = 2;
const WRITE_ACTIONS: u16 = 3;
const APPLY_ACTIONS: u16 = 4;
const CLEAR_ACTIONS: u16 = 5;
const METER: u16 = 6;
const EXPERIMENTER: u16 = 0xffff;

impl Instruction {
    const fn kind(&self) -> u16 {
        match self {
            Self::GotoTable(_) => GOTO_TABLE,
            Self::WriteMetadata { .. } => WRITE_METADATA,
            Self::WriteActions(_) => WRITE_ACTIONS,
            Self::ApplyActions(_) => APPLY_ACTIONS,
            Self::ClearActions => CLEAR_ACTIONS,
            Self::Meter(_) => METER,
            Self::Experimenter { .. } => EXPERIMENTER,
            Self::Other { kind, .. } => *kind,
        }
    }

    fn get_body(kind: u16, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match kind {
            GOTO_TABLE => {
                let table = Wire::get(r)?;
                r.skip(3)?;
                Self::GotoTable(table)
            }
            WRITE_METADATA => {
                r.skip(4)?;
                Self::WriteMetadata { metadata: Wire::get(r)?, mask: Wire::get(r)? }
            }
            WRITE_ACTIONS => {
                r.skip(4)?;
                Self::WriteActions(Wire::get(r)?)
            }
            APPLY_ACTIONS => {
                r.skip(4)?;
                Self::ApplyActions(Wire::get(r)?)
            }
            CLEAR_ACTIONS => {
                r.skip(4)?;
                Self::ClearActions
            }
            METER => Self::Meter(Wire::get(r)?),
            EXPERIMENTER => Self::Experimenter { experimenter: Wire::get(r)?, data: Wire::get(r)? },
            _ => Self::Other { kind, data: Wire::get(r)? },
        })
    }

    fn put_body(&self, w: &mut Writer<'_>) {
        match self {
            Self::GotoTable(table) => {
                table.put(w);
                w.zeros(3);
            }
            Self::WriteMetadata { metadata, mask } => {
                w.zeros(4);
                metadata.put(w);
                mask.put(w);
            }
            Self::WriteActions(actions) | Self::ApplyActions(actions) => {
                w.zeros(4);
                actions.put(w);
            }
            Self::ClearActions => w.zeros(4),
            Self::Meter(meter) => meter.put(w),
            Self::Experimenter { experimenter, data } => {
                experimenter.put(w);
                data.put(w);
            }
            Self::Other { data, .. } => data.put(w),
        }
    }
}

impl Wire for Instruction {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("instruction");
        let start = r.offset();
        let (kind, len) = (u16::get(r)?, u16::get(r)?);
        let mut body = r.sub_from(start, len)?;
        let instruction = Self::get_body(kind, &mut body)?;
        if body.is_empty() { Ok(instruction) } else { Err(body.error("instruction, which is too long")) }
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("instruction");
        let start = w.position();
        self.kind().put(w);
        let at = w.length_here();
        self.put_body(w);
        w.writing("instruction");
        w.set_length(at, start);
    }
}
