use core::marker::PhantomData;

use super::{OxmId, Value};
use crate::{ExperimenterId, wire::bounded};

/// The classes of fields (section 7.2.3.3).
pub(crate) const NXM_1: u16 = 0x0001;
pub(crate) const EXPERIMENTER: u16 = 0xffff;

/// What is known of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// As in the specification, or in ovs-fields(7).
    pub name: &'static str,
    pub class: u16,
    pub number: u8,
    /// Who has defined it, in the class of experimenters.
    pub experimenter: Option<ExperimenterId>,
    /// Bytes of a value; 0 is as many as the switch has been told, up to 124.
    pub len: u8,
    /// Whether a match may have a mask.
    pub maskable: bool,
    /// What a match must say before this field.
    pub prerequisite: Prerequisite,
}

/// What a match must say before a field (section 7.2.3.8, table 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prerequisite {
    Nothing,
    InPort,
    /// A VLAN tag.
    Vlan,
    /// IPv4 or IPv6.
    Ip,
    Ipv4,
    Ipv6,
    Arp,
    Mpls,
    Pbb,
    Nsh,
    Tcp,
    Udp,
    Sctp,
    Icmpv4,
    Icmpv6,
    /// A neighbour solicitation or advertisement.
    Nd,
    NdSolicitation,
    NdAdvertisement,
    /// A connection that is known, or at least not an invalid one.
    Ct,
    /// The same, of IPv4.
    CtIpv4,
    /// The same, of IPv6.
    CtIpv6,
    /// The same, of a protocol that has ports.
    CtPorts,
}

/// A field whose values are of a type.
#[derive(Debug)]
pub struct Field<T> {
    info: &'static FieldInfo,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Field<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Field<T> {}

impl<T> Field<T> {
    pub(crate) const fn new(info: &'static FieldInfo) -> Self {
        Self { info, value: PhantomData }
    }

    pub const fn info(self) -> &'static FieldInfo {
        self.info
    }

    /// The field as lists and actions name it.
    pub const fn id(self) -> OxmId {
        OxmId::of(self.info)
    }

    /// The field as lists name it where it can have a mask.
    pub const fn id_masked(self) -> OxmId {
        OxmId::of_masked(self.info)
    }
}

impl<T: Value> Field<T> {
    /// Bits of a value.
    pub const fn bits(self) -> u16 {
        T::LEN as u16 * 8
    }
}

bounded! {
    /// One of the 64 fields that a switch can be told to fill from options of a tunnel (ovs-fields(7), `tun_metadata0`).
    TunMetadata: u8 <= 63;
}

impl TunMetadata {
    /// The number of the first in its class.
    pub(crate) const FIRST: u8 = 40;

    /// Its number in its class, which is that of Nicira's fields.
    pub const fn number(self) -> u8 {
        Self::FIRST + self.get()
    }
}

pub(crate) static TUN_METADATA: FieldInfo = FieldInfo {
    name: "TUN_METADATA",
    class: NXM_1,
    number: TunMetadata::FIRST,
    experimenter: None,
    len: 0,
    maskable: true,
    prerequisite: Prerequisite::Nothing,
};
