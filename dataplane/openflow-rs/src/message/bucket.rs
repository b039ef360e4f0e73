use alloc::vec::Vec;

use crate::{
    Action, DecodeError, GroupId, PortNo, Problem, Version,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer, open},
};

open! {
    /// A bucket of a group; OpenFlow 1.5.
    BucketId: u32 {
        /// The last that a bucket may have.
        MAX = 0xffff_ff00,
        /// Before all others, or the first.
        FIRST = 0xffff_fffd,
        /// After all others, or the last.
        LAST = 0xffff_fffe,
        /// All of them.
        ALL = 0xffff_ffff,
    }
}

/// Actions of a group, together (OpenFlow 1.3.5, section 7.3.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The share of packets, in groups that select. In OpenFlow 1.5 it is not said if it is 0, which is taken for 1.
    pub weight: u16,
    /// The bucket is used while it is up, in groups for fast failover.
    pub watch_port: PortNo,
    /// The bucket is used while it is up, in groups for fast failover.
    pub watch_group: GroupId,
    pub actions: Vec<Action>,
    /// OpenFlow 1.5, and 0 before.
    pub id: BucketId,
    /// Properties that are not known; OpenFlow 1.5.
    pub properties: Vec<RawProperty>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            weight: 0,
            watch_port: PortNo::ANY,
            watch_group: GroupId::ANY,
            actions: Vec::new(),
            id: BucketId(0),
            properties: Vec::new(),
        }
    }
}

const WEIGHT: u16 = 0;
const WATCH_PORT: u16 = 1;
const WATCH_GROUP: u16 = 2;

impl Bucket {
    /// What follows the length, since OpenFlow 1.5.
    fn get_with_properties(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let actions_len = u16::get(r)?;
        let id = Wire::get(r)?;
        let actions = Wire::get(&mut r.sub(actions_len.into())?)?;
        let mut bucket = Self { actions, id, ..Self::default() };
        while !r.is_empty() {
            property::get(r, |kind, body| {
                match kind {
                    WEIGHT => {
                        bucket.weight = Wire::get(body)?;
                        body.skip_up_to(2);
                    }
                    WATCH_PORT => bucket.watch_port = Wire::get(body)?,
                    WATCH_GROUP => bucket.watch_group = Wire::get(body)?,
                    _ => bucket.properties.push(RawProperty { kind, body: Wire::get(body)? }),
                }
                Ok(())
            })?;
        }
        Ok(bucket)
    }

    fn put_with_properties(&self, w: &mut Writer<'_>) {
        let Self { weight, watch_port, watch_group, actions, id, properties } = self;
        let at = w.length_here();
        id.put(w);
        let start = w.position();
        actions.put(w);
        w.writing("actions of Bucket");
        w.set_length(at, start);
        if *weight != 0 {
            property::put(w, WEIGHT, |w| {
                weight.put(w);
                w.zeros(2);
            });
        }
        property::put_some(w, WATCH_PORT, Some(watch_port).filter(|port| **port != PortNo::ANY));
        property::put_some(w, WATCH_GROUP, Some(watch_group).filter(|group| **group != GroupId::ANY));
        properties.put(w);
    }
}

impl Wire for Bucket {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Bucket");
        let start = r.offset();
        let len = Wire::get(r)?;
        let r = &mut r.sub_from(start, len)?;
        if r.version() >= Version::V1_5 {
            return Self::get_with_properties(r);
        }
        let (weight, watch_port, watch_group) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        r.skip(4)?;
        let actions = Wire::get(r)?;
        Ok(Self { weight, watch_port, watch_group, actions, ..Self::default() })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { weight, watch_port, watch_group, actions, id, properties } = self;
        w.writing("Bucket");
        let start = w.position();
        let at = w.length_here();
        if w.version() >= Version::V1_5 {
            self.put_with_properties(w);
        } else {
            if *id != BucketId(0) || !properties.is_empty() {
                w.fail(Problem::Version);
            }
            weight.put(w);
            watch_port.put(w);
            watch_group.put(w);
            w.zeros(4);
            actions.put(w);
        }
        w.writing("Bucket");
        w.set_length(at, start);
    }
}
