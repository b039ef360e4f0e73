use alloc::vec::Vec;

use crate::{
    DecodeError, ExperimenterId, PortNo, QueueId,
    wire::{Reader, Wire, Writer, layout},
};

/// The queues of a port (OpenFlow 1.3.5, section 7.3.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueConfig {
    pub port: PortNo,
    pub queues: Vec<PacketQueue>,
}

layout!(QueueConfig { port, 4, queues });

/// A queue (section 7.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketQueue {
    pub queue: QueueId,
    pub port: PortNo,
    pub properties: Vec<QueueProperty>,
}

layout!(PacketQueue { queue, port, [len], 6, properties });

/// A rate in tenths of a per cent; beyond 1,000 there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueRate(pub u16);

layout!(QueueRateOnWire { rate, 6 });

struct QueueRateOnWire {
    rate: u16,
}

/// Something about a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueProperty {
    MinRate(QueueRate),
    MaxRate(QueueRate),
    Experimenter { experimenter: ExperimenterId, data: Vec<u8> },
    Other { kind: u16, data: Vec<u8> },
}

const MIN_RATE: u16 = 1;
const MAX_RATE: u16 = 2;
const EXPERIMENTER: u16 = 0xffff;

impl Wire for QueueProperty {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("QueueProperty");
        let start = r.offset();
        let (kind, len) = (u16::get(r)?, u16::get(r)?);
        let r = &mut r.sub_from(start, len)?;
        r.skip(4)?;
        let property = match kind {
            MIN_RATE => Self::MinRate(QueueRate(QueueRateOnWire::get(r)?.rate)),
            MAX_RATE => Self::MaxRate(QueueRate(QueueRateOnWire::get(r)?.rate)),
            EXPERIMENTER => {
                let experimenter = Wire::get(r)?;
                r.skip(4)?;
                Self::Experimenter { experimenter, data: Wire::get(r)? }
            }
            _ => Self::Other { kind, data: Wire::get(r)? },
        };
        if r.is_empty() { Ok(property) } else { Err(r.error("QueueProperty, which is too long")) }
    }

    fn put(&self, w: &mut Writer<'_>) {
        let start = w.position();
        let kind = match self {
            Self::MinRate(_) => MIN_RATE,
            Self::MaxRate(_) => MAX_RATE,
            Self::Experimenter { .. } => EXPERIMENTER,
            Self::Other { kind, .. } => *kind,
        };
        kind.put(w);
        let at = w.length_here();
        w.zeros(4);
        match self {
            Self::MinRate(QueueRate(rate)) | Self::MaxRate(QueueRate(rate)) => {
                QueueRateOnWire { rate: *rate }.put(w);
            }
            Self::Experimenter { experimenter, data } => {
                experimenter.put(w);
                w.zeros(4);
                data.put(w);
            }
            Self::Other { data, .. } => data.put(w),
        }
        w.writing("QueueProperty");
        w.set_length(at, start);
    }
}
