use alloc::vec::Vec;

use crate::{
    DecodeError,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer, layout, open},
};

/// Which messages come unasked: bit `n` is reason `n` (OpenFlow 1.3.5, section 7.3.10).
///
/// The first of each two is for the master and for equals, the second for slaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsyncConfig {
    pub packet_in: Roles,
    pub port_status: Roles,
    pub flow_removed: Roles,
}

layout!(AsyncConfig { packet_in, port_status, flow_removed });

/// Reasons by the controller's role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Of the master and of equals.
    pub master: u32,
    pub slave: u32,
}

layout!(Roles { master, slave });

open! {
    /// What a mask of reasons is about (`OFPACPT_*` of OpenFlow 1.4).
    AsyncKind: u16 {
        PACKET_IN_SLAVE = 0,
        PACKET_IN_MASTER = 1,
        PORT_STATUS_SLAVE = 2,
        PORT_STATUS_MASTER = 3,
        FLOW_REMOVED_SLAVE = 4,
        FLOW_REMOVED_MASTER = 5,
        ROLE_STATUS_SLAVE = 6,
        ROLE_STATUS_MASTER = 7,
        TABLE_STATUS_SLAVE = 8,
        TABLE_STATUS_MASTER = 9,
        REQUEST_FORWARD_SLAVE = 10,
        REQUEST_FORWARD_MASTER = 11,
    }
}

/// The same as a list, as OpenFlow 1.4 has it and Open vSwitch in every version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsyncProperties(pub Vec<AsyncProperty>);

/// Reasons of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsyncProperty {
    /// Of a kind up to 11.
    Reasons { kind: AsyncKind, mask: u32 },
    /// Of another kind.
    Other(RawProperty),
}

impl Wire for AsyncProperties {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Wire::get(r).map(Self)
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.0.put(w);
    }
}

impl Wire for AsyncProperty {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        property::get(r, |kind, body| {
            if AsyncKind(kind) <= AsyncKind::REQUEST_FORWARD_MASTER {
                return Ok(Self::Reasons { kind: AsyncKind(kind), mask: Wire::get(body)? });
            }
            Ok(Self::Other(RawProperty { kind, body: Wire::get(body)? }))
        })
    }

    fn put(&self, w: &mut Writer<'_>) {
        match self {
            Self::Reasons { kind, mask } => property::put_some(w, kind.0, Some(mask)),
            Self::Other(property) => property.put(w),
        }
    }
}
