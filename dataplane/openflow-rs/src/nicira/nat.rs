use core::net::{Ipv4Addr, Ipv6Addr};

use crate::{
    DecodeError,
    wire::{Reader, Wire, Writer, flags},
};

flags! {
    /// `NX_NAT_F_*`.
    NatFlags: u16 {
        /// The source is translated.
        SOURCE = 1 << 0,
        /// The destination is translated.
        DESTINATION = 1 << 1,
        /// Mappings outlive the switch's restart.
        PERSISTENT = 1 << 2,
        /// The port follows from a hash.
        PROTOCOL_HASH = 1 << 3,
        /// The port follows from nothing.
        PROTOCOL_RANDOM = 1 << 4,
    }
}

/// From one address to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatAddresses {
    V4 { min: Ipv4Addr, max: Option<Ipv4Addr> },
    V6 { min: Ipv6Addr, max: Option<Ipv6Addr> },
}

/// From one port to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatPorts {
    pub min: u16,
    pub max: Option<u16>,
}

/// What connection tracking translates to (`struct nx_action_nat`); within [`super::Ct`] alone.
///
/// Without flags and ranges, it translates packets of connections that are translated already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nat {
    pub flags: NatFlags,
    pub addresses: Option<NatAddresses>,
    pub ports: Option<NatPorts>,
}

// Which ranges are there (`NX_NAT_RANGE_*`).
const IPV4_MIN: u16 = 1 << 0;
const IPV4_MAX: u16 = 1 << 1;
const IPV6_MIN: u16 = 1 << 2;
const IPV6_MAX: u16 = 1 << 3;
const PROTO_MIN: u16 = 1 << 4;
const PROTO_MAX: u16 = 1 << 5;

impl Nat {
    const fn present(&self) -> u16 {
        let addresses = match self.addresses {
            None => 0,
            Some(NatAddresses::V4 { max: None, .. }) => IPV4_MIN,
            Some(NatAddresses::V4 { .. }) => IPV4_MIN | IPV4_MAX,
            Some(NatAddresses::V6 { max: None, .. }) => IPV6_MIN,
            Some(NatAddresses::V6 { .. }) => IPV6_MIN | IPV6_MAX,
        };
        let ports = match self.ports {
            None => 0,
            Some(NatPorts { max: None, .. }) => PROTO_MIN,
            Some(NatPorts { .. }) => PROTO_MIN | PROTO_MAX,
        };
        addresses | ports
    }
}

fn get_if<T: Wire>(present: bool, r: &mut Reader<'_>) -> Result<Option<T>, DecodeError> {
    if present { T::get(r).map(Some) } else { Ok(None) }
}

impl Wire for Nat {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Nat");
        r.skip(2)?;
        let flags = Wire::get(r)?;
        let at = r.clone();
        let present = u16::get(r)?;
        let has = |bit| present & bit != 0;
        let addresses = if has(IPV4_MIN) {
            Some(NatAddresses::V4 { min: Wire::get(r)?, max: get_if(has(IPV4_MAX), r)? })
        } else if has(IPV6_MIN) {
            Some(NatAddresses::V6 { min: Wire::get(r)?, max: get_if(has(IPV6_MAX), r)? })
        } else {
            None
        };
        let ports = if has(PROTO_MIN) {
            Some(NatPorts { min: Wire::get(r)?, max: get_if(has(PROTO_MAX), r)? })
        } else {
            None
        };
        let nat = Self { flags, addresses, ports };
        // Both families, or an end without a beginning, would have been passed over.
        if nat.present() == present { Ok(nat) } else { Err(at.error("ranges of Nat")) }
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { flags, addresses, ports } = self;
        w.writing("Nat");
        w.zeros(2);
        flags.put(w);
        self.present().put(w);
        match addresses {
            None => {}
            Some(NatAddresses::V4 { min, max }) => put_range(min, max.as_ref(), w),
            Some(NatAddresses::V6 { min, max }) => put_range(min, max.as_ref(), w),
        }
        if let Some(NatPorts { min, max }) = ports {
            put_range(min, max.as_ref(), w);
        }
    }
}

fn put_range<T: Wire>(min: &T, max: Option<&T>, w: &mut Writer<'_>) {
    min.put(w);
    if let Some(max) = max {
        max.put(w);
    }
}
