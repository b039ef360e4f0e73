//! ICMP errors quote the packet that they are about (RFC 792): the quote is translated as the packet was, the other
//! way round (RFC 5508, section 4).

use map_abi::DropReason;

use crate::{
    Frame, Window,
    checksum::Delta,
    parse::{ICMP, TCP, UDP, icmp_type},
};

const HEADER_LEN: usize = 8;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// The packet that an ICMP error quotes: its IPv4 header and the first eight bytes after it.
pub(crate) struct Quote<'a> {
    header: Window<'a, 20>,
    transport: Window<'a, 8>,
    /// A TCP header's checksum, if the quote has it.
    tcp_checksum: Option<Window<'a, 2>>,
    pub(crate) protocol: u8,
    pub(crate) source: u32,
    pub(crate) destination: u32,
    /// Ports, or the identifier as the port of the one that chose it.
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
}

/// Which end of the quoted packet is the subscriber.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

impl<'a> Quote<'a> {
    /// `icmp_at` is where the ICMP header begins, `payload_len` how many bytes of the packet are there.
    #[inline(always)]
    pub(crate) fn parse(frame: Frame<'a>, icmp_at: usize, payload_len: usize) -> Result<Self, DropReason> {
        let at = icmp_at + HEADER_LEN;
        let header = frame.window::<20>(at).ok_or(DropReason::IcmpErrorUnknown)?;
        let first = header.u8::<0>();
        let header_len = usize::from(first & 15) * 4;
        let transport_at = at + header_len;
        if first >> 4 != 4
            || header_len < 20
            || payload_len < HEADER_LEN + header_len + 8
            || header.be16::<6>() & FRAGMENT_OFFSET != 0
        {
            return Err(DropReason::IcmpErrorUnknown);
        }
        let transport = frame.window::<8>(transport_at).ok_or(DropReason::IcmpErrorUnknown)?;
        let protocol = header.u8::<9>();
        let mut tcp_checksum = None;
        let (source_port, destination_port) = match protocol {
            TCP | UDP => {
                if protocol == TCP && payload_len >= HEADER_LEN + header_len + 18 {
                    tcp_checksum = frame.window::<2>(transport_at + 16);
                }
                (transport.be16::<0>(), transport.be16::<2>())
            }
            ICMP => match transport.u8::<0>() {
                icmp_type::ECHO_REQUEST => (transport.be16::<4>(), 0),
                icmp_type::ECHO_REPLY => (0, transport.be16::<4>()),
                _ => return Err(DropReason::IcmpErrorUnknown),
            },
            _ => return Err(DropReason::IcmpErrorUnknown),
        };
        Ok(Self {
            header,
            transport,
            tcp_checksum,
            protocol,
            source: header.raw32::<12>(),
            destination: header.raw32::<16>(),
            source_port,
            destination_port,
        })
    }

    /// The port of one side, or the identifier, whichever side chose it.
    #[inline(always)]
    pub(crate) fn port_of(&self, side: Side) -> u16 {
        if self.protocol == ICMP {
            return self.source_port | self.destination_port;
        }
        if side == Side::Source { self.source_port } else { self.destination_port }
    }

    /// Puts `address` and `port` in place of the subscriber's and mends every checksum, that of the ICMP header `icmp`
    /// included.
    #[inline(always)]
    pub(crate) fn translate(&self, icmp: Window<'_, 8>, side: Side, address: u32, port: u16) {
        let address_delta = match side {
            Side::Source => {
                self.header.set_raw32::<12>(address);
                Delta::long(self.source, address)
            }
            Side::Destination => {
                self.header.set_raw32::<16>(address);
                Delta::long(self.destination, address)
            }
        };
        let old_check = self.header.raw16::<10>();
        let new_check = address_delta.apply(old_check);
        self.header.set_raw16::<10>(new_check);
        let mut icmp_delta = address_delta.and(Delta::word(old_check, new_check));

        let port = port.to_be();
        let port_delta = match (self.protocol, side) {
            (ICMP, _) => {
                let delta = Delta::word(self.transport.raw16::<4>(), port);
                self.transport.set_raw16::<4>(port);
                delta
            }
            (_, Side::Source) => {
                let delta = Delta::word(self.transport.raw16::<0>(), port);
                self.transport.set_raw16::<0>(port);
                delta
            }
            (_, Side::Destination) => {
                let delta = Delta::word(self.transport.raw16::<2>(), port);
                self.transport.set_raw16::<2>(port);
                delta
            }
        };
        icmp_delta = icmp_delta.and(port_delta);

        if self.protocol == ICMP {
            let old = self.transport.raw16::<2>();
            let new = port_delta.apply(old);
            self.transport.set_raw16::<2>(new);
            icmp_delta = icmp_delta.and(Delta::word(old, new));
        } else if self.protocol == UDP {
            let old = self.transport.raw16::<6>();
            let new = address_delta.and(port_delta).apply_udp(old);
            self.transport.set_raw16::<6>(new);
            icmp_delta = icmp_delta.and(Delta::word(old, new));
        } else if let Some(checksum) = self.tcp_checksum {
            let old = checksum.raw16::<0>();
            let new = address_delta.and(port_delta).apply(old);
            checksum.set_raw16::<0>(new);
            icmp_delta = icmp_delta.and(Delta::word(old, new));
        }
        icmp.set_raw16::<2>(icmp_delta.apply(icmp.raw16::<2>()));
    }
}
