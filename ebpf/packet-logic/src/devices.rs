//! Homes with several devices: an address and the Ethernet address that has leased it are a pair, which user space keeps.
//!
//! On the way up a packet must be of such a pair: that is source check and MAC limit in one. On the way down the pair says
//! where a packet goes. Homes with one device never come here.

use map_abi::{DEVICES_MAX, DropReason, LeasedAddress, flags};

use crate::{
    Tables,
    access::Arrival,
    core_side::Receiver,
    frame::{MAC_BITS, opaque_number},
    home::Home,
    live::field,
};

impl Arrival {
    /// Whether a sender whose Ethernet address is not the home's own is one of its devices, with the address that it has
    /// leased.
    #[inline(always)]
    pub(crate) fn check_device<T: Tables>(
        &self,
        tables: &T,
        source: u32,
        mac_word: u64,
    ) -> Result<(), DropReason> {
        if !self.has(flags::DEVICES) {
            return Err(DropReason::SourceMac);
        }
        match tables.device(&LeasedAddress { unit: self.unit, address: source }) {
            Some(mac) if mac & MAC_BITS == mac_word => Ok(()),
            Some(_) => Err(DropReason::SourceMac),
            None => Err(DropReason::SourceAddress),
        }
    }
}

impl Receiver {
    /// With the Ethernet address of the device that has `inside`, if one has.
    #[inline(always)]
    pub(crate) fn with_device<T: Tables>(self, tables: &T, unit: u32, inside: u32) -> Self {
        const KNOWN: u64 = (flags::MAC_KNOWN as u64) << 48;
        match tables.device(&LeasedAddress { unit, address: inside }) {
            Some(mac) => Self { mac_and_flags: self.mac_and_flags | mac & MAC_BITS | KNOWN, ..self },
            None => self,
        }
    }
}

/// Which of its home's devices a source address is of, counted from the first; of a home with one device, 0. The address has
/// been checked.
#[inline(always)]
pub(crate) fn number(home: Home, source: u32) -> u32 {
    let network = field!(home.up(), network).raw();
    u32::from_be(source ^ network) & (DEVICES_MAX - 1)
}

/// The inside address of a device by its number, as it lies in a packet.
#[inline(always)]
pub(crate) fn address(first: u32, number: u32) -> u32 {
    first | opaque_number(number).to_be()
}
