use alloc::{boxed::Box, vec::Vec};

use super::{
    AGGREGATE, AggregateStats, DESC, Desc, EXPERIMENTER, ExperimenterBody, FLOW, FlowStats, GROUP,
    GROUP_DESC, GROUP_FEATURES, GroupDesc, GroupFeatures, GroupStats, METER, METER_CONFIG, METER_FEATURES,
    MeterConfig, MeterFeatures, MeterStats, PORT_DESC, PORT_STATS, PortStats, QUEUE, QueueStats, TABLE,
    TABLE_FEATURES, TableFeatures, TableStats,
};
use crate::{
    DecodeError, Port, Problem, Version,
    wire::{Reader, Wire, Writer},
};

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyBody {
    Desc(Box<Desc>),
    Flow(Vec<FlowStats>),
    Aggregate(AggregateStats),
    Table(Vec<TableStats>),
    PortStats(Vec<PortStats>),
    Queue(Vec<QueueStats>),
    Group(Vec<GroupStats>),
    GroupDesc(Vec<GroupDesc>),
    GroupFeatures(GroupFeatures),
    Meter(Vec<MeterStats>),
    MeterConfig(Vec<MeterConfig>),
    MeterFeatures(MeterFeatures),
    /// OpenFlow 1.3 alone.
    TableFeatures(Vec<TableFeatures>),
    PortDesc(Vec<Port>),
    Experimenter(ExperimenterBody),
    /// One of a type that is not known in this version.
    Other {
        kind: u16,
        data: Vec<u8>,
    },
}

impl ReplyBody {
    pub(super) const fn kind(&self) -> u16 {
        match self {
            Self::Desc(_) => DESC,
            Self::Flow(_) => FLOW,
            Self::Aggregate(_) => AGGREGATE,
            Self::Table(_) => TABLE,
            Self::PortStats(_) => PORT_STATS,
            Self::Queue(_) => QUEUE,
            Self::Group(_) => GROUP,
            Self::GroupDesc(_) => GROUP_DESC,
            Self::GroupFeatures(_) => GROUP_FEATURES,
            Self::Meter(_) => METER,
            Self::MeterConfig(_) => METER_CONFIG,
            Self::MeterFeatures(_) => METER_FEATURES,
            Self::TableFeatures(_) => TABLE_FEATURES,
            Self::PortDesc(_) => PORT_DESC,
            Self::Experimenter(_) => EXPERIMENTER,
            Self::Other { kind, .. } => *kind,
        }
    }

    pub(super) fn get_body(kind: u16, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match kind {
            DESC => Self::Desc(Box::new(Wire::get(r)?)),
            FLOW => Self::Flow(Wire::get(r)?),
            AGGREGATE => Self::Aggregate(Wire::get(r)?),
            TABLE => Self::Table(Wire::get(r)?),
            PORT_STATS => Self::PortStats(Wire::get(r)?),
            QUEUE => Self::Queue(Wire::get(r)?),
            GROUP => Self::Group(Wire::get(r)?),
            GROUP_DESC => Self::GroupDesc(Wire::get(r)?),
            GROUP_FEATURES => Self::GroupFeatures(Wire::get(r)?),
            METER => Self::Meter(Wire::get(r)?),
            METER_CONFIG => Self::MeterConfig(Wire::get(r)?),
            METER_FEATURES => Self::MeterFeatures(Wire::get(r)?),
            TABLE_FEATURES if r.version() == Version::V1_3 => Self::TableFeatures(Wire::get(r)?),
            PORT_DESC => Self::PortDesc(Wire::get(r)?),
            EXPERIMENTER => Self::Experimenter(Wire::get(r)?),
            _ => Self::Other { kind, data: Wire::get(r)? },
        })
    }

    pub(super) fn put_body(&self, w: &mut Writer<'_>) {
        w.writing("MultipartReply");
        match self {
            Self::Desc(desc) => desc.put(w),
            Self::Flow(flows) => flows.put(w),
            Self::Aggregate(counters) => counters.put(w),
            Self::Table(tables) => tables.put(w),
            Self::PortStats(ports) => ports.put(w),
            Self::Queue(queues) => queues.put(w),
            Self::Group(groups) => groups.put(w),
            Self::GroupDesc(groups) => groups.put(w),
            Self::GroupFeatures(features) => features.put(w),
            Self::Meter(meters) => meters.put(w),
            Self::MeterConfig(meters) => meters.put(w),
            Self::MeterFeatures(features) => features.put(w),
            Self::TableFeatures(tables) => {
                if w.version() != Version::V1_3 {
                    w.fail(Problem::Version);
                }
                tables.put(w);
            }
            Self::PortDesc(ports) => ports.put(w),
            Self::Experimenter(body) => body.put(w),
            Self::Other { data, .. } => data.put(w),
        }
    }
}
