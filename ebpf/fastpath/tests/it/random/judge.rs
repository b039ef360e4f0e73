//! What must be true of every frame, reckoned apart from the code that is judged.

mod answers;
mod counts;
mod drops;
mod garden;
mod known;
mod marks;
mod names;
mod punts;
mod storm;
mod translation;
mod walls;

use map_abi::{Answer, Course};
use packet_logic::Verdict;

pub(super) use self::counts::assert_special_counted;
use self::known::Known;
use crate::{
    frames::Address,
    random::{
        generator::{Frame, Way},
        host::{Counts, End, Run},
        office::{ACCESS, CORE, Check, LINES, Line, MTU, Rates, Target, is_martian, route},
        tally::Tally,
        view::{Framed, View},
    },
    tally::only_one,
};

/// The line whose tags a frame has on an access port, and if several have them, whose address.
fn line_of(port: usize, frame: &[u8], station: [u8; 6]) -> Option<usize> {
    let vids = Framed::read(frame).vids();
    let mut lines = (0..LINES.len()).filter(|n| LINES[*n].port == port && LINES[*n].tags == vids);
    lines.find(|n| !LINES[*n].is_shared() || LINES[*n].mac == station)
}

/// The line that a frame comes from.
fn sender(frame: &Frame) -> Option<usize> {
    let station = frame.bytes[6..12].try_into().expect("six bytes");
    (frame.way == Way::Up).then(|| line_of(frame.by, &frame.bytes, station))?
}

/// What the judge remembers from one frame to the next.
#[derive(Default)]
pub(super) struct Judge {
    known: Known,
    /// Whether lines have something left of what they may say to all on their links.
    pub(super) may_broadcast: bool,
}

impl Judge {
    /// A frame goes where it may, changed only as it may be.
    pub(super) fn assert_fate(&mut self, frame: &Frame, run: &Run, tally: &mut Tally) {
        let Run { fate, .. } = run;
        let (from, packet) = (sender(frame), View::of(&frame.bytes));
        match (from, &packet) {
            (Some(line), Some(packet)) => {
                let may_begin = walls::may_be_sent(&LINES[line], packet, &self.known);
                self.known.sent(line, packet, may_begin);
            }
            (None, Some(packet)) => self.known.came(packet),
            _ => {}
        }
        punts::assert_due(frame, run, tally);
        storm::assert_stopped(from, frame, run, self.may_broadcast, tally);
        match fate.end {
            End::Gone => drops::assert_may_be(frame, run, tally),
            End::Passed => {
                assert_eq!(frame.way, Way::Down, "nothing of a subscriber's is the kernel's to route");
                assert_eq!(fate.bytes, frame.bytes, "the kernel gets a frame as it came");
                assert!(!is_for_a_line(frame), "nothing for a subscriber passes by the fast path");
            }
            End::Redirected if run.is_answer() => {
                let line = &LINES[from.expect("who asked is answered")];
                answers::assert_due(line, &frame.bytes, &fate.bytes, tally);
            }
            End::Redirected => self.assert_forwarded(frame, run, tally),
        }
    }

