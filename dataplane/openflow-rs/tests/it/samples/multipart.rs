//! Multipart requests and replies.

use openflow::{
    Action, Bucket, ExperimenterId, GroupId, GroupType, Instruction, Match, Message, MeterBand, MeterFlags,
    MeterId, MultipartFlags, MultipartReply, PortNo, QueueId, ReplyBody, RequestBody, TableId, Text, Version,
    multipart::{
        AggregateStats, BucketCounter, Desc, ExperimenterBody, FlowStats, FlowStatsRequest,
        GroupCapabilities, GroupDesc, GroupFeatures, GroupStats, GroupTypes, MeterBandStats, MeterConfig,
        MeterFeatures, MeterStats, PortCounters, PortStats, QueueCounters, QueueStats, QueueStatsRequest,
        TableFeatureProperty, TableFeatures, TableStats, TypeId,
    },
    oxm::fields,
};

use super::{
    Add,
    switches::{counters, port},
};

pub(super) fn add(version: Version, add: &mut Add<'_>) {
    for (name, body) in requests(version) {
        add(&format!("multipart request/{name}"), Message::MultipartRequest(body.into()));
    }
    for (name, body) in replies(version) {
        add(&format!("multipart reply/{name}"), Message::MultipartReply(body.into()));
    }
    let part = MultipartReply { flags: MultipartFlags::MORE, body: ReplyBody::PortDesc(vec![port()]) };
    add("multipart reply/more", Message::MultipartReply(part));
}

fn requests(version: Version) -> Vec<(&'static str, RequestBody)> {
    let flows = FlowStatsRequest {
        table: TableId(3),
        out_port: PortNo(4),
        cookie: 1,
        cookie_mask: 0xff,
        matching: Match::new().in_port(PortNo(1)),
        ..FlowStatsRequest::default()
    };
    let experimenter =
        ExperimenterBody { experimenter: ExperimenterId(0x00a1_b2c3), kind: 5, data: vec![1, 2, 3, 4] };
    let mut requests = vec![
        ("desc", RequestBody::Desc),
        ("flow", RequestBody::Flow(flows.clone())),
        ("aggregate", RequestBody::Aggregate(flows)),
        ("table", RequestBody::Table),
        ("port stats", RequestBody::PortStats(PortNo::ANY)),
        ("queue", RequestBody::Queue(QueueStatsRequest { port: PortNo::ANY, queue: QueueId::ALL })),
        ("group", RequestBody::Group(GroupId::ALL)),
        ("group desc", RequestBody::GroupDesc(GroupId::ALL)),
        ("group features", RequestBody::GroupFeatures),
        ("meter", RequestBody::Meter(MeterId::ALL)),
        ("meter config", RequestBody::MeterConfig(MeterId(9))),
        ("meter features", RequestBody::MeterFeatures),
        ("port desc", RequestBody::PortDesc(PortNo::ANY)),
        ("experimenter", RequestBody::Experimenter(experimenter)),
    ];
    if version == Version::V1_3 {
        requests.push(("table features", RequestBody::TableFeatures(Vec::new())));
        requests.push(("table features/set", RequestBody::TableFeatures(vec![table_features()])));
    }
    requests
}

fn replies(version: Version) -> Vec<(&'static str, ReplyBody)> {
    let table = TableStats { table: TableId(1), active: 2, looked_up: 30, matched: 40 };
    let bands = vec![MeterBand::Drop { rate: 1000, burst: 10 }];
    let meter = MeterConfig { flags: MeterFlags::PKTPS | MeterFlags::BURST, meter: MeterId(9), bands };
    let experimenter =
        ExperimenterBody { experimenter: ExperimenterId(0x00a1_b2c3), kind: 5, data: vec![1, 2, 3, 4] };
    let mut replies = vec![
        ("desc", ReplyBody::Desc(Box::new(desc()))),
        (
            "flow",
            ReplyBody::Flow(vec![
                flow(),
                FlowStats { table: TableId(9), counters: counters(), ..FlowStats::default() },
            ]),
        ),
        ("table", ReplyBody::Table(vec![table, TableStats { table: TableId(2), ..table }])),
        ("group", ReplyBody::Group(vec![group_stats()])),
        ("group desc", ReplyBody::GroupDesc(vec![group_desc()])),
        ("group features", ReplyBody::GroupFeatures(group_features())),
        ("meter", ReplyBody::Meter(vec![meter_stats()])),
        ("meter config", ReplyBody::MeterConfig(vec![meter])),
        ("port desc", ReplyBody::PortDesc(vec![port(), port()])),
        ("experimenter", ReplyBody::Experimenter(experimenter)),
    ];
    let features = MeterFeatures {
        meters_max: 100,
        band_types: 6,
        capabilities: 15,
        bands_max: 1,
        colours_max: 0,
        features: (version >= Version::V1_5).then_some(1),
    };
    replies.push((
        "aggregate",
        ReplyBody::Aggregate(AggregateStats { packets: Some(1), bytes: Some(64), flows: Some(3) }),
    ));
    replies.push(("meter features", ReplyBody::MeterFeatures(features)));
    replies.push(("port stats", ReplyBody::PortStats(vec![port_stats()])));
    replies.push(("queue", ReplyBody::Queue(vec![queue_stats()])));
    if version == Version::V1_3 {
        replies.push(("table features", ReplyBody::TableFeatures(vec![table_features()])));
    }
    replies
}

