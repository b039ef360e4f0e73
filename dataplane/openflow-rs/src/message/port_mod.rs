use alloc::vec::Vec;

use super::{PortConfig, PortFeatures};
use crate::{
    DecodeError, Mac, PortNo, Problem, Version,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer},
};

/// A change to a port (OpenFlow 1.3.5, section 7.3.4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortMod {
    pub port: PortNo,
    /// The port's own, by which the switch knows that the right one is meant.
    pub mac: Mac,
    pub config: PortConfig,
    /// What of `config` is changed.
    pub mask: PortConfig,
    /// Nothing for no change.
    pub advertise: PortFeatures,
    /// Properties that are not known; OpenFlow 1.4.
    pub properties: Vec<RawProperty>,
}

const ETHERNET: u16 = 0;

impl Wire for PortMod {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("PortMod");
        let port = Wire::get(r)?;
        r.skip(4)?;
        let mac = Wire::get(r)?;
        r.skip(2)?;
        let (config, mask) = (Wire::get(r)?, Wire::get(r)?);
        let mut change = Self { port, mac, config, mask, ..Self::default() };
        if r.version() < Version::V1_4 {
            change.advertise = Wire::get(r)?;
            r.skip(4)?;
            return Ok(change);
        }
        while !r.is_empty() {
            property::get(r, |kind, body| {
                if kind == ETHERNET {
                    change.advertise = Wire::get(body)?;
                } else {
                    change.properties.push(RawProperty { kind, body: Wire::get(body)? });
                }
                Ok(())
            })?;
        }
        Ok(change)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { port, mac, config, mask, advertise, properties } = self;
        w.writing("PortMod");
        port.put(w);
        w.zeros(4);
        mac.put(w);
        w.zeros(2);
        config.put(w);
        mask.put(w);
        if w.version() < Version::V1_4 {
            if !properties.is_empty() {
                w.fail(Problem::Version);
            }
            advertise.put(w);
            w.zeros(4);
        } else {
            property::put_some(w, ETHERNET, Some(advertise));
            properties.put(w);
        }
    }
}
