use alloc::vec::Vec;

use crate::{
    DecodeError, Problem, Version,
    wire::{Reader, Wire, Writer, layout, padding},
};

/// What a switch has counted of a flow; `None` where it has not.
///
/// Before OpenFlow 1.5 the first three are fields of their own, with all ones for what is not counted. There it is a
/// list (section 7.2.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowCounters {
    /// Since the flow was made.
    pub duration: Option<Duration>,
    pub packets: Option<u64>,
    pub bytes: Option<u64>,
    /// Since a packet was last seen; OpenFlow 1.5.
    pub idle: Option<Duration>,
    /// OpenFlow 1.5.
    pub flows: Option<u32>,
    /// Fields that are not known, whole, as on the wire; OpenFlow 1.5.
    pub other: Vec<u8>,
}

/// A time as it is on the wire, where nanoseconds are not held to be less than a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duration {
    pub seconds: u32,
    pub nanoseconds: u32,
}

layout!(Duration { seconds, nanoseconds });

impl From<Duration> for core::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_secs(duration.seconds.into()) + Self::from_nanos(duration.nanoseconds.into())
    }
}

/// What is not counted, before OpenFlow 1.5.
const NO_COUNT: u64 = u64::MAX;
const NO_TIME: Duration = Duration { seconds: u32::MAX, nanoseconds: u32::MAX };

pub(crate) fn get_or_none<T: Wire + PartialEq>(
    none: &T,
    r: &mut Reader<'_>,
) -> Result<Option<T>, DecodeError> {
    Ok(Some(T::get(r)?).filter(|value| value != none))
}

pub(crate) fn put_or_none<T: Wire + PartialEq>(none: &T, value: Option<&T>, w: &mut Writer<'_>) {
    if value == Some(none) {
        w.fail(Problem::Value);
    }
    value.unwrap_or(none).put(w);
}

/// The class of the fields above (`OFPXSC_OPENFLOW_BASIC`).
const BASIC: u16 = 0x8002;
const HEADER_LEN: usize = 4;
const DURATION: u8 = 0;
const IDLE: u8 = 1;
const FLOWS: u8 = 3;
const PACKETS: u8 = 4;
const BYTES: u8 = 5;

fn put_field<T: Wire>(w: &mut Writer<'_>, number: u8, len: u8, value: Option<&T>) {
    if let Some(value) = value {
        BASIC.put(w);
        (number << 1).put(w);
        len.put(w);
        value.put(w);
    }
}

impl FlowCounters {
    /// The time, as it is before OpenFlow 1.5.
    pub(crate) fn get_duration(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.duration = get_or_none(&NO_TIME, r)?;
        Ok(())
    }

    /// Packets and bytes, as they are before OpenFlow 1.5.
    pub(crate) fn get_totals(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.packets = get_or_none(&NO_COUNT, r)?;
        self.bytes = get_or_none(&NO_COUNT, r)?;
        Ok(())
    }

    pub(crate) fn put_duration(&self, w: &mut Writer<'_>) {
        put_or_none(&NO_TIME, self.duration.as_ref(), w);
    }

    pub(crate) fn put_totals(&self, w: &mut Writer<'_>) {
        put_or_none(&NO_COUNT, self.packets.as_ref(), w);
        put_or_none(&NO_COUNT, self.bytes.as_ref(), w);
    }

    /// Fails where a version older than 1.5 has no room for what there is.
    pub(crate) fn check_version(&self, w: &mut Writer<'_>) {
        let more = self.idle.is_some() || self.flows.is_some() || !self.other.is_empty();
        if more && w.version() < Version::V1_5 {
            w.fail(Problem::Version);
        }
    }

    pub(crate) fn get_list(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("statistics of a flow");
        let at = r.clone();
        r.skip(2)?;
        let len = usize::from(u16::get(r)?);
        let fields_len = len.checked_sub(HEADER_LEN).ok_or_else(|| at.wrong())?;
        let mut fields = r.sub(fields_len)?;
        let mut counters = Self::default();
        while !fields.is_empty() {
            counters.get_field(&mut fields)?;
        }
        r.reading("padding of statistics");
        r.skip(padding(len))?;
        Ok(counters)
    }

    fn get_field(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut whole = r.clone();
        let (class, number, len) = (u16::get(r)?, u8::get(r)? >> 1, u8::get(r)?);
        let value = &mut r.sub(len.into())?;
        match (class, number, len) {
            (BASIC, DURATION, 8) => self.duration = Some(Wire::get(value)?),
            (BASIC, IDLE, 8) => self.idle = Some(Wire::get(value)?),
            (BASIC, FLOWS, 4) => self.flows = Some(Wire::get(value)?),
            (BASIC, PACKETS, 8) => self.packets = Some(Wire::get(value)?),
            (BASIC, BYTES, 8) => self.bytes = Some(Wire::get(value)?),
            (BASIC, DURATION | IDLE | FLOWS | PACKETS | BYTES, _) => {
                return Err(whole.error("statistic, which is of another length"));
            }
            _ => self.other.extend_from_slice(whole.take(HEADER_LEN + usize::from(len))?),
        }
        Ok(())
    }

    pub(crate) fn put_list(&self, w: &mut Writer<'_>) {
        let Self { duration, packets, bytes, idle, flows, other } = self;
        let start = w.position();
        w.zeros(2);
        let at = w.length_here();
        put_field(w, DURATION, 8, duration.as_ref());
        put_field(w, IDLE, 8, idle.as_ref());
        put_field(w, PACKETS, 8, packets.as_ref());
        put_field(w, BYTES, 8, bytes.as_ref());
        put_field(w, FLOWS, 4, flows.as_ref());
        w.bytes(other);
        w.writing("statistics of a flow");
        w.set_length(at, start);
        w.align(start);
    }
}
