//! Extensions of Open vSwitch, under Nicira's number (`include/openflow/nicira-ext.h`, `lib/ofp-actions.c`).

mod action;
mod conntrack;
mod controller;
mod learn;
mod learn_spec;
mod message;
mod misc;
mod multipath;
mod nat;
mod packet_in2;
mod registers;
mod resubmit;
mod subfield;
mod tlv_table;

pub use action::NiciraAction;
pub use conntrack::{CloneActions, Ct, CtFlags, CtZone};
pub use controller::{Controller, Controller2};
pub use learn::{Learn, Learn2, LearnFlags};
pub use learn_spec::{LearnSource, LearnSpec};
pub use message::{NiciraMessage, PacketInFormat};
pub use misc::{
    CheckPktLarger, Conjunction, DecTtlCntIds, DeleteField, FinTimeout, Note, OutputTrunc, Sample, SetTunnel,
    SetTunnel64, WriteMetadata,
};
pub use multipath::{BundleAction, BundleAlgorithm, HashFields, Multipath, MultipathAlgorithm};
pub use nat::{Nat, NatAddresses, NatFlags, NatPorts};
pub use packet_in2::PacketIn2;
pub use registers::{OutputReg, OutputReg2, RegLoad, RegLoad2, RegMove, Stack};
pub use resubmit::{Resubmit, ResubmitTable};
pub use subfield::Subfield;
pub use tlv_table::{TlvMap, TlvTableCommand, TlvTableMod, TlvTableReply};
