use alloc::vec::Vec;

use crate::{
    Bucket, DecodeError, GroupId, GroupType, Problem, Version,
    property::RawProperty,
    wire::{Reader, Wire, Writer, flags, layout},
};

/// What a group has counted (OpenFlow 1.3.5, section 7.3.5.9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupStats {
    pub group: GroupId,
    /// Flows and groups that use it.
    pub references: u32,
    pub packets: u64,
    pub bytes: u64,
    /// Since the group was made.
    pub duration_s: u32,
    /// Beyond `duration_s`.
    pub duration_ns: u32,
    /// In the order of the group's.
    pub buckets: Vec<BucketCounter>,
}

layout!(GroupStats { [len], 2, group, references, 4, packets, bytes, duration_s, duration_ns, buckets });

/// What a bucket has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketCounter {
    pub packets: u64,
    pub bytes: u64,
}

layout!(BucketCounter { packets, bytes });

/// A group (section 7.3.5.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupDesc {
    pub kind: GroupType,
    pub group: GroupId,
    pub buckets: Vec<Bucket>,
    /// OpenFlow 1.5.
    pub properties: Vec<RawProperty>,
}

impl Wire for GroupDesc {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("GroupDesc");
        let start = r.offset();
        let len = Wire::get(r)?;
        let r = &mut r.sub_from(start, len)?;
        let kind = Wire::get(r)?;
        r.skip(1)?;
        let group = Wire::get(r)?;
        if r.version() < Version::V1_5 {
            return Ok(Self { kind, group, buckets: Wire::get(r)?, properties: Vec::new() });
        }
        let buckets_len = u16::get(r)?;
        r.skip(6)?;
        let buckets = Wire::get(&mut r.sub(buckets_len.into())?)?;
        Ok(Self { kind, group, buckets, properties: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { kind, group, buckets, properties } = self;
        w.writing("GroupDesc");
        let start = w.position();
        let at = w.length_here();
        kind.put(w);
        w.zeros(1);
        group.put(w);
        if w.version() < Version::V1_5 {
            if !properties.is_empty() {
                w.fail(Problem::Version);
            }
            buckets.put(w);
        } else {
            let buckets_at = w.length_here();
            w.zeros(6);
            let buckets_start = w.position();
            buckets.put(w);
            w.set_length(buckets_at, buckets_start);
            properties.put(w);
        }
        w.writing("GroupDesc");
        w.set_length(at, start);
    }
}

flags! {
    /// Bit `n` is type `n` of groups.
    GroupTypes: u32 {
        ALL = 1 << 0,
        SELECT = 1 << 1,
        INDIRECT = 1 << 2,
        FAST_FAILOVER = 1 << 3,
    }
}

flags! {
    /// `OFPGFC_*`.
    GroupCapabilities: u32 {
        SELECT_WEIGHT = 1 << 0,
        SELECT_LIVENESS = 1 << 1,
        /// Groups can use groups.
        CHAINING = 1 << 2,
        /// Circles are refused.
        CHAINING_CHECKS = 1 << 3,
    }
}

/// What groups there can be (section 7.3.5.11). Arrays are in the order of the types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupFeatures {
    pub types: GroupTypes,
    pub capabilities: GroupCapabilities,
    /// How many groups.
    pub groups_max: [u32; 4],
    /// Bit `n` is type `n` of actions.
    pub actions: [u32; 4],
}

layout!(GroupFeatures { types, capabilities, groups_max, actions });
