//! Later fragments, which have no ports: those from the core are recognised by what the first one was.
//! (Those of a subscriber need nothing of the kind: the address alone is translated.)

use map_abi::{DropReason, FragmentKey, Remembered};

use crate::{Tables, Window};

#[inline(always)]
fn key(header: Window<'_, 20>) -> FragmentKey {
    FragmentKey {
        source: header.raw32::<12>().to_ne_bytes(),
        destination: header.raw32::<16>().to_ne_bytes(),
        identification: header.raw16::<4>().to_ne_bytes(),
        protocol: header.u8::<9>(),
        spare: [0; 5],
    }
}

/// Keeps whom the first fragment of the packet is for.
#[inline(always)]
pub(crate) fn remember<T: Tables>(tables: &T, header: Window<'_, 20>, whom: Remembered) {
    tables.remember_fragment(&key(header), whom.to_bits());
}

/// Whom the first fragment of the packet was for.
#[inline(always)]
pub(crate) fn recall<T: Tables>(tables: &T, header: Window<'_, 20>) -> Result<Remembered, DropReason> {
    tables.fragment(&key(header)).map(Remembered::from_bits).ok_or(DropReason::FragmentUnknown)
}
