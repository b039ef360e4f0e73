//! Parental control: queries for names that are on a blocked list, answered in place, and encrypted resolvers, refused.
//!
//! ```text
//! port 53, UDP     NXDOMAIN (RFC 8914: "Filtered"), or on
//! port 53, TCP     the query in one segment: a reset, or on; segments that are no whole query: a reset
//! port 853         DNS over TLS (RFC 7858): a reset; over QUIC (RFC 9250): dropped
//! port 443         to a known encrypted resolver, a SYN: a reset; a long header of QUIC (RFC 9000): dropped
//! ```
//!
//! What cannot be read does not pass: it could be any query. A program of its own, which only packets to these ports reach, of
//! sessions with parental control. What it lets pass it leads back to where that came from, with a mark in this CPU's
//! scratch memory, which is taken off there.

mod query;
mod reply;

use core::ptr::NonNull;

use map_abi::{Course, DeviceKey, DnsScratch, DropReason, dns_count, flags, mapped};

use crate::{
    Frame, Packet, Tables, Verdict, Window,
    access::{Arrival, arrive},
    live::field,
    parse::{ETHERTYPE_IPV4, Ipv4, TCP, UDP, tcp_flags},
    parse6::{self, Ipv6},
};
use query::Query;

const DNS: u16 = 53_u16.to_be();
const ENCRYPTED: u16 = 853_u16.to_be();
const HTTPS: u16 = 443_u16.to_be();
/// The first bit of a QUIC packet with a long header (RFC 9000, section 17.2): a connection is being made.
const LONG_HEADER: u8 = 0x80;
const UDP_HEADER_LEN: usize = 8;
const OFFSET_MASK: usize = 0x1fff;

/// Whether a packet of a session with parental control is to be looked at first, and was not yet. `at`: where its transport
/// header is; it is no later fragment.
#[inline(always)]
pub(crate) fn is_due<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    protocol: u8,
    at: usize,
) -> bool {
    if !arrival.has(flags::DNS) || !goes_to_resolver(frame, protocol, at) {
        return false;
    }
    let Some(scratch) = tables.dns_scratch() else { return true };
    let passed = field!(scratch, passed);
    let is_passed = passed.get() == mark(frame, arrival, at);
    passed.set(0);
    !is_passed
}

/// Whether a packet may be for a resolver.
#[inline(always)]
fn goes_to_resolver(frame: Frame<'_>, protocol: u8, at: usize) -> bool {
    if protocol != TCP && protocol != UDP {
        return false;
    }
    let Some(ports) = frame.window::<8>(at) else { return false };
    let port = ports.raw16::<2>();
    if port == DNS || port == ENCRYPTED {
        return true;
    }
    if port != HTTPS {
        return false;
    }
    // Connections that there are stay.
    if protocol == TCP {
        const SYN_AND_ACK: u8 = tcp_flags::SYN | tcp_flags::ACK;
        frame.window::<14>(at).is_none_or(|tcp| tcp.u8::<13>() & SYN_AND_ACK == tcp_flags::SYN)
    } else {
        frame.window::<9>(at).is_some_and(|udp| udp.u8::<8>() & LONG_HEADER != 0)
    }
}

/// What tells the packet from the one that this CPU deals with next, if it did not come back.
#[inline(always)]
fn mark(frame: Frame<'_>, arrival: &Arrival, at: usize) -> u64 {
    let ports = frame.window::<8>(at).map_or(0, Window::raw32::<0>);
    u64::from(arrival.home.session_index() + 1) << 32 | u64::from(ports)
}

/// Deals with a packet that may be for a resolver, as far as it is no query: that is left in the scratch memory.
#[inline(always)]
pub fn dns<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => control(packet, tables, &arrival),
    }
    .counted(packet, tables, Course::UP)
}

#[inline(always)]
fn control<P: Packet, T: Tables>(packet: &mut P, tables: &T, arrival: &Arrival) -> Verdict {
    let Some(scratch) = tables.dns_scratch() else { return Verdict::Drop(DropReason::Inconsistent) };
    let datagram = Datagram { scratch };
    let judged = match datagram.read(packet.frame(), arrival) {
        Ok(()) => judge(packet, tables, arrival, datagram),
        Err(reason) => Err(reason),
    };
    finish(packet, tables, arrival, datagram, judged)
}

/// Deals with the query in the scratch memory. A program of its own, which begins with the loops: behind all that can be
/// before them, the verifier would go through them once for each way there.
#[inline(always)]
pub fn dns_name<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    let Some(scratch) = tables.dns_scratch() else {
        return Verdict::Drop(DropReason::Inconsistent).counted(packet, tables, Course::UP);
    };
    let (datagram, query) = (Datagram { scratch }, Query::new(scratch));
    query.look_up(tables);
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => finish(packet, tables, &arrival, datagram, judge_query(tables, datagram, query)),
    }
    .counted(packet, tables, Course::UP)
}

