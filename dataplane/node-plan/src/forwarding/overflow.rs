//! Further port blocks: where they may come from, what they look like in the maps, and when they are idle.

use map_abi::{
    Down, ENTRIES_PER_BUCKET, HEADER_LINES, Line, OVERFLOW_BLOCKS_MAX, OverflowShare, Owner, Six, Up,
    entry_state, flags, idle_q30,
};
use node_state::{NatOverflow, Session};

use super::NatError;

/// How long a block is kept after its last mapping has run out, in 2^30 ns: so that what is still on its way to it does not
/// come to another subscriber (RFC 6888, REQ-8: 120 s).
const HOLD_Q30: u64 = 112;
const TCP: u64 = 6;
const ICMP: u64 = 1;

/// What of a public address a session's further blocks are from.
pub fn overflow_share(session: &Session) -> Result<OverflowShare, NatError> {
    let (Some(overflow), Some(_)) = (session.nat_overflow, session.nat) else {
        return Ok(OverflowShare::NONE);
    };
    let NatOverflow { first_port, ports, blocks } = overflow;
    let is_range =
        first_port % 64 == 0 && ports % 64 == 0 && u32::from(first_port) + u32::from(ports) <= 1 << 16;
    if !is_range || u32::from(blocks) > OVERFLOW_BLOCKS_MAX {
        return Err(NatError::Overflow { first: first_port, ports, blocks });
    }
    Ok(OverflowShare::new(first_port / 64, ports / 64, blocks))
}

/// The first lines of a further block of a session, from a group of 64 ports on; the session's block before it is the next.
pub fn overflow_block(session: &map_abi::Session, index: u32, first_group: u16) -> (Up, Down, Six) {
    let up = Up { external: session.external, first_port: first_group * 64, ..Up::default() };
    let owner = Owner::new(index, u8::try_from(session.port).unwrap_or(u8::MAX));
    let down = Down { flags: flags::OVERFLOW, owner, ..Down::default() };
    (up, down, Six { overflow: session.overflow, home: session.home, ..Six::default() })
}

/// Whether no mapping of a block has lived for a while.
pub fn is_idle(block: &[Line], now_ns: u64) -> bool {
    let lines = block.get(HEADER_LINES as usize..).unwrap_or_default();
    let entries = lines.iter().flat_map(|line| {
        line.words.chunks(line.words.len() / ENTRIES_PER_BUCKET as usize).map(|entry| (entry[0], entry[1]))
    });
    entries.filter(|(first, _)| first & 0xffff_ffff != 0).all(|entry| is_over(entry, now_ns >> 30))
}

/// An entry by its two words, as in `NatEntry`.
fn is_over((first, second): (u64, u64), now_q30: u64) -> bool {
    let state = second >> 16 & 0xff;
    let idle = match first >> 16 & 0xff {
        TCP if state == u64::from(entry_state::ESTABLISHED) => idle_q30::TCP_ESTABLISHED,
        TCP => idle_q30::TCP_TRANSITORY,
        ICMP => idle_q30::ICMP,
        _ => idle_q30::UDP,
    };
    state != u64::from(entry_state::FORWARD) && now_q30.saturating_sub(second >> 32) > idle + HOLD_Q30
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(protocol: u64, state: u8, seen_q30: u64) -> Line {
        let mut line = Line::default();
        line.words[4] = protocol << 16 | 0x1388;
        line.words[5] = u64::from(state) << 16 | seen_q30 << 32;
        line
    }

    #[test]
    fn a_block_is_idle_when_its_last_mapping_has_been_over_for_a_while() {
        const SEEN: u64 = 5000;
        for (protocol, state, idle_seconds) in [
            (17, entry_state::NEW, 300),
            (6, entry_state::NEW, 240),
            (6, entry_state::CLOSING, 240),
            (6, entry_state::ESTABLISHED, 7440),
            (1, entry_state::NEW, 60),
        ] {
            let mut block = vec![Line::default(); 16];
            // What the head has in the place of entries is none.
            block[0].words = [u64::MAX; 8];
            assert!(is_idle(&block, 0));
            block[9] = entry(protocol, state, SEEN);
            let after = |seconds: u64| is_idle(&block, (SEEN << 30) + seconds * 1_000_000_000);
            assert!(!after(0) && !after(idle_seconds + 118), "{protocol} {state}");
            assert!(after(idle_seconds + 123), "{protocol} {state}");
        }
    }
}
