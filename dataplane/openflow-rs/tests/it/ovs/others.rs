//! All else: groups, meters, bundles, packets, and what a switch is.

use openflow::{
    Action, AsyncConfig, AsyncKind, AsyncProperties, AsyncProperty, BufferId, BundleAdd, BundleControl,
    BundleControlType, BundleFlags, BundleId, ErrorCode, ErrorMessage, FlowMod, FlowModCommand, FlowModFlags,
    FlowRemovedReason, GroupId, GroupModCommand, Instruction, Match, MaxLen, Message, MeterId,
    PacketInReason, PacketOut, PortNo, ReplyBody, RequestBody, Role, RoleMessage, Roles, SwitchConfig,
    TableId, Version, Xid,
    multipart::FlowStatsRequest,
    nicira::{Controller2, NiciraMessage, PacketInFormat, TlvMap, TlvTableCommand, TlvTableMod},
    oxm::fields,
};

use super::{Switch, client::Client, connect, flows};
use crate::samples::{frame, samples};

#[test]
fn groups_and_meters_come_back_as_they_were_sent() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        let groups = samples().into_iter().filter_map(|sample| match sample.message {
            Message::GroupMod(group) if sample.version == version => Some(group),
            _ => None,
        });
        let groups: Vec<_> = groups.filter(|group| group.command == GroupModCommand::Add).collect();
        assert_eq!(groups.len(), 3);
        for group in groups {
            let number = GroupId(group.kind.0.into());
            let group = openflow::GroupMod { group: number, ..group };
            assert_eq!(client.tell(&[Message::GroupMod(group.clone())]), []);
            let told = client.multipart(RequestBody::GroupDesc(GroupId::ALL));
            let ReplyBody::GroupDesc(told) = &told[0] else { panic!("{told:?}") };
            let same = told.iter().find(|told| told.group == number).expect("it is there");
            assert_eq!((same.kind, &same.buckets), (group.kind, &group.buckets));
            let counted = client.multipart(RequestBody::Group(number));
            let ReplyBody::Group(counted) = &counted[0] else { panic!("{counted:?}") };
            assert_eq!((counted[0].group, counted[0].buckets.len()), (number, group.buckets.len()));
        }
        let meter = openflow::MeterMod {
            flags: openflow::MeterFlags::PKTPS | openflow::MeterFlags::BURST | openflow::MeterFlags::STATS,
            meter: MeterId(9),
            bands: vec![openflow::MeterBand::Drop { rate: 100, burst: 10 }],
            ..openflow::MeterMod::default()
        };
        assert_eq!(client.tell(&[Message::MeterMod(meter.clone())]), []);
        let told = client.multipart(RequestBody::MeterConfig(MeterId(9)));
        let ReplyBody::MeterConfig(told) = &told[0] else { panic!("{told:?}") };
        assert_eq!((told[0].flags, &told[0].bands), (meter.flags, &meter.bands));
        let counted = client.multipart(RequestBody::Meter(MeterId::ALL));
        let ReplyBody::Meter(counted) = &counted[0] else { panic!("{counted:?}") };
        assert_eq!((counted[0].meter, counted[0].bands.len()), (MeterId(9), 1));
    }
}

fn flow(priority: u16) -> FlowMod {
    FlowMod { priority, matching: Match::new().in_port(PortNo(1)), ..FlowMod::default() }
}

fn is_reply(message: &Message, wanted: BundleControlType) -> bool {
    matches!(message, Message::BundleControl(BundleControl { kind, .. }) if *kind == wanted)
}

/// Opens a bundle, adds the flows, and gives back what the switch answers to the end of it.
fn bundle(client: &mut Client, number: u32, flows: &[FlowMod], end: BundleControlType) -> Message {
    let flags = BundleFlags::ATOMIC | BundleFlags::ORDERED;
    let bundle = BundleId(number);
    let control =
        |kind| Message::BundleControl(BundleControl { bundle, kind, flags, properties: Vec::new() });
    let opened = client.ask(&control(BundleControlType::OpenRequest));
    let Message::BundleControl(BundleControl { kind, .. }) = &opened else { panic!("{opened:?}") };
    assert_eq!(*kind, BundleControlType::OpenReply);
    for (flow, xid) in flows.iter().zip(1000..) {
        let message = Box::new(Message::FlowMod(flow.clone()));
        let add = BundleAdd { bundle, flags, xid: Xid(xid), message, properties: Vec::new() };
        client.send_as(Xid(xid), &Message::BundleAdd(add));
    }
    // An error about a message inside has that one's number.
    client.send(&control(end));
    client.receive().1
}

