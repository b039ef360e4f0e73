//! Counters of what few frames have to do with: parental control, DHCP in the kernel, and voice.

use fastpath::Inspector;
use map_abi::{Session, dhcp_answer, dns_count};

use crate::random::{host::Host, office::LINES};

/// All lines' together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Special {
    pub(super) queries: u64,
    pub(super) blocked: u64,
    pub(super) connections_refused: u64,
    /// What is refused by parental control in any way, as lines count it.
    pub(super) refused_of_lines: u64,
    pub(super) offers: u64,
    pub(super) leases: u64,
    pub(super) voice_up: u64,
    pub(super) voice_down: u64,
}

impl Special {
    pub(super) fn on_host(host: &Host) -> Self {
        let (dns, dhcp) = (host.tables.dns_counts(), host.tables.dhcp_answers());
        let of =
            |counts: &std::collections::BTreeMap<u32, u64>, what| counts.get(&what).copied().unwrap_or(0);
        let homes = (0..LINES.len()).filter(|line| LINES[*line].is_first());
        let sessions = homes.map(|line| host.session(host.indices[line]));
        Self {
            queries: of(&dns, dns_count::QUERIES),
            blocked: of(&dns, dns_count::BLOCKED),
            connections_refused: of(&dns, dns_count::REFUSED),
            offers: of(&dhcp, dhcp_answer::OFFER),
            leases: of(&dhcp, dhcp_answer::ACK),
            ..Self::default()
        }
        .with_sessions(sessions)
    }

    pub(super) fn in_kernel(inspector: &Inspector, sessions: impl Iterator<Item = Session>) -> Self {
        let (dns, summary) = (inspector.dns().expect("counted"), inspector.summary());
        Self {
            queries: dns.queries,
            blocked: dns.blocked,
            connections_refused: dns.refused,
            offers: summary.dhcp_offers,
            leases: summary.dhcp_acks,
            ..Self::default()
        }
        .with_sessions(sessions)
    }

    fn with_sessions(mut self, sessions: impl Iterator<Item = Session>) -> Self {
        for session in sessions {
            self.refused_of_lines += session.dns_blocked;
            self.voice_up += session.voice.up_packets;
            self.voice_down += session.voice.down_packets;
        }
        self
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            queries: self.queries - before.queries,
            blocked: self.blocked - before.blocked,
            connections_refused: self.connections_refused - before.connections_refused,
            refused_of_lines: self.refused_of_lines - before.refused_of_lines,
            offers: self.offers - before.offers,
            leases: self.leases - before.leases,
            voice_up: self.voice_up - before.voice_up,
            voice_down: self.voice_down - before.voice_down,
        }
    }
}
