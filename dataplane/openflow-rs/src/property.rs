//! Properties: a type, a length and what it says, filled up to eight bytes (OpenFlow 1.4, section 7.2.1.2).

use alloc::vec::Vec;

use crate::{
    DecodeError,
    wire::{Reader, Wire, Writer, padding},
};

/// A property that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawProperty {
    pub kind: u16,
    pub body: Vec<u8>,
}

impl Wire for RawProperty {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        get(r, |kind, body| Ok(Self { kind, body: Wire::get(body)? }))
    }

    fn put(&self, w: &mut Writer<'_>) {
        put(w, self.kind, |w| self.body.put(w));
    }
}

/// Reads one, of which `body` reads what it says; the padding at the end of the last may be missing.
pub(crate) fn get<T>(
    r: &mut Reader<'_>,
    body: impl FnOnce(u16, &mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    r.reading("property");
    let start = r.offset();
    let kind = Wire::get(r)?;
    let len = Wire::get(r)?;
    let value = body(kind, &mut r.sub_from(start, len)?)?;
    r.skip_up_to(padding(len.into()));
    Ok(value)
}

pub(crate) fn put(w: &mut Writer<'_>, kind: u16, body: impl FnOnce(&mut Writer<'_>)) {
    let start = w.position();
    kind.put(w);
    let at = w.length_here();
    body(w);
    w.writing("property");
    w.set_length(at, start);
    w.align(start);
}

pub(crate) fn put_some<T: Wire>(w: &mut Writer<'_>, kind: u16, body: Option<&T>) {
    if let Some(body) = body {
        put(w, kind, |w| body.put(w));
    }
}
