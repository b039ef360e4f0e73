//! What a message brings about, before it is put into bytes (RFC 8415, sections 16 and 18.3).

use std::{ptr, slice};

use super::{
    Binding, BindingChange, Bindings, Context, Duid, Event, Exchange, Ignored, Refusal, Request,
    association::{Association, INFINITY, Kind, Lease, Told},
    message::MessageType,
    options::{Status, code},
    reply::{self, Reply},
};

/// Of so many addresses or prefixes in one association is a client told that it has them no longer. It has had no more
/// than the line was renumbered within a lease's time, and what it has now must fit into the reply beside them.
const STALE_MAX: usize = 8;

pub(super) struct Decision {
    pub(super) reply: Reply,
    pub(super) bindings: BindingChange,
    pub(super) event: Event,
}

impl Request<'_> {
    pub(super) fn decide(&self, context: &Context) -> Result<Decision, Ignored> {
        self.check_server(context)?;
        let client = || self.message.client.as_ref().ok_or(Ignored::NoClient);
        let ledger = || Ok(Ledger { context, request: self, client: client()? });
        let rapid = self.message.options.first(code::RAPID_COMMIT).is_some();
        match self.message.kind {
            MessageType::Solicit if rapid => Ok(ledger()?.lease(Exchange::RapidCommit)),
            MessageType::Solicit => Ok(ledger()?.advertise()),
            MessageType::Request => Ok(ledger()?.lease(Exchange::Request)),
            MessageType::Renew => Ok(ledger()?.lease(Exchange::Renew)),
            MessageType::Rebind => Ok(ledger()?.lease(Exchange::Rebind)),
            MessageType::Confirm => ledger()?.confirm(),
            MessageType::Release => Ok(ledger()?.end(&[Kind::Address, Kind::Prefix], Event::Released)),
            // A prefix cannot be declined (RFC 8415, section 18.2.8).
            MessageType::Decline => Ok(ledger()?.end(&[Kind::Address], Event::Declined)),
            MessageType::InformationRequest if !self.message.associations.is_empty() => {
                Err(Ignored::Associations)
            }
            MessageType::InformationRequest => Ok(Decision {
                reply: Reply { kind: reply::Kind::Reply, status: None, associations: vec![] },
                bindings: BindingChange::Keep,
                event: Event::Informed,
            }),
            MessageType::Other(other) => Err(Ignored::NotAClient(other)),
        }
    }

    /// Which messages name the server, which may, and which must not (RFC 8415, section 16).
    fn check_server(&self, context: &Context) -> Result<(), Ignored> {
        let named = self.message.server;
        match self.message.kind {
            MessageType::Solicit | MessageType::Confirm | MessageType::Rebind if named.is_some() => {
                return Err(Ignored::NamesServer);
            }
            MessageType::Request | MessageType::Renew | MessageType::Release | MessageType::Decline
                if named.is_none() =>
            {
                return Err(Ignored::NoServer);
            }
            _ => {}
        }
        let ours = Duid::link_layer(context.port_mac);
        if named.is_some_and(|named| named != ours.as_bytes()) {
            return Err(Ignored::OtherServer);
        }
        Ok(())
    }
}

/// What a client asks for, beside who holds what.
struct Ledger<'a> {
    context: &'a Context<'a>,
    request: &'a Request<'a>,
    client: &'a Duid,
}

impl<'a> Ledger<'a> {
    /// What would be leased. Whoever holds it now: this client may be there to take over.
    fn advertise(&self) -> Decision {
        let told: Vec<_> = self.associations().map(|association| self.offer(association)).collect();
        let has_any = told.is_empty() || told.iter().any(|told| told.lease.is_some());
        let event = if has_any { Event::Advertised } else { Event::Refused(Refusal::Unavailable) };
        let reply = Reply { kind: reply::Kind::Advertise, status: None, associations: told };
        Decision { reply, bindings: BindingChange::Keep, event }
    }

    fn lease(&self, exchange: Exchange) -> Decision {
        let starts = matches!(exchange, Exchange::RapidCommit | Exchange::Request);
        let mut bindings = self.context.bound.clone();
        let (mut displaced, mut refusal) = (None, Refusal::Unavailable);
        let mut associations = Vec::new();
        for association in self.associations() {
            let other = self.other_holder(association);
            let told = match other {
                Some(holder) if !starts && self.is_chosen(association) => {
                    refusal = Refusal::HeldBy(holder.clone());
                    Told { status: Some(Status::NoBinding), ..Told::new(association) }
                }
                _ if starts => self.offer(association),
                _ => self.extend(association),
            };
            if told.status == Some(Status::NotOnLink) {
                refusal = Refusal::NotOnLink;
            }
            if let Some(lease) = told.lease {
                displaced = displaced.or_else(|| other.filter(|other| *other != self.client).cloned());
                *bindings.of_mut(lease) = Some(self.binding(association));
            }
            associations.push(told);
        }
        let has = |kind| associations.iter().any(|told| told.kind == kind && told.lease.is_some());
        let (address, prefix) = (has(Kind::Address), has(Kind::Prefix));
        let leased = address || prefix;
        let kind =
            if exchange == Exchange::RapidCommit { reply::Kind::RapidReply } else { reply::Kind::Reply };
        Decision {
            reply: Reply { kind, status: None, associations },
            bindings: if leased { BindingChange::Set(bindings) } else { BindingChange::Keep },
            event: if leased {
                Event::Leased { exchange, address, prefix, displaced }
            } else {
                Event::Refused(refusal)
            },
        }
    }

