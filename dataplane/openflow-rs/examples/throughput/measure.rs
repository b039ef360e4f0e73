//! What is measured: a flow mod from nothing to its bytes, and a packet-in from its bytes to what it says.

use std::{
    fs,
    hint::black_box,
    io,
    time::{Duration, Instant},
};

use openflow::{
    Action, BufferId, FlowMod, Instruction, Match, Message, PacketIn, PacketInReason, PortNo, TableId,
    Version, Xid, oxm::fields,
};

/// What is done over and over again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    EncodeFlowMod,
    DecodePacketIn,
}

impl Work {
    pub(crate) const ALL: [Self; 2] = [Self::EncodeFlowMod, Self::DecodePacketIn];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EncodeFlowMod => "encode_flow_mod",
            Self::DecodePacketIn => "decode_packet_in",
        }
    }

    /// How often it was done in a second of this thread's CPU time, over at least `span` of real time.
    pub(crate) fn rate(self, span: Duration) -> io::Result<f64> {
        const BATCH: u32 = 1000;
        let packet_in = packet_in();
        let mut out = Vec::new();
        let mut done = 0_u32;
        let (begun, cpu) = (Instant::now(), cpu_time()?);
        while begun.elapsed() < span {
            for number in 0..BATCH {
                match self {
                    Self::EncodeFlowMod => {
                        out.clear();
                        let encoded = flow_mod(done + number).encode(Version::V1_3, Xid(number), &mut out);
                        encoded.map_err(io::Error::other)?;
                        black_box(&out);
                    }
                    Self::DecodePacketIn => {
                        let decoded = Message::decode(Version::V1_3, black_box(&packet_in));
                        black_box(decoded.map_err(io::Error::other)?);
                    }
                }
            }
            done += BATCH;
        }
        Ok(f64::from(done) / cpu_time()?.saturating_sub(cpu).as_secs_f64())
    }
}

/// A flow of a gateway: five fields, three actions.
fn flow_mod(number: u32) -> Message {
    let matching =
        Match::new().in_port(PortNo(1)).eth_type(0x0800).ipv4_dst(number.into()).ip_proto(6).tcp_dst(80);
    let actions = vec![
        Action::set_field(fields::ETH_DST, [2, 0, 0, 0, 0, 1]),
        Action::DecNwTtl,
        Action::output(PortNo(2)),
    ];
    Message::FlowMod(FlowMod {
        cookie: number.into(),
        priority: 100,
        matching,
        instructions: vec![Instruction::ApplyActions(actions)],
        ..FlowMod::default()
    })
}

/// A packet of 64 bytes.
fn packet_in() -> Vec<u8> {
    let packet = PacketIn {
        buffer: BufferId::NONE,
        total_len: 64,
        reason: PacketInReason::ACTION,
        table: TableId(3),
        cookie: 7,
        matching: Match::new().in_port(PortNo(1)),
        data: vec![0x5a; 64],
    };
    Message::PacketIn(packet).to_bytes(Version::V1_3, Xid(1)).unwrap_or_default()
}

/// What this thread has had of a CPU (proc(5), `/proc/pid/schedstat`).
fn cpu_time() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| io::Error::other("schedstat has no time"))
}
