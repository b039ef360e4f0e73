use alloc::vec::Vec;

use crate::{
    BufferId, Cookie, DecodeError, PacketInReason, TableId,
    oxm::Match,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer},
};

/// A packet to the controller, or from it on its way again (`enum nx_packet_in2_prop_type`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketIn2 {
    pub packet: Option<Vec<u8>>,
    /// Bytes of the whole packet, where it is not whole.
    pub full_len: Option<u32>,
    pub buffer: Option<BufferId>,
    pub table: Option<TableId>,
    pub cookie: Option<Cookie>,
    pub reason: Option<PacketInReason>,
    /// Fields of the pipeline.
    pub metadata: Option<Match>,
    /// As [`super::Controller2::user_data`] has said.
    pub user_data: Option<Vec<u8>>,
    /// What the switch needs to go on; it goes back as it came.
    pub continuation: Option<Vec<u8>>,
    /// Properties that are not known.
    pub other: Vec<RawProperty>,
}

const PACKET: u16 = 0;
const FULL_LEN: u16 = 1;
const BUFFER_ID: u16 = 2;
const TABLE_ID: u16 = 3;
const COOKIE: u16 = 4;
const REASON: u16 = 5;
const METADATA: u16 = 6;
const USER_DATA: u16 = 7;
const CONTINUATION: u16 = 8;

/// A property's 64 bits begin at eight bytes.
fn get_u64(body: &mut Reader<'_>) -> Result<u64, DecodeError> {
    body.skip(4)?;
    Wire::get(body)
}

impl Wire for PacketIn2 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut packet = Self::default();
        while !r.is_empty() {
            property::get(r, |kind, body| {
                match kind {
                    PACKET => packet.packet = Some(Wire::get(body)?),
                    FULL_LEN => packet.full_len = Some(Wire::get(body)?),
                    BUFFER_ID => packet.buffer = Some(Wire::get(body)?),
                    TABLE_ID => packet.table = Some(Wire::get(body)?),
                    COOKIE => packet.cookie = Some(get_u64(body)?),
                    REASON => packet.reason = Some(Wire::get(body)?),
                    METADATA => packet.metadata = Some(Match::get_fields(body)?),
                    USER_DATA => packet.user_data = Some(Wire::get(body)?),
                    CONTINUATION => packet.continuation = Some(Wire::get(body)?),
                    _ => packet.other.push(RawProperty { kind, body: Wire::get(body)? }),
                }
                Ok(())
            })?;
        }
        Ok(packet)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self {
            packet,
            full_len,
            buffer,
            table,
            cookie,
            reason,
            metadata,
            user_data,
            continuation,
            other,
        } = self;
        property::put_some(w, PACKET, packet.as_ref());
        property::put_some(w, FULL_LEN, full_len.as_ref());
        property::put_some(w, BUFFER_ID, buffer.as_ref());
        property::put_some(w, TABLE_ID, table.as_ref());
        if let Some(cookie) = cookie {
            property::put(w, COOKIE, |w| {
                w.zeros(4);
                cookie.put(w);
            });
        }
        property::put_some(w, REASON, reason.as_ref());
        if let Some(metadata) = metadata {
            property::put(w, METADATA, |w| metadata.put_fields(w));
        }
        property::put_some(w, CONTINUATION, continuation.as_ref());
        property::put_some(w, USER_DATA, user_data.as_ref());
        other.put(w);
    }
}
