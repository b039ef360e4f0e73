//! Queries as clients write them, and the answers that they are owed.

use crate::{
    frames::{ALICE, Address},
    six,
};

/// RFC 6891: a payload of 4096 bytes, and a client's cookie (RFC 7873).
const OPT: [u8; 23] = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) bytes: Vec<u8>,
    question_end: usize,
}

impl Query {
    /// For an IPv4 address, recursion desired.
    pub(crate) fn a(name: &str) -> Self {
        let mut bytes = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.').filter(|label| !label.is_empty()) {
            bytes.push(u8::try_from(label.len()).expect("a label"));
            bytes.extend(label.bytes());
        }
        bytes.extend([0, 0, 1, 0, 1]);
        Self { question_end: bytes.len(), bytes }
    }

    pub(super) fn with_opt(mut self) -> Self {
        self.bytes[11] = 1;
        self.bytes.extend(OPT);
        self
    }

    /// With some bytes changed.
    pub(super) fn but(mut self, at: usize, bytes: &[u8]) -> Self {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(super) fn cut(mut self, len: usize) -> Self {
        self.bytes.truncate(len);
        self
    }

    /// What is answered: that there is no such name, and why if the query has an OPT record.
    pub(super) fn refusal(&self) -> Vec<u8> {
        let mut answer = self.bytes[..self.question_end].to_vec();
        answer[2] = 0x81;
        answer[3] = 0x83;
        if self.bytes[11] != 0 {
            answer.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 6, 0, 15, 0, 2, 0, 17]);
        }
        answer
    }

    pub(super) fn udp(&self, port: u16, to: Address) -> Vec<u8> {
        crate::frames::udp((ALICE, port), (to, 53), 64, &self.bytes)
    }

    pub(super) fn udp6(&self, port: u16, to: six::Address) -> Vec<u8> {
        six::udp((six::alice(), port), (to, 53), 64, &self.bytes)
    }

    /// With its length in front, as in a segment.
    pub(super) fn framed(&self) -> Vec<u8> {
        let len = u16::try_from(self.bytes.len()).expect("short");
        [&len.to_be_bytes()[..], &self.bytes].concat()
    }
}
