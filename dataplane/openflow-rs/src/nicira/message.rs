use alloc::vec::Vec;

use super::{PacketIn2, TlvTableMod, TlvTableReply};
use crate::{
    AsyncProperties, DecodeError, ExperimenterId,
    wire::{Reader, Wire, Writer, closed},
};

closed! {
    /// The form in which packets come to the controller (`NXT_SET_PACKET_IN_FORMAT`).
    PacketInFormat: u32 {
        /// That of the version of OpenFlow.
        Standard = 0,
        /// `NXT_PACKET_IN`, which this crate does not read.
        Nxt = 1,
        /// [`PacketIn2`].
        Nxt2 = 2,
    }
}

/// A message of Open vSwitch (`include/openflow/nicira-ext.h`, `lib/ofp-msgs.h`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NiciraMessage {
    SetPacketInFormat(PacketInFormat),
    /// What the controller is called, for actions that name one.
    SetControllerId(u16),
    /// Like the message of OpenFlow 1.4.
    SetAsyncConfig2(AsyncProperties),
    TlvTableMod(TlvTableMod),
    TlvTableRequest,
    TlvTableReply(TlvTableReply),
    /// Forgets the connections of a zone.
    CtFlushZone(u16),
    PacketIn2(PacketIn2),
    /// A packet goes on.
    Resume(PacketIn2),
    /// One that is not known.
    Other {
        subtype: u32,
        data: Vec<u8>,
    },
}

const SET_PACKET_IN_FORMAT: u32 = 16;
const SET_CONTROLLER_ID: u32 = 20;
const TLV_TABLE_MOD: u32 = 24;
const TLV_TABLE_REQUEST: u32 = 25;
const TLV_TABLE_REPLY: u32 = 26;
const SET_ASYNC_CONFIG2: u32 = 27;
const RESUME: u32 = 28;
const CT_FLUSH_ZONE: u32 = 29;
const PACKET_IN2: u32 = 30;

impl NiciraMessage {
    const fn subtype(&self) -> u32 {
        match self {
            Self::SetPacketInFormat(_) => SET_PACKET_IN_FORMAT,
            Self::SetControllerId(_) => SET_CONTROLLER_ID,
            Self::SetAsyncConfig2(_) => SET_ASYNC_CONFIG2,
            Self::TlvTableMod(_) => TLV_TABLE_MOD,
            Self::TlvTableRequest => TLV_TABLE_REQUEST,
            Self::TlvTableReply(_) => TLV_TABLE_REPLY,
            Self::CtFlushZone(_) => CT_FLUSH_ZONE,
            Self::PacketIn2(_) => PACKET_IN2,
            Self::Resume(_) => RESUME,
            Self::Other { subtype, .. } => *subtype,
        }
    }
}

/// A number of 16 bits at the end of eight bytes.
fn get_at_end(r: &mut Reader<'_>) -> Result<u16, DecodeError> {
    r.skip(6)?;
    Wire::get(r)
}

impl Wire for NiciraMessage {
    /// What follows the experimenter's number.
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("message of Nicira's");
        Ok(match u32::get(r)? {
            SET_PACKET_IN_FORMAT => Self::SetPacketInFormat(Wire::get(r)?),
            SET_CONTROLLER_ID => Self::SetControllerId(get_at_end(r)?),
            SET_ASYNC_CONFIG2 => Self::SetAsyncConfig2(Wire::get(r)?),
            TLV_TABLE_MOD => Self::TlvTableMod(Wire::get(r)?),
            TLV_TABLE_REQUEST => Self::TlvTableRequest,
            TLV_TABLE_REPLY => Self::TlvTableReply(Wire::get(r)?),
            CT_FLUSH_ZONE => Self::CtFlushZone(get_at_end(r)?),
            PACKET_IN2 => Self::PacketIn2(Wire::get(r)?),
            RESUME => Self::Resume(Wire::get(r)?),
            subtype => Self::Other { subtype, data: Wire::get(r)? },
        })
    }

    fn put(&self, w: &mut Writer<'_>) {
        ExperimenterId::NICIRA.put(w);
        self.subtype().put(w);
        match self {
            Self::SetPacketInFormat(format) => format.put(w),
            Self::SetControllerId(id) | Self::CtFlushZone(id) => {
                w.zeros(6);
                id.put(w);
            }
            Self::SetAsyncConfig2(config) => config.put(w),
            Self::TlvTableMod(change) => change.put(w),
            Self::TlvTableReply(table) => table.put(w),
            Self::PacketIn2(packet) | Self::Resume(packet) => packet.put(w),
            Self::TlvTableRequest => {}
            Self::Other { data, .. } => data.put(w),
        }
    }
}