    fn assert_forwarded(&mut self, frame: &Frame, run: &Run, tally: &mut Tally) {
        let out = &run.fate.bytes;
        let (came, packet) = (View::of(&frame.bytes), View::of(out));
        let (came, packet) = (came.expect("a packet came"), packet.expect("a packet leaves"));
        assert_eq!(packet.is_v6(), came.is_v6());
        translation::assert_forwarded(&came, &packet);
        let (came_at, out_at) = (Framed::read(&frame.bytes).packet_at, Framed::read(out).packet_at);
        let came_at = if frame.way == Way::Up { came_at } else { 14 };
        assert_eq!(out.len() - out_at, frame.bytes.len() - came_at, "tags differ, and nothing else");
        let class = if let Some(line) = sender(frame) {
            self.assert_sent((line, &LINES[line]), frame, (&came, &packet), tally)
        } else {
            assert_eq!(frame.way, Way::Down, "it is of a line");
            assert_eq!(packet.source, came.source, "a source on the Internet stays as it is");
            came.class
        };
        let ports = ACCESS.iter().map(|port| port.mac).chain(CORE.iter().map(|port| port.mac));
        let by = ports.into_iter().position(|mac| mac == out[6..12]).expect("it comes from a port");
        assert_eq!(run.verdict(), Verdict::Redirect(u32::try_from(by).expect("few")), "the header's port");
        if let Some(core) = by.checked_sub(ACCESS.len()) {
            assert_eq!(frame.way, Way::Up, "what came from the core does not go back there");
            assert_eq!(out[..6], CORE[core].router, "to the router there");
            assert_eq!(route(packet.to), Target::Core(core), "the way to {}", packet.to);
            assert_eq!(packet.to, came.to, "a destination on the Internet stays as it is");
            assert!(!is_martian(packet.to), "{} is nobody", packet.to);
            assert!(packet.bytes.len() <= usize::from(MTU), "larger than the core port takes");
            assert_eq!(packet.class, class, "the mark");
        } else {
            let station = out[..6].try_into().expect("six bytes");
            let line = line_of(by, out, station).expect("the tags are a line's");
            tally.saw_if(frame.way == Way::Up, "a subscriber sends to another", packet.is_v6());
            self.assert_received((line, &LINES[line]), frame, (&came, &packet, class), tally);
            let line = &LINES[line];
            assert_eq!(out[..6], line.mac, "to {}", line.name);
            let (after, is_voice) = marks::through(line, packet.source, class);
            assert_eq!(packet.class, after, "the mark");
            marks::assert_tags(line, &Framed::read(out), after, is_voice);
        }
    }

    /// A line may send the packet: the type of service that it has then.
    fn assert_sent(
        &mut self,
        (index, line): (usize, &Line),
        frame: &Frame,
        (sent, out): (&View, &View),
        tally: &mut Tally,
    ) -> u8 {
        let is_v6 = sent.is_v6();
        assert_eq!(frame.bytes[..12], [ACCESS[line.port].mac, line.mac].concat(), "its Ethernet addresses");
        assert!(line.has_mac, "{} is not known", line.name);
        assert!(line.owns(sent.source), "{} is not of {}", sent.source, line.name);
        garden::assert_may_leave(line, sent, tally);
        names::assert_may_leave(line, sent);
        assert!(walls::may_be_sent(line, sent, &self.known), "a rule of {} is against it", line.name);
        translation::assert_out((index, line), (sent, out), &mut self.known, tally);
        let marked = marks::when_sent(line, frame, sent.class);
        let (class, is_voice) = marks::through(line, sent.to, marked);
        assert!(is_voice || line.rate != Rates::Red, "{} has used up its rate", line.name);

        walls::saw_sent(line, sent, tally);
        tally.saw_if(is_voice, "voice goes out", is_v6);
        tally.saw_if(!is_voice && class != marked, "the mark of voice is taken away", is_v6);
        tally.saw_if(marked != sent.class && class == marked, "a priority is a mark", is_v6);
        let is_query = names::is_query(sent) && line.control.is_some();
        tally.saw_if(is_query && names::is_controlled(line), "a query passes parental control", is_v6);
        let area = "a device that may do all passes parental control";
        tally.saw_if(is_query && !names::is_controlled(line), area, is_v6);
        saw_line(line, "sends", is_v6, tally);
        class
    }

    /// A line may receive the packet.
    fn assert_received(
        &mut self,
        (index, line): (usize, &Line),
        frame: &Frame,
        (came, packet, class): (&View, &View, u8),
        tally: &mut Tally,
    ) {
        let is_v6 = packet.is_v6();
        assert!(line.has_mac, "{} is not known", line.name);
        assert!(line.owns(packet.to), "{} is not of {}", packet.to, line.name);
        assert!(packet.bytes.len() <= usize::from(ACCESS[line.port].mtu), "larger than the line takes");
        assert!(!is_martian(packet.source), "{} is nobody", packet.source);
        let is_from_core = frame.way == Way::Down;
        if is_from_core {
            assert_eq!(frame.bytes[..6], CORE[frame.by].mac, "it was sent to the office");
            assert_may_come_by(frame.by, came, tally);
        }
        garden::assert_may_enter(line, packet, tally);
        translation::assert_in((index, line), (came, packet), is_from_core, &self.known, tally);
        walls::assert_may_enter((index, line), (came, packet), is_from_core, &mut self.known, tally);
        let (after, is_voice) = marks::through(line, packet.source, class);
        assert!(is_voice || line.rate != Rates::Red, "{} has used up its rate", line.name);

        tally.saw_if(is_voice, "voice comes in", is_v6);
        tally.saw_if(!is_voice && line.rate == Rates::Yellow, "a yellow packet is marked", is_v6);
        let is_priority = ACCESS[line.port].has_priorities && !line.tags.is_empty() && !is_voice;
        tally.saw_if(is_priority && after >> 5 != 0, "a mark is a priority", is_v6);
        saw_line(line, "receives", is_v6, tally);
    }
}

