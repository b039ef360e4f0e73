use alloc::vec::Vec;

use crate::{
    DecodeError, MeterBand, MeterFlags, MeterId, Problem, Version,
    wire::{Reader, Wire, Writer, layout},
};

/// What a meter has counted (OpenFlow 1.3.5, section 7.3.5.12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterStats {
    pub meter: MeterId,
    /// Flows that use it.
    pub flows: u32,
    pub packets_in: u64,
    pub bytes_in: u64,
    /// Since the meter was made.
    pub duration_s: u32,
    /// Beyond `duration_s`.
    pub duration_ns: u32,
    /// In the order of the meter's.
    pub bands: Vec<MeterBandStats>,
}

layout!(MeterStats { meter, [len], 6, flows, packets_in, bytes_in, duration_s, duration_ns, bands });

/// What a band has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterBandStats {
    pub packets: u64,
    pub bytes: u64,
}

layout!(MeterBandStats { packets, bytes });

/// A meter (section 7.3.5.13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterConfig {
    pub flags: MeterFlags,
    pub meter: MeterId,
    pub bands: Vec<MeterBand>,
}

layout!(MeterConfig { [len], flags, meter, bands });

/// What meters there can be (section 7.3.5.14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterFeatures {
    pub meters_max: u32,
    /// Bit `n` is type `n` of bands.
    pub band_types: u32,
    /// Flags that meters can have, of 32 bits here.
    pub capabilities: u32,
    pub bands_max: u8,
    pub colours_max: u8,
    /// `OFPMFF_*` of OpenFlow 1.5, which Open vSwitch leaves out.
    pub features: Option<u32>,
}

impl Wire for MeterFeatures {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("MeterFeatures");
        let (meters_max, band_types, capabilities) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let (bands_max, colours_max) = (Wire::get(r)?, Wire::get(r)?);
        r.skip(2)?;
        let mut features =
            Self { meters_max, band_types, capabilities, bands_max, colours_max, features: None };
        if r.version() >= Version::V1_5 && !r.is_empty() {
            features.features = Some(Wire::get(r)?);
            r.skip(4)?;
        }
        Ok(features)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { meters_max, band_types, capabilities, bands_max, colours_max, features } = *self;
        w.writing("MeterFeatures.features");
        u32::put_all(&[meters_max, band_types, capabilities], w);
        u8::put_all(&[bands_max, colours_max], w);
        w.zeros(2);
        if let Some(features) = features {
            if w.version() < Version::V1_5 {
                w.fail(Problem::Version);
            }
            features.put(w);
            w.zeros(4);
        }
    }
}
