use crate::{
    DecodeError, Version, Xid,
    wire::{Reader, Wire, Writer},
};

/// Bytes of a message's header, which is the least that a message is long.
pub const HEADER_LEN: usize = 8;

/// What every message begins with (section 7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// As on the wire, since it may be one that is not known in a hello message.
    pub version: u8,
    pub kind: u8,
    /// Bytes, of the whole message.
    pub length: u16,
    pub xid: Xid,
}

impl Header {
    /// The header at the front of some bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::get(&mut Reader::new(Version::V1_3, bytes))
    }
}

impl Wire for Header {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("header of a message");
        let (version, kind, length) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        Ok(Self { version, kind, length, xid: Xid(Wire::get(r)?) })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { version, kind, length, xid } = self;
        version.put(w);
        kind.put(w);
        length.put(w);
        xid.0.put(w);
    }
}

/// How long the message at the front of a stream is, in bytes. `None` while too little of it is there to tell.
///
/// A length of less than [`HEADER_LEN`] is none of a message: who reads it ends the connection.
///
/// ```
/// assert_eq!(openflow::frame_length(&[4, 2, 0]), None);
/// assert_eq!(openflow::frame_length(&[4, 2, 0, 16, 0, 0]), Some(16));
/// ```
pub fn frame_length(stream: &[u8]) -> Option<usize> {
    let [high, low] = *stream.get(2..)?.first_chunk()?;
    Some(u16::from_be_bytes([high, low]).into())
}
