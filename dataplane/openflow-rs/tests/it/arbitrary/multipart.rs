use openflow::{
    Bucket, Duration, FlowCounters, MeterBand, MultipartFlags, MultipartReply, MultipartRequest, PortNo,
    ReplyBody, RequestBody, Version,
    multipart::{
        AggregateStats, BucketCounter, Desc, EthernetCounters, ExperimenterBody, FlowStats, FlowStatsRequest,
        GroupCapabilities, GroupDesc, GroupFeatures, GroupStats, GroupTypes, MeterBandStats, MeterConfig,
        MeterFeatures, MeterStats, PortCounters, PortStats, QueueCounters, QueueStats, QueueStatsRequest,
        TableFeatureProperty, TableFeatures, TableStats, TypeId,
    },
    oxm::OxmId,
};

use super::{Entropy, Make, enumerations, flag_sets, since, structures};

flag_sets!(MultipartFlags GroupTypes GroupCapabilities);
structures! {
    MultipartRequest { flags, body }
    MultipartReply { flags, body }
    ExperimenterBody { experimenter, kind, data }
    FlowStatsRequest { table, out_port, out_group, cookie, cookie_mask, matching }
    TableStats { table, active, looked_up, matched }
    PortCounters {
        rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors,
    }
    EthernetCounters { rx_frame_errors, rx_over_errors, rx_crc_errors, collisions }
    QueueStatsRequest { port, queue }
    QueueCounters { port, queue, tx_bytes, tx_packets, tx_errors, duration_s, duration_ns }
    GroupStats { group, references, packets, bytes, duration_s, duration_ns, buckets }
    BucketCounter { packets, bytes }
    MeterStats { meter, flows, packets_in, bytes_in, duration_s, duration_ns, bands }
    MeterBandStats { packets, bytes }
    MeterConfig { flags, meter, bands }
    Desc { manufacturer, hardware, software, serial_number, datapath }
    TableFeatures { table, name, metadata_match, metadata_write, config, entries_max, properties }
    Duration { seconds, nanoseconds }
}

impl Make for AggregateStats {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let flows = Option::<u16>::make(entropy).map(u32::from);
        let FlowCounters { packets, bytes, .. } = Make::make(entropy);
        Self { packets, bytes, flows }
    }
}

impl Make for PortStats {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            port: Make::make(entropy),
            counters: Make::make(entropy),
            ethernet: Make::make(entropy),
            duration_s: Make::make(entropy),
            duration_ns: Make::make(entropy),
            properties: since(Version::V1_4, entropy),
        }
    }
}

impl Make for QueueStats {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self { counters: Make::make(entropy), properties: since(Version::V1_4, entropy) }
    }
}

impl Make for MeterFeatures {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            meters_max: Make::make(entropy),
            band_types: Make::make(entropy),
            capabilities: Make::make(entropy),
            bands_max: Make::make(entropy),
            colours_max: Make::make(entropy),
            features: since(Version::V1_5, entropy),
        }
    }
}

impl Make for GroupFeatures {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let mut four = || std::array::from_fn(|_| u32::make(entropy));
        let (groups_max, actions) = (four(), four());
        Self { types: Make::make(entropy), capabilities: Make::make(entropy), groups_max, actions }
    }
}

impl Make for GroupDesc {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let buckets: Vec<Bucket> = Make::make(entropy);
        let properties = since(Version::V1_5, entropy);
        Self { kind: Make::make(entropy), group: Make::make(entropy), buckets, properties }
    }
}

impl Make for FlowCounters {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let counters = Self {
            duration: Make::make(entropy),
            packets: Option::<u32>::make(entropy).map(u64::from),
            bytes: Option::<u32>::make(entropy).map(u64::from),
            ..Self::default()
        };
        if entropy.version < Version::V1_5 {
            return counters;
        }
        // A field of a class of no one.
        let other = if bool::make(entropy) { vec![0x70, 0, 2, 1, 9] } else { Vec::new() };
        Self { idle: Make::make(entropy), flows: Make::make(entropy), other, ..counters }
    }
}

impl Make for FlowStats {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            table: Make::make(entropy),
            priority: Make::make(entropy),
            idle_timeout: Make::make(entropy),
            hard_timeout: Make::make(entropy),
            flags: Make::make(entropy),
            importance: since(Version::V1_4, entropy),
            cookie: Make::make(entropy),
            counters: Make::make(entropy),
            matching: Make::make(entropy),
            instructions: Make::make(entropy),
        }
    }
}

