//! Which names are blocked for a home, for which of its devices, and when.

use std::collections::BTreeSet;

use net_types::{Mac, Name, TimeOfDay, UtcOffset, Weekday};
use serde::{Deserialize, Serialize};

use crate::{Fault, KindName, Pointer, Reference, document::check};

/// Names that the home's devices are told do not exist, whatever resolver they ask over port 53. For whom anything is blocked,
/// encrypted resolvers are refused too: port 853 of anybody, and port 443 of those that the office's lists know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParentalControl {
    /// How far the home's clocks are ahead of UTC: `+00:00` unless said. Summer time is not followed.
    #[serde(default, skip_serializing_if = "is_utc")]
    pub utc_offset: UtcOffset,
    /// What is blocked by any of them is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<BlockRule>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_utc(offset: &UtcOffset) -> bool {
    offset.minutes() == 0
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockRule {
    /// The block lists whose names are blocked.
    pub block: Vec<Name>,
    /// For which devices, by the address that the office sees: that of a router at home hides those behind it. For all, if none
    /// is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Mac>,
    /// When; always, if nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<WeeklyTime>,
}

/// From one time of day to another; where `to` is not after `from`, to that time of the day after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WeeklyTime {
    /// On which days it begins; every day, if none is said.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<Weekday>,
    pub from: TimeOfDay,
    /// The first minute that is no longer in it.
    pub to: TimeOfDay,
}

impl ParentalControl {
    pub const RULES_MAX: usize = 32;
    pub const LISTS_MAX: usize = 64;
    /// Devices of all rules together.
    pub const DEVICES_MAX: usize = 32;
    pub const TIMES_MAX: usize = 16;

    pub(super) fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        let at = at.at("rules");
        check::at_most(faults, &at, self.rules.len(), Self::RULES_MAX, "rules");
        let mut devices: BTreeSet<Mac> = BTreeSet::new();
        for (i, rule) in self.rules.iter().enumerate().take(Self::RULES_MAX) {
            let at = at.at(i);
            if rule.block.is_empty() {
                faults.push(Fault::new(at.at("block"), "a rule that blocks nothing: name a BlockList"));
            }
            check::set(faults, &at.at("block"), &rule.block, Self::LISTS_MAX);
            check::set(faults, &at.at("devices"), &rule.devices, Self::DEVICES_MAX);
            check::at_most(faults, &at.at("times"), rule.times.len(), Self::TIMES_MAX, "times");
            devices.extend(rule.devices.iter().copied());
        }
        check::at_most(faults, &at, devices.len(), Self::DEVICES_MAX, "devices in all rules together");
    }

    pub(super) fn references(&self) -> impl Iterator<Item = Reference> {
        let at = Pointer::from("/spec/bundle/parentalControl/rules");
        self.rules.iter().enumerate().flat_map(move |(i, rule)| {
            Reference::list(at.at(i).at("block"), KindName::BlockList, &rule.block)
        })
    }
}
