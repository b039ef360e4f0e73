//! Numbers that name things in a switch.

use core::fmt;

use crate::wire::{Reader, Wire, Writer, bounded, open};

open! {
    /// A port of a switch (OpenFlow 1.3.5, section 7.2.1); the last numbers are reserved ports.
    PortNo: u32 {
        /// The number after the last that a port may have.
        MAX = 0xffff_ff00,
        /// Where the packet came from.
        IN_PORT = 0xffff_fff8,
        /// The first flow table; in packet-out messages alone.
        TABLE = 0xffff_fff9,
        /// The switch's own forwarding.
        NORMAL = 0xffff_fffa,
        /// The switch's own flooding.
        FLOOD = 0xffff_fffb,
        /// Every port but the one where the packet came from.
        ALL = 0xffff_fffc,
        CONTROLLER = 0xffff_fffd,
        /// The switch's own network stack.
        LOCAL = 0xffff_fffe,
        /// No port in particular, in requests; never an output.
        ANY = 0xffff_ffff,
    }
}

open! {
    /// A flow table.
    TableId: u8 {
        /// The last that a table may have.
        MAX = 0xfe,
        /// Every table, in requests.
        ALL = 0xff,
    }
}

open! {
    /// An entry of the group table (section 7.3.4.2).
    GroupId: u32 {
        /// The last that a group may have.
        MAX = 0xffff_ff00,
        /// Every group, to delete.
        ALL = 0xffff_fffc,
        /// No group in particular, in requests.
        ANY = 0xffff_ffff,
    }
}

open! {
    /// A meter (section 7.3.4.4).
    MeterId: u32 {
        /// The last that a meter may have.
        MAX = 0xffff_0000,
        /// The meter of packets that the switch handles slowly.
        SLOWPATH = 0xffff_fffd,
        /// The meter of packets to the controller.
        CONTROLLER = 0xffff_fffe,
        /// Every meter, in requests.
        ALL = 0xffff_ffff,
    }
}

open! {
    /// A queue of a port.
    QueueId: u32 {
        /// Every queue, in requests.
        ALL = 0xffff_ffff,
    }
}

open! {
    /// A packet that a switch keeps for the controller.
    BufferId: u32 {
        /// The packet is in the message, whole.
        NONE = 0xffff_ffff,
    }
}

open! {
    /// How much of a packet goes to the controller, in bytes (section 7.2.5).
    MaxLen: u16 {
        /// The most that can be asked for in bytes.
        MAX = 0xffe5,
        /// All of it.
        NO_BUFFER = 0xffff,
    }
}

open! {
    /// Who has defined an experimenter's message, field, action or property.
    ExperimenterId: u32 {
        /// The Open Networking Foundation, for its own extensions.
        ONF = 0x4f4e_4600,
        /// Nicira, for those of Open vSwitch.
        NICIRA = 0x0000_2320,
        /// Nicira, for the network service header.
        NSH = 0x005a_d650,
    }
}

/// A transaction: a reply has its request's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid(pub u32);

/// An Ethernet address.
pub type Mac = [u8; 6];

/// What a controller writes to flows to know them again.
pub type Cookie = u64;

bounded! {
    /// A VLAN's number (IEEE 802.1Q); 0 is a tag with a priority alone.
    VlanVid: u16 <= 0xfff;
    /// A priority of IEEE 802.1Q.
    VlanPcp: u8 <= 7;
    /// A differentiated services code point (RFC 2474).
    Dscp: u8 <= 0x3f;
    /// Explicit congestion notification (RFC 3168).
    Ecn: u8 <= 3;
    /// An IPv6 flow label (RFC 6437).
    FlowLabel: u32 <= 0xf_ffff;
    /// A label of MPLS (RFC 3032).
    MplsLabel: u32 <= 0xf_ffff;
    /// The traffic class of MPLS (RFC 5462).
    MplsTc: u8 <= 7;
    /// The service instance of a backbone bridge (IEEE 802.1ah).
    PbbIsid: u32 <= 0xff_ffff;
}

/// Text in a field of `N` bytes, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// `None` if it has no room, with at least one zero at its end.
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        let room = bytes.get_mut(..N.checked_sub(1)?)?;
        room.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self(bytes))
    }

    /// All bytes, zeros included.
    pub const fn from_bytes(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes before the first zero.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl<const N: usize> Wire for Text<N> {
    fn get(r: &mut Reader<'_>) -> Result<Self, crate::DecodeError> {
        r.array().map(Self)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}
