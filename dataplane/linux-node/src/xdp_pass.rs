//! The shortest XDP program: every packet goes on to the kernel.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use rtnetlink::packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage, LinkXdp},
};

use crate::{Error, Netlink};

impl Netlink {
    /// Attaches a program to an interface that lets every packet pass.
    ///
    /// The peer of a veth whose program answers with `XDP_TX` needs one: without, Linux puts such frames in the peer's ring and
    /// wakes nobody (`veth_xdp_flush()`, drivers/net/veth.c; GRO is enough for redirected frames only). It stays until the
    /// interface is gone.
    pub async fn attach_xdp_pass(&self, ifindex: u32) -> Result<(), Error> {
        let doing = format!("attach an XDP program to interface {ifindex}");
        let program = load().map_err(|e| Error::new(doing.as_str(), e))?;
        let mut message = LinkMessage::default();
        message.header.index = ifindex;
        message.attributes.push(LinkAttribute::Xdp(vec![LinkXdp::Fd(program.as_raw_fd())]));
        self.change(&doing, RouteNetlinkMessage::SetLink(message), 0).await
    }
}

/// `struct bpf_insn`: operation, registers, offset, immediate value.
#[repr(C)]
struct Instruction(u8, u8, i16, i32);

/// What `bpf(BPF_PROG_LOAD)` needs of `union bpf_attr`; the kernel takes what is beyond for zero.
#[repr(C)]
struct LoadAttributes {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
}

// include/uapi/linux/bpf.h
const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_PROG_TYPE_XDP: u32 = 6;
const XDP_PASS: i32 = 2;
const MOVE_IMMEDIATE: u8 = 0xb7;
const EXIT: u8 = 0x95;

fn load() -> io::Result<OwnedFd> {
    let instructions = [Instruction(MOVE_IMMEDIATE, 0, 0, XDP_PASS), Instruction(EXIT, 0, 0, 0)];
    let license = c"Apache-2.0";
    let attributes = LoadAttributes {
        program_type: BPF_PROG_TYPE_XDP,
        instruction_count: 2,
        instructions: instructions.as_ptr().addr() as u64,
        license: license.as_ptr().addr() as u64,
        log_level: 0,
        log_size: 0,
        log_buffer: 0,
        kernel_version: 0,
        flags: 0,
    };
    let size = size_of_val(&attributes);
    // SAFETY: the attributes are as long as is said, and what they point to lives through the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const attributes, size) };
    let fd = i32::try_from(fd).ok().filter(|&fd| fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel just made the descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