impl Make for TypeId {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self { kind: Make::make(entropy), data: Make::make(entropy) }
    }
}

/// Fields as lists have them, with a mask or without.
fn ids(entropy: &mut Entropy<'_>) -> Vec<OxmId> {
    let ids: Vec<OxmId> = Make::make(entropy);
    ids.into_iter().map(|id| if bool::make(entropy) { id.masked().unwrap_or(id) } else { id }).collect()
}

enumerations! {
    TableFeatureProperty {
        |e| Self::Instructions(Make::make(e)),
        |e| Self::InstructionsMiss(Make::make(e)),
        |e| Self::NextTables(Make::make(e)),
        |e| Self::NextTablesMiss(Make::make(e)),
        |e| Self::WriteActions(Make::make(e)),
        |e| Self::WriteActionsMiss(Make::make(e)),
        |e| Self::ApplyActions(Make::make(e)),
        |e| Self::ApplyActionsMiss(Make::make(e)),
        |e| Self::Match(ids(e)),
        |e| Self::Wildcards(ids(e)),
        |e| Self::WriteSetField(ids(e)),
        |e| Self::WriteSetFieldMiss(ids(e)),
        |e| Self::ApplySetField(ids(e)),
        |e| Self::ApplySetFieldMiss(ids(e)),
        |e| Self::Experimenter { experimenter: Make::make(e), kind: Make::make(e), data: Make::make(e) },
        |e| Self::ExperimenterMiss { experimenter: Make::make(e), kind: Make::make(e), data: Make::make(e) },
        |e| Self::Other { kind: 0x7000, data: Make::make(e) },
    }
    RequestBody {
        |_| Self::Desc,
        |e| Self::Flow(Make::make(e)),
        |e| Self::Aggregate(Make::make(e)),
        |_| Self::Table,
        |e| Self::PortStats(Make::make(e)),
        |e| Self::Queue(Make::make(e)),
        |e| Self::Group(Make::make(e)),
        |e| if e.version < Version::V1_5 { Self::GroupDesc(openflow::GroupId::ALL) } else { Self::GroupDesc(Make::make(e)) },
        |_| Self::GroupFeatures,
        |e| Self::Meter(Make::make(e)),
        |e| Self::MeterConfig(Make::make(e)),
        |_| Self::MeterFeatures,
        |e| if e.version == Version::V1_3 { Self::TableFeatures(Make::make(e)) } else { Self::Desc },
        |e| if e.version < Version::V1_5 { Self::PortDesc(PortNo::ANY) } else { Self::PortDesc(Make::make(e)) },
        |e| Self::Experimenter(Make::make(e)),
        |e| Self::Other { kind: 0x7000, data: Make::make(e) },
    }
    ReplyBody {
        |e| Self::Desc(Make::make(e)),
        |e| Self::Flow(Make::make(e)),
        |e| Self::Aggregate(Make::make(e)),
        |e| Self::Table(Make::make(e)),
        |e| Self::PortStats(Make::make(e)),
        |e| Self::Queue(Make::make(e)),
        |e| Self::Group(Make::make(e)),
        |e| Self::GroupDesc(Make::make(e)),
        |e| Self::GroupFeatures(Make::make(e)),
        |e| Self::Meter(Make::make(e)),
        |e| Self::MeterConfig(Make::make(e)),
        |e| Self::MeterFeatures(Make::make(e)),
        |e| if e.version == Version::V1_3 { Self::TableFeatures(Make::make(e)) } else { Self::Flow(Make::make(e)) },
        |e| Self::PortDesc(Make::make(e)),
        |e| Self::Experimenter(Make::make(e)),
        |e| Self::Other { kind: 0x7000, data: Make::make(e) },
    }
    MeterBand {
        |e| Self::Drop { rate: Make::make(e), burst: Make::make(e) },
        |e| Self::DscpRemark { rate: Make::make(e), burst: Make::make(e), levels: Make::make(e) },
        |e| Self::Experimenter { rate: Make::make(e), burst: Make::make(e), experimenter: Make::make(e), data: Make::make(e) },
        |e| Self::Other { kind: 0x7000, rate: Make::make(e), burst: Make::make(e), data: Make::make(e) },
    }
}
