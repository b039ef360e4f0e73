//! The walled garden: sessions that are suspended or unauthenticated reach what is in it, may ask the resolvers that they
//! were given for names, and have their web redirected to the portal. Nothing else passes, either way.

use map_abi::{DropReason, PuntReason, ResolverKey, flags, mapped};

use crate::{
    Frame, Tables,
    access::Arrival,
    core_side::{PACKET_AT, Receiver},
    icmp::Quote,
    live::field,
    parse::{Ipv4, TCP, Transport, UDP},
    parse6::{Ipv6, icmp6_type, quoted},
    verdict::Stop,
};

const DNS: u16 = 53_u16.to_be();
const HTTP: u16 = 80_u16.to_be();
const HTTPS: u16 = 443_u16.to_be();

/// The other end of a packet.
#[derive(Clone, Copy)]
struct Other {
    address: [u64; 2],
    protocol: u8,
    /// As it lies in the packet; 0: the packet does not say.
    port: u16,
}

impl Other {
    #[inline(always)]
    fn is_welcome<T: Tables>(self, tables: &T, session: u32) -> bool {
        if tables.in_garden(self.address) {
            return true;
        }
        let is_dns = (self.protocol == UDP || self.protocol == TCP) && self.port == DNS;
        is_dns && tables.is_resolver(&ResolverKey { address: self.address, session, spare: 0 })
    }
}

impl Arrival {
    /// Whether the session has anything but a line: ARP, neighbour discovery and DHCP are answered in any case.
    #[inline(always)]
    pub(crate) fn has_garden<T: Tables>(&self, tables: &T) -> Result<(), DropReason> {
        is_open(tables, self.has(flags::GARDEN))
    }

    /// Lets a packet go where the session may send, or says who answers instead.
    #[inline(always)]
    pub(crate) fn admit<T: Tables>(&self, frame: Frame<'_>, tables: &T, ip: &Ipv4<'_>) -> Result<(), Stop> {
        let port = match ip.transport(frame)? {
            Transport::Tcp(tcp) => tcp.raw16::<2>(),
            Transport::Udp(udp) => udp.raw16::<2>(),
            _ => 0,
        };
        let other = Other { address: mapped(ip.destination), protocol: ip.protocol, port };
        self.admit_to(tables, other, ip.is_whole())
    }

    /// The same for IPv6.
    #[inline(always)]
    pub(crate) fn admit6<T: Tables>(&self, frame: Frame<'_>, tables: &T, ip: &Ipv6<'_>) -> Result<(), Stop> {
        let port = if ip.is_later_fragment() { 0 } else { ip.ports(frame)?.1 };
        let other = Other { address: ip.destination(), protocol: ip.protocol, port };
        self.admit_to(tables, other, ip.is_whole())
    }

    #[inline(always)]
    fn admit_to<T: Tables>(&self, tables: &T, to: Other, is_whole: bool) -> Result<(), Stop> {
        if to.is_welcome(tables, self.home.session_index()) {
            return Ok(());
        }
        if to.protocol == TCP && is_whole && to.port == HTTP {
            return Err(Stop::hand_over(PuntReason::Web));
        }
        if to.protocol == TCP && is_whole && to.port == HTTPS {
            return Err(Stop::hand_over(PuntReason::SecureWeb));
        }
        Err(DropReason::Garden.into())
    }
}

impl Receiver {
    /// Lets in what comes from where the session may send, and ICMP errors about what it sent there.
    #[inline(always)]
    pub(crate) fn admit<T: Tables>(
        &self,
        frame: Frame<'_>,
        tables: &T,
        ip: &Ipv4<'_>,
    ) -> Result<(), DropReason> {
        let (mut address, mut protocol) = (ip.source, ip.protocol);
        let port = match ip.transport(frame)? {
            Transport::Tcp(tcp) => tcp.raw16::<0>(),
            Transport::Udp(udp) => udp.raw16::<0>(),
            // The port is the first fragment's.
            Transport::LaterFragment => DNS,
            Transport::IcmpError => {
                let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
                (address, protocol) = (quote.destination, quote.protocol);
                quote.destination_port.to_be()
            }
            _ => 0,
        };
        self.admit_from(tables, Other { address: mapped(address), protocol, port })
    }

    /// The same for IPv6.
    #[inline(always)]
    pub(crate) fn admit6<T: Tables>(
        &self,
        frame: Frame<'_>,
        tables: &T,
        ip: &Ipv6<'_>,
    ) -> Result<(), DropReason> {
        let from = if ip.is_later_fragment() {
            Other { address: ip.source(), protocol: ip.protocol, port: DNS }
        } else if ip.icmp6_type(frame).is_some_and(|kind| kind <= icmp6_type::ERROR_MAX) {
            let quoted = quoted(frame, ip.payload_at, PACKET_AT + ip.total_len);
            let (_, to, protocol) = quoted.ok_or(DropReason::IcmpErrorUnknown)?;
            Other { address: to.address, protocol, port: to.port }
        } else {
            Other { address: ip.source(), protocol: ip.protocol, port: ip.ports(frame)?.0 }
        };
        self.admit_from(tables, from)
    }

    #[inline(always)]
    fn admit_from<T: Tables>(&self, tables: &T, from: Other) -> Result<(), DropReason> {
        is_open(tables, self.has(flags::GARDEN))?;
        let is_welcome = from.is_welcome(tables, self.home.session_index());
        if is_welcome { Ok(()) } else { Err(DropReason::Garden) }
    }
}

#[inline(always)]
fn is_open<T: Tables>(tables: &T, is_in_garden: bool) -> Result<(), DropReason> {
    let settings = tables.settings().ok_or(DropReason::Inconsistent)?;
    let is_open = is_in_garden && field!(settings, garden).get() != 0;
    if is_open { Ok(()) } else { Err(DropReason::Suspended) }
}
