#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod action;
mod bundle;
mod error;
mod ids;
mod instruction;
mod message;
pub mod multipart;
pub mod nicira;
pub mod oxm;
mod property;
mod version;
mod wire;

pub use action::Action;
pub use bundle::{BundleAdd, BundleControl, BundleControlType, BundleFlags, BundleId};
pub use error::{DecodeError, EncodeError, Problem};
pub use ids::{
    BufferId, Cookie, Dscp, Ecn, ExperimenterId, FlowLabel, GroupId, Mac, MaxLen, MeterId, MplsLabel, MplsTc,
    PbbIsid, PortNo, QueueId, TableId, Text, VlanPcp, VlanVid, Xid,
};
pub use instruction::Instruction;
pub use message::{
    AsyncConfig, AsyncKind, AsyncProperties, AsyncProperty, Bucket, BucketId, Capabilities, DatapathId,
    ErrorCode, ErrorMessage, EthernetPort, Experimenter, Features, FlowMod, FlowModCommand, FlowModFlags,
    FlowRemoved, FlowRemovedReason, FragmentHandling, GroupMod, GroupModCommand, GroupType, HEADER_LEN,
    Header, Hello, HelloElement, Message, MeterBand, MeterFlags, MeterMod, MeterModCommand, PacketIn,
    PacketInReason, PacketOut, PacketQueue, Port, PortConfig, PortFeatures, PortMod, PortReason, PortState,
    PortStatus, QueueConfig, QueueProperty, QueueRate, Role, RoleMessage, Roles, SwitchConfig, TableMod,
    frame_length,
};
pub use multipart::{MultipartFlags, MultipartReply, MultipartRequest, ReplyBody, RequestBody};
pub use oxm::{Duration, FlowCounters, Match};
pub use property::RawProperty;
pub use version::Version;
