//! Bundles: messages that take effect all together or not at all (OpenFlow 1.4, section 7.3.9; for OpenFlow 1.3 the
//! ONF's extension EXT-230).

use alloc::{boxed::Box, vec::Vec};

use crate::{
    DecodeError, Message, Xid,
    property::RawProperty,
    wire::{Reader, Wire, Writer, closed, flags, layout, open},
};

open! {
    /// A bundle of a connection.
    BundleId: u32 {}
}

closed! {
    /// What is done to a bundle, and the answers (`OFPBCT_*`).
    BundleControlType: u16 {
        OpenRequest = 0,
        OpenReply = 1,
        CloseRequest = 2,
        CloseReply = 3,
        CommitRequest = 4,
        CommitReply = 5,
        DiscardRequest = 6,
        DiscardReply = 7,
    }
}

flags! {
    /// `OFPBF_*`.
    BundleFlags: u16 {
        /// No packet sees a part of it.
        ATOMIC = 1 << 0,
        /// In the order in which the messages were added.
        ORDERED = 1 << 1,
        /// At a time; OpenFlow 1.5.
        TIME = 1 << 2,
    }
}

/// A bundle begins, ends or takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleControl {
    pub bundle: BundleId,
    pub kind: BundleControlType,
    /// The same in all messages of a bundle.
    pub flags: BundleFlags,
    pub properties: Vec<RawProperty>,
}

layout!(BundleControl { bundle, kind, flags, properties });

/// A message for a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleAdd {
    pub bundle: BundleId,
    pub flags: BundleFlags,
    /// Of the message inside, which is the same as outside.
    pub xid: Xid,
    pub message: Box<Message>,
    pub properties: Vec<RawProperty>,
}

impl Wire for BundleAdd {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("BundleAdd");
        let bundle = Wire::get(r)?;
        r.skip(2)?;
        let flags = Wire::get(r)?;
        r.deeper()?;
        let start = r.offset();
        let (header, message) = Message::get_frame(r)?;
        r.shallower();
        r.skip_up_to(crate::wire::padding(r.offset() - start));
        let message = Box::new(message);
        Ok(Self { bundle, flags, xid: header.xid, message, properties: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { bundle, flags, xid, message, properties } = self;
        bundle.put(w);
        w.zeros(2);
        flags.put(w);
        let start = w.position();
        if w.deeper() {
            message.put_frame(*xid, w);
            w.shallower();
        }
        if !properties.is_empty() {
            w.align(start);
        }
        properties.put(w);
    }
}
