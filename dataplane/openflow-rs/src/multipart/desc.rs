use crate::{Text, wire::layout};

/// What a switch is, in words (OpenFlow 1.3.5, section 7.3.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desc {
    pub manufacturer: Text<256>,
    pub hardware: Text<256>,
    pub software: Text<256>,
    pub serial_number: Text<32>,
    /// What somebody has called this one.
    pub datapath: Text<256>,
}

layout!(Desc { manufacturer, hardware, software, serial_number, datapath });
