//! Prints the messages of one direction of a connection, as they follow each other in a file: what was captured with
//! `tcpflow`, for example, or saved by `ovs-ofctl`.
//!
//! `cargo run --example decode_capture -- FILE`

use openflow::{HEADER_LEN, Header, Message, Version, frame_length};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let bytes = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
    let mut rest = bytes.as_slice();
    while let Some(len) = frame_length(rest).filter(|len| (HEADER_LEN..=rest.len()).contains(len)) {
        let (frame, after) = rest.split_at(len);
        rest = after;
        let header = Header::decode(frame)?;
        // Only hello and error messages may be of a version that is not known.
        let version = Version::from_number(header.version).unwrap_or(Version::V1_3);
        match Message::decode(version, frame) {
            Ok((_, message)) => println!("{version} {:#010x} {message:?}", header.xid.0),
            Err(error) => println!("{version} {:#010x} type {}: {error}", header.xid.0, header.kind),
        }
    }
    if !rest.is_empty() {
        println!("{} bytes at the end are no whole message", rest.len());
    }
    Ok(())
}
