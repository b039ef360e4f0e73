//! Where a session is reached, as the maps say.

use std::net::Ipv4Addr;

use map_abi::{FibTarget, SVIDS_PER_PORT, Session, flags};
use net_types::{Mac, Prefix4};

use crate::{mapped::get_words, tables::Tables};

/// Where a session is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) port: u16,
    pub(crate) s_vid: u16,
    pub(crate) c_vid: u16,
    /// The binary logarithm of its home's units; `None`: it has no home.
    pub(crate) order: Option<u32>,
    pub(crate) nat: Option<HeldNat>,
    /// Without a share of an address: what it may send from, and what stands for that outside. Its home has them in several
    /// words, of which no packet may see some old and some new.
    pub(crate) own: Option<(Prefix4, Option<Ipv4Addr>)>,
    /// With several devices, the addresses that are theirs: NAT mappings say of which device they are by its place in there.
    pub(crate) devices: Option<Prefix4>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldNat {
    pub(crate) address: Ipv4Addr,
    pub(crate) first_port: u16,
}

impl Reach {
    pub(crate) fn of(session: &Session) -> Self {
        let has_nat = session.flags & flags::NAT != 0;
        let len = u8::try_from(session.prefix_len).unwrap_or(32);
        let public = (session.flags & flags::ONE_TO_ONE != 0).then(|| session.external.into());
        let network = Prefix4::new(session.network.into(), len).ok();
        let own = network.map(|network| (network, public));
        Self {
            port: session.port,
            s_vid: session.s_vid,
            c_vid: session.c_vid,
            order: (!session.home.is_none()).then(|| session.home.order()),
            nat: has_nat
                .then(|| HeldNat { address: session.external.into(), first_port: session.first_port }),
            own: own.filter(|_| !has_nat),
            devices: network.filter(|_| session.flags & flags::DEVICES != 0),
        }
    }

    pub(crate) fn tags(&self) -> (u16, u16, u16) {
        (self.port, self.s_vid, self.c_vid)
    }

    /// The first group of 64 ports, and how many there are.
    pub(crate) fn groups(&self, nat: HeldNat) -> (u16, u16) {
        let first = nat.first_port / 64;
        (first, (1 << self.order.unwrap_or(0)).min(1024 - first))
    }
}

impl Tables {
    /// A session as it is now.
    pub(crate) fn session(&self, index: u32) -> Session {
        let words: [u64; size_of::<Session>() / 8] = get_words!(self.sessions.at(index), version);
        zerocopy::transmute!(words)
    }

    pub(crate) fn reach(&self, index: u32) -> Reach {
        Reach::of(&self.session(index))
    }

    pub(crate) fn mac_of(&self, index: u32) -> Option<Mac> {
        let session = self.session(index);
        if session.flags & flags::MAC_KNOWN == 0 { None } else { Mac::new(session.mac).ok() }
    }

    /// The address that was configured, of which nobody else on the line has the same.
    pub(crate) fn fixed_mac_of(&self, index: u32) -> Option<Mac> {
        let is_fixed = self.session(index).flags & flags::MAC_FIXED != 0;
        self.mac_of(index).filter(|_| is_fixed)
    }

    pub(crate) fn svid_index(port: u16, s_vid: u16) -> u32 {
        u32::from(port) * SVIDS_PER_PORT + u32::from(s_vid & 0xfff)
    }

    /// The page of `LINES` of an S-VID.
    pub(crate) fn access_page(&self, port: u16, s_vid: u16) -> Option<u32> {
        let at = self.svid_pages.at(Self::svid_index(port, s_vid));
        // SAFETY: aligned, and inside the mapping.
        let page = unsafe { crate::mapped::Word::load(at) };
        u32::try_from(page).ok().filter(|page| *page != 0)
    }

    /// The index in `NAT_PORTS` of a public address, which is in a pool.
    pub(crate) fn nat_address(&self, address: Ipv4Addr) -> Option<u32> {
        let target = self.lookup(address);
        (target.kind() == FibTarget::KIND_NAT).then(|| target.index())
    }
}
