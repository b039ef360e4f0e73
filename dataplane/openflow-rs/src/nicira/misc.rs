//! Actions that need few words.

use alloc::vec::Vec;

use super::{Subfield, resubmit::Port16};
use crate::{
    DecodeError, PortNo, Problem,
    oxm::OxmId,
    wire::{Reader, Wire, Writer, layout},
};

/// The tunnel's key, of 32 bits (`struct nx_action_set_tunnel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetTunnel {
    pub id: u32,
}

layout!(SetTunnel { 2, id });

/// The tunnel's key, of 64 bits (`struct nx_action_set_tunnel64`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetTunnel64 {
    pub id: u64,
}

layout!(SetTunnel64 { 6, id });

/// Like the instruction (`struct nx_action_write_metadata`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteMetadata {
    pub metadata: u64,
    pub mask: u64,
}

layout!(WriteMetadata { 6, metadata, mask });

/// Shorter timeouts, in seconds, after a FIN or RST of TCP (`struct nx_action_fin_timeout`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinTimeout {
    pub idle: u16,
    pub hard: u16,
}

layout!(FinTimeout { idle, hard });

/// Some packets to a collector (`struct nx_action_sample`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Of 65,535.
    pub probability: u16,
    pub collector_set: u32,
    pub observation_domain: u32,
    pub observation_point: u32,
}

layout!(Sample { probability, collector_set, observation_domain, observation_point });

/// One of the clauses of a conjunction is met (`struct nx_action_conjunction`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conjunction {
    /// From 0 on; ovs-ofctl counts from 1.
    pub clause: u8,
    /// From 2 to 64.
    pub clauses: u8,
    pub id: u32,
}

layout!(Conjunction { clause, clauses, id });

/// TTL minus one; who is told when it ends (`struct nx_action_cnt_ids`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecTtlCntIds {
    pub controllers: Vec<u16>,
}

impl Wire for DecTtlCntIds {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("DecTtlCntIds");
        let count = u16::get(r)?;
        r.skip(4)?;
        let controllers = Wire::get(&mut r.sub(usize::from(count) * 2)?)?;
        Ok(Self { controllers })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("DecTtlCntIds.controllers");
        match u16::try_from(self.controllers.len()) {
            Ok(count) => count.put(w),
            Err(_) => w.fail(Problem::TooLong),
        }
        w.zeros(4);
        self.controllers.put(w);
    }
}

/// Says something and does nothing (`struct nx_action_note`). The text is six bytes more than a multiple of eight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(pub Vec<u8>);

impl Note {
    /// With zeros at its end, as many as are needed.
    pub fn new(text: &[u8]) -> Self {
        let mut text = text.to_vec();
        let missing = (6 + 8 - text.len() % 8) % 8;
        text.resize(text.len() + missing, 0);
        Self(text)
    }
}

impl Wire for Note {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Wire::get(r).map(Self)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("Note");
        if self.0.len() % 8 != 6 {
            w.fail(Problem::Value);
        }
        self.0.put(w);
    }
}

/// No more than the first bytes of the packet out of a port (`struct nx_action_output_trunc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputTrunc {
    pub port: PortNo,
    /// Bytes.
    pub max_len: u32,
}

impl Wire for OutputTrunc {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("OutputTrunc");
        Ok(Self { port: Port16::get(r)?.0, max_len: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("OutputTrunc.port");
        Port16(self.port).put(w);
        self.max_len.put(w);
    }
}

/// Whether the packet is longer, to one bit of a field (`struct nx_action_check_pkt_larger`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckPktLarger {
    /// Bytes.
    pub len: u16,
    /// One bit.
    pub to: Subfield,
}

/// Bytes for a field's header and what is left.
const CHECK_PKT_LARGER_END: usize = 10;
const DELETE_FIELD_END: usize = 14;

impl Wire for CheckPktLarger {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("CheckPktLarger");
        let (len, offset) = (Wire::get(r)?, Wire::get(r)?);
        let end = &mut r.sub(CHECK_PKT_LARGER_END)?;
        Ok(Self { len, to: Subfield::get_at(end, offset, 1)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { len, to } = self;
        w.writing("CheckPktLarger.to");
        if to.bits() != 1 {
            w.fail(Problem::Value);
        }
        len.put(w);
        to.offset().put(w);
        put_field(to.field(), CHECK_PKT_LARGER_END, w);
    }
}

/// Takes an option of a tunnel away (`struct nx_action_delete_field`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteField {
    pub field: OxmId,
}

impl Wire for DeleteField {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("DeleteField");
        Ok(Self { field: Wire::get(&mut r.sub(DELETE_FIELD_END)?)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        put_field(self.field, DELETE_FIELD_END, w);
    }
}

/// A field's header, of four bytes or eight, in `len` bytes.
fn put_field(field: OxmId, len: usize, w: &mut Writer<'_>) {
    let start = w.position();
    field.put(w);
    w.zeros(len - (w.position() - start));
}
