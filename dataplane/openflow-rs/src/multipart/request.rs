use alloc::vec::Vec;

use super::{
    AGGREGATE, DESC, EXPERIMENTER, ExperimenterBody, FLOW, FlowStatsRequest, GROUP, GROUP_DESC,
    GROUP_FEATURES, METER, METER_CONFIG, METER_FEATURES, PORT_DESC, PORT_STATS, QUEUE, QueueStatsRequest,
    TABLE, TABLE_FEATURES, TableFeatures,
};
use crate::{
    DecodeError, GroupId, MeterId, PortNo, Problem, Version,
    wire::{Reader, Wire, Writer},
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestBody {
    /// What the switch is.
    Desc,
    /// Flows.
    Flow(FlowStatsRequest),
    /// Flows, counted together.
    Aggregate(FlowStatsRequest),
    /// Every table's counters.
    Table,
    /// A port's counters, or every one's.
    PortStats(PortNo),
    /// Queues' counters.
    Queue(QueueStatsRequest),
    /// A group's counters, or every one's.
    Group(GroupId),
    /// Every group; since OpenFlow 1.5 one alone, if it is not [`GroupId::ALL`].
    GroupDesc(GroupId),
    /// What groups there can be.
    GroupFeatures,
    /// A meter's counters, or every one's.
    Meter(MeterId),
    /// A meter, or every one.
    MeterConfig(MeterId),
    /// What meters there can be.
    MeterFeatures,
    /// What tables can do; with a body, what they shall be like. OpenFlow 1.3 alone.
    TableFeatures(Vec<TableFeatures>),
    /// Every port; since OpenFlow 1.5 one alone, if it is not [`PortNo::ANY`].
    PortDesc(PortNo),
    Experimenter(ExperimenterBody),
    /// One of a type that is not known in this version.
    Other {
        kind: u16,
        data: Vec<u8>,
    },
}

/// A number of 32 bits and as many of padding.
fn get_padded<T: Wire>(r: &mut Reader<'_>) -> Result<T, DecodeError> {
    let value = T::get(r)?;
    r.skip(4)?;
    Ok(value)
}

fn put_padded(value: &impl Wire, w: &mut Writer<'_>) {
    value.put(w);
    w.zeros(4);
}

impl RequestBody {
    pub(super) const fn kind(&self) -> u16 {
        match self {
            Self::Desc => DESC,
            Self::Flow(_) => FLOW,
            Self::Aggregate(_) => AGGREGATE,
            Self::Table => TABLE,
            Self::PortStats(_) => PORT_STATS,
            Self::Queue(_) => QUEUE,
            Self::Group(_) => GROUP,
            Self::GroupDesc(_) => GROUP_DESC,
            Self::GroupFeatures => GROUP_FEATURES,
            Self::Meter(_) => METER,
            Self::MeterConfig(_) => METER_CONFIG,
            Self::MeterFeatures => METER_FEATURES,
            Self::TableFeatures(_) => TABLE_FEATURES,
            Self::PortDesc(_) => PORT_DESC,
            Self::Experimenter(_) => EXPERIMENTER,
            Self::Other { kind, .. } => *kind,
        }
    }

    pub(super) fn get_body(kind: u16, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        Ok(match kind {
            DESC => Self::Desc,
            FLOW => Self::Flow(Wire::get(r)?),
            AGGREGATE => Self::Aggregate(Wire::get(r)?),
            TABLE => Self::Table,
            PORT_STATS => Self::PortStats(get_padded(r)?),
            QUEUE => Self::Queue(Wire::get(r)?),
            GROUP => Self::Group(get_padded(r)?),
            GROUP_DESC if version < Version::V1_5 => Self::GroupDesc(GroupId::ALL),
            GROUP_DESC => Self::GroupDesc(get_padded(r)?),
            GROUP_FEATURES => Self::GroupFeatures,
            METER => Self::Meter(get_padded(r)?),
            METER_CONFIG => Self::MeterConfig(get_padded(r)?),
            METER_FEATURES => Self::MeterFeatures,
            TABLE_FEATURES if version == Version::V1_3 => Self::TableFeatures(Wire::get(r)?),
            PORT_DESC if version < Version::V1_5 => Self::PortDesc(PortNo::ANY),
            PORT_DESC => Self::PortDesc(get_padded(r)?),
            EXPERIMENTER => Self::Experimenter(Wire::get(r)?),
            _ => Self::Other { kind, data: Wire::get(r)? },
        })
    }

    pub(super) fn put_body(&self, w: &mut Writer<'_>) {
        w.writing("MultipartRequest");
        let version = w.version();
        match self {
            Self::Flow(request) | Self::Aggregate(request) => request.put(w),
            Self::PortStats(port) => put_padded(port, w),
            Self::Queue(request) => request.put(w),
            Self::Group(group) => put_padded(group, w),
            Self::Meter(meter) | Self::MeterConfig(meter) => put_padded(meter, w),
            Self::GroupDesc(group) if version >= Version::V1_5 => put_padded(group, w),
            Self::PortDesc(port) if version >= Version::V1_5 => put_padded(port, w),
            Self::Desc
            | Self::Table
            | Self::GroupFeatures
            | Self::MeterFeatures
            | Self::GroupDesc(GroupId::ALL)
            | Self::PortDesc(PortNo::ANY) => {}
            Self::GroupDesc(_) | Self::PortDesc(_) => w.fail(Problem::Version),
            Self::TableFeatures(tables) => {
                if version != Version::V1_3 {
                    w.fail(Problem::Version);
                }
                tables.put(w);
            }
            Self::Experimenter(body) => body.put(w),
            Self::Other { data, .. } => data.put(w),
        }
    }
}
