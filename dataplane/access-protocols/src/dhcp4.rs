//! The DHCPv4 server of a subscriber's line (RFC 2131, RFC 2132, RFC 3046, RFC 3396, RFC 6842).
//!
//! A line is one pair of tags on one port, and it has one lease, which its session names (but see [`devices`]). So there is
//! no pool to choose from: a client is offered that address, and a client that claims another one gets a NAK.
//!
//! Who may have it: the session's `mac` where one is configured, and nobody else gets as much as an answer. Without
//! one, whoever asks last. The line identifies the subscriber (TR-101, section 3.1), and a home gateway that was
//! replaced must get on line at once rather than when its predecessor's lease ends. Only a client that starts
//! (SELECTING, INIT-REBOOT) takes a lease over; one that tries to extend a lease it has lost to another gets a NAK.

pub mod devices;
mod message;
mod options;
mod reply;

use std::{fmt, net::Ipv4Addr};

use net_types::{Mac, Vid};
use node_state::Session;

use crate::{Frame, Ipv4, PacketError, Tags, Udp};
use message::Message;
pub use message::MessageError;
use options::{MessageType, code};
use reply::Reply;

/// UDP ports (RFC 2131, section 4.1).
pub const SERVER_PORT: u16 = 67;
pub const CLIENT_PORT: u16 = 68;

/// Who holds a line's lease, and until when, in seconds of the caller's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub mac: Mac,
    pub expires_s: u64,
}

/// What a decision rests on besides the frame.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub session: &'a Session,
    /// Source address of replies: that of the access port.
    pub port_mac: Mac,
    /// The line's last binding, even one that has expired.
    pub bound: Option<Binding>,
    /// Seconds of a clock that does not go back when the node restarts.
    pub now_s: u64,
}

/// What is to be done about a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The frame to send on the port that the request came in by.
    pub reply: Option<Vec<u8>>,
    pub binding: BindingChange,
    /// The client's hardware address, if the message was sound enough to have one.
    pub client: Option<Mac>,
    pub event: Event,
}

/// What becomes of the line's binding. It is to be stored before the reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingChange {
    Keep,
    Set(Binding),
    Clear,
}

/// What happened, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Offered,
    /// `displaced` is the client that held the lease until now, if it was another one.
    Leased {
        state: ClientState,
        displaced: Option<Mac>,
    },
    Refused(Refusal),
    Informed,
    Released,
    /// The client found the address in use on its own line.
    Declined,
    Ignored(Ignored),
}

/// The state of a client that sends a REQUEST (RFC 2131, section 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    Selecting,
    InitReboot,
    Renewing,
    Rebinding,
}

/// Why a client was sent a NAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It asked for an address that is not the subscriber's.
    NotTheirs(Ipv4Addr),
    /// It would extend a lease that another client of the line holds now.
    HeldBy(Mac),
    /// So many devices of the line have leases, and it is none of them.
    DeviceLimit(u8),
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    Packet(PacketError),
    Message(MessageError),
    /// The datagram is not for port 67 of the gateway or of everyone.
    NotForServer,
    /// The frame's tags are not the session's.
    OtherTags,
    /// The session is for another hardware address.
    OtherMac,
    /// As in `Refusal`.
    DeviceLimit(u8),
    /// The client chose, or speaks to, another server.
    OtherServer,
    /// A REQUEST that says neither what it wants nor what it has.
    NoAddress,
    /// An INFORM, RELEASE or DECLINE about an address that is not the client's.
    NotTheirs(Ipv4Addr),
    /// A message that only servers and lease queriers send.
    NotAClient(u8),
}

/// Answers a client's frame. Never panics, whatever the bytes.
pub fn handle(context: &Context, frame: &[u8]) -> Outcome {
    match Request::parse(context, frame) {
        Ok(request) => request.decide(context).outcome(context, &request),
        Err(ignored) => Outcome {
            reply: None,
            binding: BindingChange::Keep,
            client: None,
            event: Event::Ignored(ignored),
        },
    }
}

