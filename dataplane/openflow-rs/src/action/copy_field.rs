use crate::{
    DecodeError, Problem,
    nicira::Subfield,
    wire::{Reader, Wire, Writer},
};

/// Bits from one field to another (OpenFlow 1.5, `OFPAT_COPY_FIELD`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyField {
    pub from: Subfield,
    /// As many bits.
    pub to: Subfield,
}

impl Wire for CopyField {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("CopyField");
        let (bits, from, to) = (u16::get(r)?, u16::get(r)?, u16::get(r)?);
        r.skip(2)?;
        let from = Subfield::get_at(r, from, bits)?;
        let to = Subfield::get_at(r, to, bits)?;
        Ok(Self { from, to })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { from, to } = self;
        w.writing("CopyField");
        if from.bits() != to.bits() {
            w.fail(Problem::Value);
        }
        from.bits().put(w);
        from.offset().put(w);
        to.offset().put(w);
        w.zeros(2);
        from.field().put(w);
        to.field().put(w);
    }
}
