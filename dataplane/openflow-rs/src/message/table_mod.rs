use alloc::vec::Vec;

use crate::{
    DecodeError, Problem, TableId, Version,
    property::RawProperty,
    wire::{Reader, Wire, Writer},
};

/// A change to a table (OpenFlow 1.3.5, section 7.3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableMod {
    pub table: TableId,
    /// Of no meaning in OpenFlow 1.3.
    pub config: u32,
    /// OpenFlow 1.4.
    pub properties: Vec<RawProperty>,
}

impl Wire for TableMod {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("TableMod");
        let table = Wire::get(r)?;
        r.skip(3)?;
        let config = Wire::get(r)?;
        let properties = if r.version() < Version::V1_4 { Vec::new() } else { Wire::get(r)? };
        Ok(Self { table, config, properties })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { table, config, properties } = self;
        w.writing("TableMod");
        table.put(w);
        w.zeros(3);
        config.put(w);
        if w.version() < Version::V1_4 && !properties.is_empty() {
            w.fail(Problem::Version);
        }
        properties.put(w);
    }
}