#[inline(always)]
fn judge_query<T: Tables>(tables: &T, datagram: Datagram, query: Query) -> Result<Judgement, DropReason> {
    tables.count_dns(dns_count::QUERIES);
    if !query.is_read() {
        return if datagram.is_tcp() { Ok(Judgement::Reset) } else { Err(DropReason::DnsUnreadable) };
    }
    if query.hits() == 0 {
        return Ok(Judgement::Pass);
    }
    tables.count_dns(dns_count::BLOCKED);
    tables.count_dns(query.first());
    if datagram.is_tcp() {
        return Ok(Judgement::Reset);
    }
    query.answer();
    Ok(Judgement::Answer)
}

#[inline(always)]
fn finish<P: Packet, T: Tables>(
    packet: &mut P,
    tables: &T,
    arrival: &Arrival,
    datagram: Datagram,
    judged: Result<Judgement, DropReason>,
) -> Verdict {
    let Some(session) = arrival.home.session(tables) else {
        return Verdict::Drop(DropReason::Inconsistent);
    };
    let done = match judged {
        Ok(Judgement::Query) => return Verdict::DnsName,
        Ok(Judgement::Pass) => {
            field!(datagram.scratch, passed).set(mark(packet.frame(), arrival, datagram.payload_at()));
            return if datagram.is_six() { Verdict::Access6 } else { Verdict::Access };
        }
        Ok(Judgement::Answer) => reply::answer(packet, arrival, datagram).ok_or(DropReason::DnsBlocked),
        Ok(Judgement::Reset) => reply::reset(packet, arrival, datagram).ok_or(DropReason::DnsBlocked),
        Err(reason) => Err(reason),
    };
    field!(session, dns_blocked).add(1);
    match done {
        Ok(()) => Verdict::AnsweredDns(arrival.port),
        Err(reason) => {
            field!(session, drops_up).add(1);
            Verdict::Drop(reason)
        }
    }
}

/// A packet that may be for a resolver, of either family, in the scratch memory.
#[derive(Clone, Copy)]
struct Datagram {
    scratch: NonNull<DnsScratch>,
}

impl Datagram {
    #[inline(always)]
    fn read(self, frame: Frame<'_>, arrival: &Arrival) -> Result<(), DropReason> {
        let at = arrival.packet_at();
        let tail = frame.window::<2>(at - 2).ok_or(DropReason::Truncated)?;
        if tail.raw16::<0>() == ETHERTYPE_IPV4 {
            let ip = Ipv4::known(frame, at).ok_or(DropReason::Truncated)?;
            self.keep(0, mapped(ip.destination), ip.is_whole(), ip.protocol, (ip.payload_at, ip.payload_len));
        } else {
            let ip = Ipv6::parse(frame, at)?;
            let payload_len = (at + ip.total_len).wrapping_sub(ip.payload_at);
            self.keep(1, ip.destination(), ip.is_whole(), ip.protocol, (ip.payload_at, payload_len));
        }
        Ok(())
    }

    #[inline(always)]
    fn keep(
        self,
        six: u64,
        destination: [u64; 2],
        is_whole: bool,
        protocol: u8,
        (payload_at, payload_len): (usize, usize),
    ) {
        field!(self.scratch, task.six).set(six);
        field!(self.scratch, task.destination[0]).set(destination[0]);
        field!(self.scratch, task.destination[1]).set(destination[1]);
        field!(self.scratch, task.is_part).set(u64::from(!is_whole));
        field!(self.scratch, task.protocol).set(protocol.into());
        field!(self.scratch, task.payload_at).set(payload_at as u64);
        field!(self.scratch, task.payload_len).set(payload_len as u64);
    }

    #[inline(always)]
    fn destination(self) -> [u64; 2] {
        [field!(self.scratch, task.destination[0]).get(), field!(self.scratch, task.destination[1]).get()]
    }

    #[inline(always)]
    fn is_six(self) -> bool {
        field!(self.scratch, task.six).get() != 0
    }

    #[inline(always)]
    fn is_part(self) -> bool {
        field!(self.scratch, task.is_part).get() != 0
    }

