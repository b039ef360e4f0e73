//! Messages of OpenFlow, as they come from a switch or a controller.

use openflow::{Header, Message, Version, frame_length};

/// A message in each version: what decodes encodes, and decodes to the same again.
pub fn fuzz_openflow(bytes: &[u8]) {
    for version in Version::ALL.iter().copied() {
        // The version's own number, so that one seed is of use in all.
        let mut message = bytes.to_vec();
        if let Some(first) = message.first_mut() {
            *first = version.number();
        }
        check(version, &message);
        // A header that says how long the message is, so that more than its length is looked at.
        if let (Ok(len), Some(length)) = (u16::try_from(message.len()), message.get_mut(2..4)) {
            length.copy_from_slice(&len.to_be_bytes());
            check(version, &message);
        }
    }
}

fn check(version: Version, bytes: &[u8]) {
    let Ok((header, message)) = Message::decode(version, bytes) else { return };
    assert_eq!(frame_length(bytes), Some(bytes.len()), "what decodes is a whole message");
    assert_eq!(Header::decode(bytes), Ok(header), "its header is at its front");
    let again = message.to_bytes(version, header.xid).expect("what decodes encodes");
    let (_, same) = Message::decode(version, &again).expect("what is encoded decodes");
    assert_eq!(message, same, "nothing is lost");
}

#[cfg(test)]
mod tests {
    use openflow::{Message, Version};

    use crate::tests::seeds;

    #[test]
    fn the_seeds_are_messages() {
        for seed in seeds("openflow") {
            let version = Version::from_number(seed[0]).expect("a version");
            Message::decode(version, &seed).expect("a message");
        }
    }
}
