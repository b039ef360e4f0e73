//! Flow mods: every command, every field and every instruction.

use openflow::{
    Action, BufferId, ExperimenterId, FlowMod, FlowModCommand, FlowModFlags, GroupId, Instruction, Match,
    Message, MeterId, PortNo, TableId, Version, VlanVid,
    oxm::{CtState, FieldInfo, OxmId, Prerequisite, TunMetadata, fields},
};

use super::Add;

pub(super) fn add(version: Version, add: &mut Add<'_>) {
    for command in FlowModCommand::ALL.iter().copied() {
        let flow = FlowMod { command, table: TableId(1), priority: 100, ..FlowMod::default() };
        add(&format!("flow mod/{command:?}"), Message::FlowMod(flow));
    }
    add("flow mod/all", Message::FlowMod(whole(version)));
    for info in fields::ALL {
        for masked in [false, true] {
            if info.maskable || !masked {
                let name = format!("field/{:04x}/{}/{masked}", info.class, info.name);
                let flow = FlowMod {
                    matching: of_field(info, masked, prerequisites(info.prerequisite)),
                    ..FlowMod::default()
                };
                add(&name, Message::FlowMod(flow));
            }
        }
    }
    for (name, matching) in matches() {
        add(&format!("match/{name}"), Message::FlowMod(FlowMod { matching, ..FlowMod::default() }));
    }
    for (number, instruction) in instructions(version).into_iter().enumerate() {
        let flow = FlowMod { instructions: vec![instruction], ..FlowMod::default() };
        add(&format!("instruction/{number}"), Message::FlowMod(flow));
    }
}

fn whole(version: Version) -> FlowMod {
    FlowMod {
        cookie: 0x0102_0304_0506_0708,
        cookie_mask: u64::MAX,
        table: TableId(3),
        command: FlowModCommand::Modify,
        idle_timeout: 10,
        hard_timeout: 20,
        priority: 100,
        buffer: BufferId(9),
        out_port: PortNo(4),
        out_group: GroupId(5),
        flags: FlowModFlags::SEND_FLOW_REM | FlowModFlags::RESET_COUNTS,
        importance: if version < Version::V1_4 { 0 } else { 7 },
        matching: Match::new().in_port(PortNo(1)),
        instructions: vec![Instruction::GotoTable(TableId(4))],
    }
}

/// What must be said before a field.
pub(super) fn prerequisites(of: Prerequisite) -> Match {
    let all = Match::new();
    let ipv6 = || Match::new().eth_type(0x86dd);
    match of {
        Prerequisite::Nothing => all,
        Prerequisite::InPort => all.in_port(PortNo(1)),
        Prerequisite::Vlan => all.vlan_vid(VlanVid::new(5).expect("legal")),
        Prerequisite::Ip | Prerequisite::Ipv4 => all.eth_type(0x0800),
        Prerequisite::Ipv6 => ipv6(),
        Prerequisite::Arp => all.eth_type(0x0806),
        Prerequisite::Mpls => all.eth_type(0x8847),
        Prerequisite::Pbb => all.eth_type(0x88e7),
        Prerequisite::Nsh => all.eth_type(0x894f),
        Prerequisite::Ct => connection(all),
        Prerequisite::CtIpv4 => connection(all.eth_type(0x0800)),
        Prerequisite::CtIpv6 => connection(ipv6()),
        Prerequisite::CtPorts => connection(all.eth_type(0x0800)).ct_nw_proto(6),
        Prerequisite::Tcp => all.eth_type(0x0800).ip_proto(6),
        Prerequisite::Udp => all.eth_type(0x0800).ip_proto(17),
        Prerequisite::Sctp => all.eth_type(0x0800).ip_proto(132),
        Prerequisite::Icmpv4 => all.eth_type(0x0800).ip_proto(1),
        Prerequisite::Icmpv6 => ipv6().ip_proto(58),
        Prerequisite::Nd | Prerequisite::NdSolicitation => ipv6().ip_proto(58).icmpv6_type(135),
        Prerequisite::NdAdvertisement => ipv6().ip_proto(58).icmpv6_type(136),
    }
}

/// Of those the packets of known connections.
fn connection(matching: Match) -> Match {
    let known = CtState::ESTABLISHED | CtState::TRACKED;
    matching.ct_state_masked(known, known)
}

/// Of one field, with what must be said before it or without.
pub(crate) fn of_field(info: &'static FieldInfo, masked: bool, before: Match) -> Match {
    let len = info.len;
    let id = match info.experimenter {
        Some(experimenter) => OxmId::experimenter(experimenter, info.number, len),
        None => OxmId::new(info.class, info.number, len),
    };
    let mut value = vec![0; usize::from(len)];
    *value.last_mut().expect("a byte") = 1;
    if ["VLAN_VID", "NXM_VLAN_TCI"].contains(&info.name) {
        value[0] = 0x10;
    }
    if info.name == "NXM_IP_TOS" {
        value[0] = 4;
    }
    let mask = value.clone();
    before.with_raw(id.expect("legal"), &value, masked.then_some(&mask)).expect("as long as the field")
}

fn matches() -> Vec<(&'static str, Match)> {
    let option = TunMetadata::new(2).expect("legal");
    let unknown = OxmId::experimenter(ExperimenterId(0x00a1_b2c3), 3, 2).expect("legal");
    vec![
        ("everything", Match::new()),
        ("untagged", Match::new().untagged()),
        ("tagged", Match::new().tagged()),
        ("option", Match::new().tun_metadata(option, &[1, 2, 3, 4], None).expect("short")),
        (
            "option/masked",
            Match::new().tun_metadata(option, &[1, 2, 0, 0], Some(&[255, 255, 0, 0])).expect("short"),
        ),
        ("unknown field", Match::new().with_raw(unknown, &[1, 2], None).expect("as long")),
    ]
}

fn instructions(version: Version) -> Vec<Instruction> {
    let mut instructions = vec![
        Instruction::GotoTable(TableId(3)),
        Instruction::WriteMetadata { metadata: 5, mask: 0xff },
        Instruction::WriteActions(vec![Action::output(PortNo(1)), Action::Group(GroupId(4))]),
        Instruction::ApplyActions(vec![Action::output(PortNo(1)), Action::output(PortNo::IN_PORT)]),
        Instruction::ApplyActions(Vec::new()),
        Instruction::ClearActions,
        Instruction::Experimenter { experimenter: ExperimenterId(0x00a1_b2c3), data: vec![0; 8] },
    ];
    if version < Version::V1_5 {
        instructions.push(Instruction::Meter(MeterId(9)));
    }
    instructions
}
