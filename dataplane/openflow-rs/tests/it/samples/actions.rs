//! Flow mods with every action.

use std::collections::BTreeMap;

use openflow::{
    Action, ExperimenterId, FlowMod, GroupId, Instruction, Match, MaxLen, Message, MeterId, MplsLabel,
    PortNo, QueueId, TableId, Version,
    action::CopyField,
    nicira::{
        BundleAction, BundleAlgorithm, CheckPktLarger, CloneActions, Conjunction, Controller, Controller2,
        Ct, CtFlags, CtZone, DecTtlCntIds, DeleteField, FinTimeout, HashFields, Learn, Learn2, LearnFlags,
        LearnSource, LearnSpec, Multipath, MultipathAlgorithm, Nat, NatAddresses, NatFlags, NatPorts,
        NiciraAction, Note, OutputReg, OutputReg2, OutputTrunc, RegLoad, RegLoad2, RegMove, Resubmit,
        ResubmitTable, Sample, SetTunnel, SetTunnel64, Stack, Subfield, WriteMetadata,
    },
    oxm::{Oxm, OxmId, Prerequisite, TunMetadata, fields},
};

use super::{Add, flows::prerequisites};

pub(super) fn add(version: Version, add: &mut Add<'_>) {
    let mut actions = actions();
    if version >= Version::V1_5 {
        let from = Subfield::of(fields::REG0, 0, 16).expect("within");
        let to = Subfield::of(fields::REG1, 16, 16).expect("within");
        actions.push(("", Action::CopyField(CopyField { from, to })));
        actions.push(("", Action::Meter(MeterId(9))));
    }
    if version >= Version::V1_5 {
        // OpenFlow 1.5 has better ones, and Open vSwitch these no more.
        actions.retain(|(_, action)| {
            !matches!(
                action,
                Action::Nicira(
                    NiciraAction::RegMove(_) | NiciraAction::RegLoad(_) | NiciraAction::RegLoad2(_)
                )
            )
        });
    }
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for (prerequisites, action) in actions {
        let debug = format!("{action:?}");
        let variant = debug.trim_start_matches("Nicira(").split(['(', ' ', ')']).next().unwrap_or_default();
        let count = names.entry(variant.to_owned()).or_default();
        *count += 1;
        let name = format!("{variant} {count}");
        let matching = prerequisites_of_action(prerequisites);
        let instructions = vec![Instruction::ApplyActions(vec![action])];
        add(
            &format!("action/{name}"),
            Message::FlowMod(FlowMod { matching, instructions, ..FlowMod::default() }),
        );
    }
}

fn prerequisites_of_action(of: &str) -> Match {
    prerequisites(match of {
        "ct" => Prerequisite::CtIpv4,
        "ip" => Prerequisite::Ip,
        "mpls" => Prerequisite::Mpls,
        "tcp" => Prerequisite::Tcp,
        "vlan" => Prerequisite::Vlan,
        _ => Prerequisite::Nothing,
    })
}

/// Actions, with what they need of a match.
fn actions() -> Vec<(&'static str, Action)> {
    let field = |offset, bits| Subfield::of(fields::REG0, offset, bits).expect("within");
    let label = MplsLabel::new(17).expect("legal");
    let mut actions = vec![
        ("", Action::output(PortNo(1))),
        ("", Action::Output { port: PortNo::CONTROLLER, max_len: MaxLen(128) }),
        ("", Action::CopyTtlOut),
        ("", Action::CopyTtlIn),
        ("mpls", Action::SetMplsTtl(64)),
        ("mpls", Action::DecMplsTtl),
        ("", Action::PushVlan(0x88a8)),
        ("vlan", Action::PopVlan),
        ("", Action::PushMpls(0x8847)),
        ("mpls", Action::PopMpls(0x0800)),
        ("", Action::SetQueue(QueueId(2))),
        ("", Action::Group(GroupId(7))),
        ("ip", Action::SetNwTtl(64)),
        ("ip", Action::DecNwTtl),
        ("", Action::set_field(fields::ETH_DST, [2, 0, 0, 0, 0, 9])),
        ("ip", Action::set_field(fields::IPV4_DST, [192, 0, 2, 1].into())),
        ("", Action::set_field(fields::TUNNEL_ID, 9)),
        ("mpls", Action::set_field(fields::MPLS_LABEL, label)),
        ("", Action::PushPbb(0x88e7)),
        ("", Action::PopPbb),
        ("", Action::Experimenter { experimenter: ExperimenterId(0x00a1_b2c3), data: vec![1; 8] }),
    ];
    let load2 = Oxm::masked(fields::REG2, 0x1200, 0xff00);
    let nicira: Vec<NiciraAction> = vec![
        Resubmit { in_port: PortNo(3) }.into(),
        ResubmitTable::to(TableId(4)).into(),
        SetTunnel { id: 9 }.into(),
        SetTunnel64 { id: 1 << 40 }.into(),
        NiciraAction::PopQueue,
        RegMove { from: field(0, 16), to: Subfield::of(fields::REG1, 16, 16).expect("within") }.into(),
        RegMove { from: Subfield::all(fields::XXREG0), to: Subfield::all(fields::XXREG1) }.into(),
        RegLoad { to: field(4, 8), value: 0x5a }.into(),
        RegLoad2(load2).into(),
        Note::new(b"who made this").into(),
        multipath(),
        NiciraAction::Bundle(bundle(None)),
        NiciraAction::BundleLoad(bundle(Some(field(0, 16)))),
        OutputReg { port: field(0, 16), max_len: MaxLen(100) }.into(),
        OutputReg2 { port: Subfield::all(fields::XREG0), max_len: MaxLen(100) }.into(),
        learn().into(),
        Learn2 { learn: limited(), limit: 100, result: Some(field(3, 1)) }.into(),
        Learn2 { learn: limited(), limit: 7, result: None }.into(),
        NiciraAction::Exit,
        Controller { max_len: MaxLen(128), controller_id: 3, reason: openflow::PacketInReason::ACTION }
            .into(),
        controller2(),
        WriteMetadata { metadata: 5, mask: 0xff }.into(),
        NiciraAction::StackPush(Stack(field(8, 8))),
        NiciraAction::StackPop(Stack(field(8, 8))),
        Sample { probability: 100, collector_set: 1, observation_domain: 2, observation_point: 3 }.into(),
        Conjunction { clause: 0, clauses: 2, id: 77 }.into(),
        OutputTrunc { port: PortNo(3), max_len: 100 }.into(),
        NiciraAction::Clone(CloneActions(vec![Action::PushVlan(0x8100), Action::output(PortNo(2))])),
        NiciraAction::CtClear,
        CheckPktLarger { len: 1500, to: field(0, 1) }.into(),
        DeleteField {
            field: OxmId::new(1, TunMetadata::new(0).expect("legal").number(), 124).expect("legal"),
        }
        .into(),
        NiciraAction::Other { subtype: 999, data: vec![1, 2, 3, 4, 5, 6] },
    ];
    actions.extend(nicira.into_iter().map(|action| ("", Action::Nicira(action))));
    let of_ip: Vec<NiciraAction> = vec![DecTtlCntIds { controllers: vec![1, 2] }.into()];
    actions.extend(of_ip.into_iter().chain(conntrack()).map(|action| ("ip", Action::Nicira(action))));
    actions.push(("ct", Action::Nicira(NiciraAction::ResubmitTableCt(ResubmitTable::to(TableId(5))))));
    actions.push(("tcp", Ct { flags: CtFlags::COMMIT, alg: 21, ..Ct::default() }.into()));
    actions.push(("tcp", FinTimeout { idle: 10, hard: 20 }.into()));
    actions
}

