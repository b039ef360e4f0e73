//! A client's message (RFC 8415, section 8).

use super::{
    Duid, DuidError,
    association::Association,
    options::{Options, code},
};

/// Message types (RFC 8415, section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageType {
    Solicit,
    Request,
    Confirm,
    Renew,
    Rebind,
    Release,
    Decline,
    InformationRequest,
    Other(u8),
}

impl MessageType {
    pub(super) const ADVERTISE: u8 = 2;
    pub(super) const REPLY: u8 = 7;
    pub(super) const RELAY_FORWARD: u8 = 12;
    pub(super) const RELAY_REPLY: u8 = 13;

    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Solicit,
            3 => Self::Request,
            4 => Self::Confirm,
            5 => Self::Renew,
            6 => Self::Rebind,
            8 => Self::Release,
            9 => Self::Decline,
            11 => Self::InformationRequest,
            other => Self::Other(other),
        }
    }
}

/// Why a payload is not a client's DHCPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("the message ends before its fields do")]
    Truncated,
    #[error("option {0} ends beyond its field")]
    Option(u16),
    #[error("an identity association, or what is in it, is malformed")]
    Association,
    #[error(transparent)]
    Duid(#[from] DuidError),
    #[error("it has come through more relays than there may be")]
    Relays,
    #[error("a relay has forwarded nothing")]
    NothingRelayed,
}

/// A client's message taken apart.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: MessageType,
    pub(super) transaction: [u8; 3],
    pub(super) client: Option<Duid>,
    /// The server identifier.
    pub(super) server: Option<&'a [u8]>,
    /// In their order.
    pub(super) associations: Vec<Association>,
    pub(super) options: Options<'a>,
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        let (&[kind, ref transaction @ ..], field) =
            bytes.split_first_chunk::<4>().ok_or(MessageError::Truncated)?;
        let options = Options::parse(field)?;
        let associations = options.iter().filter_map(|(code, data)| Association::parse(code, data));
        Ok(Self {
            kind: MessageType::from_code(kind),
            transaction: *transaction,
            client: options.first(code::CLIENT_ID).map(Duid::new).transpose()?,
            server: options.first(code::SERVER_ID),
            associations: associations.collect::<Result<_, _>>()?,
            options,
        })
    }

    /// Whether the client wants an option; one that asks for nothing in particular gets all there is.
    pub(super) fn wants(&self, code: u16) -> bool {
        self.options.codes(code::OPTION_REQUEST).is_none_or(|codes| codes.contains(&code))
    }
}
