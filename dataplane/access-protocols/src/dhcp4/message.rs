//! The fixed part of a message (RFC 2131, section 2).

use std::net::Ipv4Addr;

use net_types::Mac;

use super::options::{MessageType, Options, code};

/// Length of the fixed part, the magic cookie included.
pub(super) const FIXED_LEN: usize = 240;
pub(super) const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];
pub(super) const BOOT_REQUEST: u8 = 1;
pub(super) const BOOT_REPLY: u8 = 2;
pub(super) const HARDWARE_ETHERNET: u8 = 1;
pub(super) const FLAG_BROADCAST: u16 = 0x8000;

/// Why a datagram is not a DHCP client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("the message ends before its fixed part does")]
    Truncated,
    #[error("the message is not a BOOTREQUEST")]
    NotARequest,
    #[error("the client's hardware address is not an Ethernet station's")]
    HardwareAddress,
    #[error("the magic cookie is missing: BOOTP without DHCP")]
    NoCookie,
    #[error("option {0} ends beyond its field")]
    Option(u8),
    #[error("the overload option is not 1, 2 or 3")]
    Overload,
    #[error("the message type is missing or malformed")]
    NoMessageType,
}

/// A client's message taken apart.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: MessageType,
    pub(super) xid: [u8; 4],
    pub(super) flags: u16,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    pub(super) mac: Mac,
    pub(super) options: Options<'a>,
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        let (fixed, field) = bytes.split_first_chunk::<FIXED_LEN>().ok_or(MessageError::Truncated)?;
        let address = |at: usize| Ipv4Addr::new(fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]);
        if fixed[0] != BOOT_REQUEST {
            return Err(MessageError::NotARequest);
        }
        if fixed[1] != HARDWARE_ETHERNET || fixed[2] != 6 {
            return Err(MessageError::HardwareAddress);
        }
        let octets = [fixed[28], fixed[29], fixed[30], fixed[31], fixed[32], fixed[33]];
        let mac = Mac::new(octets).map_err(|_| MessageError::HardwareAddress)?;
        if fixed[236..] != MAGIC_COOKIE {
            return Err(MessageError::NoCookie);
        }
        let options = Options::parse(field, &fixed[108..236], &fixed[44..108])?;
        let [kind] = options.array(code::MESSAGE_TYPE).ok_or(MessageError::NoMessageType)?;
        Ok(Self {
            kind: MessageType::from_code(kind),
            xid: [fixed[4], fixed[5], fixed[6], fixed[7]],
            flags: u16::from_be_bytes([fixed[10], fixed[11]]),
            ciaddr: address(12),
            giaddr: address(24),
            mac,
            options,
        })
    }
}
