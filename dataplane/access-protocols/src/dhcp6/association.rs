//! Identity associations: what a client asks for by a number of its own, and what it is told (RFC 8415, section 12).

use std::net::Ipv6Addr;

use node_state::Ipv6Line;

use super::{
    MessageError,
    options::{OptionWriter, Options, Status, address, code},
};

/// Lifetimes that never end (RFC 8415, section 7.7).
pub(super) const INFINITY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For addresses: `IA_NA`.
    Address,
    /// For temporary addresses: `IA_TA`. The office has none.
    Temporary,
    /// For prefixes: `IA_PD`.
    Prefix,
}

/// What is leased in an association. A prefix is as the client wrote it, so it can have host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    Address(Ipv6Addr),
    Prefix(Ipv6Addr, u8),
}

/// An association as a client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) kind: Kind,
    pub(super) iaid: u32,
    /// What the client has, or wishes for.
    pub(super) named: Vec<Lease>,
}

impl Association {
    /// The option as an association; `None` if it is something else.
    pub(super) fn parse(code: u16, data: &[u8]) -> Option<Result<Self, MessageError>> {
        let (kind, times_len) = match code {
            code::IA_NA => (Kind::Address, 8),
            code::IA_TA => (Kind::Temporary, 0),
            code::IA_PD => (Kind::Prefix, 8),
            _ => return None,
        };
        let parse = || {
            let (&iaid, rest) = data.split_first_chunk().ok_or(MessageError::Association)?;
            let options = Options::parse(rest.get(times_len..).ok_or(MessageError::Association)?)?;
            let leases = options.iter().filter_map(|(code, data)| Lease::parse(kind, code, data));
            Ok(Self { kind, iaid: u32::from_be_bytes(iaid), named: leases.collect::<Result<_, _>>()? })
        };
        Some(parse())
    }

    /// Of a client that has nothing to have.
    pub(super) fn unavailable(&self) -> Status {
        match self.kind {
            Kind::Address | Kind::Temporary => Status::NoAddrsAvail,
            Kind::Prefix => Status::NoPrefixAvail,
        }
    }
}

impl Kind {
    /// What the line has to lease.
    pub(super) fn lease(self, line: &Ipv6Line) -> Option<Lease> {
        match self {
            Self::Address => line.address.map(Lease::Address),
            Self::Temporary => None,
            Self::Prefix => line.delegated.map(|prefix| Lease::Prefix(prefix.network(), prefix.len())),
        }
    }
}

impl Lease {
    fn parse(kind: Kind, code: u16, data: &[u8]) -> Option<Result<Self, MessageError>> {
        let lease = match (kind, code) {
            // The address comes first, and times (8 bytes) behind it (RFC 8415, section 21.6).
            (Kind::Address | Kind::Temporary, code::IA_ADDRESS) => {
                address(data).filter(|(_, rest)| rest.len() >= 8).map(|(address, _)| Self::Address(address))
            }
            // Times, length, prefix (RFC 8415, section 21.22).
            (Kind::Prefix, code::IA_PREFIX) => data.get(8..).and_then(|rest| {
                let (&len, rest) = rest.split_first()?;
                address(rest).filter(|_| len <= 128).map(|(network, _)| Self::Prefix(network, len))
            }),
            _ => return None,
        };
        Some(lease.ok_or(MessageError::Association))
    }

    fn write(self, writer: &mut OptionWriter, preferred_s: u32, valid_s: u32) {
        let times = [preferred_s.to_be_bytes(), valid_s.to_be_bytes()].concat();
        match self {
            Self::Address(address) => writer.put(code::IA_ADDRESS, &[&address.octets()[..], &times].concat()),
            Self::Prefix(network, len) => {
                writer.put(code::IA_PREFIX, &[&times[..], &[len], &network.octets()].concat())
            }
        };
    }
}

/// What a client is told about one of its associations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) kind: Kind,
    pub(super) iaid: u32,
    /// It has this.
    pub(super) lease: Option<Lease>,
    /// It has this no longer.
    pub(super) stale: Vec<Lease>,
    pub(super) status: Option<Status>,
}

impl Told {
    pub(super) fn new(association: &Association) -> Self {
        Self { kind: association.kind, iaid: association.iaid, lease: None, stale: vec![], status: None }
    }

    /// Writes the option, if there is room for it.
    pub(super) fn write(&self, writer: &mut OptionWriter, line: &Ipv6Line) {
        let (code, has_times) = match self.kind {
            Kind::Address => (code::IA_NA, true),
            Kind::Temporary => (code::IA_TA, false),
            Kind::Prefix => (code::IA_PD, true),
        };
        let valid_s = line.valid_seconds;
        let preferred_s = line.preferred_seconds.min(valid_s);
        let mut data = self.iaid.to_be_bytes().to_vec();
        if has_times {
            // Half, and four fifths (RFC 8415, section 21.4); what is not leased is not renewed.
            let (renew_s, rebind_s) = match (self.lease, preferred_s) {
                (None, _) => (0, 0),
                (Some(_), INFINITY) => (INFINITY, INFINITY),
                (Some(_), _) => (preferred_s / 2, preferred_s - preferred_s / 5),
            };
            data.extend_from_slice(&renew_s.to_be_bytes());
            data.extend_from_slice(&rebind_s.to_be_bytes());
        }
        let mut options = OptionWriter::new(usize::from(u16::MAX));
        if let Some(lease) = self.lease {
            lease.write(&mut options, preferred_s, valid_s);
        }
        for stale in &self.stale {
            stale.write(&mut options, 0, 0);
        }
        if let Some(status) = self.status {
            options.put_status(status);
        }
        data.extend(options.finish());
        writer.put(code, &data);
    }
}
