//! `packet_logic` on the host, and what becomes of a frame.

use fastpath::{PuntReason, Tally};
use map_abi::{Chunk, Session};
use packet_logic::{HostPacket, HostTables, Tables, Verdict, lead_on};

use crate::{
    random::{
        generator::{Frame, Way},
        kernel::Kernel,
    },
    world::World,
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

/// The same code, over tables in ordinary memory.
pub(super) struct Host<'a> {
    world: &'a World,
    pub(super) tables: HostTables,
    indices: Vec<u32>,
}

impl<'a> Host<'a> {
    pub(super) fn like(kernel: &mut Kernel<'a>) -> Self {
        let tables = kernel.reset();
        Self { world: kernel.world, tables, indices: kernel.indices.clone() }
    }

    pub(super) fn session(&self, index: u32) -> Session {
        self.tables.session_value(index).expect("a session")
    }

    pub(super) fn chunk(&self, index: u32) -> Box<Chunk> {
        let chunk = self.tables.chunk(index).expect("a chunk");
        // SAFETY: a value of the tables', which nobody else refers to right now.
        Box::new(unsafe { chunk.read() })
    }

    pub(super) fn run(&self, frame: &Frame) -> (Fate, Verdict) {
        let (mut packet, mut verdict);
        match frame.way {
            Way::Up => {
                packet = HostPacket::new(&frame.bytes, self.world.access);
                verdict = packet_logic::up(&mut packet, &self.tables);
            }
            Way::Down => {
                packet = HostPacket::new(&frame.bytes, self.world.core);
                verdict = packet_logic::down(&mut packet, &self.tables);
            }
        }
        while let Some(next) = lead_on(&mut packet, &self.tables, verdict) {
            verdict = next;
        }
        let end = match verdict {
            Verdict::Pass => End::Passed,
            Verdict::Redirect(_)
            | Verdict::AnsweredArp(_)
            | Verdict::AnsweredDhcp(_)
            | Verdict::AnsweredDns(_) => End::Redirected,
            _ => End::Gone,
        };
        let punts = packet.punts().into_iter().map(|(reason, _, session)| (reason, session)).collect();
        (Fate { end, bytes: packet.bytes(), punts }, verdict)
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { tally: self.tables.tally(), ..Counts::default() };
        for index in &self.indices {
            let session = self.session(*index);
            counts.dropped_of_lines += session.drops_up + session.drops_down;
            let [up, down] = self.tables.meters(session.home).expect("a home");
            counts.up += up.packets;
            counts.down += down.packets;
        }
        counts
    }
}
