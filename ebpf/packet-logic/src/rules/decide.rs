//! The first rule that is about a flow decides; without one, what begins inside may be, and what begins outside may not.

use core::ptr::NonNull;

use map_abi::{DropReason, RULES_MAX, Rule, RuleDefaults, RulesRef, rule_bits};

use crate::{
    Tables,
    flows::{End, Ends},
    frame::opaque_number,
    home::Home,
    live::{Field, field},
};

#[inline(always)]
pub(super) fn decide<T: Tables>(
    tables: &T,
    rules: RulesRef,
    is_out: bool,
    ends: &Ends,
    is_expected: bool,
) -> Result<(), DropReason> {
    let by_default = if is_out || is_expected { Ok(()) } else { Err(DropReason::Firewall) };
    // With no rules left, there is no record.
    let Some(record) = Home::find(tables, rules.record().unit()) else { return by_default };
    let count = rules.count();
    let mut line = 0;
    for n in 1..=RULES_MAX {
        if n > count {
            break;
        }
        let Some(rule) = record.bucket(n) else { break };
        if difference(rule.cast(), is_out, ends) == 0 {
            line = n;
            break;
        }
    }
    // Of which the verifier does not know which it is, lest it follow each to the end of the program.
    let line = opaque_number(line);
    if count == 0 {
        return by_default;
    }
    let at = record.bucket(line).ok_or(DropReason::Inconsistent)?;
    if line == 0 {
        let defaults: NonNull<RuleDefaults> = at.cast();
        if is_out {
            field!(defaults, hits_out).add(1);
        } else {
            field!(defaults, hits_in).add(1);
        }
        return by_default;
    }
    let rule: NonNull<Rule> = at.cast();
    field!(rule, hits).add(1);
    if field!(rule, bits).get() & rule_bits::ALLOW != 0 { Ok(()) } else { Err(DropReason::Rule) }
}

/// 0 if the rule is about the flow. All at once, without branches: the verifier would follow each.
#[inline(always)]
fn difference(rule: NonNull<Rule>, is_out: bool, ends: &Ends) -> u64 {
    let (source, destination) =
        if is_out { (&ends.inside, &ends.remote) } else { (&ends.remote, &ends.inside) };
    let wanted = if is_out { rule_bits::OUT } else { 0 };
    let bits = field!(rule, bits).get();
    let direction = (bits ^ wanted) & rule_bits::OUT;
    // No address of IPv6 that is routed begins with so many zeros as one of IPv4.
    let upper = ends.inside.address[0];
    let is_v4 = (upper | upper.wrapping_neg()) >> 63 ^ 1;
    let family = is_v4.wrapping_neg() & u64::from(bits & rule_bits::V6);
    let protocol = (field!(rule, protocol).get() ^ ends.protocol) & field!(rule, protocol_mask).get();
    prefix(source, field!(rule, source[0]), field!(rule, source_bits[0]), 0)
        | prefix(source, field!(rule, source[1]), field!(rule, source_bits[1]), 1)
        | prefix(destination, field!(rule, destination[0]), field!(rule, destination_bits[0]), 0)
        | prefix(destination, field!(rule, destination[1]), field!(rule, destination_bits[1]), 1)
        | u64::from(beyond(source, field!(rule, source_ports[0]), field!(rule, source_ports[1])))
        | u64::from(beyond(
            destination,
            field!(rule, destination_ports[0]),
            field!(rule, destination_ports[1]),
        ))
        | u64::from(direction | protocol)
        | family
}

/// The bits of a word of an address that differ among its first `bits`.
#[inline(always)]
fn prefix(end: &End, word: Field<u64>, bits: Field<u8>, which: usize) -> u64 {
    let bits = u32::from(bits.get());
    let mask = (u64::MAX << (64_u32.wrapping_sub(bits) & 63)).to_be();
    // Shifting by 64 is shifting by 0: of no bits at all, none count.
    let is_any = u64::from((bits + 63) >> 6 & 1).wrapping_neg();
    (end.address[which] ^ word.get()) & mask & is_any
}

/// Not 0 if the port is not one from `first` to `last`. A sign bit says what a comparison would.
#[inline(always)]
fn beyond(end: &End, first: Field<u16>, last: Field<u16>) -> u32 {
    let port = u32::from(u16::from_be(end.port));
    (port.wrapping_sub(u32::from(first.get())) | u32::from(last.get()).wrapping_sub(port)) >> 31
}
