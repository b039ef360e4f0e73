use std::net::{Ipv4Addr, Ipv6Addr};

use openflow::{
    Action, Instruction, PacketInReason, PortNo, RawProperty, Version,
    action::CopyField,
    nicira::{
        BundleAction, BundleAlgorithm, CheckPktLarger, CloneActions, Conjunction, Controller, Controller2,
        Ct, CtFlags, CtZone, DecTtlCntIds, DeleteField, FinTimeout, HashFields, Learn, Learn2, LearnFlags,
        LearnSource, LearnSpec, Multipath, MultipathAlgorithm, Nat, NatAddresses, NatFlags, NatPorts,
        NiciraAction, Note, OutputReg, OutputReg2, OutputTrunc, RegLoad, RegLoad2, RegMove, Resubmit,
        ResubmitTable, Sample, SetTunnel, SetTunnel64, Stack, Subfield, WriteMetadata,
    },
    oxm::{OxmId, fields},
};

use super::{Entropy, Make, enumerations, fields::as_many_bits, flag_sets, numbers, structures};

numbers!(PacketInReason HashFields BundleAlgorithm MultipathAlgorithm RegLoad2 Stack);
flag_sets!(CtFlags NatFlags LearnFlags);
structures! {
    SetTunnel { id }
    SetTunnel64 { id }
    WriteMetadata { metadata, mask }
    FinTimeout { idle, hard }
    Sample { probability, collector_set, observation_domain, observation_point }
    Conjunction { clause, clauses, id }
    DecTtlCntIds { controllers }
    RegLoad { to, value }
    OutputReg { port, max_len }
    OutputReg2 { port, max_len }
    Multipath { fields, basis, algorithm, max_link, arg, to }
    Controller { max_len, controller_id, reason }
    Controller2 { max_len, controller_id, reason, user_data, pause, other }
    Nat { flags, addresses, ports }
    NatPorts { min, max }
}

/// A port that OpenFlow 1.0 has too.
fn old_port(entropy: &mut Entropy<'_>) -> PortNo {
    let port = u32::from(u16::make(entropy));
    PortNo(if port < 0xff00 { port } else { 0xffff_0000 | port })
}

impl Make for RawProperty {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self { kind: 0x7000, body: Make::make(entropy) }
    }
}

impl Make for NatAddresses {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        if bool::make(entropy) {
            let max = Option::<u32>::make(entropy).map(Ipv4Addr::from);
            return Self::V4 { min: u32::make(entropy).into(), max };
        }
        let max = Option::<u128>::make(entropy).map(Ipv6Addr::from);
        Self::V6 { min: u128::make(entropy).into(), max }
    }
}

enumerations! {
    CtZone { |e| Self::Number(Make::make(e)), |e| Self::Field(Make::make(e)) }
    LearnSpec {
        |e| { let to = Make::make(e); Self::Match { to, from: source(&to, e) } },
        |e| { let to = Make::make(e); Self::Load { to, from: source(&to, e) } },
        |e| Self::Output { from: Make::make(e) },
    }
    Action {
        |e| Self::Output { port: Make::make(e), max_len: Make::make(e) },
        |_| Self::CopyTtlOut,
        |_| Self::CopyTtlIn,
        |e| Self::SetMplsTtl(Make::make(e)),
        |_| Self::DecMplsTtl,
        |e| Self::PushVlan(Make::make(e)),
        |_| Self::PopVlan,
        |e| Self::PushMpls(Make::make(e)),
        |e| Self::PopMpls(Make::make(e)),
        |e| Self::SetQueue(Make::make(e)),
        |e| Self::Group(Make::make(e)),
        |e| Self::SetNwTtl(Make::make(e)),
        |_| Self::DecNwTtl,
        |e| Self::SetField(Make::make(e)),
        |e| Self::PushPbb(Make::make(e)),
        |_| Self::PopPbb,
        |e| Self::Experimenter { experimenter: openflow::ExperimenterId(9), data: e.bytes(16) },
        |e| Self::Other { kind: 0x7000, data: e.bytes(4) },
        since_1_5,
        |e| Self::Nicira(Make::make(e)),
        |e| Self::Nicira(Make::make(e)),
        |e| Self::Nicira(Make::make(e)),
    }
    NiciraAction {
        |e| Resubmit { in_port: old_port(e) }.into(),
        |e| Self::SetTunnel(Make::make(e)),
        |_| Self::PopQueue,
        |e| { let from = Make::make(e); RegMove { from, to: as_many_bits(&from) }.into() },
        |e| Self::RegLoad(Make::make(e)),
        |e| Note::new(&Vec::make(e)).into(),
        |e| Self::SetTunnel64(Make::make(e)),
        |e| Self::Multipath(Make::make(e)),
        |e| Self::Bundle(bundle(None, e)),
        |e| Self::BundleLoad(bundle(Some(Make::make(e)), e)),
        |e| Self::ResubmitTable(resubmit(e)),
        |e| Self::OutputReg(Make::make(e)),
        |e| Self::Learn(learn(e)),
        |e| Self::Learn2(learn2(e)),
        |_| Self::Exit,
        |e| Self::FinTimeout(Make::make(e)),
        |e| Self::Controller(Make::make(e)),
        |e| Self::DecTtlCntIds(Make::make(e)),
        |e| Self::WriteMetadata(Make::make(e)),
        |e| Self::StackPush(Make::make(e)),
        |e| Self::StackPop(Make::make(e)),
        |e| Self::Sample(Make::make(e)),
        |e| Self::OutputReg2(Make::make(e)),
        |e| Self::RegLoad2(Make::make(e)),
        |e| Self::Conjunction(Make::make(e)),
        |e| Self::Ct(ct(e)),
        |e| Self::Nat(Make::make(e)),
        |e| Self::Controller2(Make::make(e)),
        |e| Self::OutputTrunc(OutputTrunc { port: old_port(e), max_len: Make::make(e) }),
        |e| Self::Clone(CloneActions(nested(e))),
        |_| Self::CtClear,
        |e| Self::ResubmitTableCt(resubmit(e)),
        |e| CheckPktLarger { len: Make::make(e), to: Subfield::of(fields::REG1, 7, 1).expect("within") }.into(),
        |e| DeleteField { field: OxmId::make(e) }.into(),
        |e| Self::Other { subtype: 999, data: e.bytes(14) },
    }
    Instruction {
        |e| Self::GotoTable(Make::make(e)),
        |e| Self::WriteMetadata { metadata: Make::make(e), mask: Make::make(e) },
        |e| Self::WriteActions(Make::make(e)),
        |e| Self::ApplyActions(Make::make(e)),
        |_| Self::ClearActions,
        |e| Self::Meter(Make::make(e)),
        |e| Self::Experimenter { experimenter: Make::make(e), data: Make::make(e) },
        |e| Self::Other { kind: 0x7000, data: Make::make(e) },
    }
}

