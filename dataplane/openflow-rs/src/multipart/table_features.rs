use alloc::vec::Vec;

use crate::{
    DecodeError, ExperimenterId, TableId, Text,
    oxm::OxmId,
    property,
    wire::{Reader, Wire, Writer, layout},
};

/// What a table can do (OpenFlow 1.3.5, section 7.3.5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFeatures {
    pub table: TableId,
    pub name: Text<32>,
    /// Bits of the metadata that flows can match.
    pub metadata_match: u64,
    /// Bits of the metadata that flows can write.
    pub metadata_write: u64,
    /// Of no meaning in OpenFlow 1.3.
    pub config: u32,
    /// How many flows.
    pub entries_max: u32,
    pub properties: Vec<TableFeatureProperty>,
}

layout!(TableFeatures {
    [len], table, 5, name, metadata_match, metadata_write, config, entries_max, properties,
});

/// The type of an instruction or an action, with what an experimenter adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeId {
    pub kind: u16,
    /// For the experimenters' type: the experimenter's number, and what it says.
    pub data: Vec<u8>,
}

impl From<u16> for TypeId {
    fn from(kind: u16) -> Self {
        Self { kind, data: Vec::new() }
    }
}

impl Wire for TypeId {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("type of an instruction or an action");
        let start = r.offset();
        let kind = Wire::get(r)?;
        let len = Wire::get(r)?;
        Ok(Self { kind, data: Wire::get(&mut r.sub_from(start, len)?)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("type of an instruction or an action");
        let start = w.position();
        self.kind.put(w);
        let at = w.length_here();
        self.data.put(w);
        w.set_length(at, start);
    }
}

macro_rules! table_feature_properties {
    ($($(#[$doc:meta])* $variant:ident($body:ty) = $kind:literal,)*) => {
        /// Something that a table can do; of packets that no flow matches, where it is called so.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum TableFeatureProperty {
            $($(#[$doc])* $variant($body),)*
            Experimenter { experimenter: ExperimenterId, kind: u32, data: Vec<u8> },
            ExperimenterMiss { experimenter: ExperimenterId, kind: u32, data: Vec<u8> },
            Other { kind: u16, data: Vec<u8> },
        }

        impl Wire for TableFeatureProperty {
            fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                property::get(r, |kind, body| {
                    Ok(match kind {
                        $($kind => Self::$variant(Wire::get(body)?),)*
                        EXPERIMENTER => Self::Experimenter {
                            experimenter: Wire::get(body)?,
                            kind: Wire::get(body)?,
                            data: Wire::get(body)?,
                        },
                        EXPERIMENTER_MISS => Self::ExperimenterMiss {
                            experimenter: Wire::get(body)?,
                            kind: Wire::get(body)?,
                            data: Wire::get(body)?,
                        },
                        _ => Self::Other { kind, data: Wire::get(body)? },
                    })
                })
            }

            fn put(&self, w: &mut Writer<'_>) {
                match self {
                    $(Self::$variant(body) => property::put(w, $kind, |w| body.put(w)),)*
                    Self::Experimenter { experimenter, kind, data } => {
                        property::put(w, EXPERIMENTER, |w| put_experimenter(*experimenter, *kind, data, w));
                    }
                    Self::ExperimenterMiss { experimenter, kind, data } => {
                        property::put(w, EXPERIMENTER_MISS, |w| put_experimenter(*experimenter, *kind, data, w));
                    }
                    Self::Other { kind, data } => property::put(w, *kind, |w| data.put(w)),
                }
            }
        }
    };
}

const EXPERIMENTER: u16 = 0xfffe;
const EXPERIMENTER_MISS: u16 = 0xffff;

fn put_experimenter(experimenter: ExperimenterId, kind: u32, data: &Vec<u8>, w: &mut Writer<'_>) {
    experimenter.put(w);
    kind.put(w);
    data.put(w);
}

table_feature_properties! {
    Instructions(Vec<TypeId>) = 0,
    InstructionsMiss(Vec<TypeId>) = 1,
    /// Tables that flows can go to.
    NextTables(Vec<TableId>) = 2,
    NextTablesMiss(Vec<TableId>) = 3,
    WriteActions(Vec<TypeId>) = 4,
    WriteActionsMiss(Vec<TypeId>) = 5,
    ApplyActions(Vec<TypeId>) = 6,
    ApplyActionsMiss(Vec<TypeId>) = 7,
    /// Fields that flows can match, with a mask where it is said.
    Match(Vec<OxmId>) = 8,
    /// Fields that flows need not match.
    Wildcards(Vec<OxmId>) = 10,
    WriteSetField(Vec<OxmId>) = 12,
    WriteSetFieldMiss(Vec<OxmId>) = 13,
    ApplySetField(Vec<OxmId>) = 14,
    ApplySetFieldMiss(Vec<OxmId>) = 15,
}