/// A packet comes in by a core port that the way back to its source leads to, as far as the port asks (RFC 3704).
fn assert_may_come_by(port: usize, came: &View, tally: &mut Tally) {
    let is_v6 = came.is_v6();
    match (CORE[port].check, route(came.source)) {
        (Check::Nothing, _) => {}
        (Check::Loose, target) => {
            assert!(matches!(target, Target::Core(_)), "{} is a subscriber", came.source);
            tally.saw("the loose check lets in", is_v6);
        }
        (Check::Strict, target) => {
            assert_eq!(target, Target::Core(port), "the way to {}", came.source);
            tally.saw("the strict check lets in", is_v6);
        }
    }
}

fn saw_line(line: &Line, does: &str, is_v6: bool, tally: &mut Tally) {
    let kind = match line.tags {
        [] => "a line without tags",
        [_] => "a line with one tag",
        _ => "a line with two tags",
    };
    tally.saw(&format!("{kind} {does}"), is_v6);
    tally.saw_if(line.is_shared(), &format!("one of several lines with the same tags {does}"), is_v6);
}

/// Whether a frame from the core is sent to the office and has an address of a line's.
fn is_for_a_line(frame: &Frame) -> bool {
    let bytes = &frame.bytes;
    let is_ours = bytes.starts_with(&CORE[frame.by].mac);
    let four = bytes.get(30..34).and_then(|address| Address::try_from(address).ok());
    let six = bytes.get(38..54).and_then(|address| <[u8; 16]>::try_from(address).ok());
    match bytes[12..14] {
        [8, 0] => is_ours && four.is_some_and(|to| LINES.iter().any(|line| line.is_reached_by(to))),
        [0x86, 0xdd] => is_ours && six.is_some_and(|to| LINES.iter().any(|line| line.holds6(to))),
        _ => false,
    }
}

/// A frame is counted once among all, and of its line as passed, as dropped, or not at all where somebody answers it or the
/// kernel deals with it; what is special is counted by itself.
pub(super) fn assert_counted(frame: &Frame, run: &Run, (before, after): (&Counts, &Counts)) {
    let verdict = run.verdict();
    let (up, down) = (after.up - before.up, after.down - before.down);
    let dropped = after.dropped_of_lines - before.dropped_of_lines;
    let course = match frame.way {
        Way::Down => Course::DOWN,
        Way::Up if run.is_up() => Course::UP,
        Way::Up => Course::TURNED,
    };
    let counted = match verdict {
        Verdict::Drop(reason) => Err(reason),
        Verdict::Redirect(_) => Ok(map_abi::End::Forwarded),
        Verdict::AnsweredArp(_) => Ok(map_abi::End::Answered(Answer::Arp)),
        Verdict::AnsweredDhcp(_) => Ok(map_abi::End::Answered(Answer::Dhcp)),
        Verdict::AnsweredDns(_) => Ok(map_abi::End::Answered(Answer::Dns)),
        Verdict::Punted(reason) => Ok(map_abi::End::UserSpace(reason)),
        Verdict::Pass => Ok(map_abi::End::Kernel),
        verdict => panic!("{verdict:?} leads nowhere"),
    };
    assert_eq!(only_one(&before.tally, &after.tally), (course, counted));
    let is_delivered = matches!(verdict, Verdict::Redirect(port) if (port as usize) < ACCESS.len());
    let (came_up, goes_down) = (u64::from(frame.way == Way::Up), u64::from(is_delivered));
    match verdict {
        Verdict::Redirect(_) => assert_eq!((up, down, dropped), (came_up, goes_down, 0), "passed"),
        Verdict::Drop(_) => {
            assert!(down == 0 && dropped <= 1, "dropped");
            // One subscriber's packet to another was counted before the other's side dropped it.
            assert!(up <= came_up);
        }
        _ => assert_eq!((up, down, dropped), (0, 0, 0), "an answer, or the kernel's, or user space's"),
    }
}
