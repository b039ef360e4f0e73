//! Device features, as `ethtool -K` switches them.

use std::{
    io, mem,
    os::fd::{AsRawFd, OwnedFd},
};

use net_types::IfName;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// A feature of a device that frames through XDP or packet sockets depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// `gro`. On the peer of a veth that XDP redirects to, it or a program must be there, else the frames vanish.
    Gro,
    /// `tx`: leaving checksums to the device. On veth nobody ever computes them, and XDP sees them half finished.
    TxChecksum,
    /// `txvlan`: leaving the 802.1Q tag to the device. On veth it stays beside the frame, where XDP does not see it.
    TxVlan,
    /// `tx-vlan-stag-hw-insert`: the same for the 802.1ad tag.
    TxVlanStag,
    /// `rxvlan` and `rx-vlan-stag-hw-parse`: the device takes the outer tag out of a frame before XDP sees it.
    RxVlan,
}

#[derive(Debug, thiserror::Error)]
#[error("set features of {name}: {source}")]
pub struct FeatureError {
    pub name: IfName,
    pub source: io::Error,
}

impl Feature {
    /// The kernel's names of it (`netdev_features_strings`, net/ethtool/common.c).
    fn covers(self, name: &str) -> bool {
        match self {
            Self::Gro => name == "rx-gro",
            Self::TxChecksum => name.starts_with("tx-checksum-"),
            Self::TxVlan => name == "tx-vlan-hw-insert",
            Self::TxVlanStag => name == "tx-vlan-stag-hw-insert",
            Self::RxVlan => name == "rx-vlan-hw-parse" || name == "rx-vlan-stag-hw-parse",
        }
    }
}

/// Switches features of an interface of the calling thread's network namespace. A feature that the device does not
/// have, or cannot be switched, is left as it is.
pub fn set_features(name: &IfName, wanted: &[(Feature, bool)]) -> Result<(), FeatureError> {
    let apply = || {
        let device = Device::open(name)?;
        let names = device.names()?;
        let mut bits = vec![Bits::default(); names.len().div_ceil(32)];
        for (index, name) in names.iter().enumerate() {
            for &(feature, on) in wanted.iter().filter(|(feature, _)| feature.covers(name)) {
                debug_assert!(feature.covers(name));
                let (word, bit) = (&mut bits[index / 32], 1 << (index % 32));
                word.valid |= bit;
                word.requested = if on { word.requested | bit } else { word.requested & !bit };
            }
        }
        device.set(&bits)
    };
    apply().map_err(|source| FeatureError { name: name.clone(), source })
}

/// `struct ethtool_set_features_block`.
#[derive(Clone, Copy, Debug, Default)]
struct Bits {
    valid: u32,
    requested: u32,
}

struct Device {
    socket: OwnedFd,
    request: libc::ifreq,
}

// include/uapi/linux/ethtool.h
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_SFEATURES: u32 = 0x3b;
const ETH_SS_FEATURES: u32 = 4;
const ETH_GSTRING_LEN: usize = 32;
const SIOCETHTOOL: libc::c_ulong = 0x8946;

/// More features than any kernel has: 64 today.
const FEATURES_MAX: u32 = 1024;

impl Device {
    fn open(name: &IfName) -> io::Result<Self> {
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        // SAFETY: an ifreq of zeros is valid: an empty name and nothing else.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        // An IfName has at most 15 bytes: the NUL after it stays.
        for (to, from) in request.ifr_name.iter_mut().zip(name.as_str().bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        Ok(Self { socket, request })
    }

    /// The names of the features, in the order of their bits.
    fn names(&self) -> io::Result<Vec<String>> {
        // struct ethtool_sset_info: command, reserved, mask (64 bits), then one count for each bit of the mask.
        let mut info = [ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_FEATURES, 0, 0];
        self.call(&mut info)?;
        let count = info[4].min(FEATURES_MAX);
        // struct ethtool_gstrings: command, set, count, then the names.
        let mut strings = vec![0; 3 + count as usize * ETH_GSTRING_LEN / 4];
        strings[..3].copy_from_slice(&[ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count]);
        self.call(&mut strings)?;
        let bytes: Vec<u8> = strings[3..].iter().flat_map(|word| word.to_ne_bytes()).collect();
        let text = |name: &[u8]| {
            let name = name.split(|&b| b == 0).next().unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        };
        Ok(bytes.chunks_exact(ETH_GSTRING_LEN).map(text).collect())
    }

    fn set(&self, bits: &[Bits]) -> io::Result<()> {
        let count = u32::try_from(bits.len()).expect("at most 32 words");
        // struct ethtool_sfeatures: command, count, then pairs of what is meant and what it shall be.
        let mut words = vec![ETHTOOL_SFEATURES, count];
        words.extend(bits.iter().flat_map(|word| [word.valid, word.requested]));
        self.call(&mut words)
    }

    /// `words` is an ethtool structure as long as its own fields say.
    fn call(&self, words: &mut [u32]) -> io::Result<()> {
        let mut request = self.request;
        request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
        // SAFETY: the request names the device and points to an ethtool structure that is as long as its fields say
        // (each caller above), aligned to 4 bytes, and alive and unshared through the call.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
