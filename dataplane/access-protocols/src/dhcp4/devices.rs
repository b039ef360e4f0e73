//! The DHCPv4 server of a line whose devices each have a lease of their own: a bridged home.
//!
//! Each device, by its hardware address, is answered as the only one of its line would be, with an address that is its
//! alone: the one that it had, or the next that is free. There are leases for as many devices as the session says (the MAC
//! limit of TR-101). One more is offered nothing, and what it requests is refused, until a lease ends.

mod leases;

use std::net::Ipv4Addr;

use net_types::{InterfaceAddress4, Mac};
use node_state::Session;

use super::{
    Binding, BindingChange, Decision, Event, Ignored, Refusal, Request,
    options::{MessageType, code},
};
pub use leases::Leases;

/// What a decision rests on besides the frame.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub session: &'a Session,
    /// Source address of replies: that of the access port.
    pub port_mac: Mac,
    pub leases: &'a Leases,
    /// Seconds of a clock that does not go back when the node restarts.
    pub now_s: u64,
}

/// What is to be done about a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The frame to send on the port that the request came in by.
    pub reply: Option<Vec<u8>>,
    pub change: Change,
    /// The client's hardware address, if the message was sound enough to have one.
    pub client: Option<Mac>,
    pub event: Event,
}

/// What becomes of the line's leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Keep,
    /// The address is kept for who was offered it, for a while.
    Offer {
        address: Ipv4Addr,
        mac: Mac,
    },
    /// To be stored before the reply is sent.
    Bind {
        address: Ipv4Addr,
        binding: Binding,
    },
    /// To be stored, too.
    End {
        address: Ipv4Addr,
    },
    /// As `End`; and somebody who has no lease uses the address on the line, so that others are given before it for a while.
    SetAside {
        address: Ipv4Addr,
    },
}

impl Change {
    /// Whether it is more than an offer.
    pub fn is_kept(self) -> bool {
        !matches!(self, Self::Keep | Self::Offer { .. })
    }
}

/// Answers a client's frame. Never panics, whatever the bytes.
pub fn handle(context: &Context, frame: &[u8]) -> Outcome {
    let Context { session, port_mac, leases, now_s } = *context;
    let of_line = super::Context { session, port_mac, bound: None, now_s };
    let request = match Request::parse(&of_line, frame) {
        Ok(request) => request,
        Err(ignored) => {
            return Outcome {
                reply: None,
                change: Change::Keep,
                client: None,
                event: Event::Ignored(ignored),
            };
        }
    };
    let mac = request.message.mac;
    let Some(address) = leases.address_for(session, mac, asked_for(&request), now_s) else {
        let decision = refuse(&request, session);
        return outcome(decision.outcome(&of_line, &request), Change::Keep);
    };
    // The device's own line, as it were.
    let Ok(lease) = InterfaceAddress4::new(address, session.lease.prefix_len()) else {
        return outcome(Decision::ignore(Ignored::NoAddress).outcome(&of_line, &request), Change::Keep);
    };
    let own = Session { lease, ..session.clone() };
    let bound = leases.bound(address).filter(|bound| bound.mac == mac);
    let of_device = super::Context { session: &own, port_mac, bound, now_s };
    let answered = request.decide(&of_device).outcome(&of_device, &request);
    let change = match (answered.binding, answered.event) {
        (BindingChange::Set(binding), _) => Change::Bind { address, binding },
        (BindingChange::Clear, Event::Declined) => Change::SetAside { address },
        (BindingChange::Clear, _) => Change::End { address },
        (BindingChange::Keep, Event::Offered) => Change::Offer { address, mac },
        (BindingChange::Keep, _) => Change::Keep,
    };
    outcome(answered, change)
}

fn outcome(answered: super::Outcome, change: Change) -> Outcome {
    let super::Outcome { reply, binding: _, client, event } = answered;
    Outcome { reply, change, client, event }
}

/// The address that a client would like, or has.
fn asked_for(request: &Request) -> Option<Ipv4Addr> {
    let ciaddr = Some(request.message.ciaddr).filter(|address| !address.is_unspecified());
    request.message.options.address(code::REQUESTED_ADDRESS).or(ciaddr)
}

/// For whom there is no lease. A DISCOVER is left to a server that has one (RFC 2131, section 4.3.1).
fn refuse(request: &Request, session: &Session) -> Decision {
    let server = request.message.options.address(code::SERVER_IDENTIFIER);
    match request.message.kind {
        _ if server.is_some_and(|server| server != session.gateway) => Decision::ignore(Ignored::OtherServer),
        MessageType::Request => Decision::refuse(Refusal::DeviceLimit(session.devices)),
        MessageType::Other(other) => Decision::ignore(Ignored::NotAClient(other)),
        _ => Decision::ignore(Ignored::DeviceLimit(session.devices)),
    }
}

#[cfg(test)]
mod tests;
