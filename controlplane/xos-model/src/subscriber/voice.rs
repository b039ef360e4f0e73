//! A subscriber's voice.

use net_types::BitRate;
use serde::{Deserialize, Serialize};

/// A class of its own for what the home and the node's voice platforms say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Voice {
    /// Each way, beside the rates of everything else; what is above it is as everything else. Unless said, 1 Mbit/s: ten
    /// calls of 87 kbit/s (G.711 in packets of 20 ms, with Ethernet's header).
    #[serde(default = "ten_calls")]
    pub rate: BitRate,
}

fn ten_calls() -> BitRate {
    BitRate::from_bits_per_second(1_000_000).expect("a rate")
}
