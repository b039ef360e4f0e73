use alloc::vec::Vec;

use super::{Header, Message, frame::HEADER_LEN};
use crate::{
    DecodeError, EncodeError, ExperimenterId, PortNo, Problem, Version, Xid,
    wire::{Reader, Wire, Writer},
};

const HELLO: u8 = 0;
const ERROR: u8 = 1;
const ECHO_REQUEST: u8 = 2;
const ECHO_REPLY: u8 = 3;
const EXPERIMENTER: u8 = 4;
const FEATURES_REQUEST: u8 = 5;
const FEATURES_REPLY: u8 = 6;
const GET_CONFIG_REQUEST: u8 = 7;
const GET_CONFIG_REPLY: u8 = 8;
const SET_CONFIG: u8 = 9;
const PACKET_IN: u8 = 10;
const FLOW_REMOVED: u8 = 11;
const PORT_STATUS: u8 = 12;
const PACKET_OUT: u8 = 13;
const FLOW_MOD: u8 = 14;
const GROUP_MOD: u8 = 15;
const PORT_MOD: u8 = 16;
const TABLE_MOD: u8 = 17;
const MULTIPART_REQUEST: u8 = 18;
const MULTIPART_REPLY: u8 = 19;
const BARRIER_REQUEST: u8 = 20;
const BARRIER_REPLY: u8 = 21;
const QUEUE_GET_CONFIG_REQUEST: u8 = 22;
const QUEUE_GET_CONFIG_REPLY: u8 = 23;
const ROLE_REQUEST: u8 = 24;
const ROLE_REPLY: u8 = 25;
const GET_ASYNC_REQUEST: u8 = 26;
const GET_ASYNC_REPLY: u8 = 27;
const SET_ASYNC: u8 = 28;
const METER_MOD: u8 = 29;
const BUNDLE_CONTROL: u8 = 33;
const BUNDLE_ADD: u8 = 34;

// The types of the ONF's own extensions for OpenFlow 1.3 (EXT-230).
const ONF_BUNDLE_CONTROL: u32 = 2300;
const ONF_BUNDLE_ADD: u32 = 2301;

impl Message {
    /// Reads a message, which the bytes are from the first to the last.
    ///
    /// `version` is the one that was negotiated: a message of another is an error, but for hello and error messages,
    /// which may come before there is one.
    pub fn decode(version: Version, bytes: &[u8]) -> Result<(Header, Self), DecodeError> {
        let mut r = Reader::new(version, bytes);
        let message = Self::get_frame(&mut r)?;
        if r.is_empty() { Ok(message) } else { Err(r.error("end of the message, after which there is more")) }
    }

    /// Appends the message to `out`; after an error, `out` is as before.
    pub fn encode(&self, version: Version, xid: Xid, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        let mut w = Writer::new(version, out);
        self.put_frame(xid, &mut w);
        w.finish().inspect_err(|_| out.truncate(start))
    }

