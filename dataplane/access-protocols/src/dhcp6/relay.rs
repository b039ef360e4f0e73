//! Relays between the client and the office: what they forwarded, and the way back (RFC 8415, section 19).
//!
//! A relay tells which line a client is on (options 18, 37, 38); here the tags have told that already, so these
//! options are no more than what the relay wants back.

use std::net::Ipv6Addr;

use super::{
    MessageError,
    message::MessageType,
    options::{OptionWriter, Options, address, code},
};

/// Type, hop count, link and peer address.
const HEADER_LEN: usize = 34;

/// `HOP_COUNT_LIMIT` (RFC 8415, section 7.6).
const RELAYS_MAX: usize = 8;

/// One relay's envelope.
#[derive(Debug)]
pub(super) struct Relay<'a> {
    /// Hop count, link and peer address, which are returned as they are.
    fields: &'a [u8],
    /// Whom it got the message from: the client, or another relay.
    pub(super) peer: Ipv6Addr,
    options: Options<'a>,
}

/// Takes the relays' envelopes off, the outermost first; what is in the innermost is the client's message.
pub(super) fn unwrap(mut bytes: &[u8]) -> Result<(Vec<Relay<'_>>, &[u8]), MessageError> {
    let mut relays = Vec::new();
    while bytes.first() == Some(&MessageType::RELAY_FORWARD) {
        if relays.len() == RELAYS_MAX {
            return Err(MessageError::Relays);
        }
        let (header, field) = bytes.split_at_checked(HEADER_LEN).ok_or(MessageError::Truncated)?;
        let (peer, _) = address(&header[18..]).ok_or(MessageError::Truncated)?;
        let options = Options::parse(field)?;
        bytes = options.first(code::RELAY_MESSAGE).ok_or(MessageError::NothingRelayed)?;
        relays.push(Relay { fields: &header[1..], peer, options });
    }
    Ok((relays, bytes))
}

impl Relay<'_> {
    /// The reply that this relay takes `message` out of; `None` if it would be longer than `len_max`.
    pub(super) fn wrap(&self, message: &[u8], len_max: usize) -> Option<Vec<u8>> {
        let mut writer = OptionWriter::new(len_max.checked_sub(HEADER_LEN)?);
        // The interface identifier goes back in any case (RFC 8415, section 19.3), and besides it what the relay
        // asks for (RFC 4994); of options 37 and 38 that is all that is due (RFC 4649, RFC 4580).
        let asked = self.options.codes(code::ECHO_REQUEST).unwrap_or_default();
        let echoed = |code: u16| code == code::INTERFACE_ID || asked.contains(&code);
        for (code, data) in
            self.options.iter().filter(|&(code, _)| echoed(code) && code != code::RELAY_MESSAGE)
        {
            if !writer.put(code, data) {
                return None;
            }
        }
        if !writer.put(code::RELAY_MESSAGE, message) {
            return None;
        }
        Some([&[MessageType::RELAY_REPLY], self.fields, &writer.finish()].concat())
    }
}
