//! The DHCPv6 server of a subscriber's line (RFC 8415, RFC 3646, RFC 4994).
//!
//! A line has at most one address to lease and one prefix to delegate, which its session names. So there is no pool to
//! choose from: the first association of each kind in a message is given what there is, and any other is told that
//! there is no more.
//!
//! Who may have them: whoever sends from the session's `mac` where one is configured, and nobody else gets as much as an
//! answer. Without one, whoever asks last, for the same reason as in [`crate::dhcp4`]: the line identifies the
//! subscriber. Only a client that starts (Request, or Solicit with rapid commit) takes a lease over; one that tries to
//! extend a lease it has lost to another is told that it has no binding (`NoBinding`), and then starts. The address
//! and the prefix are leased apart: a host can have the one and a router behind the same line the other.
//!
//! Clients are told of no unicast address (option 12), so that what is not sent to the group is not for this server;
//! `UseMulticast` is never said. (RFC 9915, which takes the place of RFC 8415, has neither any more.) Reconfiguration and
//! authentication are not offered.

mod association;
mod decision;
mod duid;
mod message;
mod options;
mod relay;
mod reply;

use std::{fmt, net::Ipv6Addr};

use net_types::Mac;
use node_state::{Ipv6Line, Session};

use crate::{Frame, Ipv6, LineError, Neighbour, PacketError, Tags, Udp, line};
use decision::Decision;
pub use duid::{Duid, DuidError};
use message::Message;
pub use message::MessageError;
use relay::Relay;

/// UDP ports (RFC 8415, section 7.2).
pub const SERVER_PORT: u16 = 547;
pub const CLIENT_PORT: u16 = 546;

/// Groups that clients, and relays, send to (RFC 8415, section 7.1).
const ALL_RELAYS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 1, 3);

/// Who holds a lease of the line, and until when, in seconds of the caller's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub client: Duid,
    /// The number that the client knows the lease by (RFC 8415, section 12).
    pub iaid: u32,
    /// Where frames for it go.
    pub mac: Mac,
    /// `u64::MAX` is never.
    pub expires_s: u64,
}

/// The line's last bindings, even ones that have expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// Of `Ipv6Line::address`.
    pub address: Option<Binding>,
    /// Of `Ipv6Line::delegated`.
    pub prefix: Option<Binding>,
}

/// What a decision rests on besides the frame.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub session: &'a Session,
    /// The access port's, of which the office's address on the link and its server identifier are made.
    pub port_mac: Mac,
    pub bound: &'a Bindings,
    /// Seconds of a clock that does not go back when the node restarts.
    pub now_s: u64,
}

/// What is to be done about a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The frame to send on the port that the request came in by.
    pub reply: Option<Vec<u8>>,
    pub bindings: BindingChange,
    /// Who sent the message, if it was sound enough to tell.
    pub neighbour: Option<Neighbour>,
    pub event: Event,
}

/// What becomes of the line's bindings. It is to be stored before the reply is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingChange {
    Keep,
    Set(Bindings),
}

/// What happened, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Offered what there is.
    Advertised,
    /// `displaced` is the client that held one of the leases until now, if it was another one.
    Leased {
        exchange: Exchange,
        address: bool,
        prefix: bool,
        displaced: Option<Duid>,
    },
    /// The client was answered, and has nothing.
    Refused(Refusal),
    /// The client's address is right for the link that it finds itself on.
    Confirmed,
    Informed,
    Released,
    /// The client found the address in use on its own line.
    Declined,
    Ignored(Ignored),
}

/// What brought a lease about (RFC 8415, section 18.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    RapidCommit,
    Request,
    Renew,
    Rebind,
}

/// Why a client has nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The line has nothing of what it asks for.
    Unavailable,
    /// Its addresses are not for this link.
    NotOnLink,
    /// It would extend a lease that another client of the line, or another association, holds now.
    HeldBy(Duid),
    /// It would give back what it does not have.
    NoBinding,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    Packet(PacketError),
    Message(MessageError),
    Line(LineError),
    /// The datagram is not for port 547 of this server.
    NotForServer,
    /// It does not come from an address that can be answered.
    Source(Ipv6Addr),
    /// The client does not say who it is.
    NoClient,
    /// The client does not say which server it speaks to, as it must in this message.
    NoServer,
    /// The client chose, or speaks to, another server.
    OtherServer,
    /// The client says which server it speaks to in a message that is for all.
    NamesServer,
    /// It asks about addresses and names none, or has associations where there can be none.
    Associations,
    /// The reply would be longer than a packet on the line.
    TooLong,
    /// A message that only servers and others send.
    NotAClient(u8),
}

