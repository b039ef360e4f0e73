//! The two places that a fixture runs in.

use std::os::fd::AsRawFd;

use fastpath::{DropReason, Fastpath, Inspector, ProgramOf, PuntReason, Punts};
use packet_logic::{HostPacket, HostTables, Verdict, lead_on};

use crate::world::World;

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
    fn outcome(&self, mut packet: HostPacket, verdict: Verdict) -> Outcome {
        let punted = packet.punts().last().map(|(reason, ..)| *reason);
        match verdict {
            Verdict::Pass => Outcome::Pass,
            Verdict::Redirect(_) => Outcome::Redirect(packet.bytes()),
            Verdict::Punted => Outcome::Punt(punted.expect("a punt")),
            Verdict::Drop(reason) => Outcome::Drop(reason, punted),
            verdict => {
                let next = lead_on(&mut packet, &self.tables, verdict).expect("it leads on");
                self.outcome(packet, next)
            }
        }
    }
}

impl Runner for Host<'_> {
    fn up(&mut self, frame: &[u8]) -> Outcome {
        let mut packet = HostPacket::new(frame, self.world.access);
        let verdict = packet_logic::up(&mut packet, &self.tables);
        self.outcome(packet, verdict)
    }

    fn down(&mut self, frame: &[u8]) -> Outcome {
        let mut packet = HostPacket::new(frame, self.world.core);
        let verdict = packet_logic::down(&mut packet, &self.tables);
        self.outcome(packet, verdict)
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
        let before = self.inspector.drops().expect("drops");
        let (action, out) = self.fastpath.run_once(which, ifindex, frame).unwrap_or_else(|e| panic!("{e}"));
        let after = self.inspector.drops().expect("drops");
        assert!(self.punts.as_raw_fd() >= 0);
        let punted = std::iter::from_fn(|| self.punts.next()).last();
        if let Some(punt) = &punted {
            assert_eq!(punt.frame, frame, "user space has the frame as it came");
        }
        let punted = punted.map(|punt| punt.reason);
        let mut grown = before.iter().zip(&after).filter(|((_, before), (_, after))| before != after);
        let reason = grown.next().map(|(_, (reason, _))| *reason);
        assert!(grown.next().is_none(), "one packet, one reason");
        match (action, reason, punted) {
            (1, Some(reason), punted) => Outcome::Drop(reason, punted),
            (1, None, Some(reason)) => Outcome::Punt(reason),
            (2, None, None) => Outcome::Pass,
            (4, None, None) => Outcome::Redirect(out),
            other => panic!("{other:?}"),
        }
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
