//! The two places that a fixture runs in.

use std::os::fd::AsRawFd;

use fastpath::{DropReason, Fastpath, Inspector, ProgramOf, PuntReason, Punts, Tally};
use map_abi::{Course, End};
use packet_logic::{HostPacket, HostTables, Verdict, lead_on};

use crate::{
    tally::{only_one, tally},
    world::World,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    Redirect(Vec<u8>),
    Punt(PuntReason),
    /// With the reason that a copy went to user space for, if one did.
    Drop(DropReason, Option<PuntReason>),
}

pub(crate) trait Runner {
    fn up(&mut self, frame: &[u8]) -> Outcome;
    fn down(&mut self, frame: &[u8]) -> Outcome;
}

pub(crate) struct Host<'a> {
    pub(crate) world: &'a World,
    pub(crate) tables: HostTables,
}

impl Host<'_> {
    fn run(
        &self,
        way: ProgramOf,
        begin: fn(&mut HostPacket, &HostTables) -> Verdict,
        mut packet: HostPacket,
    ) -> Outcome {
        let before = self.tables.tally();
        let mut verdict = begin(&mut packet, &self.tables);
        while let Some(next) = lead_on(&mut packet, &self.tables, verdict) {
            verdict = next;
        }
        let punted = packet.punts().last().map(|(reason, ..)| *reason);
        let outcome = match verdict {
            Verdict::Pass => Outcome::Pass,
            Verdict::Redirect(_)
            | Verdict::AnsweredArp(_)
            | Verdict::AnsweredDhcp(_)
            | Verdict::AnsweredDns(_) => Outcome::Redirect(packet.bytes()),
            Verdict::Punted(reason) => {
                assert_eq!(punted, Some(reason));
                Outcome::Punt(reason)
            }
            Verdict::Drop(reason) => Outcome::Drop(reason, punted),
            verdict => panic!("{verdict:?} leads nowhere"),
        };
        assert_counted(way, &outcome, &before, &self.tables.tally());
        outcome
    }
}

/// The frame is counted once, as what became of it.
fn assert_counted(way: ProgramOf, outcome: &Outcome, before: &Tally, after: &Tally) {
    let (course, end) = only_one(before, after);
    assert_eq!(way == ProgramOf::CorePorts, course == Course::DOWN, "where it came from");
    let is_so = match (outcome, end) {
        (Outcome::Redirect(_), Ok(End::Answered(_))) => course == Course::UP,
        (Outcome::Redirect(_), Ok(End::Forwarded)) | (Outcome::Pass, Ok(End::Kernel)) => true,
        (Outcome::Punt(told), Ok(End::UserSpace(counted))) => *told == counted,
        (Outcome::Drop(told, _), Err(counted)) => *told == counted,
        _ => false,
    };
    assert!(is_so, "{outcome:?} is counted as {end:?}");
}

impl Runner for Host<'_> {
    fn up(&mut self, frame: &[u8]) -> Outcome {
        self.run(ProgramOf::AccessPorts, packet_logic::up, HostPacket::new(frame, self.world.access))
    }

    fn down(&mut self, frame: &[u8]) -> Outcome {
        self.run(ProgramOf::CorePorts, packet_logic::down, HostPacket::new(frame, self.world.core))
    }
}

pub(crate) struct Kernel<'a> {
    pub(crate) world: &'a World,
    pub(crate) fastpath: &'a mut Fastpath,
    pub(crate) inspector: &'a Inspector,
    pub(crate) punts: &'a mut Punts,
}

impl Kernel<'_> {
    fn run(&mut self, which: ProgramOf, ifindex: u32, frame: &[u8]) -> Outcome {
        let before = tally(self.inspector);
        let (action, out) = self.fastpath.run_once(which, ifindex, frame).unwrap_or_else(|e| panic!("{e}"));
        let after = tally(self.inspector);
        assert!(self.punts.as_raw_fd() >= 0);
        let punted = std::iter::from_fn(|| self.punts.next()).last();
        if let Some(punt) = &punted {
            assert_eq!(punt.frame, frame, "user space has the frame as it came");
        }
        let punted = punted.map(|punt| punt.reason);
        let reason = only_one(&before, &after).1.err();
        let outcome = match (action, reason, punted) {
            (1, Some(reason), punted) => Outcome::Drop(reason, punted),
            (1, None, Some(reason)) => Outcome::Punt(reason),
            (2, None, None) => Outcome::Pass,
            (4, None, None) => Outcome::Redirect(out),
            other => panic!("{other:?}"),
        };
        assert_counted(which, &outcome, &before, &after);
        outcome
    }
}

impl Runner for Kernel<'_> {
    fn up(&mut self, frame: &[u8]) -> Outcome {
        self.run(ProgramOf::AccessPorts, self.world.access, frame)
    }

    fn down(&mut self, frame: &[u8]) -> Outcome {
        self.run(ProgramOf::CorePorts, self.world.core, frame)
    }
}
