//! Relay agent information in DHCP messages that pass through the OLT.

use crate::olt::Option82;

const ETHERNET: usize = 14;
const UDP: usize = 8;
const BOOTP: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const PAD: u8 = 0;
const RELAY_AGENT: u8 = 82;
const END: u8 = 255;

/// The untagged frame with option 82 at the end of its options (RFC 3046 section 2.1), if it is a DHCP message from a client
/// that has none yet.
pub(crate) fn insert(frame: &[u8], option: &Option82) -> Option<Vec<u8>> {
    let dhcp = Dhcp::parse(frame, SERVER_PORT)?;
    let (mut options, had) = dhcp.options_without_relay_agent()?;
    if had {
        return None;
    }
    let sub = |kind: u8, text: &str| {
        let len = u8::try_from(text.len()).ok()?;
        Some([&[kind, len], text.as_bytes()].concat())
    };
    let value = [sub(1, &option.circuit_id)?, sub(2, &option.remote_id)?].concat();
    options.extend([RELAY_AGENT, u8::try_from(value.len()).ok()?]);
    options.extend(value);
    options.push(END);
    Some(dhcp.rebuild(&options))
}

/// The untagged frame without option 82, if it is a DHCP message to a client that has one: the relay that added it takes
/// it out again.
pub(crate) fn remove(frame: &[u8]) -> Option<Vec<u8>> {
    let dhcp = Dhcp::parse(frame, CLIENT_PORT)?;
    let (mut options, had) = dhcp.options_without_relay_agent()?;
    options.push(END);
    had.then(|| dhcp.rebuild(&options))
}

struct Dhcp<'a> {
    /// Ethernet, IP and UDP headers and the fixed part of the message with its cookie.
    head: &'a [u8],
    ip_header_len: usize,
    options: &'a [u8],
}

impl<'a> Dhcp<'a> {
    /// A whole, unfragmented DHCP message to that UDP port.
    fn parse(frame: &'a [u8], port: u16) -> Option<Self> {
        let ip = frame.get(ETHERNET..)?;
        let (version, ip_header_len) = (ip.first()? >> 4, usize::from(ip.first()? & 15) * 4);
        let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
        let fragment = u16::from_be_bytes([*ip.get(6)?, *ip.get(7)?]) & 0x3fff;
        let is_ipv4 = frame[12..ETHERNET] == [8, 0] && version == 4;
        if !is_ipv4 || ip_header_len < 20 || fragment != 0 || ip.get(9) != Some(&17) {
            return None;
        }
        let udp = ip.get(ip_header_len..total)?;
        if udp.get(2..4)? != port.to_be_bytes() {
            return None;
        }
        let (fixed, options) = udp.get(UDP..)?.split_at_checked(BOOTP + COOKIE.len())?;
        if fixed[BOOTP..] != COOKIE {
            return None;
        }
        let head = &frame[..ETHERNET + total - options.len()];
        Some(Self { head, ip_header_len, options })
    }

    /// The options up to the end mark, without it, and whether option 82 was left out of them.
    fn options_without_relay_agent(&self) -> Option<(Vec<u8>, bool)> {
        let (mut kept, mut had) = (Vec::with_capacity(self.options.len()), false);
        let mut rest = self.options;
        while let Some((&code, tail)) = rest.split_first() {
            match code {
                END => return Some((kept, had)),
                PAD => rest = tail,
                _ => {
                    let len = 2 + usize::from(*tail.first()?);
                    let (option, after) = rest.split_at_checked(len)?;
                    if code == RELAY_AGENT {
                        had = true;
                    } else {
                        kept.extend_from_slice(option);
                    }
                    rest = after;
                }
            }
        }
        None
    }

    /// The frame with other options, and lengths and checksums to match.
    fn rebuild(&self, options: &[u8]) -> Vec<u8> {
        let mut frame = self.head.to_vec();
        frame.extend_from_slice(options);
        let (ip, udp) = (ETHERNET, ETHERNET + self.ip_header_len);
        let be = |len: usize| u16::try_from(len).expect("within an Ethernet frame").to_be_bytes();
        let (total, udp_len) = (be(frame.len() - ip), be(frame.len() - udp));
        frame[ip + 2..ip + 4].copy_from_slice(&total);
        frame[udp + 4..udp + 6].copy_from_slice(&udp_len);
        frame[ip + 10..ip + 12].fill(0);
        let sum = checksum(&[&frame[ip..udp]]);
        frame[ip + 10..ip + 12].copy_from_slice(&sum);
        frame[udp + 6..udp + 8].fill(0);
        let protocol = [0, 17];
        let sum = checksum(&[&frame[ip + 12..ip + 20], &protocol, &udp_len, &frame[udp..]]);
        // A checksum of zero would say that there is none (RFC 768).
        frame[udp + 6..udp + 8].copy_from_slice(&if sum == [0, 0] { [255, 255] } else { sum });
        frame
    }
}

/// The Internet checksum (RFC 1071) over parts of which only the last may have an odd length.
pub(crate) fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum = words
        .fold(0u32, |sum, word| sum + u32::from(word[0]) * 256 + word.get(1).copied().map_or(0, u32::from));
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!u16::try_from(folded).expect("folded twice")).to_be_bytes()
}

#[cfg(test)]
mod tests;
