use crate::{
    DecodeError, Problem, Version,
    wire::{Reader, Wire, Writer, open},
};

open! {
    /// What a controller may do beside others (`OFPCR_ROLE_*`).
    Role: u32 {
        /// As it is.
        NO_CHANGE = 0,
        EQUAL = 1,
        /// Everything; whoever was it becomes a slave.
        MASTER = 2,
        /// Nothing but to look.
        SLAVE = 3,
    }
}

/// A controller's role (OpenFlow 1.3.5, section 7.3.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleMessage {
    pub role: Role,
    /// The controller's number; OpenFlow 1.5, and 0 before.
    pub short_id: u16,
    /// A switch refuses one that is older than the last; in circles, modulo 2⁶⁴.
    pub generation: u64,
}

impl Wire for RoleMessage {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("RoleMessage");
        let role = Wire::get(r)?;
        let short_id = Wire::get(r)?;
        r.skip(2)?;
        let short_id = if r.version() < Version::V1_5 { 0 } else { short_id };
        Ok(Self { role, short_id, generation: Wire::get(r)? })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { role, short_id, generation } = self;
        w.writing("RoleMessage.short_id");
        if w.version() < Version::V1_5 && *short_id != 0 {
            w.fail(Problem::Version);
        }
        role.put(w);
        short_id.put(w);
        w.zeros(2);
        generation.put(w);
    }
}