#[test]
fn bundles_take_effect_whole_or_not_at_all() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        let priorities = |client: &mut Client| {
            let mut priorities: Vec<_> = flows(client).iter().map(|flow| flow.priority).collect();
            priorities.sort_unstable();
            priorities
        };
        let two = [flow(1), flow(2)];
        let answer = bundle(&mut client, 1, &two, BundleControlType::DiscardRequest);
        assert!(is_reply(&answer, BundleControlType::DiscardReply), "{answer:?}");
        assert_eq!(priorities(&mut client), [0; 0]);

        let answer = bundle(&mut client, 2, &two, BundleControlType::CommitRequest);
        assert!(is_reply(&answer, BundleControlType::CommitReply), "{answer:?}");
        assert_eq!(priorities(&mut client), [1, 2]);

        let flags = FlowModFlags::CHECK_OVERLAP;
        let overlapping = FlowMod { flags, matching: Match::new(), ..flow(2) };
        let answer = bundle(&mut client, 3, &[flow(3), overlapping], BundleControlType::CommitRequest);
        let Message::Error(ErrorMessage::Standard { code, .. }) = &answer else { panic!("{answer:?}") };
        assert_eq!(*code, ErrorCode::FMFC_OVERLAP);
        let (_, failed) = client.receive();
        let code = match &failed {
            Message::Error(ErrorMessage::Experimenter { code, .. }) => *code,
            Message::Error(ErrorMessage::Standard { code, .. }) => {
                assert_eq!(*code, ErrorCode::BFC_MSG_FAILED);
                2313
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(code, 2313, "what the ONF's extension has for BFC_MSG_FAILED");
        assert_eq!(priorities(&mut client), [1, 2]);
    }
}

/// Asks for what comes unasked, of which who connects to the bridge's own socket gets nothing.
fn listen(client: &mut Client) {
    let config = SwitchConfig { miss_send_len: MaxLen::NO_BUFFER, ..SwitchConfig::default() };
    client.send(&Message::SetConfig(config));
    let all = Roles { master: 0x3f, slave: 0 };
    let kinds = [AsyncKind::PACKET_IN_MASTER, AsyncKind::FLOW_REMOVED_MASTER];
    let list = kinds.map(|kind| AsyncProperty::Reasons { kind, mask: 0x3f }).to_vec();
    client.send(&if client.version == Version::V1_3 {
        Message::SetAsync(AsyncConfig { packet_in: all, flow_removed: all, ..AsyncConfig::default() })
    } else {
        Message::SetAsyncList(AsyncProperties(list))
    });
}

#[test]
fn many_flows_come_in_one_bundle_and_in_several_parts() {
    const COUNT: u16 = 3000;
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        let many: Vec<_> = (1..=COUNT).map(flow).collect();
        let answer = bundle(&mut client, 1, &many, BundleControlType::CommitRequest);
        assert!(is_reply(&answer, BundleControlType::CommitReply), "{answer:?}");
        let parts = client.multipart(RequestBody::Flow(FlowStatsRequest::default()));
        assert!(parts.len() > 1);
        assert_eq!(flows(&mut client).len(), usize::from(COUNT));
    }
}

#[test]
fn packets_go_both_ways() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        listen(&mut client);
        let packet = PacketOut {
            in_port: PortNo(1),
            actions: vec![Action::output(PortNo::CONTROLLER)],
            data: frame(),
            ..PacketOut::default()
        };
        client.send(&Message::PacketOut(packet.clone()));
        let (_, Message::PacketIn(back)) = client.receive() else { panic!("it is sent back") };
        let reason =
            if version < Version::V1_4 { PacketInReason::ACTION } else { PacketInReason::PACKET_OUT };
        assert_eq!((back.buffer, back.reason, back.in_port()), (BufferId::NONE, reason, Some(PortNo(1))));
        assert_eq!((back.data.clone(), usize::from(back.total_len)), (frame(), frame().len()));

        client.send(&Message::Nicira(NiciraMessage::SetPacketInFormat(PacketInFormat::Nxt2)));
        let controller =
            Controller2 { user_data: Some(b"mark".to_vec()), pause: true, ..Controller2::default() };
        let actions = vec![Action::set_field(fields::REG3, 5), controller.into(), Action::output(PortNo(2))];
        let paused = FlowMod { instructions: vec![Instruction::ApplyActions(actions)], ..FlowMod::default() };
        let through = PacketOut { actions: vec![Action::output(PortNo::TABLE)], ..packet };
        assert_eq!(client.tell(&[Message::FlowMod(paused)]), []);
        client.send(&Message::PacketOut(through));
        let (_, Message::Nicira(NiciraMessage::PacketIn2(back))) = client.receive() else {
            panic!("it is sent back")
        };
        assert_eq!(back.packet, Some(frame()));
        assert_eq!(back.user_data.as_deref(), Some(b"mark".as_slice()));
        assert_eq!(back.metadata.as_ref().and_then(|known| known.value(fields::IN_PORT)), Some(PortNo(1)));
        assert!(back.continuation.is_some());
        assert_eq!(client.tell(&[Message::Nicira(NiciraMessage::Resume(back.clone()))]), []);
        let sent = client.multipart(RequestBody::PortStats(PortNo(2)));
        let ReplyBody::PortStats(ports) = &sent[0] else { panic!("{sent:?}") };
        assert_eq!((ports.len(), ports[0].port), (1, PortNo(2)));
    }
}

