//! Messages of IPFIX (RFC 7011, section 3): pure, from typed records to bytes.

use crate::{
    Event,
    record::{Record, samples},
};

const VERSION: u16 = 10;
const HEADER_LEN: usize = 16;
/// Set identifiers (RFC 7011, section 3.3.2).
const TEMPLATE_SET: u16 = 2;
const OPTIONS_TEMPLATE_SET: u16 = 3;

/// How long a message may be, in bytes of UDP payload: what the path to the collector takes without fragments
/// (RFC 7011, section 10.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLen(u16);

/// No message can be limited to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} bytes are no limit for a message: it is from {min} to {max}",
    min = MessageLen::MIN.0, max = MessageLen::MAX.0
)]
pub struct BadMessageLen(u16);

impl MessageLen {
    /// Room for any one template or record.
    pub const MIN: Self = Self(128);
    /// What UDP over IPv4 carries at most.
    pub const MAX: Self = Self(65_507);

    pub const fn new(bytes: u16) -> Result<Self, BadMessageLen> {
        if bytes < Self::MIN.0 || bytes > Self::MAX.0 { Err(BadMessageLen(bytes)) } else { Ok(Self(bytes)) }
    }

    pub const fn bytes(self) -> u16 {
        self.0
    }
}

impl Default for MessageLen {
    /// 1,400 bytes: an Ethernet frame with room for the headers of a tunnel or two.
    fn default() -> Self {
        Self(1400)
    }
}

/// What a message's header says beside its version and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Seconds since the Unix epoch when the message leaves.
    pub export_time: u32,
    /// How many data records were sent before those of this message, in this observation domain, modulo 2³²
    /// (RFC 7011, section 3.1). Templates do not count, records of options do.
    pub sequence: u32,
    pub observation_domain: u32,
}

/// How many records an exporting process could not send (RFC 7011, section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reliability {
    /// exportingProcessId: tells the exporting processes of a device apart.
    pub process: u32,
    /// notSentFlowTotalCount, since the process began.
    pub not_sent: u64,
}

/// A message in the making: sets of templates and data records, in the order in which they are put in.
///
/// Nothing is padded, which RFC 7011 leaves free (section 3.3.1).
#[derive(Clone, Debug)]
pub struct Message {
    bytes: Vec<u8>,
    len_max: MessageLen,
    records: u32,
    /// The last set, to which a record of the same kind is added.
    open: Option<Set>,
}

#[derive(Clone, Copy, Debug)]
struct Set {
    id: u16,
    start: usize,
}

impl Message {
    pub fn new(len_max: MessageLen) -> Self {
        Self { bytes: vec![0; HEADER_LEN], len_max, records: 0, open: None }
    }

    /// Adds the record of an event. False when there is no room: then the message is as before.
    #[must_use]
    pub fn push(&mut self, event: &Event) -> bool {
        self.push_record(Record::Nat(event))
    }

    /// Adds a record of the exporting process's losses. False when there is no room: then the message is as before.
    #[must_use]
    pub fn push_reliability(&mut self, reliability: &Reliability) -> bool {
        self.push_record(Record::Reliability(reliability))
    }

    /// How many data records are in it.
    pub const fn records(&self) -> u32 {
        self.records
    }

    /// The message's bytes.
    pub fn finish(self, header: &Header) -> Vec<u8> {
        let Header { export_time, sequence, observation_domain } = header;
        let mut bytes = self.bytes;
        let len = len16(&bytes);
        bytes[0..2].copy_from_slice(&VERSION.to_be_bytes());
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        bytes[4..8].copy_from_slice(&export_time.to_be_bytes());
        bytes[8..12].copy_from_slice(&sequence.to_be_bytes());
        bytes[12..16].copy_from_slice(&observation_domain.to_be_bytes());
        bytes
    }

    fn push_record(&mut self, record: Record) -> bool {
        let pushed = self.in_set(record.template(), |bytes| {
            record.fields(&mut |element, value| {
                let value_bytes = value.to_be_bytes();
                let (unused, used) = value_bytes.split_at(8 - usize::from(element.len));
                debug_assert!(unused.iter().all(|byte| *byte == 0), "{element:?} cannot be {value}");
                bytes.extend_from_slice(used);
            });
        });
        self.records += u32::from(pushed);
        pushed
    }

    /// Adds the template of records such as this one (RFC 7011, section 3.4).
    fn push_template(&mut self, sample: Record) -> bool {
        let set = if sample.scope_fields().is_some() { OPTIONS_TEMPLATE_SET } else { TEMPLATE_SET };
        self.in_set(set, |bytes| {
            bytes.extend_from_slice(&sample.template().to_be_bytes());
            let mut count: u16 = 0;
            sample.fields(&mut |_, _| count += 1);
            bytes.extend_from_slice(&count.to_be_bytes());
            if let Some(scope_fields) = sample.scope_fields() {
                bytes.extend_from_slice(&scope_fields.to_be_bytes());
            }
            sample.fields(&mut |element, _| {
                bytes.extend_from_slice(&element.id.to_be_bytes());
                bytes.extend_from_slice(&element.len.to_be_bytes());
            });
        })
    }

    /// Adds what `write` writes to the set `id`, which begins here unless the last one has that number.
    fn in_set(&mut self, id: u16, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = (self.bytes.len(), self.open);
        let set = match self.open {
            Some(set) if set.id == id => set,
            _ => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(&id.to_be_bytes());
                self.bytes.extend_from_slice(&[0; 2]);
                Set { id, start }
            }
        };
        write(&mut self.bytes);
        if self.bytes.len() > usize::from(self.len_max.0) {
            self.bytes.truncate(before.0);
            self.open = before.1;
            return false;
        }
        self.open = Some(set);
        let len = len16(&self.bytes[set.start..]);
        self.bytes[set.start + 2..set.start + 4].copy_from_slice(&len.to_be_bytes());
        true
    }
}

/// The templates of all records that there are, in as few messages as hold them.
pub fn templates(len_max: MessageLen) -> Vec<Message> {
    let mut messages = vec![Message::new(len_max)];
    let mut push = |sample: Record| {
        if !messages.last_mut().expect("it began with one").push_template(sample) {
            let mut next = Message::new(len_max);
            assert!(next.push_template(sample), "any template has room in a message of its own");
            messages.push(next);
        }
    };
    samples().for_each(|event| push(Record::Nat(&event)));
    push(Record::Reliability(&Reliability { process: 0, not_sent: 0 }));
    messages
}

fn len16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).expect("a message is no longer than its limit")
}

#[cfg(test)]
mod tests;
