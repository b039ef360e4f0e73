use alloc::vec::Vec;
use core::fmt;

use super::{Field, OxmId, TunMetadata, Value, field};
use crate::{
    DecodeError,
    wire::{Reader, Wire, Writer},
};

/// A field with its value, and a mask if it has one, as it stands in a match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OxmRef<'a> {
    pub(super) id: OxmId,
    pub(super) value: &'a [u8],
    /// As long as the value.
    pub(super) mask: Option<&'a [u8]>,
}

impl<'a> OxmRef<'a> {
    /// Which field it is.
    pub const fn id(&self) -> OxmId {
        self.id
    }

    /// The value as on the wire.
    pub const fn value_bytes(&self) -> &'a [u8] {
        self.value
    }

    /// The mask as on the wire, as long as the value.
    pub const fn mask_bytes(&self) -> Option<&'a [u8]> {
        self.mask
    }

    /// Whether it is this field.
    pub fn is<T>(&self, field: Field<T>) -> bool {
        self.id.info() == Some(field.info())
    }

    /// The value, if it is this field's and legal.
    pub fn value<T: Value>(&self, field: Field<T>) -> Option<T> {
        if self.is(field) { T::read(self.value) } else { None }
    }

    /// The mask, if it is this field's.
    pub fn mask<T: Value>(&self, field: Field<T>) -> Option<T> {
        if self.is(field) { self.mask.and_then(T::read) } else { None }
    }

    pub(crate) fn get(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let at = r.clone();
        let id = OxmId::get(r)?;
        if let Some(info) = id.info()
            && info.len != 0
            && usize::from(info.len) != id.value_len()
        {
            return Err(at.error("field, which is of another length"));
        }
        r.reading("value of a field");
        Ok(Self::of(id, r.take(id.payload_len())?))
    }

    /// Of a payload that is as long as the header says.
    fn of(id: OxmId, payload: &'a [u8]) -> Self {
        let (value, mask) = payload.split_at(id.value_len());
        Self { id, value, mask: id.has_mask().then_some(mask) }
    }
}

impl fmt::Debug for OxmRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id.info() {
            Some(info) => f.write_str(info.name)?,
            None => write!(f, "{:?}", self.id)?,
        }
        f.write_str("=0x")?;
        self.value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if let Some(mask) = self.mask {
            f.write_str("/0x")?;
            mask.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

/// A value or a mask that a field cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOxm;

impl fmt::Display for BadOxm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value or the mask is not as long as the field")
    }
}

impl core::error::Error for BadOxm {}

/// A field with its value, and a mask if it has one, by itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Oxm {
    id: OxmId,
    /// The value, and the mask if there is one: as many bytes as the header says.
    payload: Vec<u8>,
}

impl Oxm {
    pub fn new<T: Value>(field: Field<T>, value: T) -> Self {
        let mut payload = Vec::new();
        push_value(&mut payload, value);
        Self { id: field.id(), payload }
    }

    pub fn masked<T: Value>(field: Field<T>, value: T, mask: T) -> Self {
        let mut payload = Vec::new();
        push_value(&mut payload, value);
        push_value(&mut payload, mask);
        Self { id: field.id_masked(), payload }
    }

    /// A field whose type is not known here, or whose length the switch has been told.
    pub fn raw(id: OxmId, value: &[u8], mask: Option<&[u8]>) -> Result<Self, BadOxm> {
        let id = if mask.is_some() { id.masked().ok_or(BadOxm)? } else { id };
        let fixed = id.info().is_some_and(|info| info.len != 0 && usize::from(info.len) != value.len());
        let fits = mask.is_some() == id.has_mask()
            && value.len() == id.value_len()
            && mask.is_none_or(|mask| mask.len() == value.len());
        if fixed || !fits {
            return Err(BadOxm);
        }
        Ok(Self { id, payload: [value, mask.unwrap_or_default()].concat() })
    }

    /// A field of a tunnel's options; `value` is as long as the switch has been told, at most 124 bytes.
    pub fn tun_metadata(field: TunMetadata, value: &[u8], mask: Option<&[u8]>) -> Result<Self, BadOxm> {
        let len = u8::try_from(value.len()).map_err(|_| BadOxm)?;
        let id = OxmId::new(field::NXM_1, field.number(), len).ok_or(BadOxm)?;
        Self::raw(id, value, mask)
    }

    /// Its parts.
    pub fn as_ref(&self) -> OxmRef<'_> {
        OxmRef::of(self.id, &self.payload)
    }
}

impl fmt::Debug for Oxm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl Wire for Oxm {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let OxmRef { id, value, mask } = OxmRef::get(r)?;
        Ok(Self { id, payload: [value, mask.unwrap_or_default()].concat() })
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.id.put(w);
        w.bytes(&self.payload);
    }
}

#[inline]
pub(super) fn push<T: Value>(bytes: &mut Vec<u8>, field: Field<T>, value: T, mask: Option<T>) {
    let id = if mask.is_some() { field.id_masked() } else { field.id() };
    push_id(bytes, id);
    push_value(bytes, value);
    if let Some(mask) = mask {
        push_value(bytes, mask);
    }
}

pub(super) fn push_ref(bytes: &mut Vec<u8>, oxm: &OxmRef<'_>) {
    push_id(bytes, oxm.id);
    bytes.extend_from_slice(oxm.value);
    bytes.extend_from_slice(oxm.mask.unwrap_or_default());
}

fn push_value<T: Value>(bytes: &mut Vec<u8>, value: T) {
    let at = bytes.len();
    bytes.resize(at + usize::from(T::LEN), 0);
    value.write(&mut bytes[at..]);
}

fn push_id(bytes: &mut Vec<u8>, id: OxmId) {
    bytes.extend_from_slice(&id.word().to_be_bytes());
    if let Some(experimenter) = id.experimenter_id() {
        bytes.extend_from_slice(&experimenter.0.to_be_bytes());
    }
}