fn desc() -> Desc {
    Desc {
        manufacturer: Text::new("Wirecenter").expect("short"),
        hardware: Text::new("white box").expect("short"),
        software: Text::new("0.1").expect("short"),
        serial_number: Text::new("1").expect("short"),
        datapath: Text::new("the third from above").expect("short"),
    }
}

fn flow() -> FlowStats {
    FlowStats {
        table: TableId(1),
        priority: 100,
        idle_timeout: 10,
        hard_timeout: 20,
        cookie: 5,
        counters: counters(),
        matching: Match::new().in_port(PortNo(1)).eth_type(0x0800),
        instructions: vec![
            Instruction::ApplyActions(vec![Action::DecNwTtl, Action::output(PortNo(2))]),
            Instruction::GotoTable(TableId(2)),
        ],
        ..FlowStats::default()
    }
}

fn port_stats() -> PortStats {
    let counters =
        PortCounters { rx_packets: 1, tx_packets: 2, rx_bytes: 3, tx_bytes: 4, ..PortCounters::default() };
    PortStats { port: PortNo(1), counters, duration_s: 5, duration_ns: 6, ..PortStats::default() }
}

fn queue_stats() -> QueueStats {
    let counters = QueueCounters {
        port: PortNo(1),
        queue: QueueId(2),
        tx_bytes: 3,
        tx_packets: 4,
        tx_errors: 5,
        duration_s: 6,
        duration_ns: 7,
    };
    QueueStats { counters, properties: Vec::new() }
}

fn group_stats() -> GroupStats {
    let bucket = BucketCounter { packets: 1, bytes: 64 };
    GroupStats {
        group: GroupId(3),
        references: 1,
        packets: 2,
        bytes: 128,
        duration_s: 4,
        duration_ns: 5,
        buckets: vec![bucket, bucket],
    }
}

fn group_desc() -> GroupDesc {
    let bucket = Bucket { weight: 5, actions: vec![Action::output(PortNo(1))], ..Bucket::default() };
    GroupDesc { kind: GroupType::SELECT, group: GroupId(3), buckets: vec![bucket], properties: Vec::new() }
}

fn group_features() -> GroupFeatures {
    GroupFeatures {
        types: GroupTypes::all(),
        capabilities: GroupCapabilities::SELECT_WEIGHT | GroupCapabilities::CHAINING,
        groups_max: [100, 200, 300, 400],
        actions: [0x0fff_9801; 4],
    }
}

fn meter_stats() -> MeterStats {
    let band = MeterBandStats { packets: 1, bytes: 64 };
    MeterStats {
        meter: MeterId(9),
        flows: 1,
        packets_in: 2,
        bytes_in: 128,
        duration_s: 4,
        duration_ns: 5,
        bands: vec![band],
    }
}

fn table_features() -> TableFeatures {
    let instructions = || (1..=6).map(TypeId::from).collect();
    let actions = || [0, 17, 18, 21, 22, 25].map(TypeId::from).to_vec();
    let matches =
        || vec![fields::IN_PORT.id(), fields::ETH_DST.id().masked().expect("short"), fields::ETH_TYPE.id()];
    let set = || vec![fields::ETH_DST.id(), fields::VLAN_VID.id(), fields::METADATA.id()];
    let properties = vec![
        TableFeatureProperty::Instructions(instructions()),
        TableFeatureProperty::InstructionsMiss(instructions()),
        TableFeatureProperty::NextTables(vec![TableId(2), TableId(3), TableId(4)]),
        TableFeatureProperty::NextTablesMiss(vec![TableId(2)]),
        TableFeatureProperty::WriteActions(actions()),
        TableFeatureProperty::WriteActionsMiss(actions()),
        TableFeatureProperty::ApplyActions(actions()),
        TableFeatureProperty::ApplyActionsMiss(actions()),
        TableFeatureProperty::Match(matches()),
        TableFeatureProperty::Wildcards(set()),
        TableFeatureProperty::WriteSetField(set()),
        TableFeatureProperty::WriteSetFieldMiss(set()),
        TableFeatureProperty::ApplySetField(set()),
        TableFeatureProperty::ApplySetFieldMiss(set()),
    ];
    TableFeatures {
        table: TableId(1),
        name: Text::new("gateways").expect("short"),
        metadata_match: u64::MAX,
        metadata_write: u64::MAX,
        config: 0,
        entries_max: 1_000_000,
        properties,
    }
}
