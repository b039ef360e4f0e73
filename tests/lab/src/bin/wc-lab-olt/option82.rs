//! The layer 2 DHCP relay agent of an access node (BBF TR-101, section 3.8): it adds option 82 (RFC 3046) to a
//! client's messages on their way up.

const ETHERNET: usize = 14;
const UDP: usize = 8;
/// Of the DHCP message: the fixed fields and the magic cookie (RFC 2131, section 2).
const OPTIONS: usize = 240;
const END: u8 = 255;

/// The frame with option 82 in it, if it is a DHCP message of a client.
pub(crate) fn insert(frame: &[u8], interface: &str) -> Option<Vec<u8>> {
    let ip_header = usize::from(frame.get(ETHERNET)? & 0x0f) * 4;
    let udp = ETHERNET + ip_header;
    let is_dhcp = frame[12..14] == [8, 0] && frame[ETHERNET + 9] == 17 && frame.get(udp..udp + 4)? == [0, 68, 0, 67];
    if !is_dhcp {
        return None;
    }
    let ip_len = usize::from(u16::from_be_bytes([frame[ETHERNET + 2], frame[ETHERNET + 3]]));
    let message = frame.get(udp + UDP..ETHERNET + ip_len)?;
    let end = OPTIONS + end_of_options(message.get(OPTIONS..)?)?;

    let circuit = format!("wc-olt eth {interface}");
    let mut option = vec![82, 0, 1, u8::try_from(circuit.len()).ok()?];
    option.extend(circuit.bytes());
    option.extend([2, 4]);
    option.extend(b"ont1");
    option[1] = u8::try_from(option.len() - 2).ok()?;

    let mut out = frame[..udp + UDP].to_vec();
    out.extend(&message[..end]);
    out.extend(&option);
    out.extend(&message[end..]);
    let grown = u16::try_from(option.len()).ok()?;
    add(&mut out, ETHERNET + 2, grown)?;
    add(&mut out, udp + 4, grown)?;
    // No UDP checksum (RFC 768), and the IPv4 header's computed anew.
    out[udp + 6..udp + 8].fill(0);
    out[ETHERNET + 10..ETHERNET + 12].fill(0);
    let sum = header_checksum(&out[ETHERNET..udp]);
    out[ETHERNET + 10..ETHERNET + 12].copy_from_slice(&sum.to_be_bytes());
    Some(out)
}

/// Where the end option stands.
fn end_of_options(options: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *options.get(at)? {
            END => return Some(at),
            0 => at += 1,
            _ => at += 2 + usize::from(*options.get(at + 1)?),
        }
    }
}

fn add(frame: &mut [u8], at: usize, more: u16) -> Option<()> {
    let old = u16::from_be_bytes([frame[at], frame[at + 1]]);
    frame[at..at + 2].copy_from_slice(&old.checked_add(more)?.to_be_bytes());
    Some(())
}

fn header_checksum(header: &[u8]) -> u16 {
    let words = header.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}