    /// Whether a client that comes back to a link finds its address good there (RFC 8415, section 18.3.3). Another
    /// address of the link is not, nor is one that another client took over: as nothing else is leased here, the client
    /// does best to start again.
    fn confirm(&self) -> Result<Decision, Ignored> {
        let ours = Kind::Address.lease(self.request.line);
        let (mut any, mut good) = (false, true);
        let addresses =
            |association: &&Association| association.kind != Kind::Prefix && !association.named.is_empty();
        for association in self.associations().filter(addresses) {
            any = true;
            good &= association.named.iter().all(|&lease| Some(lease) == ours);
            good &= self.other_client(association).is_none();
        }
        if !any {
            return Err(Ignored::Associations);
        }
        let (status, event) = if good {
            (Status::Success, Event::Confirmed)
        } else {
            (Status::NotOnLink, Event::Refused(Refusal::NotOnLink))
        };
        let reply = Reply { kind: reply::Kind::Reply, status: Some(status), associations: vec![] };
        Ok(Decision { reply, bindings: BindingChange::Keep, event })
    }

    /// Release and Decline: the end of a binding, which only its client may bring about. After a Decline the
    /// subscriber's one address is offered again all the same, as in DHCPv4.
    fn end(&self, kinds: &[Kind], event: Event) -> Decision {
        let mut bindings = self.context.bound.clone();
        let mut associations = Vec::new();
        for association in self.associations() {
            let lease = association.kind.lease(self.request.line);
            let lease = lease.filter(|lease| association.named.contains(lease));
            let binds =
                |binding: &Binding| binding.client == *self.client && binding.iaid == association.iaid;
            let held = lease
                .filter(|&lease| kinds.contains(&association.kind) && bindings.of(lease).is_some_and(binds));
            match held {
                Some(lease) => *bindings.of_mut(lease) = None,
                None => associations.push(Told { status: Some(Status::NoBinding), ..Told::new(association) }),
            }
        }
        let changed = bindings != *self.context.bound;
        Decision {
            reply: Reply { kind: reply::Kind::Reply, status: Some(Status::Success), associations },
            bindings: if changed { BindingChange::Set(bindings) } else { BindingChange::Keep },
            event: if changed { event } else { Event::Refused(Refusal::NoBinding) },
        }
    }

    /// What a client that starts is given.
    fn offer(&self, association: &Association) -> Told {
        let told = Told::new(association);
        let Some(lease) = self.available(association) else {
            return Told { status: Some(association.unavailable()), ..told };
        };
        // RFC 8415, section 18.3.2. A wish in a Solicit is no more than a wish.
        let strange = |lease: &Lease| match lease {
            Lease::Address(address) => !self.request.line.link.contains(*address),
            Lease::Prefix(..) => false,
        };
        if self.request.message.kind == MessageType::Request && association.named.iter().any(strange) {
            return Told { status: Some(Status::NotOnLink), ..told };
        }
        Told { lease: Some(lease), ..told }
    }

    /// What a client that had something before is given, and what is no longer its own (RFC 8415, sections 18.3.4 and
    /// 18.3.5). A binding that the office has lost is made anew.
    fn extend(&self, association: &Association) -> Told {
        let lease = self.available(association);
        let stale = association.named.iter().copied().filter(|&named| Some(named) != lease);
        Told {
            lease,
            stale: stale.take(STALE_MAX).collect(),
            status: lease.is_none().then(|| association.unavailable()),
            ..Told::new(association)
        }
    }

    fn associations(&self) -> slice::Iter<'a, Association> {
        self.request.message.associations.iter()
    }

    /// What there is for an association.
    fn available(&self, association: &Association) -> Option<Lease> {
        association.kind.lease(self.request.line).filter(|_| self.is_chosen(association))
    }

    /// Whether, of the client's associations of this kind, it is this one that can be given something: the one that has
    /// the lease already, or else the first.
    fn is_chosen(&self, association: &Association) -> bool {
        let mut same = self.associations().filter(|other| other.kind == association.kind);
        let has = |other: &&Association| {
            self.live(other.kind)
                .is_some_and(|bound| bound.client == *self.client && bound.iaid == other.iaid)
        };
        let chosen = same.clone().find(has).or_else(|| same.next());
        chosen.is_some_and(|chosen| ptr::eq(chosen, association))
    }

    /// Who holds what the association is about, if it is not this association of this client.
    fn other_holder(&self, association: &Association) -> Option<&'a Duid> {
        let bound = self.live(association.kind)?;
        let same = bound.client == *self.client && bound.iaid == association.iaid;
        (!same && self.context.session.mac.is_none()).then_some(&bound.client)
    }

    fn other_client(&self, association: &Association) -> Option<&'a Duid> {
        self.other_holder(association).filter(|holder| *holder != self.client)
    }

    /// The binding that runs, of what associations of this kind are about.
    fn live(&self, kind: Kind) -> Option<&'a Binding> {
        let bound = self.context.bound.of(kind.lease(self.request.line)?);
        bound.filter(|bound| bound.is_live(self.context.now_s))
    }

    fn binding(&self, association: &Association) -> Binding {
        let expires_s = match self.request.line.valid_seconds {
            INFINITY => u64::MAX,
            valid_s => self.context.now_s.saturating_add(valid_s.into()),
        };
        Binding { client: self.client.clone(), iaid: association.iaid, mac: self.request.mac, expires_s }
    }
}

impl Bindings {
    fn of(&self, lease: Lease) -> Option<&Binding> {
        match lease {
            Lease::Address(_) => self.address.as_ref(),
            Lease::Prefix(..) => self.prefix.as_ref(),
        }
    }

    fn of_mut(&mut self, lease: Lease) -> &mut Option<Binding> {
        match lease {
            Lease::Address(_) => &mut self.address,
            Lease::Prefix(..) => &mut self.prefix,
        }
    }
}
