use alloc::vec::Vec;

use super::ErrorCode;
use crate::{
    DecodeError, ExperimenterId, Problem,
    wire::{Reader, Wire, Writer},
};

/// What was wrong with a message of the other side (section 7.5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorMessage {
    /// `data` is the beginning of that message, or text if the versions did not agree.
    Standard { code: ErrorCode, data: Vec<u8> },
    /// One of an experimenter's.
    Experimenter { code: u16, experimenter: ExperimenterId, data: Vec<u8> },
}

const EXPERIMENTER: u16 = 0xffff;

impl Wire for ErrorMessage {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("error message");
        let (kind, code) = (u16::get(r)?, u16::get(r)?);
        if kind == EXPERIMENTER {
            return Ok(Self::Experimenter { code, experimenter: Wire::get(r)?, data: Wire::get(r)? });
        }
        Ok(Self::Standard { code: ErrorCode { kind, code }, data: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("error message");
        match self {
            Self::Standard { code: ErrorCode { kind, code }, data } => {
                if *kind == EXPERIMENTER {
                    w.fail(Problem::Value);
                }
                kind.put(w);
                code.put(w);
                data.put(w);
            }
            Self::Experimenter { code, experimenter, data } => {
                EXPERIMENTER.put(w);
                code.put(w);
                experimenter.put(w);
                data.put(w);
            }
        }
    }
}
