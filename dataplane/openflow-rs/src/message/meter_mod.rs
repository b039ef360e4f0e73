use alloc::vec::Vec;

use crate::{
    DecodeError, ExperimenterId, MeterId,
    wire::{Reader, Wire, Writer, closed, flags, layout},
};

closed! {
    /// What is done to meters (`OFPMC_*`).
    #[derive(Default)]
    MeterModCommand: u16 {
        #[default]
        Add = 0,
        Modify = 1,
        Delete = 2,
    }
}

flags! {
    /// `OFPMF_*`.
    MeterFlags: u16 {
        /// Rates in kbit/s.
        KBPS = 1 << 0,
        /// Rates in packets a second.
        PKTPS = 1 << 1,
        /// Bursts are said.
        BURST = 1 << 2,
        STATS = 1 << 3,
    }
}

/// A change to meters (OpenFlow 1.3.5, section 7.3.4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterMod {
    pub command: MeterModCommand,
    pub flags: MeterFlags,
    pub meter: MeterId,
    pub bands: Vec<MeterBand>,
}

layout!(MeterMod { command, flags, meter, bands });

/// What is done beyond a rate. `rate` is in kbit/s or packets a second and `burst` in kbit or packets, by the meter's flags.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeterBand {
    Drop {
        rate: u32,
        burst: u32,
    },
    /// Higher by `levels` in the drop precedence of its class (RFC 2597).
    DscpRemark {
        rate: u32,
        burst: u32,
        levels: u8,
    },
    Experimenter {
        rate: u32,
        burst: u32,
        experimenter: ExperimenterId,
        data: Vec<u8>,
    },
    Other {
        kind: u16,
        rate: u32,
        burst: u32,
        data: Vec<u8>,
    },
}

const DROP: u16 = 1;
const DSCP_REMARK: u16 = 2;
const EXPERIMENTER: u16 = 0xffff;

impl Wire for MeterBand {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("MeterBand");
        let start = r.offset();
        let (kind, len) = (u16::get(r)?, u16::get(r)?);
        let r = &mut r.sub_from(start, len)?;
        let (rate, burst) = (Wire::get(r)?, Wire::get(r)?);
        let band = match kind {
            DROP => {
                r.skip(4)?;
                Self::Drop { rate, burst }
            }
            DSCP_REMARK => {
                let levels = Wire::get(r)?;
                r.skip(3)?;
                Self::DscpRemark { rate, burst, levels }
            }
            EXPERIMENTER => {
                Self::Experimenter { rate, burst, experimenter: Wire::get(r)?, data: Wire::get(r)? }
            }
            _ => Self::Other { kind, rate, burst, data: Wire::get(r)? },
        };
        if r.is_empty() { Ok(band) } else { Err(r.error("MeterBand, which is too long")) }
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("MeterBand");
        let (kind, rate, burst) = match self {
            Self::Drop { rate, burst } => (DROP, rate, burst),
            Self::DscpRemark { rate, burst, .. } => (DSCP_REMARK, rate, burst),
            Self::Experimenter { rate, burst, .. } => (EXPERIMENTER, rate, burst),
            Self::Other { kind, rate, burst, .. } => (*kind, rate, burst),
        };
        let start = w.position();
        kind.put(w);
        let at = w.length_here();
        rate.put(w);
        burst.put(w);
        match self {
            Self::Drop { .. } => w.zeros(4),
            Self::DscpRemark { levels, .. } => {
                levels.put(w);
                w.zeros(3);
            }
            Self::Experimenter { experimenter, data, .. } => {
                experimenter.put(w);
                data.put(w);
            }
            Self::Other { data, .. } => data.put(w),
        }
        w.writing("MeterBand");
        w.set_length(at, start);
    }
}
