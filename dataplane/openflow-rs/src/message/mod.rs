//! Messages, whole: the header, the type, and what each type says (OpenFlow 1.3.5, sections 7.1, 7.3 to 7.5).

mod async_config;
mod bucket;
mod codec;
mod config;
mod error;
mod error_code;
mod experimenter;
mod features;
mod flow_mod;
mod flow_removed;
mod frame;
mod group_mod;
mod hello;
mod meter_mod;
mod packet;
mod port;
mod port_mod;
mod queue;
mod role;
mod table_mod;

pub use async_config::{AsyncConfig, AsyncKind, AsyncProperties, AsyncProperty, Roles};
pub use bucket::{Bucket, BucketId};
pub use config::{FragmentHandling, SwitchConfig};
pub use error::ErrorMessage;
pub use error_code::ErrorCode;
pub use experimenter::Experimenter;
pub use features::{Capabilities, DatapathId, Features};
pub use flow_mod::{FlowMod, FlowModCommand, FlowModFlags};
pub(crate) use flow_mod::{get_importance, put_importance};
pub use flow_removed::{FlowRemoved, FlowRemovedReason};
pub use frame::{HEADER_LEN, Header, frame_length};
pub use group_mod::{GroupMod, GroupModCommand, GroupType};
pub use hello::{Hello, HelloElement};
pub use meter_mod::{MeterBand, MeterFlags, MeterMod, MeterModCommand};
pub use packet::{PacketIn, PacketInReason, PacketOut};
pub use port::{EthernetPort, Port, PortConfig, PortFeatures, PortReason, PortState, PortStatus};
pub use port_mod::PortMod;
pub use queue::{PacketQueue, QueueConfig, QueueProperty, QueueRate};
pub use role::{Role, RoleMessage};
pub use table_mod::TableMod;

use alloc::vec::Vec;

use crate::{BundleAdd, BundleControl, MultipartReply, MultipartRequest, PortNo, nicira::NiciraMessage};

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    Hello(Hello),
    Error(ErrorMessage),
    EchoRequest(Vec<u8>),
    /// With the data of the request.
    EchoReply(Vec<u8>),
    /// One of an experimenter whose messages are not known.
    Experimenter(Experimenter),
    FeaturesRequest,
    FeaturesReply(Features),
    GetConfigRequest,
    GetConfigReply(SwitchConfig),
    SetConfig(SwitchConfig),
    PacketIn(PacketIn),
    FlowRemoved(FlowRemoved),
    PortStatus(PortStatus),
    PacketOut(PacketOut),
    FlowMod(FlowMod),
    GroupMod(GroupMod),
    PortMod(PortMod),
    TableMod(TableMod),
    MultipartRequest(MultipartRequest),
    MultipartReply(MultipartReply),
    BarrierRequest,
    BarrierReply,
    /// About the queues of a port, or of every one; OpenFlow 1.3 alone.
    QueueGetConfigRequest(PortNo),
    /// OpenFlow 1.3 alone.
    QueueGetConfigReply(QueueConfig),
    RoleRequest(RoleMessage),
    RoleReply(RoleMessage),
    GetAsyncRequest,
    /// OpenFlow 1.3 alone.
    GetAsyncReply(AsyncConfig),
    /// OpenFlow 1.4 and later.
    GetAsyncListReply(AsyncProperties),
    /// OpenFlow 1.3 alone.
    SetAsync(AsyncConfig),
    /// OpenFlow 1.4 and later.
    SetAsyncList(AsyncProperties),
    MeterMod(MeterMod),
    /// In OpenFlow 1.3, the extension of the ONF.
    BundleControl(BundleControl),
    /// In OpenFlow 1.3, the extension of the ONF.
    BundleAdd(BundleAdd),
    /// One of Open vSwitch.
    Nicira(NiciraMessage),
    /// One of a type that is not known in this version.
    Other {
        kind: u8,
        body: Vec<u8>,
    },
}

macro_rules! from {
    ($($body:ident)*) => {
        $(impl From<$body> for Message {
            fn from(body: $body) -> Self {
                Self::$body(body)
            }
        })*
    };
}

from!(Hello Experimenter PacketIn FlowRemoved PortStatus PacketOut FlowMod GroupMod PortMod TableMod MeterMod);
from!(MultipartRequest MultipartReply BundleControl BundleAdd);

impl From<ErrorMessage> for Message {
    fn from(error: ErrorMessage) -> Self {
        Self::Error(error)
    }
}

impl From<NiciraMessage> for Message {
    fn from(message: NiciraMessage) -> Self {
        Self::Nicira(message)
    }
}
