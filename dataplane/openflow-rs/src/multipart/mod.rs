//! Requests for what a switch has, and its answers, which may be in several parts (OpenFlow 1.3.5, section 7.3.5).

mod desc;
mod experimenter;
mod flow;
mod group;
mod meter;
mod port;
mod queue;
mod reply;
mod request;
mod table;
mod table_features;

pub use desc::Desc;
pub use experimenter::ExperimenterBody;
pub use flow::{AggregateStats, FlowStats, FlowStatsRequest};
pub use group::{BucketCounter, GroupCapabilities, GroupDesc, GroupFeatures, GroupStats, GroupTypes};
pub use meter::{MeterBandStats, MeterConfig, MeterFeatures, MeterStats};
pub use port::{EthernetCounters, PortCounters, PortStats};
pub use queue::{QueueCounters, QueueStats, QueueStatsRequest};
pub use reply::ReplyBody;
pub use request::RequestBody;
pub use table::TableStats;
pub use table_features::{TableFeatureProperty, TableFeatures, TypeId};

use crate::{
    DecodeError,
    wire::{Reader, Wire, Writer, flags},
};

flags! {
    /// `OFPMPF_REQ_*` and `OFPMPF_REPLY_*`.
    MultipartFlags: u16 {
        /// Another part follows.
        MORE = 1 << 0,
    }
}

/// A request, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartRequest {
    pub flags: MultipartFlags,
    pub body: RequestBody,
}

impl From<RequestBody> for MultipartRequest {
    /// All of it.
    fn from(body: RequestBody) -> Self {
        Self { flags: MultipartFlags::empty(), body }
    }
}

/// A reply, or a part of one; parts have the request's transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartReply {
    pub flags: MultipartFlags,
    pub body: ReplyBody,
}

impl From<ReplyBody> for MultipartReply {
    /// All of it.
    fn from(body: ReplyBody) -> Self {
        Self { flags: MultipartFlags::empty(), body }
    }
}

// The types (`OFPMP_*`).
const DESC: u16 = 0;
const FLOW: u16 = 1;
const AGGREGATE: u16 = 2;
const TABLE: u16 = 3;
const PORT_STATS: u16 = 4;
const QUEUE: u16 = 5;
const GROUP: u16 = 6;
const GROUP_DESC: u16 = 7;
const GROUP_FEATURES: u16 = 8;
const METER: u16 = 9;
const METER_CONFIG: u16 = 10;
const METER_FEATURES: u16 = 11;
const TABLE_FEATURES: u16 = 12;
const PORT_DESC: u16 = 13;
const EXPERIMENTER: u16 = 0xffff;

impl Wire for MultipartRequest {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("MultipartRequest");
        let (kind, flags) = (Wire::get(r)?, Wire::get(r)?);
        r.skip(4)?;
        Ok(Self { flags, body: RequestBody::get_body(kind, r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { flags, body } = self;
        body.kind().put(w);
        flags.put(w);
        w.zeros(4);
        body.put_body(w);
    }
}

impl Wire for MultipartReply {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("MultipartReply");
        let (kind, flags) = (Wire::get(r)?, Wire::get(r)?);
        r.skip(4)?;
        Ok(Self { flags, body: ReplyBody::get_body(kind, r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { flags, body } = self;
        body.kind().put(w);
        flags.put(w);
        w.zeros(4);
        body.put_body(w);
    }
}
