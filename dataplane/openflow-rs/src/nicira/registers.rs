//! Bits between fields, values, the stack and ports.

use super::Subfield;
use crate::{
    DecodeError, MaxLen, Problem,
    oxm::Oxm,
    wire::{Reader, Wire, Writer},
};

/// Bits from one field to another (`struct nx_action_reg_move`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegMove {
    pub from: Subfield,
    /// As many bits.
    pub to: Subfield,
}

impl Wire for RegMove {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("RegMove");
        let (bits, from, to) = (u16::get(r)?, u16::get(r)?, u16::get(r)?);
        let from = Subfield::get_at(r, from, bits)?;
        let to = Subfield::get_at(r, to, bits)?;
        Ok(Self { from, to })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { from, to } = self;
        w.writing("RegMove");
        if from.bits() != to.bits() {
            w.fail(Problem::Value);
        }
        from.bits().put(w);
        from.offset().put(w);
        to.offset().put(w);
        from.field().put(w);
        to.field().put(w);
    }
}

/// A value to bits of a field (`struct nx_action_reg_load`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegLoad {
    /// At most 64 bits, of a field that is no experimenter's.
    pub to: Subfield,
    /// With no more bits set than there are.
    pub value: u64,
}

impl Wire for RegLoad {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("RegLoad");
        let (offset, bits) = Subfield::unpack(u16::get(r)?);
        Ok(Self { to: Subfield::get_word(r, offset, bits)?, value: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { to, value } = self;
        w.writing("RegLoad");
        to.put_packed(w);
        to.field().put_word(w);
        value.put(w);
    }
}

/// A value to a field, where the mask has ones (`NXAST_REG_LOAD2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegLoad2(pub Oxm);

impl Wire for RegLoad2 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("RegLoad2");
        Wire::get(r).map(Self)
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.0.put(w);
    }
}

/// Bits that go to the stack, or come from it (`struct nx_action_stack`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack(pub Subfield);

impl Wire for Stack {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Stack");
        let offset = Wire::get(r)?;
        let at = r.clone();
        let (field, bits) = (Wire::get(r)?, Wire::get(r)?);
        Subfield::new(field, offset, bits).map(Self).ok_or_else(|| at.wrong())
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.0.offset().put(w);
        self.0.field().put(w);
        self.0.bits().put(w);
    }
}

/// Out of the port that a field names (`struct nx_action_output_reg`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputReg {
    /// At most 64 bits, of a field that is no experimenter's.
    pub port: Subfield,
    /// For the controller alone.
    pub max_len: MaxLen,
}

impl Wire for OutputReg {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("OutputReg");
        let (offset, bits) = Subfield::unpack(u16::get(r)?);
        Ok(Self { port: Subfield::get_word(r, offset, bits)?, max_len: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { port, max_len } = self;
        w.writing("OutputReg");
        port.put_packed(w);
        port.field().put_word(w);
        max_len.put(w);
    }
}

/// Like [`OutputReg`], of any field (`struct nx_action_output_reg2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputReg2 {
    /// At most 64 bits.
    pub port: Subfield,
    /// For the controller alone.
    pub max_len: MaxLen,
}

/// Bytes for a field's header and what is left.
const OUTPUT_REG2_END: usize = 10;

impl Wire for OutputReg2 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("OutputReg2");
        let (offset, bits) = Subfield::unpack(u16::get(r)?);
        let max_len = Wire::get(r)?;
        let end = &mut r.sub(OUTPUT_REG2_END)?;
        Ok(Self { port: Subfield::get_at(end, offset, bits)?, max_len })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { port, max_len } = self;
        w.writing("OutputReg2");
        port.put_packed(w);
        max_len.put(w);
        let start = w.position();
        port.field().put(w);
        w.zeros(OUTPUT_REG2_END - (w.position() - start));
    }
}
