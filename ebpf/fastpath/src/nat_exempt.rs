//! Destinations exempt from NAT, in the maps.

use map_abi::NAT_EXEMPT_PREFIXES_MAX;
use net_types::Prefix;
use node_state::NatExempt;

use crate::{error::ApplyError, fastpath::Fastpath, places::place};

const _: () = assert!(
    NatExempt::DESTINATIONS_MAX == NAT_EXEMPT_PREFIXES_MAX as usize,
    "there is room for all destinations"
);

impl Fastpath {
    /// Says which destinations are exempt.
    pub(crate) fn set_nat_exempt(&mut self, exempt: Option<&NatExempt>) -> Result<(), ApplyError> {
        let destinations = exempt.iter().flat_map(|exempt| exempt.destinations.iter().copied());
        self.nat_exempt.set(&destinations.map(|prefix| place(Prefix::V4(prefix))).collect())
    }
}
