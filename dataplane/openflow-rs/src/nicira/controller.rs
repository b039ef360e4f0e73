use alloc::vec::Vec;

use crate::{
    DecodeError, MaxLen, PacketInReason,
    property::{self, RawProperty},
    wire::{Reader, Wire, Writer, layout},
};

/// To the controllers that have called themselves so (`struct nx_action_controller`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controller {
    pub max_len: MaxLen,
    pub controller_id: u16,
    pub reason: PacketInReason,
}

layout!(Controller { max_len, controller_id, reason });

/// Like [`Controller`], with more to say (`NXAST_CONTROLLER2`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller2 {
    /// All of the packet unless said.
    pub max_len: Option<MaxLen>,
    /// 0 unless said.
    pub controller_id: Option<u16>,
    /// 0 unless said.
    pub reason: Option<PacketInReason>,
    /// Comes with the packet.
    pub user_data: Option<Vec<u8>>,
    /// The packet waits until the controller sends it on its way again.
    pub pause: bool,
    /// Properties that are not known.
    pub other: Vec<RawProperty>,
}

const MAX_LEN: u16 = 0;
const CONTROLLER_ID: u16 = 1;
const REASON: u16 = 2;
const USER_DATA: u16 = 3;
const PAUSE: u16 = 4;

/// A number of 16 bits, whose padding counts as a part of the property.
fn put_u16(w: &mut Writer<'_>, kind: u16, value: Option<u16>) {
    if let Some(value) = value {
        property::put(w, kind, |w| {
            value.put(w);
            w.zeros(2);
        });
    }
}

impl Wire for Controller2 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("Controller2");
        r.skip(6)?;
        let mut action = Self::default();
        while !r.is_empty() {
            property::get(r, |kind, body| {
                match kind {
                    MAX_LEN => action.max_len = Some(Wire::get(body)?),
                    CONTROLLER_ID => action.controller_id = Some(Wire::get(body)?),
                    REASON => action.reason = Some(Wire::get(body)?),
                    USER_DATA => action.user_data = Some(Wire::get(body)?),
                    PAUSE => action.pause = true,
                    _ => action.other.push(RawProperty { kind, body: Wire::get(body)? }),
                }
                Ok(())
            })?;
        }
        Ok(action)
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { max_len, controller_id, reason, user_data, pause, other } = self;
        w.zeros(6);
        put_u16(w, MAX_LEN, max_len.map(|len| len.0));
        put_u16(w, CONTROLLER_ID, *controller_id);
        property::put_some(w, REASON, reason.as_ref());
        property::put_some(w, USER_DATA, user_data.as_ref());
        if *pause {
            property::put(w, PAUSE, |_| {});
        }
        other.put(w);
    }
}
