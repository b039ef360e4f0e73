use crate::{
    DecodeError, Problem,
    oxm::{Field, OxmId, Value},
    wire::{Reader, Wire, Writer},
};

/// Some bits of a field, as `NXM_NX_REG0[4..11]` of ovs-ofctl.
///
/// There is at least one bit, and all are within the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subfield {
    field: OxmId,
    offset: u16,
    bits: u16,
}

/// Where an offset and a number of bits share 16 bits, the latter has six, as one less than it is.
const PACKED_BITS: u32 = 6;

impl Subfield {
    /// All of a field.
    pub const fn all<T: Value>(field: Field<T>) -> Self {
        Self { field: field.id(), offset: 0, bits: field.bits() }
    }

    /// `bits` bits from bit `offset` on, counted from the least significant. `None` if they are not all there.
    pub fn of<T: Value>(field: Field<T>, offset: u16, bits: u16) -> Option<Self> {
        Self::new(field.id(), offset, bits)
    }

    /// Of a field by its header, which has no mask.
    pub fn new(field: OxmId, offset: u16, bits: u16) -> Option<Self> {
        let end = usize::from(offset) + usize::from(bits);
        let legal = bits > 0 && !field.has_mask() && end <= field.value_len() * 8;
        legal.then_some(Self { field, offset, bits })
    }

    pub const fn field(&self) -> OxmId {
        self.field
    }

    pub const fn offset(&self) -> u16 {
        self.offset
    }

    pub const fn bits(&self) -> u16 {
        self.bits
    }

    /// Reads the field's header, of four bytes or eight.
    pub(crate) fn get_at(r: &mut Reader<'_>, offset: u16, bits: u16) -> Result<Self, DecodeError> {
        let at = r.clone();
        Self::new(OxmId::get(r)?, offset, bits).ok_or_else(|| at.wrong())
    }

    /// Reads the field's header, of four bytes.
    pub(crate) fn get_word(r: &mut Reader<'_>, offset: u16, bits: u16) -> Result<Self, DecodeError> {
        let at = r.clone();
        Self::new(OxmId::get_word(r)?, offset, bits).ok_or_else(|| at.wrong())
    }

    /// Offset and number of bits out of one number.
    pub(crate) const fn unpack(packed: u16) -> (u16, u16) {
        (packed >> PACKED_BITS, (packed & ((1 << PACKED_BITS) - 1)) + 1)
    }

    /// Offset and number of bits in one number, which has no room for more than 64 bits.
    pub(crate) fn put_packed(&self, w: &mut Writer<'_>) {
        if self.bits > 1 << PACKED_BITS || self.offset >= 1 << (u16::BITS - PACKED_BITS) {
            w.fail(Problem::Value);
            return w.zeros(2);
        }
        (self.offset << PACKED_BITS | (self.bits - 1)).put(w);
    }
}
