//! Actions (OpenFlow 1.3.5, section 7.2.5), of OpenFlow and of Open vSwitch.

mod codec;
mod copy_field;

pub use copy_field::CopyField;

use alloc::vec::Vec;

use crate::{
    ExperimenterId, GroupId, MaxLen, MeterId, PortNo, QueueId,
    nicira::NiciraAction,
    oxm::{Field, Oxm, Value},
};

/// What is done with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Out of a port; `max_len` is for the controller alone.
    Output {
        port: PortNo,
        max_len: MaxLen,
    },
    /// TTL from the next-to-outermost header to the outermost.
    CopyTtlOut,
    /// TTL from the outermost header to the next.
    CopyTtlIn,
    SetMplsTtl(u8),
    DecMplsTtl,
    /// A new VLAN tag of this `EtherType`.
    PushVlan(u16),
    PopVlan,
    /// A new label of this `EtherType`.
    PushMpls(u16),
    /// The outermost label goes; what is under it is of this `EtherType`.
    PopMpls(u16),
    SetQueue(QueueId),
    Group(GroupId),
    SetNwTtl(u8),
    DecNwTtl,
    /// A field gets a value; with a mask, some of its bits, from OpenFlow 1.5 on.
    SetField(Oxm),
    /// A new service tag of this `EtherType` (IEEE 802.1ah).
    PushPbb(u16),
    PopPbb,
    /// Bits from one field to another; OpenFlow 1.5.
    CopyField(CopyField),
    /// Through a meter; OpenFlow 1.5, where there is no instruction for it.
    Meter(MeterId),
    /// One of Open vSwitch.
    Nicira(NiciraAction),
    /// One of an experimenter whose actions are not known. `data` is a multiple of eight bytes.
    Experimenter {
        experimenter: ExperimenterId,
        data: Vec<u8>,
    },
    /// One of a type that is not known. `data` is four bytes more than a multiple of eight.
    Other {
        kind: u16,
        data: Vec<u8>,
    },
}

impl Action {
    /// Out of a port; all of it, if it is the controller.
    pub const fn output(port: PortNo) -> Self {
        Self::Output { port, max_len: MaxLen::NO_BUFFER }
    }

    /// A field gets a value.
    pub fn set_field<T: Value>(field: Field<T>, value: T) -> Self {
        Self::SetField(Oxm::new(field, value))
    }
}

impl<A: Into<NiciraAction>> From<A> for Action {
    fn from(action: A) -> Self {
        Self::Nicira(action.into())
    }
}
