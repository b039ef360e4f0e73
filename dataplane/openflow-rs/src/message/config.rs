use crate::{
    MaxLen,
    wire::{layout, open},
};

open! {
    /// What becomes of fragments (`OFPC_FRAG_*`).
    FragmentHandling: u16 {
        NORMAL = 0,
        DROP = 1,
        REASSEMBLE = 2,
        /// Flows see the ports of the first fragment as 0, as those of later ones are; Open vSwitch.
        NX_MATCH = 3,
    }
}

/// How a switch is set (OpenFlow 1.3.5, section 7.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwitchConfig {
    pub fragments: FragmentHandling,
    /// How much of a packet comes to the controller where no action says it.
    pub miss_send_len: MaxLen,
}

layout!(SwitchConfig { fragments, miss_send_len });
