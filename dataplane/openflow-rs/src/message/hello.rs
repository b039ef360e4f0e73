use alloc::{vec, vec::Vec};

use crate::{
    DecodeError, Version, property,
    wire::{Reader, Wire, Writer},
};

/// The first message each way (OpenFlow 1.3.5, section 7.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    pub elements: Vec<HelloElement>,
}

/// Something that a hello message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloElement {
    /// Which versions there are: version `n` is bit `n % 32` of word `n / 32`.
    VersionBitmap(Vec<u32>),
    Other {
        kind: u16,
        data: Vec<u8>,
    },
}

const VERSION_BITMAP: u16 = 1;

impl Hello {
    /// These versions.
    pub fn of(versions: &[Version]) -> Self {
        let bits = versions.iter().fold(0, |bits, version| bits | 1 << version.number());
        Self { elements: vec![HelloElement::VersionBitmap(vec![bits])] }
    }

    /// Whether it says that there is a version, which has the number `header_version` in its header.
    pub fn supports(&self, header_version: u8, version: Version) -> bool {
        let bitmap = self.elements.iter().find_map(|element| match element {
            HelloElement::VersionBitmap(words) => Some(words),
            HelloElement::Other { .. } => None,
        });
        match bitmap {
            Some(words) => words.first().is_some_and(|bits| bits >> version.number() & 1 == 1),
            None => header_version >= version.number(),
        }
    }

    /// The version to speak with who has sent this: the newest of `ours` that it has.
    ///
    /// Without a bitmap, a peer speaks the older of both sides' newest versions (section 6.3.2).
    ///
    /// ```
    /// use openflow::{Hello, Version};
    ///
    /// let theirs = Hello::of(&[Version::V1_3, Version::V1_4]);
    /// assert_eq!(theirs.negotiate(5, &[Version::V1_3, Version::V1_5]), Some(Version::V1_3));
    /// ```
    pub fn negotiate(&self, header_version: u8, ours: &[Version]) -> Option<Version> {
        ours.iter().copied().filter(|version| self.supports(header_version, *version)).max()
    }
}

impl Wire for Hello {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { elements: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.elements.put(w);
    }
}

impl Wire for HelloElement {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        property::get(r, |kind, body| {
            Ok(match kind {
                VERSION_BITMAP => Self::VersionBitmap(Wire::get(body)?),
                _ => Self::Other { kind, data: Wire::get(body)? },
            })
        })
    }

    fn put(&self, w: &mut Writer<'_>) {
        match self {
            Self::VersionBitmap(words) => property::put(w, VERSION_BITMAP, |w| words.put(w)),
            Self::Other { kind, data } => property::put(w, *kind, |w| data.put(w)),
        }
    }
}
