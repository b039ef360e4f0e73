//! What a switch says, but for multipart replies.

use openflow::{
    AsyncConfig, BufferId, Capabilities, DatapathId, Duration, EthernetPort, Features, FlowCounters,
    FlowRemoved, FlowRemovedReason, FragmentHandling, Match, MaxLen, Message, PacketIn, PacketInReason,
    PacketQueue, Port, PortConfig, PortFeatures, PortNo, PortReason, PortState, PortStatus, QueueConfig,
    QueueId, QueueProperty, QueueRate, Role, RoleMessage, Roles, SwitchConfig, TableId, Text, Version,
    nicira::{NiciraMessage, PacketIn2, TlvMap, TlvTableReply},
};

use super::Add;

pub(super) fn add(version: Version, add: &mut Add<'_>) {
    let capabilities = Capabilities::FLOW_STATS | Capabilities::TABLE_STATS | Capabilities::PORT_STATS;
    let datapath = DatapathId(0x0000_0200_0000_0001);
    let features = Features { datapath, buffers: 256, tables: 254, capabilities, ..Features::default() };
    add("features reply", Message::FeaturesReply(features));
    let config = SwitchConfig { fragments: FragmentHandling::NORMAL, miss_send_len: MaxLen::NO_BUFFER };
    add("get config reply", Message::GetConfigReply(config));
    add("barrier reply", Message::BarrierReply);
    let role = RoleMessage { role: Role::SLAVE, short_id: 0, generation: 8 };
    add("role reply", Message::RoleReply(role));
    if version == Version::V1_3 {
        let roles = |master, slave| Roles { master, slave };
        let config =
            AsyncConfig { packet_in: roles(3, 0), port_status: roles(7, 7), flow_removed: roles(15, 0) };
        add("get async reply", Message::GetAsyncReply(config));
        add("queue get config reply", Message::QueueGetConfigReply(queues()));
    }
    add("packet in", Message::PacketIn(packet_in()));
    add("flow removed", Message::FlowRemoved(flow_removed()));
    for reason in [PortReason::ADD, PortReason::DELETE, PortReason::MODIFY] {
        add(&format!("port status/{reason:?}"), Message::PortStatus(PortStatus { reason, port: port() }));
    }
    let map = TlvMap { class: 0xffff, kind: 1, len: 4, index: 2 };
    let table = TlvTableReply { space_max: 256, fields_max: 64, maps: vec![map] };
    add("nicira/tlv table reply", Message::Nicira(NiciraMessage::TlvTableReply(table)));
    add("nicira/packet in 2", Message::Nicira(NiciraMessage::PacketIn2(packet_in2())));
}

/// An ARP request.
pub(crate) fn frame() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend([2, 0, 0, 0, 0, 1, 192, 0, 2, 1]);
    frame.extend([0, 0, 0, 0, 0, 0, 192, 0, 2, 2]);
    frame
}

fn packet_in() -> PacketIn {
    PacketIn {
        buffer: BufferId::NONE,
        total_len: 42,
        reason: PacketInReason::ACTION,
        table: TableId(3),
        cookie: 0x0102_0304_0506_0708,
        matching: Match::new().in_port(PortNo(7)).tunnel_id(5),
        data: frame(),
    }
}

pub(super) fn packet_in2() -> PacketIn2 {
    PacketIn2 {
        packet: Some(frame()),
        table: Some(TableId(3)),
        cookie: Some(9),
        reason: Some(PacketInReason::ACTION),
        metadata: Some(Match::new().in_port(PortNo(7)).reg3(5)),
        user_data: Some(vec![1, 2, 3, 4, 5]),
        ..PacketIn2::default()
    }
}

pub(super) fn counters() -> FlowCounters {
    let duration = Some(Duration { seconds: 12, nanoseconds: 345_000_000 });
    FlowCounters { duration, packets: Some(678), bytes: Some(90_123), ..FlowCounters::default() }
}

fn flow_removed() -> FlowRemoved {
    FlowRemoved {
        cookie: 0xab,
        priority: 100,
        reason: FlowRemovedReason::HARD_TIMEOUT,
        table: TableId(2),
        idle_timeout: 10,
        hard_timeout: 20,
        counters: counters(),
        matching: Match::new().in_port(PortNo(1)).eth_type(0x0806),
    }
}

pub(super) fn port() -> Port {
    let speed = PortFeatures::FD_10GB | PortFeatures::FIBER;
    Port {
        no: PortNo(4),
        mac: [2, 0, 0, 0, 0, 4],
        name: Text::new("access3").expect("short"),
        config: PortConfig::NO_FWD,
        state: PortState::LIVE,
        ethernet: EthernetPort {
            current: speed,
            advertised: speed,
            supported: speed | PortFeatures::AUTONEGOTIATION,
            peer: speed,
            speed: 10_000_000,
            speed_max: 10_000_000,
        },
        properties: Vec::new(),
    }
}

fn queues() -> QueueConfig {
    let properties = vec![QueueProperty::MinRate(QueueRate(100)), QueueProperty::MaxRate(QueueRate(500))];
    let queue =
        |number| PacketQueue { queue: QueueId(number), port: PortNo(1), properties: properties.clone() };
    QueueConfig { port: PortNo(1), queues: vec![queue(1), queue(2)] }
}
