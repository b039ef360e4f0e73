use alloc::vec::Vec;
use core::fmt;

use super::{BadOxm, Field, Oxm, OxmId, OxmRef, TunMetadata, Value, fields, tlv, value::VID_PRESENT};
use crate::{
    DecodeError, Version,
    wire::{Reader, Wire, Writer, padding},
};

/// Which packets are meant: all of which every field is as it says (section 7.2.3).
///
/// Fields are in the order in which they are put in, which must have each after its prerequisites; [`Self::check`]
/// tells whether that and the rest of the specification's rules hold. A switch checks the same.
///
/// ```
/// use openflow::Match;
///
/// let web = Match::new().eth_type(0x0800).ip_proto(6).tcp_dst(80);
/// assert_eq!(format!("{web:?}"), "{ETH_TYPE=0x0800, IP_PROTO=0x06, TCP_DST=0x0050}");
/// assert!(web.check().is_ok());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Match {
    /// Fields as on the wire, and sound, without padding.
    bytes: Vec<u8>,
}

/// The only type of match that there is (`OFPMT_OXM`).
const TYPE_OXM: u16 = 1;
const HEADER_LEN: usize = 4;

impl Match {
    /// Every packet.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Of the packets those with this value.
    #[must_use]
    #[inline]
    pub fn with<T: Value>(mut self, field: Field<T>, value: T) -> Self {
        tlv::push(&mut self.bytes, field, value, None);
        self
    }

    /// Of the packets those with this value where the mask has ones.
    #[must_use]
    #[inline]
    pub fn with_masked<T: Value>(mut self, field: Field<T>, value: T, mask: T) -> Self {
        tlv::push(&mut self.bytes, field, value, Some(mask));
        self
    }

    /// Of the packets those with this field.
    #[must_use]
    pub fn with_oxm(mut self, oxm: &Oxm) -> Self {
        tlv::push_ref(&mut self.bytes, &oxm.as_ref());
        self
    }

    /// Of the packets those that another match means too.
    #[must_use]
    pub fn with_all(mut self, other: &Self) -> Self {
        self.bytes.extend_from_slice(&other.bytes);
        self
    }

    /// Of the packets those with a field of another match.
    #[must_use]
    pub fn with_ref(mut self, oxm: &OxmRef<'_>) -> Self {
        tlv::push_ref(&mut self.bytes, oxm);
        self
    }

    /// A field whose type is not known here.
    pub fn with_raw(self, id: OxmId, value: &[u8], mask: Option<&[u8]>) -> Result<Self, BadOxm> {
        Ok(self.with_oxm(&Oxm::raw(id, value, mask)?))
    }

    /// An option of a tunnel, as long as the switch has been told, at most 124 bytes.
    pub fn tun_metadata(self, field: TunMetadata, value: &[u8], mask: Option<&[u8]>) -> Result<Self, BadOxm> {
        Ok(self.with_oxm(&Oxm::tun_metadata(field, value, mask)?))
    }

    /// Of the packets those without a VLAN tag.
    #[must_use]
    pub fn untagged(self) -> Self {
        self.vid_bits(0, None)
    }

    /// Of the packets those with any VLAN tag.
    #[must_use]
    pub fn tagged(self) -> Self {
        self.vid_bits(VID_PRESENT, Some(VID_PRESENT))
    }

    fn vid_bits(mut self, value: u16, mask: Option<u16>) -> Self {
        let as_bits = Field::<u16>::new(fields::VLAN_VID.info());
        tlv::push(&mut self.bytes, as_bits, value, mask);
        self
    }

    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: Reader::new(Version::V1_3, &self.bytes) }
    }

    /// A field's value and mask, if the match has it and they are legal.
    pub fn get<T: Value>(&self, field: Field<T>) -> Option<(T, Option<T>)> {
        self.iter().find_map(|oxm| Some((oxm.value(field)?, oxm.mask(field))))
    }

    /// A field's value, if the match has it.
    pub fn value<T: Value>(&self, field: Field<T>) -> Option<T> {
        self.get(field).map(|(value, _)| value)
    }

    /// Fields up to the reader's end, without a header.
    pub(crate) fn get_fields(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut fields = r.clone();
        while !fields.is_empty() {
            OxmRef::get(&mut fields)?;
        }
        Ok(Self { bytes: r.take_all().to_vec() })
    }

    pub(crate) fn put_fields(&self, w: &mut Writer<'_>) {
        w.bytes(&self.bytes);
    }
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a Match {
    type Item = OxmRef<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The fields of a match, in order.
#[derive(Clone)]
pub struct Iter<'a> {
    rest: Reader<'a>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = OxmRef<'a>;

    fn next(&mut self) -> Option<OxmRef<'a>> {
        OxmRef::get(&mut self.rest).ok()
    }
}

impl Wire for Match {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.clone();
        if u16::get(r)? != TYPE_OXM {
            return Err(at.error("match, which is not of type OXM"));
        }
        let len = usize::from(u16::get(r)?);
        let fields_len = len.checked_sub(HEADER_LEN).ok_or_else(|| at.error("length of a match"))?;
        r.reading("fields of a match");
        let matching = Self::get_fields(&mut r.sub(fields_len)?)?;
        r.reading("padding of a match");
        r.skip(padding(len))?;
        Ok(matching)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let start = w.position();
        TYPE_OXM.put(w);
        let at = w.length_here();
        self.put_fields(w);
        w.set_length(at, start);
        w.align(start);
    }
}