/// A client's message that is for this server and this line.
struct Request<'a> {
    tags: Tags,
    /// The sender's station address, which is the relay's if there is one.
    ethernet_source: [u8; 6],
    ip_source: Ipv4Addr,
    ip_destination: Ipv4Addr,
    message: Message<'a>,
}

/// What is decided, before it is put into bytes.
struct Decision {
    reply: Option<Reply>,
    binding: BindingChange,
    event: Event,
}

impl<'a> Request<'a> {
    fn parse(context: &Context, bytes: &'a [u8]) -> Result<Self, Ignored> {
        let session = context.session;
        let frame = Frame::parse(bytes).map_err(Ignored::Packet)?;
        let ip = Ipv4::parse(&frame).map_err(Ignored::Packet)?;
        let udp = Udp::parse(&ip).map_err(Ignored::Packet)?;
        let ours = ip.destination.is_broadcast() || ip.destination == session.gateway;
        if udp.destination_port != SERVER_PORT || !ours {
            return Err(Ignored::NotForServer);
        }
        let vids = frame.tags.as_slice().iter().map(|tag| tag.vid());
        if !vids.eq(session.tags.vids().map(Vid::get)) {
            return Err(Ignored::OtherTags);
        }
        let message = Message::parse(udp.payload).map_err(Ignored::Message)?;
        if session.mac.is_some_and(|mac| mac != message.mac) {
            return Err(Ignored::OtherMac);
        }
        Ok(Self {
            tags: frame.tags,
            ethernet_source: frame.source,
            ip_source: ip.source,
            ip_destination: ip.destination,
            message,
        })
    }

    fn decide(&self, context: &Context) -> Decision {
        let server = self.message.options.address(code::SERVER_IDENTIFIER);
        if server.is_some_and(|server| server != context.session.gateway) {
            return Decision::ignore(Ignored::OtherServer);
        }
        match self.message.kind {
            MessageType::Discover => {
                Decision { reply: Some(Reply::Offer), binding: BindingChange::Keep, event: Event::Offered }
            }
            MessageType::Request => self.decide_request(context, server.is_some()),
            MessageType::Decline => self.decide_end(context, Event::Declined),
            MessageType::Release => self.decide_end(context, Event::Released),
            MessageType::Inform => self.decide_inform(context),
            MessageType::Other(other) => Decision::ignore(Ignored::NotAClient(other)),
        }
    }

    fn decide_request(&self, context: &Context, names_server: bool) -> Decision {
        let session = context.session;
        let requested = self.message.options.address(code::REQUESTED_ADDRESS);
        let ciaddr = Some(self.message.ciaddr).filter(|address| !address.is_unspecified());
        let (state, address) = match (names_server, requested, ciaddr) {
            (true, Some(address), _) | (true, None, Some(address)) => (ClientState::Selecting, address),
            (false, _, Some(address)) if self.ip_destination.is_broadcast() => {
                (ClientState::Rebinding, address)
            }
            (false, _, Some(address)) => (ClientState::Renewing, address),
            (false, Some(address), None) => (ClientState::InitReboot, address),
            (_, None, None) => return Decision::ignore(Ignored::NoAddress),
        };
        if address != session.lease.address() {
            return Decision::refuse(Refusal::NotTheirs(address));
        }
        let mac = self.message.mac;
        let holder = context.bound.filter(|bound| bound.expires_s > context.now_s).map(|bound| bound.mac);
        let displaced = holder.filter(|&holder| session.mac.is_none() && holder != mac);
        let extends = matches!(state, ClientState::Renewing | ClientState::Rebinding);
        if let Some(holder) = displaced.filter(|_| extends) {
            return Decision::refuse(Refusal::HeldBy(holder));
        }
        let expires_s = context.now_s.saturating_add(u64::from(session.lease_seconds));
        Decision {
            reply: Some(Reply::Lease),
            binding: BindingChange::Set(Binding { mac, expires_s }),
            event: Event::Leased { state, displaced },
        }
    }