#[test]
fn a_flow_that_goes_says_so() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        listen(&mut client);
        let flow = FlowMod { flags: FlowModFlags::SEND_FLOW_REM, cookie: 77, hard_timeout: 600, ..flow(9) };
        assert_eq!(client.tell(&[Message::FlowMod(flow.clone())]), []);
        let delete = FlowMod { command: FlowModCommand::Delete, ..flow.clone() };
        client.send(&Message::FlowMod(delete));
        let (_, Message::FlowRemoved(gone)) = client.receive() else { panic!("it is told") };
        assert_eq!((gone.cookie, gone.priority, gone.reason), (77, 9, FlowRemovedReason::DELETE));
        assert_eq!((gone.hard_timeout, &gone.matching), (600, &flow.matching));
        assert_eq!((gone.counters.packets, gone.counters.bytes), (Some(0), Some(0)));
        assert!(gone.counters.duration.is_some());
    }
}

/// Each answer is also held against its own bytes, in [`Client::receive`].
#[test]
fn what_the_switch_says_of_itself_is_understood() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        let features = client.ask(&Message::FeaturesRequest);
        let Message::FeaturesReply(features) = features else { panic!("{features:?}") };
        assert_eq!(features.tables, 254);
        let echoed = client.ask(&Message::EchoRequest(b"there".to_vec()));
        assert_eq!(echoed, Message::EchoReply(b"there".to_vec()));
        let config = client.ask(&Message::GetConfigRequest);
        assert!(matches!(config, Message::GetConfigReply(_)), "{config:?}");
        let role =
            client.ask(&Message::RoleRequest(RoleMessage { role: Role::EQUAL, ..RoleMessage::default() }));
        let Message::RoleReply(role) = role else { panic!("{role:?}") };
        assert_eq!(role.role, Role::EQUAL);
        let config = client.ask(&Message::GetAsyncRequest);
        let known = matches!(config, Message::GetAsyncReply(_) | Message::GetAsyncListReply(_));
        assert!(known, "{config:?}");

        let desc = client.multipart(RequestBody::Desc);
        let ReplyBody::Desc(desc) = &desc[0] else { panic!("{desc:?}") };
        assert_eq!(desc.hardware.as_str(), Some("Open vSwitch"));
        let ports = client.multipart(RequestBody::PortDesc(PortNo::ANY));
        let ReplyBody::PortDesc(ports) = &ports[0] else { panic!("{ports:?}") };
        let mut names: Vec<_> = ports.iter().map(|port| (port.no, port.name.as_str())).collect();
        names.sort_unstable();
        assert_eq!(names, [(PortNo(1), Some("p1")), (PortNo(2), Some("p2")), (PortNo::LOCAL, Some("br0"))]);
        let tables = client.multipart(RequestBody::Table);
        let ReplyBody::Table(tables) = &tables[0] else { panic!("{tables:?}") };
        assert_eq!(tables.len(), 254);
        for request in
            [RequestBody::GroupFeatures, RequestBody::MeterFeatures, RequestBody::PortStats(PortNo::ANY)]
        {
            assert_eq!(client.multipart(request).len(), 1);
        }
        let request = FlowStatsRequest::default();
        assert_eq!(client.multipart(RequestBody::Aggregate(request)).len(), 1);
        if version == Version::V1_3 {
            let replies = client.multipart(RequestBody::TableFeatures(Vec::new()));
            let tables = replies.iter().flat_map(|reply| match reply {
                ReplyBody::TableFeatures(tables) => tables.iter(),
                other => panic!("{other:?}"),
            });
            assert_eq!(
                tables.map(|table| table.table).collect::<Vec<_>>(),
                (0..254).map(TableId).collect::<Vec<_>>()
            );
        }

        // Options stay known when the next connection comes.
        let map = TlvMap { class: 0xffff, kind: 7, len: 8, index: 5 };
        let add = TlvTableMod { command: TlvTableCommand::Add, maps: vec![map] };
        if version == Version::V1_3 {
            assert_eq!(client.tell(&[Message::Nicira(NiciraMessage::TlvTableMod(add))]), []);
        }
        let table = client.ask(&Message::Nicira(NiciraMessage::TlvTableRequest));
        let Message::Nicira(NiciraMessage::TlvTableReply(table)) = table else { panic!("{table:?}") };
        assert_eq!(table.maps, [map]);
    }
}

#[test]
fn errors_say_what_was_wrong() {
    let switch = Switch::start();
    for version in Version::ALL.iter().copied() {
        let mut client = connect(&switch, version);
        let wrong = FlowMod { matching: Match::new().tcp_dst(80), ..FlowMod::default() };
        let Err(openflow::oxm::MatchError::Prerequisite(_)) = wrong.matching.check() else {
            panic!("it is wrong")
        };
        let answer = client.ask(&Message::FlowMod(wrong.clone()));
        let Message::Error(ErrorMessage::Standard { code, data }) = answer else { panic!("{answer:?}") };
        assert_eq!(code, ErrorCode::BMC_BAD_PREREQ);
        assert!(data.len() >= 64, "{data:?}");
    }
}
