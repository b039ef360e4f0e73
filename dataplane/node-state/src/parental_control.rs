//! For which devices of a home which names are blocked, and when.

use std::collections::{BTreeMap, BTreeSet};

use net_types::{Mac, Name, TimeOfDay, UtcOffset, Weekday};
use serde::{Deserialize, Serialize};

/// Where a session has one, what its devices send to resolvers is looked into.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParentalControl {
    /// What the times are by.
    pub utc_offset: UtcOffset,
    pub rules: Vec<BlockRule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockRule {
    /// Of which lists the names are blocked.
    pub lists: BTreeSet<Name>,
    /// For which devices; for all, if there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub devices: BTreeSet<Mac>,
    /// When; always, if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<WeeklyTime>,
}

/// From one time of day to another, on each of some days of the week; where `to` is not after `from`, to that time of the day
/// after.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WeeklyTime {
    /// On which days it begins; every day, if there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<Weekday>,
    pub from: TimeOfDay,
    /// The first minute that is no longer in it.
    pub to: TimeOfDay,
}

/// The lists that are blocked for each device; for all others, under `None`.
pub type Blocked = BTreeMap<Option<Mac>, BTreeSet<Name>>;

const DAY: i64 = 24 * 60;
/// 1970-01-01 was a Thursday.
const FIRST_WEEKDAY: i64 = 3;

impl ParentalControl {
    /// What is blocked, so many seconds after 1970 began in UTC.
    pub fn blocked_at(&self, unix_seconds: u64) -> Blocked {
        let utc = i64::try_from(unix_seconds / 60).unwrap_or(i64::MAX / 2);
        let minute = utc + i64::from(self.utc_offset.minutes());
        let mut blocked = Blocked::from([(None, BTreeSet::new())]);
        for device in self.rules.iter().flat_map(|rule| &rule.devices) {
            blocked.insert(Some(*device), BTreeSet::new());
        }
        let active = self.rules.iter().filter(|rule| rule.is_active_at(minute));
        for rule in active {
            let about = |device: &Option<Mac>| match device {
                Some(mac) => rule.devices.is_empty() || rule.devices.contains(mac),
                None => rule.devices.is_empty(),
            };
            for (_, lists) in blocked.iter_mut().filter(|(device, _)| about(device)) {
                lists.extend(rule.lists.iter().cloned());
            }
        }
        blocked
    }
}

impl BlockRule {
    fn is_active_at(&self, minute: i64) -> bool {
        self.times.is_empty() || self.times.iter().any(|time| time.holds(minute))
    }
}

impl WeeklyTime {
    /// `minute`: since 1970 began, by the local clock.
    fn holds(&self, minute: i64) -> bool {
        let (from, to) = (i64::from(self.from.minutes()), i64::from(self.to.minutes()));
        let len = if to > from { to - from } else { to - from + DAY };
        // It has begun today, or yesterday.
        [0, 1].into_iter().any(|ago| {
            let day = minute.div_euclid(DAY) - ago;
            let since = minute - day * DAY - from;
            self.is_on(day) && (0..len).contains(&since)
        })
    }

    fn is_on(&self, day: i64) -> bool {
        let weekday = usize::try_from((day + FIRST_WEEKDAY).rem_euclid(7)).unwrap_or(0);
        self.days.is_empty() || self.days.contains(&Weekday::ALL[weekday])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: u64 = 1_767_571_200;
    const CHILD: &str = "02:00:00:00:00:07";

    fn control(text: &str) -> ParentalControl {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn lists(control: &ParentalControl, device: Option<&str>, at: u64) -> Vec<String> {
        let device = device.map(|mac| mac.parse().expect("an address"));
        let blocked = control.blocked_at(at);
        blocked.get(&device).expect("there").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn times_begin_on_their_days_and_may_go_on_past_midnight() {
        let control = control(
            r#"{"utcOffset":"+02:00","rules":[{"lists":["games"],"times":[
                {"days":["mon"],"from":"21:00","to":"06:30"},{"days":["sat"],"from":"00:00","to":"00:00"}]}]}"#,
        );
        let (hour, day) = (3600, 24 * 3600);
        for (at, is_blocked) in [
            (MONDAY + 18 * hour, false),
            (MONDAY + 19 * hour - 1, false),
            (MONDAY + 19 * hour, true),
            (MONDAY + 22 * hour, true),
            (MONDAY + day + 4 * hour, true),
            (MONDAY + day + 4 * hour + 1800, false),
            (MONDAY + day + 19 * hour, false),
            (MONDAY + 5 * day - 2 * hour - 1, false),
            (MONDAY + 5 * day - 2 * hour, true),
            (MONDAY + 6 * day - 2 * hour - 1, true),
            (MONDAY + 6 * day - 2 * hour, false),
            (MONDAY + 7 * day + 19 * hour, true),
        ] {
            assert_eq!(!lists(&control, None, at).is_empty(), is_blocked, "{}", at - MONDAY);
        }
    }

    #[test]
    fn a_device_has_what_is_for_all_and_what_is_for_it() {
        let control = control(&format!(
            r#"{{"utcOffset":"+00:00","rules":[{{"lists":["malware"]}},
                {{"lists":["adult","games"],"devices":["{CHILD}"]}},
                {{"lists":["social"],"devices":["02:00:00:00:00:09"],"times":[{{"from":"10:00","to":"11:00"}}]}}]}}"#
        ));
        assert_eq!(lists(&control, None, MONDAY), ["malware"]);
        assert_eq!(lists(&control, Some(CHILD), MONDAY), ["adult", "games", "malware"]);
        assert_eq!(lists(&control, Some("02:00:00:00:00:09"), MONDAY), ["malware"]);
        assert_eq!(lists(&control, Some("02:00:00:00:00:09"), MONDAY + 37_000), ["malware", "social"]);
    }
}
