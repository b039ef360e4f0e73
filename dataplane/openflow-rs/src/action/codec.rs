use alloc::vec::Vec;

use super::Action;
use crate::{
    DecodeError, ExperimenterId, Problem, Version,
    nicira::NiciraAction,
    wire::{Reader, Wire, Writer},
};

/// Actions are multiples of as many bytes.
const ALIGN: u16 = 8;

const OUTPUT: u16 = 0;
const COPY_TTL_OUT: u16 = 11;
const COPY_TTL_IN: u16 = 12;
const SET_MPLS_TTL: u16 = 15;
const DEC_MPLS_TTL: u16 = 16;
const PUSH_VLAN: u16 = 17;
const POP_VLAN: u16 = 18;
const PUSH_MPLS: u16 = 19;
const POP_MPLS: u16 = 20;
const SET_QUEUE: u16 = 21;
const GROUP: u16 = 22;
const SET_NW_TTL: u16 = 23;
const DEC_NW_TTL: u16 = 24;
const SET_FIELD: u16 = 25;
const PUSH_PBB: u16 = 26;
const POP_PBB: u16 = 27;
const COPY_FIELD: u16 = 28;
const METER: u16 = 29;
const EXPERIMENTER: u16 = 0xffff;

impl Action {
    /// The number of its type.
    const fn kind(&self) -> u16 {
        match self {
            Self::Output { .. } => OUTPUT,
            Self::CopyTtlOut => COPY_TTL_OUT,
            Self::CopyTtlIn => COPY_TTL_IN,
            Self::SetMplsTtl(_) => SET_MPLS_TTL,
            Self::DecMplsTtl => DEC_MPLS_TTL,
            Self::PushVlan(_) => PUSH_VLAN,
            Self::PopVlan => POP_VLAN,
            Self::PushMpls(_) => PUSH_MPLS,
            Self::PopMpls(_) => POP_MPLS,
            Self::SetQueue(_) => SET_QUEUE,
            Self::Group(_) => GROUP,
            Self::SetNwTtl(_) => SET_NW_TTL,
            Self::DecNwTtl => DEC_NW_TTL,
            Self::SetField(_) => SET_FIELD,
            Self::PushPbb(_) => PUSH_PBB,
            Self::PopPbb => POP_PBB,
            Self::CopyField(_) => COPY_FIELD,
            Self::Meter(_) => METER,
            Self::Nicira(_) | Self::Experimenter { .. } => EXPERIMENTER,
            Self::Other { kind, .. } => *kind,
        }
    }

    fn get_body(kind: u16, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let since_1_5 = r.version() >= Version::V1_5;
        Ok(match kind {
            OUTPUT => Self::Output { port: Wire::get(r)?, max_len: Wire::get(r)? },
            COPY_TTL_OUT => Self::CopyTtlOut,
            COPY_TTL_IN => Self::CopyTtlIn,
            SET_MPLS_TTL => Self::SetMplsTtl(Wire::get(r)?),
            DEC_MPLS_TTL => Self::DecMplsTtl,
            PUSH_VLAN => Self::PushVlan(Wire::get(r)?),
            POP_VLAN => Self::PopVlan,
            PUSH_MPLS => Self::PushMpls(Wire::get(r)?),
            POP_MPLS => Self::PopMpls(Wire::get(r)?),
            SET_QUEUE => Self::SetQueue(Wire::get(r)?),
            GROUP => Self::Group(Wire::get(r)?),
            SET_NW_TTL => Self::SetNwTtl(Wire::get(r)?),
            DEC_NW_TTL => Self::DecNwTtl,
            SET_FIELD => Self::SetField(Wire::get(r)?),
            PUSH_PBB => Self::PushPbb(Wire::get(r)?),
            POP_PBB => Self::PopPbb,
            COPY_FIELD if since_1_5 => Self::CopyField(Wire::get(r)?),
            METER if since_1_5 => Self::Meter(Wire::get(r)?),
            EXPERIMENTER => match ExperimenterId::get(r)? {
                ExperimenterId::NICIRA => Self::Nicira(NiciraAction::get(r)?),
                experimenter => Self::Experimenter { experimenter, data: Wire::get(r)? },
            },
            _ => Self::Other { kind, data: Wire::get(r)? },
        })
    }

    fn put_body(&self, w: &mut Writer<'_>) {
        match self {
            Self::Output { port, max_len } => {
                port.put(w);
                max_len.put(w);
            }
            Self::CopyTtlOut
            | Self::CopyTtlIn
            | Self::DecMplsTtl
            | Self::PopVlan
            | Self::DecNwTtl
            | Self::PopPbb => {}
            Self::SetMplsTtl(ttl) | Self::SetNwTtl(ttl) => ttl.put(w),
            Self::PushVlan(ethertype)
            | Self::PushMpls(ethertype)
            | Self::PopMpls(ethertype)
            | Self::PushPbb(ethertype) => ethertype.put(w),
            Self::SetQueue(queue) => queue.put(w),
            Self::Group(group) => group.put(w),
            Self::SetField(oxm) => oxm.put(w),
            Self::CopyField(copy) => copy.put(w),
            Self::Meter(meter) => meter.put(w),
            Self::Nicira(action) => {
                ExperimenterId::NICIRA.put(w);
                action.put(w);
            }
            Self::Experimenter { experimenter, data } => {
                experimenter.put(w);
                put_whole(data, 0, w);
            }
            Self::Other { data, .. } => put_whole(data, 4, w),
        }
        if w.version() < Version::V1_5 && matches!(self, Self::CopyField(_) | Self::Meter(_)) {
            w.fail(Problem::Version);
        }
    }
}

/// Data that fill an action up to its end, so that none of it could be padding.
fn put_whole(data: &Vec<u8>, beyond: usize, w: &mut Writer<'_>) {
    if data.len() % usize::from(ALIGN) != beyond {
        w.fail(Problem::Value);
    }
    data.put(w);
}

impl Wire for Action {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("action");
        let start = r.offset();
        let at = r.clone();
        let (kind, len) = (u16::get(r)?, u16::get(r)?);
        if len == 0 || len % ALIGN != 0 {
            return Err(at.error("length of an action, which is no multiple of eight"));
        }
        let mut body = r.sub_from(start, len)?;
        let action = Self::get_body(kind, &mut body)?;
        if body.len() >= usize::from(ALIGN) {
            return Err(body.error("action, which is too long"));
        }
        Ok(action)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("action");
        let start = w.position();
        self.kind().put(w);
        let at = w.length_here();
        self.put_body(w);
        w.align(start);
        w.writing("action");
        w.set_length(at, start);
    }
}
