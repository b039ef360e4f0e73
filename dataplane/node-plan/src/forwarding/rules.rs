//! A firewall's rules as the maps hold them: a record that is written as a whole, with the counters of what stays.

use std::net::{Ipv4Addr, Ipv6Addr};

use map_abi::{LINES_PER_UNIT, Line, RULES_MAX, Rule, rule_bits, rules_capacity};
use net_types::{Name, Prefix};
use node_state::{FirewallRule, FlowDirection, NatFiltering, PortRange, RuleAction, Session};
use zerocopy::{FromBytes, IntoBytes};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("firewallRules are {0}; at most {RULES_MAX} are possible")]
    TooMany(usize),
    #[error("firewallRules: only a session with firewall has rules")]
    NoFirewall,
    #[error("natFiltering: only with a firewall for IPv4 is there anything but endpointIndependent")]
    Filtering,
    #[error("natFiltering: with firewallRules it is not addressDependent")]
    FilteringAndRules,
    #[error("firewallRules: there are two of the name {0}")]
    Twice(Name),
    #[error("firewallRules: {0} has a source and a destination of different families")]
    Families(Name),
    #[error("firewallRules: {0} has ports, but is not about TCP (6) or UDP (17)")]
    Ports(Name),
    #[error("firewallRules: {0} has ports of which the first comes after the last")]
    Order(Name),
}

/// A record of rules, ready to be written.
#[derive(Clone, Debug)]
pub struct RuleRecord {
    order: u32,
    count: u8,
    lines: Vec<Line>,
}

/// A rule in the maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRule {
    pub name: String,
    /// Flows that it was the first rule to be about.
    pub hits: u64,
}

/// The rules of a session; `None`: it has none.
pub fn rule_record(session: &Session) -> Result<Option<RuleRecord>, RuleError> {
    let rules = &session.firewall_rules;
    let filtering = session.nat_filtering;
    if filtering != NatFiltering::EndpointIndependent
        && !session.firewall.is_some_and(|firewall| firewall.ipv4)
    {
        return Err(RuleError::Filtering);
    }
    if filtering == NatFiltering::AddressDependent && !rules.is_empty() {
        return Err(RuleError::FilteringAndRules);
    }
    if rules.is_empty() {
        return Ok(None);
    }
    if session.firewall.is_none() {
        return Err(RuleError::NoFirewall);
    }
    let too_many = || RuleError::TooMany(rules.len());
    let count = u8::try_from(rules.len()).map_err(|_| too_many())?;
    let fits = |order: &u32| rules_capacity(*order) >= count.into();
    let order = (0..3).find(fits).ok_or_else(too_many)?;
    let mut lines = vec![Line::default(); (LINES_PER_UNIT << order) as usize];
    let names = rules_capacity(order) as usize + 1;
    for (n, rule) in rules.iter().enumerate() {
        if rules[..n].iter().any(|other| other.name == rule.name) {
            return Err(RuleError::Twice(rule.name.clone()));
        }
        lines[1 + n].as_mut_bytes().copy_from_slice(image(rule)?.as_bytes());
        let name = rule.name.as_str().as_bytes();
        lines[names + n].as_mut_bytes()[..name.len()].copy_from_slice(name);
    }
    Ok(Some(RuleRecord { order, count, lines }))
}

fn image(rule: &FirewallRule) -> Result<Rule, RuleError> {
    let name = || rule.name.clone();
    if let (Some(source), Some(destination)) = (rule.source, rule.destination)
        && matches!(source, Prefix::V4(_)) != matches!(destination, Prefix::V4(_))
    {
        return Err(RuleError::Families(name()));
    }
    let ranges = [rule.source_ports, rule.destination_ports];
    if ranges.iter().any(Option::is_some) && !matches!(rule.protocol, Some(6 | 17)) {
        return Err(RuleError::Ports(name()));
    }
    if ranges.into_iter().flatten().any(|range| range.first > range.last) {
        return Err(RuleError::Order(name()));
    }
    let is_v6 = [rule.source, rule.destination].iter().any(|prefix| matches!(prefix, Some(Prefix::V6(_))));
    let family = if is_v6 { rule_bits::V6 } else { 0 };
    let (source, source_bits) = words(rule.source);
    let (destination, destination_bits) = words(rule.destination);
    let allow = if rule.action == RuleAction::Allow { rule_bits::ALLOW } else { 0 };
    let out = if rule.direction == FlowDirection::Out { rule_bits::OUT } else { 0 };
    Ok(Rule {
        source,
        destination,
        source_bits,
        destination_bits,
        protocol: rule.protocol.unwrap_or(0),
        protocol_mask: if rule.protocol.is_some() { u8::MAX } else { 0 },
        bits: allow | out | family,
        source_ports: ports(rule.source_ports),
        destination_ports: ports(rule.destination_ports),
        ..Rule::default()
    })
}

/// A prefix in words as they lie in a packet, and how many bits of each count.
fn words(prefix: Option<Prefix>) -> ([u64; 2], [u8; 2]) {
    let mapped = |address: Ipv4Addr| address.to_ipv6_mapped();
    let (address, len): (Ipv6Addr, u8) = match prefix {
        None => return Default::default(),
        Some(Prefix::V4(prefix)) => (mapped(prefix.network()), 96 + prefix.len()),
        Some(Prefix::V6(prefix)) => (prefix.network(), prefix.len()),
    };
    (zerocopy::transmute!(address.octets()), [len.min(64), len.saturating_sub(64)])
}

fn ports(range: Option<PortRange>) -> [u16; 2] {
    range.map_or([0, u16::MAX], |range| [range.first, range.last])
}

/// The word of a rule that the kernel counts in.
const HITS: usize = std::mem::offset_of!(Rule, hits) / 8;

impl RuleRecord {
    /// The binary logarithm of the units that it needs.
    pub fn order(&self) -> u32 {
        self.order
    }

    pub fn count(&self) -> u8 {
        self.count
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether these are the same rules, whatever they have counted.
    pub fn is_in(&self, held: &[Line]) -> bool {
        let without_hits = |line: &Line| {
            let mut words = line.words;
            words[HITS] = 0;
            words
        };
        let count = usize::from(self.count);
        let names = rules_capacity(self.order) as usize + 1;
        held.len() == self.lines.len()
            && (1..=count).all(|n| without_hits(&held[n]) == without_hits(&self.lines[n]))
            // Those of rules that there are no more included.
            && held[count + 1..names].iter().all(|line| *line == Line::default())
            && held[names..] == self.lines[names..]
    }

    /// Takes over what rules of the same name have counted, and what no rule was about.
    pub fn count_on(&mut self, held: &[Line]) {
        let Some(defaults) = held.first() else { return };
        self.lines[0] = *defaults;
        let held = held_rules(held);
        let names = rules_capacity(self.order) as usize + 1;
        for n in 0..usize::from(self.count) {
            let name = name_in(&self.lines[names + n]);
            if let Some(same) = held.iter().find(|rule| rule.name == name) {
                self.lines[1 + n].words[HITS] = same.hits;
            }
        }
    }
}

/// The rules in a record, in order.
pub fn held_rules(lines: &[Line]) -> Vec<HeldRule> {
    let (rules, names) = lines.split_at(lines.len() / 2);
    let held = rules.iter().skip(1).zip(names).filter(|(_, name)| **name != Line::default());
    held.map(|(rule, name)| HeldRule {
        name: name_in(name),
        hits: Rule::read_from_bytes(rule.as_bytes()).map_or(0, |rule| rule.hits),
    })
    .collect()
}

fn name_in(line: &Line) -> String {
    let bytes = line.as_bytes();
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}
