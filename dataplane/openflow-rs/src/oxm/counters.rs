use alloc::vec::Vec;

use crate::{
    DecodeError, Problem, Version,
    wire::{Reader, Wire, Writer, padding},
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

impl Duration {
    const fn of_bits(bits: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "each half is meant")]
        let (seconds, nanoseconds) = ((bits >> u32::BITS) as u32, bits as u32);
        Self { seconds, nanoseconds }
    }

    const fn to_bits(self) -> u64 {
        (self.seconds as u64) << u32::BITS | self.nanoseconds as u64
    }
}

impl From<Duration> for core::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_secs(duration.seconds.into()) + Self::from_nanos(duration.nanoseconds.into())
    }
}

/// What is not counted.
const NONE: u64 = u64::MAX;

pub(crate) fn get_or_none(r: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    Ok(Some(Wire::get(r)?).filter(|value| *value != NONE))
}

pub(crate) fn put_or_none(value: Option<u64>, w: &mut Writer<'_>) {
    if value == Some(NONE) {
        w.fail(Problem::Value);
    }
    value.unwrap_or(NONE).put(w);
}

/// The class of the fields above (`OFPXSC_OPENFLOW_BASIC`).
const BASIC: u16 = 0x8002;
const HEADER_LEN: usize = 4;
const DURATION: u8 = 0;
const IDLE: u8 = 1;
const FLOWS: u8 = 3;
const PACKETS: u8 = 4;
const BYTES: u8 = 5;

fn put_field(w: &mut Writer<'_>, number: u8, value: Option<&[u8]>) {
    if let Some(value) = value {
        BASIC.put(w);
        (number << 1).put(w);
        #[expect(clippy::cast_possible_truncation, reason = "at most eight bytes")]
        let len = value.len() as u8;
        len.put(w);
        w.bytes(value);
    }
}

impl FlowCounters {
    /// The time, as it is before OpenFlow 1.5.
    pub(crate) fn get_duration(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.duration = get_or_none(r)?.map(Duration::of_bits);
        Ok(())
    }

    /// Packets and bytes, as they are before OpenFlow 1.5.
    pub(crate) fn get_totals(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.packets = get_or_none(r)?;
        self.bytes = get_or_none(r)?;
        Ok(())
    }

    pub(crate) fn put_duration(&self, w: &mut Writer<'_>) {
        put_or_none(self.duration.map(Duration::to_bits), w);
    }

    pub(crate) fn put_totals(&self, w: &mut Writer<'_>) {
        put_or_none(self.packets, w);
        put_or_none(self.bytes, w);
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
            (BASIC, DURATION, 8) => self.duration = Some(Duration::of_bits(Wire::get(value)?)),
            (BASIC, IDLE, 8) => self.idle = Some(Duration::of_bits(Wire::get(value)?)),
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
        let time = |time: &Option<Duration>| time.map(|time| time.to_bits().to_be_bytes());
        let start = w.position();
        w.zeros(2);
        let at = w.length_here();
        put_field(w, DURATION, time(duration).as_ref().map(<[u8; 8]>::as_slice));
        put_field(w, IDLE, time(idle).as_ref().map(<[u8; 8]>::as_slice));
        put_field(w, FLOWS, flows.map(u32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        put_field(w, PACKETS, packets.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        put_field(w, BYTES, bytes.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        w.bytes(other);
        w.writing("statistics of a flow");
        w.set_length(at, start);
        w.align(start);
    }
}
