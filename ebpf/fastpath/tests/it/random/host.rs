//! `packet_logic` on the host, and what becomes of a frame.

use std::collections::BTreeSet;

use fastpath::{PuntReason, Tally};
use map_abi::{Chunk, Session};
use packet_logic::{HostPacket, HostTables, Tables, Verdict, lead_on};

use crate::{
    random::{
        generator::{Frame, Way},
        kernel::{Kernel, Ports},
    },
    world::now_ns,
};

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) end: End,
    /// As it was left.
    pub(super) bytes: Vec<u8>,
    /// Reason and session of the copies that went to user space.
    pub(super) punts: Vec<(PuntReason, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Passed,
    Redirected,
    /// Dropped, or handed over to user space.
    Gone,
}

/// What was counted: packets of all lines up and down, drops by line, and how each frame ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) up: u64,
    pub(super) down: u64,
    pub(super) tally: Tally,
    pub(super) dropped_of_lines: u64,
}

/// What became of a frame, and by which programs.
pub(super) struct Run {
    way: Way,
    pub(super) fate: Fate,
    /// What each program said, the last of which is the end.
    pub(super) path: Vec<Verdict>,
    /// The sessions of the lines.
    pub(super) lines: Vec<u32>,
}

impl Run {
    pub(super) fn verdict(&self) -> Verdict {
        *self.path.last().expect("there is an end")
    }

    /// Whether the packet is still on its sender's side.
    pub(super) fn is_up(&self) -> bool {
        let is_handed_on = |verdict: &Verdict| matches!(verdict, Verdict::Core | Verdict::Core6);
        self.way == Way::Up && !self.path.iter().any(is_handed_on)
    }

    /// Whether the office answered the frame by itself.
    pub(super) fn is_answer(&self) -> bool {
        let verdict = self.verdict();
        matches!(verdict, Verdict::AnsweredArp(_) | Verdict::AnsweredDhcp(_) | Verdict::AnsweredDns(_))
    }
}

/// The same code, over tables in ordinary memory.
pub(super) struct Host {
    ports: Ports,
    pub(super) tables: HostTables,
    pub(super) indices: Vec<u32>,
}

impl Host {
    pub(super) fn like(kernel: &mut Kernel<'_>) -> Self {
        let tables = kernel.reset();
        Self { ports: kernel.ports, tables, indices: kernel.indices.clone() }
    }

    /// The clock is as the kernel's is by now, so that the same runs out in both, however long a round takes.
    pub(super) fn catch_up(&self) {
        self.tables.advance_ns(now_ns().saturating_sub(self.tables.now_ns()));
    }

    pub(super) fn session(&self, index: u32) -> Session {
        self.tables.session_value(index).expect("a session")
    }

    pub(super) fn chunk(&self, index: u32) -> Box<Chunk> {
        let chunk = self.tables.chunk(index).expect("a chunk");
        // SAFETY: a value of the tables', which nobody else refers to right now.
        Box::new(unsafe { chunk.read() })
    }

    pub(super) fn run(&self, frame: &Frame) -> Run {
        let mut packet = HostPacket::new(&frame.bytes, self.ports.ifindex(frame));
        let first = match frame.way {
            Way::Up => packet_logic::up(&mut packet, &self.tables),
            Way::Down => packet_logic::down(&mut packet, &self.tables),
        };
        let path: Vec<Verdict> =
            std::iter::successors(Some(first), |verdict| lead_on(&mut packet, &self.tables, *verdict))
                .collect();
        let end = match path.last() {
            Some(Verdict::Pass) => End::Passed,
            Some(
                Verdict::Redirect(_)
                | Verdict::AnsweredArp(_)
                | Verdict::AnsweredDhcp(_)
                | Verdict::AnsweredDns(_),
            ) => End::Redirected,
            _ => End::Gone,
        };
        let punts = packet.punts().into_iter().map(|(reason, _, session)| (reason, session)).collect();
        let fate = Fate { end, bytes: packet.bytes(), punts };
        Run { way: frame.way, fate, path, lines: self.indices.clone() }
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { tally: self.tables.tally(), ..Counts::default() };
        let sessions: BTreeSet<u32> = self.indices.iter().copied().collect();
        for index in sessions {
            let session = self.session(index);
            counts.dropped_of_lines += session.drops_up + session.drops_down;
            let [up, down] = self.tables.meters(session.home).expect("a home");
            counts.up += up.packets;
            counts.down += down.packets;
        }
        counts
    }
}
