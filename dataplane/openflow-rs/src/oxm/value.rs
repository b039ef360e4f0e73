use core::net::{Ipv4Addr, Ipv6Addr};

use crate::{Dscp, Ecn, FlowLabel, Mac, MplsLabel, MplsTc, PbbIsid, PortNo, VlanPcp, VlanVid, wire::flags};

mod sealed {
    pub trait Sealed {}
}

/// What a field can be; a mask is of the same type.
pub trait Value: Copy + sealed::Sealed {
    /// Bytes on the wire.
    const LEN: u8;

    /// Writes to as many bytes as [`Self::LEN`] says.
    fn write(self, bytes: &mut [u8]);

    /// `None` where bits are set that the field does not have.
    fn read(bytes: &[u8]) -> Option<Self>;
}

flags! {
    /// Control bits of TCP (RFC 9293, section 3.1).
    TcpFlags: u16 {
        FIN = 1 << 0,
        SYN = 1 << 1,
        RST = 1 << 2,
        PSH = 1 << 3,
        ACK = 1 << 4,
        URG = 1 << 5,
        ECE = 1 << 6,
        CWR = 1 << 7,
    }
}

flags! {
    /// What Open vSwitch's connection tracking knows of a packet (ovs-fields(7), `ct_state`).
    CtState: u32 {
        /// The first packet of a connection.
        NEW = 1 << 0,
        /// Of a connection that is known.
        ESTABLISHED = 1 << 1,
        /// Of a connection that belongs to a known one, such as an ICMP error.
        RELATED = 1 << 2,
        /// In the direction that did not begin the connection.
        REPLY = 1 << 3,
        /// Of no connection that could be told.
        INVALID = 1 << 4,
        /// The packet has been through connection tracking.
        TRACKED = 1 << 5,
        /// Its source has been translated.
        SOURCE_NAT = 1 << 6,
        /// Its destination has been translated.
        DESTINATION_NAT = 1 << 7,
    }
}

flags! {
    /// Extension headers of IPv6 that a packet has (section 7.2.3.7, `OFPIEH_*`).
    Ipv6ExtHdr: u16 {
        NO_NEXT = 1 << 0,
        ESP = 1 << 1,
        AUTHENTICATION = 1 << 2,
        DESTINATION = 1 << 3,
        FRAGMENT = 1 << 4,
        ROUTER = 1 << 5,
        HOP_BY_HOP = 1 << 6,
        /// One is there more often than it may be.
        UNEXPECTED_REPEATS = 1 << 7,
        /// They are not in the order that is preferred.
        UNEXPECTED_SEQUENCE = 1 << 8,
    }
}

macro_rules! values {
    ($($type:ty, $len:literal: $to:expr, $from:expr;)*) => {
        $(
            impl sealed::Sealed for $type {}

            impl Value for $type {
                const LEN: u8 = $len;

                fn write(self, bytes: &mut [u8]) {
                    let to: fn(Self) -> [u8; $len] = $to;
                    bytes.copy_from_slice(&to(self));
                }

                fn read(bytes: &[u8]) -> Option<Self> {
                    let from: fn([u8; $len]) -> Option<Self> = $from;
                    from(bytes.try_into().ok()?)
                }
            }
        )*
    };
}

/// The bit of a VLAN's number that says that there is a tag (`OFPVID_PRESENT`).
pub(crate) const VID_PRESENT: u16 = 0x1000;

values! {
    u8, 1: |value| [value], |bytes| Some(bytes[0]);
    u16, 2: Self::to_be_bytes, |bytes| Some(Self::from_be_bytes(bytes));
    u32, 4: Self::to_be_bytes, |bytes| Some(Self::from_be_bytes(bytes));
    u64, 8: Self::to_be_bytes, |bytes| Some(Self::from_be_bytes(bytes));
    u128, 16: Self::to_be_bytes, |bytes| Some(Self::from_be_bytes(bytes));
    bool, 1: |value| [value.into()], |[byte]| (byte < 2).then_some(byte == 1);
    Mac, 6: |value| value, Some;
    Ipv4Addr, 4: |value| value.octets(), |bytes| Some(bytes.into());
    Ipv6Addr, 16: |value| value.octets(), |bytes| Some(bytes.into());
    PortNo, 4: |value| value.0.to_be_bytes(), |bytes| Some(Self(u32::from_be_bytes(bytes)));
    VlanVid, 2: |value| (value.get() | VID_PRESENT).to_be_bytes(), read_vid;
    VlanPcp, 1: |value| [value.get()], |[byte]| Self::new(byte);
    Dscp, 1: |value| [value.get()], |[byte]| Self::new(byte);
    Ecn, 1: |value| [value.get()], |[byte]| Self::new(byte);
    FlowLabel, 4: |value| value.get().to_be_bytes(), |bytes| Self::new(u32::from_be_bytes(bytes));
    MplsLabel, 4: |value| value.get().to_be_bytes(), |bytes| Self::new(u32::from_be_bytes(bytes));
    MplsTc, 1: |value| [value.get()], |[byte]| Self::new(byte);
    PbbIsid, 3: write_isid, |[a, b, c]| Self::new(u32::from_be_bytes([0, a, b, c]));
    TcpFlags, 2: |value| value.bits().to_be_bytes(), |bytes| Some(Self::from_bits_retain(u16::from_be_bytes(bytes)));
    CtState, 4: |value| value.bits().to_be_bytes(), |bytes| Some(Self::from_bits_retain(u32::from_be_bytes(bytes)));
    Ipv6ExtHdr, 2: |value| value.bits().to_be_bytes(), |bytes| Some(Self::from_bits_retain(u16::from_be_bytes(bytes)));
}

fn read_vid(bytes: [u8; 2]) -> Option<VlanVid> {
    VlanVid::new(u16::from_be_bytes(bytes).checked_sub(VID_PRESENT)?)
}

fn write_isid(value: PbbIsid) -> [u8; 3] {
    let [_, a, b, c] = value.get().to_be_bytes();
    [a, b, c]
}
