//! The description as text, put together by the compiler, a line for each thing:
//!
//! ```text
//! wirecenter layout 1
//! version 4
//! constant HEADER_LINES 3
//! index DROPS unknown_port
//! record Session 256
//! field version 0 8 anew
//! field limits_up.peak 92 4 user
//! end
//! ```
//!
//! Indices are in order; fields are of the record before.

use super::{
    Field, Record,
    records::{CONSTANTS, INDICES, RECORDS},
};
use crate::MAP_ABI_VERSION;

/// The description of the maps that this is compiled for.
pub const TEXT: &[u8] = &WRITTEN.bytes;

const LEN: usize = write(Text { bytes: [], len: 0 }).len;
const WRITTEN: Text<LEN> = write(Text { bytes: [0; LEN], len: 0 });

/// Text that knows how long it would be where it has no room.
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    const fn byte(mut self, byte: u8) -> Self {
        if self.len < N {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
        self
    }

    const fn text(mut self, text: &str) -> Self {
        let mut n = 0;
        while n < text.len() {
            self = self.byte(text.as_bytes()[n]);
            n += 1;
        }
        self
    }

    const fn number(mut self, number: u64) -> Self {
        let mut unit = 1;
        while number / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 {
            let digit = (number / unit % 10) as u8;
            self = self.byte(b'0' + digit);
            unit /= 10;
        }
        self
    }

    /// The rest of a field's line, from its name on.
    const fn field(self, at: usize, field: &Field) -> Self {
        self.text(field.name)
            .byte(b' ')
            .number((at + field.offset) as u64)
            .byte(b' ')
            .number(field.bytes as u64)
            .byte(b' ')
            .text(field.keeper.name())
            .byte(b'\n')
    }

    const fn record(self, record: &Record) -> Self {
        let mut out =
            self.text("record ").text(record.name).byte(b' ').number(record.bytes as u64).byte(b'\n');
        let mut n = 0;
        while n < record.fields.len() {
            let field = &record.fields[n];
            if field.fields.is_empty() {
                out = out.text("field ").field(0, field);
            }
            let mut inner = 0;
            while inner < field.fields.len() {
                let part = &field.fields[inner];
                assert!(part.fields.is_empty(), "no record lies in one that lies in a third");
                out = out.text("field ").text(field.name).byte(b'.').field(field.offset, part);
                inner += 1;
            }
            n += 1;
        }
        out
    }
}

const fn write<const N: usize>(start: Text<N>) -> Text<N> {
    let mut out = start.text("wirecenter layout 1\nversion ").number(MAP_ABI_VERSION as u64).byte(b'\n');
    let mut n = 0;
    while n < CONSTANTS.len() {
        let (name, value) = CONSTANTS[n];
        out = out.text("constant ").text(name).byte(b' ').number(value).byte(b'\n');
        n += 1;
    }
    n = 0;
    while n < INDICES.len() {
        let (map, names) = INDICES[n];
        let mut index = 0;
        while index < names.len() {
            out = out.text("index ").text(map).byte(b' ').text(names[index]).byte(b'\n');
            index += 1;
        }
        n += 1;
    }
    n = 0;
    while n < RECORDS.len() {
        out = out.record(&RECORDS[n]);
        n += 1;
    }
    out.text("end\n")
}
