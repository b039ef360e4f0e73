use alloc::vec::Vec;

use crate::{
    DecodeError, Mac, PortNo, Problem, Version,
    ids::Text,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer, flags, layout, open},
};

flags! {
    /// What the operator wants of a port (`OFPPC_*`).
    PortConfig: u32 {
        PORT_DOWN = 1 << 0,
        /// What comes in is dropped.
        NO_RECV = 1 << 2,
        /// What would go out is dropped.
        NO_FWD = 1 << 5,
        /// Nothing from it comes to the controller.
        NO_PACKET_IN = 1 << 6,
    }
}

flags! {
    /// What a port is like (`OFPPS_*`).
    PortState: u32 {
        LINK_DOWN = 1 << 0,
        BLOCKED = 1 << 1,
        /// Live for groups of fast failover.
        LIVE = 1 << 2,
    }
}

flags! {
    /// What an Ethernet port can (`OFPPF_*`).
    PortFeatures: u32 {
        HD_10MB = 1 << 0,
        FD_10MB = 1 << 1,
        HD_100MB = 1 << 2,
        FD_100MB = 1 << 3,
        HD_1GB = 1 << 4,
        FD_1GB = 1 << 5,
        FD_10GB = 1 << 6,
        FD_40GB = 1 << 7,
        FD_100GB = 1 << 8,
        FD_1TB = 1 << 9,
        OTHER = 1 << 10,
        COPPER = 1 << 11,
        FIBER = 1 << 12,
        AUTONEGOTIATION = 1 << 13,
        PAUSE = 1 << 14,
        PAUSE_ASYMMETRIC = 1 << 15,
    }
}

/// A port (OpenFlow 1.3.5, section 7.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    pub no: PortNo,
    pub mac: Mac,
    pub name: Text<16>,
    pub config: PortConfig,
    pub state: PortState,
    pub ethernet: EthernetPort,
    /// Properties that are not known; OpenFlow 1.4.
    pub properties: Vec<RawProperty>,
}

/// What Ethernet says of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EthernetPort {
    pub current: PortFeatures,
    pub advertised: PortFeatures,
    pub supported: PortFeatures,
    pub peer: PortFeatures,
    /// kbit/s.
    pub speed: u32,
    /// kbit/s.
    pub speed_max: u32,
}

layout!(EthernetPort { current, advertised, supported, peer, speed, speed_max });

const ETHERNET: u16 = 0;

impl Wire for Port {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Port");
        let start = r.offset();
        let no = Wire::get(r)?;
        let has_properties = r.version() >= Version::V1_4;
        let len = u16::get(r)?;
        r.skip(2)?;
        let mut bounded;
        let r = if has_properties {
            bounded = r.sub_from(start, len)?;
            &mut bounded
        } else {
            r
        };
        let mac = Wire::get(r)?;
        r.skip(2)?;
        let (name, config, state) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let mut port = Self { no, mac, name, config, state, ..Self::default() };
        if !has_properties {
            port.ethernet = Wire::get(r)?;
            return Ok(port);
        }
        while !r.is_empty() {
            property::get(r, |kind, body| {
                if kind == ETHERNET {
                    body.skip(4)?;
                    port.ethernet = Wire::get(body)?;
                } else {
                    port.properties.push(RawProperty { kind, body: Wire::get(body)? });
                }
                Ok(())
            })?;
        }
        Ok(port)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { no, mac, name, config, state, ethernet, properties } = self;
        w.writing("Port");
        let start = w.position();
        let has_properties = w.version() >= Version::V1_4;
        no.put(w);
        let at = w.length_here();
        w.zeros(2);
        mac.put(w);
        w.zeros(2);
        name.put(w);
        config.put(w);
        state.put(w);
        if has_properties {
            property::put(w, ETHERNET, |w| {
                w.zeros(4);
                ethernet.put(w);
            });
            properties.put(w);
            w.writing("Port");
            w.set_length(at, start);
        } else {
            if !properties.is_empty() {
                w.fail(Problem::Version);
            }
            ethernet.put(w);
        }
    }
}

open! {
    /// What became of a port (`OFPPR_*`).
    PortReason: u8 {
        ADD = 0,
        DELETE = 1,
        MODIFY = 2,
    }
}

/// A port has come, gone or changed (section 7.4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortStatus {
    pub reason: PortReason,
    pub port: Port,
}

layout!(PortStatus { reason, 7, port });