fn multipath() -> NiciraAction {
    Multipath {
        fields: HashFields::SYMMETRIC_L4,
        basis: 50,
        algorithm: MultipathAlgorithm::HRW,
        max_link: 3,
        arg: 0,
        to: Subfield::of(fields::REG0, 0, 8).expect("within"),
    }
    .into()
}

fn bundle(to: Option<Subfield>) -> BundleAction {
    let ports = vec![PortNo(1), PortNo(2), PortNo(3)];
    BundleAction { algorithm: BundleAlgorithm::HRW, fields: HashFields::ETH_SRC, basis: 1, to, ports }
}

fn controller2() -> NiciraAction {
    Controller2 {
        max_len: Some(MaxLen(128)),
        controller_id: Some(3),
        reason: Some(openflow::PacketInReason::ACTION),
        user_data: Some(vec![1, 2, 3, 4, 5]),
        pause: true,
        other: Vec::new(),
    }
    .into()
}

/// A switch that learns addresses, and a bit of everything else.
fn learn() -> Learn {
    let low = Subfield::of(fields::REG0, 0, 16).expect("within");
    Learn {
        idle_timeout: 10,
        hard_timeout: 20,
        priority: 100,
        cookie: 5,
        flags: LearnFlags::SEND_FLOW_REM,
        table: TableId(10),
        fin_idle_timeout: 1,
        fin_hard_timeout: 2,
        specs: vec![
            LearnSpec::Match {
                to: Subfield::all(fields::NXM_ETH_TYPE),
                from: LearnSource::Value(vec![8, 0]),
            },
            LearnSpec::same(fields::METADATA),
            LearnSpec::copied(fields::NXM_ETH_DST, fields::NXM_ETH_SRC),
            LearnSpec::Load { to: low, from: LearnSource::Value(vec![0, 7]) },
            LearnSpec::Load { to: low, from: LearnSource::field(fields::NXM_IN_PORT) },
            LearnSpec::Output { from: Subfield::all(fields::NXM_IN_PORT) },
        ],
    }
}

fn limited() -> Learn {
    Learn { table: TableId(11), specs: vec![LearnSpec::same(fields::NXM_ETH_SRC)], ..Learn::default() }
}

fn conntrack() -> Vec<NiciraAction> {
    let v4 = NatAddresses::V4 { min: [192, 0, 2, 1].into(), max: Some([192, 0, 2, 9].into()) };
    let ports = NatPorts { min: 1024, max: Some(2047) };
    let source =
        Nat { flags: NatFlags::SOURCE | NatFlags::PROTOCOL_RANDOM, addresses: Some(v4), ports: Some(ports) };
    let commit = CtFlags::COMMIT;
    let zone = CtZone::Field(Subfield::of(fields::REG0, 0, 16).expect("within"));
    let actions = vec![
        Nat::default().into(),
        Action::set_field(fields::CT_MARK, 5),
        Action::set_field(fields::CT_LABEL, 6),
    ];
    vec![
        Ct::default().into(),
        Ct { table: Some(TableId(3)), zone: CtZone::Number(9), ..Ct::default() }.into(),
        Ct { flags: commit, actions: vec![source.into()], ..Ct::default() }.into(),
        Ct { flags: commit | CtFlags::FORCE, zone, actions, ..Ct::default() }.into(),
    ]
}
