//! What is blocked for a home.

use node_state::{BlockRule, ParentalControl, WeeklyTime};

pub(super) fn parental_control(wanted: &xos_model::ParentalControl) -> ParentalControl {
    let time = |time: &xos_model::WeeklyTime| {
        let xos_model::WeeklyTime { days, from, to } = time;
        WeeklyTime { days: days.clone(), from: *from, to: *to }
    };
    let rule = |rule: &xos_model::BlockRule| {
        let xos_model::BlockRule { block, devices, times } = rule;
        BlockRule {
            lists: block.iter().cloned().collect(),
            devices: devices.iter().copied().collect(),
            times: times.iter().map(time).collect(),
        }
    };
    ParentalControl { utc_offset: wanted.utc_offset, rules: wanted.rules.iter().map(rule).collect() }
}