    /// The message by itself.
    pub fn to_bytes(&self, version: Version, xid: Xid) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        self.encode(version, xid, &mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn get_frame(r: &mut Reader<'_>) -> Result<(Header, Self), DecodeError> {
        let start = r.clone();
        let header = Header::get(r)?;
        if header.version != r.version().number() && !matches!(header.kind, HELLO | ERROR) {
            return Err(start.error("version of the message, which is not the one that was negotiated"));
        }
        let body_len = usize::from(header.length)
            .checked_sub(HEADER_LEN)
            .ok_or_else(|| start.error("length of the message, which is less than its header's"))?;
        r.reading("message, which ends before its length says");
        let mut body = r.sub(body_len)?;
        let message = Self::get_body(header.kind, &mut body)?;
        if !body.is_empty() {
            return Err(body.error("message, which is longer than what it says"));
        }
        Ok((header, message))
    }

    pub(crate) fn put_frame(&self, xid: Xid, w: &mut Writer<'_>) {
        let start = w.position();
        w.version().number().put(w);
        self.kind(w).put(w);
        let at = w.length_here();
        xid.0.put(w);
        self.put_body(w);
        w.writing("message");
        w.set_length(at, start);
    }

    fn get_body(kind: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let is_1_3 = r.version() == Version::V1_3;
        Ok(match kind {
            HELLO => Self::Hello(Wire::get(r)?),
            ERROR => Self::Error(Wire::get(r)?),
            ECHO_REQUEST => Self::EchoRequest(Wire::get(r)?),
            ECHO_REPLY => Self::EchoReply(Wire::get(r)?),
            EXPERIMENTER => Self::get_experimenter(r)?,
            FEATURES_REQUEST => Self::FeaturesRequest,
            FEATURES_REPLY => Self::FeaturesReply(Wire::get(r)?),
            GET_CONFIG_REQUEST => Self::GetConfigRequest,
            GET_CONFIG_REPLY => Self::GetConfigReply(Wire::get(r)?),
            SET_CONFIG => Self::SetConfig(Wire::get(r)?),
            PACKET_IN => Self::PacketIn(Wire::get(r)?),
            FLOW_REMOVED => Self::FlowRemoved(Wire::get(r)?),
            PORT_STATUS => Self::PortStatus(Wire::get(r)?),
            PACKET_OUT => Self::PacketOut(Wire::get(r)?),
            FLOW_MOD => Self::FlowMod(Wire::get(r)?),
            GROUP_MOD => Self::GroupMod(Wire::get(r)?),
            PORT_MOD => Self::PortMod(Wire::get(r)?),
            TABLE_MOD => Self::TableMod(Wire::get(r)?),
            MULTIPART_REQUEST => Self::MultipartRequest(Wire::get(r)?),
            MULTIPART_REPLY => Self::MultipartReply(Wire::get(r)?),
            BARRIER_REQUEST => Self::BarrierRequest,
            BARRIER_REPLY => Self::BarrierReply,
            QUEUE_GET_CONFIG_REQUEST if is_1_3 => {
                let port = PortNo::get(r)?;
                r.skip(4)?;
                Self::QueueGetConfigRequest(port)
            }
            QUEUE_GET_CONFIG_REPLY if is_1_3 => Self::QueueGetConfigReply(Wire::get(r)?),
            ROLE_REQUEST => Self::RoleRequest(Wire::get(r)?),
            ROLE_REPLY => Self::RoleReply(Wire::get(r)?),
            GET_ASYNC_REQUEST => Self::GetAsyncRequest,
            GET_ASYNC_REPLY if is_1_3 => Self::GetAsyncReply(Wire::get(r)?),
            GET_ASYNC_REPLY => Self::GetAsyncListReply(Wire::get(r)?),
            SET_ASYNC if is_1_3 => Self::SetAsync(Wire::get(r)?),
            SET_ASYNC => Self::SetAsyncList(Wire::get(r)?),
            METER_MOD => Self::MeterMod(Wire::get(r)?),
            BUNDLE_CONTROL if !is_1_3 => Self::BundleControl(Wire::get(r)?),
            BUNDLE_ADD if !is_1_3 => Self::BundleAdd(Wire::get(r)?),
            _ => Self::Other { kind, body: Wire::get(r)? },
        })
    }

    fn get_experimenter(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("experimenter message");
        let mut after = r.clone();
        let (experimenter, kind) = (ExperimenterId::get(&mut after)?, u32::get(&mut after)?);
        if experimenter == ExperimenterId::NICIRA {
            r.skip(4)?;
            return Ok(Self::Nicira(Wire::get(r)?));
        }
        if experimenter != ExperimenterId::ONF || r.version() != Version::V1_3 {
            return Ok(Self::Experimenter(Wire::get(r)?));
        }
        let message = match kind {
            ONF_BUNDLE_CONTROL => Self::BundleControl(Wire::get(&mut after)?),
            ONF_BUNDLE_ADD => Self::BundleAdd(Wire::get(&mut after)?),
            _ => return Ok(Self::Experimenter(Wire::get(r)?)),
        };
        *r = after;
        Ok(message)
    }

    /// The number of its type; fails for what the version has not.
    fn kind(&self, w: &mut Writer<'_>) -> u8 {
        let is_1_3 = w.version() == Version::V1_3;
        let (kind, known) = match self {
            Self::Hello(_) => (HELLO, true),
            Self::Error(_) => (ERROR, true),
            Self::EchoRequest(_) => (ECHO_REQUEST, true),
            Self::EchoReply(_) => (ECHO_REPLY, true),
            Self::Experimenter(_) | Self::Nicira(_) => (EXPERIMENTER, true),
            Self::FeaturesRequest => (FEATURES_REQUEST, true),
            Self::FeaturesReply(_) => (FEATURES_REPLY, true),
            Self::GetConfigRequest => (GET_CONFIG_REQUEST, true),
            Self::GetConfigReply(_) => (GET_CONFIG_REPLY, true),
            Self::SetConfig(_) => (SET_CONFIG, true),
            Self::PacketIn(_) => (PACKET_IN, true),
            Self::FlowRemoved(_) => (FLOW_REMOVED, true),
            Self::PortStatus(_) => (PORT_STATUS, true),
            Self::PacketOut(_) => (PACKET_OUT, true),
            Self::FlowMod(_) => (FLOW_MOD, true),
            Self::GroupMod(_) => (GROUP_MOD, true),
            Self::PortMod(_) => (PORT_MOD, true),
            Self::TableMod(_) => (TABLE_MOD, true),
            Self::MultipartRequest(_) => (MULTIPART_REQUEST, true),
            Self::MultipartReply(_) => (MULTIPART_REPLY, true),
            Self::BarrierRequest => (BARRIER_REQUEST, true),
            Self::BarrierReply => (BARRIER_REPLY, true),
            Self::QueueGetConfigRequest(_) => (QUEUE_GET_CONFIG_REQUEST, is_1_3),
            Self::QueueGetConfigReply(_) => (QUEUE_GET_CONFIG_REPLY, is_1_3),
            Self::RoleRequest(_) => (ROLE_REQUEST, true),
            Self::RoleReply(_) => (ROLE_REPLY, true),
            Self::GetAsyncRequest => (GET_ASYNC_REQUEST, true),
            Self::GetAsyncReply(_) => (GET_ASYNC_REPLY, is_1_3),
            Self::GetAsyncListReply(_) => (GET_ASYNC_REPLY, !is_1_3),
            Self::SetAsync(_) => (SET_ASYNC, is_1_3),
            Self::SetAsyncList(_) => (SET_ASYNC, !is_1_3),
            Self::MeterMod(_) => (METER_MOD, true),
            Self::BundleControl(_) | Self::BundleAdd(_) if is_1_3 => (EXPERIMENTER, true),
            Self::BundleControl(_) => (BUNDLE_CONTROL, true),
            Self::BundleAdd(_) => (BUNDLE_ADD, true),
            Self::Other { kind, .. } => (*kind, true),
        };
        if !known {
            w.fail(Problem::Version);
        }
        kind
    }

    fn put_body(&self, w: &mut Writer<'_>) {
        match self {
            Self::Hello(hello) => hello.put(w),
            Self::Error(error) => error.put(w),
            Self::EchoRequest(data) | Self::EchoReply(data) => data.put(w),
            Self::Experimenter(message) => message.put(w),
            Self::Nicira(message) => message.put(w),
            Self::FeaturesReply(features) => features.put(w),
            Self::GetConfigReply(config) | Self::SetConfig(config) => config.put(w),
            Self::PacketIn(packet) => packet.put(w),
            Self::FlowRemoved(flow) => flow.put(w),
            Self::PortStatus(status) => status.put(w),
            Self::PacketOut(packet) => packet.put(w),
            Self::FlowMod(flow) => flow.put(w),
            Self::GroupMod(group) => group.put(w),
            Self::PortMod(port) => port.put(w),
            Self::TableMod(table) => table.put(w),
            Self::MultipartRequest(request) => request.put(w),
            Self::MultipartReply(reply) => reply.put(w),
            Self::QueueGetConfigRequest(port) => {
                port.put(w);
                w.zeros(4);
            }
            Self::QueueGetConfigReply(queues) => queues.put(w),
            Self::RoleRequest(role) | Self::RoleReply(role) => role.put(w),
            Self::GetAsyncReply(config) | Self::SetAsync(config) => config.put(w),
            Self::GetAsyncListReply(config) | Self::SetAsyncList(config) => config.put(w),
            Self::MeterMod(meter) => meter.put(w),
            Self::BundleControl(control) => {
                put_onf(ONF_BUNDLE_CONTROL, w);
                control.put(w);
            }
            Self::BundleAdd(add) => {
                put_onf(ONF_BUNDLE_ADD, w);
                add.put(w);
            }
            Self::FeaturesRequest
            | Self::GetConfigRequest
            | Self::BarrierRequest
            | Self::BarrierReply
            | Self::GetAsyncRequest => {}
            Self::Other { body, .. } => body.put(w),
        }
    }
}

/// What goes before an extension of the ONF in OpenFlow 1.3.
fn put_onf(kind: u32, w: &mut Writer<'_>) {
    if w.version() == Version::V1_3 {
        ExperimenterId::ONF.put(w);
        kind.put(w);
    }
}
