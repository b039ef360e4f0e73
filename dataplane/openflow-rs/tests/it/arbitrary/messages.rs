use openflow::{
    AsyncConfig, AsyncKind, AsyncProperties, AsyncProperty, Bucket, BucketId, BundleAdd, BundleControl,
    BundleControlType, BundleFlags, BundleId, Capabilities, DatapathId, ErrorCode, ErrorMessage,
    EthernetPort, Experimenter, Features, FlowMod, FlowModCommand, FlowModFlags, FlowRemoved,
    FlowRemovedReason, FragmentHandling, GroupMod, GroupModCommand, GroupType, Hello, HelloElement, Match,
    Message, MeterFlags, MeterMod, MeterModCommand, PacketIn, PacketOut, PacketQueue, Port, PortConfig,
    PortFeatures, PortMod, PortReason, PortState, PortStatus, QueueConfig, QueueProperty, QueueRate,
    RawProperty, Role, RoleMessage, Roles, SwitchConfig, TableMod, Version,
    nicira::{NiciraMessage, PacketIn2, PacketInFormat, TlvMap, TlvTableCommand, TlvTableMod, TlvTableReply},
};

use super::{Entropy, Make, enumerations, flag_sets, numbers, since, structures};

numbers! {
    BucketId BundleId DatapathId FlowRemovedReason FragmentHandling GroupType PortReason QueueRate Role AsyncProperties
}
flag_sets!(BundleFlags Capabilities FlowModFlags MeterFlags PortConfig PortFeatures PortState);
structures! {
    Hello { elements }
    Experimenter { experimenter, kind, data }
    Features { datapath, buffers, tables, auxiliary, capabilities, reserved }
    SwitchConfig { fragments, miss_send_len }
    PacketIn { buffer, total_len, reason, table, cookie, matching, data }
    FlowRemoved { cookie, priority, reason, table, idle_timeout, hard_timeout, counters, matching }
    PortStatus { reason, port }
    EthernetPort { current, advertised, supported, peer, speed, speed_max }
    MeterMod { command, flags, meter, bands }
    QueueConfig { port, queues }
    PacketQueue { queue, port, properties }
    Roles { master, slave }
    AsyncConfig { packet_in, port_status, flow_removed }
    BundleControl { bundle, kind, flags, properties }
    TlvMap { class, kind, len, index }
    TlvTableMod { command, maps }
    TlvTableReply { space_max, fields_max, maps }
    PacketIn2 { packet, full_len, buffer, table, cookie, reason, metadata, user_data, continuation, other }
}

macro_rules! of_all {
    ($($type:ident)*) => {
        $(impl Make for $type {
            fn make(entropy: &mut Entropy<'_>) -> Self {
                entropy.pick(Self::ALL)
            }
        })*
    };
}

of_all!(FlowModCommand GroupModCommand MeterModCommand BundleControlType PacketInFormat TlvTableCommand);

impl Make for FlowMod {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            cookie: Make::make(entropy),
            cookie_mask: Make::make(entropy),
            table: Make::make(entropy),
            command: Make::make(entropy),
            idle_timeout: Make::make(entropy),
            hard_timeout: Make::make(entropy),
            priority: Make::make(entropy),
            buffer: Make::make(entropy),
            out_port: Make::make(entropy),
            out_group: Make::make(entropy),
            flags: Make::make(entropy),
            importance: since(Version::V1_4, entropy),
            matching: Make::make(entropy),
            instructions: Make::make(entropy),
        }
    }
}

impl Make for PacketOut {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            buffer: Make::make(entropy),
            in_port: Make::make(entropy),
            pipeline: since::<Match>(Version::V1_5, entropy),
            actions: Make::make(entropy),
            data: Make::make(entropy),
        }
    }
}

impl Make for Bucket {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            weight: Make::make(entropy),
            watch_port: Make::make(entropy),
            watch_group: Make::make(entropy),
            actions: Make::make(entropy),
            id: since(Version::V1_5, entropy),
            properties: since(Version::V1_5, entropy),
        }
    }
}

impl Make for GroupMod {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let before_1_5 = entropy.version < Version::V1_5;
        Self {
            command: Make::make(entropy),
            kind: Make::make(entropy),
            group: Make::make(entropy),
            buckets: Make::make(entropy),
            command_bucket: if before_1_5 { BucketId::ALL } else { Make::make(entropy) },
            properties: since(Version::V1_5, entropy),
        }
    }
}

impl Make for Port {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            no: Make::make(entropy),
            mac: Make::make(entropy),
            name: Make::make(entropy),
            config: Make::make(entropy),
            state: Make::make(entropy),
            ethernet: Make::make(entropy),
            properties: since(Version::V1_4, entropy),
        }
    }
}

impl Make for PortMod {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self {
            port: Make::make(entropy),
            mac: Make::make(entropy),
            config: Make::make(entropy),
            mask: Make::make(entropy),
            advertise: Make::make(entropy),
            properties: since(Version::V1_4, entropy),
        }
    }
}

