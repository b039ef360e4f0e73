use alloc::vec::Vec;

use super::{Subfield, resubmit::Port16};
use crate::{
    DecodeError, PortNo, Problem,
    oxm::{OxmId, fields},
    wire::{Reader, Wire, Writer, open},
};

open! {
    /// What of a packet is hashed (`enum nx_hash_fields`).
    HashFields: u16 {
        ETH_SRC = 0,
        /// Addresses and ports of all layers, the same both ways.
        SYMMETRIC_L4 = 1,
        /// Without Ethernet's, and without ports of UDP.
        SYMMETRIC_L3L4 = 2,
        /// Without Ethernet's.
        SYMMETRIC_L3L4_UDP = 3,
        NW_SRC = 4,
        NW_DST = 5,
        SYMMETRIC_L3 = 6,
    }
}

open! {
    /// How a hash becomes a link (`enum nx_mp_algorithm`).
    MultipathAlgorithm: u16 {
        MODULO_N = 0,
        HASH_THRESHOLD = 1,
        /// The highest of random weights.
        HRW = 2,
        ITER_HASH = 3,
    }
}

/// A link by a hash, to a field (`struct nx_action_multipath`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multipath {
    pub fields: HashFields,
    /// Makes one hash another.
    pub basis: u16,
    pub algorithm: MultipathAlgorithm,
    /// One less than there are.
    pub max_link: u16,
    /// For [`MultipathAlgorithm::ITER_HASH`].
    pub arg: u32,
    /// At most 64 bits, of a field that is no experimenter's.
    pub to: Subfield,
}

impl Wire for Multipath {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Multipath");
        let (fields, basis) = (Wire::get(r)?, Wire::get(r)?);
        r.skip(2)?;
        let (algorithm, max_link, arg) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        r.skip(2)?;
        let (offset, bits) = Subfield::unpack(u16::get(r)?);
        Ok(Self { fields, basis, algorithm, max_link, arg, to: Subfield::get_word(r, offset, bits)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { fields, basis, algorithm, max_link, arg, to } = self;
        w.writing("Multipath");
        fields.put(w);
        basis.put(w);
        w.zeros(2);
        algorithm.put(w);
        max_link.put(w);
        arg.put(w);
        w.zeros(2);
        to.put_packed(w);
        to.field().put_word(w);
    }
}

open! {
    /// How one of several ports is chosen (`enum nx_bd_algorithm`).
    BundleAlgorithm: u16 {
        /// The first that is up.
        ACTIVE_BACKUP = 0,
        /// The highest of random weights.
        HRW = 1,
    }
}

/// To one of several ports (`struct nx_action_bundle`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleAction {
    pub algorithm: BundleAlgorithm,
    pub fields: HashFields,
    /// Makes one hash another.
    pub basis: u16,
    /// Where the port goes, in [`super::NiciraAction::BundleLoad`]; `None` in [`super::NiciraAction::Bundle`].
    /// At most 64 bits, of a field that is no experimenter's.
    pub to: Option<Subfield>,
    pub ports: Vec<PortNo>,
}

impl Wire for BundleAction {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("BundleAction");
        let (algorithm, fields, basis) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let at = r.clone();
        if OxmId::get_word(r)? != fields::NXM_IN_PORT.id() {
            return Err(at.wrong());
        }
        let count = u16::get(r)?;
        let packed = u16::get(r)?;
        let to = if packed == 0 && u32::get(&mut r.clone())? == 0 {
            r.skip(4)?;
            None
        } else {
            let (offset, bits) = Subfield::unpack(packed);
            Some(Subfield::get_word(r, offset, bits)?)
        };
        r.skip(4)?;
        let mut list = r.sub(usize::from(count) * 2)?;
        let ports = Port16::get_all(&mut list)?.into_iter().map(|port| port.0).collect();
        Ok(Self { algorithm, fields, basis, to, ports })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { algorithm, fields, basis, to, ports } = self;
        w.writing("BundleAction");
        algorithm.put(w);
        fields.put(w);
        basis.put(w);
        fields::NXM_IN_PORT.id().put_word(w);
        match u16::try_from(ports.len()) {
            Ok(count) => count.put(w),
            Err(_) => w.fail(Problem::TooLong),
        }
        match to {
            Some(to) => {
                if to.field().word() == 0 {
                    w.fail(Problem::Value);
                }
                to.put_packed(w);
                to.field().put_word(w);
            }
            None => w.zeros(6),
        }
        w.zeros(4);
        for port in ports {
            Port16(*port).put(w);
        }
    }
}
