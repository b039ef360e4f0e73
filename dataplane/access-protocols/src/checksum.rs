//! The Internet checksum (RFC 1071).

/// The one's complement sum of `bytes` as big-endian 16-bit words, on top of `initial`; odd bytes are padded with zero.
pub(crate) fn sum(initial: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<2>();
    let total: u64 = words.iter().map(|&word| u64::from(u16::from_be_bytes(word))).sum();
    let last = rest.first().map_or(0, |&byte| u64::from(byte) << 8);
    u32::from(fold64(u64::from(initial) + total + last))
}

/// The sum in 16 bits.
pub(crate) fn fold(sum: u32) -> u16 {
    fold64(u64::from(sum))
}

/// What goes into the checksum field.
pub(crate) fn finish(sum: u32) -> u16 {
    !fold(sum)
}

fn fold64(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // The loop leaves at most 16 bits.
    u16::try_from(sum).unwrap_or(u16::MAX)
}
