//! What a controller says, but for flows.

use openflow::{
    Action, AsyncConfig, AsyncKind, AsyncProperties, AsyncProperty, Bucket, BucketId, BufferId, BundleAdd,
    BundleControl, BundleControlType, BundleFlags, BundleId, ErrorCode, ErrorMessage, Experimenter,
    ExperimenterId, FlowMod, FragmentHandling, GroupId, GroupMod, GroupModCommand, GroupType, Hello,
    HelloElement, MaxLen, Message, MeterBand, MeterFlags, MeterId, MeterMod, MeterModCommand, PacketOut,
    PortConfig, PortFeatures, PortMod, PortNo, Role, RoleMessage, Roles, SwitchConfig, TableId, TableMod,
    Version,
    nicira::{NiciraMessage, PacketIn2, PacketInFormat, TlvMap, TlvTableCommand, TlvTableMod},
};

use super::Add;

pub(super) fn add(version: Version, add: &mut Add<'_>) {
    add("hello", Message::Hello(Hello::of(Version::ALL)));
    let words = HelloElement::VersionBitmap(vec![0x70, 0]);
    add("hello/words", Message::Hello(Hello { elements: vec![words] }));
    add("echo request", Message::EchoRequest(b"anybody there".to_vec()));
    add("echo reply", Message::EchoReply(Vec::new()));
    let request = Message::BarrierRequest.to_bytes(version, super::Sample::XID).expect("a message");
    let code = ErrorCode::BMC_BAD_PREREQ;
    add("error", Message::Error(ErrorMessage::Standard { code, data: request.clone() }));
    let experimenter = ExperimenterId::ONF;
    let error = ErrorMessage::Experimenter { code: 2300, experimenter, data: request };
    add("error/experimenter", Message::Error(error));
    let data = vec![1, 2, 3, 4, 5];
    add(
        "experimenter",
        Message::Experimenter(Experimenter { experimenter: ExperimenterId(0x00a1_b2c3), kind: 9, data }),
    );
    add("features request", Message::FeaturesRequest);
    add("get config request", Message::GetConfigRequest);
    let config = SwitchConfig { fragments: FragmentHandling::DROP, miss_send_len: MaxLen(128) };
    add("set config", Message::SetConfig(config));
    add("barrier request", Message::BarrierRequest);
    let role = RoleMessage { role: Role::MASTER, short_id: 0, generation: 3 };
    add("role request", Message::RoleRequest(role));
    add("get async request", Message::GetAsyncRequest);
    if version == Version::V1_3 {
        let roles = |master, slave| Roles { master, slave };
        let config =
            AsyncConfig { packet_in: roles(7, 0), port_status: roles(7, 7), flow_removed: roles(15, 0) };
        add("set async", Message::SetAsync(config));
        add("queue get config request", Message::QueueGetConfigRequest(PortNo(1)));
    }
    ports_and_tables(add);
    packets(add);
    groups(version, add);
    meters(add);
    bundles(version, add);
    nicira(version, add);
}

fn ports_and_tables(add: &mut Add<'_>) {
    let port = PortMod {
        port: PortNo(3),
        mac: [2, 0, 0, 0, 0, 3],
        config: PortConfig::PORT_DOWN,
        mask: PortConfig::PORT_DOWN | PortConfig::NO_FWD,
        advertise: PortFeatures::FD_10GB | PortFeatures::COPPER,
        properties: Vec::new(),
    };
    add("port mod", Message::PortMod(port));
    add("table mod", Message::TableMod(TableMod { table: TableId(3), ..TableMod::default() }));
}

fn packets(add: &mut Add<'_>) {
    let actions = vec![Action::output(PortNo(2)), Action::output(PortNo::FLOOD)];
    let packet = PacketOut {
        in_port: PortNo(1),
        actions: actions.clone(),
        data: super::switches::frame(),
        ..PacketOut::default()
    };
    add("packet out", Message::PacketOut(packet));
    let buffered = PacketOut { buffer: BufferId(7), actions, ..PacketOut::default() };
    add("packet out/buffered", Message::PacketOut(buffered));
}