    #[inline(always)]
    fn is_tcp(self) -> bool {
        field!(self.scratch, task.protocol).get() == u64::from(TCP)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    fn payload_at(self) -> usize {
        field!(self.scratch, task.payload_at).get() as usize & OFFSET_MASK
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    fn payload_len(self) -> usize {
        field!(self.scratch, task.payload_len).get() as usize & 0xffff
    }

    /// Whether nothing stands between the shortest header and the payload: neither options nor extension headers, which have
    /// no place in an answer.
    #[inline(always)]
    fn is_plain(self, arrival: &Arrival) -> bool {
        let header_len = if self.is_six() { parse6::HEADER_LEN } else { 20 };
        self.payload_at() == arrival.packet_at() + header_len
    }

    #[inline(always)]
    fn set_message(self, at: usize, len: usize) {
        field!(self.scratch, task.message_at).set(at as u64);
        field!(self.scratch, task.message_len).set(len as u64);
    }
}

/// What becomes of a packet.
#[derive(Clone, Copy)]
enum Judgement {
    Pass,
    /// The name is to be looked up.
    Query,
    /// The query is answered, with what is in the scratch memory.
    Answer,
    /// The connection is reset.
    Reset,
}

#[inline(always)]
fn judge<P: Packet, T: Tables>(
    packet: &P,
    tables: &T,
    arrival: &Arrival,
    datagram: Datagram,
) -> Result<Judgement, DropReason> {
    let frame = packet.frame();
    let blocked = blocked(frame, tables, arrival)?;
    if blocked == 0 {
        return Ok(Judgement::Pass);
    }
    let ports = frame.window::<8>(datagram.payload_at()).ok_or(DropReason::DnsUnreadable)?;
    let port = ports.raw16::<2>();
    if port != DNS {
        if port == HTTPS && !tables.is_encrypted_resolver(datagram.destination()) {
            return Ok(Judgement::Pass);
        }
        return refuse_encrypted(packet.frame(), tables, datagram);
    }
    if datagram.is_part() {
        return Err(DropReason::DnsUnreadable);
    }
    if datagram.is_tcp() {
        if !segment(frame, datagram)? {
            return Ok(Judgement::Pass);
        }
    } else {
        let len = usize::from(ports.be16::<4>());
        if len < UDP_HEADER_LEN || len > datagram.payload_len() {
            return Err(DropReason::DnsUnreadable);
        }
        datagram.set_message(datagram.payload_at() + UDP_HEADER_LEN, len - UDP_HEADER_LEN);
    }
    field!(datagram.scratch, task.blocked).set(blocked);
    Query::new(datagram.scratch).load(packet);
    Ok(Judgement::Query)
}

/// What becomes of what is for an encrypted resolver.
#[inline(always)]
fn refuse_encrypted<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    datagram: Datagram,
) -> Result<Judgement, DropReason> {
    if !datagram.is_tcp() || datagram.is_part() {
        return Err(DropReason::DnsEncrypted);
    }
    segment_header(frame, datagram)?;
    let tcp = frame.window::<20>(datagram.payload_at()).ok_or(DropReason::DnsUnreadable)?;
    if tcp.u8::<13>() & tcp_flags::RST != 0 {
        return Ok(Judgement::Pass);
    }
    tables.count_dns(dns_count::REFUSED);
    Ok(Judgement::Reset)
}

/// The categories that are blocked for whoever sends, whose Ethernet address has been checked.
#[inline(always)]
fn blocked<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival) -> Result<u64, DropReason> {
    let session = arrival.home.session_index();
    let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
    let device = DeviceKey { mac: header.mac_word::<6>(), session, spare: 0 };
    Ok(match tables.blocked(&device) {
        Some(blocked) => blocked,
        None => tables.blocked(&DeviceKey { mac: 0, session, spare: 0 }).unwrap_or(0),
    })
}

/// Bytes of a segment's header, which is all there.
#[inline(always)]
fn segment_header(frame: Frame<'_>, datagram: Datagram) -> Result<usize, DropReason> {
    let tcp = frame.window::<20>(datagram.payload_at()).ok_or(DropReason::DnsUnreadable)?;
    let len = usize::from(tcp.u8::<12>() >> 4) * 4;
    if len < 20 || len > datagram.payload_len() { Err(DropReason::DnsUnreadable) } else { Ok(len) }
}

/// Notes the message in a segment; false: the segment carries nothing. One that is not a whole message of what length it
/// says (RFC 1035, section 4.2.2) is of length 0, as no query is.
#[inline(always)]
fn segment(frame: Frame<'_>, datagram: Datagram) -> Result<bool, DropReason> {
    let header_len = segment_header(frame, datagram)?;
    let tcp = frame.window::<20>(datagram.payload_at()).ok_or(DropReason::DnsUnreadable)?;
    let carried = datagram.payload_len() - header_len;
    if carried == 0 || tcp.u8::<13>() & tcp_flags::RST != 0 {
        return Ok(false);
    }
    let at = datagram.payload_at() + header_len;
    let len = frame.window::<2>(at).map_or(0, |len| usize::from(len.be16::<0>()));
    datagram.set_message(at + 2, if len + 2 == carried { len } else { 0 });
    Ok(true)
}