fn since_1_5(entropy: &mut Entropy<'_>) -> Action {
    if entropy.version < Version::V1_5 {
        return Action::DecNwTtl;
    }
    let from = Make::make(entropy);
    let copy = CopyField { from, to: as_many_bits(&from) };
    if bool::make(entropy) { Action::CopyField(copy) } else { Action::Meter(Make::make(entropy)) }
}

/// Of as many bits.
fn source(to: &Subfield, entropy: &mut Entropy<'_>) -> LearnSource {
    if bool::make(entropy) {
        return LearnSource::Value(entropy.bytes(usize::from(to.bits()).div_ceil(16) * 2));
    }
    LearnSource::Field { field: fields::XXREG1.id(), offset: Make::make(entropy) }
}

fn learn(entropy: &mut Entropy<'_>) -> Learn {
    Learn {
        idle_timeout: Make::make(entropy),
        hard_timeout: Make::make(entropy),
        priority: Make::make(entropy),
        cookie: Make::make(entropy),
        flags: Make::make(entropy),
        table: Make::make(entropy),
        fin_idle_timeout: Make::make(entropy),
        fin_hard_timeout: Make::make(entropy),
        specs: Make::make(entropy),
    }
}

fn learn2(entropy: &mut Entropy<'_>) -> Learn2 {
    let mut learn = learn(entropy);
    // That a result is written is not said by the flags.
    learn.flags.remove(LearnFlags::from_bits_retain(4));
    let result = bool::make(entropy).then(|| Subfield::of(fields::REG1, 7, 1).expect("within"));
    Learn2 { learn, limit: Make::make(entropy), result }
}

fn resubmit(entropy: &mut Entropy<'_>) -> ResubmitTable {
    ResubmitTable { in_port: old_port(entropy), table: Make::make(entropy) }
}

fn bundle(to: Option<Subfield>, entropy: &mut Entropy<'_>) -> BundleAction {
    BundleAction {
        algorithm: Make::make(entropy),
        fields: Make::make(entropy),
        basis: Make::make(entropy),
        to,
        ports: (0..entropy.below(5)).map(|_| old_port(entropy)).collect(),
    }
}

fn ct(entropy: &mut Entropy<'_>) -> Ct {
    Ct {
        flags: Make::make(entropy),
        zone: Make::make(entropy),
        table: Option::<openflow::TableId>::make(entropy).filter(|table| table.0 != 0xff),
        alg: Make::make(entropy),
        actions: nested(entropy),
    }
}

fn nested(entropy: &mut Entropy<'_>) -> Vec<Action> {
    if entropy.depth == 0 {
        return Vec::new();
    }
    entropy.depth -= 1;
    let actions = Make::make(entropy);
    entropy.depth += 1;
    actions
}