fn groups(version: Version, add: &mut Add<'_>) {
    let bucket = |number: u32| {
        let id = BucketId(if version < Version::V1_5 { 0 } else { number });
        Bucket { actions: vec![Action::PopVlan, Action::output(PortNo(number))], id, ..Bucket::default() }
    };
    let group = |kind, buckets| GroupMod { kind, group: GroupId(5), buckets, ..GroupMod::default() };
    add("group mod/all", Message::GroupMod(group(GroupType::ALL, vec![bucket(1), bucket(2)])));
    let weighted = vec![Bucket { weight: 10, ..bucket(1) }, Bucket { weight: 20, ..bucket(2) }];
    add("group mod/select", Message::GroupMod(group(GroupType::SELECT, weighted)));
    add("group mod/indirect", Message::GroupMod(group(GroupType::INDIRECT, vec![bucket(1)])));
    let watched =
        vec![Bucket { watch_port: PortNo(1), ..bucket(1) }, Bucket { watch_group: GroupId(7), ..bucket(2) }];
    let failover = GroupMod { command: GroupModCommand::Modify, ..group(GroupType::FAST_FAILOVER, watched) };
    add("group mod/fast failover", Message::GroupMod(failover));
    let delete = GroupMod { command: GroupModCommand::Delete, group: GroupId::ALL, ..GroupMod::default() };
    add("group mod/delete", Message::GroupMod(delete));
    if version >= Version::V1_5 {
        let command = GroupModCommand::InsertBucket;
        let insert =
            GroupMod { command, command_bucket: BucketId::LAST, ..group(GroupType::ALL, vec![bucket(3)]) };
        add("group mod/insert bucket", Message::GroupMod(insert));
        let command = GroupModCommand::RemoveBucket;
        let remove = GroupMod { command, command_bucket: BucketId(3), ..group(GroupType::ALL, vec![]) };
        add("group mod/remove bucket", Message::GroupMod(remove));
    }
}

fn meters(add: &mut Add<'_>) {
    let bands = vec![
        MeterBand::Drop { rate: 10_000, burst: 100 },
        MeterBand::DscpRemark { rate: 5_000, burst: 100, levels: 1 },
    ];
    let flags = MeterFlags::KBPS | MeterFlags::BURST | MeterFlags::STATS;
    let meter = MeterMod { flags, meter: MeterId(9), bands, ..MeterMod::default() };
    add("meter mod", Message::MeterMod(meter));
    let delete = MeterMod { command: MeterModCommand::Delete, meter: MeterId::ALL, ..MeterMod::default() };
    add("meter mod/delete", Message::MeterMod(delete));
}

fn bundles(version: Version, add: &mut Add<'_>) {
    let flags = BundleFlags::ATOMIC | BundleFlags::ORDERED;
    for kind in BundleControlType::ALL.iter().copied() {
        let control = BundleControl { bundle: BundleId(6), kind, flags, properties: Vec::new() };
        add(&format!("bundle control/{kind:?}"), Message::BundleControl(control));
    }
    let priority = if version < Version::V1_4 { 1 } else { 2 };
    let flow = FlowMod { priority, ..FlowMod::default() };
    let message = Box::new(Message::FlowMod(flow));
    let xid = super::Sample::XID;
    add(
        "bundle add",
        Message::BundleAdd(BundleAdd { bundle: BundleId(6), flags, xid, message, properties: vec![] }),
    );
}

fn nicira(version: Version, add: &mut Add<'_>) {
    let mut message = |name: &str, message| add(&format!("nicira/{name}"), Message::Nicira(message));
    message("set packet in format", NiciraMessage::SetPacketInFormat(PacketInFormat::Nxt2));
    message("set controller id", NiciraMessage::SetControllerId(4));
    let map = TlvMap { class: 0xffff, kind: 1, len: 4, index: 2 };
    let change = TlvTableMod { command: TlvTableCommand::Add, maps: vec![map] };
    message("tlv table mod", NiciraMessage::TlvTableMod(change));
    message("tlv table request", NiciraMessage::TlvTableRequest);
    message("ct flush zone", NiciraMessage::CtFlushZone(9));
    let resumed = PacketIn2 {
        packet: Some(super::switches::frame()),
        continuation: Some(vec![0; 4]),
        ..super::switches::packet_in2()
    };
    message("resume", NiciraMessage::Resume(resumed));
    let reasons = [AsyncKind::PACKET_IN_MASTER, AsyncKind::PORT_STATUS_SLAVE];
    let reasons = reasons.map(|kind| AsyncProperty::Reasons { kind, mask: 3 }).to_vec();
    if version == Version::V1_3 {
        message("set async config 2", NiciraMessage::SetAsyncConfig2(AsyncProperties(reasons)));
    } else {
        add("set async list", Message::SetAsyncList(AsyncProperties(reasons.clone())));
        add("get async list reply", Message::GetAsyncListReply(AsyncProperties(reasons)));
    }
}