    /// RELEASE and DECLINE: the end of a binding, which only its client may bring about. After a DECLINE the
    /// subscriber's one address is offered again all the same: there is no other, and the host that uses it is on
    /// the subscriber's own line.
    fn decide_end(&self, context: &Context, event: Event) -> Decision {
        let requested = self.message.options.address(code::REQUESTED_ADDRESS);
        let address = match event {
            Event::Declined => requested.unwrap_or(self.message.ciaddr),
            _ => self.message.ciaddr,
        };
        let holds = context.bound.is_some_and(|bound| bound.mac == self.message.mac);
        if address != context.session.lease.address() || !holds {
            return Decision::ignore(Ignored::NotTheirs(address));
        }
        Decision { reply: None, binding: BindingChange::Clear, event }
    }

    /// INFORM: a host that has its address from elsewhere asks for the rest.
    fn decide_inform(&self, context: &Context) -> Decision {
        // Some clients leave `ciaddr` empty and send from their address (draft-ietf-dhc-dhcpinform-clarify).
        let ciaddr = self.message.ciaddr;
        let address = if ciaddr.is_unspecified() { self.ip_source } else { ciaddr };
        if !context.session.network.contains(address) {
            return Decision::ignore(Ignored::NotTheirs(address));
        }
        Decision {
            reply: Some(Reply::Parameters { to: address }),
            binding: BindingChange::Keep,
            event: Event::Informed,
        }
    }
}

impl Decision {
    fn ignore(reason: Ignored) -> Self {
        Self { reply: None, binding: BindingChange::Keep, event: Event::Ignored(reason) }
    }

    fn refuse(reason: Refusal) -> Self {
        Self { reply: Some(Reply::Nak), binding: BindingChange::Keep, event: Event::Refused(reason) }
    }

    fn outcome(self, context: &Context, request: &Request) -> Outcome {
        Outcome {
            reply: self.reply.map(|reply| reply.frame(context, request)),
            binding: self.binding,
            client: Some(request.message.mac),
            event: self.event,
        }
    }
}

impl fmt::Display for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Selecting => "SELECTING",
            Self::InitReboot => "INIT-REBOOT",
            Self::Renewing => "RENEWING",
            Self::Rebinding => "REBINDING",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTheirs(address) => write!(f, "{address} is not the subscriber's address"),
            Self::HeldBy(mac) => write!(f, "the lease is held by {mac} now"),
            Self::DeviceLimit(limit) => write!(f, "{limit} devices have leases, which is the limit"),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(error) => error.fmt(f),
            Self::Message(error) => error.fmt(f),
            Self::NotForServer => f.write_str("it is not for this server"),
            Self::OtherTags => f.write_str("its tags are not the session's"),
            Self::OtherMac => f.write_str("the session is for another hardware address"),
            Self::DeviceLimit(limit) => Refusal::DeviceLimit(*limit).fmt(f),
            Self::OtherServer => f.write_str("the client speaks to another server"),
            Self::NoAddress => f.write_str("the request names no address"),
            Self::NotTheirs(address) => write!(f, "{address} is not the client's address"),
            Self::NotAClient(kind) => write!(f, "message type {kind} is not a client's"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offered => f.write_str("offered"),
            Self::Leased { state, displaced: None } => write!(f, "leased ({state})"),
            Self::Leased { state, displaced: Some(mac) } => {
                write!(f, "leased ({state}), taken over from {mac}")
            }
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Informed => f.write_str("informed"),
            Self::Released => f.write_str("released"),
            Self::Declined => f.write_str("declined: the address is in use on the subscriber's line"),
            Self::Ignored(ignored) => write!(f, "ignored: {ignored}"),
        }
    }
}

#[cfg(test)]
mod tests;