impl Make for TableMod {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let properties = since::<Vec<RawProperty>>(Version::V1_4, entropy);
        Self { table: Make::make(entropy), config: Make::make(entropy), properties }
    }
}

impl Make for RoleMessage {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let short_id = since(Version::V1_5, entropy);
        Self { role: Make::make(entropy), short_id, generation: Make::make(entropy) }
    }
}

impl Make for ErrorCode {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self { kind: u16::make(entropy) & 0x7fff, code: Make::make(entropy) }
    }
}

impl Make for BundleAdd {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        let message = if entropy.depth == 0 {
            Message::BarrierRequest
        } else {
            entropy.depth -= 1;
            let message = Make::make(entropy);
            entropy.depth += 1;
            message
        };
        Self {
            bundle: Make::make(entropy),
            flags: Make::make(entropy),
            xid: Make::make(entropy),
            message: Box::new(message),
            properties: Make::make(entropy),
        }
    }
}

/// What 1.3 alone has.
fn only_1_3(entropy: &mut Entropy<'_>, message: fn(&mut Entropy<'_>) -> Message) -> Message {
    if entropy.version == Version::V1_3 { message(entropy) } else { Message::BarrierReply }
}

enumerations! {
    HelloElement {
        |e| Self::VersionBitmap(Make::make(e)),
        |e| Self::Other { kind: 0x7000, data: Make::make(e) },
    }
    ErrorMessage {
        |e| Self::Standard { code: Make::make(e), data: Make::make(e) },
        |e| Self::Experimenter { code: Make::make(e), experimenter: Make::make(e), data: Make::make(e) },
    }
    QueueProperty {
        |e| Self::MinRate(Make::make(e)),
        |e| Self::MaxRate(Make::make(e)),
        |e| Self::Experimenter { experimenter: Make::make(e), data: Make::make(e) },
        |e| Self::Other { kind: 0x7000, data: Make::make(e) },
    }
    AsyncProperty {
        |e| Self::Reasons { kind: AsyncKind(u16::make(e) % 12), mask: Make::make(e) },
        |e| Self::Other(Make::make(e)),
    }
    NiciraMessage {
        |e| Self::SetPacketInFormat(Make::make(e)),
        |e| Self::SetControllerId(Make::make(e)),
        |e| Self::SetAsyncConfig2(Make::make(e)),
        |e| Self::TlvTableMod(Make::make(e)),
        |_| Self::TlvTableRequest,
        |e| Self::TlvTableReply(Make::make(e)),
        |e| Self::CtFlushZone(Make::make(e)),
        |e| Self::PacketIn2(Make::make(e)),
        |e| Self::Resume(Make::make(e)),
        |e| Self::Other { subtype: 999, data: Make::make(e) },
    }
    Message {
        |e| Self::Hello(Make::make(e)),
        |e| Self::Error(Make::make(e)),
        |e| Self::EchoRequest(Make::make(e)),
        |e| Self::EchoReply(Make::make(e)),
        |e| Self::Experimenter(Experimenter { experimenter: openflow::ExperimenterId(9), ..Make::make(e) }),
        |_| Self::FeaturesRequest,
        |e| Self::FeaturesReply(Make::make(e)),
        |_| Self::GetConfigRequest,
        |e| Self::GetConfigReply(Make::make(e)),
        |e| Self::SetConfig(Make::make(e)),
        |e| Self::PacketIn(Make::make(e)),
        |e| Self::FlowRemoved(Make::make(e)),
        |e| Self::PortStatus(Make::make(e)),
        |e| Self::PacketOut(Make::make(e)),
        |e| Self::FlowMod(Make::make(e)),
        |e| Self::GroupMod(Make::make(e)),
        |e| Self::PortMod(Make::make(e)),
        |e| Self::TableMod(Make::make(e)),
        |e| Self::MultipartRequest(Make::make(e)),
        |e| Self::MultipartReply(Make::make(e)),
        |_| Self::BarrierRequest,
        |_| Self::BarrierReply,
        |e| only_1_3(e, |e| Self::QueueGetConfigRequest(Make::make(e))),
        |e| only_1_3(e, |e| Self::QueueGetConfigReply(Make::make(e))),
        |e| Self::RoleRequest(Make::make(e)),
        |e| Self::RoleReply(Make::make(e)),
        |_| Self::GetAsyncRequest,
        |e| only_1_3(e, |e| Self::GetAsyncReply(Make::make(e))),
        |e| only_1_3(e, |e| Self::SetAsync(Make::make(e))),
        |e| if e.version == Version::V1_3 { Self::BarrierReply } else { Self::GetAsyncListReply(Make::make(e)) },
        |e| if e.version == Version::V1_3 { Self::BarrierReply } else { Self::SetAsyncList(Make::make(e)) },
        |e| Self::MeterMod(Make::make(e)),
        |e| Self::BundleControl(Make::make(e)),
        |e| Self::BundleAdd(Make::make(e)),
        |e| Self::Nicira(Make::make(e)),
        |e| Self::Other { kind: 0x70, body: Make::make(e) },
    }
}
