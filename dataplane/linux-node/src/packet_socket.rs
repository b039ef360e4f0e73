//! Whole Ethernet frames to and from one interface, tags included.

use std::{
    io, mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr,
};

use tokio::io::unix::AsyncFd;

/// A packet socket (packet(7)) bound to one interface.
///
/// Linux takes the outer tag out of a received frame before any socket sees it; it is put back here, from
/// `PACKET_AUXDATA`. Frames are sent as they are given, with their tags in place.
#[derive(Debug)]
pub struct PacketSocket {
    fd: AsyncFd<OwnedFd>,
}

/// Bytes of a tag, and how many come before it.
const TAG_LEN: usize = 4;
const TAG_OFFSET: usize = 12;

/// `PACKET_IGNORE_OUTGOING` (`include/uapi/linux/if_packet.h`, Linux 4.20): what this host sends is not received.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

/// Room for bursts: some 2,000 full frames as the kernel counts them.
const SOCKET_BUFFER: libc::c_int = 8 << 20;

impl PacketSocket {
    /// A buffer of this size holds any frame that a device without segmentation offload receives, and more.
    pub const BUFFER_LEN: usize = 64 << 10;

    /// Opens a socket for all protocols on an interface of the calling thread's network namespace, within a tokio runtime.
    pub fn open(ifindex: u32) -> io::Result<Self> {
        // SAFETY: socket() takes no pointers.
        let raw = unsafe {
            libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
        };
        // Protocol 0: until it is bound it hears nothing, not even of other interfaces.
        let raw = check(raw)?;
        // SAFETY: the descriptor was just made and belongs to nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        set_option(&fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
        set_option(&fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
        set_option(&fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, SOCKET_BUFFER)?;
        set_option(&fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, SOCKET_BUFFER)?;
        bind(&fd, ifindex)?;
        // SAFETY: an OwnedFd names the same open descriptor for as long as it lives.
        Ok(Self { fd: unsafe { AsyncFd::register(fd) }? })
    }

    /// Sends one whole frame, waiting for room in the socket's buffer. Cancel safe.
    pub async fn send(&self, frame: &[u8]) -> io::Result<()> {
        loop {
            let mut guard = self.fd.writable().await?;
            if let Ok(sent) = guard.try_io(|fd| send(fd.get_ref(), frame)) {
                return sent;
            }
        }
    }

    /// Receives one frame into `buffer` and returns where in it the frame is. A frame that does not fit is left out.
    /// Cancel safe.
    pub async fn recv<'a>(&self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        assert!(buffer.len() > TAG_LEN + TAG_OFFSET, "a buffer of at least one header");
        loop {
            let mut guard = self.fd.readable().await?;
            match guard.try_io(|fd| receive(fd.get_ref(), &mut buffer[TAG_LEN..])) {
                Err(_would_block) => {}
                Ok(Err(e)) => return Err(e),
                Ok(Ok(None)) => {}
                Ok(Ok(Some(received))) => return Ok(restore_tag(buffer, &received)),
            }
        }
    }
}

struct Received {
    len: usize,
    /// The tag that the kernel took out, as it was on the wire.
    tag: Option<[u8; TAG_LEN]>,
}

/// The frame lies in `buffer` from `TAG_LEN` on; its tag, if it had one, goes between the addresses and the rest.
fn restore_tag<'a>(buffer: &'a mut [u8], received: &Received) -> &'a [u8] {
    let end = TAG_LEN + received.len;
    match received.tag {
        Some(tag) if received.len >= TAG_OFFSET => {
            buffer.copy_within(TAG_LEN..TAG_LEN + TAG_OFFSET, 0);
            buffer[TAG_OFFSET..TAG_OFFSET + TAG_LEN].copy_from_slice(&tag);
            &buffer[..end]
        }
        _ => &buffer[TAG_LEN..end],
    }
}

fn send(fd: &OwnedFd, frame: &[u8]) -> io::Result<()> {
    // SAFETY: the pointer and length are those of a slice that lives through the call.
    let sent = unsafe { libc::send(fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
    check_size(sent).map(drop)
}

/// `None` if the frame was longer than `buffer`.
fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    /// Aligned as `cmsghdr` must be, with room for one `tpacket_auxdata`.
    #[repr(C, align(8))]
    struct Control([u8; 64]);
    let mut control = Control([0; 64]);
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: a msghdr of zeros is a valid one with nothing in it.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = size_of::<Control>();
    // SAFETY: header points to buffers of the stated sizes, which all live through the call.
    let read = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, 0) };
    let len = check_size(read)?;
    if header.msg_flags & libc::MSG_TRUNC != 0 {
        return Ok(None);
    }
    Ok(Some(Received { len, tag: tag_in(&header) }))
}

fn tag_in(header: &libc::msghdr) -> Option<[u8; TAG_LEN]> {
    // SAFETY: recvmsg has filled the header in, and its control buffer is still alive in the caller.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !message.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR return null or a whole, aligned cmsghdr within the control buffer.
        let found = unsafe { &*message };
        if found.cmsg_level == libc::SOL_PACKET && found.cmsg_type == libc::PACKET_AUXDATA {
            // SAFETY: the kernel puts a whole tpacket_auxdata there; the read does not ask for alignment.
            let aux: libc::tpacket_auxdata = unsafe { ptr::read_unaligned(libc::CMSG_DATA(message).cast()) };
            return tag(&aux);
        }
        // SAFETY: message is a header within the control buffer of `header`.
        message = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
    None
}

fn tag(aux: &libc::tpacket_auxdata) -> Option<[u8; TAG_LEN]> {
    if aux.tp_status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let tpid = match aux.tp_status & libc::TP_STATUS_VLAN_TPID_VALID {
        0 => 0x8100,
        _ => aux.tp_vlan_tpid,
    };
    let ([a, b], [c, d]) = (tpid.to_be_bytes(), aux.tp_vlan_tci.to_be_bytes());
    Some([a, b, c, d])
}

fn bind(fd: &OwnedFd, ifindex: u32) -> io::Result<()> {
    // SAFETY: a sockaddr_ll of zeros is valid.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).expect("a small number");
    address.sll_protocol = u16::try_from(libc::ETH_P_ALL).expect("a small number").to_be();
    address.sll_ifindex = i32::try_from(ifindex).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))?;
    let len = libc::socklen_t::try_from(size_of_val(&address)).expect("a small number");
    // SAFETY: the pointer and length are those of a sockaddr_ll that lives through the call.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) }).map(drop)
}

fn set_option(fd: &OwnedFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of_val(&value)).expect("a small number");
    // SAFETY: the pointer and length are those of an int that lives through the call.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), len) }).map(drop)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn check_size(result: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
