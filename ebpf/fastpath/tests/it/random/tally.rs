//! What was reached, and how often: so that frames for a part of the office cannot cease to be without anybody's noticing.

use std::collections::BTreeMap;

use packet_logic::Verdict;

use crate::random::{generator::Way, host::Run};

/// What a slice of the campaign reaches, for IPv4 and for IPv6.
const AREAS: [(&str, bool, bool); 49] = [
    ("a line with two tags sends", true, true),
    ("a line with one tag sends", true, true),
    ("a line without tags sends", true, true),
    ("one of several lines with the same tags sends", true, true),
    ("a line with two tags receives", true, true),
    ("a line with one tag receives", true, true),
    ("a line without tags receives", true, true),
    ("one of several lines with the same tags receives", true, true),
    ("a subscriber sends to another", true, true),
    ("a yellow packet is marked", true, true),
    ("a red packet is dropped", true, true),
    ("the garden is reached", true, true),
    ("the garden answers", true, true),
    ("a resolver is asked out of the garden", true, true),
    ("a resolver answers into the garden", true, true),
    ("what is not in the garden is dropped", true, true),
    ("the web of the garden goes to the portal", true, true),
    ("HTTPS of the garden is handed over", true, true),
    ("what a quarantined line sends is dropped", true, true),
    ("what is for a quarantined line is dropped", true, true),
    ("a rule lets out", true, false),
    ("a rule keeps in", true, true),
    ("a rule lets in", true, true),
    ("a rule keeps out", true, true),
    ("what a rule let in is answered", true, true),
    ("an answer passes a firewall", true, true),
    ("a firewall keeps out what answers nothing", true, true),
    ("a port forward leads in", true, false),
    ("a port forward is answered", true, false),
    ("an answer comes back through NAT", true, false),
    ("an error comes back", true, true),
    ("a later fragment comes in", true, true),
    ("DHCP is offered in the kernel", true, false),
    ("DHCP is acknowledged in the kernel", true, false),
    ("DHCP is handed over", true, true),
    ("voice goes out", true, true),
    ("voice comes in", true, true),
    ("the mark of voice is taken away", true, true),
    ("a mark is a priority", true, true),
    ("a priority is a mark", true, true),
    ("a storm is stopped", true, true),
    ("what is said to all is answered", true, true),
    ("a query is answered", true, true),
    ("a query passes parental control", true, true),
    ("what cannot be read does not pass parental control", true, true),
    ("a connection to a resolver is reset", true, true),
    ("a connection to an encrypted resolver is reset", true, true),
    ("QUIC to an encrypted resolver is dropped", true, true),
    ("a device that may do all passes parental control", true, true),
];
/// As `AREAS`, of sources that core ports check.
const CHECKED: [(&str, bool, bool); 4] = [
    ("the strict check lets in", true, true),
    ("the strict check keeps out", true, true),
    ("the loose check lets in", true, true),
    ("the loose check keeps out", true, true),
];
/// The programs that verdicts lead on to.
const PROGRAMS: [Verdict; 16] = [
    Verdict::Core,
    Verdict::Open,
    Verdict::Open6,
    Verdict::Rules,
    Verdict::RulesIn,
    Verdict::Access,
    Verdict::Access6,
    Verdict::Garden,
    Verdict::Garden6,
    Verdict::GardenCore,
    Verdict::GardenCore6,
    Verdict::Core6,
    Verdict::Dhcp,
    Verdict::Dns,
    Verdict::DnsName,
    Verdict::Link,
];

#[derive(Default)]
pub(super) struct Tally {
    verdicts: BTreeMap<String, u64>,
    programs: BTreeMap<String, u64>,
    areas: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn ran(&mut self, way: Way, run: &Run) {
        let (verdict, before) = run.path.split_last().expect("there is an end");
        *self.verdicts.entry(format!("{way:?} {verdict:?}")).or_default() += 1;
        for program in before {
            *self.programs.entry(format!("{program:?}")).or_default() += 1;
        }
    }

    pub(super) fn saw(&mut self, area: &str, is_v6: bool) {
        let found = AREAS.iter().chain(&CHECKED).find(|(known, ..)| *known == area);
        let (_, four, six) = found.unwrap_or_else(|| panic!("{area}: not in the list"));
        assert!(if is_v6 { *six } else { *four }, "{area}: not of this family");
        *self.areas.entry(name(area, is_v6)).or_default() += 1;
    }

    pub(super) fn saw_if(&mut self, is_so: bool, area: &str, is_v6: bool) {
        if is_so {
            self.saw(area, is_v6);
        }
    }

    pub(super) fn print(&self) {
        for (title, counts) in
            [("verdicts", &self.verdicts), ("programs led on to", &self.programs), ("areas", &self.areas)]
        {
            println!("{title}:");
            for (name, count) in counts {
                println!("{count:>12}  {name}");
            }
        }
    }

    /// Every area and every program was reached.
    pub(super) fn assert_all_reached(&self) {
        let mut missing: Vec<String> = PROGRAMS
            .iter()
            .map(|program| format!("{program:?}"))
            .filter(|program| !self.programs.contains_key(program))
            .collect();
        for (area, four, six) in AREAS.iter().chain(&CHECKED) {
            let wanted = [(*four, false), (*six, true)].into_iter().filter(|(is_wanted, _)| *is_wanted);
            let names = wanted.map(|(_, is_v6)| name(area, is_v6));
            missing.extend(names.filter(|name| !self.areas.contains_key(name)));
        }
        assert!(missing.is_empty(), "never reached: {missing:#?}");
    }
}

fn name(area: &str, is_v6: bool) -> String {
    format!("{area} (IPv{})", if is_v6 { 6 } else { 4 })
}
