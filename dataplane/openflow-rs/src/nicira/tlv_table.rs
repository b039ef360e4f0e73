use alloc::vec::Vec;

use crate::wire::{closed, layout};

/// Which option of a tunnel goes to which field (`struct nx_tlv_map`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlvMap {
    /// Class and type of the option (RFC 8926, section 3.5).
    pub class: u16,
    pub kind: u8,
    /// Bytes: a multiple of four, at most 124.
    pub len: u8,
    /// The number of the `tun_metadata` field, up to 63.
    pub index: u16,
}

layout!(TlvMap { class, kind, len, index, 2 });

closed! {
    /// What is done to the table of options (`enum nx_tlv_table_mod_command`).
    #[derive(Default)]
    TlvTableCommand: u16 {
        #[default]
        Add = 0,
        /// By their indices.
        Delete = 1,
        /// All of them.
        Clear = 2,
    }
}

/// Changes to the table of options (`struct nx_tlv_table_mod`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlvTableMod {
    pub command: TlvTableCommand,
    pub maps: Vec<TlvMap>,
}

layout!(TlvTableMod { command, 6, maps });

/// The table of options (`struct nx_tlv_table_reply`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlvTableReply {
    /// Bytes that all options together may have.
    pub space_max: u32,
    /// How many there may be.
    pub fields_max: u16,
    pub maps: Vec<TlvMap>,
}

layout!(TlvTableReply { space_max, fields_max, 10, maps });