/// Answers a client's or relay's frame. Never panics, whatever the bytes.
pub fn handle(context: &Context, frame: &[u8]) -> Outcome {
    Request::parse(context, frame).and_then(|request| answer(context, &request)).unwrap_or_else(|ignored| {
        Outcome {
            reply: None,
            bindings: BindingChange::Keep,
            neighbour: None,
            event: Event::Ignored(ignored),
        }
    })
}

fn answer(context: &Context, request: &Request) -> Result<Outcome, Ignored> {
    let Decision { reply, bindings, event } = request.decide(context)?;
    let reply = reply.frame(context, request).ok_or(Ignored::TooLong)?;
    Ok(Outcome { reply: Some(reply), bindings, neighbour: request.neighbour(), event })
}

/// A client's message that is for this server and this line.
struct Request<'a> {
    line: &'a Ipv6Line,
    tags: Tags,
    /// The sender's station address.
    mac: Mac,
    /// The sender's address, which is the outermost relay's if there is one.
    source: Ipv6Addr,
    /// The outermost first.
    relays: Vec<Relay<'a>>,
    message: Message<'a>,
}

impl<'a> Request<'a> {
    fn parse(context: &Context<'a>, bytes: &'a [u8]) -> Result<Self, Ignored> {
        let frame = Frame::parse(bytes).map_err(Ignored::Packet)?;
        let ip = Ipv6::parse(&frame).map_err(Ignored::Packet)?;
        let udp = Udp::parse6(&ip).map_err(Ignored::Packet)?;
        if udp.destination_port != SERVER_PORT {
            return Err(Ignored::NotForServer);
        }
        let (relays, message) = relay::unwrap(udp.payload).map_err(Ignored::Message)?;
        let for_relays = [ALL_SERVERS, context.port_mac.link_local()];
        let for_us = ip.destination == ALL_RELAYS_AND_SERVERS
            || !relays.is_empty() && for_relays.contains(&ip.destination);
        if !for_us {
            return Err(Ignored::NotForServer);
        }
        // A client has no other address yet (RFC 8415, section 17.1); a relay may.
        let can_be_answered = match relays.as_slice() {
            [] => ip.source.is_unicast_link_local(),
            _ => !ip.source.is_unspecified() && !ip.source.is_multicast(),
        };
        if !can_be_answered {
            return Err(Ignored::Source(ip.source));
        }
        let (line, mac) = line::admit(context.session, &frame).map_err(Ignored::Line)?;
        let message = Message::parse(message).map_err(Ignored::Message)?;
        Ok(Self { line, tags: frame.tags, mac, source: ip.source, relays, message })
    }

    /// The client, or the relay on the line that it is behind.
    fn neighbour(&self) -> Option<Neighbour> {
        let address = self.relays.last().map_or(self.source, |relay| relay.peer);
        address.is_unicast_link_local().then_some(Neighbour { address, mac: self.mac })
    }
}

impl Binding {
    /// Whether the lease still runs.
    pub fn is_live(&self, now_s: u64) -> bool {
        self.expires_s > now_s
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RapidCommit => "rapid commit",
            Self::Request => "Request",
            Self::Renew => "Renew",
            Self::Rebind => "Rebind",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => f.write_str("the line has nothing of the kind"),
            Self::NotOnLink => f.write_str("the client's addresses are not for this link"),
            Self::HeldBy(client) => write!(f, "the lease is held by {client} now"),
            Self::NoBinding => f.write_str("it is not the client's to give back"),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(error) => error.fmt(f),
            Self::Message(error) => error.fmt(f),
            Self::Line(error) => error.fmt(f),
            Self::NotForServer => f.write_str("it is not for this server"),
            Self::Source(address) => write!(f, "{address} cannot be answered"),
            Self::NoClient => f.write_str("it has no client identifier"),
            Self::NoServer => f.write_str("it has no server identifier"),
            Self::OtherServer => f.write_str("the client speaks to another server"),
            Self::NamesServer => f.write_str("it has a server identifier"),
            Self::Associations => f.write_str("its identity associations make no sense in such a message"),
            Self::TooLong => f.write_str("the reply would be too long for the line"),
            Self::NotAClient(kind) => write!(f, "message type {kind} is not a client's"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advertised => f.write_str("advertised"),
            Self::Leased { exchange, address, prefix, displaced } => {
                let what = match (address, prefix) {
                    (true, true) => "address and prefix",
                    (true, false) => "address",
                    (false, _) => "prefix",
                };
                write!(f, "leased {what} ({exchange})")?;
                displaced.as_ref().map_or(Ok(()), |client| write!(f, ", taken over from {client}"))
            }
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Confirmed => f.write_str("confirmed"),
            Self::Informed => f.write_str("informed"),
            Self::Released => f.write_str("released"),
            Self::Declined => f.write_str("declined: the address is in use on the subscriber's line"),
            Self::Ignored(ignored) => write!(f, "ignored: {ignored}"),
        }
    }
}

#[cfg(test)]
mod tests;
