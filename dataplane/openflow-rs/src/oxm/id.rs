use super::{FieldInfo, field, table};
use crate::{
    DecodeError, ExperimenterId, Problem,
    wire::{Reader, Wire, Writer},
};

/// The header of a field: which it is, how long, and whether with a mask (section 7.2.3.2).
///
/// On the wire it is four bytes, or eight for a field of an experimenter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OxmId {
    class: u16,
    number: u8,
    has_mask: bool,
    len: u8,
    experimenter: Option<ExperimenterId>,
}

impl OxmId {
    /// A field of a class that is no experimenter's. `len`: bytes of its value.
    ///
    /// `None` for a number or a length for which there is no room, or the experimenters' class.
    pub const fn new(class: u16, number: u8, len: u8) -> Option<Self> {
        if class == field::EXPERIMENTER || number > 0x7f {
            return None;
        }
        Some(Self { class, number, has_mask: false, len, experimenter: None })
    }

    /// A field of an experimenter. `len`: bytes of its value.
    pub const fn experimenter(experimenter: ExperimenterId, number: u8, len: u8) -> Option<Self> {
        if number > 0x7f || len > 251 {
            return None;
        }
        let class = field::EXPERIMENTER;
        Some(Self { class, number, has_mask: false, len: len + 4, experimenter: Some(experimenter) })
    }

    pub(crate) const fn of(info: &FieldInfo) -> Self {
        let FieldInfo { class, number, experimenter, .. } = *info;
        let len = info.len + experimenter_len(experimenter);
        Self { class, number, has_mask: false, len, experimenter }
    }

    pub(crate) const fn of_masked(info: &FieldInfo) -> Self {
        let id = Self::of(info);
        Self { has_mask: true, len: id.len + info.len, ..id }
    }

    pub const fn class(self) -> u16 {
        self.class
    }

    pub const fn number(self) -> u8 {
        self.number
    }

    pub const fn has_mask(self) -> bool {
        self.has_mask
    }

    pub const fn experimenter_id(self) -> Option<ExperimenterId> {
        self.experimenter
    }

    /// The same field with a mask, where lists say that a field can have one. `None` for a value of more than 127 bytes.
    pub const fn masked(self) -> Option<Self> {
        if self.has_mask {
            return Some(self);
        }
        match self.len.checked_add(self.len - experimenter_len(self.experimenter)) {
            Some(len) => Some(Self { len, has_mask: true, ..self }),
            None => None,
        }
    }

    /// Bytes that follow the header: the value, and the mask if there is one.
    pub(crate) const fn payload_len(self) -> usize {
        (self.len - experimenter_len(self.experimenter)) as usize
    }

    /// Bytes of the value.
    pub const fn value_len(self) -> usize {
        if self.has_mask { self.payload_len() / 2 } else { self.payload_len() }
    }

    /// What is known of the field.
    pub fn info(self) -> Option<&'static FieldInfo> {
        table::lookup(self.class, self.number, self.experimenter.map_or(0, |experimenter| experimenter.0))
    }

    pub(crate) const fn word(self) -> u32 {
        (self.class as u32) << 16 | (self.number as u32) << 9 | (self.has_mask as u32) << 8 | self.len as u32
    }

    /// Writes it where there is no room for an experimenter's.
    pub(crate) fn put_word(self, w: &mut Writer<'_>) {
        if self.experimenter.is_some() {
            w.fail(Problem::Value);
        }
        self.word().put(w);
    }

    /// Reads it where there is no room for an experimenter's.
    pub(crate) fn get_word(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.clone();
        let id = Self::of_word(u32::get(r)?);
        if id.class == field::EXPERIMENTER { Err(at.wrong()) } else { Ok(id) }
    }

    const fn of_word(word: u32) -> Self {
        let [high, low, kind, len] = word.to_be_bytes();
        Self {
            class: u16::from_be_bytes([high, low]),
            number: kind >> 1,
            has_mask: kind & 1 == 1,
            len,
            experimenter: None,
        }
    }
}

/// Bytes of an experimenter's number, which count as the field's.
const fn experimenter_len(experimenter: Option<ExperimenterId>) -> u8 {
    if experimenter.is_some() { 4 } else { 0 }
}

impl Wire for OxmId {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.clone();
        let mut id = Self::of_word(u32::get(r)?);
        if id.class == field::EXPERIMENTER {
            if id.len < 4 {
                return Err(at.error("field, which is too short to name its experimenter"));
            }
            id.experimenter = Some(ExperimenterId::get(r)?);
        }
        if id.has_mask && id.payload_len() % 2 == 1 {
            return Err(at.error("field, of which value and mask are not of one length"));
        }
        Ok(id)
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.word().put(w);
        if let Some(experimenter) = self.experimenter {
            experimenter.put(w);
        }
    }
}
