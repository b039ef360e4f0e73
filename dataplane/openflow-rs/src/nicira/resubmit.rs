use crate::{
    DecodeError, PortNo, Problem, TableId,
    wire::{Reader, Wire, Writer, layout},
};

/// The flow's table again (`NXAST_RESUBMIT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resubmit {
    /// Where the packet is taken to have come from; [`PortNo::IN_PORT`] is where it has.
    pub in_port: PortNo,
}

/// Another table (`struct nx_action_resubmit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResubmitTable {
    /// Where the packet is taken to have come from; [`PortNo::IN_PORT`] is where it has.
    pub in_port: PortNo,
    /// [`TableId::ALL`] is the flow's own.
    pub table: TableId,
}

impl ResubmitTable {
    /// Another table, and the port as it is.
    pub const fn to(table: TableId) -> Self {
        Self { in_port: PortNo::IN_PORT, table }
    }
}

/// A port as OpenFlow 1.0 has it, in 16 bits, where reserved ports are the last of them.
pub(crate) struct Port16(pub(crate) PortNo);

const RESERVED_16: u16 = 0xff00;
const RESERVED_32: u32 = 0xffff_0000;

impl Wire for Port16 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let port = u16::get(r)?;
        let high = if port < RESERVED_16 { 0 } else { RESERVED_32 };
        Ok(Self(PortNo(high | u32::from(port))))
    }

    fn put(&self, w: &mut Writer<'_>) {
        let high = if self.0 < PortNo::MAX { 0 } else { RESERVED_32 };
        match u16::try_from(self.0.0 - high) {
            Ok(port) if high != 0 || port < RESERVED_16 => port.put(w),
            _ => {
                w.fail(Problem::Value);
                w.zeros(2);
            }
        }
    }
}

impl Wire for Resubmit {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Resubmit");
        Ok(Self { in_port: Port16::get(r)?.0 })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("Resubmit.in_port");
        Port16(self.in_port).put(w);
    }
}

/// [`ResubmitTable`] as it is on the wire.
struct OnWire {
    in_port: Port16,
    table: TableId,
}

layout!(OnWire { in_port, table });

impl Wire for ResubmitTable {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let OnWire { in_port, table } = Wire::get(r)?;
        Ok(Self { in_port: in_port.0, table })
    }

    fn put(&self, w: &mut Writer<'_>) {
        OnWire { in_port: Port16(self.in_port), table: self.table }.put(w);
    }
}
