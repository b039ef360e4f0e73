//! Taps, which rtnetlink does not make.

use std::{
    fs::{File, OpenOptions},
    io,
    os::fd::AsRawFd,
};

use net_types::IfName;
use node_plan::kernel::OWN_GROUP;
use rtnetlink::packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
};

use crate::{Error, Netlink};

impl Netlink {
    /// Until it has our mark, the tap goes with the file that it was made by: so that none is ever left without.
    pub(super) async fn create_tap(&self, doing: &str, name: &IfName, mtu: u32) -> Result<(), Error> {
        let failed = |error| Error::new(doing, error);
        let file = self.namespace.run(|| open(name)).and_then(|made| made).map_err(failed)?;
        let mut message = LinkMessage::default();
        message.header.index = self.index(doing, name).await?;
        message.attributes = vec![LinkAttribute::Group(OWN_GROUP), LinkAttribute::Mtu(mtu)];
        self.change(doing, RouteNetlinkMessage::SetLink(message), 0).await?;
        // SAFETY: the request takes a number, and no memory.
        let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETPERSIST, 1) };
        nix::errno::Errno::result(done).map(drop).map_err(|errno| failed(errno.into()))
    }
}

/// Makes a tap in the calling thread's network namespace.
fn open(name: &IfName) -> io::Result<File> {
    const FLAGS: libc::c_int = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_TUN_EXCL;
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: all zero is a value of the structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.as_str().bytes()) {
        *to = from.cast_signed();
    }
    // The field has 16 bits, of which the flags need the highest.
    let [low, high, ..] = FLAGS.to_ne_bytes();
    request.ifr_ifru.ifru_flags = libc::c_short::from_ne_bytes([low, high]);
    // SAFETY: the request takes a `struct ifreq`, which outlives it.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    nix::errno::Errno::result(done)?;
    Ok(file)
}
