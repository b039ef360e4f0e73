use alloc::vec::Vec;

use super::Subfield;
use crate::{
    Action, DecodeError, Problem, TableId,
    oxm::OxmId,
    wire::{Reader, Wire, Writer, flags},
};

flags! {
    /// `NX_CT_F_*`.
    CtFlags: u16 {
        /// The connection is remembered.
        COMMIT = 1 << 0,
        /// A connection that is known the other way around begins anew.
        FORCE = 1 << 1,
    }
}

/// Which of the tables of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtZone {
    Number(u16),
    /// Of a field: at most 64 bits, and none of an experimenter.
    Field(Subfield),
}

/// Through connection tracking (`struct nx_action_conntrack`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ct {
    pub flags: CtFlags,
    pub zone: CtZone,
    /// The table that a copy of the packet goes to, tracked.
    pub table: Option<TableId>,
    /// The port of the protocol whose related connections are followed: 21 for FTP, 69 for TFTP; 0 for none.
    pub alg: u16,
    /// NAT, and fields `ct_mark` and `ct_label` that are set.
    pub actions: Vec<Action>,
}

impl Default for Ct {
    fn default() -> Self {
        Self { flags: CtFlags::empty(), zone: CtZone::Number(0), table: None, alg: 0, actions: Vec::new() }
    }
}

/// No table, where one could be (`NX_CT_RECIRC_NONE`).
const NO_TABLE: TableId = TableId(0xff);

impl Wire for Ct {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Ct");
        let flags = Wire::get(r)?;
        let mut source = r.clone();
        let has_source = u32::get(r)? != 0;
        let number = u16::get(r)?;
        let zone = if has_source {
            let (offset, bits) = Subfield::unpack(number);
            CtZone::Field(Subfield::get_word(&mut source, offset, bits)?)
        } else {
            CtZone::Number(number)
        };
        let table = Some(TableId::get(r)?).filter(|table| *table != NO_TABLE);
        r.skip(3)?;
        let alg = Wire::get(r)?;
        Ok(Self { flags, zone, table, alg, actions: get_nested(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { flags, zone, table, alg, actions } = self;
        w.writing("Ct");
        flags.put(w);
        match zone {
            CtZone::Number(number) => {
                w.zeros(4);
                number.put(w);
            }
            CtZone::Field(field) => {
                put_source(field.field(), w);
                field.put_packed(w);
            }
        }
        if *table == Some(NO_TABLE) {
            w.fail(Problem::Value);
        }
        table.unwrap_or(NO_TABLE).put(w);
        w.zeros(3);
        alg.put(w);
        put_nested(actions, w);
    }
}

/// The header of a field, which would say that there is none if it were zero.
fn put_source(field: OxmId, w: &mut Writer<'_>) {
    if field.word() == 0 {
        w.fail(Problem::Value);
    }
    field.put_word(w);
}

fn get_nested(r: &mut Reader<'_>) -> Result<Vec<Action>, DecodeError> {
    r.deeper()?;
    let actions = Wire::get(r)?;
    r.shallower();
    Ok(actions)
}

fn put_nested(actions: &[Action], w: &mut Writer<'_>) {
    if w.deeper() {
        Action::put_all(actions, w);
        w.shallower();
    }
}

/// Actions on a copy of the packet (`NXAST_CLONE`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloneActions(pub Vec<Action>);

impl Wire for CloneActions {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("CloneActions");
        r.skip(6)?;
        get_nested(r).map(Self)
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.zeros(6);
        put_nested(&self.0, w);
    }
}
