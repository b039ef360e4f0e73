use alloc::vec::Vec;

use super::{Bucket, BucketId};
use crate::{
    DecodeError, GroupId, Problem, Version,
    property::RawProperty,
    wire::{Reader, Wire, Writer, closed, open},
};

closed! {
    /// What is done to groups (`OFPGC_*`).
    #[derive(Default)]
    GroupModCommand: u16 {
        #[default]
        Add = 0,
        Modify = 1,
        Delete = 2,
        /// Buckets come into a group; OpenFlow 1.5.
        InsertBucket = 3,
        /// Buckets go from a group; OpenFlow 1.5.
        RemoveBucket = 5,
        /// Whichever it takes; Open vSwitch.
        AddOrModify = 0x8000,
    }
}

open! {
    /// What a group does with its buckets (`OFPGT_*`).
    GroupType: u8 {
        /// Each gets a copy.
        ALL = 0,
        /// One, which the switch selects.
        SELECT = 1,
        /// The only one that there is.
        INDIRECT = 2,
        /// The first that is up.
        FAST_FAILOVER = 3,
    }
}

/// A change to groups (OpenFlow 1.3.5, section 7.3.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMod {
    pub command: GroupModCommand,
    pub kind: GroupType,
    pub group: GroupId,
    pub buckets: Vec<Bucket>,
    /// Where buckets are inserted, or which are removed; [`BucketId::ALL`] for other commands, and before OpenFlow 1.5.
    pub command_bucket: BucketId,
    /// OpenFlow 1.5.
    pub properties: Vec<RawProperty>,
}

impl Default for GroupMod {
    fn default() -> Self {
        Self {
            command: GroupModCommand::Add,
            kind: GroupType::ALL,
            group: GroupId(0),
            buckets: Vec::new(),
            command_bucket: BucketId::ALL,
            properties: Vec::new(),
        }
    }
}

impl Wire for GroupMod {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("GroupMod.command");
        let command = Wire::get(r)?;
        r.reading("GroupMod");
        let kind = Wire::get(r)?;
        r.skip(1)?;
        let group = Wire::get(r)?;
        if r.version() < Version::V1_5 {
            return Ok(Self { command, kind, group, buckets: Wire::get(r)?, ..Self::default() });
        }
        let buckets_len = u16::get(r)?;
        r.skip(2)?;
        let command_bucket = Wire::get(r)?;
        let buckets = Wire::get(&mut r.sub(buckets_len.into())?)?;
        Ok(Self { command, kind, group, buckets, command_bucket, properties: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { command, kind, group, buckets, command_bucket, properties } = self;
        w.writing("GroupMod");
        command.put(w);
        kind.put(w);
        w.zeros(1);
        group.put(w);
        if w.version() < Version::V1_5 {
            if *command_bucket != BucketId::ALL || !properties.is_empty() {
                w.fail(Problem::Version);
            }
            return buckets.put(w);
        }
        let at = w.length_here();
        w.zeros(2);
        command_bucket.put(w);
        let start = w.position();
        buckets.put(w);
        w.writing("GroupMod.buckets");
        w.set_length(at, start);
        properties.put(w);
    }
}
